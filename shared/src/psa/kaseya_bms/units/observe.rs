//! Reading lines: what is remembered of them, what BMS shows of them, and what both say of their units.
//!
//! Lines are shown by service, so each service asked about is read once, all its contracts together. Where few contracts are
//! asked about, as in a company's job, BMS is asked for each by its name, and for all of them only where that does not show
//! what was there before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, date};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::judge::{Evidence, Judged, judge};
use super::notes::{self, LineNote, Mark, Notes, Semantics, SemanticsNote};
use super::{SeenLine, Stored, Units};
use crate::domain::ids::{ContractId, ContractServiceId, ServiceId};
use crate::domain::line::LineKey;
use crate::domain::reason::{Code, Reason};
use crate::domain::timeline::{Row, Timeline};
use crate::psa::kaseya_bms::client::Client;
use crate::psa::kaseya_bms::errors;
use crate::psa::kaseya_bms::invoices;
use crate::psa::kaseya_bms::service_lines::{self, ServiceLine};
use crate::psa::{Asked, Observation, ObservedLine, PsaError};

/// A contract without an end has this one, as in `contracts`.
const NO_END: Date = date(9999, 12, 31);

/// Notes written at once.
const WRITES_AT_ONCE: usize = 16;

/// So many contracts are asked for by their names rather than all at once. A job seldom asks for more.
const BY_NAME: usize = 3;

/// The lines of one service that are asked about.
struct OfService {
    service: ServiceId,
    contracts: BTreeSet<ContractId>,
    /// Each contract's name and rows, as they were last; `None`: they are not asked for by name.
    named: Option<Vec<Named>>,
}

/// A contract's name, and the line's rows there.
type Named = (String, Vec<ContractServiceId>);

/// What BMS shows of the lines that are asked about.
#[derive(Default)]
struct Shown {
    rows: BTreeMap<LineKey, Vec<ServiceLine>>,
    /// Services whose lines it does not show.
    refused: BTreeMap<ServiceId, Reason>,
}

pub(super) async fn observe(units: &Units, client: &Arc<Client>, asked: &Asked) -> Result<Observation, PsaError> {
    // Before anything is asked of BMS: notes that can't be read are no fault of its.
    let mut known = notes::read(units.notebook.as_ref(), asked.lines()).await?;
    let at = client.clock.now();
    let Shown { mut rows, refused } = read(client, asked, &known.lines).await?;
    let mut seen = BTreeMap::new();
    let mut observed = Observation::default();
    let (mut learnt, mut trial_over) = (None, false);
    let mut changed = Vec::new();
    let mut names = BTreeMap::new();
    for line in asked.lines() {
        if let Some(why) = refused.get(&line.service) {
            observed.unreadable.insert((line.contract.clone(), line.service.clone()), why.clone());
        }
        let Some(rows) = rows.remove(line) else { continue };
        observed.prices.extend(rows.iter().max_by_key(|row| row.number()).map(|row| (line.clone(), row.prices())));
        let (note, judged) = units.judged_twice(line, &mut known, &rows, asked, at).await?;
        trial_over |= known.semantics.says.is_over(line, &judged.note);
        learnt = learnt.or(judged.learnt);
        let pair = (line.contract.clone(), line.service.clone());
        match judged.unknown {
            Some(why) => {
                if known.damaged.contains(line) {
                    notes::write_line(units.notebook.as_ref(), line, note.note.as_ref(), judged.note).await;
                }
                names.extend(rows.iter().find_map(|row| row.name.clone()).map(|name| (line.clone(), name)));
                observed.unreadable.insert(pair, why);
            }
            None => {
                let of_passer_by = asked.is_in_passing() && judged.note.stated_at != note.says.stated_at;
                if judged.note != note.says && !of_passer_by {
                    changed.push(line.clone());
                }
                let note = Stored { says: judged.note, note: note.note };
                seen.insert(line.clone(), SeenLine { note, rows });
            }
        }
    }
    let semantics = units.learn(known.semantics, learnt, trial_over).await;
    units.remember(&mut seen, changed).await;
    for (line, found) in &seen {
        let pair = (line.contract.clone(), line.service.clone());
        if semantics.says.semantics == Semantics::Replaces && found.rows.len() > 1 {
            // Which of them would be replaced is not known.
            observed.ambiguous.insert(pair);
        } else {
            observed.lines.insert(pair, shown(found, semantics.says.semantics));
        }
    }
    advise(client, &mut observed, &names).await;
    let mut all = units.seen();
    all.semantics = semantics;
    all.lines.extend(seen);
    drop(all);
    Ok(observed)
}

impl Units {
    /// Judges a line. Where its rows don't fit what is remembered, somebody may have noted a change after that was read: it is
    /// read once more before anybody is told that the line was changed.
    async fn judged_twice(
        &self,
        line: &LineKey,
        known: &mut Notes,
        rows: &[ServiceLine],
        asked: &Asked,
        at: Timestamp,
    ) -> Result<(Stored<LineNote>, Judged), PsaError> {
        let mut note = known.lines.remove(line).unwrap_or_default();
        let mut judged = self.judged(line, &note.says, rows, asked, (at, known.damaged.contains(line)));
        let differs = judged.unknown.as_ref().is_some_and(|why| why.code == Code::UnitsChangedElsewhere.as_str());
        if differs {
            let mut again = notes::read(self.notebook.as_ref(), std::iter::once(line)).await?;
            let newer = again.lines.remove(line).unwrap_or_default();
            if newer.note != note.note {
                judged = self.judged(line, &newer.says, rows, asked, (at, again.damaged.contains(line)));
                note = newer;
            }
        }
        Ok((note, judged))
    }

    fn judged(
        &self,
        line: &LineKey,
        note: &LineNote,
        rows: &[ServiceLine],
        asked: &Asked,
        (at, damaged): (Timestamp, bool),
    ) -> Judged {
        let answered = self.seen().answered.get(line).cloned();
        let evidence = Evidence {
            rows: &Mark::of(rows),
            contract_start: rows.iter().find_map(|row| row.contract_start),
            opening: asked.opening(line),
            answered: answered.as_ref(),
            damaged,
            at,
        };
        let judged = judge(note, &evidence);
        let contract_name = rows.iter().find_map(|row| row.contract_name.clone());
        Judged {
            note: LineNote { contract_name: contract_name.or(judged.note.contract_name), ..judged.note },
            ..judged
        }
    }

    /// Remembers what the changes of this observation have shown changes to do, or that the trial has shown nothing.
    async fn learn(
        &self,
        known: Stored<SemanticsNote>,
        learnt: Option<Semantics>,
        trial_over: bool,
    ) -> Stored<SemanticsNote> {
        let trial = known.says.trial.clone().filter(|_| learnt.is_none() && !trial_over);
        let says = SemanticsNote { semantics: learnt.unwrap_or(known.says.semantics), trial };
        if says == known.says {
            return known;
        }
        let written = notes::write_semantics(self.notebook.as_ref(), known.note.as_ref(), says.clone()).await;
        // What was not written is seen again: the line that has shown it says so until its next change.
        written.stored().unwrap_or(Stored { says, note: known.note })
    }

    /// Stores the notes of those lines that say something else than before. One that can't be stored is what this connector
    /// goes by all the same; a change of the line then finds out whether it still holds.
    async fn remember(&self, seen: &mut BTreeMap<LineKey, SeenLine>, changed: Vec<LineKey>) {
        let room = Arc::new(Semaphore::new(WRITES_AT_ONCE));
        let mut writes = JoinSet::new();
        for line in changed {
            let Some(found) = seen.get(&line) else { continue };
            let (notebook, room, note) = (Arc::clone(&self.notebook), Arc::clone(&room), found.note.clone());
            writes.spawn(async move {
                let _permit = room.acquire().await;
                let written = notes::write_line(notebook.as_ref(), &line, note.note.as_ref(), note.says).await;
                (line, written.stored())
            });
        }
        while let Some(written) = writes.join_next().await {
            if let Ok((line, Some(note))) = written
                && let Some(found) = seen.get_mut(&line)
            {
                found.note = note;
            }
        }
    }
}

/// Reads the rows of every line asked about, each service on its own.
async fn read(
    client: &Arc<Client>,
    asked: &Asked,
    known: &BTreeMap<LineKey, Stored<LineNote>>,
) -> Result<Shown, PsaError> {
    let mut reads = JoinSet::new();
    for of_service in by_service(asked, known) {
        let client = Arc::clone(client);
        reads.spawn(async move { (of_service.service.clone(), of_service.rows(&client).await) });
    }
    let mut shown = Shown::default();
    while let Some(read) = reads.join_next().await {
        let (service, rows) = read.map_err(|_| errors::interrupted())?;
        let rows = match rows {
            Ok(rows) => rows,
            // A service that is gone must not stop the partner's other lines.
            Err(error) => match errors::of_one_service(&error) {
                Some(why) => {
                    shown.refused.insert(service, why);
                    continue;
                }
                None => return Err(error),
            },
        };
        for row in rows {
            let line = LineKey { contract: row.contract.clone(), service: row.service.clone() };
            shown.rows.entry(line).or_default().push(row);
        }
    }
    Ok(shown)
}

fn by_service(asked: &Asked, known: &BTreeMap<LineKey, Stored<LineNote>>) -> Vec<OfService> {
    let mut services: BTreeMap<ServiceId, BTreeSet<ContractId>> = BTreeMap::new();
    for line in asked.lines() {
        services.entry(line.service.clone()).or_default().insert(line.contract.clone());
    }
    let named = |service: &ServiceId, contract: &ContractId| -> Option<Named> {
        let line = LineKey { contract: contract.clone(), service: service.clone() };
        let note = &known.get(&line)?.says;
        Some((note.contract_name.clone()?, note.marks.iter().map(|mark| mark.id.clone()).collect()))
    };
    let of_service = |(service, contracts): (ServiceId, BTreeSet<ContractId>)| {
        let few = contracts.len() <= BY_NAME;
        let named = few.then(|| contracts.iter().map(|contract| named(&service, contract)).collect()).flatten();
        OfService { named, service, contracts }
    };
    services.into_iter().map(of_service).collect()
}

impl OfService {
    async fn rows(self, client: &Client) -> Result<Vec<ServiceLine>, PsaError> {
        if let Some(named) = &self.named
            && let Some(rows) = self.rows_by_name(client, named).await?
        {
            return Ok(rows);
        }
        Ok(self.wanted(service_lines::lines_of_service(client, &self.service).await?))
    }

    /// `None`: what was there before is not among what a contract's name shows. The contract may have another name by now.
    async fn rows_by_name(&self, client: &Client, named: &[Named]) -> Result<Option<Vec<ServiceLine>>, PsaError> {
        // Two contracts of one name show each other's rows.
        let mut rows: BTreeMap<i64, ServiceLine> = BTreeMap::new();
        for (name, before) in named {
            // A name that BMS refuses to look for says nothing of the service.
            let found = match service_lines::lines_on(client, &self.service, name).await {
                Ok(found) => self.wanted(found),
                Err(error) if errors::of_one_service(&error).is_some() => return Ok(None),
                Err(error) => return Err(error),
            };
            let shows = |id: &ContractServiceId| found.iter().any(|row| row.line == *id);
            if before.is_empty() || !before.iter().all(shows) {
                return Ok(None);
            }
            rows.extend(found.into_iter().map(|row| (row.number(), row)));
        }
        Ok(Some(rows.into_values().collect()))
    }

    fn wanted(&self, rows: Vec<ServiceLine>) -> Vec<ServiceLine> {
        rows.into_iter().filter(|row| self.contracts.contains(&row.contract)).collect()
    }
}

fn shown(found: &SeenLine, semantics: Semantics) -> ObservedLine {
    let note = &found.note.says;
    let timeline = timeline(note, &found.rows);
    // A change that took the place of another of the same day might not show; one that puts another right has to be of its day.
    let freely = semantics != Semantics::Replaces || note.otherwise.is_some();
    ObservedLine {
        contract_service: found.rows[0].line.clone(),
        timeline: if freely { timeline.freely_dated() } else { timeline },
        otherwise: note.otherwise,
    }
}

/// Each step holds until the next one, the last to the end of the contract, or to a row that is dated ahead. What is posted BMS
/// does not show.
fn timeline(note: &LineNote, rows: &[ServiceLine]) -> Timeline {
    let steps = &note.steps;
    let end = rows.iter().find_map(|row| row.contract_end).unwrap_or(NO_END);
    let end = note.known_until.map_or(end, |until| until.min(end));
    let ends = steps.iter().skip(1).map(|next| next.from.yesterday().unwrap_or(next.from)).chain([end]);
    let rows = steps.iter().zip(ends);
    Timeline::new(
        rows.map(|(step, end)| Row { start: step.from, end: end.max(step.from), units: step.units, posted: false })
            .collect(),
    )
}

/// Adds what was billed last to the lines whose units nobody has stated. It is advice: without it they are still asked for.
/// `names`: what each service is called on its contract, and so on an invoice.
async fn advise(client: &Client, observed: &mut Observation, names: &BTreeMap<LineKey, String>) {
    let needed = |why: &Reason| why.code == Code::OpeningUnitsNeeded.as_str();
    let wanting = observed.unreadable.iter().filter(|(_, why)| needed(why));
    let contracts: BTreeSet<ContractId> = wanting.map(|((contract, _), _)| contract.clone()).collect();
    if contracts.is_empty() {
        return;
    }
    let billed = invoices::last_billed(client, &contracts).await.unwrap_or_default();
    for ((contract, service), why) in observed.unreadable.iter_mut().filter(|(_, why)| needed(why)) {
        let line = LineKey { contract: contract.clone(), service: service.clone() };
        let of_it = names.get(&line).and_then(|name| billed.get(&(contract.clone(), name.clone())));
        if let Some(billed) = of_it {
            why.explanation += &format!(" {} were billed last, on {}.", billed.units.normalize(), billed.on);
        }
    }
}
