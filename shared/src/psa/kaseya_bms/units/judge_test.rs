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
    Evidence { rows, contract_start: Some(JANUARY), opening: None, answered: None, damaged: false, at: at(1) }
}

/// The answer to the change that was sent at second 0: it names a row.
fn named(id: i64) -> (Timestamp, Answered) {
    (at(0), Answered { id: id.to_string().parse().unwrap(), units: None })
}

fn now(judged: &Judged) -> Option<u32> {
    judged.unknown.is_none().then(|| judged.note.steps.last().unwrap().units.get())
}

fn code(judged: &Judged) -> &str {
    judged.unknown.as_ref().map_or("", |why| why.code.as_str())
}

/// What was known, what was sent, the row that BMS named, the rows after it; the units then, and what was learnt.
type Case<'a> = (Semantics, i64, Option<i64>, &'a [&'a Mark], Option<u32>, Option<Semantics>);

#[test]
fn what_the_answer_and_the_rows_show_decides_what_became_of_a_change() {
    use Semantics::{Adds, Replaces, Unknown};
    let (old, new) = (mark(1, JANUARY), mark(2, NOVEMBER));
    let moved = mark(1, NOVEMBER);
    let other_day = mark(2, date(2026, 11, 2));
    let third = mark(3, NOVEMBER);
    let cases: &[Case<'_>] = &[
        (Unknown, 2, Some(2), &[&old, &new], Some(42), Some(Adds)),
        (Unknown, 2, Some(1), &[&moved], Some(2), Some(Replaces)),
        (Unknown, 2, Some(2), &[&new], Some(2), Some(Replaces)),
        (Unknown, 2, None, &[&old], Some(40), None),
        (Adds, 2, Some(2), &[&old, &new], Some(42), Some(Adds)),
        (Adds, 2, Some(1), &[&moved], Some(2), Some(Replaces)),
        (Adds, -2, Some(2), &[&old, &new], Some(38), Some(Adds)),
        (Adds, -2, Some(1), &[&moved], None, None),
        (Replaces, 42, Some(1), &[&moved], Some(42), Some(Replaces)),
        (Replaces, 42, Some(2), &[&old, &new], Some(82), Some(Adds)),
        (Replaces, 42, None, &[&old], Some(40), None),
        // How BMS shows dates is not confirmed.
        (Adds, 2, Some(2), &[&old, &other_day], Some(42), Some(Adds)),
        // Without an answer rows teach nothing, and contradict nothing that is known.
        (Unknown, 2, None, &[&old, &new], Some(42), None),
        (Unknown, 2, None, &[&moved], None, None),
        (Adds, 2, None, &[&old, &new], Some(42), None),
        (Adds, 2, None, &[&moved], None, None),
        (Replaces, 42, None, &[&moved], Some(42), None),
        (Replaces, 42, None, &[&old, &new], None, None),
        // Somebody else was at it as well, or it is not ours.
        (Adds, 2, Some(9), &[&old, &new], None, None),
        (Adds, 2, None, &[&old, &other_day], None, None),
        (Adds, 2, Some(2), &[&old, &new, &third], None, None),
        (Adds, 2, Some(2), &[&moved, &new], None, None),
        (Adds, 2, None, &[&other_day], None, None),
    ];
    for (semantics, number, answered, rows, after, learnt) in cases {
        let rows: Vec<Mark> = rows.iter().map(|mark| (*mark).clone()).collect();
        let answered = answered.map(named);
        let judged = judge(&sent(*number, *semantics), &Evidence { answered: answered.as_ref(), ..shows(&rows) });
        let case = format!("{semantics:?}, {number} sent, {answered:?} answered, then {rows:?}");
        assert_eq!((now(&judged), judged.learnt), (*after, *learnt), "{case}");
        assert_eq!(code(&judged), if after.is_some() { "" } else { "write_unclear" }, "{case}");
        let taken = after.is_some() && rows != [old.clone()];
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
fn an_answer_with_other_units_than_were_sent_is_understood_by_nobody() {
    let rows = [mark(1, JANUARY), mark(2, NOVEMBER)];
    for (units, after) in [(None, Some(42)), (Some(2), Some(42)), (Some(42), None)] {
        let (when, answered) = named(2);
        let answered = (when, Answered { units, ..answered });
        let judged = judge(&sent(2, Semantics::Unknown), &Evidence { answered: Some(&answered), ..shows(&rows) });
        assert_eq!(now(&judged), after, "{units:?}");
    }
}

#[test]
fn the_answer_to_another_change_says_nothing() {
    let rows = [mark(1, NOVEMBER)];
    let note = LineNote { marks: rows.to_vec(), ..sent(42, Semantics::Replaces) };
    let (_, answered) = named(1);
    for (when, after) in [(at(0), Some(42)), (at(-1), None)] {
        let evidence = Evidence { answered: Some(&(when, answered.clone())), ..shows(&rows) };
        assert_eq!(now(&judge(&note, &evidence)), after);
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
    // For one whose answer was lost a row speaks for two hours, for one that BMS named always.
    let two_hours = 2 * 3_600;
    assert_eq!(now(&judge(&note, &Evidence { at: at(two_hours - 1), ..shows(&late) })), Some(42));
    assert_eq!(code(&judge(&note, &Evidence { at: at(two_hours), ..shows(&late) })), "write_unclear");
    let answered = named(2);
    let evidence = Evidence { at: at(two_hours), answered: Some(&answered), ..shows(&late) };
    assert_eq!(now(&judge(&note, &evidence)), Some(42));
    // What BMS called made is waited for as long as it takes.
    let called_made = Evidence { at: at(9_999), answered: Some(&answered), ..shows(&rows) };
    assert_eq!(judge(&note, &called_made).note, note);
}

#[test]
fn where_a_row_of_the_same_day_may_have_been_replaced_only_the_answer_tells() {
    let rows = [mark(1, NOVEMBER)];
    for (semantics, answered, after, learnt) in [
        (Semantics::Replaces, None, None, None),
        (Semantics::Replaces, Some(1), Some(42), Some(Semantics::Replaces)),
        (Semantics::Replaces, Some(2), Some(40), None),
        (Semantics::Unknown, None, None, None),
        (Semantics::Adds, None, Some(40), None),
    ] {
        let sent_units = if semantics == Semantics::Replaces { 42 } else { 2 };
        let note = LineNote { marks: rows.to_vec(), ..sent(sent_units, semantics) };
        let answered = answered.map(named);
        let judged = judge(&note, &Evidence { answered: answered.as_ref(), ..shows(&rows) });
        assert_eq!((now(&judged), judged.learnt), (after, learnt), "{semantics:?}, answered {answered:?}");
        // The same where another process has noted the answer.
        let answered = answered.map(|(_, answered)| answered);
        let pending = note.pending.clone().map(|pending| Pending { answered, ..pending });
        assert_eq!(judge(&LineNote { pending, ..note }, &shows(&rows)).learnt, learnt);
    }
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
        let opening = Some(Opening { units: units(45), stated_at: at(360) });
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

#[test]
fn what_was_stated_while_a_change_was_under_way_is_asked_for_again() {
    let rows = [mark(1, JANUARY), mark(2, NOVEMBER)];
    let taken = judge(&LineNote { changed_at: Some(at(0)), ..sent(2, Semantics::Adds) }, &shows(&rows)).note;
    for note in [LineNote { changed_at: Some(at(0)), ..sent(2, Semantics::Adds) }, taken] {
        for (stated, expected) in [(-5, "stated_too_early"), (359, "stated_too_early"), (360, "")] {
            let opening = Some(Opening { units: units(40), stated_at: at(stated) });
            let judged = judge(&note, &Evidence { opening, at: at(400), ..shows(&rows) });
            assert_eq!(code(&judged), expected, "stated {stated} s after");
        }
    }
}

#[test]
fn a_row_that_is_dated_ahead_ends_what_a_statement_says() {
    let ahead = date(2027, 1, 1);
    let rows = [mark(1, JANUARY), mark(2, ahead)];
    let opening = Some(Opening { units: units(40), stated_at: at(0) });
    let note = judge(&LineNote::default(), &Evidence { opening, ..shows(&rows) }).note;
    assert_eq!((note.steps[0].from, note.known_until), (JANUARY, Some(date(2026, 12, 31))));
}

#[test]
fn where_a_note_can_not_be_read_only_a_newer_statement_counts() {
    let rows = [mark(1, JANUARY)];
    let old = Some(Opening { units: units(40), stated_at: at(-100) });
    let damaged = judge(&LineNote::default(), &Evidence { opening: old, damaged: true, ..shows(&rows) });
    assert_eq!(code(&damaged), "opening_units_needed");
    assert_eq!(code(&judge(&damaged.note, &Evidence { opening: old, ..shows(&rows) })), "opening_units_needed");
    let newer = Some(Opening { units: units(41), stated_at: at(100) });
    assert_eq!(now(&judge(&damaged.note, &Evidence { opening: newer, ..shows(&rows) })), Some(41));
}
