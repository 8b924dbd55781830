//! Errors of a PSA on two axes: what kind it is, and for a write, whether money may have moved.

use serde::{Deserialize, Serialize};

/// What kind of failure it is: decides the HTTP status, whether a run goes on, and who has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The credentials are refused, or lack a right.
    Auth,
    /// What was named does not exist, or is hidden from this user.
    NotFound,
    /// The PSA's rules refuse the content.
    Validation,
    /// Too many requests, by the PSA's count or by our own budget.
    RateLimited,
    /// No answer, or an answer that says "later".
    Unavailable,
    /// An answer that is not what the PSA's documentation promises.
    Protocol,
}

/// A failure, explained. Nothing in it comes from credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {explanation}")]
pub struct PsaError {
    /// What kind.
    pub kind: Kind,
    /// Stable name, `snake_case`: `psa_credentials_rejected`.
    pub code: String,
    /// What happened, in words for the partner.
    pub explanation: String,
    /// What to do about it.
    pub fix: String,
    /// The PSA's own words, trimmed of control characters and credentials, where it said something.
    pub said: Option<String>,
    /// Seconds that the PSA asks to wait before the next request, where it names a time.
    #[serde(default)]
    pub retry_after_s: Option<u32>,
}

/// The code of every refusal for lack of a right. The log-in itself was accepted then: more log-ins harm nobody.
pub const PERMISSION_MISSING: &str = "psa_permission_missing";

impl PsaError {
    /// A failure with fixed words, of which the PSA said nothing that is repeated.
    #[must_use]
    pub fn new(kind: Kind, code: &str, explanation: impl Into<String>, fix: &str) -> Self {
        Self {
            kind,
            code: code.to_owned(),
            explanation: explanation.into(),
            fix: fix.to_owned(),
            said: None,
            retry_after_s: None,
        }
    }

    /// Whether the PSA turned the log-in away: each further one brings the user nearer to being locked.
    #[must_use]
    pub fn refuses_log_in(&self) -> bool {
        self.kind == Kind::Auth && self.code != PERMISSION_MISSING
    }
}

/// Why a write did not succeed, and what that means for money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The request surely did not leave this machine. It may be sent again.
    #[error("not sent: {0}")]
    NotSent(PsaError),
    /// The PSA refused it and changed nothing.
    #[error("rejected: {0}")]
    Rejected(PsaError),
    /// Nobody knows: only reading the PSA can tell. It must not be sent again.
    #[error("unknown: {0}")]
    Unknown(PsaError),
}

impl WriteError {
    /// The failure itself.
    #[must_use]
    pub fn error(&self) -> &PsaError {
        match self {
            Self::NotSent(error) | Self::Rejected(error) | Self::Unknown(error) => error,
        }
    }
}
