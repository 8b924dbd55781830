//! What a job has to do about the charges of an account, as the planner writes it into the job's page.

use serde::{Deserialize, Serialize};

use crate::domain::charge::{ChargeApproval, ChargeHistory, ChargeLine, Records, Terms};
use crate::domain::ids::ConnectionId;
use crate::domain::ids::{AccountId, BillingCodeId, CompanyId};
use crate::domain::money::Currency;
use crate::domain::period::Period;

/// One account's charges that need a look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sync) struct ChargesJob {
    pub account: AccountId,
    pub approval_needed: bool,
    pub charges: Vec<JobCharge>,
    /// Requests of the hour's allowance that it takes.
    pub cost: u32,
    /// Fingerprints of the findings that stand on its charges.
    #[serde(default)]
    pub findings: Vec<String>,
}

/// A charge with everything that a decision needs but what the PSA shows and the ledger's row, which the job reads itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sync) struct JobCharge {
    pub line: ChargeLine,
    pub label: Label,
    pub period: Period,
    pub wanted: Terms,
    pub records: Records,
    pub billing_code: Option<BillingCodeId>,
    pub approved: Option<ChargeApproval>,
    /// The charge's revision when the run was planned: a job that comes late finds a higher one.
    pub revision: u32,
}

/// Whose charge it is, in the words of the results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sync) struct Label {
    pub account: AccountId,
    pub company: CompanyId,
    pub company_name: String,
    pub currency: Option<Currency>,
}

impl JobCharge {
    /// What is known of it where nothing was written yet.
    pub fn unwritten(&self, writer: &ConnectionId) -> ChargeHistory {
        ChargeHistory::new(self.label.account.clone(), self.period.end, writer.clone())
    }
}
