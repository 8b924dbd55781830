//! The rows of charges in a run's results.

use super::job::{JobCharge, Label};
use crate::domain::charge::{Amounts, ChargeDecision, ChargeLine, ChargeResult};
use crate::domain::line::LineStatus;
use crate::domain::period::Period;
use crate::domain::reason::{Code, Reason};

/// A row of a charge that nothing is known of yet.
pub(super) fn blank(line: &ChargeLine, label: &Label, period: Period, name: &str, records: usize) -> ChargeResult {
    let Label { account, company, company_name, currency } = label.clone();
    ChargeResult {
        charge_id: line.to_string(),
        company,
        company_name,
        product: line.key.product.clone(),
        meter: line.key.meter.clone(),
        name: name.to_owned(),
        account_id: account,
        contract_id: line.contract.clone(),
        period_start: period.start,
        period_end: period.end,
        currency,
        before: None,
        target: None,
        after: None,
        records: u32::try_from(records).unwrap_or(u32::MAX),
        reference: None,
        status: LineStatus::Skipped,
        code: String::new(),
        explanation: String::new(),
        fix: String::new(),
    }
}

/// The row of a job's charge, with what stood before.
pub(super) fn of(charge: &JobCharge, before: Option<Amounts>) -> ChargeResult {
    let JobCharge { line, label, period, wanted, records, .. } = charge;
    let row = blank(line, label, *period, &wanted.name, records.count());
    let target = charge.only_settled.is_none().then_some(wanted.amounts);
    ChargeResult { before, target, ..row }
}

/// With a reason, which says what the charge ends as.
pub(super) fn because(row: ChargeResult, reason: Reason) -> ChargeResult {
    let status = Code::status_of(&reason);
    let Reason { code, explanation, fix } = reason;
    ChargeResult { status, code, explanation, fix, ..row }
}

/// What a decision makes of a charge: planned where it is to be written.
pub(super) fn decided(row: ChargeResult, decision: &ChargeDecision) -> ChargeResult {
    match decision {
        ChargeDecision::Unchanged { reason: None, .. } => {
            let explanation = match row.target {
                Some(target) if target.is_zero() => "There is nothing to charge.".to_owned(),
                Some(target) => format!("It stands in the PSA: {target}."),
                None => String::new(),
            };
            ChargeResult { status: LineStatus::Unchanged, explanation, ..row }
        }
        ChargeDecision::Unchanged { reason: Some(reason), .. } => because(row, reason.clone()),
        ChargeDecision::Write(planned) => {
            ChargeResult { status: LineStatus::Planned, explanation: planned.explanation.clone(), ..row }
        }
        ChargeDecision::Stop(reason) => because(row, reason.clone()),
    }
}
