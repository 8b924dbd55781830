//! When a source is pulled next.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::store::sources::UsageSource;

/// So much before a partner's first sync its sources are pulled: 1,230 customers that are asked one by one at one a second take
/// twenty minutes, and a pull that failed is tried again meanwhile.
const LEAD: SignedDuration = SignedDuration::from_mins(90);
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// Pauses after the first pull in a row that was not complete, the second, and so on; later ones wait for their time.
const AGAIN: [SignedDuration; 3] =
    [SignedDuration::from_mins(15), SignedDuration::from_mins(30), SignedDuration::from_mins(60)];

/// The first instant after `now` at which `source` is pulled: by its own schedule; else every day, so that rules that look at
/// each day's count have one, ahead of the earliest of `syncs`, the instants at which the partner's connections are due.
#[must_use]
pub fn next_due(source: &UsageSource, syncs: impl IntoIterator<Item = Timestamp>, now: Timestamp) -> Timestamp {
    let tomorrow = now.saturating_add(DAY).unwrap_or(now);
    if let Some(schedule) = source.schedule {
        let zone = TimeZone::get(&source.time_zone).unwrap_or(TimeZone::UTC);
        return schedule.next_after(now, &zone).unwrap_or(tomorrow);
    }
    let Some(first) = syncs.into_iter().min() else { return tomorrow };
    let ahead = first.saturating_sub(LEAD).unwrap_or(first);
    // On the same hour of the first day on which it is to come.
    let days = ahead.duration_since(now).as_secs().div_euclid(DAY.as_secs());
    let on_a_day =
        ahead.saturating_sub(SignedDuration::from_secs(days.saturating_mul(DAY.as_secs()))).unwrap_or(tomorrow);
    if on_a_day > now { on_a_day } else { tomorrow }
}

/// How soon a pull is tried again that was the `failures`th in a row that was not complete.
pub(super) fn again_after(failures: u32) -> Option<SignedDuration> {
    let place = usize::try_from(failures.checked_sub(1)?).ok()?;
    AGAIN.get(place).copied()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::schedule::Schedule;
    use crate::sources::{Filters, Vendor};
    use crate::store::sources::Setting;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn source(schedule: Option<Schedule>) -> UsageSource {
        let (products, filters, time_zone) = (BTreeMap::new(), Filters::default(), "Europe/Berlin".to_owned());
        let setting = Setting { products, filters, schedule, time_zone };
        UsageSource::new("msp".parse().unwrap(), Vendor::Huntress, setting, at("2026-11-01T00:00:00Z"))
    }

    fn next(syncs: &[&str], now: &str) -> String {
        next_due(&source(None), syncs.iter().map(|sync| at(sync)), at(now)).to_string()
    }

    #[test]
    fn a_source_is_pulled_ahead_of_the_first_sync_and_every_day() {
        let monthly = ["2026-12-01T01:00:00Z", "2026-12-15T03:00:00Z"];
        assert_eq!(next(&monthly, "2026-11-20T12:00:00Z"), "2026-11-20T23:30:00Z");
        assert_eq!(next(&monthly, "2026-11-20T23:30:00Z"), "2026-11-21T23:30:00Z");
        assert_eq!(next(&monthly, "2026-11-20T23:29:59Z"), "2026-11-20T23:30:00Z");
        // So near to the sync that its lead has begun: the next day's.
        assert_eq!(next(&["2026-11-21T01:00:00Z"], "2026-11-21T00:10:00Z"), "2026-11-21T23:30:00Z");
        assert_eq!(next(&["2026-11-21T01:00:00Z"], "2026-11-23T00:10:00Z"), "2026-11-23T23:30:00Z");
    }

    #[test]
    fn without_a_sync_it_is_pulled_a_day_later() {
        assert_eq!(next(&[], "2026-11-20T12:00:00Z"), "2026-11-21T12:00:00Z");
    }

    #[test]
    fn its_own_schedule_goes_before_and_is_reckoned_in_its_time_zone() {
        let scheduled = source(Some(Schedule::Daily { hour: 5 }));
        let due = next_due(&scheduled, [at("2026-11-21T01:00:00Z")], at("2026-11-20T12:00:00Z"));
        assert_eq!(due, at("2026-11-21T04:00:00Z"));
    }

    #[test]
    fn what_was_not_complete_is_tried_again_a_few_times() {
        let minutes = |failures| again_after(failures).map(|pause| pause.as_mins());
        assert_eq!([0, 1, 2, 3, 4].map(minutes), [None, Some(15), Some(30), Some(60), None]);
    }
}
