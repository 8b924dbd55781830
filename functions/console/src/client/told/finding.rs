//! Findings.

use jiff::Timestamp;
use serde::Deserialize;
use shared::domain::finding::{Ending, FindingState};
use shared::domain::money::LineMoney;
use shared::domain::units::Units;

/// Something that a person must look at.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Finding {
    pub(crate) id: String,
    pub(crate) status: FindingState,
    pub(crate) code: String,
    pub(crate) explanation: String,
    pub(crate) fix: String,
    pub(crate) line_id: Option<String>,
    pub(crate) contract_id: Option<String>,
    pub(crate) company: Option<String>,
    pub(crate) company_name: Option<String>,
    pub(crate) product: Option<String>,
    pub(crate) before: Option<Units>,
    pub(crate) target: Option<Units>,
    pub(crate) money: Option<LineMoney>,
    pub(crate) opened_at: Timestamp,
    pub(crate) seen_at: Timestamp,
    pub(crate) run_id: String,
    pub(crate) resolved_at: Option<Timestamp>,
    pub(crate) resolved_by: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) closed_at: Option<Timestamp>,
    pub(crate) closed_because: Option<Ending>,
}
