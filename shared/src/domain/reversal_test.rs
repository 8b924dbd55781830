//! What a reversal may take back, from which day, and what it leaves alone.

use std::collections::BTreeSet;

use jiff::ToSpan as _;
use jiff::civil::date;
use proptest::prelude::*;

use super::super::line::Confirmed;
use super::super::period::PeriodType;
use super::super::timeline::Row;
use super::*;

const TODAY: Date = date(2026, 11, 21);
const FIRST: Date = date(2026, 11, 1);

fn units(n: i64) -> Units {
    n.try_into().unwrap()
}

fn row(start: Date, end: Date, n: i64) -> Row {
    Row { start, end, units: units(n), posted: false }
}

/// A line of a monthly contract of 2026 that a run set from 40 to 42, asked about on 21 November.
struct Case {
    today: Date,
    contract: Contract,
    rows: Vec<Row>,
    history: LineHistory,
    reversal: Reversal,
}

impl Case {
    /// The change counts from `effective`, the first day of a period or a day within one.
    fn from(effective: Date) -> Self {
        let of = "0123".parse().unwrap();
        let reversal =
            Reversal { of, run: "run_1".parse().unwrap(), effective, before: units(40), target: units(42), feeds: 2 };
        Self {
            today: TODAY,
            contract: Contract {
                id: "1".parse().unwrap(),
                account: "9".parse().unwrap(),
                name: "Managed services".into(),
                recurring: Some(PeriodType::Monthly),
                active: true,
                start: date(2026, 1, 1),
                end: date(2026, 12, 31),
                renewal: None,
            },
            rows: months(effective),
            history: LineHistory {
                confirmed: Some(Confirmed { units: units(42), from: effective, feeds: 2 }),
                adjusted_on: BTreeSet::from([effective]),
                revision: 1,
                ..LineHistory::default()
            },
            reversal,
        }
    }

    fn posted(mut self, through: Date) -> Self {
        for row in &mut self.rows {
            row.posted = row.end <= through;
        }
        self
    }

    fn adjusted(mut self, days: &[Date]) -> Self {
        self.history.adjusted_on.extend(days);
        self
    }

    fn confirmed(mut self, n: i64, from: Date) -> Self {
        self.history.confirmed = Some(Confirmed { units: units(n), from, feeds: 0 });
        self
    }

    /// The PSA holds `n` from `day` on.
    fn shows(mut self, n: i64, day: Date) -> Self {
        set(&mut self.rows, n, day);
        self
    }

    fn decide(&self) -> Decision {
        let periods = self.contract.writable_on(self.today).unwrap();
        self.reversal.decide(&Standing {
            today: self.today,
            contract: &self.contract,
            periods: &periods,
            timeline: &Timeline::new(self.rows.clone()),
            history: &self.history,
        })
    }

    /// `42 -2 2026-11-02`, `unchanged 40`, or the code that stops it.
    fn outcome(&self) -> String {
        match self.decide() {
            Decision::Unchanged { units, .. } => format!("unchanged {units}"),
            Decision::Change(change) => {
                assert_eq!((change.before, change.target), (self.reversal.target, self.reversal.before));
                format!("{} {} {}", change.before, change.delta, change.dated.date)
            }
            Decision::Stop { reason, .. } => reason.code,
        }
    }
}

/// Months of 2026 with 40 units, and with 42 from `effective` on.
fn months(effective: Date) -> Vec<Row> {
    let mut rows: Vec<Row> =
        (7..=12).map(|month| date(2026, month, 1)).map(|first| row(first, first.last_of_month(), 40)).collect();
    set(&mut rows, 42, effective);
    rows
}

/// Cuts the row of `day` in two, and sets `n` from that day on.
fn set(rows: &mut Vec<Row>, n: i64, day: Date) {
    if let Some(cut) = rows.iter_mut().find(|row| row.start < day && day <= row.end) {
        let rest = Row { start: day, ..cut.clone() };
        cut.end = day.yesterday().unwrap();
        rows.push(rest);
    }
    rows.sort_by_key(|row| row.start);
    for row in rows.iter_mut().filter(|row| row.start >= day) {
        row.units = units(n);
    }
}

#[test]
fn the_opposite_counts_from_the_day_after_the_change() {
    assert_eq!(Case::from(FIRST).outcome(), "42 -2 2026-11-02");
    assert_eq!(Case::from(date(2026, 11, 10)).outcome(), "42 -2 2026-11-11");
    let mut fall = Case::from(FIRST).shows(40, FIRST).confirmed(40, FIRST);
    (fall.reversal.before, fall.reversal.target) = (units(42), units(40));
    assert_eq!(fall.outcome(), "40 +2 2026-11-02");
}

#[test]
fn the_explanation_names_the_days_that_stay_as_they_were() {
    let Decision::Change(change) = Case::from(FIRST).decide() else { panic!("no change") };
    assert!(change.dated.prorated);
    assert_eq!(change.dated.because, "day after the change; the days before it stay at 42");
    let desired = Case::from(FIRST).reversal.desired();
    assert_eq!(desired.because, "reversal of run run_1, which set 42 instead of 40 from 2026-11-01");
    assert_eq!((desired.units.get(), desired.may_lower, desired.feeds.len()), (40, true, 0));
}

#[test]
fn the_day_of_the_change_is_taken_though_no_list_names_it_any_more() {
    let mut case = Case::from(date(2026, 7, 1));
    case.history.adjusted_on.clear();
    assert_eq!(case.outcome(), "42 -2 2026-07-02");
}

#[test]
fn a_change_of_an_earlier_period_is_taken_back_from_there_where_nothing_is_posted() {
    assert_eq!(Case::from(date(2026, 9, 1)).outcome(), "42 -2 2026-09-02");
}

#[test]
fn a_posted_period_is_left_alone_and_the_next_one_takes_the_change() {
    assert_eq!(Case::from(FIRST).posted(date(2026, 10, 31)).outcome(), "42 -2 2026-11-02");
    assert_eq!(Case::from(date(2026, 9, 1)).posted(date(2026, 10, 31)).outcome(), "42 -2 2026-11-01");
    let case = Case::from(FIRST).posted(date(2026, 11, 30));
    assert_eq!(case.outcome(), "42 -2 2026-12-01");
    let Decision::Change(change) = case.decide() else { panic!("no change") };
    assert!(!change.dated.prorated, "{}", change.dated.because);
    assert!(change.dated.because.contains("moved past 2026-11-30, through which the contract is posted"));
}

#[test]
fn where_no_day_is_left_nothing_is_written() {
    assert_eq!(Case::from(FIRST).posted(date(2026, 12, 31)).outcome(), "no_date_left");
    let mut last_day = Case::from(date(2026, 12, 31));
    assert_eq!(last_day.outcome(), "no_date_left");
    last_day.today = date(2026, 12, 31);
    assert_eq!(last_day.outcome(), "no_date_left");
}

#[test]
fn a_day_that_carries_an_adjustment_is_passed_over() {
    assert_eq!(Case::from(FIRST).adjusted(&[date(2026, 11, 2), date(2026, 11, 3)]).outcome(), "42 -2 2026-11-04");
    // Posted to the end of November, and 1 December refused an adjustment before.
    let case = Case::from(FIRST).posted(date(2026, 11, 30)).adjusted(&[date(2026, 12, 1)]);
    assert_eq!(case.outcome(), "42 -2 2026-12-02");
}

#[test]
fn the_day_after_the_last_of_a_month_begins_the_next() {
    let case = Case::from(date(2026, 10, 31));
    assert_eq!(case.outcome(), "42 -2 2026-11-01");
    let Decision::Change(change) = case.decide() else { panic!("no change") };
    assert!(!change.dated.prorated);
    let mut leap = Case::from(FIRST);
    leap.contract.start = date(2027, 12, 1);
    leap.contract.end = date(2028, 11, 30);
    leap.today = date(2028, 2, 29);
    leap.reversal.effective = date(2028, 2, 28);
    leap.rows = vec![row(date(2028, 2, 1), date(2028, 2, 27), 40), row(date(2028, 2, 28), date(2028, 11, 30), 42)];
    assert_eq!(leap.confirmed(42, date(2028, 2, 28)).outcome(), "42 -2 2028-02-29");
}

#[test]
fn a_change_that_is_still_to_come_is_taken_back_from_the_day_after_it() {
    assert_eq!(Case::from(date(2026, 12, 1)).outcome(), "42 -2 2026-12-02");
}

#[test]
fn a_line_that_a_later_run_changed_is_left_alone() {
    for (n, from) in [(45, date(2026, 11, 2)), (42, date(2026, 11, 3)), (40, date(2026, 11, 2)), (45, FIRST)] {
        let case = Case::from(FIRST).confirmed(n, from);
        assert_eq!(case.outcome(), "changed_since", "{n} from {from}");
    }
    let Decision::Stop { reason, status, before, .. } = Case::from(FIRST).confirmed(45, date(2026, 11, 2)).decide()
    else {
        panic!("not stopped")
    };
    assert_eq!((status, before), (LineStatus::Skipped, Some(units(42))));
    assert_eq!(
        reason.explanation,
        "Run run_1 set 42 from 2026-11-01; since then the line was set to 45 from 2026-11-02."
    );
    let mut unknown = Case::from(FIRST);
    unknown.history = LineHistory::default();
    assert_eq!(unknown.outcome(), "changed_since");
}

#[test]
fn a_line_that_a_person_edited_since_is_left_alone() {
    for n in [41, 45, 40, 0] {
        assert_eq!(Case::from(FIRST).shows(n, date(2026, 11, 10)).outcome(), "changed_since", "{n}");
    }
    let Decision::Stop { reason, .. } = Case::from(FIRST).shows(45, date(2026, 11, 10)).decide() else {
        panic!("not stopped")
    };
    assert_eq!(reason.explanation, "Run run_1 set 42 from 2026-11-01; since then the PSA shows 45 on 2026-11-21.");
}

#[test]
fn a_line_that_changes_again_later_is_left_alone() {
    assert_eq!(Case::from(FIRST).shows(50, date(2026, 12, 1)).outcome(), "later_change");
    // There and back again before today: the two edits are a person's.
    let there_and_back = Case::from(FIRST).shows(45, date(2026, 11, 10)).shows(42, date(2026, 11, 12));
    assert_eq!(there_and_back.outcome(), "later_change");
}

#[test]
fn a_line_without_units_on_the_day_is_not_written() {
    let mut case = Case::from(FIRST);
    case.rows.retain(|row| row.end < TODAY);
    assert_eq!(case.outcome(), "no_units_on_date");
}

fn reversed() -> Case {
    let second = date(2026, 11, 2);
    let mut case = Case::from(FIRST).shows(40, second).confirmed(40, second).adjusted(&[second]);
    case.history.reversed = Some(units(42));
    case
}

#[test]
fn a_reversal_that_is_made_has_nothing_left_to_do() {
    assert_eq!(reversed().outcome(), "unchanged 40");
    // Unless somebody has changed the line again.
    assert_eq!(reversed().shows(41, date(2026, 11, 10)).outcome(), "changed_since");
    // And unless it was a run that went back to the old units: that one has its own reversal.
    let mut of_a_run = reversed();
    of_a_run.history.reversed = None;
    assert_eq!(of_a_run.outcome(), "changed_since");
    let mut made_again = reversed().shows(42, date(2026, 11, 3)).confirmed(42, date(2026, 11, 3));
    made_again.history.reversed = None;
    assert_eq!(made_again.outcome(), "changed_since");
}

#[test]
fn a_reversal_is_reversed_by_the_same_rules() {
    let mut case = reversed();
    let second = date(2026, 11, 2);
    case.reversal = Reversal { effective: second, before: units(42), target: units(40), ..case.reversal };
    assert_eq!(case.outcome(), "40 +2 2026-11-03");
}

proptest! {
    /// Whatever the PSA shows, whatever is posted and whatever else is known of the line.
    #[test]
    fn a_reversal_moves_only_what_it_is_about_and_only_where_it_may(
        effective in 0_i64..180,
        today in 0_i64..180,
        edits in prop::collection::vec((0_i64..184, 38_i64..45), 0..3),
        posted in prop::option::weighted(0.5, 0_i64..184),
        taken in prop::collection::btree_set(0_i64..184, 0..6),
        confirmed in prop::option::weighted(0.2, (38_i64..45, 0_i64..184)),
        marked in any::<bool>(),
    ) {
        let day = |n: i64| date(2026, 7, 1).checked_add(n.days()).unwrap();
        let mut case = Case::from(day(effective));
        case.today = day(today);
        for (at, n) in edits {
            case = case.shows(n, day(at));
        }
        if let Some(through) = posted {
            case = case.posted(day(through));
        }
        if let Some((n, from)) = confirmed {
            case = case.confirmed(n, day(from));
        }
        case.history.adjusted_on.extend(taken.into_iter().map(day));
        case.history.reversed = marked.then(|| units(42));
        let timeline = Timeline::new(case.rows.clone());
        match case.decide() {
            Decision::Change(change) => {
                let date = change.dated.date;
                prop_assert_eq!((change.before.get(), change.target.get(), change.delta.get()), (42, 40, -2));
                prop_assert!(date > day(effective) && date <= case.contract.end);
                prop_assert!(timeline.posted_through().is_none_or(|posted| date > posted));
                prop_assert!(!case.history.adjusted_on.contains(&date));
                prop_assert_eq!(timeline.at(day(effective.max(today))), Some(units(42)));
                prop_assert!(timeline.rows().iter().filter(|row| row.end >= date).all(|row| row.units.get() == 42));
                let last = case.history.confirmed.unwrap();
                prop_assert_eq!((last.units.get(), last.from), (42, day(effective)));
            }
            Decision::Unchanged { units, from, .. } => {
                prop_assert!(marked && units.get() == 40 && timeline.at(from) == Some(units));
            }
            Decision::Stop { reason, .. } => prop_assert!(!reason.code.is_empty()),
        }
    }
}
