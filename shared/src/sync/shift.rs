//! A job on its account, under the account's lease: read, settle what is open, decide, write, read back, settle.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::earlier::{self, Open, Own};
use super::job::{Job, JobLine};
use super::parts::WorkerParts as Parts;
use super::record::{note_rejected, try_again_soon};
use super::write::{Attempt, Writer};
use super::{SyncError, Today, assess, live_writers, open, reason_of, row};
use crate::domain::ids::{ConnectionId, ContractId};
use crate::domain::intent::{IntentState, Meaning};
use crate::domain::line::{LineHistory, LineKey, LineResult};
use crate::domain::plan::{Change, Decision};
use crate::domain::reason::Code;
use crate::ledger::{Intent, Lease, SettledLast};
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
    observed: Observation,
}

impl Seen {
    pub fn history(&self, line: &LineKey) -> LineHistory {
        self.histories.get(line).cloned().unwrap_or_default()
    }

    pub fn line(&self, line: &LineKey) -> Option<&ObservedLine> {
        self.observed.lines.get(&(line.contract.clone(), line.service.clone()))
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
        let observed = match self.observe(psa.as_ref(), job, earliest).await {
            Ok(observed) => observed,
            Err(error) => return self.refused(job, &open_intents, own, &error, psa.requests_made()).await,
        };
        let mut seen = Seen { histories, observed };
        let moved_on = job.lines.iter().filter(|line| seen.history(&line.key).revision > line.revision);
        let by_others = moved_on.filter(|line| !own.contains_key(&line.key));
        let moved_on: BTreeSet<LineKey> = by_others.map(|line| line.key.clone()).collect();
        let mut rows = Rows::new();
        let found = self.settle_earlier(job, open_intents, read_at, &mut seen, &mut rows).await?;
        let settled_now = found.into_iter().filter(|(_, intent)| intent.run == self.run.id);
        let written: Own = made(own).chain(settled_now).collect();
        let before = written_rows(job, &written, &mut rows);
        let others = live_writers(&parts.connections, self.connection, seen.histories.values()).await?;
        let changes = self.decide(job, &seen, &others, &moved_on, &mut rows);
        let (writes, released) = self.write(psa.as_ref(), job, &seen, changes, &mut rows).await?;
        let effort = Effort { psa_requests: psa.requests_made(), writes: before.saturating_add(writes) };
        Ok(Worked { rows: rows.into_values().collect(), effort, released })
    }

    /// Reads the account's lines, from before their running period, or before `earliest` where that is earlier.
    async fn observe(&self, psa: &dyn Connector, job: &Job, earliest: Option<Date>) -> Result<Observation, PsaError> {
        let contracts: BTreeSet<ContractId> = job.lines.iter().map(|line| line.key.contract.clone()).collect();
        let window = assess::full_window(self.today().date, job.lines.iter());
        let from = earliest.map_or(window.from, |earliest| window.from.min(earliest));
        psa.observe(&contracts, Window { from, ..window }).await
    }

    async fn read_back(&self, psa: &dyn Connector, job: &Job) -> Result<Result<Observation, PsaError>, SyncError> {
        let effect = || "psa.read_back".to_owned();
        self.parts.faults.before(effect)?;
        let read = self.observe(psa, job, None).await;
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
        if error.kind == Kind::Auth {
            note_rejected(&parts.connections, parts.events.as_ref(), self.connection, &self.run.id).await?;
        }
        let reason = reason_of(error);
        if matches!(error.kind, Kind::Unavailable | Kind::RateLimited) {
            // Nothing of the account was decided: the run says so, and a scheduled one is made good soon.
            parts.runs.cut_short(self.run, &reason).await?;
            try_again_soon(&parts.connections, parts.clock.as_ref(), self.connection, self.run).await?;
        }
        let mut rows = Rows::new();
        let writes = written_rows(job, &made(own).collect(), &mut rows);
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
                    line.decide(&found.timeline, &history, today.date, &self.connection.policy, job.approval_needed)
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
            rows.insert(line.key.clone(), row::decided(&line.key, &line.label, &line.desired, decision.clone()));
            if let Decision::Change(change) = decision {
                changes.push((line, change));
            }
        }
        changes
    }

    /// A change as the ledger takes it down, and what was known of its line.
    fn planned(&self, line: &JobLine, change: &Change, seen: &Seen) -> Option<(Meaning, LineHistory)> {
        let history = seen.history(&line.key);
        let meaning = Meaning {
            partner: self.of.partner.clone(),
            tenant: self.of.tenant.clone(),
            line: line.key.clone(),
            contract_service: seen.line(&line.key)?.contract_service.clone(),
            effective: change.dated.date,
            before: change.before,
            target: change.target,
            revision: history.revision,
            feeds: line.reversal.as_ref().map_or_else(|| line.desired.feed_count(), |reversal| reversal.feeds),
            feeds_before: history.confirmed.map(|confirmed| confirmed.feeds),
            reverses: line.reversal.as_ref().map(|reversal| reversal.of.clone()),
        };
        Some((meaning, history))
    }

    /// Writes the changes one after the other, reads the account back once, and settles. Answers with how many were sent, and
    /// whether the lease was given back with that: nothing is done under it afterwards.
    async fn write(
        &self,
        psa: &dyn Connector,
        job: &Job,
        seen: &Seen,
        changes: Vec<(&JobLine, Change)>,
        rows: &mut Rows,
    ) -> Result<(u32, bool), SyncError> {
        if changes.is_empty() {
            return Ok((0, false));
        }
        let parts = self.parts;
        let planned: Vec<(Meaning, LineHistory)> =
            changes.iter().filter_map(|(line, change)| self.planned(line, change, seen)).collect();
        let by = (&self.connection.id, &self.run.id);
        let intents =
            parts.ledger.intend(self.of, self.lease, by, &planned, parts.clock.now()).await?.ok_or(SyncError::Busy)?;
        let writer = Writer {
            ledger: &parts.ledger,
            clock: parts.clock.as_ref(),
            of: self.of,
            lease: self.lease,
            connections: &parts.connections,
            connection: self.connection,
            faults: &parts.faults,
        };
        let attempts = writer.send(psa, intents, parts.settings.job_writes).await?;
        let sent = attempts.iter().filter(|attempt| attempt.was_sent()).count();
        if attempts.iter().any(Attempt::credentials_refused) {
            note_rejected(&parts.connections, parts.events.as_ref(), self.connection, &self.run.id).await?;
        }
        let read_back = if attempts.iter().any(Attempt::needs_read_back) {
            self.read_back(psa, job).await?
        } else {
            Ok(Observation::default())
        };
        let mut settled = Vec::new();
        // Attempts stand in the order in which they were planned.
        for (attempt, (meaning, history)) in attempts.iter().zip(&planned) {
            let verdict = attempt.verdict(&read_back);
            if let Some(row) = rows.remove(&meaning.line) {
                rows.insert(meaning.line.clone(), verdict.row(row));
            }
            settled.push(((&attempt.intent, verdict.outcome), history));
        }
        let released = match parts.ledger.settle_last(self.of, self.lease, &settled, parts.clock.now()).await? {
            SettledLast::AndReleased => true,
            SettledLast::Alone => false,
            SettledLast::Not => return Err(SyncError::Busy),
        };
        Ok((u32::try_from(sent).unwrap_or(u32::MAX), released))
    }
}

/// Those of a run's own intents that were settled as made.
fn made(own: Own) -> impl Iterator<Item = (LineKey, Intent)> {
    own.into_iter().filter(|(_, intent)| intent.state == IntentState::Applied)
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

fn missing(line: &JobLine, seen: &Seen) -> String {
    let pair = (line.key.contract.clone(), line.key.service.clone());
    let name = &line.contract.name;
    if seen.observed.unreadable.contains(&pair) {
        return format!("The units of service {} on \"{name}\" can't be read.", line.key.service);
    }
    if seen.observed.ambiguous.contains(&pair) {
        return format!("\"{name}\" carries service {} more than once.", line.key.service);
    }
    format!("\"{name}\" does not carry service {} any more.", line.key.service)
}
