//! The units of lines, which V2 neither shows nor changes: it can only put a service on a contract.
//!
//! What a line carries is what a person has stated for it once and what we have changed since, by dates; `notes` remembers
//! that in the tenant's notebook. What BMS does show of a line are its rows: their ids and effective dates. They say whether a
//! change of ours was taken, and as what (`judge`), and whether somebody else has changed the line; then its units are no
//! longer known, and nothing is written. `observe` reads, `change` writes, once.
//!
//! What the documents leave open is whether a service that is posted again is added to the one that is there or takes its
//! place. The first rise shows it, sent alone; until then falls wait.

mod change;
mod judge;
mod notes;
mod observe;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::client::Client;
use super::errors;
use super::service_lines::ServiceLine;
use crate::domain::ids::ContractServiceId;
use crate::domain::line::LineKey;
use crate::psa::notebook::{Note, Notebook};
use crate::psa::{Asked, Observation, PsaError, Right, UnitsChange, WriteError};
use notes::{Answered, LineNote, Semantics, SemanticsNote};

/// A trial that is older than this holds no other line back: its own has been unmapped, or a person looks into it.
const TRIAL_HOLDS: SignedDuration = SignedDuration::from_hours(1);

/// What one connector knows of its tenant's lines.
pub(super) struct Units {
    notebook: Arc<dyn Notebook>,
    seen: Mutex<Seen>,
}

/// As it was read last by this connector.
#[derive(Default)]
struct Seen {
    lines: BTreeMap<LineKey, SeenLine>,
    semantics: Stored<SemanticsNote>,
    /// What BMS answered to the newest change of each line that this connector made, and when that was noted.
    answered: BTreeMap<LineKey, (Timestamp, Answered)>,
}

/// What a note says, and the note itself where there is one.
#[derive(Debug, Clone, Default)]
struct Stored<T> {
    says: T,
    note: Option<Note>,
}

/// A line whose units are known.
#[derive(Debug, Clone)]
struct SeenLine {
    note: Stored<LineNote>,
    /// Its rows in BMS, at least one, by their ids.
    rows: Vec<ServiceLine>,
}

impl Units {
    pub(super) fn new(notebook: Arc<dyn Notebook>) -> Self {
        Self { notebook, seen: Mutex::default() }
    }

    pub(super) async fn observe(&self, client: &Arc<Client>, asked: &Asked) -> Result<Observation, PsaError> {
        observe::observe(self, client, asked).await
    }

    pub(super) async fn change(&self, client: &Client, change: &UnitsChange) -> Result<(), WriteError> {
        change::change(self, client, change).await
    }

    /// That units may be changed can't be tried out; what is known of it is told.
    pub(super) async fn right(&self) -> Right {
        let known = notes::read(self.notebook.as_ref(), std::iter::empty()).await;
        let told = match known.map(|notes| notes.semantics.says.semantics) {
            Ok(Semantics::Adds) => "a service that is posted again adds to what is there",
            Ok(Semantics::Replaces) => "a service that is posted again takes the place of what is there",
            Ok(Semantics::Unknown) | Err(_) => "what a service that is posted again does shows at the first rise",
        };
        Right { name: format!("change units: {told}"), missing: None }
    }

    /// Whether it is known what changes do, by what was read last.
    pub(super) fn is_learnt(&self) -> bool {
        self.seen().semantics.says.semantics != Semantics::Unknown
    }

    /// Which of `changes` may be sent before any of them is read back.
    pub(super) fn may_go(&self, changes: &[UnitsChange], now: Timestamp) -> BTreeSet<usize> {
        if self.is_learnt() {
            return (0..changes.len()).collect();
        }
        // A change of prices alone shows nothing of what one of units does, and waits for nothing.
        let of_prices = |(index, change): (usize, &UnitsChange)| (change.delta.get() == 0).then_some(index);
        let prices: BTreeSet<usize> = changes.iter().enumerate().filter_map(of_prices).collect();
        let seen = self.seen();
        let tells = |change: &&UnitsChange| {
            let line = line_of(change);
            change.delta.get() > 0
                && seen.lines.get(&line).is_some_and(|seen| seen.rows.len() == 1)
                && !seen.semantics.says.is_held_for_another(&line, now)
        };
        // The smaller the change, the smaller what has to be put right.
        let smallest = changes.iter().filter(tells).min_by_key(|change| change.delta.get());
        let tried = smallest.and_then(|smallest| changes.iter().position(|change| change == smallest));
        prices.into_iter().chain(tried).collect()
    }

    /// The rows of a line that carry its prices: all of them where they add up, the newest where it takes the others' place.
    ///
    /// # Errors
    /// The line was not observed, or BMS is told to pass a row of it over.
    pub(super) fn priced_rows(&self, change: &UnitsChange) -> Result<BTreeSet<ContractServiceId>, PsaError> {
        let seen = self.seen();
        let line = seen.lines.get(&line_of(change)).ok_or_else(errors::not_observed)?;
        let newest = line.rows.iter().map(ServiceLine::number).max();
        let replaces = seen.semantics.says.semantics == Semantics::Replaces;
        let rows = || line.rows.iter().filter(|row| !replaces || Some(row.number()) == newest);
        if rows().any(|row| row.excluded) {
            return Err(errors::excluded_from_bulk());
        }
        Ok(rows().map(|row| row.line.clone()).collect())
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn line_of(change: &UnitsChange) -> LineKey {
    LineKey { contract: change.contract.clone(), service: change.service.clone() }
}
