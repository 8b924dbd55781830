//! A line's row in a run's results, from a decision or an outcome.

use jiff::civil::Date;

use super::job::Label;
use crate::domain::desired::Desired;
use crate::domain::line::{LineKey, LinePrices, LineResult, LineStatus};
use crate::domain::money::{LineMoney, UnitPrices};
use crate::domain::period::PeriodType;
use crate::domain::plan::{Change, Decision};
use crate::domain::reason::{Code, Reason};
use crate::domain::repricing::LeftAlone;
use crate::domain::units::Units;
use crate::psa::TakenOtherwise;

/// A row that says nothing yet but whose it is.
pub(super) fn blank(key: &LineKey, label: &Label) -> LineResult {
    LineResult {
        line_id: key.to_string(),
        company: label.company.clone(),
        company_name: label.company_name.clone(),
        product: label.product.clone(),
        account_id: label.account.clone(),
        contract_id: key.contract.clone(),
        service_id: key.service.clone(),
        before: None,
        target: None,
        after: None,
        rule: None,
        effective_date: None,
        status: LineStatus::Skipped,
        code: String::new(),
        explanation: String::new(),
        fix: String::new(),
        feeds: Vec::new(),
        prorated: false,
        money: None,
        prices: None,
        last_confirmed: label.last.map(|last| last.units),
        last_confirmed_from: label.last.map(|last| last.from),
    }
}

/// The row of a line that could not be decided.
pub(super) fn stopped(key: &LineKey, label: &Label, reason: Reason) -> LineResult {
    let status = Code::status_of(&reason);
    with_reason(LineResult { status, ..blank(key, label) }, reason)
}

/// The row as it is told: with the line's note before its explanation, and what its change comes to.
pub(super) fn told(row: LineResult, label: &Label) -> LineResult {
    let money = label.prices.as_ref().zip(label.billed).and_then(|(prices, every)| worth(&row, prices, every));
    let row = LineResult { money, ..row };
    match &label.note {
        Some(note) => LineResult { explanation: format!("{note} {}", row.explanation).trim_end().to_owned(), ..row },
        None => row,
    }
}

/// The row of a decision. A change is `planned` until it is made.
pub(super) fn decided(key: &LineKey, label: &Label, desired: &Desired, decision: Decision) -> LineResult {
    let row = LineResult {
        target: Some(desired.units),
        rule: Some(desired.because.clone()),
        feeds: desired.feeds.clone(),
        ..blank(key, label)
    };
    match decision {
        Decision::Unchanged { units, prices_left, .. } => {
            let row = LineResult {
                before: Some(units),
                after: Some(units),
                status: LineStatus::Unchanged,
                explanation: desired.because.clone(),
                ..row
            };
            match prices_left {
                None => row,
                Some(left) => LineResult { status: Code::status_of(&left.reason), ..left_alone(row, left) },
            }
        }
        Decision::Change(change) => changed(LineResult { status: LineStatus::Planned, ..row }, change, desired),
        Decision::Stop { status, reason, before, would, prices } => {
            // What waits for a person shows what it waits with; whatever else was stopped has no day.
            let would = would.filter(|_| status == LineStatus::Held);
            let prorated = would.as_ref().is_some_and(|would| would.prorated);
            let effective_date = would.map(|would| would.date);
            let prices = prices.filter(|_| status == LineStatus::Held).map(LinePrices::from);
            with_reason(LineResult { before, status, effective_date, prorated, prices, ..row }, reason)
        }
    }
}

/// The row of a change that is not sent now.
pub(super) fn deferred(row: LineResult, reason: Reason) -> LineResult {
    with_reason(LineResult { status: Code::status_of(&reason), effective_date: None, prorated: false, ..row }, reason)
}

/// The row of a change that puts right what the PSA made of the one before it: it tells of both as one.
pub(super) fn putting_right(row: LineResult, taken: &TakenOtherwise) -> LineResult {
    let TakenOtherwise { before, target, units, .. } = taken;
    let told = format!("The PSA took the change from {before} to {target} for another one and showed {units}");
    let explanation = format!("{told}; this puts it right. {}", row.explanation);
    LineResult { before: Some(*before), explanation, ..row }
}

/// The row of a change of prices that follows one of units in the same run: it tells of both as one.
pub(super) fn after_units(begun: LineResult, row: LineResult) -> LineResult {
    let explanation = format!("{}; then {}", begun.explanation, row.explanation);
    LineResult { before: begun.before, prorated: begun.prorated, explanation, ..row }
}

pub(super) fn with_reason(row: LineResult, reason: Reason) -> LineResult {
    LineResult { code: reason.code, explanation: reason.explanation, fix: reason.fix, ..row }
}

/// What becomes of a line's units and prices in money; `None` where neither changes.
pub(super) fn worth(row: &LineResult, prices: &UnitPrices, every: PeriodType) -> Option<LineMoney> {
    if let Some(repriced) = &row.prices {
        let units = (row.before?, row.target?);
        return Some(LineMoney::of_repriced(prices, &repriced.repricing(), every, units));
    }
    let difference = row.difference().filter(|difference| difference.get() != 0)?;
    Some(LineMoney::of(prices, every, Some(difference)))
}

/// The row of a line whose prices are left alone, whatever becomes of its units.
fn left_alone(row: LineResult, left: LeftAlone) -> LineResult {
    let LeftAlone { reason, instead_of } = left;
    LineResult {
        explanation: format!("{}; {}", row.explanation, reason.explanation),
        code: reason.code,
        fix: reason.fix,
        prices: instead_of.map(LinePrices::from).or(row.prices),
        ..row
    }
}

fn changed(row: LineResult, change: Change, desired: &Desired) -> LineResult {
    let Change { before, delta, dated, prices, prices_left, .. } = change;
    let prorated = if dated.prorated { "; inside a period, so the PSA prorates" } else { "" };
    let units = (delta.get() != 0).then(|| delta.to_string());
    let changes: Vec<String> = units.into_iter().chain(prices.map(|prices| prices.in_words())).collect();
    let changes = changes.join(", ");
    let row = LineResult {
        before: Some(before),
        effective_date: Some(dated.date),
        prorated: dated.prorated,
        explanation: format!("{}; {changes} from {} ({}{prorated})", desired.because, dated.date, dated.because),
        prices: prices.map(LinePrices::from),
        ..row
    };
    match prices_left {
        // What changes is told; what is left alone has its own word in the next run, which finds nothing else to do.
        Some(left) => left_alone(row, left.reason.into()),
        None => row,
    }
}

/// The row of a line whose earlier write was settled by this run.
pub(super) fn settled_earlier(row: LineResult, before: Units, after: Units, effective: Date) -> LineResult {
    LineResult {
        before: Some(before),
        after: Some(after),
        effective_date: Some(effective),
        status: LineStatus::Updated,
        explanation: format!("{}; the write of an earlier attempt was found in the PSA", row.explanation),
        ..row
    }
}
