//! Our own name of a thing in a PSA: by it, and by nothing else, what stands there is known to be ours.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::intent::digest;

/// How each begins.
pub(in crate::domain) const PREFIX: &str = "TL-";
/// How many digits follow.
pub(in crate::domain) const HEX_DIGITS: usize = 24;

/// `TL-` and 24 hexadecimal digits of a digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference(String);

/// Why a text is no reference of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be TL- and 24 hexadecimal digits")]
pub struct NotOurs;

impl Reference {
    /// Follows from what it names: the same parts have the same one, for ever.
    pub(in crate::domain) fn of(parts: &[&str]) -> Self {
        let digest = digest(parts);
        Self(format!("{PREFIX}{}", digest.get(..HEX_DIGITS).unwrap_or(&digest)))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Reference {
    type Err = NotOurs;
    fn from_str(text: &str) -> Result<Self, NotOurs> {
        let digits = text.strip_prefix(PREFIX).ok_or(NotOurs)?;
        let hex = digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if hex && digits.len() == HEX_DIGITS { Ok(Self(text.to_owned())) } else { Err(NotOurs) }
    }
}

impl TryFrom<String> for Reference {
    type Error = NotOurs;
    fn try_from(text: String) -> Result<Self, NotOurs> {
        text.parse()
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.0
    }
}
