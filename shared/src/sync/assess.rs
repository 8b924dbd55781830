//! One line of the fan-out: decided at once, or handed to a company job for a closer look. No I/O.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use super::job::{JobLine, Label};
use super::lines::MappedLine;
use super::succession::Succession;
use super::{Today, row};
use crate::domain::contract::Contract;
use crate::domain::desired::{Desired, Feed, desired};
use crate::domain::effective::Dated;
use crate::domain::ids::{ConnectionId, ContractId};
use crate::domain::line::{Confirmed, LineHistory, LineKey, LineResult, LineStatus};
use crate::domain::money::UnitPrices;
use crate::domain::period::Periods;
use crate::domain::plan::{Approval, Decision, Situation};
use crate::domain::policy::{EffectiveDate, Policy};
use crate::domain::pricing::Unpriced;
use crate::domain::reason::{Code, Reason};
use crate::domain::repricing::{Priced, Prices};
use crate::domain::reversal::Standing;
use crate::domain::rule::Counting;
use crate::domain::units::Units;
use crate::psa::{Observation, ObservedLine, Window};
use crate::store::usage::{Month, UsageBook};

/// Days that may lie between a company's counts before its newest one is no longer looked for.
const LOOK_BACK_DAYS: i32 = 62;

/// Everything that was read before lines are decided.
pub(super) struct Desk<'a> {
    pub today: &'a Today,
    pub connection: &'a ConnectionId,
    pub policy: &'a Policy,
    pub contracts: &'a BTreeMap<ContractId, Contract>,
    pub succession: &'a Succession,
    pub histories: &'a BTreeMap<LineKey, LineHistory>,
    /// Connections that are not revoked: their lines are theirs.
    pub live: &'a BTreeSet<ConnectionId>,
    pub book: &'a UsageBook,
    /// A complete snapshot that is older than this is stale.
    pub fresh_from: Timestamp,
    pub observed: &'a Observation,
    pub approval_needed: bool,
    pub approved: &'a BTreeMap<String, Approval>,
    /// What the PSA tells of the prices of lines that are kept, with their currencies.
    pub listed: &'a BTreeMap<LineKey, UnitPrices>,
}

/// What the fan-out makes of a line.
pub(super) enum Assessed {
    /// Decided.
    Row(LineResult),
    /// Right already: to be remembered as confirmed, where it is not yet.
    Right { row: LineResult, key: LineKey, confirmed: Confirmed, priced: Option<Priced> },
    /// A change, or an open write.
    Look(Box<Look>),
    /// Its contract lacks the service: what would be made of it is another's to say.
    Lacking { row: LineResult, line: Box<JobLine> },
    /// Held; from when the change would count, only all of the line's rows show.
    Undated { row: LineResult, line: Box<JobLine> },
}

impl Assessed {
    fn told(self, label: &Label) -> Self {
        match self {
            Self::Row(row) => Self::Row(row::told(row, label)),
            Self::Right { row, key, confirmed, priced } => {
                Self::Right { row: row::told(row, label), key, confirmed, priced }
            }
            Self::Look(look) => Self::Look(Box::new(Look { row: row::told(look.row, label), line: look.line })),
            Self::Lacking { row, line } => Self::Lacking { row: row::told(row, label), line },
            Self::Undated { row, line } => Self::Undated { row: row::told(row, label), line },
        }
    }
}

/// A line that the account's job looks at more closely. The row stands in until then.
pub(super) struct Look {
    pub line: JobLine,
    pub row: LineResult,
}

impl Desk<'_> {
    /// `None`: the product is not used there and was never written.
    pub fn assess(&self, line: &MappedLine) -> Option<Assessed> {
        let history = self.histories.get(&line.key);
        let feeds = line.with_usage(self.book, history, self.fresh_from)?;
        let nothing = LineHistory::default();
        let history = history.unwrap_or(&nothing);
        let billed = self.contracts.get(&line.key.contract).and_then(|contract| contract.recurring);
        let label = line.label(&feeds, history, billed);
        let assessed = match self.desired(line, &feeds, history) {
            Err(reason) => {
                Assessed::Row(LineResult { before: self.found(line), ..row::stopped(&line.key, &label, reason) })
            }
            Ok((contract, desired)) => self.decide(line, label.clone(), contract, desired, history),
        };
        Some(assessed.told(&label))
    }

    /// What the line carries today, where that was read.
    fn found(&self, line: &MappedLine) -> Option<Units> {
        let found = self.observed.lines.get(&(line.key.contract.clone(), line.key.service.clone()))?;
        found.timeline.at(self.today.date)
    }

    fn desired(
        &self,
        line: &MappedLine,
        feeds: &[Feed],
        history: &LineHistory,
    ) -> Result<(&Contract, Desired), Reason> {
        let account = line.agreed()?;
        if let Some(writer) = history.writer.as_ref().filter(|w| *w != self.connection && self.live.contains(*w)) {
            let explanation = format!("Connection {writer} writes this line.");
            return Err(Reason::new(Code::LineOfAnotherConnection, explanation));
        }
        let contract = self.contracts.get(&line.key.contract).ok_or_else(|| {
            let explanation = format!("The PSA shows no contract {}.", line.key.contract);
            Reason::new(Code::ContractNotFound, explanation)
        })?;
        if contract.account != account {
            let explanation = format!("\"{}\" bills account {}, not {account}.", contract.name, contract.account);
            return Err(Reason::new(Code::ContractOfAnotherAccount, explanation));
        }
        let writable = contract.writable_on(self.today.date);
        let periods = writable.map_err(|reason| self.succession.explain(&line.key, reason))?;
        let period = periods.containing(self.today.date).ok_or_else(|| {
            Reason::new(Code::ContractNotStarted, format!("\"{}\" begins on {}.", contract.name, contract.start))
        })?;
        let desired = desired(feeds, &line.rule, period, self.today.date, &self.today.zone)?;
        Ok((contract, self.priced(line, desired)?))
    }

    /// With the prices that the line should carry, or why those can't be said.
    fn priced(&self, line: &MappedLine, desired: Desired) -> Result<Desired, Reason> {
        let Some(pricing) = line.pricing(&self.policy.markup) else { return Ok(desired) };
        let listed = self.listed.get(&line.key);
        let currency = listed.and_then(|prices| prices.currency.as_ref()).or(self.policy.currency.as_ref());
        let cost_in = listed.and_then(|prices| prices.cost_in.as_ref());
        match pricing.wanted(&line.costs(self.book), (currency, cost_in)) {
            Ok(prices) => {
                let because = format!("{}; {}", desired.because, prices.because);
                Ok(Desired { prices: Some(prices), because, ..desired })
            }
            Err(Unpriced::LeavesPrices(reason)) => Ok(Desired { unpriced: Some(reason), ..desired }),
            Err(Unpriced::RefusesLine(reason)) => Err(reason),
        }
    }

    fn decide(
        &self,
        line: &MappedLine,
        label: Label,
        contract: &Contract,
        desired: Desired,
        history: &LineHistory,
    ) -> Assessed {
        let pair = (line.key.contract.clone(), line.key.service.clone());
        let job = |desired: &Desired| JobLine {
            key: line.key.clone(),
            label: label.clone(),
            contract: contract.clone(),
            desired: desired.clone(),
            approved: self.approved.get(&line.key.to_string()).copied(),
            reversal: None,
            not_before: line.not_before(),
            opening: line.opening(),
            revision: history.revision,
            costs_visible: self.observed.shows_costs(),
            making: None,
        };
        if history.open.is_some() && self.observed.shows(&line.key) {
            let explanation = "An earlier write of this line is not settled yet.".to_owned();
            let units = self.observed.lines.get(&pair).and_then(|found| found.timeline.at(self.today.date));
            let decision = Decision::stop(Code::WriteUnsettled, explanation, units);
            let row = row::decided(&line.key, &label, &desired, decision);
            return Assessed::Look(Box::new(Look { line: job(&desired), row }));
        }
        if self.observed.ambiguous.contains(&pair) {
            let explanation = format!("\"{}\" carries service {} more than once.", contract.name, line.key.service);
            return self.stop(line, &label, &desired, Code::ServiceTwiceOnContract, explanation);
        }
        if let Some(reason) = self.observed.unreadable.get(&pair) {
            let decision = Decision::stop_for(unreadable(&contract.name, &line.key, reason), None);
            return Assessed::Row(row::decided(&line.key, &label, &desired, decision));
        }
        let Some(observed) = self.observed.lines.get(&pair) else {
            let explanation = format!("\"{}\" does not carry service {}.", contract.name, line.key.service);
            let decision = Decision::stop(Code::ServiceNotOnContract, explanation, None);
            let row = row::decided(&line.key, &label, &desired, decision);
            return Assessed::Lacking { row, line: Box::new(job(&desired)) };
        };
        let job = job(&desired);
        let found = (observed, self.observed.prices_shown(&line.key));
        match job.decide((found.0, &found.1), history, self.today.date, self.policy, self.approval_needed) {
            Decision::Unchanged { units, from, prices_left } => {
                let confirmed = Confirmed { units, from, feeds: desired.feed_count() };
                // Prices that were found right are remembered like units, so that an edit of theirs shows later.
                let right = desired.prices.as_ref().filter(|_| prices_left.is_none());
                let priced = right.map(|right| right.priced(from));
                let decision = Decision::Unchanged { units, from, prices_left };
                let row = row::decided(&line.key, &label, &desired, decision);
                Assessed::Right { row, key: job.key, confirmed, priced }
            }
            decision if needs_all_rows(&decision) => {
                Assessed::Look(Box::new(Look { row: row::decided(&line.key, &label, &desired, decision), line: job }))
            }
            decision => {
                let undated = is_undated(&decision);
                let row = row::decided(&line.key, &label, &desired, decision);
                if undated { Assessed::Undated { row, line: Box::new(job) } } else { Assessed::Row(row) }
            }
        }
    }

    /// From when the change of a held line would count, over a timeline that was read whole.
    pub fn would_count(&self, line: &JobLine, observed: &Observation) -> Option<Dated> {
        match self.decide_over(line, observed)? {
            Decision::Stop { would, .. } => would,
            Decision::Change(_) | Decision::Unchanged { .. } => None,
        }
    }

    /// The decision on a line over what `observed` shows of it, where it shows it.
    fn decide_over(&self, line: &JobLine, observed: &Observation) -> Option<Decision> {
        let nothing = LineHistory::default();
        let history = self.histories.get(&line.key).unwrap_or(&nothing);
        let found = observed.lines.get(&(line.key.contract.clone(), line.key.service.clone()))?;
        let shown = observed.prices_shown(&line.key);
        Some(line.decide((found, &shown), history, self.today.date, self.policy, self.approval_needed))
    }

    /// The row of a closer look that a preview takes itself, over timelines that were read whole.
    pub fn closer(&self, look: Look, observed: &Observation, shadow: bool) -> LineResult {
        let JobLine { key, label, desired, .. } = &look.line;
        let is_open = self.histories.get(key).is_some_and(|history| history.open.is_some());
        let Some(decision) = self.decide_over(&look.line, observed).filter(|_| !is_open) else { return look.row };
        let row = row::decided(key, label, desired, decision);
        let row = if shadow && row.status == LineStatus::Planned {
            let reason = Reason::new(Code::Shadow, format!("{}; not written in shadow mode", row.explanation));
            row::with_reason(row, reason)
        } else {
            row
        };
        row::told(row, label)
    }

    fn stop(&self, line: &MappedLine, label: &Label, desired: &Desired, code: Code, explanation: String) -> Assessed {
        Assessed::Row(row::decided(&line.key, label, desired, Decision::stop(code, explanation, None)))
    }
}

/// Why nothing is known of a line's units, with its names.
pub(super) fn unreadable(contract: &str, line: &LineKey, reason: &Reason) -> Reason {
    let explanation = format!("Service {} on \"{contract}\": {}", line.service, reason.explanation);
    Reason { explanation, ..reason.clone() }
}

impl JobLine {
    /// The decision on this line. `None`-like cases (the contract ended since) are stops as well.
    pub fn decide(
        &self,
        (found, shown): (&ObservedLine, &[UnitPrices]),
        history: &LineHistory,
        today: Date,
        policy: &Policy,
        approval_needed: bool,
    ) -> Decision {
        let timeline = &found.timeline;
        match (self.contract.writable_on(today), &self.reversal) {
            (Err(reason), _) => Decision::stop_for(reason, timeline.at(today)),
            (Ok(periods), Some(reversal)) => {
                reversal.decide(&Standing { today, contract: &self.contract, periods: &periods, timeline, history })
            }
            (Ok(periods), None) => Decision::between(&Situation {
                today,
                contract: &self.contract,
                periods: &periods,
                timeline,
                desired: &self.desired,
                history,
                policy,
                approval_needed,
                approved: self.approved.or_else(|| begun(found, history)),
                not_before: self.not_before,
                prices: self.prices(shown, history),
            }),
        }
    }

    /// What its prices should be against what is shown of them; `None` where they are left alone.
    fn prices<'a>(&'a self, shown: &'a [UnitPrices], history: &LineHistory) -> Option<Prices<'a>> {
        let wanted = match (&self.desired.prices, &self.desired.unpriced) {
            (Some(wanted), _) => Ok(wanted),
            (None, Some(reason)) => Err(reason),
            (None, None) => return None,
        };
        Some(Prices { wanted, shown, costs_visible: self.costs_visible, last: history.priced })
    }
}

impl JobLine {
    /// Whether `day` lies in another billing period or month than `planned_on`: what the line should carry was counted for
    /// the one and must not be written into the other. What a reversal goes back to was not counted.
    pub fn is_of_another_period(&self, planned_on: Date, day: Date) -> bool {
        if self.reversal.is_some() {
            return false;
        }
        let month = |day: Date| (day.year(), day.month());
        let period = |day: Date| Periods::new(self.contract.start, self.contract.recurring?).containing(day);
        month(planned_on) != month(day) || period(planned_on) != period(day)
    }
}

/// A change of ours that the PSA took for another one may be led to its end while it is the last word on the line: nobody has to
/// approve it twice.
fn begun(found: &ObservedLine, history: &LineHistory) -> Option<Approval> {
    let taken = found.otherwise?;
    let is_last = history.confirmed.is_some_and(|last| (last.units, last.from) == (taken.units, taken.effective));
    is_last.then_some(Approval { before: taken.units, target: taken.target, prices: None })
}

/// Whether a decision depends on rows that a bulk observation leaves out: the past of the period, and what lies ahead.
fn needs_all_rows(decision: &Decision) -> bool {
    match decision {
        Decision::Change(_) => true,
        Decision::Stop { reason, .. } => {
            [Code::LaterChange, Code::NoDateLeft].iter().any(|code| code.as_str() == reason.code)
        }
        Decision::Unchanged { .. } => false,
    }
}

/// Whether a change waits for approval alone, and no day was found among the rows in force: today's may be posted.
fn is_undated(decision: &Decision) -> bool {
    match decision {
        Decision::Stop { reason, would: None, .. } => Code::named(&reason.code).is_some_and(Code::approvable),
        _ => false,
    }
}

/// The rows that a bulk observation reads: those in force on the days on which changes are judged.
pub(super) fn bulk_window<'a>(
    today: Date,
    policy: &Policy,
    contracts: impl Iterator<Item = &'a Contract>,
    histories: impl Iterator<Item = &'a LineHistory>,
) -> Window {
    let dates = policy.effective_date;
    let ahead = [dates.rises, dates.falls].contains(&EffectiveDate::NextPeriodStart);
    let next_start = |contract: &Contract| {
        Periods::new(contract.start, contract.recurring?)
            .after(today)
            .map(|period| period.start)
            .filter(|day| *day <= contract.end)
    };
    let next_starts = contracts.filter(|_| ahead).filter_map(next_start);
    // A line is judged on the day of its last change, too, and a day that was found taken counts as one.
    let last_changes = histories
        .flat_map(|history| [history.confirmed.map(|confirmed| confirmed.from), history.adjusted_on.last().copied()])
        .flatten();
    Window { from: today, to: Some(next_starts.chain(last_changes).fold(today, Date::max)) }
}

/// The rows that a closer look at some lines reads: from the day before their contracts' running period, or before the
/// change that a reversal takes back, to the contracts' end.
pub(super) fn full_window<'a>(today: Date, lines: impl Iterator<Item = &'a JobLine>) -> Window {
    let period_start = |contract: &Contract| {
        Periods::new(contract.start, contract.recurring?).containing(today).map(|period| period.start)
    };
    let first_days =
        |line: &JobLine| [period_start(&line.contract), line.reversal.as_ref().map(|reversal| reversal.effective)];
    let first = lines.flat_map(first_days).flatten().fold(today, Date::min);
    Window { from: first.yesterday().unwrap_or(first), to: None }
}

/// The months of usage that the lines' rules look at.
pub(super) fn months(
    today: &Today,
    now: Timestamp,
    lines: &[MappedLine],
    contracts: &BTreeMap<ContractId, Contract>,
) -> std::ops::RangeInclusive<Month> {
    let first_day = |line: &MappedLine| {
        let contract = contracts.get(&line.key.contract)?;
        let periods = Periods::new(contract.start, contract.recurring?);
        let from = match line.rule.counting {
            Counting::Latest => today.date,
            Counting::PeriodClose => today.date.first_of_month().yesterday().ok()?.first_of_month(),
            Counting::HighWaterMark | Counting::Average => periods.containing(today.date)?.start,
        };
        // A day without a count carries the one before it.
        from.checked_sub(LOOK_BACK_DAYS.days()).ok()
    };
    let fallback = today.date.checked_sub(LOOK_BACK_DAYS.days()).unwrap_or(today.date);
    let first = lines.iter().filter_map(first_day).fold(fallback, Date::min);
    let start = first.to_zoned(jiff::tz::TimeZone::UTC).map_or(now, |zoned| zoned.timestamp());
    // A count may be dated an hour ahead.
    let end = now.saturating_add(1.hour()).unwrap_or(now);
    Month::of(start)..=Month::of(end)
}
