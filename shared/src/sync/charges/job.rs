//! What a job has to do about the charges of an account, as the planner writes it into the job's page.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::charge::{BillingDay, ChargeApproval, ChargeHistory, ChargeLine, Records, Terms};
use crate::domain::ids::ConnectionId;
use crate::domain::ids::{AccountId, BillingCodeId, CompanyId, ProductKey};
use crate::domain::money::Currency;
use crate::domain::period::Period;
use crate::domain::pricing::Markup;
use crate::domain::reason::Reason;
use crate::store::connections::Connection;
use crate::store::mappings::{ChargeMapping, CompanyMapping, Mapping};
use crate::store::{Condition, Key, StoreError, schema};

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
    /// The markup in its price.
    pub markup: Option<Markup>,
    /// Why nothing is to be written: only what an earlier write came to is to be seen.
    pub only_settled: Option<Reason>,
    /// What the connection's settings and mappings were that put its records here.
    pub put_here_by: PutHereBy,
    /// The charge's revision when the run was planned: a job that comes late finds a higher one.
    pub revision: u32,
}

/// By what records are put on a charge. Where any of it has changed since the run was planned, other charges may have them by
/// now: nothing is written then, and the next run decides anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sync) struct PutHereBy {
    pub billing_day: BillingDay,
    /// The charge mapping of the product.
    pub charges: (ProductKey, Version),
    /// The mappings of the companies.
    pub companies: Vec<(CompanyId, Version)>,
}

/// Which version of a mapping: one that was removed and made again begins anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sync) struct Version {
    pub number: u32,
    pub at: Timestamp,
}

impl Version {
    pub fn of<M: Mapping>(mapping: &M) -> Self {
        Self { number: mapping.version(), at: mapping.changed().0 }
    }

    fn holds(&self) -> Result<Condition, StoreError> {
        Condition::new("#version = :version AND #updated_at = :at").bind(":version", self.number)?.bind(":at", self.at)
    }
}

impl PutHereBy {
    /// Conditions that hold of the store's rows as long as nothing of it has changed.
    pub fn holds(&self, of: &Connection) -> Result<Vec<(Key, Condition)>, StoreError> {
        let (partner, connection) = (&of.partner, &of.id);
        let (product, version) = &self.charges;
        let mut holds = vec![(ChargeMapping::key(partner, connection, product), version.holds()?)];
        for (company, version) in &self.companies {
            holds.push((CompanyMapping::key(partner, connection, company), version.holds()?));
        }
        // The usual day is not stored.
        let usual = if self.billing_day == BillingDay::default() {
            "attribute_not_exists(#policy.#billing_day) OR "
        } else {
            ""
        };
        let day = Condition::new(format!("{usual}#policy.#billing_day = :day")).bind(":day", self.billing_day)?;
        holds.push((schema::connection(partner, connection), day));
        Ok(holds)
    }
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
