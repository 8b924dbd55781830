//! Billing periods of a recurring contract, and the cutting of one period by a dated change.
//!
//! Owns dates only: which periods a contract has, and how one is split. What units and prices a row carries belongs to
//! `world` and `adjust`.
//! Periods are counted from the contract's start and never from the period before, so a contract that starts on the 31st
//! bills from 30 June and 28 February but returns to the 31st (the month's end never drifts).

use jiff::civil::Date;
use jiff::{Span, ToSpan as _};
use serde::{Deserialize, Serialize};

/// How long a billing period is. The numbers are the picklist values of `contractPeriodType` in REST.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// One month (2).
    Monthly,
    /// Three months (3).
    Quarterly,
    /// Six months (4).
    SemiAnnual,
    /// Twelve months (5).
    Yearly,
}

impl Period {
    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::Monthly => 2,
            Self::Quarterly => 3,
            Self::SemiAnnual => 4,
            Self::Yearly => 5,
        }
    }

    /// The period of a number on the wire.
    #[must_use]
    pub const fn of_number(number: i64) -> Option<Self> {
        match number {
            2 => Some(Self::Monthly),
            3 => Some(Self::Quarterly),
            4 => Some(Self::SemiAnnual),
            5 => Some(Self::Yearly),
            _ => None,
        }
    }

    const fn months(self) -> i64 {
        match self {
            Self::Monthly => 1,
            Self::Quarterly => 3,
            Self::SemiAnnual => 6,
            Self::Yearly => 12,
        }
    }
}

/// A stretch of days, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Days {
    /// First day.
    pub start: Date,
    /// Last day.
    pub end: Date,
}

impl Days {
    /// Whether `day` lies in it.
    #[must_use]
    pub fn contains(&self, day: Date) -> bool {
        self.start <= day && day <= self.end
    }

    /// How many days it has, at least 1 for a stretch that is the right way round.
    #[must_use]
    pub fn length(&self) -> i64 {
        i64::from((self.end - self.start).get_days()) + 1
    }
}

/// All billing periods of a contract that runs from `start` through `end`, in order. The last is cut short by `end`.
#[must_use]
pub fn periods(start: Date, end: Date, period: Period) -> Vec<Days> {
    let mut found = Vec::new();
    let mut from = start;
    let mut count = 0;
    while from <= end {
        count += 1;
        let Ok(next) = start.checked_add(Span::new().months(period.months() * count)) else {
            break;
        };
        let last = day_before(next).min(end);
        found.push(Days { start: from, end: last });
        from = next;
    }
    found
}

/// The day before, or the first day there is.
#[must_use]
pub fn day_before(day: Date) -> Date {
    day.saturating_sub(1.day())
}

/// The day after, or the last day there is.
#[must_use]
pub fn day_after(day: Date) -> Date {
    day.saturating_add(1.day())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_contract_from_the_31st_bills_at_each_month_end_and_returns_to_the_31st() {
        let starts: Vec<_> =
            periods(date(2026, 1, 31), date(2026, 6, 29), Period::Monthly).iter().map(|d| (d.start, d.end)).collect();
        assert_eq!(
            starts,
            [
                (date(2026, 1, 31), date(2026, 2, 27)),
                (date(2026, 2, 28), date(2026, 3, 30)),
                (date(2026, 3, 31), date(2026, 4, 29)),
                (date(2026, 4, 30), date(2026, 5, 30)),
                (date(2026, 5, 31), date(2026, 6, 29)),
            ]
        );
    }

    #[test]
    fn a_leap_year_lends_february_its_29th() {
        let second = periods(date(2028, 1, 30), date(2028, 12, 31), Period::Monthly)[1];
        assert_eq!(second.start, date(2028, 2, 29));
    }

    #[test]
    fn quarters_half_years_and_years_step_from_the_start_and_stop_at_the_end() {
        let end = date(2027, 3, 14);
        let start = date(2025, 11, 30);
        let of = |period| periods(start, end, period).iter().map(|d| d.start).collect::<Vec<_>>();
        assert_eq!(
            of(Period::Quarterly),
            [
                date(2025, 11, 30),
                date(2026, 2, 28),
                date(2026, 5, 30),
                date(2026, 8, 30),
                date(2026, 11, 30),
                date(2027, 2, 28)
            ]
        );
        assert_eq!(of(Period::SemiAnnual), [date(2025, 11, 30), date(2026, 5, 30), date(2026, 11, 30)]);
        assert_eq!(of(Period::Yearly), [date(2025, 11, 30), date(2026, 11, 30)]);
        assert_eq!(periods(start, end, Period::Yearly)[1].end, end);
    }

    #[test]
    fn periods_join_without_gap_or_overlap() {
        let all = periods(date(2024, 8, 31), date(2031, 8, 30), Period::Monthly);
        assert_eq!(all.len(), 84);
        for pair in all.windows(2) {
            assert_eq!(day_after(pair[0].end), pair[1].start);
        }
    }
}
