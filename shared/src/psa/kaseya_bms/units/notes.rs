//! What is remembered of a tenant: of each line its units by dates, its rows, and a change that was sent; of the tenant what
//! posting a service again does.
//!
//! A note is JSON. Where the one of a line can't be read, because a later version has written it or it was damaged, a person is
//! asked for the line's units anew; where the tenant's can't be read, nothing is.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Stored, TRIAL_HOLDS};
use crate::domain::ids::ContractServiceId;
use crate::domain::line::LineKey;
use crate::domain::units::Units;
use crate::psa::kaseya_bms::errors;
use crate::psa::kaseya_bms::service_lines::ServiceLine;
use crate::psa::notebook::{Note, Notebook};
use crate::psa::{PsaError, TakenOtherwise};

/// The name of the note about the tenant.
const SEMANTICS: &str = "semantics";

/// What posting a service does that the contract carries already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Semantics {
    /// Nobody has seen it yet. A difference is sent.
    #[default]
    Unknown,
    /// It stands beside what is there: what is sent is a difference.
    Adds,
    /// It takes the place of what is there: what is sent is the total.
    Replaces,
}

/// What is known of the tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SemanticsNote {
    pub semantics: Semantics,
    /// The one line that is changed to find out.
    #[serde(default)]
    pub trial: Option<Trial>,
}

/// A change that is to show what changes do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Trial {
    pub line: LineKey,
    pub at: Timestamp,
}

impl SemanticsNote {
    /// Whether the trial was of this line, and what came of it is known.
    pub fn is_over(&self, line: &LineKey, note: &LineNote) -> bool {
        self.trial.as_ref().is_some_and(|trial| trial.line == *line) && note.pending.is_none()
    }

    /// Whether the change of another line is to show what changes do.
    pub fn is_held_for_another(&self, line: &LineKey, now: Timestamp) -> bool {
        self.trial.as_ref().is_some_and(|trial| trial.line != *line && now.duration_since(trial.at) < TRIAL_HOLDS)
    }
}

/// What is known of a line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LineNote {
    /// Units from a day on, in order of days. None: nobody has stated any.
    pub steps: Vec<Step>,
    /// The line's rows in BMS when its units were known last; before the change that is `pending`, where one is.
    pub marks: Vec<Mark>,
    /// What BMS calls the contract: with it a job asks for few rows.
    #[serde(default)]
    pub contract_name: Option<String>,
    /// When the statement was made that this began with.
    #[serde(default)]
    pub stated_at: Option<Timestamp>,
    /// The last day of which that says something: a row is dated ahead, and nobody has said what is in force then.
    #[serde(default)]
    pub known_until: Option<Date>,
    /// A change that was about to be sent, and that was not seen to be taken yet.
    #[serde(default)]
    pub pending: Option<Pending>,
    /// When the newest change was about to be sent, whatever became of it.
    #[serde(default)]
    pub changed_at: Option<Timestamp>,
    /// The newest change, where it was taken for another.
    #[serde(default)]
    pub otherwise: Option<TakenOtherwise>,
}

/// Units from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Step {
    pub from: Date,
    pub units: Units,
}

/// What BMS shows of a row of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub id: ContractServiceId,
    pub effective: Option<Date>,
}

/// A change that was sent, or was about to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pending {
    pub effective: Date,
    pub before: Units,
    pub target: Units,
    /// The number in the request.
    pub sent: i64,
    /// What was known when it was sent.
    pub semantics: Semantics,
    pub at: Timestamp,
    /// What BMS answered when it took it.
    #[serde(default)]
    pub answered: Option<Answered>,
}

/// What BMS says of a service that was posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answered {
    /// The row.
    pub id: ContractServiceId,
    /// Its units, where they are told.
    pub units: Option<i64>,
}

impl Pending {
    /// Whether the rows may look the same after the change as before it: it may take the place of the only row, whose date is
    /// that of the change already.
    pub fn may_not_show(&self, before: &[Mark]) -> bool {
        let [only] = before else { return false };
        self.semantics != Semantics::Adds && only.effective.is_none_or(|effective| effective == self.effective)
    }
}

impl Mark {
    pub fn of(rows: &[ServiceLine]) -> Vec<Self> {
        rows.iter().map(|row| Self { id: row.line.clone(), effective: row.effective }).collect()
    }
}

/// Every note that an observation needs.
pub(super) struct Notes {
    pub lines: BTreeMap<LineKey, Stored<LineNote>>,
    /// Lines whose note says nothing that can be read: what was said of them before counts no more.
    pub damaged: BTreeSet<LineKey>,
    pub semantics: Stored<SemanticsNote>,
}

/// Reads what is known of `lines`, and of the tenant.
pub(super) async fn read<'l>(
    notebook: &dyn Notebook,
    lines: impl Iterator<Item = &'l LineKey>,
) -> Result<Notes, PsaError> {
    let lines: Vec<&LineKey> = lines.collect();
    let named = lines.iter().map(|line| name(line));
    let names: BTreeSet<String> = named.chain([SEMANTICS.to_owned()]).collect();
    let mut found = notebook.read(&names).await.map_err(|error| {
        tracing::warn!(%error, "the notes about a tenant of BMS can't be read");
        errors::notes_unavailable()
    })?;
    let semantics = match found.remove(SEMANTICS) {
        Some(note) => stored(note).map_err(|_| errors::notes_unreadable())?,
        None => Stored::default(),
    };
    let mut notes = Notes { lines: BTreeMap::new(), damaged: BTreeSet::new(), semantics };
    for line in lines {
        let Some(note) = found.remove(&name(line)) else { continue };
        let note = stored(note).unwrap_or_else(|note| {
            notes.damaged.insert(line.clone());
            Stored { says: LineNote::default(), note: Some(note) }
        });
        notes.lines.insert(line.clone(), note);
    }
    Ok(notes)
}

/// What came of writing a note.
pub(super) enum Written<T> {
    Is(Stored<T>),
    /// Somebody else has written it since it was read.
    Overtaken,
    /// Nobody can say.
    Unknown,
}

impl<T> Written<T> {
    /// The note as it is then, where it was written.
    pub fn stored(self) -> Option<Stored<T>> {
        if let Self::Is(stored) = self { Some(stored) } else { None }
    }
}

/// Writes what is known of a line in the place of what was read.
pub(super) async fn write_line(
    notebook: &dyn Notebook,
    line: &LineKey,
    read: Option<&Note>,
    says: LineNote,
) -> Written<LineNote> {
    write(notebook, &name(line), read, says).await
}

/// As [`write_line`], of the tenant.
pub(super) async fn write_semantics(
    notebook: &dyn Notebook,
    read: Option<&Note>,
    says: SemanticsNote,
) -> Written<SemanticsNote> {
    write(notebook, SEMANTICS, read, says).await
}

async fn write<T: Serialize>(notebook: &dyn Notebook, name: &str, read: Option<&Note>, says: T) -> Written<T> {
    let Ok(text) = serde_json::to_string(&says) else { return Written::Unknown };
    match notebook.write(name, read, text).await {
        Ok(Some(note)) => Written::Is(Stored { says, note: Some(note) }),
        Ok(None) => Written::Overtaken,
        Err(error) => {
            tracing::warn!(%error, name, "a note about a tenant of BMS was not written");
            Written::Unknown
        }
    }
}

fn stored<T: DeserializeOwned>(note: Note) -> Result<Stored<T>, Note> {
    match serde_json::from_str(&note.text) {
        Ok(says) => Ok(Stored { says, note: Some(note) }),
        Err(error) => {
            tracing::error!(%error, "a note about a tenant of BMS can't be read");
            Err(note)
        }
    }
}

fn name(line: &LineKey) -> String {
    format!("line/{}/{}", line.contract, line.service)
}
