//! What every Tallyline function shares.
//!
//! `domain` decides and is pure; `psa`, `sources`, `store`, `secrets`, `queue` and `events` are the outside world behind small traits;
//! `ledger` keeps the record of every write; `sync` walks from usage to a settled line, `desk` from an alert to its ticket; `api` is what the HTTP functions
//! have in common; `http` calls hosts that users name; `telemetry` is what operators see, `faults` names the places at
//! which a test may interrupt. ARCHITECTURE.md walks through them.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod api;
pub mod aws;
pub mod clock;
pub mod desk;
pub mod domain;
pub mod events;
pub mod faults;
pub mod history;
pub mod http;
pub mod ledger;
pub mod pause;
pub mod psa;
pub mod pulling;
pub mod queue;
pub mod secrets;
pub mod sources;
pub mod store;
pub mod sync;
pub mod telemetry;
pub mod webhooks;
