//! What a company job has to do, as the planner writes it into the job's page.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::contract::Contract;
use crate::domain::desired::Desired;
use crate::domain::ids::{AccountId, CompanyId, ProductKey};
use crate::domain::line::LineKey;
use crate::domain::plan::Approval;

/// One account's lines that need a look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Job {
    pub account: AccountId,
    pub approval_needed: bool,
    /// The partner's day on which it was planned. What a line should carry belongs to a period and a month.
    pub planned_on: Date,
    pub lines: Vec<JobLine>,
}

/// A line with everything that a decision needs but the PSA's units and the ledger's row, which the job reads itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct JobLine {
    pub key: LineKey,
    pub label: Label,
    pub contract: Contract,
    pub desired: Desired,
    pub approved: Option<Approval>,
    /// The line's revision when the run was planned: a job that comes late finds a higher one.
    pub revision: u32,
}

/// Whose line it is, in the words of the results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Label {
    pub account: AccountId,
    pub company: CompanyId,
    pub company_name: String,
    pub product: ProductKey,
}
