//! Usage sources that are pulled: vendors' APIs that tell how much of what each customer has.
//!
//! A source reads and decides nothing. What it must never do is take silence for nothing: a customer that is not listed, a
//! customer of which the vendor tells no count of something, a count of zero and a failure are four different things. Whether
//! a list was read to its end is the affair of `walk` alone, and how fast a vendor is asked that of `pace`. Storing what was
//! read, and when to read it, is `pulling`'s.

mod api;
mod commitments;
mod datto_rmm;
mod dropsuite;
mod error;
mod filters;
mod huntress;
mod jumpcloud;
mod microsoft;
mod naming;
mod oauth;
mod pace;
mod pax8;
pub mod registry;
mod tally;
#[cfg(test)]
mod test_host;
mod walk;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use api::Api;
pub use error::SourceError;
pub use filters::{Filter, Filters};
pub use pace::{Limit, Pace};
pub use registry::{SourceCredentials, Vendor};
pub use tally::Tally;
pub use walk::{Step, Twice, Walk};

use crate::domain::amount::Amount;
use crate::domain::ids::{AccountId, CompanyId};
use crate::domain::money::Currency;
use crate::domain::units::Units;
use crate::psa::{Kind, Psa};

/// So many customers that a vendor can't tell of are left out; after them it is the vendor's own failure.
const DOWN_FOR_ALL: usize = 10;
/// The longest name of a metric, in bytes.
const LONGEST_METRIC: usize = 200;

/// What a vendor counts, in our name for it: `billable_agents`. Each source's README lists its own. Some are of one thing among
/// many, which is named behind a colon: `licenses:CFQ7TTC0LFLX/0001`.
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

impl FromStr for Metric {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let is_named = !name.is_empty() && name.trim() == name && !name.chars().any(char::is_control);
        if is_named && name.len() <= LONGEST_METRIC { Ok(Self(name.to_owned())) } else { Err("is no name of a metric") }
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
    /// Its account in a PSA of that kind, where the vendor knows.
    pub account: Option<(Psa, AccountId)>,
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
    /// What one costs the partner a month, where the vendor tells. The cost of a longer term is divided exactly or left out.
    pub unit_cost: Option<Amount>,
    /// The currency of that.
    pub currency: Option<Currency>,
    /// So many are owed until that day, the day included, whatever is counted.
    pub committed: Option<(Units, Date)>,
}

/// What a pull is to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The metrics that are mapped to products: nothing is asked for any other.
    pub metrics: BTreeSet<Metric>,
    /// Customers whose details are read one by one, where a list does not tell a metric; of all where it is `None`.
    pub companies: Option<BTreeSet<CompanyId>>,
    /// What is counted besides the usual, or is not counted.
    pub filters: Filters,
}

impl Wanted {
    /// Whether the details of `company` are to be read.
    #[must_use]
    pub fn has(&self, company: &CompanyId) -> bool {
        self.companies.as_ref().is_none_or(|wanted| wanted.contains(company))
    }
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
    /// How many customers there are by the vendor's own count, where it tells one.
    pub total: Option<u64>,
    /// Metrics of which every listed customer has told, or every one that was wanted where a request each is needed: who has no
    /// row of these has none. A metric of which the vendor left out one customer's number is not among them, and none is
    /// where the list of customers was not read to its end.
    pub whole: BTreeSet<Metric>,
    /// Customers that could not be read while the others were, and why.
    pub unread: Vec<(CompanyId, SourceError)>,
    /// Why the reading ended before its end; `None` where it did not.
    pub stopped: Option<SourceError>,
}

impl Pulled {
    /// Notes that `company` could not be read, and why the first time, so that the others can be.
    ///
    /// # Errors
    /// `error`, where it keeps from reading the others too: a vendor that is down for so many is down for all.
    fn leave_out(&mut self, company: &CompanyId, error: SourceError) -> Result<(), SourceError> {
        let is_down = |error: &SourceError| error.kind == Kind::Unavailable;
        let down_for = self.unread.iter().filter(|(_, earlier)| is_down(earlier)).count();
        if !error.is_of_one() || (is_down(&error) && down_for >= DOWN_FOR_ALL) {
            return Err(error);
        }
        if self.unread.iter().all(|(noted, _)| noted != company) {
            self.unread.push((company.clone(), error));
        }
        Ok(())
    }
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

    /// Whether some of `metrics` cost a request for each customer, so that a pull of many takes long.
    fn asks_each(&self, metrics: &BTreeSet<Metric>) -> bool;

    /// Reads what each customer has now.
    async fn pull(&self, wanted: &Wanted) -> Pulled;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendor_that_is_down_for_many_customers_is_down_for_all() {
        let mut pulled = Pulled::default();
        let mut left_out = |number: usize, status| {
            let error = SourceError::of_status("The vendor", status, None);
            pulled.leave_out(&number.to_string().parse().unwrap(), error).is_ok()
        };
        assert!((0..DOWN_FOR_ALL).all(|number| left_out(number, 503)));
        assert!(!left_out(100, 503));
        assert!(
            (101..200).all(|number| left_out(number, 404)),
            "customers that went meanwhile are not the vendor's failure"
        );
    }
}
