//! The company job's half of a sync: one PSA account, leased, read, decided again, written, read back and settled.
//!
//! A job may come twice, come late, or die anywhere. What it had sent by then is found in the ledger as open, and is settled
//! by reading the PSA before anything new is planned on that line. Here is who may do a job and what becomes of its page; the
//! work on the account is `shift`.

use super::charges::{self, ChargesJob, ChargesShift};
use super::draft::budget_exhausted;
use super::earlier;
use super::findings::{Said, say_of_job};
use super::job::Job;
use super::parts::WorkerParts as Parts;
use super::provision::begun;
use super::record::{come_again_soon, finish, try_again_soon};
use super::shift::{Shift, Worked};
use super::{SyncError, row};
use crate::domain::charge::ChargeResult;
use crate::domain::line::{LineKey, LineResult};
use crate::domain::reason::{Code, Reason};
use crate::queue::CompanyJob;
use crate::store::connections::{Connection, Status};
use crate::store::lines::Tenancy;
use crate::store::runs::{Effort, JobRows, Run};

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// Its lines were settled by this call.
    Now,
    /// It was done before, or there is nothing of it.
    Before,
}

/// What a job's page has to be done.
enum Work {
    Lines(Job),
    Charges(ChargesJob),
}

impl Work {
    fn read(job: &str) -> Result<Self, SyncError> {
        if let Ok(charges) = serde_json::from_str(job) {
            return Ok(Self::Charges(charges));
        }
        serde_json::from_str(job).map(Self::Lines).map_err(|e| SyncError::Job(e.to_string()))
    }
}

/// Does company jobs.
#[derive(Clone)]
pub struct Worker {
    parts: Parts,
}

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
        let Parts { runs, ledger, clock, .. } = &self.parts;
        let JobRows { page: Some(page), run: Some(run), connection } = runs.job(message).await? else {
            return Ok(Done::Before);
        };
        let Some(job) = page.job.filter(|_| !page.done) else {
            // Its message came again, perhaps because this is where the worker before died.
            finish(runs, (self.parts.events.as_ref(), &self.parts.metrics), clock.as_ref(), &run).await?;
            return Ok(Done::Before);
        };
        let stopped = self.stopped(connection.as_ref(), &run);
        let job: Job = match Work::read(&job)? {
            Work::Charges(job) => return self.work_on_charges(message, (connection, stopped), &run, &job).await,
            Work::Lines(job) => job,
        };
        let of = connection.clone();
        let (rows, effort) = match (connection, stopped) {
            (Some(connection), None) => {
                let of = Tenancy::of(&connection);
                let lease = ledger.lease(&of, &job.account, clock.now()).await?.ok_or(SyncError::Busy)?;
                let shift = Shift { parts: &self.parts, connection: &connection, of: &of, lease: &lease, run: &run };
                let worked = match self.beyond_budget(&connection, job.cost).await {
                    Ok(None) => shift.work(&job).await,
                    Ok(Some(reason)) => self.cut_short(&connection, &run, &job, reason).await.map(Worked::under_lease),
                    Err(error) => Err(error),
                };
                let released = worked.as_ref().is_ok_and(|worked| worked.released);
                if !released && let Err(error) = ledger.release(&lease).await {
                    tracing::warn!(%error, account = %job.account, "a lease was not given back and ends with its term");
                }
                let Worked { rows, effort, .. } = worked?;
                (rows, effort)
            }
            (connection, reason) => {
                let gone = || Reason::new(Code::ConnectionOff, "The connection is gone.".into());
                let reason = reason.unwrap_or_else(gone);
                match connection {
                    // Nobody wanted it undone, and no newer run does it.
                    Some(connection) if reason.code == Code::JobTooOld.as_str() => {
                        self.cut_short(&connection, &run, &job, reason).await?
                    }
                    connection => self.stopped_rows(connection, &run, &job, reason).await?,
                }
            }
        };
        let rows = job.told(rows);
        self.say(of.as_ref(), &run, &job, &rows).await?;
        self.settle_soon(of.as_ref(), &rows).await?;
        runs.close_job(&run, &message.page, &rows, effort).await?;
        finish(runs, (self.parts.events.as_ref(), &self.parts.metrics), clock.as_ref(), &run).await?;
        Ok(Done::Now)
    }

    /// Has a write whose outcome is open looked at again soon: with time what others do to the line hides what became of it.
    async fn settle_soon(&self, connection: Option<&Connection>, rows: &[LineResult]) -> Result<(), SyncError> {
        let open = |row: &LineResult| row.code == Code::WriteUnsettled.as_str();
        if let Some(connection) = connection.filter(|_| rows.iter().any(open)) {
            come_again_soon(&self.parts.connections, self.parts.clock.as_ref(), connection).await?;
        }
        Ok(())
    }

    /// Takes the job's requests from what is left of the connection's. A reason: they are not left, and none may be made.
    async fn beyond_budget(&self, connection: &Connection, cost: u32) -> Result<Option<Reason>, SyncError> {
        let Parts { budgets, clock, .. } = &self.parts;
        let taken = budgets.take(&connection.partner, &connection.id, cost, clock.now()).await?;
        Ok((!taken).then(|| budget_exhausted(connection)))
    }

    /// The rows of a job that is not done though somebody still wants it. The run says so, too: it did not do all that it
    /// planned, and a scheduled one is made good soon.
    async fn cut_short(
        &self,
        connection: &Connection,
        run: &Run,
        job: &Job,
        reason: Reason,
    ) -> Result<(Vec<LineResult>, Effort), SyncError> {
        let Parts { runs, connections, clock, .. } = &self.parts;
        runs.cut_short(run, &reason).await?;
        try_again_soon(connections, clock.as_ref(), connection, run).await?;
        self.stopped_rows(Some(connection.clone()), run, job, reason).await
    }

    /// Closes a job that failed at every delivery, so that its run can end. What its lines had sent stays open in the ledger
    /// and is settled by the next run.
    ///
    /// # Errors
    /// The store is unavailable: the run goes on waiting.
    pub async fn give_up(&self, message: &CompanyJob) -> Result<(), SyncError> {
        let Parts { runs, .. } = &self.parts;
        let JobRows { page, run: Some(run), connection } = runs.job(message).await? else { return Ok(()) };
        if let Some(job) = page.and_then(|page| page.job.filter(|_| !page.done)) {
            let reason = Reason::new(Code::GivenUp, "The account's job failed at every try.".into());
            let job: Job = match Work::read(&job)? {
                Work::Charges(job) => return self.give_up_charges(message, connection, &run, (&job, reason)).await,
                Work::Lines(job) => job,
            };
            let (rows, effort) = match &connection {
                Some(connection) => self.cut_short(connection, &run, &job, reason).await?,
                None => self.stopped_rows(None, &run, &job, reason).await?,
            };
            let rows = job.told(rows);
            self.say(connection.as_ref(), &run, &job, &rows).await?;
            runs.close_job(&run, &message.page, &rows, effort).await?;
        }
        finish(runs, (self.parts.events.as_ref(), &self.parts.metrics), self.parts.clock.as_ref(), &run).await?;
        Ok(())
    }

    /// Stores what the job's rows say to the findings of its lines.
    async fn say(
        &self,
        connection: Option<&Connection>,
        run: &Run,
        job: &Job,
        rows: &[LineResult],
    ) -> Result<(), SyncError> {
        let Some(connection) = connection else { return Ok(()) };
        let Parts { findings, events, clock, .. } = &self.parts;
        say_of_job((findings, events.as_ref()), (connection, &run.id), Said::of(rows), &job.findings, clock.now()).await
    }

    /// The rows of a job that is not done, and what earlier attempts of it had written. A line that one had begun to write is
    /// not called untouched.
    async fn stopped_rows(
        &self,
        connection: Option<Connection>,
        run: &Run,
        job: &Job,
        reason: Reason,
    ) -> Result<(Vec<LineResult>, Effort), SyncError> {
        let Parts { lines, ledger, .. } = &self.parts;
        let keys: Vec<LineKey> = job.lines.iter().map(|line| line.key.clone()).collect();
        let of = connection.as_ref().map(Tenancy::of);
        let histories = match &of {
            Some(of) => lines.named(of, &keys).await?,
            None => Default::default(),
        };
        let mut rows = Vec::with_capacity(job.lines.len());
        let mut writes = 0;
        for line in &job.lines {
            if let Some(of) = &of
                && let Some((row, sent)) = begun(ledger, of, line, &run.id, &reason).await?
            {
                writes += sent;
                rows.push(row);
                continue;
            }
            let history = histories.get(&line.key).cloned().unwrap_or_default();
            let newest = match &of {
                Some(of) => ledger.newest(of, &line.key).await?,
                None => None,
            };
            if let (Some(of), Some(_)) = (&of, newest.as_ref().filter(|newest| newest.run == run.id)) {
                writes += ledger.made_besides(of, &line.key, &run.id).await?;
            }
            rows.push(match newest {
                _ if history.open.is_some() => earlier::unread(line, &reason),
                Some(intent) if earlier::is_made(&intent, &run.id, &history) => {
                    writes += 1;
                    earlier::written(line, &intent)
                }
                Some(intent) if intent.meaning.revision >= history.revision => {
                    earlier::contradicted(line, &intent, &reason)
                }
                _ => row::stopped(&line.key, &line.label, reason.clone()),
            });
        }
        Ok((rows, Effort { psa_requests: 0, writes }))
    }

    /// As [`Self::work`], of an account's charges.
    async fn work_on_charges(
        &self,
        message: &CompanyJob,
        (connection, stopped): (Option<Connection>, Option<Reason>),
        run: &Run,
        job: &ChargesJob,
    ) -> Result<Done, SyncError> {
        let Parts { ledger, clock, .. } = &self.parts;
        let (rows, effort) = match (&connection, stopped) {
            (Some(connection), None) => {
                let of = Tenancy::of(connection);
                let lease = ledger.lease(&of, &job.account, clock.now()).await?.ok_or(SyncError::Busy)?;
                let shift = ChargesShift { parts: &self.parts, connection, of: &of, lease: &lease, run };
                let worked = match self.beyond_budget(connection, job.cost).await {
                    Ok(None) => shift.work(job).await,
                    Ok(Some(reason)) => self.cut_charges_short(connection, run, job, reason).await,
                    Err(error) => Err(error),
                };
                if let Err(error) = ledger.release(&lease).await {
                    tracing::warn!(%error, account = %job.account, "a lease was not given back and ends with its term");
                }
                worked?
            }
            (connection, reason) => {
                let gone = || Reason::new(Code::ConnectionOff, "The connection is gone.".into());
                let reason = reason.unwrap_or_else(gone);
                match connection {
                    Some(connection) if reason.code == Code::JobTooOld.as_str() => {
                        self.cut_charges_short(connection, run, job, reason).await?
                    }
                    connection => self.stopped_charges(connection.as_ref(), run, job, &reason).await?,
                }
            }
        };
        self.close_charges(message, connection.as_ref(), run, (job, &rows), effort).await?;
        Ok(Done::Now)
    }

    async fn give_up_charges(
        &self,
        message: &CompanyJob,
        connection: Option<Connection>,
        run: &Run,
        (job, reason): (&ChargesJob, Reason),
    ) -> Result<(), SyncError> {
        let (rows, effort) = match &connection {
            Some(connection) => self.cut_charges_short(connection, run, job, reason).await?,
            None => self.stopped_charges(None, run, job, &reason).await?,
        };
        self.close_charges(message, connection.as_ref(), run, (job, &rows), effort).await
    }

    async fn cut_charges_short(
        &self,
        connection: &Connection,
        run: &Run,
        job: &ChargesJob,
        reason: Reason,
    ) -> Result<(Vec<ChargeResult>, Effort), SyncError> {
        let Parts { runs, connections, clock, .. } = &self.parts;
        runs.cut_short(run, &reason).await?;
        try_again_soon(connections, clock.as_ref(), connection, run).await?;
        self.stopped_charges(Some(connection), run, job, &reason).await
    }

    async fn stopped_charges(
        &self,
        connection: Option<&Connection>,
        run: &Run,
        job: &ChargesJob,
        reason: &Reason,
    ) -> Result<(Vec<ChargeResult>, Effort), SyncError> {
        let Parts { charge_lines, ledger, .. } = &self.parts;
        let of = connection.map(Tenancy::of);
        charges::stopped_rows((charge_lines, ledger), of.as_ref(), run, job, reason).await
    }

    /// Stores what became of a job of charges: what its rows say to findings, its page, and the run's end if it was the last.
    async fn close_charges(
        &self,
        message: &CompanyJob,
        connection: Option<&Connection>,
        run: &Run,
        (job, rows): (&ChargesJob, &[ChargeResult]),
        effort: Effort,
    ) -> Result<(), SyncError> {
        let Parts { runs, findings, connections, events, metrics, clock, .. } = &self.parts;
        if let Some(connection) = connection {
            let line = |row: &ChargeResult| job.charges.iter().find(|charge| charge.line.to_string() == row.charge_id);
            let said = Said::of_charges(rows.iter().filter_map(|row| Some((&line(row)?.line, row))));
            let to = (findings, events.as_ref());
            say_of_job(to, (connection, &run.id), said, &job.findings, clock.now()).await?;
            // A write that is open is looked at again soon, and what was left for it.
            let codes = [Code::WriteUnsettled, Code::WriteSettledFirst].map(Code::as_str);
            if rows.iter().any(|row| codes.contains(&row.code.as_str())) {
                come_again_soon(connections, clock.as_ref(), connection).await?;
            }
        }
        runs.close_charges_job(run, &message.page, rows, effort).await?;
        finish(runs, (events.as_ref(), metrics), clock.as_ref(), run).await?;
        Ok(())
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
            // What a person asked for, line by line, no newer run would do in its place.
            Some(connection)
                if run.reverses.is_none()
                    && !run.is_approved()
                    && connection.current_run.as_ref().is_some_and(|newest| *newest > run.id) =>
            {
                Some(Reason::new(Code::Superseded, "A newer run of the whole connection has been planned.".into()))
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
