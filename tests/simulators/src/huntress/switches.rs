//! Every behaviour of Huntress that nobody has confirmed in public, and one that nobody hopes for, as a switch.
//!
//! All of them can be read and changed while the simulator runs, also over HTTP (`/__sim/switches`).

use serde::{Deserialize, Serialize};

/// The behaviours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// Whether a page that was asked for by a token names that token as the next one's, for ever.
    pub repeats_token: bool,
    /// Whether `actual_usages` is left out of the answer about an organization. The specification restricts it to no key,
    /// and promises it to none.
    pub leaves_usages_out: bool,
    /// Seconds in `Retry-After` of a 429; no such header is documented.
    pub retry_after_s: Option<u32>,
}
