use jiff::civil::date;

use super::*;

const NOON: i64 = 1_795_000_000;

fn at(seconds_later: i64) -> Timestamp {
    Timestamp::from_second(NOON + seconds_later).unwrap()
}

fn mark(id: i64, effective: Date) -> Mark {
    Mark { id: id.to_string().parse().unwrap(), effective: Some(effective) }
}

fn units(number: i64) -> Units {
    number.try_into().unwrap()
}

const JANUARY: Date = date(2026, 1, 1);
const NOVEMBER: Date = date(2026, 11, 1);

/// A line with 40 units since January, and a change of it from November that was just sent as `sent`.
fn sent(sent: i64, semantics: Semantics) -> LineNote {
    let (before, target) = (units(40), units(if semantics == Semantics::Replaces { sent } else { 40 + sent }));
    LineNote {
        steps: vec![Step { from: JANUARY, units: before }],
        marks: vec![mark(1, JANUARY)],
        stated_at: Some(at(-9)),
        pending: Some(Pending { effective: NOVEMBER, before, target, sent, semantics, at: at(0), answered: None }),
        ..LineNote::default()
    }
}

fn quiet() -> LineNote {
    LineNote { pending: None, ..sent(2, Semantics::Adds) }
}

fn shows(rows: &[Mark]) -> Evidence<'_> {
    Evidence { rows, contract_start: Some(JANUARY), opening: None, answered: None, at: at(1) }
}

fn now(judged: &Judged) -> Option<u32> {
    judged.unknown.is_none().then(|| judged.note.steps.last().unwrap().units.get())
}

fn code(judged: &Judged) -> &str {
    judged.unknown.as_ref().map_or("", |why| why.code.as_str())
}

/// What was known, what was sent, the rows after it; the units then, and what was learnt.
type Case<'a> = (Semantics, i64, &'a [&'a Mark], Option<u32>, Option<Semantics>);

#[test]
fn what_the_rows_show_decides_what_became_of_a_change() {
    use Semantics::{Adds, Replaces, Unknown};
    let (old, new) = (mark(1, JANUARY), mark(2, NOVEMBER));
    let moved = mark(1, NOVEMBER);
    let other_day = mark(2, date(2026, 11, 2));
    let third = mark(3, NOVEMBER);
    let cases: &[Case<'_>] = &[
        (Unknown, 2, &[&old, &new], Some(42), Some(Adds)),
        (Unknown, 2, &[&moved], Some(2), Some(Replaces)),
        (Unknown, 2, &[&new], Some(2), Some(Replaces)),
        (Unknown, 2, &[&old], Some(40), None),
        (Adds, 2, &[&old, &new], Some(42), Some(Adds)),
        (Adds, 2, &[&moved], Some(2), Some(Replaces)),
        (Adds, -2, &[&old, &new], Some(38), Some(Adds)),
        (Adds, -2, &[&moved], None, None),
        (Replaces, 42, &[&moved], Some(42), Some(Replaces)),
        (Replaces, 42, &[&old, &new], Some(82), Some(Adds)),
        (Replaces, 42, &[&old], Some(40), None),
        // Somebody else was at it as well, or it is not ours.
        (Adds, 2, &[&old, &other_day], None, None),
        (Adds, 2, &[&old, &new, &third], None, None),
        (Adds, 2, &[&moved, &new], None, None),
        (Adds, 2, &[&other_day], None, None),
    ];
    for (semantics, number, rows, after, learnt) in cases {
        let rows: Vec<Mark> = rows.iter().map(|mark| (*mark).clone()).collect();
        let judged = judge(&sent(*number, *semantics), &shows(&rows));
        let case = format!("{semantics:?}, {number} sent, then {rows:?}");
        assert_eq!((now(&judged), judged.learnt), (*after, *learnt), "{case}");
        assert_eq!(code(&judged), if after.is_some() { "" } else { "write_unclear" }, "{case}");
        let taken = learnt.is_some();
        assert_eq!(judged.note.pending.is_none(), taken, "{case}");
        let as_meant = if *semantics == Replaces { *number } else { 40 + number };
        let other = after.filter(|units| taken && i64::from(*units) != as_meant);
        assert_eq!(judged.note.otherwise.map(|taken| taken.units.get()), other, "{case}");
        if taken {
            assert_eq!(judged.note.marks, rows, "{case}");
        }
    }
}

#[test]
fn a_change_that_does_not_show_is_waited_for_and_then_forgotten() {
    let rows = [mark(1, JANUARY)];
    let (waits, gone) = (Evidence { at: at(359), ..shows(&rows) }, Evidence { at: at(360), ..shows(&rows) });
    let note = sent(2, Semantics::Adds);
    assert_eq!(judge(&note, &waits).note, note);
    let forgotten = judge(&note, &gone).note;
    assert_eq!(forgotten, quiet());
    // A row of our day that comes later is somebody else's.
    let late = [mark(1, JANUARY), mark(2, NOVEMBER)];
    assert_eq!(code(&judge(&forgotten, &shows(&late))), "units_changed_elsewhere");
    assert_eq!(now(&judge(&note, &Evidence { at: at(9_999), ..shows(&late) })), Some(42));
}

#[test]
fn where_a_row_of_the_same_day_may_have_been_replaced_only_the_answer_tells() {
    let rows = [mark(1, NOVEMBER)];
    let id = |number: i64| -> ContractServiceId { number.to_string().parse().unwrap() };
    let (own, other) = (id(1), id(2));
    for (semantics, answered, after, learnt) in [
        (Semantics::Replaces, None, None, None),
        (Semantics::Replaces, Some(&own), Some(42), Some(Semantics::Replaces)),
        (Semantics::Replaces, Some(&other), Some(40), None),
        (Semantics::Unknown, None, None, None),
        (Semantics::Adds, None, Some(40), None),
    ] {
        let sent_units = if semantics == Semantics::Replaces { 42 } else { 2 };
        let note = LineNote { marks: rows.to_vec(), ..sent(sent_units, semantics) };
        let judged = judge(&note, &Evidence { answered, ..shows(&rows) });
        assert_eq!((now(&judged), judged.learnt), (after, learnt), "{semantics:?}, answered {answered:?}");
        // The same where another process has noted the answer.
        let pending = note.pending.clone().map(|pending| Pending { answered: answered.cloned(), ..pending });
        assert_eq!(judge(&LineNote { pending, ..note }, &shows(&rows)).learnt, learnt);
    }
}

#[test]
fn the_row_that_bms_named_is_ours_whatever_date_it_shows() {
    let rows = [mark(1, JANUARY), mark(2, date(2026, 10, 31))];
    let id: ContractServiceId = "2".parse().unwrap();
    let note = sent(2, Semantics::Adds);
    assert_eq!(code(&judge(&note, &shows(&rows))), "write_unclear");
    assert_eq!(now(&judge(&note, &Evidence { answered: Some(&id), ..shows(&rows) })), Some(42));
}

#[test]
fn units_are_known_from_a_statement_on_and_only_a_newer_one_changes_them() {
    let rows = [mark(1, JANUARY), mark(2, NOVEMBER)];
    let nothing = LineNote::default();
    assert_eq!(code(&judge(&nothing, &shows(&rows))), "opening_units_needed");
    let opening = |number: i64, later: i64| Some(Opening { units: units(number), stated_at: at(later) });
    let first = judge(&nothing, &Evidence { opening: opening(40, 0), ..shows(&rows) }).note;
    assert_eq!(first.steps, [Step { from: NOVEMBER, units: units(40) }], "in force since the newest row");
    let again = judge(&first, &Evidence { opening: opening(40, 0), ..shows(&rows) });
    assert_eq!(again.note, first);
    let older = judge(&first, &Evidence { opening: opening(30, -1), ..shows(&rows) });
    assert_eq!(older.note, first);
    let newer = judge(&first, &Evidence { opening: opening(45, 1), ..shows(&rows) });
    assert_eq!(now(&newer), Some(45));
}

#[test]
fn a_statement_ends_every_doubt() {
    let rows = [mark(1, JANUARY), mark(7, date(2026, 11, 5))];
    for note in [quiet(), sent(2, Semantics::Unknown)] {
        assert_ne!(code(&judge(&note, &shows(&rows))), "");
        let opening = Some(Opening { units: units(45), stated_at: at(5) });
        let judged = judge(&note, &Evidence { opening, ..shows(&rows) });
        assert_eq!((now(&judged), judged.note.pending.is_none()), (Some(45), true));
        assert_eq!(now(&judge(&judged.note, &shows(&rows))), Some(45));
    }
}

#[test]
fn a_line_that_somebody_else_changed_is_not_known_until_it_is_as_it_was() {
    let changed = [mark(1, date(2026, 11, 3))];
    assert_eq!(code(&judge(&quiet(), &shows(&changed))), "units_changed_elsewhere");
    let as_it_was = [mark(1, JANUARY)];
    assert_eq!(now(&judge(&quiet(), &shows(&as_it_was))), Some(40));
}

#[test]
fn a_second_change_of_a_day_takes_the_place_of_the_first() {
    let rows = [mark(1, JANUARY), mark(2, NOVEMBER)];
    let first = judge(&sent(2, Semantics::Adds), &shows(&rows)).note;
    let (before, target) = (units(42), units(50));
    let pending = Pending {
        effective: NOVEMBER,
        before,
        target,
        sent: 8,
        semantics: Semantics::Adds,
        at: at(10),
        answered: None,
    };
    let note = LineNote { pending: Some(pending), ..first };
    let rows = [mark(1, JANUARY), mark(2, NOVEMBER), mark(3, NOVEMBER)];
    let second = judge(&note, &Evidence { at: at(11), ..shows(&rows) }).note;
    let steps: Vec<_> = second.steps.iter().map(|step| (step.from, step.units.get())).collect();
    assert_eq!(steps, [(JANUARY, 40), (NOVEMBER, 50)]);
}
