//! What holds for every way of counting, whatever was received and in whatever order.

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::contract::Contract;
use super::counting::Counted;
use super::desired::{Absence, Desired, Feed, desired};
use super::line::LineHistory;
use super::period::{Period, PeriodType};
use super::plan::{Decision, Situation};
use super::policy::{Policy, WhenAbsent};
use super::reason::Reason;
use super::rule::{Counting, Rounding, Rule};
use super::series::{Count, Series};
use super::timeline::{Row, Timeline};

const PERIOD: Period = Period { start: date(2026, 11, 1), end: date(2026, 11, 30) };
const TODAY: Date = date(2026, 11, 21);
const WAYS: [Counting; 4] = [Counting::Latest, Counting::HighWaterMark, Counting::PeriodClose, Counting::Average];

fn count(hour: i64, units: i64, complete: bool) -> Count {
    let begin: jiff::Timestamp = "2026-09-25T00:00:00Z".parse().unwrap();
    Count {
        as_of: begin + hour.hours(),
        units: units.try_into().unwrap(),
        complete,
        snapshot: format!("{hour}-{units}-{complete}").parse().unwrap(),
    }
}

/// A count of the last days of September, of October or of November until today.
fn any_count() -> impl Strategy<Value = Count> {
    (0..1380i64, 0..60i64, any::<bool>()).prop_map(|(hour, units, complete)| count(hour, units, complete))
}

fn any_feeds() -> impl Strategy<Value = Vec<Vec<Count>>> {
    prop::collection::vec(prop::collection::vec(any_count(), 1..8), 1..4)
}

fn any_zone() -> impl Strategy<Value = TimeZone> {
    select(vec!["UTC", "Europe/Berlin", "Pacific/Pago_Pago", "Pacific/Apia"])
        .prop_map(|zone| TimeZone::get(zone).unwrap())
}

fn counted(way: Counting, feeds: &[Vec<Count>], zone: &TimeZone) -> Result<Counted, Reason> {
    way.count(&Series::of(feeds, zone), PERIOD, TODAY)
}

fn feeds_of(counts: Vec<Vec<Count>>) -> Vec<Feed> {
    let feed = |(index, counts): (usize, Vec<Count>)| Feed {
        company: format!("company {index}").parse().unwrap(),
        company_name: String::new(),
        product: "edr".parse().unwrap(),
        counts,
        absent_from: None,
        when_absent: WhenAbsent::Keep,
        stale_since: None,
    };
    counts.into_iter().enumerate().map(feed).collect()
}

/// Leaves `feed` out of a complete snapshot `hours` after its newest complete count.
fn leave_out(feed: &mut Feed, hours: i64) {
    let newest = feed.counts.iter().filter(|count| count.complete).map(|count| count.as_of).max();
    let after = newest.unwrap_or_else(|| count(0, 0, true).as_of);
    feed.absent_from = Some(Absence { as_of: after + hours.hours(), snapshot: "absence".parse().unwrap() });
}

proptest! {
    #[test]
    fn the_high_water_mark_is_no_lower_than_the_newest_count_of_the_period(feeds in any_feeds(), zone in any_zone()) {
        let newest = Series::of(&feeds, &zone).steps().last().map(|step| step.date);
        let mark = counted(Counting::HighWaterMark, &feeds, &zone);
        let latest = counted(Counting::Latest, &feeds, &zone);
        if newest.is_some_and(|day| PERIOD.contains(day)) {
            prop_assert!(mark.unwrap().quantity >= latest.unwrap().quantity);
        } else {
            prop_assert_eq!(mark.unwrap_err().code, "usage_not_in_period");
        }
    }

    #[test]
    fn an_incomplete_count_never_lowers_and_never_allows_a_fall(
        feeds in any_feeds(), which: Index, mut extra in any_count(), zone in any_zone(),
    ) {
        extra.complete = false;
        let mut more = feeds.clone();
        let which = which.index(more.len());
        more[which].push(extra);
        for way in WAYS {
            match (counted(way, &feeds, &zone), counted(way, &more, &zone)) {
                (Ok(without), Ok(with)) => {
                    prop_assert_eq!(without.backed, with.backed, "{:?}", way);
                    // A mean of incomplete counts alone may fall with another one, but lowers no line.
                    if with.backed || way != Counting::Average {
                        prop_assert!(without.quantity <= with.quantity, "{way:?}: {without:?} {with:?}");
                    }
                }
                (Err(_), Ok(with)) => prop_assert!(!with.backed, "{way:?}: {with:?}"),
                (Ok(without), Err(reason)) => prop_assert!(false, "{way:?}: {without:?} {reason:?}"),
                (Err(_), Err(_)) => {}
            }
        }
    }

    #[test]
    fn saying_the_same_again_changes_no_newest_count(
        feeds in any_feeds(), which: Index, later in 0..200i64, zone in any_zone(),
    ) {
        let which = which.index(feeds.len());
        let alone = Series::of(&feeds[which..=which], &zone);
        let now = alone.steps().last().unwrap();
        let mut more = feeds.clone();
        more[which].push(Count { as_of: now.at + later.hours(), units: now.sum.unwrap(), ..count(0, 0, true) });
        let latest = |feeds: &[Vec<Count>]| counted(Counting::Latest, feeds, &zone).unwrap().quantity;
        prop_assert_eq!(latest(&feeds), latest(&more));
    }

    #[test]
    fn an_average_lies_between_the_lowest_and_the_highest_day(feeds in any_feeds(), zone in any_zone()) {
        let series = Series::of(&feeds, &zone);
        let days = PERIOD.start.series(1.day()).take_while(|day| *day <= TODAY);
        let sums: Vec<i64> = days
            .filter_map(|day| series.at_end_of(day))
            .filter(|step| step.all_known)
            .map(|step| step.sum.unwrap().into())
            .collect();
        match counted(Counting::Average, &feeds, &zone) {
            Ok(average) => {
                prop_assert!(average.quantity >= (*sums.iter().min().unwrap()).into());
                prop_assert!(average.quantity <= (*sums.iter().max().unwrap()).into());
            }
            Err(reason) => prop_assert!(sums.is_empty(), "{reason:?}"),
        }
    }

    #[test]
    fn a_company_that_is_kept_when_absent_lowers_nothing(
        counts in any_feeds(), which: Index, hours in 1..400i64, zone in any_zone(),
    ) {
        let present = feeds_of(counts);
        let mut absent = present.clone();
        leave_out(&mut absent[which.index(present.len())], hours);
        for counting in WAYS {
            let rule = Rule { counting, ..Rule::default() };
            let ask = |feeds: &[Feed]| desired(feeds, &rule, PERIOD, TODAY, &zone);
            match (ask(&present), ask(&absent)) {
                (Ok(before), Ok(after)) if counting == Counting::HighWaterMark => prop_assert!(before.units <= after.units),
                (Ok(before), Ok(after)) => prop_assert_eq!(before.units, after.units, "{:?}", counting),
                (Ok(before), Err(reason)) => prop_assert!(false, "{counting:?}: {before:?} {reason:?}"),
                (Err(_), _) => {}
            }
        }
    }

    #[test]
    fn the_order_in_which_things_are_read_decides_nothing(
        (counts, shuffled) in any_feeds().prop_flat_map(|feeds| {
            let shuffled: Vec<_> = feeds.iter().map(|counts| Just(counts.clone()).prop_shuffle()).collect();
            (Just(feeds), shuffled)
        }),
        (rows, shuffled_rows) in prop::collection::vec(0..60i64, 4).prop_flat_map(|units| {
            (Just(rows_of(&units)), Just(rows_of(&units)).prop_shuffle())
        }),
        turn: Index,
        hours in 1..400i64,
        when_absent in select(vec![WhenAbsent::Keep, WhenAbsent::Zero, WhenAbsent::Hold]),
        zone in any_zone(),
    ) {
        let all = |counts: Vec<Vec<Count>>| {
            let mut feeds = feeds_of(counts);
            leave_out(&mut feeds[0], hours);
            feeds[0].when_absent = when_absent;
            feeds
        };
        let feeds = all(counts);
        let mut others = all(shuffled);
        others.rotate_left(turn.index(feeds.len()));
        for counting in WAYS {
            let rule = Rule { counting, rounding: Rounding::Nearest, ..Rule::default() };
            let one = desired(&feeds, &rule, PERIOD, TODAY, &zone).map(sorted);
            let other = desired(&others, &rule, PERIOD, TODAY, &zone).map(sorted);
            prop_assert_eq!(&one, &other, "{:?}", counting);
            if let (Ok(one), Ok(other)) = (one, other) {
                prop_assert_eq!(decide(&one, &rows), decide(&other, &shuffled_rows));
            }
        }
    }
}

/// The feeds of a line are listed in the order of its mappings; only that order may differ.
fn sorted(mut desired: Desired) -> Desired {
    desired.feeds.sort_by(|a, b| a.company.cmp(&b.company));
    desired
}

/// October, both halves of November, and December.
fn rows_of(units: &[i64]) -> Vec<Row> {
    let days = [
        (date(2026, 10, 1), date(2026, 10, 31)),
        (date(2026, 11, 1), date(2026, 11, 14)),
        (date(2026, 11, 15), date(2026, 11, 30)),
        (date(2026, 12, 1), date(2026, 12, 31)),
    ];
    let row = |((start, end), units): ((Date, Date), &i64)| Row {
        start,
        end,
        units: (*units).try_into().unwrap(),
        posted: start == days[0].0,
    };
    days.into_iter().zip(units).map(row).collect()
}

fn decide(desired: &Desired, rows: &[Row]) -> Decision {
    let contract = Contract {
        id: "1".parse().unwrap(),
        account: "9".parse().unwrap(),
        name: "Managed services".into(),
        recurring: Some(PeriodType::Monthly),
        active: true,
        start: date(2026, 1, 1),
        end: date(2026, 12, 31),
        renewal: None,
    };
    Decision::between(&Situation {
        today: TODAY,
        contract: &contract,
        periods: &contract.writable_on(TODAY).unwrap(),
        timeline: &Timeline::new(rows.to_vec()),
        desired,
        history: &LineHistory::default(),
        policy: &Policy::default(),
        approval_needed: false,
        approved: None,
        not_before: None,
        prices: None,
    })
}

#[test]
fn a_mean_begins_with_the_first_complete_count_of_every_feed() {
    let alone = vec![count(37 * 24, 2, false), count(47 * 24, 10, true)];
    let average = counted(Counting::Average, std::slice::from_ref(&alone), &TimeZone::UTC).unwrap();
    assert!(average.backed);
    assert_eq!(average.because, "mean 10 over 11 days of the period from 2026-11-01");
    let beside = [vec![count(0, 30, true)], alone];
    let average = counted(Counting::Average, &beside, &TimeZone::UTC).unwrap();
    assert!(average.backed);
    assert_eq!(average.because, "mean 40 over 11 days of the period from 2026-11-01");
}

#[test]
fn what_is_kept_is_the_count_as_an_incomplete_snapshot_of_the_same_instant_raised_it() {
    for counts in [[count(0, 42, true), count(0, 50, false)], [count(0, 50, false), count(0, 42, true)]] {
        let mut feeds = feeds_of(vec![counts.into()]);
        leave_out(&mut feeds[0], 24);
        let kept = desired(&feeds, &Rule::default(), PERIOD, TODAY, &TimeZone::UTC).unwrap();
        assert_eq!(kept.units.get(), 50);
    }
}

#[test]
fn an_incomplete_count_of_the_first_day_sets_the_mark_of_its_period() {
    // 37 days after the beginning it is 1 November in UTC; an hour before, in Berlin alone.
    let counts = vec![count(0, 40, true), count(37 * 24 - 1, 50, false), count(40 * 24, 41, true)];
    let rule = Rule { counting: Counting::HighWaterMark, ..Rule::default() };
    let mark = |zone| desired(&feeds_of(vec![counts.clone()]), &rule, PERIOD, TODAY, &zone).unwrap();
    assert_eq!(mark(TimeZone::UTC).units.get(), 41);
    let in_berlin = mark(TimeZone::get("Europe/Berlin").unwrap());
    assert_eq!((in_berlin.units.get(), in_berlin.feed_count()), (50, 1));
}

#[test]
fn what_is_counted_after_an_absence_does_not_reach_back_before_it() {
    // 10 in September; absent on 25 October; 50 in an incomplete snapshot of November.
    let mut feeds = feeds_of(vec![vec![count(0, 10, true), count(45 * 24, 50, false)]]);
    leave_out(&mut feeds[0], 30 * 24);
    let rule = |counting| Rule { counting, ..Rule::default() };
    let close = desired(&feeds, &rule(Counting::PeriodClose), PERIOD, TODAY, &TimeZone::UTC).unwrap();
    assert_eq!((close.units.get(), close.may_lower), (10, true));
    let latest = desired(&feeds, &rule(Counting::Latest), PERIOD, TODAY, &TimeZone::UTC).unwrap();
    assert_eq!(latest.units.get(), 50);
}
