//! Why a source could not be read, in our words: a vendor's own may quote what was sent.

use serde::{Deserialize, Serialize};

use crate::http::HttpError;
use crate::psa::Kind;

/// A failure, explained. Nothing in it comes from credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {explanation}")]
pub struct SourceError {
    /// What kind.
    pub kind: Kind,
    /// Stable name, `snake_case`: `source_credentials_rejected`.
    pub code: String,
    /// What happened, in words for the partner.
    pub explanation: String,
    /// What to do about it.
    pub fix: String,
    /// Seconds that the vendor asks to wait before the next request, where it names a time.
    #[serde(default)]
    pub retry_after_s: Option<u32>,
}

/// The right to read is missing, maybe of one customer's data alone.
pub(super) const PERMISSION_MISSING: &str = "source_permission_missing";
/// The vendor has answered that it can't, maybe about one customer alone.
const UNAVAILABLE: &str = "source_unavailable";
/// What is done about what passes.
const AGAIN: &str = "Nothing: it is read again at its next time. If it stays, look at the vendor's status page.";

impl SourceError {
    /// A failure with fixed words.
    #[must_use]
    pub fn new(kind: Kind, code: &str, explanation: impl Into<String>, fix: &str) -> Self {
        let (code, explanation, fix) = (code.to_owned(), explanation.into(), fix.to_owned());
        Self { kind, code, explanation, fix, retry_after_s: None }
    }

    /// A status that is no success, from the vendor called `vendor`.
    #[must_use]
    pub fn of_status(vendor: &str, status: u16, retry_after_s: Option<u32>) -> Self {
        let named = |kind, code, what: &str, fix| Self::new(kind, code, format!("{vendor} {what}"), fix);
        let error = match status {
            401 => named(
                Kind::Auth,
                "source_credentials_rejected",
                "does not accept these credentials.",
                "Check them for a typing error; else make new ones with the vendor. Send them with PUT /v1/sources/{source}.",
            ),
            403 => named(
                Kind::Auth,
                PERMISSION_MISSING,
                "does not let these credentials read what is counted.",
                "Give the key or its user the right to read customers and their counts, then pull again.",
            ),
            404 => named(
                Kind::NotFound,
                "source_not_found",
                "does not know what was asked for.",
                "Check the ids and the host.",
            ),
            429 => named(Kind::RateLimited, "source_rate_limited", "asks for fewer requests.", AGAIN),
            500..=599 => named(Kind::Unavailable, UNAVAILABLE, "answers with an error of its own.", AGAIN),
            _ => named(Kind::Protocol, "source_unexpected_answer", "answers as nobody knows it.", AGAIN),
        };
        Self { retry_after_s, ..error }
    }

    /// Whether it may be about the one customer that was asked about, so that the others are still worth asking about. It is
    /// not where a vendor takes the credentials no more, asks to wait, or does not answer at all.
    #[must_use]
    pub fn is_of_one(&self) -> bool {
        match self.kind {
            Kind::NotFound | Kind::Protocol => true,
            Kind::Auth => self.code == PERMISSION_MISSING,
            Kind::Unavailable => self.code == UNAVAILABLE,
            Kind::Validation | Kind::RateLimited => false,
        }
    }

    /// No answer came, or only a part of one.
    #[must_use]
    pub fn unreachable(vendor: &str) -> Self {
        Self::new(Kind::Unavailable, "source_unreachable", format!("{vendor} does not answer."), AGAIN)
    }

    /// The host is none of the vendor's, does not prove who it is, or the request can't be written down.
    #[must_use]
    pub fn of_http(error: &HttpError) -> Self {
        let code = format!("source_{}", error.code());
        Self::new(Kind::Validation, &code, error.explanation(), error.fix())
    }

    /// An answer that is not what the vendor's documentation promises. `what` is ours, never the answer's.
    #[must_use]
    pub fn unreadable(vendor: &str, what: &str) -> Self {
        Self::new(
            Kind::Protocol,
            "source_unexpected_answer",
            format!("An answer of {vendor} can't be read: {what}."),
            "Nothing is changed by it. If it stays, a newer version of Tallyline may know the answer.",
        )
    }
}

impl From<HttpError> for SourceError {
    fn from(error: HttpError) -> Self {
        Self::of_http(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_about_one_customer_keeps_nobody_from_reading_the_others() {
        let is_of_one = |status| SourceError::of_status("The vendor", status, None).is_of_one();
        assert_eq!([403, 404, 418, 500, 503].map(is_of_one), [true; 5]);
        assert_eq!([401, 429].map(is_of_one), [false; 2]);
        assert!(SourceError::unreadable("The vendor", "it is not all there").is_of_one());
        assert!(!SourceError::unreachable("The vendor").is_of_one());
        assert!(!SourceError::from(HttpError::TlsFailed).is_of_one());
    }
}
