//! A change over what was read and nothing else: `If-Match` with the version that it was made from, or `If-None-Match: *` for
//! what is to be new (RFC 9110, section 13.1). Without either a change replaces whatever stands.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponseParts, ResponseParts};
use utoipa::IntoParams;

use super::problem::{Fault, Problem};
use crate::store::mappings::Expected;

/// What a change asks of what stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct Precondition {
    /// The version that is to be replaced, in quotes: 412 `changed_meanwhile` where another one stands, or none.
    #[param(rename = "If-Match", value_type = Option<String>, example = "\"3\"")]
    version: Option<u32>,
    /// `*`: 412 `already_mapped` where something stands.
    #[param(rename = "If-None-Match", value_type = Option<String>, example = "*")]
    is_new: bool,
}

/// The version that is answered, as `ETag`.
#[derive(Debug, Clone, Copy)]
pub struct Tag(pub u32);

impl Precondition {
    /// The same to the store.
    #[must_use]
    pub fn expected(self) -> Expected {
        match (self.is_new, self.version) {
            (true, _) => Expected::Nothing,
            (false, Some(version)) => Expected::Version(version),
            (false, None) => Expected::Anything,
        }
    }

    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let version = match sent(headers, &header::IF_MATCH, "If-Match")? {
            None => None,
            Some(tag) => {
                Some(version_in(tag).ok_or_else(|| refused("If-Match", "must be a version in quotes, such as \"3\""))?)
            }
        };
        let is_new = match sent(headers, &header::IF_NONE_MATCH, "If-None-Match")? {
            None => false,
            Some("*") => true,
            Some(_) => return Err(refused("If-None-Match", "must be *")),
        };
        if is_new && version.is_some() {
            return Err(refused("If-None-Match", "says that nothing stands, and If-Match that something does"));
        }
        Ok(Self { version, is_new })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Precondition {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of(&parts.headers)
    }
}

impl IntoResponseParts for Tag {
    type Error = Infallible;
    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        if let Ok(value) = HeaderValue::from_str(&format!("\"{}\"", self.0)) {
            parts.headers_mut().insert(header::ETAG, value);
        }
        Ok(parts)
    }
}

fn sent<'a>(headers: &'a HeaderMap, header: &HeaderName, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut all = headers.get_all(header).iter();
    match (all.next().map(HeaderValue::to_str), all.next()) {
        (None, _) => Ok(None),
        (Some(Ok(text)), None) => Ok(Some(text.trim())),
        _ => Err(refused(name, "must be sent once")),
    }
}

fn version_in(tag: &str) -> Option<u32> {
    let digits = tag.strip_prefix('"')?.strip_suffix('"')?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// What can't be read is refused: passing over it would replace what the caller wants to keep.
fn refused(name: &str, detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_precondition", format!("{name} {detail}."))
        .faults(vec![Fault::new(format!("header:{name}"), detail)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(HeaderName, &'static str)]) -> Result<Expected, Problem> {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        let mut all = HeaderMap::new();
        headers.for_each(|(name, value)| {
            all.append(name, value);
        });
        Precondition::of(&all).map(Precondition::expected)
    }

    #[test]
    fn what_a_change_is_made_from_is_read_from_its_headers() {
        assert_eq!(of(&[]).unwrap(), Expected::Anything);
        assert_eq!(of(&[(header::IF_MATCH, "\"17\"")]).unwrap(), Expected::Version(17));
        assert_eq!(of(&[(header::IF_NONE_MATCH, "*")]).unwrap(), Expected::Nothing);
    }

    #[test]
    fn a_condition_that_cannot_be_read_is_refused_and_not_passed_over() {
        for tag in ["17", "*", "W/\"17\"", "\"17\", \"18\"", "\"\"", "\"+1\"", "\"99999999999\"", ""] {
            let refused = of(&[(header::IF_MATCH, tag)]).unwrap_err();
            assert_eq!((refused.status(), refused.code()), (StatusCode::BAD_REQUEST, "invalid_precondition"), "{tag}");
        }
        assert!(of(&[(header::IF_NONE_MATCH, "\"1\"")]).is_err());
        assert!(of(&[(header::IF_MATCH, "\"1\""), (header::IF_MATCH, "\"2\"")]).is_err());
        assert!(of(&[(header::IF_MATCH, "\"1\""), (header::IF_NONE_MATCH, "*")]).is_err());
    }
}
