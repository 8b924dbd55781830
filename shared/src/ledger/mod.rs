//! The record of every write to a PSA: what we were about to write, and what became of it.
//!
//! Autotask takes signed differences without an idempotency key, so a write may be sent once and never again on a guess.
//! The ledger makes that hold under repeated messages, two workers and a crash at any point:
//!
//! 1. a worker leases the account; each lease raises a fence, and every write here names it, so a late worker can't write;
//! 2. `intend` stores the intents and marks their lines in one transaction; a line has at most one open intent;
//! 3. `sent` is stored before the socket is touched;
//! 4. `settle` closes the intent and moves the line on, in one transaction, in which `settle_last` gives the lease back.
//!
//! Charges are written in the same way (`charges`); how a row goes forward stands once, in `forward`.
//!
//! Amounts never change once stored; only the state goes forward. What the ledger does not guarantee: that an outcome is
//! ever known. An intent whose outcome nobody can tell stays open and is shown to a person,
//! who may give it up (`reopen`): then it is kept as rejected, never as applied.

mod charges;
mod forward;
mod history;
mod intents;
mod lease;
mod provision;
mod reopen;
mod settle;

pub use charges::{ChargeIntent, ChargeOutcome, PlannedCharge};
pub use intents::{IntendError, Intent, Ledger};
pub use lease::{LEASE_TERM, Lease, LeaseHolder};
pub use provision::{Making, Thing};
pub use reopen::{LookedAt, RESOLVED_BY_PERSON, Reopened};
pub use settle::{Outcome, Settled, SettledLast};
