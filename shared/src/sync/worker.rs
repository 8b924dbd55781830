//! The company job's half of a sync: one PSA account, leased, read, decided again, written, read back and settled.
//!
//! A job may come twice, come late, or die at any line of this file. What it had sent by then is found in the ledger as
//! open, and is settled by reading the PSA before anything new is planned on that line.

use std::collections::{BTreeMap, BTreeSet};

use super::job::{Job, JobLine};
use super::parts::WorkerParts as Parts;
use super::record::{finish, note_rejected};
use super::resolve::{Resolution, resolve};
use super::write::{Attempt, Writer};
use super::{SyncError, Today, assess, live_writers, open, reason_of, row, tenancy};
use crate::clock::Clock;
use crate::domain::ids::{ConnectionId, ContractId};
use crate::domain::intent::Meaning;
use crate::domain::line::{LineHistory, LineKey, LineResult, LineStatus};
use crate::domain::plan::{Change, Decision};
use crate::domain::reason::{Code, Reason};
use crate::ledger::{Intent, Lease, Outcome};
use crate::psa::{Connector, Kind, Observation, ObservedLine, PsaError};
use crate::queue::CompanyJob;
use crate::store::Read;
use crate::store::connections::{Connection, Status};
use crate::store::lines::Tenancy;
use crate::store::runs::{Effort, Run};

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// Its lines were settled by this call.
    Now,
    /// It was done before, or there is nothing of it.
    Before,
}

/// Does company jobs.
#[derive(Clone)]
pub struct Worker {
    parts: Parts,
}

/// The rows of a job so far, by line.
type Rows = BTreeMap<LineKey, LineResult>;

impl Worker {
    /// A worker from its parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self { parts }
    }

    /// Does one job. Doing it again changes nothing.
    ///
    /// # Errors
    /// The store or the secrets are unavailable, or another worker has the account. The job may be done again, and must be:
    /// its run waits for it.
    pub async fn work(&self, message: &CompanyJob) -> Result<Done, SyncError> {
        let Parts { runs, connections, ledger, clock, .. } = &self.parts;
        let Some(page) = runs.job(&message.partner, &message.run, &message.page).await? else {
            return Ok(Done::Before);
        };
        let Some(run) = runs.get(&message.partner, &message.run).await? else { return Ok(Done::Before) };
        let Some(job) = page.job.filter(|_| !page.done) else {
            // Its message came again, perhaps because this is where the worker before died.
            finish(runs, self.parts.events.as_ref(), clock.as_ref(), &run).await?;
            return Ok(Done::Before);
        };
        let job: Job = serde_json::from_str(&job).map_err(|e| SyncError::Job(e.to_string()))?;
        let connection = connections.get(&message.partner, &message.connection, Read::Consistent).await?;
        let stopped = self.stopped(connection.as_ref(), &run);
        let (rows, effort) = match (connection, stopped) {
            (Some(connection), None) => {
                let of = tenancy(&connection);
                let lease = ledger.lease(&of, &job.account, clock.now()).await?.ok_or(SyncError::Busy)?;
                let shift = Shift { worker: self, connection: &connection, of: &of, lease: &lease, run: &run };
                let worked = shift.work(&job).await;
                if let Err(error) = ledger.release(&lease).await {
                    tracing::warn!(%error, account = %job.account, "a lease was not given back and ends with its term");
                }
                worked?
            }
            (_, reason) => {
                let reason =
                    reason.unwrap_or_else(|| Reason::new(Code::ConnectionOff, "The connection is gone.".into()));
                (stopped_rows(&job, &reason), Effort::default())
            }
        };
        runs.close_job(&run, &message.page, &rows, effort).await?;
        finish(runs, self.parts.events.as_ref(), clock.as_ref(), &run).await?;
        Ok(Done::Now)
    }

    /// Why the job must not be done any more, if so.
    fn stopped(&self, connection: Option<&Connection>, run: &Run) -> Option<Reason> {
        let off = |why: &str| Some(Reason::new(Code::ConnectionOff, why.into()));
        match connection {
            None => off("The connection is gone."),
            Some(connection) if connection.status == Status::Revoked => off("The connection was revoked."),
            Some(connection) if !connection.enabled => off("The connection was switched off."),
            Some(connection) if connection.policy.shadow => {
                Some(Reason::new(Code::Shadow, "The connection was put in shadow mode.".into()))
            }
            // Planning marks it as usable again: every further log-in would be refused as the one since then was.
            Some(connection) if connection.status == Status::CredentialsRejected => {
                let explanation = "The PSA refused the connection's credentials after the run was planned.";
                Some(Reason::new(Code::Stopped, explanation.into()))
            }
            Some(_) => {
                let age = self.parts.clock.now().duration_since(run.created_at);
                let explanation =
                    format!("The job waited for {} hours; its counts may be out of date.", age.as_hours());
                (age > self.parts.settings.job_age).then(|| Reason::new(Code::JobTooOld, explanation))
            }
        }
    }
}

fn stopped_rows(job: &Job, reason: &Reason) -> Vec<LineResult> {
    job.lines.iter().map(|line| row::stopped(&line.key, &line.label, reason.clone())).collect()
}

/// One job under one lease.
struct Shift<'a> {
    worker: &'a Worker,
    connection: &'a Connection,
    of: &'a Tenancy,
    lease: &'a Lease,
    run: &'a Run,
}

/// What a shift has read.
struct Seen {
    histories: BTreeMap<LineKey, LineHistory>,
    observed: Observation,
}

impl Seen {
    fn history(&self, line: &LineKey) -> LineHistory {
        self.histories.get(line).cloned().unwrap_or_default()
    }

    fn line(&self, line: &LineKey) -> Option<&ObservedLine> {
        self.observed.lines.get(&(line.contract.clone(), line.service.clone()))
    }
}

impl Shift<'_> {
    async fn work(&self, job: &Job) -> Result<(Vec<LineResult>, Effort), SyncError> {
        let parts = &self.worker.parts;
        let psa = match open(&parts.opener, self.connection).await? {
            Ok(psa) => psa,
            Err(error) => return self.refused(job, &error, 0).await,
        };
        let keys: Vec<LineKey> = job.lines.iter().map(|line| line.key.clone()).collect();
        let histories = parts.lines.named(self.of, &keys).await?;
        let observed = match self.observe(psa.as_ref(), job).await {
            Ok(observed) => observed,
            Err(error) => return self.refused(job, &error, psa.requests_made()).await,
        };
        let mut seen = Seen { histories, observed };
        let moved_on = job.lines.iter().filter(|line| seen.history(&line.key).revision > line.revision);
        let moved_on: BTreeSet<LineKey> = moved_on.map(|line| line.key.clone()).collect();
        let mut rows = Rows::new();
        let earlier = self.resolve_open(job, &mut seen, &mut rows).await?;
        let others = live_writers(&parts.connections, self.connection, seen.histories.values()).await?;
        let changes = self.decide(job, &seen, &others, &earlier, &moved_on, &mut rows);
        let writes = self.write(psa.as_ref(), job, &seen, changes, &mut rows).await?;
        let effort = Effort { psa_requests: psa.requests_made(), writes };
        Ok((rows.into_values().collect(), effort))
    }

    async fn observe(&self, psa: &dyn Connector, job: &Job) -> Result<Observation, PsaError> {
        let today = self.today();
        let contracts: BTreeSet<ContractId> = job.lines.iter().map(|line| line.key.contract.clone()).collect();
        psa.observe(&contracts, assess::full_window(today.date, job.lines.iter().map(|line| &line.contract))).await
    }

    fn today(&self) -> Today {
        Today::of(self.connection, self.worker.parts.clock.as_ref())
    }

    /// The PSA could not be read: nothing is written, and every line says why.
    async fn refused(
        &self,
        job: &Job,
        error: &PsaError,
        requests: u32,
    ) -> Result<(Vec<LineResult>, Effort), SyncError> {
        let parts = &self.worker.parts;
        if error.kind == Kind::Auth {
            note_rejected(&parts.connections, parts.events.as_ref(), self.connection, &self.run.id).await?;
        }
        Ok((stopped_rows(job, &reason_of(error)), Effort { psa_requests: requests, writes: 0 }))
    }

    /// Settles writes of earlier attempts by what the PSA shows. A line whose write stays open gets its row here, and no
    /// decision. Answers with the intents that were found applied.
    async fn resolve_open(
        &self,
        job: &Job,
        seen: &mut Seen,
        rows: &mut Rows,
    ) -> Result<BTreeMap<LineKey, Intent>, SyncError> {
        let parts = &self.worker.parts;
        let now = parts.clock.now();
        let mut resolved = Vec::new();
        for line in &job.lines {
            let history = seen.history(&line.key);
            let Some(intent) = parts.ledger.open_intent(self.of, &line.key, &history).await? else { continue };
            let empty = crate::domain::timeline::Timeline::default();
            let timeline = seen.line(&line.key).map_or(&empty, |found| &found.timeline);
            let outcome = match resolve(&intent, timeline, now, parts.settings.settle) {
                Resolution::Applied => Some(Outcome::Applied),
                Resolution::NeverSent => Some(Outcome::Rejected("never_sent".into())),
                Resolution::NotApplied => Some(Outcome::Rejected("not_applied".into())),
                Resolution::Unexplained => Some(Outcome::Unknown(Code::WriteUnexplained.as_str().into())),
                Resolution::Wait => None,
            };
            if matches!(outcome, None | Some(Outcome::Unknown(_))) {
                rows.insert(line.key.clone(), still_open(line, &intent, seen, outcome.is_none()));
            }
            resolved.extend(outcome.map(|outcome| (intent, outcome, history)));
        }
        if resolved.is_empty() {
            return Ok(BTreeMap::new());
        }
        let settled: Vec<_> =
            resolved.iter().map(|(intent, outcome, history)| ((intent, outcome.clone()), history)).collect();
        if !parts.ledger.settle(self.of, self.lease, &settled, now).await? {
            return Err(SyncError::Busy);
        }
        let keys: Vec<LineKey> = job.lines.iter().map(|line| line.key.clone()).collect();
        seen.histories = parts.lines.named(self.of, &keys).await?;
        let applied = resolved.into_iter().filter(|(_, outcome, _)| *outcome == Outcome::Applied);
        Ok(applied.map(|(intent, _, _)| (intent.meaning.line.clone(), intent)).collect())
    }

    /// Decides every line that has no row yet.
    fn decide<'j>(
        &self,
        job: &'j Job,
        seen: &Seen,
        others: &BTreeSet<ConnectionId>,
        earlier: &BTreeMap<LineKey, Intent>,
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
                decision => decision,
            };
            let mut row = row::decided(&line.key, &line.label, &line.desired, decision.clone());
            if let (Decision::Unchanged { units }, Some(intent)) = (&decision, earlier.get(&line.key))
                && intent.run == self.run.id
            {
                row = row::settled_earlier(row, intent.meaning.before, *units, intent.meaning.effective);
            }
            rows.insert(line.key.clone(), row);
            if let Decision::Change(change) = decision {
                changes.push((line, change));
            }
        }
        changes
    }

    /// Writes the changes one after the other, reads the account back once, and settles. Answers with how many were sent.
    async fn write(
        &self,
        psa: &dyn Connector,
        job: &Job,
        seen: &Seen,
        changes: Vec<(&JobLine, Change)>,
        rows: &mut Rows,
    ) -> Result<u32, SyncError> {
        if changes.is_empty() {
            return Ok(0);
        }
        let parts = &self.worker.parts;
        let mut histories = BTreeMap::new();
        let mut meanings = Vec::new();
        for (line, change) in &changes {
            let Some(found) = seen.line(&line.key) else { continue };
            let history = seen.history(&line.key);
            meanings.push(Meaning {
                partner: self.of.partner.clone(),
                tenant: self.of.tenant.clone(),
                line: line.key.clone(),
                contract_service: found.contract_service.clone(),
                effective: change.dated.date,
                before: change.before,
                target: change.target,
                revision: history.revision,
            });
            histories.insert(line.key.clone(), history);
        }
        let with_history: Vec<(Meaning, &LineHistory)> = meanings
            .into_iter()
            .filter_map(|meaning| Some((histories.get(&meaning.line)?, meaning)))
            .map(|(h, m)| (m, h))
            .collect();
        let by = (&self.connection.id, &self.run.id);
        let intents = parts
            .ledger
            .intend(self.of, self.lease, by, &with_history, parts.clock.now())
            .await?
            .ok_or(SyncError::Busy)?;
        let writer = Writer { ledger: &parts.ledger, clock: parts.clock.as_ref(), of: self.of, lease: self.lease };
        let attempts = writer.send(psa, intents, parts.settings.job_writes).await?;
        let sent = attempts.iter().filter(|attempt| attempt.was_sent()).count();
        if attempts.iter().any(Attempt::credentials_refused) {
            note_rejected(&parts.connections, parts.events.as_ref(), self.connection, &self.run.id).await?;
        }
        let read_back = if attempts.iter().any(Attempt::needs_read_back) {
            self.observe(psa, job).await
        } else {
            Ok(Observation::default())
        };
        let mut settled = Vec::new();
        for attempt in &attempts {
            let verdict = attempt.verdict(&read_back);
            let line = &attempt.intent.meaning.line;
            if let Some(row) = rows.remove(line) {
                rows.insert(line.clone(), verdict.row(row));
            }
            settled.extend(histories.get(line).map(|history| ((&attempt.intent, verdict.outcome.clone()), history)));
        }
        if !parts.ledger.settle(self.of, self.lease, &settled, parts.clock.now()).await? {
            return Err(SyncError::Busy);
        }
        Ok(u32::try_from(sent).unwrap_or(u32::MAX))
    }
}

fn missing(line: &JobLine, seen: &Seen) -> String {
    let pair = (line.key.contract.clone(), line.key.service.clone());
    let name = &line.contract.name;
    if seen.observed.ambiguous.contains(&pair) {
        return format!("\"{name}\" carries service {} more than once.", line.key.service);
    }
    format!("\"{name}\" does not carry service {} any more.", line.key.service)
}

/// The row of a line whose earlier write stays open.
fn still_open(line: &JobLine, intent: &Intent, seen: &Seen, wait: bool) -> LineResult {
    let meaning = &intent.meaning;
    let shown = seen.line(&line.key).and_then(|found| found.timeline.at(meaning.effective));
    let shows = shown.map_or_else(|| "no units".to_owned(), |units| units.to_string());
    let (code, explanation) = if wait {
        let why = "its outcome is not known, and it may still be on its way";
        (Code::WriteUnsettled, format!("A change from {} to {} was sent; {why}.", meaning.before, meaning.target))
    } else {
        let sent =
            format!("A change from {} to {} from {} was sent", meaning.before, meaning.target, meaning.effective);
        (Code::WriteUnexplained, format!("{sent}; the PSA shows {shows}, which is neither."))
    };
    let row = LineResult { status: LineStatus::Unknown, after: shown, ..row::blank(&line.key, &line.label) };
    let row = LineResult {
        before: Some(meaning.before),
        target: Some(meaning.target),
        effective_date: Some(meaning.effective),
        ..row
    };
    row::with_reason(row, Reason::new(code, explanation))
}
