//! A line's usage over time: the counts of its feeds, each carried on until the next, added up.
//!
//! A complete snapshot says what is so; an incomplete one only says "at least". So an incomplete count can raise what
//! the complete ones say and never lowers it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::ids::SnapshotId;
use super::units::Units;

/// One count of a feed as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The instant it is true for.
    pub as_of: Timestamp,
    /// How many.
    pub units: Units,
    /// Whether its snapshot was complete.
    pub complete: bool,
    /// The snapshot it came with.
    pub snapshot: SnapshotId,
}

/// The sum of all feeds from `at` on, until the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// From this instant.
    pub at: Timestamp,
    /// The same instant as a day of the partner's calendar.
    pub date: Date,
    /// The sum; `None` above the largest count believed.
    pub sum: Option<Units>,
    /// Whether every feed has a count by now.
    pub all_known: bool,
    /// Whether every feed has a complete count by now.
    pub all_complete: bool,
}

/// The feeds of one line, added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    steps: Vec<Step>,
    /// For each feed, the days on which a complete snapshot spoke for it.
    complete_days: Vec<BTreeSet<Date>>,
}

impl Series {
    /// Adds up `feeds`, with days in `zone`.
    #[must_use]
    pub fn of(feeds: &[Vec<Count>], zone: &TimeZone) -> Self {
        let date = |at: Timestamp| at.to_zoned(zone.clone()).date();
        let mut events: Vec<(Timestamp, bool, usize, Units)> = feeds
            .iter()
            .enumerate()
            .flat_map(|(feed, counts)| counts.iter().map(move |c| (c.as_of, c.complete, feed, c.units)))
            .collect();
        // At one instant the complete count comes first, so that an incomplete one can still raise it.
        events.sort_by_key(|(at, complete, feed, units)| (*at, !complete, *feed, *units));

        let mut known: Vec<Option<Units>> = vec![None; feeds.len()];
        let mut counted = vec![false; feeds.len()];
        let mut steps: Vec<Step> = Vec::new();
        for (at, complete, feed, units) in events {
            let before = known[feed].filter(|_| !complete).unwrap_or(Units::ZERO);
            known[feed] = Some(units.max(before));
            counted[feed] |= complete;
            let sum = known.iter().flatten().try_fold(Units::ZERO, |sum, units| sum.checked_add(*units));
            let step = Step {
                at,
                date: date(at),
                sum,
                all_known: known.iter().all(Option::is_some),
                all_complete: counted.iter().all(|c| *c),
            };
            match steps.last_mut().filter(|last| last.at == at) {
                Some(last) => *last = step,
                None => steps.push(step),
            }
        }
        let complete_days =
            feeds.iter().map(|counts| counts.iter().filter(|c| c.complete).map(|c| date(c.as_of)).collect()).collect();
        Self { steps, complete_days }
    }

    /// Every step in order of time.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What was in force at the end of `day`, carried on from earlier days where it has no count of its own.
    #[must_use]
    pub fn at_end_of(&self, day: Date) -> Option<&Step> {
        self.steps[..self.steps.partition_point(|step| step.date <= day)].last()
    }

    /// Whether for every feed a complete snapshot spoke on a day from `first` to `last`: what it takes to lower a line.
    #[must_use]
    pub fn complete_between(&self, first: Date, last: Date) -> bool {
        self.complete_days.iter().all(|days| days.range(first..=last).next().is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(at: &str, units: i64, complete: bool) -> Count {
        Count { as_of: at.parse().unwrap(), units: units.try_into().unwrap(), complete, snapshot: "s".parse().unwrap() }
    }

    fn sums(series: &Series) -> Vec<u32> {
        series.steps().iter().map(|step| step.sum.unwrap().get()).collect()
    }

    #[test]
    fn an_incomplete_count_raises_and_never_lowers() {
        let counts = vec![
            count("2026-11-01T00:00:00Z", 42, true),
            count("2026-11-02T00:00:00Z", 30, false),
            count("2026-11-03T00:00:00Z", 50, false),
            count("2026-11-04T00:00:00Z", 45, false),
            count("2026-11-05T00:00:00Z", 41, true),
        ];
        let series = Series::of(&[counts], &TimeZone::UTC);
        assert_eq!(sums(&series), [42, 42, 50, 50, 41]);
    }

    #[test]
    fn feeds_are_added_up_each_carried_on() {
        let a = vec![count("2026-11-01T00:00:00Z", 10, true), count("2026-11-03T00:00:00Z", 12, true)];
        let b = vec![count("2026-11-02T00:00:00Z", 5, true), count("2026-11-03T00:00:00Z", 6, true)];
        let series = Series::of(&[a, b], &TimeZone::UTC);
        assert_eq!(sums(&series), [10, 15, 18]);
        assert_eq!(series.steps().iter().map(|s| s.all_known).collect::<Vec<_>>(), [false, true, true]);
    }

    #[test]
    fn a_count_belongs_to_the_partners_day() {
        let series =
            Series::of(&[vec![count("2026-11-20T23:59:00Z", 1, true)]], &TimeZone::get("Europe/Berlin").unwrap());
        assert_eq!(series.steps()[0].date, jiff::civil::date(2026, 11, 21));
        assert!(series.complete_between(jiff::civil::date(2026, 11, 21), jiff::civil::date(2026, 11, 21)));
        assert!(series.at_end_of(jiff::civil::date(2026, 11, 20)).is_none());
    }

    #[test]
    fn at_one_instant_an_incomplete_count_can_still_raise_a_complete_one() {
        let counts = vec![count("2026-11-01T00:00:00Z", 50, false), count("2026-11-01T00:00:00Z", 42, true)];
        assert_eq!(sums(&Series::of(&[counts], &TimeZone::UTC)), [50]);
    }
}
