//! The one shape of every error: `application/problem+json` (RFC 9457), made by one `match` per kind of failure.
//!
//! A caller's mistake is never a 5xx. What went wrong inside is logged under the request's id and not told.
//! [`super::framed`] fills in `request_id` and writes that log line.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::psa::open::OpenError;
use crate::psa::{Kind, PsaError};
use crate::secrets::SecretsError;
use crate::sources::SourceError;
use crate::store::StoreError;

/// After how many seconds a PSA or a store that does not answer may be asked again.
const RETRY_AFTER_S: u32 = 30;

/// One fault of the input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// JSON pointer into the body; `?name` for a query parameter.
    pub pointer: String,
    /// What is wrong there. It repeats no value that was sent.
    pub detail: String,
}

impl Fault {
    /// A fault at `pointer`.
    #[must_use]
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}

/// An error answer.
#[derive(Debug, Clone)]
pub struct Problem(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<String>,
    body: Body,
}

/// The members of a problem on the wire.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Body {
    /// `/problems/{code}`.
    #[serde(rename = "type")]
    kind: String,
    /// The code in words; the same for every problem of this code.
    title: String,
    /// HTTP status.
    status: u16,
    /// What happened this time.
    detail: String,
    /// Stable name, `snake_case`.
    code: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
    /// Every fault found in the input.
    errors: Vec<Fault>,
    /// Names this request in our logs.
    request_id: String,
}

impl Problem {
    /// A problem named `code`, whose title is the code in words.
    #[must_use]
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        let body = Body {
            kind: format!("/problems/{code}"),
            title: title(code),
            status: status.as_u16(),
            detail: detail.into(),
            code: code.to_owned(),
            fix: None,
            errors: Vec::new(),
            request_id: String::new(),
        };
        Self(Box::new(Inner { status, headers: Vec::new(), cause: None, body }))
    }

    /// 422: the input can be read, and is wrong at these places.
    #[must_use]
    pub fn invalid(faults: Vec<Fault>) -> Self {
        let detail = match faults.as_slice() {
            [one] if one.pointer.is_empty() => format!("The request is not valid: {}.", one.detail),
            [one] => format!("The request is not valid: {}: {}.", one.pointer, one.detail),
            _ => format!("The request is not valid in {} places.", faults.len()),
        };
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_request", detail).faults(faults)
    }

    /// 404: there is none, or it is another partner's.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("There is no such {what}."))
    }

    /// 409: what is stored does not allow it.
    #[must_use]
    pub fn conflict(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 500: our fault. `cause` is for the log alone.
    #[must_use]
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "Internal error.").caused_by(cause)
    }

    /// Adds the repair step.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        let fix = fix.into();
        self.0.body.fix = (!fix.is_empty()).then_some(fix);
        self
    }

    /// Adds faults of the input.
    #[must_use]
    pub fn faults(mut self, faults: Vec<Fault>) -> Self {
        self.0.body.errors.extend(faults);
        self
    }

    /// Adds a header. One that can't be written is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers.push((name, value));
        }
        self
    }

    /// Adds what the log shall say and the caller shall not see.
    #[must_use]
    pub fn caused_by(mut self, cause: impl std::fmt::Display) -> Self {
        self.0.cause = Some(cause.to_string());
        self
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable name.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.0.body.code
    }

    /// What happened this time.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.body.detail
    }

    /// What only the log shall say.
    pub(super) fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// Names the request in it.
    pub(super) fn of_request(mut self, request_id: &str) -> Self {
        self.0.body.request_id = request_id.to_owned();
        self
    }

    fn retry_after(self, seconds: u32) -> Self {
        self.header(header::RETRY_AFTER, &seconds.to_string())
    }

    /// Where it is an outside system's doing: what the log says of it, and when it may be asked again.
    fn of_outside(self, asks_to_wait_s: Option<u32>, cause: &impl std::fmt::Display) -> Self {
        if !self.status().is_server_error() {
            return self;
        }
        self.caused_by(cause).retry_after(asks_to_wait_s.unwrap_or(RETRY_AFTER_S))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let text = serde_json::to_vec(&self.0.body).unwrap_or_default();
        let mut response = (self.0.status, text).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        for (name, value) in &self.0.headers {
            headers.append(name.clone(), value.clone());
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// The store. A full item is the caller's doing; all else is ours.
impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unavailable(_) => unavailable().caused_by(error),
            StoreError::Unreadable(row) => {
                let detail = format!("What is stored can't be read by this version: {row}.");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "row_unreadable", detail)
                    .fix("It may be of a newer version of Tallyline: deploy that one again, or make it anew.")
                    .caused_by(error)
            }
            StoreError::Corrupt(_) => Self::internal(error),
            StoreError::TooLarge(_) => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "This is more than can be stored in one piece.")
                    .caused_by(error)
            }
        }
    }
}

/// The secret store. None of it is the caller's doing.
impl From<SecretsError> for Problem {
    fn from(error: SecretsError) -> Self {
        match &error {
            SecretsError::Unavailable(_) => unavailable().caused_by(error),
            SecretsError::Unreadable(_) => Self::internal(error),
        }
    }
}

/// A connection that was not opened. Only its own partner gets as far as to hear that it was revoked.
impl From<OpenError> for Problem {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::NotFound => Self::not_found("connection"),
            OpenError::Revoked => {
                Self::conflict("connection_revoked", "The connection was revoked.").fix("Make a new connection.")
            }
            OpenError::NoCredentials | OpenError::Unreadable(_) => {
                Self::conflict("credentials_missing", "The credentials of this connection can't be used.")
                    .fix("Send the credentials again.")
                    .caused_by(error)
            }
            OpenError::Store(error) => error.into(),
            OpenError::Secrets(error) => error.into(),
        }
    }
}

/// The PSA, with its own words where it had some.
impl From<PsaError> for Problem {
    fn from(error: PsaError) -> Self {
        let said = error.said.as_ref().map(|said| format!(" It said: \"{said}\"")).unwrap_or_default();
        let problem = Self::new(status_of(error.kind), &error.code, format!("{}{said}", error.explanation));
        problem.fix(&error.fix).of_outside(error.retry_after_s, &error)
    }
}

/// The vendor that a usage source reads.
impl From<SourceError> for Problem {
    fn from(error: SourceError) -> Self {
        let problem = Self::new(status_of(error.kind), &error.code, &error.explanation).fix(&error.fix);
        problem.of_outside(error.retry_after_s, &error)
    }
}

/// What an outside system refuses, the caller can repair; where it does not answer, it is a gateway's error. Its limit is told
/// as 503: 429 would say that this caller sends us too much.
fn status_of(kind: Kind) -> StatusCode {
    match kind {
        Kind::Auth | Kind::NotFound | Kind::Validation => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::RateLimited | Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Protocol => StatusCode::BAD_GATEWAY,
    }
}

fn unavailable() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Tallyline can't answer at the moment.")
        .fix("Send the request again in a moment.")
        .retry_after(RETRY_AFTER_S)
}

/// `psa_rights_missing` as "PSA rights missing".
fn title(code: &str) -> String {
    let words: Vec<_> = code
        .split('_')
        .map(|word| if ["psa", "json"].contains(&word) { word.to_uppercase() } else { word.to_owned() })
        .collect();
    let words = words.join(" ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
