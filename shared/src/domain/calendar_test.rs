//! From which day a change counts: month ends, leap days, changing clocks, far zones, odd contracts, posted and taken days.
//!
//! Each table is read two lines at a time: an instant and the partner's zone, a contract, a policy and what has befallen
//! the line; then the decision for a line that carries 40 units in every period and should carry 42.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;

use super::contract::Contract;
use super::desired::Desired;
use super::line::LineHistory;
use super::period::PeriodType;
use super::plan::{Decision, Situation};
use super::policy::{EffectiveDate, EffectiveDates, Policy};
use super::timeline::{Row, Timeline};

fn check(table: &str) {
    let lines: Vec<&str> = table.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert!(!lines.is_empty() && lines.len().is_multiple_of(2), "a table is made of pairs of lines");
    let mut wrong = String::new();
    for pair in lines.chunks(2) {
        let decided = format!("-> {}", decide(pair[0]));
        if decided != pair[1] {
            wrong += &format!("{}\n  not {}\n  but {decided}\n", pair[0], pair[1]);
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

fn decide(case: &str) -> String {
    let columns: Vec<&str> = case.split(" | ").collect();
    let [when, contract, policy, past @ ..] = columns.as_slice() else { panic!("{case}") };
    let (now, zone) = when.split_once(' ').unwrap();
    let today = now.parse::<Timestamp>().unwrap().to_zoned(TimeZone::get(zone).unwrap()).date();
    let contract = contract_of(contract);
    let periods = match contract.writable_on(today) {
        Ok(periods) => periods,
        Err(reason) => return format!("{}: {}", reason.code, reason.explanation),
    };
    let mut rows = rows_of(&contract, today);
    let mut adjusted_on = BTreeSet::new();
    for event in past {
        match event.split_once(' ').unwrap() {
            ("posted", through) => post(&mut rows, through.parse().unwrap()),
            ("adjusted", days) => adjusted_on.extend(days.split(' ').map(|day| day.parse::<Date>().unwrap())),
            (other, _) => panic!("{other}"),
        }
    }
    let effective: EffectiveDate = named(policy);
    let decision = Decision::between(&Situation {
        today,
        contract: &contract,
        periods: &periods,
        timeline: &Timeline::new(rows),
        desired: &Desired {
            units: 42.try_into().unwrap(),
            may_lower: true,
            because: String::new(),
            feeds: Vec::new(),
            stale: None,
            prices: None,
            unpriced: None,
        },
        history: &LineHistory { adjusted_on, ..LineHistory::default() },
        policy: &Policy { effective_date: EffectiveDates { rises: effective, falls: effective }, ..Policy::default() },
        approval_needed: false,
        approved: None,
        not_before: None,
        prices: None,
    });
    match decision {
        Decision::Unchanged { units, .. } => format!("unchanged at {units}"),
        Decision::Change(change) => {
            assert_eq!((change.before.get(), change.delta.get()), (40, 2));
            let share = if change.dated.prorated { "prorated" } else { "whole period" };
            format!("{}, {share}: {}", change.dated.date, change.dated.because)
        }
        Decision::Stop { reason, .. } => format!("{}: {}", reason.code, reason.explanation),
    }
}

fn named<T: DeserializeOwned>(word: &str) -> T {
    serde_json::from_value(word.into()).unwrap()
}

/// `monthly 2026-01-01 to 2026-12-31`
fn contract_of(text: &str) -> Contract {
    let words: Vec<&str> = text.split(' ').collect();
    let [every, start, "to", end] = words.as_slice() else { panic!("{text}") };
    Contract {
        id: "1".parse().unwrap(),
        account: "9".parse().unwrap(),
        name: "Managed services".into(),
        recurring: Some(named::<PeriodType>(every)),
        active: true,
        start: start.parse().unwrap(),
        end: end.parse().unwrap(),
        renewal: None,
    }
}

/// A row of 40 units for each period; the last one ends with the contract.
fn rows_of(contract: &Contract, today: Date) -> Vec<Row> {
    let periods = contract.writable_on(today).unwrap();
    let mut rows = Vec::new();
    let mut day = contract.start;
    while day <= contract.end {
        let period = periods.containing(day).unwrap();
        assert!(period.contains(day), "{period:?} without {day}");
        rows.push(Row { start: day, end: period.end.min(contract.end), units: 40.try_into().unwrap(), posted: false });
        day = period.end.tomorrow().unwrap();
    }
    rows
}

/// Marks the rows through a day as posted; a row that goes on after it is parted there.
fn post(rows: &mut Vec<Row>, through: Date) {
    for index in 0..rows.len() {
        if rows[index].start <= through && through < rows[index].end {
            let rest = Row { start: through.tomorrow().unwrap(), ..rows[index].clone() };
            rows.push(rest);
            rows[index].end = through;
        }
        rows[index].posted = rows[index].end <= through;
    }
}

#[test]
fn a_month_ends_at_the_partners_midnight() {
    check(
        "
        2026-11-30T22:59:59Z Europe/Berlin | monthly 2026-01-01 to 2027-12-31 | period_start
        -> 2026-11-01, whole period: start of the billing period
        2026-11-30T23:00:00Z Europe/Berlin | monthly 2026-01-01 to 2027-12-31 | period_start
        -> 2026-12-01, whole period: start of the billing period
        2026-11-30T23:00:00Z Europe/Berlin | monthly 2026-01-01 to 2027-12-31 | today
        -> 2026-12-01, whole period: day of the run
        2026-11-30T22:59:59Z Europe/Berlin | monthly 2026-01-01 to 2027-12-31 | today
        -> 2026-11-30, prorated: day of the run
        2026-11-30T22:59:59Z Europe/Berlin | monthly 2026-01-01 to 2027-12-31 | next_period_start
        -> 2026-12-01, whole period: start of the next billing period
        2026-11-30T23:00:00Z Europe/Berlin | monthly 2026-01-01 to 2027-12-31 | next_period_start
        -> 2027-01-01, whole period: start of the next billing period
        2026-12-31T23:00:00Z Europe/Berlin | monthly 2026-01-01 to 2027-12-31 | period_start
        -> 2027-01-01, whole period: start of the billing period
        2027-01-01T04:59:59Z America/New_York | monthly 2026-01-01 to 2027-12-31 | period_start
        -> 2026-12-01, whole period: start of the billing period
        ",
    );
}

#[test]
fn leap_days_are_days_like_others() {
    check(
        "
        2028-02-28T12:00:00Z UTC | monthly 2028-01-01 to 2028-12-31 | next_period_start
        -> 2028-03-01, whole period: start of the next billing period
        2028-02-29T12:00:00Z UTC | monthly 2028-01-01 to 2028-12-31 | period_start
        -> 2028-02-01, whole period: start of the billing period
        2028-02-29T12:00:00Z UTC | monthly 2028-01-01 to 2028-12-31 | today
        -> 2028-02-29, prorated: day of the run
        2028-02-28T12:00:00Z UTC | monthly 2028-01-30 to 2029-01-29 | period_start
        -> 2028-01-30, whole period: start of the billing period
        2028-02-29T12:00:00Z UTC | monthly 2028-01-30 to 2029-01-29 | period_start
        -> 2028-02-29, whole period: start of the billing period
        2027-02-28T12:00:00Z UTC | monthly 2027-01-29 to 2028-01-28 | period_start
        -> 2027-02-28, whole period: start of the billing period
        2029-02-27T12:00:00Z UTC | yearly 2028-02-29 to 2033-02-27 | next_period_start
        -> 2029-02-28, whole period: start of the next billing period
        2029-02-28T12:00:00Z UTC | yearly 2028-02-29 to 2033-02-27 | today
        -> 2029-02-28, whole period: day of the run
        2032-02-28T12:00:00Z UTC | yearly 2028-02-29 to 2033-02-27 | period_start
        -> 2031-02-28, whole period: start of the billing period
        2032-02-29T12:00:00Z UTC | yearly 2028-02-29 to 2033-02-27 | period_start
        -> 2032-02-29, whole period: start of the billing period
        2028-02-29T12:00:00Z UTC | monthly 2028-02-01 to 2028-02-29 | next_period_start
        -> no_period_ahead: From 40 to 42 would count from the next period; the contract ends on 2028-02-29.
        ",
    );
}

#[test]
fn a_day_of_changing_clocks_is_one_day() {
    check(
        "
        2026-03-28T22:59:59Z Europe/Berlin | monthly 2026-01-01 to 2026-12-31 | today
        -> 2026-03-28, prorated: day of the run
        2026-03-28T23:00:00Z Europe/Berlin | monthly 2026-01-01 to 2026-12-31 | today
        -> 2026-03-29, prorated: day of the run
        2026-03-29T21:59:59Z Europe/Berlin | monthly 2026-01-01 to 2026-12-31 | today
        -> 2026-03-29, prorated: day of the run
        2026-03-29T22:00:00Z Europe/Berlin | monthly 2026-01-01 to 2026-12-31 | today
        -> 2026-03-30, prorated: day of the run
        2026-10-24T22:00:00Z Europe/Berlin | monthly 2026-01-01 to 2026-12-31 | today
        -> 2026-10-25, prorated: day of the run
        2026-10-25T00:30:00Z Europe/Berlin | monthly 2026-01-01 to 2026-12-31 | today
        -> 2026-10-25, prorated: day of the run
        2026-10-25T01:30:00Z Europe/Berlin | monthly 2026-01-01 to 2026-12-31 | today
        -> 2026-10-25, prorated: day of the run
        2026-10-25T22:59:59Z Europe/Berlin | monthly 2026-01-01 to 2026-12-31 | today
        -> 2026-10-25, prorated: day of the run
        2026-10-25T23:00:00Z Europe/Berlin | monthly 2026-01-01 to 2026-12-31 | today
        -> 2026-10-26, prorated: day of the run
        2026-11-01T03:59:59Z America/New_York | monthly 2026-01-01 to 2026-12-31 | period_start
        -> 2026-10-01, whole period: start of the billing period
        2026-11-01T04:00:00Z America/New_York | monthly 2026-01-01 to 2026-12-31 | period_start
        -> 2026-11-01, whole period: start of the billing period
        2026-11-02T04:59:59Z America/New_York | monthly 2026-01-01 to 2026-12-31 | today
        -> 2026-11-01, whole period: day of the run
        2026-03-08T06:59:59Z America/New_York | monthly 2026-01-08 to 2026-12-31 | period_start
        -> 2026-03-08, whole period: start of the billing period
        2026-03-08T04:59:59Z America/New_York | monthly 2026-01-08 to 2026-12-31 | period_start
        -> 2026-02-08, whole period: start of the billing period
        ",
    );
}

#[test]
fn one_instant_is_another_day_at_the_ends_of_the_earth() {
    check(
        "
        2026-12-01T10:59:59Z Pacific/Pago_Pago | monthly 2026-01-01 to 2027-12-31 | period_start
        -> 2026-11-01, whole period: start of the billing period
        2026-12-01T11:00:00Z Pacific/Pago_Pago | monthly 2026-01-01 to 2027-12-31 | period_start
        -> 2026-12-01, whole period: start of the billing period
        2026-11-30T10:59:59Z Pacific/Apia | monthly 2026-01-01 to 2027-12-31 | period_start
        -> 2026-11-01, whole period: start of the billing period
        2026-11-30T11:00:00Z Pacific/Apia | monthly 2026-01-01 to 2027-12-31 | period_start
        -> 2026-12-01, whole period: start of the billing period
        2026-11-30T11:00:00Z Pacific/Apia | monthly 2026-01-01 to 2027-12-31 | today
        -> 2026-12-01, whole period: day of the run
        2026-11-30T11:00:00Z Pacific/Pago_Pago | monthly 2026-01-01 to 2027-12-31 | today
        -> 2026-11-30, prorated: day of the run
        2026-11-30T10:59:59Z Pacific/Pago_Pago | monthly 2026-01-01 to 2027-12-31 | today
        -> 2026-11-29, prorated: day of the run
        2026-12-31T11:00:00Z Pacific/Apia | monthly 2026-01-01 to 2026-12-31 | today
        -> contract_ended: \"Managed services\" ended on 2026-12-31.
        2026-12-31T11:00:00Z Pacific/Pago_Pago | monthly 2026-01-01 to 2026-12-31 | today
        -> 2026-12-31, prorated: day of the run
        2026-01-01T10:59:59Z Pacific/Pago_Pago | monthly 2026-01-01 to 2026-12-31 | today
        -> contract_not_started: \"Managed services\" begins on 2026-01-01.
        2028-02-28T11:00:00Z Pacific/Apia | monthly 2028-01-29 to 2028-12-31 | period_start
        -> 2028-02-29, whole period: start of the billing period
        ",
    );
}

#[test]
fn periods_from_the_31st_begin_on_the_last_day_of_shorter_months() {
    check(
        "
        2026-02-27T12:00:00Z UTC | monthly 2026-01-31 to 2027-01-30 | period_start
        -> 2026-01-31, whole period: start of the billing period
        2026-02-28T12:00:00Z UTC | monthly 2026-01-31 to 2027-01-30 | period_start
        -> 2026-02-28, whole period: start of the billing period
        2026-03-30T12:00:00Z UTC | monthly 2026-01-31 to 2027-01-30 | period_start
        -> 2026-02-28, whole period: start of the billing period
        2026-03-30T12:00:00Z UTC | monthly 2026-01-31 to 2027-01-30 | next_period_start
        -> 2026-03-31, whole period: start of the next billing period
        2026-03-31T12:00:00Z UTC | monthly 2026-01-31 to 2027-01-30 | next_period_start
        -> 2026-04-30, whole period: start of the next billing period
        2026-04-30T12:00:00Z UTC | monthly 2026-01-31 to 2027-01-30 | today
        -> 2026-04-30, whole period: day of the run
        2026-05-30T12:00:00Z UTC | monthly 2026-01-31 to 2027-01-30 | today
        -> 2026-05-30, prorated: day of the run
        2028-02-29T12:00:00Z UTC | monthly 2028-01-31 to 2029-01-30 | period_start
        -> 2028-02-29, whole period: start of the billing period
        2026-11-30T12:00:00Z UTC | quarterly 2026-08-31 to 2027-08-30 | period_start
        -> 2026-11-30, whole period: start of the billing period
        2027-02-27T12:00:00Z UTC | quarterly 2026-08-31 to 2027-08-30 | next_period_start
        -> 2027-02-28, whole period: start of the next billing period
        ",
    );
}

#[test]
fn longer_periods_are_counted_from_the_contracts_start() {
    check(
        "
        2026-11-21T12:00:00Z UTC | quarterly 2026-01-15 to 2028-01-14 | period_start
        -> 2026-10-15, whole period: start of the billing period
        2026-10-14T12:00:00Z UTC | quarterly 2026-01-15 to 2028-01-14 | period_start
        -> 2026-07-15, whole period: start of the billing period
        2026-11-21T12:00:00Z UTC | quarterly 2026-01-15 to 2028-01-14 | next_period_start
        -> 2027-01-15, whole period: start of the next billing period
        2026-11-15T12:00:00Z UTC | quarterly 2026-01-15 to 2028-01-14 | today
        -> 2026-11-15, prorated: day of the run
        2026-11-21T12:00:00Z UTC | semi_annual 2026-03-01 to 2028-02-29 | period_start
        -> 2026-09-01, whole period: start of the billing period
        2027-02-28T12:00:00Z UTC | semi_annual 2026-03-01 to 2028-02-29 | next_period_start
        -> 2027-03-01, whole period: start of the next billing period
        2026-08-31T12:00:00Z UTC | semi_annual 2026-03-01 to 2028-02-29 | period_start
        -> 2026-03-01, whole period: start of the billing period
        2026-11-21T12:00:00Z UTC | yearly 2025-12-01 to 2028-11-30 | period_start
        -> 2025-12-01, whole period: start of the billing period
        2026-12-01T12:00:00Z UTC | yearly 2025-12-01 to 2028-11-30 | today
        -> 2026-12-01, whole period: day of the run
        2026-11-21T12:00:00Z UTC | yearly 2025-12-01 to 2028-11-30 | next_period_start
        -> 2026-12-01, whole period: start of the next billing period
        ",
    );
}

#[test]
fn a_change_lies_within_its_contract() {
    check(
        "
        2026-05-31T12:00:00Z UTC | monthly 2026-06-01 to 2026-12-31 | period_start
        -> contract_not_started: \"Managed services\" begins on 2026-06-01.
        2026-06-01T12:00:00Z UTC | monthly 2026-06-01 to 2026-12-31 | period_start
        -> 2026-06-01, whole period: start of the billing period
        2026-06-01T12:00:00Z UTC | monthly 2026-06-01 to 2026-12-31 | today
        -> 2026-06-01, whole period: day of the run
        2026-12-31T12:00:00Z UTC | monthly 2026-06-01 to 2026-12-31 | period_start
        -> 2026-12-01, whole period: start of the billing period
        2026-12-31T12:00:00Z UTC | monthly 2026-06-01 to 2026-12-31 | today
        -> 2026-12-31, prorated: day of the run
        2026-11-30T12:00:00Z UTC | monthly 2026-06-01 to 2026-12-31 | next_period_start
        -> 2026-12-01, whole period: start of the next billing period
        2026-12-01T12:00:00Z UTC | monthly 2026-06-01 to 2026-12-31 | next_period_start
        -> no_period_ahead: From 40 to 42 would count from the next period; the contract ends on 2026-12-31.
        2027-01-01T12:00:00Z UTC | monthly 2026-06-01 to 2026-12-31 | period_start
        -> contract_ended: \"Managed services\" ended on 2026-12-31.
        2026-12-10T12:00:00Z UTC | monthly 2026-06-01 to 2026-12-15 | period_start
        -> 2026-12-01, whole period: start of the billing period
        2026-12-15T12:00:00Z UTC | monthly 2026-06-01 to 2026-12-15 | today
        -> 2026-12-15, prorated: day of the run
        2026-12-10T12:00:00Z UTC | monthly 2026-06-01 to 2026-12-15 | next_period_start
        -> no_period_ahead: From 40 to 42 would count from the next period; the contract ends on 2026-12-15.
        2026-11-10T12:00:00Z UTC | monthly 2026-06-01 to 2026-12-01 | next_period_start
        -> 2026-12-01, whole period: start of the next billing period
        2026-11-10T12:00:00Z UTC | yearly 2026-06-01 to 2026-12-01 | next_period_start
        -> no_period_ahead: From 40 to 42 would count from the next period; the contract ends on 2026-12-01.
        2026-06-01T12:00:00Z UTC | monthly 2026-06-01 to 2026-06-01 | period_start
        -> 2026-06-01, whole period: start of the billing period
        ",
    );
}

#[test]
fn a_change_begins_after_the_last_posted_day() {
    check(
        "
        2026-11-21T12:00:00Z UTC | monthly 2026-01-01 to 2027-12-31 | period_start | posted 2026-10-31
        -> 2026-11-01, whole period: start of the billing period
        2026-11-21T12:00:00Z UTC | monthly 2026-01-01 to 2027-12-31 | today | posted 2026-11-30
        -> 2026-12-01, whole period: day of the run, moved past 2026-11-30, through which the contract is posted
        2026-11-30T12:00:00Z UTC | monthly 2026-01-01 to 2027-12-31 | today | posted 2026-11-30
        -> 2026-12-01, whole period: day of the run, moved past 2026-11-30, through which the contract is posted
        2026-11-21T12:00:00Z UTC | monthly 2026-01-01 to 2027-12-31 | next_period_start | posted 2026-11-30
        -> 2026-12-01, whole period: start of the next billing period
        2026-11-21T12:00:00Z UTC | monthly 2026-01-01 to 2027-12-31 | period_start | posted 2026-12-31
        -> 2027-01-01, whole period: start of the billing period, moved past 2026-12-31, through which the contract \
        is posted
        2026-11-21T12:00:00Z UTC | monthly 2026-01-01 to 2027-12-31 | next_period_start | posted 2026-12-31
        -> 2027-01-01, whole period: start of the next billing period, moved past 2026-12-31, through which the \
        contract is posted
        2026-11-21T12:00:00Z UTC | quarterly 2026-01-01 to 2027-12-31 | period_start | posted 2026-12-31
        -> 2027-01-01, whole period: start of the billing period, moved past 2026-12-31, through which the contract \
        is posted
        2026-11-21T12:00:00Z UTC | monthly 2026-01-01 to 2026-12-31 | period_start | posted 2026-12-31
        -> no_date_left: No day up to 2026-12-31 is free for an adjustment of this line.
        2026-11-21T12:00:00Z UTC | monthly 2026-01-01 to 2026-12-31 | next_period_start | posted 2026-12-30
        -> no_date_left: No day up to 2026-12-31 is free for an adjustment of this line.
        2028-02-10T12:00:00Z UTC | monthly 2028-01-01 to 2028-12-31 | today | posted 2028-02-29
        -> 2028-03-01, whole period: day of the run, moved past 2028-02-29, through which the contract is posted
        2026-02-10T12:00:00Z UTC | monthly 2026-01-31 to 2026-12-31 | period_start | posted 2026-02-27
        -> 2026-02-28, whole period: start of the billing period, moved past 2026-02-27, through which the contract \
        is posted
        ",
    );
}

#[test]
fn a_row_that_is_parted_at_today_carries_an_adjustment_on_its_second_part() {
    check(
        "
        2026-11-21T12:00:00Z UTC | monthly 2026-01-01 to 2027-12-31 | today | posted 2026-11-21
        -> 2026-11-23, prorated: day of the run, moved past 2026-11-21, through which the contract is posted, \
        moved past 2026-11-22, which carries an adjustment already
        2026-11-21T12:00:00Z UTC | monthly 2026-01-01 to 2027-12-31 | today | posted 2026-11-20
        -> 2026-11-22, prorated: day of the run, moved past 2026-11-21, which carries an adjustment already
        2026-11-21T12:00:00Z UTC | monthly 2026-01-01 to 2027-12-31 | today | posted 2026-11-19
        -> 2026-11-21, prorated: day of the run
        ",
    );
}

#[test]
fn a_day_that_was_adjusted_is_left_for_the_next_free_one() {
    check(
        "
        2026-11-21T12:00:00Z UTC | monthly 2026-01-01 to 2027-12-31 | period_start | adjusted 2026-11-01
        -> 2026-11-02, prorated: start of the billing period, moved past 2026-11-01, which carries an adjustment \
        already
        2026-11-21T12:00:00Z UTC | monthly 2026-01-01 to 2027-12-31 | period_start | adjusted 2026-11-02
        -> 2026-11-01, whole period: start of the billing period
        2026-11-30T12:00:00Z UTC | monthly 2026-01-01 to 2027-12-31 | today | adjusted 2026-11-30
        -> 2026-12-01, whole period: day of the run, moved past 2026-11-30, which carries an adjustment already
        2026-11-30T12:00:00Z UTC | monthly 2026-01-01 to 2027-12-31 | today | adjusted 2026-11-30 2026-12-01
        -> 2026-12-02, prorated: day of the run, moved on to 2026-12-01, from which our last change counts, moved past \
        2026-12-01, which carries an adjustment already
        2026-11-21T12:00:00Z UTC | monthly 2026-01-01 to 2027-12-31 | next_period_start | adjusted 2026-12-01
        -> 2026-12-02, prorated: start of the next billing period, moved past 2026-12-01, which carries an \
        adjustment already
        2026-01-01T12:00:00Z UTC | monthly 2026-01-01 to 2027-12-31 | today | adjusted 2026-01-01
        -> 2026-01-02, prorated: day of the run, moved past 2026-01-01, which carries an adjustment already
        2026-12-30T12:00:00Z UTC | monthly 2026-01-01 to 2026-12-31 | today | adjusted 2026-12-30
        -> 2026-12-31, prorated: day of the run, moved past 2026-12-30, which carries an adjustment already
        2026-12-31T12:00:00Z UTC | monthly 2026-01-01 to 2026-12-31 | today | adjusted 2026-12-31
        -> no_date_left: No day up to 2026-12-31 is free for an adjustment of this line.
        2028-02-28T12:00:00Z UTC | monthly 2028-01-01 to 2028-12-31 | today | adjusted 2028-02-28
        -> 2028-02-29, prorated: day of the run, moved past 2028-02-28, which carries an adjustment already
        2028-02-29T12:00:00Z UTC | monthly 2028-01-01 to 2028-12-31 | today | adjusted 2028-02-29
        -> 2028-03-01, whole period: day of the run, moved past 2028-02-29, which carries an adjustment already
        ",
    );
}
