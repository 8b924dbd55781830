//! What a company job has to do, as the planner writes it into the job's page.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::provision::ToMake;
use super::row;
use crate::domain::contract::Contract;
use crate::domain::desired::Desired;
use crate::domain::ids::{AccountId, CompanyId, ProductKey};
use crate::domain::line::{Confirmed, LineKey, LineResult};
use crate::domain::money::UnitPrices;
use crate::domain::period::PeriodType;
use crate::domain::plan::Approval;
use crate::domain::reversal::Reversal;
use crate::psa::{Asked, Opening};

/// One account's lines that need a look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Job {
    pub account: AccountId,
    pub approval_needed: bool,
    /// The partner's day on which it was planned. What a line should carry belongs to a period and a month.
    pub planned_on: Date,
    /// Fingerprints of the findings that stood on its lines.
    #[serde(default)]
    pub findings: Vec<String>,
    pub lines: Vec<JobLine>,
    /// Requests of the hour's allowance that it takes.
    #[serde(default)]
    pub cost: u32,
}

/// A line with everything that a decision needs but the PSA's units and the ledger's row, which the job reads itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct JobLine {
    pub key: LineKey,
    pub label: Label,
    pub contract: Contract,
    pub desired: Desired,
    pub approved: Option<Approval>,
    /// The change to take back, where the run is a reversal; nothing else is decided then.
    #[serde(default)]
    pub reversal: Option<Reversal>,
    /// The first day that may be changed, where it is billed in place of a contract that ended the day before.
    #[serde(default)]
    pub not_before: Option<Date>,
    /// What a person has stated of its units, where the PSA does not show them.
    #[serde(default)]
    pub opening: Option<Opening>,
    /// The line's revision when the run was planned: a job that comes late finds a higher one.
    pub revision: u32,
    /// Whether the PSA shows this user any cost at all.
    #[serde(default)]
    pub costs_visible: bool,
    /// What is made for it, where its contract lacks the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub making: Option<ToMake>,
}

/// Whose line it is, in the words of the results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Label {
    pub account: AccountId,
    pub company: CompanyId,
    pub company_name: String,
    pub product: ProductKey,
    /// A sentence that goes before every explanation of the line: that it follows a contract that has ended.
    #[serde(default)]
    pub note: Option<String>,
    /// What we last wrote there or found right, when the run was planned.
    #[serde(default)]
    pub last: Option<Confirmed>,
    /// What its units are sold and bought for, where the run has read that.
    #[serde(default)]
    pub prices: Option<UnitPrices>,
    /// How often it is billed, where its contract is known.
    #[serde(default)]
    pub billed: Option<PeriodType>,
}

impl Job {
    /// What is asked of the PSA about its lines.
    pub fn asked(&self) -> Asked {
        // What a contract lacks can't be read there.
        let there = self.lines.iter().filter(|line| line.making.is_none());
        let asked: Asked = there.map(|line| (line.key.clone(), line.opening)).collect();
        let priced = self.lines.iter().any(|line| line.desired.prices.is_some());
        if priced { asked.and_prices() } else { asked }
    }

    /// The rows of its lines, each as it is told.
    pub fn told(&self, rows: Vec<LineResult>) -> Vec<LineResult> {
        let label = |row: &LineResult| self.lines.iter().find(|line| line.key == row.key()).map(|line| &line.label);
        let told = |row: LineResult| match label(&row) {
            Some(label) => row::told(row, label),
            None => row,
        };
        rows.into_iter().map(told).collect()
    }
}
