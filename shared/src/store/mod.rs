//! State: one DynamoDB table, one file here per aggregate. The engine behind the client is AWS or the embedded one; the
//! code is the same.
//!
//! [`Table`] is the only place that builds requests. Its writes carry a condition; one without says why where it is made.
//! Reads that gate a write are consistent. There is no scan: every question has a key, and `schema` lists them all.

pub mod alerts;
mod batches;
pub mod breakers;
pub mod budgets;
pub mod charge_lines;
pub mod charges;
mod condition;
pub mod connections;
pub mod definition;
pub mod digests;
pub mod findings;
pub mod idempotency;
pub mod journal;
pub mod lines;
pub mod mappings;
mod newer;
pub mod notes;
pub mod runs;
pub mod schema;
pub mod sessions;
mod several;
pub mod sources;
mod table;
pub mod ticket_forms;
mod transaction;
pub mod usage;
pub mod webhooks;

use crate::faults::Struck;
pub use condition::Condition;
pub use newer::{Newer, UnreadableRow};
pub use schema::Key;
pub use several::Found;
pub use table::{DuePosition, Page, Read, Rows, Table};
pub use transaction::Write;

/// The store did not do what was asked. A refused condition is no error: it is an answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No answer, throttled, or a fault of the service. Nothing is known about a write.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// A row that this version can't read.
    #[error("a stored row can't be read: {0}")]
    Unreadable(UnreadableRow),
    /// What is stored, or to be stored, contradicts itself.
    #[error("a stored row can't be read: {0}")]
    Corrupt(String),
    /// The item or request is larger than the store takes.
    #[error("too large for the store: {0}")]
    TooLarge(String),
}

impl From<Struck> for StoreError {
    fn from(struck: Struck) -> Self {
        Self::Unavailable(struck.to_string())
    }
}
