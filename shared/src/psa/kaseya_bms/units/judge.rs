//! What a line's rows say of its units. Pure: from what is remembered, what is stated and what BMS shows, to what is known.
//!
//! When in doubt the units are not known. A row more, with our date, is a change that was added; the one row with our date in
//! place of another is one that took its place; the same rows are a change that was not taken, unless it could have taken the
//! place of a row with that very date, which only the answer to it can tell.
//!
//! People work on the same lines. So what the answer to a change named goes before everything else; without one, rows speak
//! for a change only for a short while, and they neither teach what changes do nor contradict what is known of it.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::notes::{Answered, LineNote, Mark, Pending, Semantics, Step};
use crate::domain::reason::{Code, Reason};
use crate::domain::units::Units;
use crate::psa::{Opening, TakenOtherwise};

/// A change that does not show after so long was not taken. The host is given 20 seconds for its answer; what it begins
/// after that is not known, so this is generous.
const SHOWS_WITHIN: SignedDuration = SignedDuration::from_mins(6);

/// For so long rows speak for a change whose answer was lost: until the run that follows soon after it, and the deliveries of a
/// job whose worker died.
const SPEAKS_FOR: SignedDuration = SignedDuration::from_hours(2);

/// What is known of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judged {
    /// To be remembered from now on.
    pub note: LineNote,
    /// Why its units are not known, where they are not.
    pub unknown: Option<Reason>,
    /// What its newest change has shown changes to do.
    pub learnt: Option<Semantics>,
}

/// What BMS shows of a line, and what is said about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evidence<'a> {
    /// Its rows; at least one.
    pub rows: &'a [Mark],
    /// The contract's first day.
    pub contract_start: Option<Date>,
    /// What a person has stated.
    pub opening: Option<Opening>,
    /// What BMS answered to the change that was noted at that instant, as this process remembers it.
    pub answered: Option<&'a (Timestamp, Answered)>,
    /// What was remembered of the line can't be read.
    pub damaged: bool,
    /// When the rows were read.
    pub at: Timestamp,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Taken(Semantics),
    NotTaken,
    Unclear,
}

/// Judges a line.
pub(super) fn judge(note: &LineNote, evidence: &Evidence<'_>) -> Judged {
    if evidence.damaged {
        // What was stated before led to what can't be read any more.
        let note = LineNote { stated_at: Some(evidence.at), ..LineNote::default() };
        let why = "What was known of this line's units can't be read any more, and Kaseya BMS does not show them.";
        return unknown(&note, Code::OpeningUnitsNeeded, why.to_owned());
    }
    let newer = |opening: &Opening| note.stated_at.is_none_or(|stated| stated < opening.stated_at);
    if let Some(opening) = evidence.opening.filter(newer) {
        return adopted(note, opening, evidence);
    }
    if note.steps.is_empty() {
        let why = "Kaseya BMS does not show how many units a line carries, and nobody has stated it.";
        return unknown(note, Code::OpeningUnitsNeeded, why.to_owned());
    }
    match &note.pending {
        None if note.marks == evidence.rows => known(note.clone()),
        None => {
            let why = "It was changed in Kaseya BMS by somebody else, and BMS does not show to how many units.";
            unknown(note, Code::UnitsChangedElsewhere, why.to_owned())
        }
        Some(pending) => after_change(note, pending, evidence),
    }
}

/// A statement counts where it was made well after our newest change: before, nobody can say whether it speaks of that.
fn adopted(note: &LineNote, opening: Opening, evidence: &Evidence<'_>) -> Judged {
    let settled = note.changed_at.map(|changed| changed.saturating_add(SHOWS_WITHIN).unwrap_or(changed));
    match settled.filter(|settled| opening.stated_at < *settled) {
        None => known(stated(note, opening, evidence)),
        Some(settled) => {
            let units = opening.units;
            let why = format!(
                "{units} units were stated while a change of this line was under way, so it is not known whether they include it."
            );
            let told = unknown(note, Code::StatedTooEarly, why);
            let look = |reason: Reason| Reason { fix: format!("{} Look it up after {settled}.", reason.fix), ..reason };
            Judged { unknown: told.unknown.map(look), ..told }
        }
    }
}

/// The line as a person has stated it: in force since its newest row, up to a row that is dated ahead.
fn stated(note: &LineNote, opening: Opening, evidence: &Evidence<'_>) -> LineNote {
    let day = opening.stated_at.to_zoned(TimeZone::UTC).date();
    let days = || evidence.rows.iter().filter_map(|mark| mark.effective);
    // A line that has not begun was stated as it will be.
    let newest = days().filter(|effective| *effective <= day).max().or_else(|| days().min());
    let ahead = days().filter(|effective| newest.is_some_and(|newest| *effective > newest)).min();
    let from = newest.max(evidence.contract_start).unwrap_or(Date::MIN);
    LineNote {
        steps: vec![Step { from, units: opening.units }],
        marks: evidence.rows.to_vec(),
        contract_name: note.contract_name.clone(),
        stated_at: Some(opening.stated_at),
        known_until: ahead.and_then(|ahead| ahead.yesterday().ok()),
        changed_at: note.changed_at,
        pending: None,
        otherwise: None,
    }
}

fn after_change(note: &LineNote, pending: &Pending, evidence: &Evidence<'_>) -> Judged {
    let doubt = || {
        let Pending { before, target, effective, .. } = pending;
        let why = format!(
            "A change from {before} to {target} from {effective} was sent, and what Kaseya BMS shows does not tell whether it \
             was taken."
        );
        unknown(note, Code::WriteUnclear, why)
    };
    match fate(pending, &note.marks, evidence) {
        Fate::Unclear => doubt(),
        Fate::NotTaken if evidence.at.duration_since(pending.at) < SHOWS_WITHIN => known(note.clone()),
        // What BMS called made shows sooner or later.
        Fate::NotTaken if answered_to(pending, evidence).is_some() => known(note.clone()),
        // Whoever adds such a row later is somebody else.
        Fate::NotTaken => known(LineNote { pending: None, ..note.clone() }),
        Fate::Taken(semantics) => match units_after(pending, semantics) {
            Some(units) => {
                // Where no answer came, a person may have been at it.
                let learnt = answered_to(pending, evidence).map(|_| semantics);
                Judged { learnt, ..known(taken(note, pending, units, evidence)) }
            }
            None => doubt(),
        },
    }
}

fn taken(note: &LineNote, pending: &Pending, units: Units, evidence: &Evidence<'_>) -> LineNote {
    let Pending { effective, before, target, .. } = *pending;
    let mut steps: Vec<Step> = note.steps.iter().filter(|step| step.from < effective).copied().collect();
    steps.push(Step { from: effective, units });
    LineNote {
        steps,
        marks: evidence.rows.to_vec(),
        pending: None,
        otherwise: (units != target).then_some(TakenOtherwise { effective, before, target, units }),
        ..note.clone()
    }
}

fn units_after(pending: &Pending, semantics: Semantics) -> Option<Units> {
    let units = match semantics {
        Semantics::Replaces => pending.sent,
        Semantics::Adds | Semantics::Unknown => i64::from(pending.before.get()).checked_add(pending.sent)?,
    };
    units.try_into().ok()
}

/// What BMS answered to a change, as this process or another has noted it.
fn answered_to<'e>(pending: &'e Pending, evidence: &Evidence<'e>) -> Option<&'e Answered> {
    let of_it = evidence.answered.filter(|(at, _)| *at == pending.at).map(|(_, answered)| answered);
    of_it.or(pending.answered.as_ref())
}

fn fate(pending: &Pending, before: &[Mark], evidence: &Evidence<'_>) -> Fate {
    let answered = answered_to(pending, evidence);
    if answered.is_some_and(|answered| answered.units.is_some_and(|units| units != pending.sent)) {
        // It was taken for something that we have no word for.
        return Fate::Unclear;
    }
    let now = evidence.rows;
    let is_in = |marks: &[Mark], mark: &Mark| marks.iter().any(|other| other.id == mark.id);
    let added: Vec<&Mark> = now.iter().filter(|mark| !is_in(before, mark)).collect();
    let gone = before.iter().filter(|mark| !is_in(now, mark)).count();
    let moved: Vec<&Mark> = now.iter().filter(|mark| is_in(before, mark) && !before.contains(mark)).collect();
    let lately = evidence.at.duration_since(pending.at) < SPEAKS_FOR;
    let ours = |mark: &Mark, semantics: Semantics| match answered {
        // How BMS shows dates is not confirmed; the row that it named is ours whatever it shows.
        Some(answered) => answered.id == mark.id,
        None => {
            let contradicts = pending.semantics != semantics && pending.semantics != Semantics::Unknown;
            let adds = semantics == Semantics::Adds;
            mark.effective == Some(pending.effective)
                && lately
                && !contradicts
                && (adds || pending.semantics == semantics)
        }
    };
    let alone = before.len() == 1;
    match (added.as_slice(), gone, moved.as_slice()) {
        ([], 0, []) => unmoved(pending, before, answered),
        ([one], 0, []) if ours(one, Semantics::Adds) => Fate::Taken(Semantics::Adds),
        ([], 0, [one]) | ([one], 1, []) if alone && ours(one, Semantics::Replaces) => Fate::Taken(Semantics::Replaces),
        _ => Fate::Unclear,
    }
}

/// The same rows as before.
fn unmoved(pending: &Pending, before: &[Mark], answered: Option<&Answered>) -> Fate {
    let [only] = before else { return Fate::NotTaken };
    if !pending.may_not_show(before) {
        return Fate::NotTaken;
    }
    match answered {
        Some(answered) if answered.id == only.id => Fate::Taken(Semantics::Replaces),
        // Another row was named, which does not show yet.
        Some(_) => Fate::NotTaken,
        None => Fate::Unclear,
    }
}

fn known(note: LineNote) -> Judged {
    Judged { note, unknown: None, learnt: None }
}

fn unknown(note: &LineNote, code: Code, explanation: String) -> Judged {
    Judged { note: note.clone(), unknown: Some(Reason::new(code, explanation)), learnt: None }
}

#[cfg(test)]
#[path = "judge_test.rs"]
mod tests;
