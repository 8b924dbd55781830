//! The numbers of Huntress: how often, and how many at once. All are the vendor's own.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// The window in which requests are counted.
pub(crate) const A_MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// The limits themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Requests of the whole account in any minute.
    pub requests_per_minute: u32,
    /// Rows a page when no limit is sent.
    pub default_page: usize,
    /// Rows a page at most; more is refused.
    pub largest_page: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { requests_per_minute: 60, default_page: 10, largest_page: 500 }
    }
}
