//! Reversals: the opposite of a change that a run made. Pure.
//!
//! A person asks for exactly this change, so guards, approval and the drift policy do not hold it. It is made only while the
//! change in question is our last word on the line and the PSA still shows it: what was decided since, by a later run or by
//! a person in the PSA, is never taken back along with it. Which change a run made is for the ledger to say, and what may be
//! written at all for `contract`.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::contract::Contract;
use super::desired::Desired;
use super::effective::Calendar;
use super::ids::{IntentKey, RunId};
use super::line::{LineHistory, LineResult, LineStatus};
use super::period::Periods;
use super::plan::{Change, Decision};
use super::reason::{Code, Reason};
use super::timeline::Timeline;
use super::units::Units;

/// A change that was made, and is to be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversal {
    /// Its intent.
    pub of: IntentKey,
    /// The run that made it.
    pub run: RunId,
    /// The day from which it counts.
    pub effective: Date,
    /// Units in force before it: those that the line is to carry again.
    pub before: Units,
    /// Units that it set.
    pub target: Units,
    /// How many feeds the line was the sum of before it.
    pub feeds: u32,
}

/// What the decision on a reversal depends on.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// The partner's day.
    pub today: Date,
    /// The contract, already known to be writable today.
    pub contract: &'a Contract,
    /// Its billing periods.
    pub periods: &'a Periods,
    /// What the PSA holds, from the day before the change on.
    pub timeline: &'a Timeline,
    /// What the ledger knows.
    pub history: &'a LineHistory,
}

impl Reversal {
    /// The units to go back to, in the words of the results.
    #[must_use]
    pub fn desired(&self) -> Desired {
        let because = format!(
            "reversal of run {}, which set {} instead of {} from {}",
            self.run, self.target, self.before, self.effective
        );
        Desired {
            units: self.before,
            may_lower: true,
            because,
            feeds: Vec::new(),
            stale: None,
            prices: None,
            unpriced: None,
        }
    }

    /// Decides it. A reversal that is made already, and stands, has nothing left to do.
    #[must_use]
    pub fn decide(&self, now: &Standing<'_>) -> Decision {
        if let Some(from) = self.stands(now) {
            return Decision::Unchanged { units: self.before, from, prices_left: None };
        }
        let shown = now.timeline.at(self.effective.max(now.today));
        match self.change(now, shown) {
            Ok(change) => Decision::Change(change),
            Err(reason) => Decision::stop_for(reason, shown),
        }
    }

    /// From which day this reversal is made: the ledger knows it, and the PSA shows it.
    fn stands(&self, now: &Standing<'_>) -> Option<Date> {
        let confirmed = now.history.confirmed.filter(|_| now.history.reversed == Some(self.target))?;
        let day = confirmed.from.max(now.today);
        let stands = confirmed.units == self.before && confirmed.from >= self.effective;
        (stands && now.timeline.at(day) == Some(self.before)).then_some(day)
    }

    fn change(&self, now: &Standing<'_>, shown: Option<Units>) -> Result<Change, Reason> {
        let Self { before, target, effective, .. } = *self;
        let confirmed = now.history.confirmed;
        if let Some(last) = confirmed.filter(|last| (last.units, last.from) != (target, effective)) {
            let since = format!("the line was set to {} from {}", last.units, last.from);
            return Err(self.changed_since(&since));
        }
        if confirmed.is_none() {
            return Err(self.changed_since("nothing is known of the line any more"));
        }
        let day = effective.max(now.today);
        let shown =
            shown.ok_or_else(|| Reason::new(Code::NoUnitsOnDate, format!("The PSA shows no units for {day}.")))?;
        if shown != target {
            return Err(self.changed_since(&format!("the PSA shows {shown} on {day}")));
        }
        let calendar = Calendar {
            today: now.today,
            contract: now.contract,
            periods: now.periods,
            timeline: now.timeline,
            adjusted_on: &now.history.adjusted_on,
            last_change: None,
            // It counts from a day after the change that it takes back, which kept to this already.
            not_before: None,
        };
        let dated = calendar.date_reversal(effective, target)?;
        Ok(Change {
            before: target,
            target: before,
            delta: target.delta_to(before),
            dated,
            prices: None,
            prices_left: None,
        })
    }

    fn changed_since(&self, since: &str) -> Reason {
        let explanation = format!("Run {} set {} from {}; since then {since}.", self.run, self.target, self.effective);
        Reason::new(Code::ChangedSince, explanation)
    }
}

/// Whether a run may have changed a line that ended so.
#[must_use]
pub fn may_have_changed(line: &LineResult) -> bool {
    matches!(line.status, LineStatus::Updated | LineStatus::Unknown)
}

#[cfg(test)]
#[path = "reversal_test.rs"]
mod tests;
