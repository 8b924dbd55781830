//! The guarded HTTP client for hosts that users name, such as the Kaseya BMS host or the Dropsuite host of a partner, and
//! for the addresses of their webhooks (`outward`).
//!
//! `host` checks what was typed against the vendor's names; `address` and `resolver` see to it that a name leads to the
//! public internet and nowhere else, in the same look-up that the connection is then made to; `client`, `call` and
//! `answer` speak HTTP within limits; `error` says what went wrong in our words, never the host's. What an answer means,
//! how often a vendor may be called and what is repeated is left to each connector. Vendors whose hosts are fixed need
//! none of this.

mod address;
mod answer;
mod call;
mod client;
mod error;
mod host;
mod outward;
mod policy;
mod resolver;

#[cfg(test)]
mod address_test;
#[cfg(test)]
mod client_test;
#[cfg(test)]
mod host_test;
#[cfg(test)]
mod hostile_test;
#[cfg(test)]
mod outward_test;
#[cfg(test)]
mod resolver_test;
#[cfg(test)]
#[path = "spy_test.rs"]
mod spy;

pub use answer::Answer;
pub use call::Call;
pub use client::{Client, Settings};
pub use error::{HostFault, HttpError};
pub use host::{AllowList, CheckedHost, KASEYA_BMS};
pub use outward::{CheckedUrl, Outward, UrlFault};
