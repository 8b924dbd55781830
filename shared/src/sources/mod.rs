//! Usage sources that are pulled: vendors' APIs that tell how much of what each customer has.
//!
//! A source reads and decides nothing. What it must never do is take silence for nothing: a customer that is not listed, a
//! customer of which the vendor tells no count of something, a count of zero and a failure are four different things. Whether
//! a list was read to its end is the affair of `walk` alone, and how fast a vendor is asked that of `pace`. Storing what was
//! read, and when to read it, is `pulling`'s.

mod api;
mod datto_rmm;
mod dropsuite;
mod error;
mod huntress;
mod jumpcloud;
mod microsoft;
mod oauth;
mod pace;
mod pax8;
mod walk;

use std::collections::BTreeSet;
use std::fmt;

use async_trait::async_trait;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use api::Api;
pub use error::SourceError;
pub use pace::{Limit, Pace};
pub use walk::{Step, Walk};

use crate::domain::amount::Amount;
use crate::domain::ids::{AccountId, CompanyId};
use crate::domain::money::Currency;
use crate::domain::units::Units;

/// What a vendor counts, in our name for it: `billable_agents`. Each source's README lists its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metric(String);

impl Metric {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Metric {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A customer as the vendor lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The vendor's id of it: our company.
    pub company: CompanyId,
    /// Its name, for people.
    pub name: String,
    /// Its account in the PSA, where the vendor knows.
    pub account_id: Option<AccountId>,
}

/// One customer's count of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The customer.
    pub company: CompanyId,
    /// What is counted.
    pub metric: Metric,
    /// How many, zero included.
    pub quantity: Units,
    /// What one costs the partner, where the vendor tells.
    pub unit_cost: Option<Amount>,
    /// The currency of that.
    pub currency: Option<Currency>,
    /// So many are owed until that day, whatever is counted.
    pub committed: Option<(Units, Date)>,
}

/// What a pull is to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The metrics that are mapped to products: nothing is asked for any other.
    pub metrics: BTreeSet<Metric>,
    /// Customers whose details are read one by one, where a list does not tell a metric; of all where it is `None`.
    pub companies: Option<BTreeSet<CompanyId>>,
}

impl Row {
    /// A count of which nothing else is known.
    #[must_use]
    pub fn of(company: CompanyId, metric: &str, quantity: Units) -> Self {
        Self { company, metric: metric.into(), quantity, unit_cost: None, currency: None, committed: None }
    }
}

/// What a pull has read. What is in it is true whatever became of the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pulled {
    /// Every customer that was listed.
    pub customers: Vec<Customer>,
    /// What was counted.
    pub rows: Vec<Row>,
    /// Pages and single answers read.
    pub pages: u32,
    /// Metrics of which every listed customer was asked: what has no row of these has none. Empty where the list of
    /// customers was not read to its end.
    pub whole: BTreeSet<Metric>,
    /// Why it is not all; `None` where it is.
    pub stopped: Option<SourceError>,
}

/// What a test has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// How many customers there are, where the vendor tells at once.
    pub customers: Option<u64>,
}

/// A vendor's API, opened with a partner's credentials.
#[async_trait]
pub trait Source: Send + Sync {
    /// Exercises the very right that a count needs: some vendors let any key reach their status page.
    async fn test(&self) -> Result<Seen, SourceError>;

    /// Reads what each customer has now.
    async fn pull(&self, wanted: &Wanted) -> Pulled;
}
