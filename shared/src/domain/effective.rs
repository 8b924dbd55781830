//! From which day a change counts.
//!
//! The policy names a day; the line's own history moves it. A change is judged on the units in force from the decision day
//! on (today, or the next period's first day). Only then is it dated back, and never past a day on which the units were
//! others, a day that is posted, a day that the contract before this one billed, or one that carries an adjustment already:
//! Autotask refuses a second adjustment of one service on one date.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::contract::Contract;
use super::period::Periods;
use super::policy::EffectiveDate;
use super::reason::{Code, Reason};
use super::timeline::Timeline;
use super::units::Units;

/// A day, and why it is that day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dated {
    /// The change counts from this day.
    pub date: Date,
    /// In words.
    pub because: String,
    /// Whether it lies inside a billing period, so that the PSA will prorate.
    pub prorated: bool,
}

/// What a line's dates depend on.
#[derive(Debug, Clone, Copy)]
pub struct Calendar<'a> {
    /// The partner's day.
    pub today: Date,
    /// The contract, for its end.
    pub contract: &'a Contract,
    /// Its billing periods.
    pub periods: &'a Periods,
    /// Units over time.
    pub timeline: &'a Timeline,
    /// Days on which we adjusted the line ourselves.
    pub adjusted_on: &'a BTreeSet<Date>,
    /// The day from which our last change counts, where it is still to come.
    pub last_change: Option<Date>,
    /// The first day after the contract that this one follows, where that was concluded: the days before it are billed
    /// there.
    pub not_before: Option<Date>,
}

impl Calendar<'_> {
    /// The days on which a change under `policy` is judged, within the contract: the policy's own day, or the day of a
    /// change of ours that is still to come. Where that one goes `against` the change in question, both: a rise that is due
    /// today must not hide behind a fall that was dated ahead.
    pub fn decision_days(
        &self,
        policy: EffectiveDate,
        against: impl Fn(Units, Units) -> bool,
    ) -> impl Iterator<Item = Date> {
        let day = self.first_day(policy);
        let later = self.last_change.filter(|last| day.is_some_and(|day| *last > day));
        let units = |day: Option<Date>| self.timeline.at(day?);
        let goes_against = match (units(day), units(later)) {
            (Some(now), Some(then)) => against(now, then),
            _ => false,
        };
        let end = self.contract.end;
        let day = day.filter(|_| later.is_none() || goes_against);
        [day, later].into_iter().flatten().filter(move |day| *day <= end)
    }

    fn first_day(&self, policy: EffectiveDate) -> Option<Date> {
        let day = match policy {
            EffectiveDate::PeriodStart | EffectiveDate::Today => self.today,
            EffectiveDate::NextPeriodStart => self.periods.after(self.today)?.start,
        };
        Some(self.not_before.map_or(day, |first| first.max(day)))
    }

    /// The day for a change that is due on `day`, where the units in force are `before` from then on.
    ///
    /// # Errors
    /// The units change again later, or no day is left in the contract.
    pub fn date_change(&self, day: Date, before: Units, policy: EffectiveDate) -> Result<Dated, Reason> {
        self.nothing_later(day)?;
        let (first, because) = match policy {
            EffectiveDate::PeriodStart => (self.dated_back(day), "start of the billing period"),
            EffectiveDate::Today => (day, "day of the run"),
            EffectiveDate::NextPeriodStart => (day, "start of the next billing period"),
        };
        let mut notes = vec![because.to_owned()];
        if self.first_day(policy).is_some_and(|earlier| earlier < day) {
            notes.push(format!("moved on to {day}, from which our last change counts"));
        }
        self.first_free(first, before, notes)
    }

    /// The day for the opposite of a change of ours that counts from `effective`, where the units in force are `units` from
    /// then on: that day itself carries the change, so the next one is the first that may be free.
    ///
    /// # Errors
    /// The units change again later, or no day is left in the contract.
    pub fn date_reversal(&self, effective: Date, units: Units) -> Result<Dated, Reason> {
        self.nothing_later(effective)?;
        let next = effective.tomorrow().map_err(|_| self.none_left())?;
        let dated = self.first_free(next, units, vec!["day after the change".to_owned()])?;
        let because = format!("{}; the days before it stay at {units}", dated.because);
        Ok(Dated { because, ..dated })
    }

    fn nothing_later(&self, day: Date) -> Result<(), Reason> {
        match self.timeline.next_change(day) {
            None => Ok(()),
            Some(later) => {
                let explanation =
                    format!("The line changes again on {later}; a change from {day} would shift that one too.");
                Err(Reason::new(Code::LaterChange, explanation))
            }
        }
    }

    /// `first`, or the first day after it that is neither posted, nor carries an adjustment, nor is billed elsewhere.
    fn first_free(&self, first: Date, before: Units, mut notes: Vec<String>) -> Result<Dated, Reason> {
        let mut date = first;
        if let Some(not_before) = self.not_before.filter(|not_before| date < *not_before) {
            date = not_before;
            notes.push(format!("moved on to {not_before}, up to which the contract that it follows is billed"));
        }
        if let Some(posted) = self.timeline.posted_through().filter(|posted| date <= *posted) {
            date = posted.tomorrow().map_err(|_| self.none_left())?;
            notes.push(format!("moved past {posted}, through which the contract is posted"));
        }
        let once = !self.timeline.is_freely_dated();
        let taken = |date: &Date| self.adjusted_on.contains(date) || self.timeline.adjusted_on(*date, self.periods);
        let free = |date: &Date| !(once && taken(date));
        if !free(&date) {
            let first = date;
            while !free(&date) {
                date = date.tomorrow().map_err(|_| self.none_left())?;
            }
            notes.push(format!("moved past {first}, which carries an adjustment already"));
        }
        if date > self.contract.end || self.timeline.at(date) != Some(before) {
            return Err(self.none_left());
        }
        Ok(Dated { date, because: notes.join(", "), prorated: !self.periods.begins_on(date) })
    }

    /// The period's first day, or the first day since which the units have been what they are.
    fn dated_back(&self, day: Date) -> Date {
        let start = self.periods.containing(day).map_or(day, |period| period.start);
        let unchanged_since = self.timeline.run_start(day).unwrap_or(day);
        start.max(unchanged_since).max(self.contract.start)
    }

    fn none_left(&self) -> Reason {
        let explanation = format!("No day up to {} is free for an adjustment of this line.", self.contract.end);
        Reason::new(Code::NoDateLeft, explanation)
    }
}
