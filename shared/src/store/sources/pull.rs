//! A pull: how far it is, and how it ended.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{CompanyId, ProductKey};
use crate::sources::SourceError;

/// A pull that is going on. It is read in steps, each short enough for one invocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Going {
    /// The instant at which it was asked for, which names it.
    pub pull: Timestamp,
    /// The instant that its counts are true for: that at which its first step began.
    pub as_of: Timestamp,
    /// How often it was begun: a step that was cut short begins it anew.
    pub attempt: u32,
    /// The step that is to be done, or is being done, from 0.
    pub step: u32,
    /// Whether that step has begun.
    pub begun: bool,
    /// When the row was last written for it.
    pub moved_at: Timestamp,
    /// Companies up to this one are done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<CompanyId>,
    /// How many parts of each product's snapshot are stored, and whether all of them were whole.
    #[serde(default)]
    pub products: BTreeMap<ProductKey, Parts>,
    /// What the steps so far have come to.
    #[serde(default)]
    pub tally: Tally,
}

impl Going {
    /// Whether both are one pull, begun once.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        (self.pull, self.as_of, self.attempt) == (other.pull, other.as_of, other.attempt)
    }
}

/// A product's snapshot in the making.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// Parts that are stored.
    pub stored: u32,
    /// Whether a part was not whole.
    pub short: bool,
    /// Companies that are there and of which no count could be read.
    #[serde(default)]
    pub untold: BTreeSet<CompanyId>,
}

/// A company by its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = NamedCompany)]
pub struct Named {
    /// What it is called in mappings and usage.
    #[schema(value_type = String, example = "huntress:3001")]
    pub company: CompanyId,
    /// What the vendor calls it.
    pub company_name: String,
}

/// What some steps have come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Pages and single answers read.
    pub pages: u32,
    /// Customers that the vendor listed.
    pub companies: u64,
    /// Customers by the vendor's own count, where it tells one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Counts that were stored.
    pub counts: u64,
    /// Customers that could not be read while others were.
    pub unread: u32,
    /// Customers that nobody was asked about, for they are neither mapped nor were ever counted.
    #[serde(default)]
    pub unasked: u64,
    /// The first of them.
    #[serde(default)]
    pub unasked_first: Vec<Named>,
    /// The first thing that went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<SourceError>,
}

/// How a pull ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastPull {
    /// The instant at which it was asked for.
    pub pull: Timestamp,
    /// How.
    pub status: PullStatus,
    /// Whether every product's snapshot is complete: only then may every count be lowered.
    pub complete: bool,
    /// The instant that its counts are true for.
    pub as_of: Timestamp,
    /// When it ended.
    pub at: Timestamp,
    /// Products of which nobody was counted: what was known of them stays.
    #[serde(default)]
    pub nothing_of: Vec<ProductKey>,
    /// What it came to.
    pub tally: Tally,
}

/// How a pull ended, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PullStatus {
    /// All was read.
    Succeeded,
    /// Some was read: what it says can raise counts and lower none of what is not complete.
    Partial,
    /// Nothing was read.
    Failed,
}
