//! A line: the one thing whose units Tallyline sets. Its key, what we know of its past, and its result in a run.

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::ids::{AccountId, CompanyId, ConnectionId, ContractId, IntentKey, ProductKey, ServiceId, SnapshotId};
use super::money::{LineMoney, Money, UnitPrices};
use super::repricing::{Priced, Repricing, Step};
use super::units::{Delta, Units};

/// A contract's service. With its connection it is a line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LineKey {
    /// The contract.
    pub contract: ContractId,
    /// The catalogue service.
    pub service: ServiceId,
}

impl fmt::Display for LineKey {
    /// `contract:service`, the line's id on the wire.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.contract, self.service)
    }
}

/// What a line ended as in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineStatus {
    /// Written, and read back.
    Updated,
    /// The PSA already had it right.
    Unchanged,
    /// Would be written: this run is a preview, or the job is still to come.
    Planned,
    /// Waits for a person.
    Held,
    /// Nothing to do for now.
    Skipped,
    /// Can't be written until something is repaired.
    Failed,
    /// A write was sent and its outcome is not known yet.
    Unknown,
}

/// The units that we last knew the line to carry, because we wrote them or found them right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// How many.
    pub units: Units,
    /// From this day on.
    pub from: Date,
    /// How many feeds it was the sum of.
    #[serde(default)]
    pub feeds: u32,
}

/// What the ledger knows of a line before a run looks at it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LineHistory {
    /// The connection that writes the line; `None` before its first run.
    pub writer: Option<ConnectionId>,
    /// What we last confirmed.
    pub confirmed: Option<Confirmed>,
    /// Raised by every settled intent and every resolved finding, so that the same change can be made again on purpose.
    pub revision: u32,
    /// Days on which we adjusted the line, the recent ones.
    pub adjusted_on: BTreeSet<Date>,
    /// A write that is not settled yet.
    pub open: Option<IntentKey>,
    /// Units that a person took back, where no other change was made since: they are not set again without one.
    #[serde(default)]
    pub reversed: Option<Units>,
    /// What was confirmed before a person had it forgotten: the next write is no first one, and its guards are those of any.
    #[serde(default)]
    pub forgotten: Option<Confirmed>,
    /// What we last set of its prices.
    #[serde(default)]
    pub priced: Priced,
}

/// What one feed brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedQuantity {
    /// The company.
    pub company: CompanyId,
    /// The product.
    pub product: ProductKey,
    /// Its newest count.
    pub quantity: Units,
    /// The snapshot that the count came with.
    pub snapshot: SnapshotId,
}

/// A line's row in a run's results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LineResult {
    /// `contract:service`.
    pub line_id: String,
    /// The company of the first feed.
    #[schema(value_type = String)]
    pub company: CompanyId,
    /// Its name.
    pub company_name: String,
    /// The product of the first feed.
    #[schema(value_type = String)]
    pub product: ProductKey,
    /// The PSA account.
    #[schema(value_type = String)]
    pub account_id: AccountId,
    /// The contract.
    #[schema(value_type = String)]
    pub contract_id: ContractId,
    /// The service.
    #[schema(value_type = String)]
    pub service_id: ServiceId,
    /// Units found in the PSA, where they could be read.
    #[schema(value_type = Option<u32>)]
    pub before: Option<Units>,
    /// Units that the line should carry, where that is known.
    #[schema(value_type = Option<u32>)]
    pub target: Option<Units>,
    /// Units read back after a write.
    #[schema(value_type = Option<u32>)]
    pub after: Option<Units>,
    /// How the target came of the counts by the line's rule, in words, where it did.
    #[serde(default)]
    pub rule: Option<String>,
    /// The day from which a change counts. Of a held line the one from which it would count if it were let go now, as far as
    /// that can be told from what was read.
    #[schema(value_type = Option<String>, format = Date)]
    pub effective_date: Option<Date>,
    /// What became of it.
    pub status: LineStatus,
    /// Stable name of the reason; empty where all is well.
    pub code: String,
    /// What happened, in words.
    pub explanation: String,
    /// What to do about it; empty where nothing has to be done.
    pub fix: String,
    /// What each feed brought.
    #[schema(value_type = Vec<Object>)]
    pub feeds: Vec<FeedQuantity>,
    /// The day from which the change counts, or would, lies inside a billing period, so the PSA is expected to prorate it.
    #[serde(default)]
    pub prorated: bool,
    /// What the change comes to, where units are to change or wait to be changed and the PSA shows prices.
    #[serde(default)]
    pub money: Option<LineMoney>,
    /// What is changed of its prices, or waits to be.
    #[serde(default)]
    pub prices: Option<LinePrices>,
    /// Units that we last wrote or found right before this run, whoever changed them since.
    #[serde(default)]
    #[schema(value_type = Option<u32>)]
    pub last_confirmed: Option<Units>,
    /// The day from which those counted.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    pub last_confirmed_from: Option<Date>,
}

/// What becomes of a line's prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LinePrices {
    /// What a unit costs the partner; null where that is not changed.
    pub unit_cost: Option<LinePrice>,
    /// What the customer pays for one; null where that is not changed.
    pub unit_price: Option<LinePrice>,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LinePrice {
    /// What the PSA showed; null where it showed nothing.
    #[schema(value_type = Option<String>, example = "8.00")]
    pub before: Option<Money>,
    /// What it should be.
    #[schema(value_type = String, example = "8.40")]
    pub target: Money,
    /// Read back after a write.
    #[schema(value_type = Option<String>, example = "8.40")]
    pub after: Option<Money>,
}

impl From<Repricing> for LinePrices {
    fn from(Repricing { cost, price }: Repricing) -> Self {
        let of = |step: Option<Step>| step.map(|Step { before, target }| LinePrice { before, target, after: None });
        Self { unit_cost: of(cost), unit_price: of(price) }
    }
}

impl LinePrices {
    /// The change of prices that it tells of.
    #[must_use]
    pub fn repricing(&self) -> Repricing {
        let step = |of: Option<LinePrice>| of.map(|LinePrice { before, target, .. }| Step { before, target });
        Repricing { cost: step(self.unit_cost), price: step(self.unit_price) }
    }

    /// As made: the PSA shows what was sent.
    #[must_use]
    pub fn as_set(self) -> Self {
        let set = |of: Option<LinePrice>| of.map(|price| LinePrice { after: Some(price.target), ..price });
        Self { unit_cost: set(self.unit_cost), unit_price: set(self.unit_price) }
    }

    /// With what was read back.
    #[must_use]
    pub fn read_back(self, shown: &[UnitPrices]) -> Self {
        let after = |of: Option<LinePrice>, amount: fn(&UnitPrices) -> Option<Money>| {
            let found = |price: &LinePrice| shown.iter().map(amount).find(|amount| *amount == Some(price.target));
            of.map(|price| LinePrice { after: found(&price).unwrap_or_else(|| amount(shown.first()?)), ..price })
        };
        Self { unit_cost: after(self.unit_cost, |s| s.cost), unit_price: after(self.unit_price, |s| s.price) }
    }
}

impl LineResult {
    /// The line's key.
    #[must_use]
    pub fn key(&self) -> LineKey {
        LineKey { contract: self.contract_id.clone(), service: self.service_id.clone() }
    }

    /// What usage says: the newest counts, added up; `None` where the line was not counted.
    #[must_use]
    pub fn counted(&self) -> Option<u64> {
        self.target
            .filter(|_| !self.feeds.is_empty())
            .map(|_| self.feeds.iter().map(|feed| u64::from(feed.quantity.get())).sum())
    }

    /// Units that the line lacks, or that it carries too many of, where both numbers are known.
    #[must_use]
    pub fn difference(&self) -> Option<Delta> {
        Some(self.before?.delta_to(self.target?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lines_id_names_its_contract_and_its_service() {
        let line = LineKey { contract: "29680014".parse().unwrap(), service: "17".parse().unwrap() };
        assert_eq!(line.to_string(), "29680014:17");
    }
}
