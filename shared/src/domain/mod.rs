//! The pure rules of billing sync: words, quantities, periods, counting, policy and the plan.
//!
//! Everything here is a function of its arguments. It names no AWS service, no HTTP, no clock and no environment (a test
//! holds it to that), so that each rule about money can be read, printed and tested alone. Reading the outside world and
//! acting on it belong to `psa`, `store` and `sync`.

#![cfg_attr(not(test), warn(clippy::float_arithmetic, clippy::as_conversions))]

pub mod alert;
pub mod amount;
pub mod breaker;
pub mod charge;
pub mod contract;
pub mod counting;
pub mod desired;
pub mod difference;
pub mod effective;
pub mod finding;
pub mod guard;
pub mod ids;
pub mod intent;
pub mod invoicing;
pub mod lifecycle;
pub mod line;
pub mod matching;
pub mod money;
pub mod period;
pub mod plan;
pub mod policy;
pub mod pricing;
pub mod provision;
pub mod reason;
pub mod reference;
pub mod repricing;
pub mod reversal;
pub mod rule;
pub mod schedule;
pub mod series;
pub mod ticketing;
pub mod timeline;
pub mod units;

#[cfg(test)]
mod calendar_test;
#[cfg(test)]
mod counting_test;
#[cfg(test)]
mod lifecycle_test;
#[cfg(test)]
mod purity_test;
