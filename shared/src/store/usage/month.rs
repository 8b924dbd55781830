//! A month in UTC: how counts are partitioned, whatever the partner's time zone is.

use std::fmt;
use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// A calendar month in UTC; `2026-11` as text, which sorts in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    /// The month that holds `instant`.
    #[must_use]
    pub fn of(instant: Timestamp) -> Self {
        Self::of_date(instant.to_zoned(TimeZone::UTC).date())
    }

    /// The month that holds `date`.
    #[must_use]
    pub fn of_date(date: Date) -> Self {
        Self { year: date.year(), month: date.month() }
    }

    /// The month after.
    #[must_use]
    pub fn next(self) -> Self {
        match self.month {
            12 => Self { year: self.year.saturating_add(1), month: 1 },
            month => Self { month: month + 1, ..self },
        }
    }

    /// Every month from the first to the last.
    pub fn all(range: RangeInclusive<Self>) -> impl Iterator<Item = Self> {
        let last = *range.end();
        std::iter::successors(Some(*range.start()), |month| Some(month.next())).take_while(move |month| *month <= last)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

impl TryFrom<String> for Month {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let first: Result<Date, _> = format!("{text}-01").parse();
        first.map(|date| Self { year: date.year(), month: date.month() }).map_err(|_| "must be a month such as 2026-11")
    }
}

/// The attribute name of a count row's quarter of an hour: day, hour and minute in UTC, `052345`.
pub(super) fn slot_of(instant: Timestamp) -> String {
    let at = instant.to_zoned(TimeZone::UTC);
    format!("{:02}{:02}{:02}", at.day(), at.hour(), at.minute() / 15 * 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_and_quarters_are_those_of_utc() {
        let instant: Timestamp = "2026-12-01T00:30:00+02:00".parse().unwrap();
        assert_eq!(Month::of(instant).to_string(), "2026-11");
        assert_eq!(slot_of(instant), "302230");
        let months: Vec<_> =
            Month::all(Month::of(instant)..=Month { year: 2027, month: 1 }).map(|m| m.to_string()).collect();
        assert_eq!(months, ["2026-11", "2026-12", "2027-01"]);
    }
}
