//! From feeds to units: absences, sums, and what incomplete snapshots may say.

use jiff::civil::date;

use super::*;

fn feed(when_absent: WhenAbsent, counts: &[(&str, i64)]) -> Feed {
    let count = |(at, units): &(&str, i64)| Count {
        as_of: at.parse().unwrap(),
        units: (*units).try_into().unwrap(),
        complete: true,
        snapshot: "earlier".parse().unwrap(),
    };
    Feed {
        company: "acme".parse().unwrap(),
        company_name: "Acme Inc.".into(),
        product: "edr".parse().unwrap(),
        counts: counts.iter().map(count).collect(),
        absent_from: Some(Absence {
            as_of: "2026-11-20T00:00:00Z".parse().unwrap(),
            snapshot: "newest".parse().unwrap(),
        }),
        when_absent,
        stale_since: None,
    }
}

fn incomplete(at: &str, units: i64) -> Count {
    Count {
        as_of: at.parse().unwrap(),
        units: units.try_into().unwrap(),
        complete: false,
        snapshot: "part".parse().unwrap(),
    }
}

fn ask(feeds: &[Feed]) -> Result<Desired, Reason> {
    let period = Period { start: date(2026, 11, 1), end: date(2026, 11, 30) };
    desired(feeds, &Rule::default(), period, date(2026, 11, 21), &TimeZone::UTC)
}

#[test]
fn a_feed_tells_the_count_that_stands_and_not_one_that_says_nothing() {
    let mut feed = feed(WhenAbsent::Keep, &[("2026-11-10T00:00:00Z", 32)]);
    feed.absent_from = None;
    let quantity = |feed: &Feed| ask(std::slice::from_ref(feed)).unwrap().feeds[0].quantity.get();
    for (at, units, stands) in
        [("2026-11-11T00:00:00Z", 28, 32), ("2026-11-12T00:00:00Z", 40, 40), ("2026-11-13T00:00:00Z", 22, 40)]
    {
        feed.counts.push(incomplete(at, units));
        assert_eq!(quantity(&feed), stands, "{at}");
    }
}

#[test]
fn an_absent_company_keeps_its_last_count_unless_its_mapping_says_otherwise() {
    let counts = [("2026-11-10T00:00:00Z", 42)];
    let keep = ask(&[feed(WhenAbsent::Keep, &counts)]).unwrap();
    assert_eq!((keep.units.get(), keep.may_lower), (42, true));
    let zero = ask(&[feed(WhenAbsent::Zero, &counts)]).unwrap();
    assert_eq!((zero.units.get(), zero.may_lower, zero.feeds[0].snapshot.as_str()), (0, true, "newest"));
    assert_eq!(ask(&[feed(WhenAbsent::Hold, &counts)]).unwrap_err().code, "company_absent");
}

#[test]
fn an_absence_is_told_as_one_and_not_as_a_count() {
    let counts = [("2026-11-10T00:00:00Z", 42)];
    let absent = "\"Acme Inc.\" is absent from the complete snapshot of edr of 2026-11-20";
    let told = |when, counts: &[(&str, i64)]| ask(&[feed(when, counts)]).unwrap().because;
    assert_eq!(told(WhenAbsent::Zero, &counts), format!("{absent} and its mapping takes that as zero (when_absent)"));
    assert_eq!(
        told(WhenAbsent::Keep, &counts),
        format!("{absent} and its mapping keeps the count before (when_absent), newest count 42 of 2026-11-20")
    );
    let waits = |counts: &[(&str, i64)]| ask(&[feed(WhenAbsent::Hold, counts)]).unwrap_err().explanation;
    let way_out = "Its mapping says to wait (when_absent: hold), so there is no target to approve.";
    let absent = "\"Acme Inc.\" is not in the newest complete snapshot of edr";
    assert_eq!(waits(&counts), format!("{absent}; its last count was 42 on 2026-11-10. {way_out}"));
    assert_eq!(waits(&[]), format!("{absent}; it was never counted before. {way_out}"));
    let many: Vec<Feed> = std::iter::repeat_with(|| feed(WhenAbsent::Zero, &counts)).take(5).collect();
    assert!(ask(&many).unwrap().because.ends_with("2 more companies of the line are absent"));
}

#[test]
fn of_several_stale_products_the_oldest_is_told() {
    let since = |feed: Feed, product: &str, since: Option<&str>| Feed {
        product: product.parse().unwrap(),
        stale_since: since.map(|since| since.parse().unwrap()),
        ..feed
    };
    let counted = || feed(WhenAbsent::Keep, &[("2026-11-10T00:00:00Z", 42)]);
    let feeds = [
        since(counted(), "edr", Some("2026-11-11T00:00:00Z")),
        since(counted(), "m365", Some("2026-11-10T00:00:00Z")),
        since(counted(), "sat", None),
    ];
    assert_eq!(ask(&feeds).unwrap().stale.unwrap().product.as_str(), "m365");
    assert_eq!(ask(&feeds[2..]).unwrap().stale, None);
}

#[test]
fn a_company_that_was_never_counted_is_unknown_and_not_zero() {
    let reason = ask(&[feed(WhenAbsent::Keep, &[])]).unwrap_err();
    assert_eq!(reason.code, "usage_missing");
    assert_eq!(reason.explanation, "No usage of edr was ever received for \"Acme Inc.\".");
}

#[test]
fn an_incomplete_count_of_the_last_period_is_not_the_mark_of_this_one() {
    let mut feed = feed(WhenAbsent::Keep, &[("2026-10-20T12:00:00Z", 40), ("2026-11-03T12:00:00Z", 41)]);
    feed.absent_from = None;
    for (at, units) in [("2026-10-25T12:00:00Z", 60), ("2026-11-02T12:00:00Z", 30)] {
        feed.counts.push(incomplete(at, units));
    }
    feed.counts.sort_by_key(|count| count.as_of);
    let period = Period { start: date(2026, 11, 1), end: date(2026, 11, 30) };
    let rule = Rule { counting: Counting::HighWaterMark, ..Rule::default() };
    let desired = desired(&[feed], &rule, period, date(2026, 11, 5), &TimeZone::UTC).unwrap();
    assert_eq!(desired.units.get(), 41);
}

fn mark(feeds: &[Feed]) -> Desired {
    let period = Period { start: date(2026, 11, 1), end: date(2026, 11, 30) };
    let rule = Rule { counting: Counting::HighWaterMark, ..Rule::default() };
    desired(feeds, &rule, period, date(2026, 11, 5), &TimeZone::UTC).unwrap()
}

#[test]
fn a_mark_is_not_the_sum_of_one_feeds_new_count_and_anothers_old_one() {
    let fell = |at: &str| {
        let mut feed = feed(WhenAbsent::Keep, &[("2026-10-31T12:00:00Z", 50), (at, 10)]);
        feed.absent_from = None;
        feed
    };
    let feeds = [fell("2026-11-01T00:10:00Z"), fell("2026-11-01T00:25:00Z")];
    assert_eq!((mark(&feeds).units.get(), mark(&feeds).may_lower), (20, true));
}

#[test]
fn an_absence_does_not_carry_what_an_incomplete_count_raised_into_the_next_period() {
    let mut feed = feed(WhenAbsent::Keep, &[("2026-10-20T12:00:00Z", 40)]);
    let raised = Count { as_of: "2026-10-25T12:00:00Z".parse().unwrap(), complete: false, ..feed.counts[0].clone() };
    feed.counts.push(Count { units: 60.try_into().unwrap(), ..raised });
    feed.absent_from =
        Some(Absence { as_of: "2026-11-02T00:00:00Z".parse().unwrap(), snapshot: "newest".parse().unwrap() });
    assert_eq!(mark(&[feed]).units.get(), 40);
}

#[test]
fn one_absent_feed_does_not_take_its_units_off_the_sum() {
    let absent = feed(WhenAbsent::Keep, &[("2026-11-10T00:00:00Z", 10)]);
    let mut present = feed(WhenAbsent::Keep, &[("2026-11-10T00:00:00Z", 20), ("2026-11-20T00:00:00Z", 15)]);
    present.absent_from = None;
    assert_eq!(ask(&[absent, present]).unwrap().units.get(), 25);
}
