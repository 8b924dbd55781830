//! Input: bodies and path segments, refused with a problem that says where the fault is. Query strings are `query`'s.
//!
//! No message repeats a value that was sent, because any of them may be a secret. Types that are read refuse unknown
//! fields themselves (`deny_unknown_fields`). Checks that find several faults gather them in [`Faults`].

use std::pin::Pin;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use super::frame::BODY_LIMIT_BYTES;
use super::problem::{Fault, Problem};

/// So much more of a body that is too large is read and dropped, so that the caller hears the answer instead of a reset.
const DRAINED_BYTES: usize = 16 * 1024 * 1024;

/// More faults than this are not looked for.
pub const MOST_FAULTS: usize = 20;

pub(super) const UNKNOWN_FIELD: &str = "is not a field here";

/// A JSON body, or a JSON answer.
#[derive(Debug, Clone, Default)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let body = json_body(request).await?;
        read(&body).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// The bytes of a body that says it is JSON.
pub(super) async fn json_body(request: Request) -> Result<Bytes, Problem> {
    if !is_json(request.headers()) {
        return Err(not_sent_as_json());
    }
    bytes(request.into_body()).await
}

pub(super) fn not_sent_as_json() -> Problem {
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", "Send the body as application/json.")
}

/// A whole body of at most [`BODY_LIMIT_BYTES`].
///
/// # Errors
/// It is larger, or breaks off.
pub async fn bytes(mut body: Body) -> Result<Bytes, Problem> {
    let too_large = || {
        let detail = format!("A body may have {} MB.", BODY_LIMIT_BYTES / 1024 / 1024);
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
    };
    let (mut read, mut seen) = (Vec::new(), 0_usize);
    while let Some(frame) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame =
            frame.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "body_incomplete", "The body broke off."))?;
        let Some(data) = frame.data_ref() else { continue };
        seen = seen.saturating_add(data.len());
        if seen > DRAINED_BYTES {
            return Err(too_large());
        }
        if seen <= BODY_LIMIT_BYTES {
            read.extend_from_slice(data);
        }
    }
    if seen > BODY_LIMIT_BYTES { Err(too_large()) } else { Ok(read.into()) }
}

/// Reads a JSON text.
pub(super) fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    let mut parser = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut parser).map_err(|error| {
        if error.inner().is_data() { Problem::invalid(vec![fault_of(&error, "")]) } else { not_json(error.inner()) }
    })?;
    parser.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

fn not_json(error: &serde_json::Error) -> Problem {
    let detail = format!("The body is not JSON: see line {}, column {}.", error.line(), error.column());
    Problem::new(StatusCode::BAD_REQUEST, "malformed_json", detail)
}

pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let sent = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = sent.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// Reads a part of a body that was taken as plain JSON. `pointer` is where it stands.
///
/// # Errors
/// The fault, with its whole pointer.
pub fn parse<T: DeserializeOwned>(pointer: &str, value: serde_json::Value) -> Result<T, Fault> {
    serde_path_to_error::deserialize(value).map_err(|error| fault_of(&error, pointer))
}

/// As [`parse`] for an object of plain fields, but goes on after a fault: a missing field is put in, an unknown one taken
/// out, a wrong one made a text, so that the faults of the other fields are found as well.
///
/// # Errors
/// Every fault found.
pub fn parse_fields<T: DeserializeOwned>(pointer: &str, value: serde_json::Value) -> Result<T, Vec<Fault>> {
    let serde_json::Value::Object(mut fields) = value else {
        return Err(vec![Fault::new(pointer, "must be an object")]);
    };
    let mut faults: Vec<Fault> = Vec::new();
    while faults.len() < MOST_FAULTS {
        let fault = match parse::<T>(pointer, fields.clone().into()) {
            Ok(value) if faults.is_empty() => return Ok(value),
            Ok(_) => break,
            Err(fault) => fault,
        };
        let within = fault.pointer.strip_prefix(pointer).and_then(|rest| rest.strip_prefix('/'));
        let field = within.map(|rest| unescaped(rest.split('/').next().unwrap_or_default()));
        let known_already = faults.iter().any(|known| known.pointer == fault.pointer);
        let unknown = fault.detail == UNKNOWN_FIELD;
        if !known_already {
            faults.push(fault);
        }
        match field {
            Some(field) if unknown => drop(fields.remove(&field)),
            Some(field) if !known_already => drop(fields.insert(field, "".into())),
            _ => break,
        }
    }
    Err(faults)
}

/// A field that may be left out, but not be null.
///
/// # Errors
/// The value can't be read.
pub fn present<'de, T: serde::Deserialize<'de>, D: serde::Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// Gathers the faults of an input, so that all are told at once.
#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// None so far.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The value, or `None` and one fault more.
    pub fn take<T>(&mut self, checked: Result<T, Fault>) -> Option<T> {
        checked.map_err(|fault| self.0.push(fault)).ok()
    }

    /// As [`Faults::take`], for a check that found several.
    pub fn take_all<T>(&mut self, checked: Result<T, Vec<Fault>>) -> Option<T> {
        checked.map_err(|faults| self.0.extend(faults)).ok()
    }

    /// As [`Faults::take`], for a field that must be there.
    pub fn require<T>(
        &mut self,
        pointer: &str,
        value: Option<serde_json::Value>,
        check: impl FnOnce(serde_json::Value) -> Result<T, Fault>,
    ) -> Option<T> {
        self.take(value.ok_or_else(|| Fault::new(pointer, "is required")).and_then(check))
    }

    /// One fault more.
    pub fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// A problem that names every fault.
    #[must_use]
    pub fn refused(self) -> Problem {
        Problem::invalid(self.0)
    }

    /// # Errors
    /// A problem that names every fault, if there is one.
    pub fn refuse(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.0)) }
    }
}

fn fault_of(error: &serde_path_to_error::Error<serde_json::Error>, base: &str) -> Fault {
    let mut pointer = base.to_owned();
    for segment in error.path().iter() {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => push(&mut pointer, key),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    let message = error.inner().to_string();
    // serde names these fields in its message only.
    if let Some(field) = quoted(&message, "missing field `") {
        push(&mut pointer, field);
    } else if let Some(field) = quoted(&message, "unknown field `")
        && !pointer.ends_with(&format!("/{}", escaped(field)))
    {
        push(&mut pointer, field);
    }
    Fault { pointer, detail: without_values(&message) }
}

fn push(pointer: &mut String, key: &str) {
    pointer.push('/');
    pointer.push_str(&escaped(key));
}

/// The pointer to the member `key` of the object at `base`.
#[must_use]
pub fn pointer(base: &str, key: &str) -> String {
    let mut pointer = base.to_owned();
    push(&mut pointer, key);
    pointer
}

/// RFC 6901; and no longer than anybody would read.
fn escaped(key: &str) -> String {
    key.chars().take(64).collect::<String>().replace('~', "~0").replace('/', "~1")
}

fn unescaped(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

pub(super) fn quoted<'a>(message: &'a str, opening: &str) -> Option<&'a str> {
    let rest = message.strip_prefix(opening)?;
    rest.find('`').and_then(|end| rest.get(..end))
}

/// serde's message without the value that it quotes, and without the line and column that it ends on.
pub(super) fn without_values(message: &str) -> String {
    let message = message.rfind(" at line ").and_then(|at| message.get(..at)).unwrap_or(message);
    let expected = || message.rfind(", expected ").and_then(|at| message.get(at + 2..));
    if message.starts_with("missing field") {
        "is required".to_owned()
    } else if message.starts_with("unknown field") {
        UNKNOWN_FIELD.to_owned()
    } else if message.starts_with("invalid type: null") {
        "must not be null".to_owned()
    } else if message.starts_with("invalid ") || message.starts_with("unknown variant") {
        let wanted = expected().and_then(|text| text.strip_prefix("expected "));
        wanted.map_or_else(|| "is not valid".to_owned(), |wanted| format!("must be {}", in_words(wanted)))
    } else {
        message.to_owned()
    }
}

/// What serde calls by the names of Rust's types.
fn in_words(wanted: &str) -> &str {
    match wanted {
        "i8" => "a whole number from -128 to 127",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number, 0 or more",
        "i16" | "i32" | "i64" => "a whole number",
        "a sequence" => "a list",
        "a map" => "an object",
        other if other.starts_with("struct ") || other.starts_with("internally tagged enum ") => "an object",
        other => other,
    }
}

/// The ids in a path. An id that can't be one is answered like one that nobody knows.
#[derive(Debug, Clone)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        read.map(|path| Self(path.0)).map_err(|_| Problem::not_found("thing"))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::domain::policy::Policy;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code)]
    struct Outer {
        list: Vec<Inner>,
        policy: Option<Policy>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code)]
    struct Inner {
        #[serde(rename = "a/b")]
        count: u32,
    }

    fn fault(value: serde_json::Value) -> (String, String) {
        let fault = parse::<Outer>("", value).unwrap_err();
        (fault.pointer, fault.detail)
    }

    #[test]
    fn a_fault_points_at_its_field_and_never_repeats_a_value() {
        let cases = [
            (
                json!({"list": [{"a/b": 1}, {"a/b": "hunter2"}]}),
                "/list/1/a~1b",
                "must be a whole number from 0 to 4294967295",
            ),
            (json!({"list": [{"a/b": null}]}), "/list/0/a~1b", "must not be null"),
            (json!({"list": [{}]}), "/list/0/a~1b", "is required"),
            (json!({}), "/list", "is required"),
            (json!({"list": [], "hunter": 2}), "/hunter", "is not a field here"),
            (json!({"list": [{"a/b": 1, "c": 2}]}), "/list/0/c", "is not a field here"),
            (json!({"list": "hunter2, expected nothing"}), "/list", "must be a list"),
            (json!({"list": [], "policy": {"drift": "hunter2"}}), "/policy/drift", "must be `hold` or `overwrite`"),
            (
                json!({"list": [], "policy": {"budget_percent": 0}}),
                "/policy/budget_percent",
                "must be a whole number from 1 to 100",
            ),
            (
                json!({"list": [], "policy": {"stale_after_hours": "3"}}),
                "/policy/stale_after_hours",
                "must be a whole number from 1 to 8784",
            ),
            (
                json!({"list": [], "policy": {"guards": {"fall_units": -1}}}),
                "/policy/guards/fall_units",
                "must be a whole number from 0 to 4294967295",
            ),
        ];
        for (value, pointer, detail) in cases {
            assert_eq!(fault(value.clone()), (pointer.to_owned(), detail.to_owned()), "{value}");
        }
    }

    #[test]
    fn every_fault_of_an_object_is_found_at_once() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code)]
        struct LogIn {
            user: String,
            password: String,
            code: u32,
        }
        let faults = parse_fields::<LogIn>("/log_in", json!({"user": 7, "pass/word": "x", "code": 1})).unwrap_err();
        let found: Vec<_> = faults.iter().map(|fault| (fault.pointer.as_str(), fault.detail.as_str())).collect();
        assert_eq!(found.len(), 3, "{found:?}");
        for expected in [
            ("/log_in/user", "must be a string"),
            ("/log_in/pass~1word", "is not a field here"),
            ("/log_in/password", "is required"),
        ] {
            assert!(found.contains(&expected), "{found:?}");
        }
        assert_eq!(parse_fields::<LogIn>("/log_in", json!("x")).unwrap_err()[0].detail, "must be an object");
    }
}
