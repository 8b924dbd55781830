//! The numbers of a vendor, and its behaviours that nobody hopes for or has confirmed.
//!
//! All of them can be read and changed while the simulator runs, also over HTTP (`/__sim/limits`, `/__sim/switches`).

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::Shown;

/// How often, and how many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Requests of everybody together in any window; none where there is no limit.
    pub requests: Option<u32>,
    /// The length of that window, in seconds.
    pub window_s: u32,
    /// Rows a page when nobody says how many.
    pub default_page: usize,
    /// Rows a page at most.
    pub largest_page: usize,
}

impl Limits {
    pub(crate) fn window(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.window_s))
    }
}

/// The behaviours.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, bound = "")]
pub struct Switches<O: Shown + Default> {
    /// Whether a list never ends: a page that was asked for by a token names that token as the next one's for ever, and one
    /// that was asked for by its number or an offset is the same whatever was asked for.
    pub repeats_token: bool,
    /// Seconds in `Retry-After` of a 429 of the limit; no such header if there are none.
    pub retry_after_s: Option<u32>,
    /// Those of the vendor alone.
    #[serde(flatten)]
    pub own: O,
}

/// A vendor has no behaviours that are its alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nothing {}
