//! The money rules of one line, each as a sentence.

use std::collections::BTreeSet;

use jiff::civil::date;
use proptest::prelude::*;

use super::super::desired::Desired;
use super::super::line::Confirmed;
use super::super::period::PeriodType;
use super::super::policy::EffectiveDates;
use super::super::timeline::Row;
use super::*;

const TODAY: Date = date(2026, 11, 21);

/// A line of a monthly contract that began on 1 January 2026, asked about on 21 November.
struct Case {
    contract: Contract,
    rows: Vec<Row>,
    desired: Desired,
    history: LineHistory,
    policy: Policy,
    approval_needed: bool,
    approved: Option<Approval>,
    not_before: Option<Date>,
}

fn units(n: i64) -> Units {
    n.try_into().unwrap()
}

fn row(start: Date, end: Date, n: i64) -> Row {
    Row { start, end, units: units(n), posted: false }
}

/// October, November, December and January with the same units.
fn months(n: i64) -> Vec<Row> {
    vec![
        row(date(2026, 10, 1), date(2026, 10, 31), n),
        row(date(2026, 11, 1), date(2026, 11, 30), n),
        row(date(2026, 12, 1), date(2026, 12, 31), n),
        row(date(2027, 1, 1), date(2027, 1, 31), n),
    ]
}

impl Case {
    fn of(held: i64, target: i64) -> Self {
        Self {
            contract: Contract {
                id: "1".parse().unwrap(),
                account: "9".parse().unwrap(),
                name: "Managed services".into(),
                recurring: Some(PeriodType::Monthly),
                active: true,
                start: date(2026, 1, 1),
                end: date(2027, 1, 31),
                renewal: None,
            },
            rows: months(held),
            desired: Desired {
                units: units(target),
                may_lower: true,
                because: "newest count".into(),
                feeds: Vec::new(),
                stale: None,
                prices: None,
                unpriced: None,
            },
            history: LineHistory::default(),
            policy: Policy::default(),
            approval_needed: false,
            approved: None,
            not_before: None,
        }
    }

    fn confirmed(mut self, n: i64, from: Date) -> Self {
        self.history.confirmed = Some(Confirmed { units: units(n), from, feeds: 0 });
        self
    }

    fn decide(&self) -> Decision {
        let periods = self.contract.writable_on(TODAY).unwrap();
        Decision::between(&Situation {
            today: TODAY,
            contract: &self.contract,
            periods: &periods,
            timeline: &Timeline::new(self.rows.clone()),
            desired: &self.desired,
            history: &self.history,
            policy: &self.policy,
            approval_needed: self.approval_needed,
            approved: self.approved,
            not_before: self.not_before,
            prices: None,
        })
    }

    /// `unchanged 42`, `40 +2 2026-11-01`, or the code that stops it.
    fn outcome(&self) -> String {
        match self.decide() {
            Decision::Unchanged { units, .. } => format!("unchanged {units}"),
            Decision::Change(change) => format!("{} {} {}", change.before, change.delta, change.dated.date),
            Decision::Stop { reason, .. } => reason.code,
        }
    }
}

#[test]
fn a_change_never_reaches_into_days_that_the_contract_before_billed() {
    let follows = |first: Date| Case { not_before: Some(first), ..Case::of(40, 42) };
    let case = follows(date(2026, 11, 11));
    assert_eq!(case.outcome(), "40 +2 2026-11-11");
    let Decision::Change(change) = case.decide() else { panic!("{:?}", case.decide()) };
    assert_eq!(
        (change.dated.because.as_str(), change.dated.prorated),
        (
            "start of the billing period, moved on to 2026-11-11, up to which the contract that it follows is billed",
            true
        )
    );
    assert_eq!(follows(date(2026, 10, 11)).outcome(), "40 +2 2026-11-01", "long over");
    let mut taken = follows(date(2026, 11, 11));
    taken.history.adjusted_on = BTreeSet::from([date(2026, 11, 11)]);
    assert_eq!(taken.outcome(), "40 +2 2026-11-12");
    // Nor is it judged on one of them.
    assert_eq!(follows(date(2026, 11, 25)).outcome(), "40 +2 2026-11-25");
    let mut today = follows(date(2026, 11, 25));
    today.policy.effective_date.rises = EffectiveDate::Today;
    assert_eq!(today.outcome(), "40 +2 2026-11-25");
}

#[test]
fn a_line_that_is_right_is_left_alone() {
    assert_eq!(Case::of(42, 42).outcome(), "unchanged 42");
}

#[test]
fn a_change_is_a_signed_difference_from_the_start_of_the_period() {
    assert_eq!(Case::of(40, 42).outcome(), "40 +2 2026-11-01");
    assert_eq!(Case::of(42, 40).outcome(), "42 -2 2026-11-01");
    assert_eq!(Case::of(3, 0).outcome(), "3 -3 2026-11-01");
}

#[test]
fn rises_and_falls_follow_policies_of_their_own() {
    let mut case = Case::of(40, 42);
    case.policy.effective_date.rises = EffectiveDate::Today;
    assert_eq!(case.outcome(), "40 +2 2026-11-21");
    case.policy.effective_date.rises = EffectiveDate::NextPeriodStart;
    assert_eq!(case.outcome(), "40 +2 2026-12-01");
    let mut case = Case::of(42, 40);
    case.policy.effective_date.falls = EffectiveDate::NextPeriodStart;
    assert_eq!(case.outcome(), "42 -2 2026-12-01");
    assert_eq!(Case { desired: Case::of(0, 43).desired, ..case }.outcome(), "42 +1 2026-11-01");
}

#[test]
fn a_change_that_is_due_later_is_not_planned_again_before() {
    // Last week's fall to 40 counts from December; November still shows 42.
    let mut case = Case::of(42, 40).confirmed(40, date(2026, 12, 1));
    case.policy.effective_date.falls = EffectiveDate::NextPeriodStart;
    for row in &mut case.rows[2..] {
        row.units = units(40);
    }
    case.history.adjusted_on = BTreeSet::from([date(2026, 12, 1)]);
    assert_eq!(case.outcome(), "unchanged 40");
    case.desired.units = units(41);
    assert_eq!(case.outcome(), "40 +1 2026-12-02", "1 December carries the fall");
    case.desired.units = units(60);
    assert_eq!(case.outcome(), "later_change", "a rise that is due today must not wait for December unseen");
}

#[test]
fn what_is_remembered_as_right_is_what_was_judged() {
    let mut case = Case::of(40, 42);
    case.policy.effective_date =
        EffectiveDates { rises: EffectiveDate::NextPeriodStart, falls: EffectiveDate::NextPeriodStart };
    for row in &mut case.rows[2..] {
        row.units = units(42);
    }
    assert_eq!(case.decide(), Decision::Unchanged { units: units(42), from: date(2026, 12, 1), prices_left: None });
}

#[test]
fn a_line_that_lost_a_feed_is_not_lowered_without_a_person() {
    let mut case = Case::of(42, 40).confirmed(42, date(2026, 11, 1));
    case.history.confirmed = case.history.confirmed.map(|confirmed| Confirmed { feeds: 1, ..confirmed });
    assert_eq!(case.outcome(), "feeds_fewer");
    case.approved = Some(Approval { before: units(42), target: units(40), prices: None });
    assert_eq!(case.outcome(), "42 -2 2026-11-01");
    let raised = Case { desired: Case::of(0, 45).desired, approved: None, ..case };
    assert_eq!(raised.outcome(), "42 +3 2026-11-01");
}

#[test]
fn only_a_complete_snapshot_may_lower_a_line() {
    let mut case = Case::of(42, 40);
    case.desired.may_lower = false;
    assert_eq!(case.outcome(), "usage_incomplete");
    assert_eq!(
        Case { desired: Desired { units: units(43), ..case.desired.clone() }, ..case }.outcome(),
        "42 +1 2026-11-01"
    );
}

#[test]
fn drift_is_held_or_overwritten_as_the_policy_says() {
    let mut case = Case::of(40, 45).confirmed(42, date(2026, 11, 1));
    assert_eq!(case.outcome(), "drift");
    case.policy.drift = Drift::Overwrite;
    assert_eq!(case.outcome(), "40 +5 2026-11-01");
    // Someone edited the line to what it should be anyway.
    assert_eq!(Case::of(45, 45).confirmed(42, date(2026, 11, 1)).outcome(), "unchanged 45");
}

#[test]
fn a_large_change_is_held_until_that_very_change_is_approved() {
    let mut case = Case::of(100, 20).confirmed(100, date(2026, 10, 1));
    assert_eq!(case.outcome(), "fall_guard");
    case.approved = Some(Approval { before: units(100), target: units(30), prices: None });
    assert_eq!(case.outcome(), "fall_guard", "another change was approved");
    case.approved = Some(Approval { before: units(100), target: units(20), prices: None });
    assert_eq!(case.outcome(), "100 -80 2026-11-01");
}

#[test]
fn an_approval_does_not_make_up_for_missing_data() {
    let mut case = Case::of(42, 40);
    case.desired.may_lower = false;
    case.approved = Some(Approval { before: units(42), target: units(40), prices: None });
    assert_eq!(case.outcome(), "usage_incomplete");
}

#[test]
fn the_first_write_adopts_what_it_finds_and_guards_falls_alone() {
    assert_eq!(Case::of(0, 500).outcome(), "0 +500 2026-11-01");
    assert_eq!(Case::of(500, 0).outcome(), "fall_guard");
    assert_eq!(Case::of(5, 500).confirmed(5, date(2026, 10, 1)).outcome(), "rise_guard");
}

#[test]
fn a_policy_can_have_every_change_approved_first() {
    let mut case = Case::of(40, 42);
    case.approval_needed = true;
    assert_eq!(case.outcome(), "approval_needed");
    case.approved = Some(Approval { before: units(40), target: units(42), prices: None });
    assert_eq!(case.outcome(), "40 +2 2026-11-01");
}

#[test]
fn a_date_that_carries_an_adjustment_is_moved_past() {
    let mut case = Case::of(40, 42);
    case.history.adjusted_on = BTreeSet::from([date(2026, 11, 1), date(2026, 11, 2)]);
    assert_eq!(case.outcome(), "40 +2 2026-11-03");
    // Someone else's adjustment on the 10th shows in the rows.
    let mut case = Case::of(40, 42);
    case.rows[1].end = date(2026, 11, 9);
    case.rows[1].units = units(38);
    case.rows.push(row(date(2026, 11, 10), date(2026, 11, 30), 40));
    assert_eq!(case.outcome(), "40 +2 2026-11-11");
}

#[test]
fn a_change_is_not_dated_back_past_a_day_with_other_units() {
    // Counted at 38 until yesterday: dating back to the 1st would make those days 40.
    let mut case = Case::of(40, 42);
    case.rows[1] = row(date(2026, 11, 21), date(2026, 11, 30), 40);
    case.rows.push(row(date(2026, 11, 1), date(2026, 11, 20), 38));
    assert_eq!(case.outcome(), "40 +2 2026-11-22");
}

#[test]
fn posted_days_are_never_touched() {
    let mut case = Case::of(40, 42);
    case.rows[0].posted = true;
    assert_eq!(case.outcome(), "40 +2 2026-11-01");
    case.rows[1].posted = true;
    let Decision::Change(change) = case.decide() else { panic!("no change: {}", case.outcome()) };
    assert_eq!(change.dated.date, date(2026, 12, 1));
    assert_eq!(
        change.dated.because,
        "start of the billing period, moved past 2026-11-30, through which the contract is posted"
    );
    for row in &mut case.rows {
        row.posted = true;
    }
    assert_eq!(case.outcome(), "no_date_left");
}

#[test]
fn a_later_change_of_the_line_is_never_shifted() {
    let mut case = Case::of(40, 42);
    case.rows[3].units = units(60);
    assert_eq!(case.outcome(), "later_change");
    assert_eq!(Case { desired: Case::of(0, 40).desired, ..case }.outcome(), "unchanged 40");
}

#[test]
fn of_a_rise_and_a_fall_the_earlier_comes_first() {
    // 45 now and 40 from December: too many today, too few then.
    let mut case = Case::of(45, 42);
    case.policy.effective_date.rises = EffectiveDate::NextPeriodStart;
    for row in &mut case.rows[2..] {
        row.units = units(40);
    }
    assert_eq!(case.outcome(), "later_change", "not a rise in December while November bills three too many");
    // The other way round.
    let mut case = Case::of(40, 42);
    case.policy.effective_date.falls = EffectiveDate::NextPeriodStart;
    for row in &mut case.rows[2..] {
        row.units = units(45);
    }
    assert_eq!(case.outcome(), "later_change");
}

#[test]
fn a_fall_that_is_due_today_does_not_hide_behind_a_rise_dated_ahead() {
    let mut case = Case::of(45, 42).confirmed(50, date(2026, 12, 1));
    case.history.adjusted_on = BTreeSet::from([date(2026, 12, 1)]);
    case.policy.effective_date.rises = EffectiveDate::NextPeriodStart;
    for row in &mut case.rows[2..] {
        row.units = units(50);
    }
    assert_eq!(case.outcome(), "later_change");
    // What goes the same way waits for the day on which the line carries other units.
    for row in &mut case.rows[2..] {
        row.units = units(44);
    }
    case.history.confirmed = Some(Confirmed { units: units(44), from: date(2026, 12, 1), feeds: 0 });
    assert_eq!(case.outcome(), "44 -2 2026-12-02");
}

#[test]
fn a_change_that_waits_for_the_one_before_it_says_so() {
    let mut case = Case::of(42, 41).confirmed(40, date(2026, 12, 1));
    case.history.adjusted_on = BTreeSet::from([date(2026, 12, 1)]);
    case.policy.effective_date.falls = EffectiveDate::NextPeriodStart;
    for row in &mut case.rows[2..] {
        row.units = units(40);
    }
    for (policy, named) in [
        (EffectiveDate::Today, "day of the run"),
        (EffectiveDate::PeriodStart, "start of the billing period"),
        (EffectiveDate::NextPeriodStart, "start of the next billing period"),
    ] {
        case.policy.effective_date.rises = policy;
        let Decision::Change(change) = case.decide() else { panic!("no change: {}", case.outcome()) };
        let moved = if policy == EffectiveDate::NextPeriodStart {
            ""
        } else {
            ", moved on to 2026-12-01, from which our last change counts"
        };
        let taken = "moved past 2026-12-01, which carries an adjustment already";
        assert_eq!(change.dated.because, format!("{named}{moved}, {taken}"));
        assert_eq!(change.dated.date, date(2026, 12, 2));
    }
}

#[test]
fn no_change_lies_beyond_the_contract_or_the_rows_that_were_read() {
    let mut case = Case::of(40, 42);
    case.contract.end = date(2026, 11, 30);
    case.rows[1].posted = true;
    assert_eq!(case.outcome(), "no_date_left", "December's row is no part of the contract");
    let mut case = Case::of(40, 42);
    case.rows.truncate(2);
    case.rows[1].posted = true;
    assert_eq!(case.outcome(), "no_date_left", "December was not read");
}

#[test]
fn a_day_without_units_stops_the_line() {
    let mut case = Case::of(40, 42);
    case.rows.remove(1);
    assert_eq!(case.outcome(), "no_units_on_date");
}

#[test]
fn proration_is_foretold() {
    let prorated = |case: &Case| match case.decide() {
        Decision::Change(change) => change.dated.prorated,
        other => panic!("{other:?}"),
    };
    let mut case = Case::of(40, 42);
    assert!(!prorated(&case));
    case.policy.effective_date.rises = EffectiveDate::Today;
    assert!(prorated(&case));
}

proptest! {
    #[test]
    fn whatever_is_decided_is_safe(
        held in 0..200i64,
        later in proptest::option::of(0..200i64),
        target in 0..200i64,
        may_lower: bool,
        confirmed in proptest::option::of((0..200i64, 0..3usize)),
        posted in 0..4usize,
        adjusted in proptest::collection::btree_set(1..30i8, 0..5),
        rises in 0..3usize,
        falls in 0..3usize,
    ) {
        let policies = [EffectiveDate::PeriodStart, EffectiveDate::Today, EffectiveDate::NextPeriodStart];
        let mut case = Case::of(held, target);
        case.desired.may_lower = may_lower;
        case.policy.effective_date.rises = policies[rises];
        case.policy.effective_date.falls = policies[falls];
        case.history.adjusted_on = adjusted.iter().map(|day| date(2026, 11, *day)).collect();
        if let Some(later) = later {
            case.rows[3].units = units(later);
        }
        if let Some((n, when)) = confirmed {
            case = case.confirmed(n, [date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)][when]);
        }
        for row in &mut case.rows[..posted] {
            row.posted = true;
        }
        let timeline = Timeline::new(case.rows.clone());
        match case.decide() {
            Decision::Unchanged { .. } => {
                let from = case.history.confirmed.map_or(TODAY, |c| c.from.max(TODAY));
                let judged = |policy| if policy == EffectiveDate::NextPeriodStart { from.max(date(2026, 12, 1)) } else { from };
                let target = case.desired.units;
                prop_assert!(timeline.at(judged(policies[rises])) >= Some(target), "too few, and left so");
                prop_assert!(timeline.at(judged(policies[falls])) <= Some(target), "too many, and left so");
            }
            Decision::Change(change) => {
                let day = change.dated.date;
                prop_assert_ne!(change.delta.get(), 0);
                prop_assert_eq!(timeline.at(day), Some(change.before));
                prop_assert_eq!(change.before.plus(change.delta), Some(case.desired.units));
                prop_assert_eq!(timeline.next_change(day), None, "a later change would be shifted");
                prop_assert!(timeline.posted_through().is_none_or(|posted| posted < day));
                prop_assert!(!case.history.adjusted_on.contains(&day));
                prop_assert!(may_lower || change.target > change.before);
                prop_assert!(day >= case.contract.start && day <= case.contract.end);
            }
            Decision::Stop { reason, .. } => prop_assert!(!reason.explanation.is_empty() && !reason.fix.is_empty()),
        }
    }
}

#[test]
fn a_change_that_a_person_took_back_is_held_with_all_in_its_direction_until_it_is_approved() {
    let mut case = Case::of(40, 42).confirmed(40, date(2026, 11, 2));
    case.history.reversed = Some(units(42));
    assert_eq!(case.outcome(), "reversed");
    case.approved = Some(Approval { before: units(39), target: units(42), prices: None });
    assert_eq!(case.outcome(), "reversed");
    case.approved = Some(Approval { before: units(40), target: units(42), prices: None });
    assert_eq!(case.outcome(), "40 +2 2026-11-01");
    case.approved = None;
    for (target, outcome) in [(43, "reversed"), (41, "reversed"), (40, "unchanged 40"), (39, "40 -1 2026-11-01")] {
        case.desired.units = units(target);
        assert_eq!(case.outcome(), outcome);
    }
    case.history.reversed = Some(units(38));
    for (target, outcome) in [(39, "reversed"), (41, "40 +1 2026-11-01")] {
        case.desired.units = units(target);
        assert_eq!(case.outcome(), outcome);
    }
}

#[test]
fn what_a_person_had_forgotten_still_guards_the_next_change() {
    let mut case = Case::of(42, 4_200);
    assert_eq!(case.outcome(), "42 +4158 2026-11-01", "a first write rises as it must");
    case.history.forgotten = Case::of(42, 42).confirmed(42, date(2026, 11, 2)).history.confirmed;
    assert_eq!(case.outcome(), "rise_guard");
}
