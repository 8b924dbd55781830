//! What a line's rows say of its units. Pure: from what is remembered, what is stated and what BMS shows, to what is known.
//!
//! When in doubt the units are not known. A row more, with our date, is a change that was added; the one row with our date in
//! place of another is one that took its place; the same rows are a change that was not taken, unless it could have taken the
//! place of a row with that very date, which only the answer to it can tell.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::notes::{LineNote, Mark, Pending, Semantics, Step};
use crate::domain::ids::ContractServiceId;
use crate::domain::reason::{Code, Reason};
use crate::domain::units::Units;
use crate::psa::{Opening, TakenOtherwise};

/// A change that does not show after so long was not taken. The host is given 20 seconds for its answer; what it begins
/// after that is not known, so this is generous.
const SHOWS_WITHIN: SignedDuration = SignedDuration::from_mins(6);

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
    /// The row that BMS named when it took the change that is pending.
    pub answered: Option<&'a ContractServiceId>,
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
    let newer = |opening: &Opening| note.stated_at.is_none_or(|stated| stated < opening.stated_at);
    if let Some(opening) = evidence.opening.filter(newer) {
        return known(stated(note, opening, evidence));
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

/// The line as a person has stated it: in force since its newest row.
fn stated(note: &LineNote, opening: Opening, evidence: &Evidence<'_>) -> LineNote {
    let newest = evidence.rows.iter().filter_map(|mark| mark.effective).max();
    let from = newest.max(evidence.contract_start).unwrap_or(Date::MIN);
    LineNote {
        steps: vec![Step { from, units: opening.units }],
        marks: evidence.rows.to_vec(),
        contract_name: note.contract_name.clone(),
        stated_at: Some(opening.stated_at),
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
        // Whoever adds such a row later is somebody else.
        Fate::NotTaken => known(LineNote { pending: None, ..note.clone() }),
        Fate::Taken(semantics) => match units_after(pending, semantics) {
            Some(units) => Judged { learnt: Some(semantics), ..known(taken(note, pending, units, evidence)) },
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

fn fate(pending: &Pending, before: &[Mark], evidence: &Evidence<'_>) -> Fate {
    let now = evidence.rows;
    let is_in = |marks: &[Mark], mark: &Mark| marks.iter().any(|other| other.id == mark.id);
    let added: Vec<&Mark> = now.iter().filter(|mark| !is_in(before, mark)).collect();
    let gone = before.iter().filter(|mark| !is_in(now, mark)).count();
    let moved: Vec<&Mark> = now.iter().filter(|mark| is_in(before, mark) && !before.contains(mark)).collect();
    // How BMS shows dates is not confirmed; the row that it named is ours whatever it shows.
    let named = |mark: &Mark| evidence.answered.or(pending.answered.as_ref()).is_some_and(|id| *id == mark.id);
    let ours = |mark: &Mark| mark.effective == Some(pending.effective) || named(mark);
    let alone = before.len() == 1;
    match (added.as_slice(), gone, moved.as_slice()) {
        ([], 0, []) => unmoved(pending, before, evidence),
        ([one], 0, []) if ours(one) => Fate::Taken(Semantics::Adds),
        ([], 0, [one]) | ([one], 1, []) if alone && ours(one) => Fate::Taken(Semantics::Replaces),
        _ => Fate::Unclear,
    }
}

/// The same rows as before.
fn unmoved(pending: &Pending, before: &[Mark], evidence: &Evidence<'_>) -> Fate {
    let [only] = before else { return Fate::NotTaken };
    if !pending.may_not_show(before) {
        return Fate::NotTaken;
    }
    match evidence.answered.or(pending.answered.as_ref()) {
        Some(id) if *id == only.id => Fate::Taken(Semantics::Replaces),
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
