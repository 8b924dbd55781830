//! Connections.

use jiff::Timestamp;
use serde::Deserialize;
use shared::domain::invoicing::InvoiceDay;
use shared::domain::policy::{Approval, Policy};
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
    pub(crate) invoice: Option<InvoiceDay>,
    pub(crate) policy: Policy,
    pub(crate) enabled: bool,
    pub(crate) status: Status,
    pub(crate) next_due_at: Option<Timestamp>,
    pub(crate) revoked_at: Option<Timestamp>,
    pub(crate) current_run: Option<String>,
    pub(crate) first_run_approved_at: Option<Timestamp>,
    /// Settings that a newer version has stored.
    #[serde(default)]
    pub(crate) not_understood: Vec<String>,
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

    /// Whether changes wait until a person has approved all of one run.
    pub(crate) fn first_run_waits(&self) -> bool {
        self.policy.approval == Approval::FirstRun && self.first_run_approved_at.is_none()
    }
}

/// How much is mapped.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Mapped {
    pub(crate) products: u64,
    pub(crate) charges: u64,
    pub(crate) companies: u64,
}

/// What a test found.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Tested {
    pub(crate) ok: bool,
    pub(crate) rights: Vec<Right>,
    pub(crate) explanation: Option<String>,
    pub(crate) fix: Option<String>,
}

/// Something that a sync does in the PSA, and whether the user may.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Right {
    pub(crate) name: String,
    pub(crate) held: bool,
    pub(crate) explanation: Option<String>,
}
