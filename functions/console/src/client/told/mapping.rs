//! Mappings, what may be mapped, and what the PSA's catalogue has for it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use shared::domain::period::PeriodType;
use shared::store::mappings::CompanyMapping;
use shared::store::runs::Counts;

/// A page of companies, mapped or not.
#[derive(Debug, Deserialize)]
pub(crate) struct KnownCompanies {
    pub(crate) items: Vec<KnownCompany>,
    pub(crate) next_cursor: Option<String>,
    pub(crate) mapped: u64,
    pub(crate) not_mapped: u64,
    pub(crate) mapped_elsewhere: u64,
    pub(crate) products: Vec<KnownProduct>,
}

/// A company that is mapped or has usage.
#[derive(Debug, Deserialize)]
pub(crate) struct KnownCompany {
    pub(crate) company: String,
    pub(crate) company_name: Option<String>,
    pub(crate) products: BTreeSet<String>,
    pub(crate) account_id: Option<String>,
    pub(crate) contract_id: Option<String>,
    pub(crate) mapped_on: Option<String>,
    pub(crate) last_sync: Option<LastSync>,
}

/// A product that companies have usage of.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct KnownProduct {
    pub(crate) product: String,
    pub(crate) companies: u64,
    pub(crate) mapped: u64,
}

/// What a company's newest sync came to.
#[derive(Debug, Deserialize)]
pub(crate) struct LastSync {
    pub(crate) run_id: String,
    pub(crate) at: Timestamp,
    pub(crate) lines: Counts,
}

/// A company's mapping, and how its lines fare.
#[derive(Debug, Deserialize)]
pub(crate) struct MappedCompany {
    #[serde(flatten)]
    pub(crate) mapping: CompanyMapping,
    pub(crate) last_sync: Option<LastSync>,
}

/// A page of suggestions.
#[derive(Debug, Deserialize)]
pub(crate) struct Suggestions {
    pub(crate) items: Vec<Suggestion>,
    pub(crate) next_cursor: Option<String>,
    pub(crate) sure: u64,
}

/// A company that is not mapped, and the account that it is likely to be.
#[derive(Debug, Deserialize)]
pub(crate) struct Suggestion {
    pub(crate) company: String,
    pub(crate) company_name: Option<String>,
    pub(crate) products: Vec<String>,
    pub(crate) account_id: Option<String>,
    pub(crate) account_name: Option<String>,
    pub(crate) sure: bool,
    pub(crate) mapped_on: Option<String>,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) contract_id: Option<String>,
    pub(crate) alternatives: Vec<Alternative>,
}

/// What speaks for an account or against it, in words.
#[derive(Debug, Deserialize)]
pub(crate) struct Evidence {
    pub(crate) detail: String,
}

/// Another account that it may be.
#[derive(Debug, Deserialize)]
pub(crate) struct Alternative {
    pub(crate) account_id: String,
    pub(crate) account_name: String,
    pub(crate) evidence: Vec<Evidence>,
}

/// An account or a service of the PSA.
#[derive(Debug, Deserialize)]
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// How the PSA accounts for charges.
#[derive(Debug, Deserialize)]
pub(crate) struct BillingCode {
    pub(crate) name: String,
    pub(crate) active: bool,
}

/// A recurring contract of the PSA.
#[derive(Debug, Deserialize)]
pub(crate) struct Contract {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) period: Option<PeriodType>,
    pub(crate) in_date: bool,
    pub(crate) start: Date,
    pub(crate) end: Date,
}

/// What came of a file of mappings, or would.
#[derive(Debug, Deserialize)]
pub(crate) struct Imported {
    pub(crate) created: u64,
    pub(crate) changed: u64,
    pub(crate) unchanged: u64,
    #[serde(default)]
    pub(crate) changes: Option<Changes>,
}

/// What a file would change.
#[derive(Debug, Deserialize)]
pub(crate) struct Changes {
    pub(crate) total: u64,
    pub(crate) more: bool,
    pub(crate) rows: Vec<RowChange>,
}

/// What a row of it would change.
#[derive(Debug, Deserialize)]
pub(crate) struct RowChange {
    pub(crate) row: u64,
    pub(crate) r#type: String,
    pub(crate) company: Option<String>,
    pub(crate) product: Option<String>,
    pub(crate) what: String,
    pub(crate) fields: Vec<FieldChange>,
}

/// A column that would be different.
#[derive(Debug, Deserialize)]
pub(crate) struct FieldChange {
    pub(crate) field: String,
    pub(crate) from: String,
    pub(crate) to: String,
}

/// What tickets are filled with.
#[derive(Debug, Deserialize)]
pub(crate) struct Tickets {
    pub(crate) defaults: BTreeMap<String, String>,
    pub(crate) by_severity: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) by_kind: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) due_hours: u32,
    pub(crate) catch_all_account_id: Option<String>,
    pub(crate) on_resolve: shared::domain::ticketing::OnResolve,
    pub(crate) repeat_window_hours: u32,
    pub(crate) tickets_per_hour: u32,
    pub(crate) version: u32,
}
