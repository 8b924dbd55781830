//! Connections.

use jiff::Timestamp;
use serde::Deserialize;
use shared::domain::policy::Policy;
use shared::domain::schedule::Schedule;
use shared::psa::Psa;
use shared::store::connections::Status;

/// A connection.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Connection {
    pub(crate) id: String,
    pub(crate) psa: Psa,
    pub(crate) tenant: String,
    pub(crate) name: String,
    pub(crate) time_zone: String,
    pub(crate) schedule: Schedule,
    pub(crate) policy: Policy,
    pub(crate) enabled: bool,
    pub(crate) status: Status,
    pub(crate) next_due_at: Option<Timestamp>,
    pub(crate) revoked_at: Option<Timestamp>,
    pub(crate) current_run: Option<String>,
    /// Told of one connection, not in lists.
    #[serde(default)]
    pub(crate) circuit: Option<Circuit>,
}

/// Requests to the PSA wait.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Circuit {
    pub(crate) explanation: String,
}

impl Connection {
    /// Whether it can be used at all.
    pub(crate) fn is_revoked(&self) -> bool {
        self.status == Status::Revoked
    }
}
