//! Billing periods of a recurring contract: they step from the contract's start and never drift.
//!
//! A contract that starts on the 31st bills from the 31st, from the last day of a shorter month, and from the 31st again:
//! every period is counted from the contract's start, not from the period before it.

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// How long one billing period is. Autotask numbers these 2 to 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodType {
    /// One month.
    Monthly,
    /// Three months.
    Quarterly,
    /// Six months.
    SemiAnnual,
    /// Twelve months.
    Yearly,
}

impl PeriodType {
    /// Its length in months.
    #[must_use]
    pub fn months(self) -> i32 {
        match self {
            Self::Monthly => 1,
            Self::Quarterly => 3,
            Self::SemiAnnual => 6,
            Self::Yearly => 12,
        }
    }
}

/// One billing period; both days belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Period {
    /// First day.
    pub start: Date,
    /// Last day.
    pub end: Date,
}

impl Period {
    /// Whether `date` lies in the period.
    #[must_use]
    pub fn contains(&self, date: Date) -> bool {
        self.start <= date && date <= self.end
    }
}

/// The endless row of billing periods that begins at `start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Periods {
    start: Date,
    every: PeriodType,
}

impl Periods {
    /// Periods of length `every`, the first of which begins on `start`.
    #[must_use]
    pub fn new(start: Date, every: PeriodType) -> Self {
        Self { start, every }
    }

    /// The period that `date` lies in; `None` before the first one or beyond the calendar.
    #[must_use]
    pub fn containing(&self, date: Date) -> Option<Period> {
        if date < self.start {
            return None;
        }
        let months_apart = (i32::from(date.year()) - i32::from(self.start.year())) * 12 + i32::from(date.month())
            - i32::from(self.start.month());
        let guess = months_apart / self.every.months();
        // The month alone can name the period after the one that holds `date` (start on the 15th, date on the 3rd).
        let index = if self.nth(guess)? <= date { guess } else { guess - 1 };
        Some(Period { start: self.nth(index)?, end: self.nth(index + 1)?.yesterday().ok()? })
    }

    /// The period after the one that `date` lies in.
    #[must_use]
    pub fn after(&self, date: Date) -> Option<Period> {
        self.containing(self.containing(date)?.end.tomorrow().ok()?)
    }

    /// Whether a period begins on `date`.
    #[must_use]
    pub fn begins_on(&self, date: Date) -> bool {
        self.containing(date).is_some_and(|period| period.start == date)
    }

    fn nth(&self, index: i32) -> Option<Date> {
        self.start.checked_add(index.checked_mul(self.every.months())?.months()).ok()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_contract_that_starts_on_the_31st_returns_to_the_31st() {
        let periods = Periods::new(date(2026, 1, 31), PeriodType::Monthly);
        let starts: Vec<_> =
            [date(2026, 2, 1), date(2026, 2, 28), date(2026, 3, 30), date(2026, 3, 31), date(2026, 4, 30)]
                .map(|day| periods.containing(day).unwrap().start)
                .into();
        assert_eq!(
            starts,
            [date(2026, 1, 31), date(2026, 2, 28), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]
        );
    }

    #[test]
    fn before_the_start_there_is_no_period() {
        let periods = Periods::new(date(2026, 6, 15), PeriodType::Quarterly);
        assert_eq!(periods.containing(date(2026, 6, 14)), None);
        assert_eq!(periods.containing(date(2026, 9, 14)).unwrap().end, date(2026, 9, 14));
        assert_eq!(periods.after(date(2026, 9, 14)).unwrap().start, date(2026, 9, 15));
        assert!(periods.begins_on(date(2026, 12, 15)) && !periods.begins_on(date(2026, 12, 14)));
    }

    proptest! {
        #[test]
        fn periods_hold_their_day_and_join_without_gaps(start in 0..3000i32, ahead in 0..3000i32, kind in 0..4usize) {
            let start = date(2020, 1, 1).checked_add(start.days()).unwrap();
            let day = start.checked_add(ahead.days()).unwrap();
            let every = [PeriodType::Monthly, PeriodType::Quarterly, PeriodType::SemiAnnual, PeriodType::Yearly][kind];
            let periods = Periods::new(start, every);
            let here = periods.containing(day).unwrap();
            prop_assert!(here.contains(day));
            prop_assert_eq!(periods.after(day).unwrap().start, here.end.tomorrow().unwrap());
        }
    }
}
