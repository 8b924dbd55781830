//! Usage.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use shared::domain::ids::SnapshotId;
use shared::domain::series;
use shared::domain::units::Units;

/// A count of a company and a product.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Count {
    pub(crate) company: String,
    pub(crate) company_name: Option<String>,
    pub(crate) quantity: Units,
    pub(crate) as_of: Timestamp,
    pub(crate) complete: bool,
    pub(crate) snapshot_id: SnapshotId,
}

impl From<Count> for series::Count {
    fn from(count: Count) -> Self {
        Self { as_of: count.as_of, units: count.quantity, complete: count.complete, snapshot: count.snapshot_id }
    }
}

/// A product that was counted by a complete snapshot.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Counted {
    pub(crate) product: String,
    pub(crate) as_of: Timestamp,
    pub(crate) snapshot_id: String,
    pub(crate) source: Option<String>,
}

/// A product's counts, added up over all companies.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Totals {
    pub(crate) days: Vec<Day>,
    pub(crate) all_companies: bool,
}

/// What was so at the end of a day.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Day {
    pub(crate) date: Date,
    pub(crate) quantity: u64,
    pub(crate) companies: u32,
    pub(crate) counted: u32,
}
