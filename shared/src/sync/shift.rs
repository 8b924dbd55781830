//! A job on its account, under the account's lease: read, settle what is open, decide. What is decided is written in `rounds`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::earlier::{self, Open, Own};
use super::job::{Job, JobLine};
use super::parts::WorkerParts as Parts;
use super::provision::begun;
use super::record::{note_rejected, try_again_soon};
use super::rounds::End;
use super::{SyncError, Today, assess, live_writers, open, reason_of, row};
use crate::domain::ids::ConnectionId;
use crate::domain::line::{LineHistory, LineKey, LineResult, LineStatus};
use crate::domain::plan::{Change, Decision};
use crate::domain::reason::{Code, Reason};
use crate::ledger::{Intent, Lease};
use crate::psa::{Connector, Kind, Observation, ObservedLine, PsaError, Window};
use crate::store::connections::Connection;
use crate::store::lines::Tenancy;
use crate::store::runs::{Effort, Run};

/// The rows of a job so far, by line.
pub(super) type Rows = BTreeMap<LineKey, LineResult>;

/// One job under one lease.
pub(super) struct Shift<'a> {
    pub parts: &'a Parts,
    pub connection: &'a Connection,
    pub of: &'a Tenancy,
    pub lease: &'a Lease,
    pub run: &'a Run,
}

/// What a shift came to.
pub(super) struct Worked {
    pub rows: Vec<LineResult>,
    pub effort: Effort,
    /// The lease was given back with the last that was done under it.
    pub released: bool,
}

impl Worked {
    /// What was come to under a lease that is still held.
    pub fn under_lease((rows, effort): (Vec<LineResult>, Effort)) -> Self {
        Self { rows, effort, released: false }
    }
}

/// What a shift has read.
pub(super) struct Seen {
    pub histories: BTreeMap<LineKey, LineHistory>,
    pub observed: Observation,
}

impl Seen {
    pub fn history(&self, line: &LineKey) -> LineHistory {
        self.histories.get(line).cloned().unwrap_or_default()
    }

    pub fn line(&self, line: &LineKey) -> Option<&ObservedLine> {
        self.observed.lines.get(&(line.contract.clone(), line.service.clone()))
    }

    /// Why nothing is known of a line's units, where the PSA shows the line.
    pub fn unreadable(&self, line: &LineKey) -> Option<&Reason> {
        self.observed.unreadable.get(&(line.contract.clone(), line.service.clone()))
    }
}

impl Shift<'_> {
    pub async fn work(&self, job: &Job) -> Result<Worked, SyncError> {
        let parts = self.parts;
        let keys: Vec<LineKey> = job.lines.iter().map(|line| line.key.clone()).collect();
        let histories = parts.lines.named(self.of, &keys).await?;
        let open_intents = self.open_intents(job, &histories).await?;
        let own = self.own_intents(job, &histories, &open_intents).await?;
        let psa = match open(&parts.opener, self.connection).await? {
            Ok(psa) => psa,
            Err(error) => return self.refused(job, &open_intents, own, &error, 0).await,
        };
        // Taken before the read: what the PSA showed was true then, whenever the answer came.
        let read_at = parts.clock.now();
        let earliest = open_intents.values().map(|intent| intent.meaning.effective).min();
        let priced = open_intents.values().any(|intent| intent.meaning.prices.is_some());
        let observed = match self.observe(psa.as_ref(), job, (earliest, priced)).await {
            Ok(observed) => observed,
            Err(error) => return self.refused(job, &open_intents, own, &error, psa.requests_made()).await,
        };
        let mut seen = Seen { histories, observed };
        let moved_on = job.lines.iter().filter(|line| seen.history(&line.key).revision > line.revision);
        let by_others = moved_on.filter(|line| !own.contains_key(&line.key));
        let moved_on: BTreeSet<LineKey> = by_others.map(|line| line.key.clone()).collect();
        let mut rows = Rows::new();
        let provisioned = self.make(psa.as_ref(), job, &mut rows).await?;
        let of_this_run = open_intents.iter().filter(|(_, intent)| intent.run == self.run.id);
        let begun: BTreeSet<LineKey> = of_this_run.map(|(line, _)| line).chain(own.keys()).cloned().collect();
        let found = self.settle_earlier(job, open_intents, read_at, &mut seen, &mut rows).await?;
        let settled_now = found.into_iter().filter(|(_, intent)| intent.run == self.run.id);
        let besides = self.made_besides(&begun).await?;
        let written = self.with_units(made(own).chain(settled_now).collect()).await?;
        let before = written_rows(job, &written, &mut rows).saturating_add(besides).saturating_add(provisioned);
        let others = live_writers(&parts.connections, self.connection, seen.histories.values()).await?;
        let mut writes = before;
        let mut begun = Rows::new();
        for last in [false, false, true] {
            let changes = self.decide(job, &seen, &others, &moved_on, &mut rows);
            go_on(std::mem::take(&mut begun), &mut rows);
            let round = self.write(psa.as_ref(), job, &seen, (changes, last), &mut rows).await?;
            writes = writes.saturating_add(round.sent);
            match round.end {
                End::Over { released } => {
                    let effort = Effort { psa_requests: psa.requests_made(), writes };
                    return Ok(Worked { rows: rows.into_values().collect(), effort, released });
                }
                End::Again { observed, of_lines } => {
                    begun = of_lines;
                    seen = Seen { histories: parts.lines.named(self.of, &keys).await?, observed };
                }
            }
        }
        Err(SyncError::Busy)
    }

    /// Reads the account's lines, from before their running period, or before `earliest` where that is earlier; with their
    /// prices where they are kept, or where `priced`.
    async fn observe(
        &self,
        psa: &dyn Connector,
        job: &Job,
        (earliest, priced): (Option<Date>, bool),
    ) -> Result<Observation, PsaError> {
        let window = assess::full_window(self.today().date, job.lines.iter());
        let from = earliest.map_or(window.from, |earliest| window.from.min(earliest));
        let asked = job.asked();
        let asked = if priced { asked.and_prices() } else { asked };
        if asked.lines().next().is_none() {
            return Ok(Observation::default());
        }
        psa.observe(&asked, Window { from, ..window }).await
    }

    pub(super) async fn read_back(
        &self,
        psa: &dyn Connector,
        job: &Job,
    ) -> Result<Result<Observation, PsaError>, SyncError> {
        let effect = || "psa.read_back".to_owned();
        self.parts.faults.before(effect)?;
        let read = self.observe(psa, job, (None, false)).await;
        self.parts.faults.after(effect)?;
        Ok(read)
    }

    fn today(&self) -> Today {
        Today::of(self.connection, self.parts.clock.as_ref())
    }

    /// The PSA could not be read: nothing is written, and every line says why.
    async fn refused(
        &self,
        job: &Job,
        open: &Open,
        own: Own,
        error: &PsaError,
        requests: u32,
    ) -> Result<Worked, SyncError> {
        let parts = self.parts;
        let reason = reason_of(error);
        if error.kind == Kind::Auth {
            let to = (parts.events.as_ref(), parts.clock.as_ref());
            note_rejected(&parts.connections, to, self.connection, &self.run.id, reason.clone()).await?;
        }
        if matches!(error.kind, Kind::Unavailable | Kind::RateLimited) {
            // Nothing of the account was decided: the run says so, and a scheduled one is made good soon.
            parts.runs.cut_short(self.run, &reason).await?;
            try_again_soon(&parts.connections, parts.clock.as_ref(), self.connection, self.run).await?;
        }
        let mut rows = Rows::new();
        let mut writes = written_rows(job, &made(own).collect(), &mut rows);
        for line in &job.lines {
            if let Some((row, sent)) = begun(&parts.ledger, self.of, line, &self.run.id, &reason).await? {
                writes += sent;
                rows.insert(line.key.clone(), row);
            }
        }
        for line in &job.lines {
            rows.entry(line.key.clone()).or_insert_with(|| match open.get(&line.key) {
                Some(_) => earlier::unread(line, &reason),
                None => row::stopped(&line.key, &line.label, reason.clone()),
            });
        }
        Ok(Worked::under_lease((rows.into_values().collect(), Effort { psa_requests: requests, writes })))
    }

    /// Decides every line that has no row yet.
    fn decide<'j>(
        &self,
        job: &'j Job,
        seen: &Seen,
        others: &BTreeSet<ConnectionId>,
        moved_on: &BTreeSet<LineKey>,
        rows: &mut Rows,
    ) -> Vec<(&'j JobLine, Change)> {
        let today = self.today();
        let mut changes = Vec::new();
        for line in &job.lines {
            if rows.contains_key(&line.key) {
                continue;
            }
            let history = seen.history(&line.key);
            let decision = match seen.line(&line.key) {
                None if seen.unreadable(&line.key).is_some() => unreadable(line, seen),
                None => Decision::stop(Code::ServiceNotOnContract, missing(line, seen), None),
                Some(found) if history.open.is_some() => Decision::stop(
                    Code::WriteUnsettled,
                    "An earlier write of this line is not settled yet.".into(),
                    found.timeline.at(today.date),
                ),
                Some(found) if history.writer.as_ref().is_some_and(|writer| others.contains(writer)) => Decision::stop(
                    Code::LineOfAnotherConnection,
                    "Another connection has begun to write this line.".into(),
                    found.timeline.at(today.date),
                ),
                Some(found) => {
                    let shown = seen.observed.prices_shown(&line.key);
                    let policy = &self.connection.policy;
                    line.decide((found, &shown), &history, today.date, policy, job.approval_needed)
                }
            };
            let decision = match decision {
                // A job that comes late must not take a newer count back.
                Decision::Change(change) if moved_on.contains(&line.key) => Decision::stop(
                    Code::JobTooOld,
                    "The line was written after this run had been planned.".into(),
                    Some(change.before),
                ),
                Decision::Change(change) if line.is_of_another_period(job.planned_on, today.date) => Decision::stop(
                    Code::JobTooOld,
                    format!("The run was planned on {}, in another billing period or month.", job.planned_on),
                    Some(change.before),
                ),
                decision => decision,
            };
            let row = row::decided(&line.key, &line.label, &line.desired, decision.clone());
            let row = match (&decision, seen.line(&line.key).and_then(|found| found.otherwise)) {
                (Decision::Change(change), Some(taken)) if change.before == taken.units => {
                    row::putting_right(row, &taken)
                }
                _ => row,
            };
            rows.insert(line.key.clone(), row);
            if let Decision::Change(change) = decision {
                changes.push((line, change));
            }
        }
        changes
    }
}

/// Rows of lines whose units were written in the round before, told together with what is decided of their prices since.
fn go_on(begun: Rows, rows: &mut Rows) {
    for (line, begun) in begun {
        let priced = rows.remove(&line).filter(|row| row.prices.is_some() || row.status != LineStatus::Unchanged);
        let row = match priced {
            Some(row) => row::after_units(begun, row),
            None => begun,
        };
        rows.insert(line, row);
    }
}

/// Those of a run's own intents that were settled as made.
fn made(own: Own) -> impl Iterator<Item = (LineKey, Intent)> {
    own.into_iter().filter(|(_, intent)| intent.is_made())
}

/// The rows of lines that earlier attempts of the same job wrote. Answers with how many there are.
fn written_rows(job: &Job, written: &Own, rows: &mut Rows) -> u32 {
    let mut count = 0;
    for line in &job.lines {
        if let Some(intent) = written.get(&line.key) {
            rows.insert(line.key.clone(), earlier::written(line, intent));
            count += 1;
        }
    }
    count
}

fn unreadable(line: &JobLine, seen: &Seen) -> Decision {
    let why = seen.unreadable(&line.key);
    let reason = why.map(|why| assess::unreadable(&line.contract.name, &line.key, why));
    Decision::stop_for(reason.unwrap_or_else(|| Reason::new(Code::LineUnreadable, missing(line, seen))), None)
}

fn missing(line: &JobLine, seen: &Seen) -> String {
    let pair = (line.key.contract.clone(), line.key.service.clone());
    let name = &line.contract.name;
    if seen.observed.ambiguous.contains(&pair) {
        return format!("\"{name}\" carries service {} more than once.", line.key.service);
    }
    format!("\"{name}\" does not carry service {} any more.", line.key.service)
}
