//! Findings: what a person must look at, and when one opens, stays, comes back or goes.
//!
//! A run notices; a finding remembers. The same thing noticed again is the same finding, a thing no longer noticed is gone,
//! and a person who has looked at one resolves it.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::ids::{AccountId, CompanyId, ContractId, ProductKey};
use super::line::LineKey;
use super::reason::Reason;
use super::units::Units;

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A line.
    Line(LineKey),
    /// A contract.
    Contract(ContractId),
}

/// Something that a run noticed. With the same subject and code it is the same finding, however often it is noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noticed {
    /// What it is about.
    pub subject: Subject,
    /// Code, explanation and repair step.
    pub reason: Reason,
    /// What a person who resolves it has seen, as text (`40>12`, a contract's end). While it stays the same, a resolved
    /// finding stays resolved; where it is `None`, the next run that notices the thing opens the finding again.
    pub about: Option<String>,
    /// The PSA account, where one is known.
    pub account: Option<AccountId>,
    /// The company of the line's first feed.
    pub company: Option<CompanyId>,
    /// Its name.
    pub company_name: String,
    /// The product of the line's first feed.
    pub product: Option<ProductKey>,
    /// Units found in the PSA.
    pub before: Option<Units>,
    /// Units that the line should carry.
    pub target: Option<Units>,
    /// The day from which the change in question counts.
    pub effective_date: Option<Date>,
}
