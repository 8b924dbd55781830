//! Input: the parameters of a query string, refused with a problem that names the parameter, what was given and what it must be.
//!
//! A value is named where it is short: other than one of a body, it stands in access logs anyway. What the readers of numbers,
//! truth values and instants say in words of their own is put into those of the others here.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::json::{UNKNOWN_FIELD, quoted, without_values};
use super::problem::{Fault, Problem};

const TWICE: &str = "must be given once";

/// The parameters of a query string.
#[derive(Debug, Clone)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let rejection = match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(query) => return Ok(Self(query.0)),
            Err(rejection) => rejection,
        };
        // "Failed to deserialize query string: limit: must be …"
        let text = rejection.body_text();
        let said = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
        let named = |message| {
            ["missing", "unknown", "duplicate"].into_iter().find_map(|what| quoted(message, &format!("{what} field `")))
        };
        let (name, message) = match (named(said), said.split_once(": ")) {
            (Some(name), _) => (name, said),
            (None, Some((path, message))) => (named(message).unwrap_or(path), message),
            (None, None) => ("", said),
        };
        let detail = of_a_parameter(message);
        let given = match axum::extract::Query::<Vec<(String, String)>>::from_request_parts(parts, state).await {
            Ok(all) if detail.starts_with("must be") && detail != TWICE => {
                all.0.into_iter().find(|(sent, _)| sent == name)
            }
            _ => None,
        };
        Err(refused_value(name, given.as_ref().map(|(_, value)| value.as_str()), &detail))
    }
}

/// What a parser says of a text that is no number or no truth value, in the words of the others.
fn of_a_parameter(message: &str) -> String {
    let said = without_values(message);
    match message {
        _ if said == UNKNOWN_FIELD => "is not a parameter here",
        _ if message.starts_with("duplicate field") => TWICE,
        _ if message.starts_with("number too ") => "must be a whole number that is not so large",
        "provided string was not `true` or `false`" => "must be true or false",
        "invalid digit found in string" | "cannot parse integer from empty string" => "must be a whole number",
        _ => &said,
    }
    .to_owned()
}

/// An optional instant in a query string, for `deserialize_with`.
///
/// # Errors
/// It is none; the message says how one is written.
pub fn instant<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<jiff::Timestamp>, D::Error> {
    let text = <String as serde::Deserialize>::deserialize(from)?;
    let form = "must be an instant such as 2026-11-20T23:59:00Z";
    text.parse().map(Some).map_err(|_| serde::de::Error::custom(form))
}

/// Longer values are not repeated.
const REPEATED_CHARS: usize = 40;

/// As [`refused_query`], with what was `given`.
fn refused_value(name: &str, given: Option<&str>, detail: &str) -> Problem {
    let repeated = |value: &&str| value.len() <= REPEATED_CHARS && value.chars().all(|letter| !letter.is_control());
    let said = match given.filter(repeated) {
        None => format!("{name} {detail}"),
        Some("") => format!("{name} is empty, and {detail}"),
        Some(value) => format!("{name} is \"{value}\", and {detail}"),
    };
    let problem = Problem::new(StatusCode::BAD_REQUEST, "invalid_query", format!("The query is not valid: {said}."));
    problem.faults(vec![Fault::new(format!("?{name}"), detail)])
}

/// 400: a query parameter is wrong.
#[must_use]
pub fn refused_query(name: &str, detail: &str) -> Problem {
    refused_value(name, None, detail)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::Request;
    use serde::Deserialize;

    use super::*;

    #[tokio::test]
    async fn a_parameter_that_is_none_of_its_kind_is_named_with_what_was_given_and_what_it_must_be() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code)]
        struct Which {
            #[serde(default, deserialize_with = "instant")]
            from: Option<jiff::Timestamp>,
            #[serde(default)]
            dry_run: bool,
            #[serde(default)]
            limit: super::super::paging::Limit,
            count: Option<u32>,
            policy: Option<crate::domain::policy::Drift>,
        }
        let long = format!("dry_run={}", "x".repeat(41));
        for (query, told) in [
            ("from=2026-13-01", "from is \"2026-13-01\", and must be an instant such as 2026-11-20T23:59:00Z"),
            ("from=", "from is empty, and must be an instant such as 2026-11-20T23:59:00Z"),
            ("dry_run=yes", "dry_run is \"yes\", and must be true or false"),
            ("dry_run=a%22b%20c", "dry_run is \"a\"b c\", and must be true or false"),
            ("dry_run=%0A", "dry_run must be true or false"),
            (&long, "dry_run must be true or false"),
            ("dry_run=true&dry_run=true", "dry_run must be given once"),
            ("limit=ten", "limit is \"ten\", and must be a whole number from 1 to 100"),
            ("limit=101", "limit is \"101\", and must be a whole number from 1 to 100"),
            ("count=ten", "count is \"ten\", and must be a whole number"),
            ("count=-", "count is \"-\", and must be a whole number"),
            ("count=4294967296", "count is \"4294967296\", and must be a whole number that is not so large"),
            ("policy=fine", "policy is \"fine\", and must be `hold` or `overwrite`"),
            ("hunter=2", "hunter is not a parameter here"),
        ] {
            let request = Request::builder().uri(format!("/?{query}")).body(Body::empty()).unwrap();
            let (mut parts, _) = request.into_parts();
            let problem = Query::<Which>::from_request_parts(&mut parts, &()).await.unwrap_err();
            assert_eq!(problem.detail(), format!("The query is not valid: {told}."), "{query}");
        }
    }
}
