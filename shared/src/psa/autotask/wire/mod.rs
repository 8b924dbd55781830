//! The shapes of Autotask's answers, read tolerantly, and their conversion to ours.
//!
//! Autotask writes one and the same field as a number, a decimal or a text, leaves fields out of query rows, and sends
//! null or "" for nothing. So every field is [`Loose`], and what we can't do without is asked for by name: an answer that
//! lacks it is an error that names the row, never a guess. Field names: Autotask's REST metadata, in camel case.
//!
//! `loose` reads a field, `rows` names the rows and their fields, `ours` makes ours of them, `answers` reads what is no row.

mod answers;
mod loose;
mod ours;
mod rows;

pub(super) use answers::{EntityInformation, Fields, Page, Threshold};
pub(super) use loose::{Loose, id, parse};
pub(super) use ours::{ACTIVE, RECURRING_SERVICE};
pub(super) use rows::{
    AnyRow, BillingCodeRow, ChargeRow, CompanyRow, ContractRow, ContractServiceRow, CurrencyRow, InvoicedRow,
    PricedRow, ResourceRow, RoleRow, Row, ServiceRow, TicketNoteRow, TicketRow, UnitsRow, VendorRow,
};
