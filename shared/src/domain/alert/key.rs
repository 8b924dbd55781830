//! What alerts are told apart by: the dedupe key that the vendor chose, and the names of our own digests.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::digest::DigestHour;
use crate::domain::ids::{AccountId, ConnectionId};

/// The longest dedupe key that may be sent, in characters.
pub const LONGEST_KEY: usize = 200;

/// Digests are called so, and no alert that is sent.
const DIGEST: &str = "tallyline-digest:";

/// Stand in the place of a key in an address.
const ASKED_OF_ALL: [&str; 2] = ["resolve", "retry"];

/// Names an alert among its partner's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlertKey(String);

/// Why a text can't be a dedupe key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// Too short or too long, or not printable.
    #[error("must be 1 to {LONGEST_KEY} characters, none of them a control character")]
    Text,
    /// No address can carry it.
    #[error("must have no blank at either end, and not be . or ..")]
    Ends,
    /// It would name a digest, or stand in an address for something else than an alert.
    #[error("must not be {}, nor begin with {DIGEST}: these are names of Tallyline's own", ASKED_OF_ALL.join(" or "))]
    Reserved,
}

impl AlertKey {
    /// A key that was sent.
    ///
    /// # Errors
    /// It can't be one.
    pub fn sent(text: &str) -> Result<Self, InvalidKey> {
        let key = Self::named(text)?;
        if text.trim() != text || [".", ".."].contains(&text) {
            return Err(InvalidKey::Ends);
        }
        if key.is_digest() || ASKED_OF_ALL.contains(&text) { Err(InvalidKey::Reserved) } else { Ok(key) }
    }

    /// A key by which somebody asks, who may have it from us.
    ///
    /// # Errors
    /// It can't be one.
    pub fn named(text: &str) -> Result<Self, InvalidKey> {
        let is_ours = text.starts_with(DIGEST);
        let fits = !text.is_empty() && (is_ours || text.chars().count() <= LONGEST_KEY);
        if fits && !text.chars().any(char::is_control) { Ok(Self(text.to_owned())) } else { Err(InvalidKey::Text) }
    }

    /// The digest of an account's hour.
    #[must_use]
    pub fn of_digest(connection: &ConnectionId, account: &AccountId, hour: DigestHour) -> Self {
        Self(format!("{DIGEST}{hour}:{connection}:{account}"))
    }

    /// Whether it names a digest.
    #[must_use]
    pub fn is_digest(&self) -> bool {
        self.0.starts_with(DIGEST)
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AlertKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_short_printable_and_none_of_ours() {
        for good in ["a", "edr/acme#42 ä", &"ü".repeat(200)] {
            assert_eq!(AlertKey::sent(good).unwrap().as_str(), good);
        }
        for bad in [" a", "a ", ".", ".."] {
            assert_eq!(AlertKey::sent(bad), Err(InvalidKey::Ends), "{bad:?}");
        }
        for bad in ["", "a\nb", "a\u{7f}", "a\u{85}", &"x".repeat(201)] {
            assert_eq!(AlertKey::sent(bad), Err(InvalidKey::Text), "{bad:?}");
        }
        for ours in ["tallyline-digest:1", "retry", "resolve"] {
            assert_eq!(AlertKey::sent(ours), Err(InvalidKey::Reserved));
        }
    }

    #[test]
    fn a_digest_is_asked_for_by_its_name_and_never_sent() {
        let hour = DigestHour::of("2026-11-21T12:34:56Z".parse().unwrap());
        let key = AlertKey::of_digest(&"c1".parse().unwrap(), &"1001".parse().unwrap(), hour);
        assert_eq!(key.as_str(), "tallyline-digest:2026-11-21T12:c1:1001");
        assert_eq!(AlertKey::named(key.as_str()), Ok(key.clone()));
        assert!(key.is_digest() && AlertKey::sent(key.as_str()).is_err());
    }
}
