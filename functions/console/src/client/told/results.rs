//! What runs came to beside their lines: charges, the reconciliation, and what can still be done.

use jiff::civil::Date;
use serde::Deserialize;
use shared::domain::charge::{ChargeResult, ChargeSum, changes, together};
use shared::domain::line::LineStatus;
use shared::domain::money::{LineMoney, Sum, sums};
use shared::domain::units::Units;

use super::run::Line;

/// What became of a metered charge.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Charge {
    #[serde(flatten)]
    pub(crate) result: ChargeResult,
    pub(crate) approvable: bool,
}

/// What usage says, what the PSA says and what was last written, side by side.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Compared {
    pub(crate) kind: ComparedKind,
    pub(crate) status: Option<LineStatus>,
    pub(crate) code: String,
    pub(crate) line_id: Option<String>,
    pub(crate) company: Option<String>,
    pub(crate) company_name: Option<String>,
    pub(crate) product: Option<String>,
    pub(crate) contract_id: Option<String>,
    pub(crate) counted: Option<u64>,
    pub(crate) target: Option<Units>,
    pub(crate) before: Option<Units>,
    pub(crate) last_confirmed: Option<Units>,
    pub(crate) drift: bool,
    pub(crate) effective_date: Option<Date>,
    pub(crate) money: Option<LineMoney>,
    pub(crate) explanation: String,
    pub(crate) fix: String,
}

/// What a comparison is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ComparedKind {
    Gap,
    Line,
}

/// What approving and reversing a run would come to.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Choices {
    pub(crate) approvable: Changes,
    pub(crate) reversible: Changes,
}

/// Changes added up.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Changes {
    pub(crate) rises: Together,
    pub(crate) falls: Together,
    pub(crate) repriced: u32,
    pub(crate) money: Vec<Sum>,
    pub(crate) lines_without_money: u32,
    pub(crate) charges: u32,
    pub(crate) charge_money: Vec<ChargeSum>,
}

/// Lines that change in one direction, and by how many units in all.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(crate) struct Together {
    pub(crate) lines: u32,
    pub(crate) units: u64,
}

impl Changes {
    /// Of lines that were chosen.
    pub(crate) fn of(lines: &[Line]) -> Self {
        let (mut all, mut money) = (Self::default(), Vec::new());
        for line in lines {
            let Some(difference) = line.result.difference() else { continue };
            match difference.get() {
                0 => all.repriced += 1,
                1.. => all.rises.add(difference.get()),
                _ => all.falls.add(difference.get()),
            }
            match &line.result.money {
                Some(of) => money.push((difference, of.clone())),
                None => all.lines_without_money += 1,
            }
        }
        Self { money: sums(money), ..all }
    }

    /// Of charges that were chosen.
    pub(crate) fn of_charges(charges: &[Charge]) -> Self {
        let of = |status| changes(charges.iter().map(|charge| &charge.result), status);
        let money = [LineStatus::Planned, LineStatus::Held].into_iter().flat_map(of);
        let count = u32::try_from(charges.len()).unwrap_or(u32::MAX);
        Self { charges: count, charge_money: together(money), ..Self::default() }
    }

    /// Lines in it.
    pub(crate) fn lines(&self) -> u32 {
        self.rises.lines + self.falls.lines + self.repriced
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_none(&self) -> bool {
        self.lines() == 0 && self.charges == 0
    }
}

impl Together {
    fn add(&mut self, difference: i64) {
        self.lines += 1;
        self.units += difference.unsigned_abs();
    }
}
