//! Usage sources.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use shared::domain::schedule::Schedule;
use shared::sources::{Filters, Vendor};
use shared::store::sources::PullStatus;

/// Those that are set up, and the vendors that could be.
#[derive(Debug, Deserialize)]
pub(crate) struct Sources {
    pub(crate) items: Vec<Source>,
    pub(crate) available: Vec<Available>,
}

/// A source that is set up.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Source {
    pub(crate) source: Vendor,
    pub(crate) products: BTreeMap<String, String>,
    pub(crate) filters: Filters,
    pub(crate) schedule: Option<Schedule>,
    pub(crate) time_zone: String,
    pub(crate) next_due_at: Timestamp,
    pub(crate) going: Option<Going>,
    pub(crate) last_pull: Option<LastPull>,
}

/// A vendor that is not set up.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Available {
    pub(crate) source: Vendor,
}

/// A pull that is going on.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Going {
    pub(crate) since: Timestamp,
    pub(crate) step: u32,
}

/// How the last pull ended.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LastPull {
    pub(crate) pull: Timestamp,
    pub(crate) status: PullStatus,
    pub(crate) complete: bool,
    pub(crate) pages: u32,
    pub(crate) companies: u64,
    pub(crate) total: Option<u64>,
    pub(crate) counts: u64,
    pub(crate) nothing_of: Vec<String>,
    pub(crate) unread: u32,
    pub(crate) not_asked: NotAsked,
    pub(crate) at: Timestamp,
    pub(crate) as_of: Timestamp,
    pub(crate) explanation: Option<String>,
    pub(crate) fix: Option<String>,
}

/// Customers that nobody asked the vendor about.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct NotAsked {
    pub(crate) companies: u64,
    pub(crate) first: Vec<Named>,
}

/// A customer of the vendor.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Named {
    pub(crate) company: String,
    pub(crate) company_name: String,
}

/// A pull that was asked for.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Asked {
    pub(crate) pull: Timestamp,
}
