//! The plan of one line: from what it should carry, what the PSA holds and what we know, to one decision. Pure.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::contract::Contract;
use super::desired::{Desired, Stale};
use super::effective::{Calendar, Dated};
use super::guard;
use super::line::{LineHistory, LineStatus};
use super::period::Periods;
use super::policy::{Drift, EffectiveDate, Policy};
use super::reason::{Code, Reason};
use super::repricing::{LeftAlone, Prices, Repriced, Repricing};
use super::timeline::Timeline;
use super::units::{Delta, Units};

/// Everything that a decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The partner's day.
    pub today: Date,
    /// The contract, already known to be writable today.
    pub contract: &'a Contract,
    /// Its billing periods.
    pub periods: &'a Periods,
    /// What the PSA holds, at least for today and the decision days.
    pub timeline: &'a Timeline,
    /// What the line should carry.
    pub desired: &'a Desired,
    /// What the ledger knows.
    pub history: &'a LineHistory,
    /// The connection's policy.
    pub policy: &'a Policy,
    /// Every change waits for approval, by the connection's policy.
    pub approval_needed: bool,
    /// A change that a person approved: guards and drift don't hold that one.
    pub approved: Option<Approval>,
    /// What is to become of its prices; `None` where they are nobody's business here.
    pub prices: Option<Prices<'a>>,
    /// The first day that may be changed, where the contract is written in place of one that ended the day before.
    pub not_before: Option<Date>,
}

/// What a person approved: a change between these two numbers and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Units that the approver was shown.
    pub before: Units,
    /// Units that the approver agreed to.
    pub target: Units,
    /// The change of prices that came with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<Repricing>,
}

/// What to do with a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// It is right already.
    Unchanged {
        /// The units that it carries from `from` on.
        units: Units,
        /// The last day on which it was judged.
        from: Date,
        /// Why its prices are left alone, where they are not what they should be.
        prices_left: Option<LeftAlone>,
    },
    /// Write it.
    Change(Change),
    /// Don't write it, and say why.
    Stop {
        /// Held, skipped, failed or unknown.
        status: LineStatus,
        /// Why.
        reason: Reason,
        /// Units found, where that is known.
        before: Option<Units>,
        /// From when the change would count if it were let go, where it is known which change that is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        would: Option<Dated>,
        /// What would change of its prices with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prices: Option<Repricing>,
    },
}

/// One change of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Units in force on the effective date.
    pub before: Units,
    /// Units that should be in force from then on.
    pub target: Units,
    /// `target` less `before`; zero only where prices alone are changed.
    pub delta: Delta,
    /// From when it counts, and why.
    pub dated: Dated,
    /// What is changed of its prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<Repricing>,
    /// Why its prices are left alone, where they are not what they should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices_left: Option<LeftAlone>,
}

impl Decision {
    /// Stops with the status that belongs to `reason`'s code.
    #[must_use]
    pub fn stop(code: Code, explanation: String, before: Option<Units>) -> Self {
        Self::stop_for(Reason::new(code, explanation), before)
    }

    /// Stops for `reason`, with the status that belongs to its code.
    #[must_use]
    pub fn stop_for(reason: Reason, before: Option<Units>) -> Self {
        Self::Stop { status: Code::status_of(&reason), reason, before, would: None, prices: None }
    }

    /// Decides one line.
    #[must_use]
    pub fn between(now: &Situation<'_>) -> Self {
        let Some(current) = now.timeline.at(now.today) else {
            return Self::stop(Code::NoUnitsOnDate, format!("The PSA shows no units for {}.", now.today), None);
        };
        match now.due() {
            Err(reason) => Self::stop_for(reason, Some(current)),
            Ok(None) => match now.no_day_to_judge(current) {
                Some(reason) => Self::stop_for(reason, Some(current)),
                None => match now.repriced() {
                    (None, left) => now.unchanged(current, left),
                    (Some(prices), left) => {
                        let stop = |reason| Self::stop_for(reason, Some(current));
                        now.reprice(current, prices, left).unwrap_or_else(stop)
                    }
                },
            },
            Ok(Some(due)) => now.change(&due).unwrap_or_else(|reason| Self::Stop {
                status: Code::status_of(&reason),
                reason,
                before: Some(due.before),
                would: now.dated(&due).ok(),
                prices: now.repriced().0,
            }),
        }
    }
}

/// A decision day on which the line is wrong.
struct Due {
    day: Date,
    before: Units,
    policy: EffectiveDate,
}

impl Situation<'_> {
    fn calendar(&self) -> Calendar<'_> {
        Calendar {
            today: self.today,
            contract: self.contract,
            periods: self.periods,
            timeline: self.timeline,
            adjusted_on: &self.history.adjusted_on,
            last_change: self.history.adjusted_on.last().copied().filter(|day| *day > self.today),
            not_before: self.not_before,
        }
    }

    /// A line that is wrong, and whose contract ends before the day on which that may be judged.
    fn no_day_to_judge(&self, current: Units) -> Option<Reason> {
        let target = self.desired.units;
        let policy = match current.cmp(&target) {
            std::cmp::Ordering::Less => self.policy.effective_date.rises,
            std::cmp::Ordering::Greater => self.policy.effective_date.falls,
            std::cmp::Ordering::Equal => return None,
        };
        let none = self.calendar().decision_days(policy, |_, _| false).next().is_none();
        let explanation = format!(
            "From {current} to {target} would count from the next period; the contract ends on {}.",
            self.contract.end
        );
        none.then(|| Reason::new(Code::NoPeriodAhead, explanation))
    }

    /// What is remembered of a line that is right are the units of the last day on which it was judged.
    fn unchanged(&self, current: Units, prices_left: Option<LeftAlone>) -> Decision {
        let dates = self.policy.effective_date;
        let calendar = self.calendar();
        let days = calendar.decision_days(dates.rises, |_, _| false);
        let days = days.chain(calendar.decision_days(dates.falls, |_, _| false));
        let last = days.max().and_then(|day| Some((day, self.timeline.at(day)?)));
        let (from, units) = last.unwrap_or((self.today, current));
        Decision::Unchanged { units, from, prices_left }
    }

    /// What of the prices may be written, and why the rest of them is left alone.
    fn repriced(&self) -> (Option<Repricing>, Option<LeftAlone>) {
        let approved = self.approved.as_ref().and_then(|approved| approved.prices.as_ref());
        match self.prices.map(|prices| prices.decide(self.policy, approved)) {
            None | Some(Repriced::Right) => (None, None),
            Some(Repriced::Change(repricing, left)) => (Some(repricing), left),
            Some(Repriced::Left(left)) => (None, Some(left)),
        }
    }

    /// A change of prices alone. It counts from the day of a rise, as the policy has it.
    fn reprice(&self, current: Units, prices: Repricing, left: Option<LeftAlone>) -> Result<Decision, Reason> {
        let approved = Approval { before: current, target: current, prices: Some(prices) };
        if self.approval_needed && self.approved != Some(approved) {
            let explanation = format!("{}: the connection's policy has changes approved first.", prices.in_words());
            let reason = Reason::new(Code::ApprovalNeeded, explanation);
            return Ok(self.unchanged(current, Some(LeftAlone { reason, instead_of: Some(prices) })));
        }
        let policy = self.policy.effective_date.rises;
        let calendar = self.calendar();
        let no_day = || Reason::new(Code::NoPeriodAhead, format!("{}: the contract ends first.", prices.in_words()));
        let day = calendar.decision_days(policy, |_, _| false).next().ok_or_else(no_day)?;
        let units = self.timeline.at(day).unwrap_or(current);
        let dated = calendar.date_change(day, units, policy)?;
        let (before, target) = (units, units);
        Ok(Decision::Change(Change {
            before,
            target,
            delta: before.delta_to(target),
            dated,
            prices: Some(prices),
            prices_left: left,
        }))
    }

    /// Judged on the decision days alone: what a person has dated further ahead is theirs until that day comes.
    fn due(&self) -> Result<Option<Due>, Reason> {
        let target = self.desired.units;
        let dates = self.policy.effective_date;
        let calendar = self.calendar();
        type Is<'a, T> = &'a dyn Fn(T) -> bool;
        let find = |policy, wrong: Is<Units>, against: Is<(Units, Units)>| -> Result<Option<Due>, Reason> {
            for day in calendar.decision_days(policy, |now, then| against((now, then))) {
                let no_units = || Reason::new(Code::NoUnitsOnDate, format!("The PSA shows no units for {day}."));
                let before = self.timeline.at(day).ok_or_else(no_units)?;
                if wrong(before) {
                    return Ok(Some(Due { day, before, policy }));
                }
            }
            Ok(None)
        };
        let rise = find(dates.rises, &|units| units < target, &|(now, then)| then < now)?;
        let fall = find(dates.falls, &|units| units > target, &|(now, then)| then > now)?;
        Ok(match (rise, fall) {
            (Some(rise), Some(fall)) => Some(if rise.day <= fall.day { rise } else { fall }),
            (rise, fall) => rise.or(fall),
        })
    }

    fn change(&self, due: &Due) -> Result<Decision, Reason> {
        let (before, target) = (due.before, self.desired.units);
        let (prices, prices_left) = self.repriced();
        if target < before && !self.desired.may_lower {
            let explanation = format!("Only an incomplete snapshot speaks for {target} instead of {before}.");
            return Err(Reason::new(Code::UsageIncomplete, explanation));
        }
        let approved = self.approved.filter(|approved| (approved.before, approved.target) == (before, target));
        if approved.is_none() {
            self.held_for_reversal(before)?;
            self.held_for_stale_usage(before)?;
            self.held_for_drift()?;
            self.held_for_lost_feeds(before)?;
            let first_write = self.history.confirmed.or(self.history.forgotten).is_none();
            if let Some(reason) = guard::held_back(before, target, first_write, &self.policy.guards) {
                return Err(reason);
            }
            // Last, so that who approves everything is told what there is to be said against it.
            if self.approval_needed {
                let explanation =
                    format!("From {before} to {target}: the connection's policy has changes approved first.");
                return Err(Reason::new(Code::ApprovalNeeded, explanation));
            }
        }
        let dated = self.dated(due)?;
        // A person who approved a change of units has not seen prices that came up since.
        let unseen = self.approval_needed && approved.is_some_and(|approved| approved.prices != prices);
        let prices = prices.filter(|_| !unseen);
        Ok(Decision::Change(Change { before, target, delta: before.delta_to(target), dated, prices, prices_left }))
    }

    fn dated(&self, due: &Due) -> Result<Dated, Reason> {
        self.calendar().date_change(due.day, due.before, due.policy)
    }

    /// A change that a person took back is not made again by a schedule, nor is another one in the same direction: what was
    /// wrong with it may still be wrong a day later.
    fn held_for_reversal(&self, before: Units) -> Result<(), Reason> {
        let target = self.desired.units;
        match self.history.reversed {
            Some(reversed) if reversed != before && reversed.cmp(&before) == target.cmp(&before) => {
                let explanation =
                    format!("A person took {reversed} back; the line carries {before} and should carry {target}.");
                Err(Reason::new(Code::Reversed, explanation))
            }
            _ => Ok(()),
        }
    }

    /// A company that was unmapped takes its units along; whether they are to be taken off the contract, a person says.
    fn held_for_lost_feeds(&self, before: Units) -> Result<(), Reason> {
        let now = self.desired.feed_count();
        match self.history.confirmed.or(self.history.forgotten) {
            Some(confirmed) if self.desired.units < before && now < confirmed.feeds => {
                let explanation = format!("The line was the sum of {} feeds and is now of {now}.", confirmed.feeds);
                Err(Reason::new(Code::FeedsFewer, explanation))
            }
            _ => Ok(()),
        }
    }

    /// A source that has gone silent may count fewer because it counts no more.
    fn held_for_stale_usage(&self, before: Units) -> Result<(), Reason> {
        match &self.desired.stale {
            Some(Stale { product, since }) if self.desired.units < before => {
                let explanation = format!(
                    "From {before} to {}: no complete snapshot of {product} has come since the one of {since}.",
                    self.desired.units
                );
                Err(Reason::new(Code::UsageStale, explanation))
            }
            _ => Ok(()),
        }
    }

    fn held_for_drift(&self) -> Result<(), Reason> {
        let Some(confirmed) = self.history.confirmed.filter(|_| self.policy.drift == Drift::Hold) else {
            return Ok(());
        };
        let day = confirmed.from.max(self.today);
        match self.timeline.at(day) {
            Some(units) if units != confirmed.units => {
                let explanation = format!("The PSA shows {units} on {day}; we last confirmed {}.", confirmed.units);
                Err(Reason::new(Code::Drift, explanation))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "plan_test.rs"]
mod tests;
