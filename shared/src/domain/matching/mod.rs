//! Which account of the PSA a company is likely to be: exact ids first, then equal names, then similar ones.
//!
//! Pure: companies and accounts in, suggestions with their evidence out. `name` takes names apart, `likeness` says how
//! alike two are, `index` finds the few accounts that are worth a look, `suggest` ranks them, `claims` gives each account to
//! one company. Nothing is applied here or by anybody who asks: a person, or a caller who takes only what is sure, makes
//! the mapping.

mod candidate;
mod claims;
mod index;
mod likeness;
mod name;
mod suggest;
mod words;

#[cfg(test)]
mod suggest_test;

pub use candidate::{Candidate, Evidence, EvidenceKind, Match};
pub use name::Name;
pub use suggest::{AccountToMatch, CompanyToMatch, KnownAccount, SURE, Suggestion, suggest};
