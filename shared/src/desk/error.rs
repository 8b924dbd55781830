//! Why an alert was not done. Its message comes again.

use crate::domain::reason::Reason;
use crate::faults::Struck;
use crate::psa::open::OpenError;
use crate::psa::{Kind, PsaError};
use crate::queue::QueueError;
use crate::secrets::SecretsError;
use crate::store::StoreError;
use crate::sync::reason_of;

/// What people do about what passes.
const AGAIN: &str = "Nothing: it is tried again by itself.";

/// Why an alert has to be looked at again.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The secrets.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The credentials of the connection can't be used.
    #[error("{0}")]
    Credentials(String),
    /// The PSA does not answer, or asks for room or for other credentials.
    #[error(transparent)]
    Psa(#[from] PsaError),
    /// A request may still be on its way.
    #[error("what became of a request is not known yet")]
    Unsettled,
    /// The store took so long to take a request down as sent that it was not sent.
    #[error("the store was too slow for a request to be sent")]
    Slow,
    /// Others kept changing it.
    #[error("an alert keeps moving")]
    Busy,
    /// A fault was injected.
    #[error(transparent)]
    Struck(#[from] Struck),
}

impl DeskError {
    /// What failed, in one word that alarms can tell apart.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Store(_) | Self::Slow => "Store",
            Self::Secrets(_) => "Secrets",
            Self::Queue(_) => "Queue",
            Self::Credentials(_) => "Credentials",
            Self::Psa(_) => "Psa",
            Self::Unsettled => "Unsettled",
            Self::Busy => "Busy",
            Self::Struck(_) => "Fault",
        }
    }

    /// What of it the partner is told: what is ours is in the log alone.
    pub(super) fn told(&self) -> Option<Reason> {
        match self {
            Self::Psa(error) => Some(match error.kind {
                Kind::RateLimited | Kind::Unavailable => Reason { fix: AGAIN.to_owned(), ..reason_of(error) },
                Kind::Auth | Kind::NotFound | Kind::Validation | Kind::Protocol => reason_of(error),
            }),
            Self::Credentials(explanation) => Some(Reason {
                code: "credentials_missing".to_owned(),
                explanation: explanation.clone(),
                fix: "Send the connection's credentials again.".to_owned(),
            }),
            _ => None,
        }
    }
}

impl From<OpenError> for DeskError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Store(error) => Self::Store(error),
            OpenError::Secrets(error) => Self::Secrets(error),
            error
            @ (OpenError::NotFound | OpenError::Revoked | OpenError::NoCredentials | OpenError::Unreadable(_)) => {
                Self::Credentials(error.to_string())
            }
        }
    }
}
