//! Runs and what became of their lines.

use jiff::Timestamp;
use serde::Deserialize;
use shared::domain::line::LineResult;
use shared::store::runs::{Counts, Mode, RunCharges, RunMoney, RunState, Trigger};

/// One sync of a connection.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) connection_id: String,
    pub(crate) mode: Mode,
    pub(crate) trigger: Trigger,
    pub(crate) actor: String,
    pub(crate) reverses: Option<String>,
    pub(crate) approves: Option<String>,
    pub(crate) status: RunState,
    pub(crate) created_at: Timestamp,
    pub(crate) finished_at: Option<Timestamp>,
    pub(crate) lines: Counts,
    pub(crate) jobs: i64,
    pub(crate) jobs_left: i64,
    pub(crate) psa_requests: u32,
    pub(crate) writes: u32,
    pub(crate) money: RunMoney,
    pub(crate) charges: RunCharges,
    pub(crate) explanation: Option<String>,
    pub(crate) fix: Option<String>,
}

/// What became of a line.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Line {
    #[serde(flatten)]
    pub(crate) result: LineResult,
    pub(crate) difference: Option<i64>,
    pub(crate) approvable: bool,
}

/// A run that was asked for.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Started {
    pub(crate) run_id: String,
}

impl Run {
    /// Whether nothing changes about it any more.
    pub(crate) fn has_ended(&self) -> bool {
        !matches!(self.status, RunState::Queued | RunState::Running)
    }
}
