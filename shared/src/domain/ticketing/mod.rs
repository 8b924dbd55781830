//! What a partner says of its tickets: which fields of the PSA's form are filled with what, for which alerts.
//!
//! `form` is what a PSA asks for, `mapping` what the partner answers, `check` whether the one fits the other. Which ticket an
//! alert comes to is `desk`'s affair, and how a field is sent is a connector's.

mod check;
mod form;
mod mapping;

#[cfg(test)]
mod check_test;

pub use check::MappingFault;
pub use form::{FieldRule, FieldValue, TicketField, TicketForm};
pub use mapping::{Filled, OnResolve, TicketMapping};
