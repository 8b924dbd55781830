//! A run as callers see it.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::reason::Reason;
use shared::store::runs::{Counts, Mode, Run, RunCharges, RunMoney, RunState, Trigger};
use utoipa::ToSchema;

/// One sync of a connection.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Run)]
pub struct RunView {
    /// Its id; later runs sort after earlier ones.
    pub id: String,
    /// The connection.
    pub connection_id: String,
    /// Whether it writes.
    pub mode: Mode,
    /// What started it.
    pub trigger: Trigger,
    /// Who started it.
    pub actor: String,
    /// The run whose changes it takes back, where it is a reversal.
    pub reverses: Option<String>,
    /// The run of which it makes what a person approved, where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approves: Option<String>,
    /// How far it has come.
    pub status: RunState,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
    /// Lines by status, those that are decided.
    pub lines: Counts,
    /// Accounts with a change.
    pub jobs: i64,
    /// Those of them that are not done yet.
    pub jobs_left: i64,
    /// Requests made to the PSA.
    pub psa_requests: u32,
    /// Changes sent to the PSA.
    pub writes: u32,
    /// What its changes come to, a month, as they were planned.
    pub money: RunMoney,
    /// Its metered charges: how many ended as what, and what they come to.
    pub charges: RunCharges,
    /// Stable name of what failed it or cut it short.
    pub code: Option<String>,
    /// The same in words.
    pub explanation: Option<String>,
    /// What to do about it.
    pub fix: Option<String>,
}

impl From<Run> for RunView {
    fn from(run: Run) -> Self {
        let (code, explanation, fix) = match run.reason {
            Some(Reason { code, explanation, fix }) => (Some(code), Some(explanation), Some(fix)),
            None => (None, None, None),
        };
        Self {
            id: run.id.to_string(),
            connection_id: run.connection.to_string(),
            mode: run.mode,
            trigger: run.trigger,
            actor: run.actor,
            reverses: run.reverses.map(|reverses| reverses.run.to_string()),
            approves: run.approves.map(|approves| approves.to_string()),
            status: run.state,
            created_at: run.created_at,
            finished_at: run.finished_at,
            lines: run.counts,
            jobs: run.jobs,
            jobs_left: run.jobs_left,
            psa_requests: run.psa_requests,
            writes: run.writes,
            money: run.money,
            charges: run.charges,
            code,
            explanation,
            fix,
        }
    }
}

/// The run that was made.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Started {
    /// Its id.
    pub run_id: String,
}
