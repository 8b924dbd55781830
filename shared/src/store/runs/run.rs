//! What a run is: its header, its pages of results, and how it ends.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::charge::{ChargeApproval, ChargeResult, ChargeSum, changes};
use crate::domain::finding::Noticed;
use crate::domain::ids::{CompanyId, ConnectionId, PartnerId, ProductKey, RunId};
use crate::domain::line::{LineResult, LineStatus};
use crate::domain::money::{LineMoney, Sum};
use crate::domain::plan::Approval;
use crate::domain::reason::{Code, Reason};

use super::sums::{Counts, RunCharges, RunMoney};

/// What started a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The connection's schedule.
    Schedule,
    /// A person or program over HTTP.
    Manual,
    /// A direct invocation of the function.
    Invoke,
}

/// Whether a run writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Shows what it would do.
    Preview,
    /// Does it.
    Apply,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Not begun.
    Queued,
    /// Reading, planning, or company jobs at work.
    Running,
    /// Every line is as it should be, or waits for a person by rule.
    Succeeded,
    /// Some lines failed, are unknown, or were not reached.
    Partial,
    /// Nothing could be done.
    Failed,
}

/// A run's header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its id; later runs sort after earlier ones.
    pub id: RunId,
    /// The tenant.
    pub partner: PartnerId,
    /// The connection.
    pub connection: ConnectionId,
    /// Whether it writes.
    pub mode: Mode,
    /// What started it.
    pub trigger: Trigger,
    /// Who started it: a token's subject, or `schedule`.
    pub actor: String,
    /// Only these companies' lines; empty for all.
    #[serde(default)]
    pub companies: Vec<CompanyId>,
    /// Changes that a person approved.
    #[serde(default)]
    pub approved: Vec<Approved>,
    /// Charges that a person approved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approved_charges: Vec<ApprovedCharge>,
    /// The run whose held or planned changes were approved.
    #[serde(default)]
    pub approves: Option<RunId>,
    /// The run whose changes it takes back.
    #[serde(default)]
    pub reverses: Option<Reverses>,
    /// How far it has come.
    pub state: RunState,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Until when a fan-out may be at work on it, in seconds since 1970: after that another one may begin again.
    #[serde(default)]
    pub planning_until: i64,
    /// Every line has been decided or handed to a job.
    #[serde(default)]
    pub planned: bool,
    /// Company jobs that have not ended.
    #[serde(default)]
    pub jobs_left: i64,
    /// Company jobs in all.
    #[serde(default)]
    pub jobs: i64,
    /// Lines by status, for those that are decided.
    #[serde(default)]
    pub counts: Counts,
    /// Requests made to the PSA.
    #[serde(default)]
    pub psa_requests: u32,
    /// Changes sent to the PSA.
    #[serde(default)]
    pub writes: u32,
    /// When it ended.
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
    /// What its changes come to, as they were planned.
    #[serde(default)]
    pub money: RunMoney,
    /// Its metered charges: those that are decided, and all of them once it has ended.
    #[serde(default)]
    pub charges: RunCharges,
    /// Why it failed, or what cut it short.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// A charge that a person approved, as it was planned and no other way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovedCharge {
    /// Its id, as results name it.
    pub charge_id: String,
    /// What was approved.
    pub approval: ChargeApproval,
}

/// A change that a person approved: this one and no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    /// `contract:service`.
    pub line_id: String,
    /// What was approved.
    pub approval: Approval,
    /// The company of the line's first feed, for whoever looks for what was approved of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<CompanyId>,
    /// The product of the line's first feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<ProductKey>,
}

/// What a run takes back: the changes of another run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reverses {
    /// That run.
    pub run: RunId,
    /// Only its lines with these ids, `contract:service`; empty for all.
    #[serde(default)]
    pub lines: Vec<String>,
}

/// One page of a run's results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultPage {
    /// Whether these lines are decided; `false` while a company job is still to come.
    pub done: bool,
    /// The lines.
    #[serde(with = "super::text")]
    pub lines: Vec<LineResult>,
    /// What the company job has to do, as JSON, where the page belongs to one.
    #[serde(default)]
    pub job: Option<String>,
    /// What the changes of a company job come to, as they were planned. It stays when the page is closed.
    #[serde(default)]
    pub planned: Vec<Sum>,
    /// Metered charges: a page has these or lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<ChargeResult>,
    /// As `planned`, of charges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub planned_charges: Vec<ChargeSum>,
}

impl ResultPage {
    /// A page of lines that were decided at once.
    #[must_use]
    pub fn of_lines(lines: Vec<LineResult>) -> Self {
        let (planned, charges, planned_charges) = Default::default();
        Self { done: true, lines, job: None, planned, charges, planned_charges }
    }

    /// A page of charges that were decided at once.
    #[must_use]
    pub fn of_charges(charges: Vec<ChargeResult>) -> Self {
        Self { charges, ..Self::of_lines(Vec::new()) }
    }

    /// The page of a job that has to do with charges.
    #[must_use]
    pub fn of_charges_job(charges: Vec<ChargeResult>, job: String) -> Self {
        let planned_charges = changes(&charges, LineStatus::Planned);
        Self { done: false, job: Some(job), planned_charges, ..Self::of_charges(charges) }
    }
}

/// What an earlier planner of the same run has handed to company jobs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HandedOn {
    /// The ids of the lines and charges.
    pub lines: BTreeSet<String>,
    /// What the lines' changes come to, as that planner planned them.
    pub planned: Vec<Sum>,
    /// What those of charges come to.
    pub planned_charges: Vec<ChargeSum>,
}

/// Something that a run noticed besides what its lines say: usage that is billed nowhere, a contract that ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// What.
    pub noticed: Noticed,
    /// What is at stake in money, where that is known: positive what is not billed, negative what is billed without usage.
    #[serde(default)]
    pub money: Option<LineMoney>,
}

impl Gap {
    /// What a finding remembers of it.
    #[must_use]
    pub fn with_money(&self) -> Noticed {
        Noticed { money: self.money.clone(), ..self.noticed.clone() }
    }

    /// Whether every run of all lines comes across it, so that one which does not has shown it to be gone. Prices are read
    /// where something changes, and only then are costs seen to be hidden.
    #[must_use]
    pub fn is_found_each_time(&self) -> bool {
        self.noticed.reason.code != Code::CostsHidden.as_str()
    }
}

impl From<Noticed> for Gap {
    fn from(noticed: Noticed) -> Self {
        Self { noticed, money: None }
    }
}

/// One page of what a run noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapPage {
    /// In the order in which it was noticed.
    pub gaps: Vec<Gap>,
}

/// What a company job brought, apart from its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effort {
    /// Requests made to the PSA.
    pub psa_requests: u32,
    /// Changes sent.
    pub writes: u32,
}

/// How the planning of a run ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Planned {
    /// What it cost.
    pub effort: Effort,
    /// The lines that were decided at once.
    pub counts: Counts,
    /// What its changes come to.
    pub worth: RunMoney,
    /// Its metered charges.
    pub charges: RunCharges,
    /// Why it failed or was cut short, if it was.
    pub reason: Option<Reason>,
}

impl Run {
    /// Whether it decides every line of its connection, and so takes over from the runs before it.
    #[must_use]
    pub fn is_of_all_lines(&self) -> bool {
        self.companies.is_empty() && !self.is_approved() && self.reverses.is_none()
    }

    /// Whether a person approved what it is to do, line by line or charge by charge.
    #[must_use]
    pub fn is_approved(&self) -> bool {
        !self.approved.is_empty() || !self.approved_charges.is_empty()
    }

    /// How a run ends that has come to its end.
    pub(super) fn outcome(&self) -> RunState {
        let counts = self.counts.and(self.charges.counts);
        let Counts { failed, unknown, .. } = counts;
        let decided: u32 = counts.named().values().sum();
        match &self.reason {
            Some(_) if decided == 0 => RunState::Failed,
            Some(_) => RunState::Partial,
            None if failed + unknown > 0 => RunState::Partial,
            None => RunState::Succeeded,
        }
    }
}
