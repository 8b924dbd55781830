//! The fan-out's half of a sync: a run is taken up, drafted, recorded and handed on, and ended where nothing is left to do.
//!
//! Which run takes over from which, and what becomes of one whose planner died, is decided here. What a run's lines come to
//! is `drafting`'s, and in which order it is stored `record`'s.

use super::draft::Draft;
use super::drafting::{Drafting, Halt};
use super::parts::PlannerParts as Parts;
use super::record::{come_again_soon, finish, note_accepted, note_rejected, record, try_again_soon};
use super::{SyncError, open, reason_of};
use crate::clock::Clock;
use crate::domain::ids::{PartnerId, RunId};
use crate::domain::reason::{Code, Reason};
use crate::psa::{Kind, PsaError};
use crate::store::Read;
use crate::store::connections::{Bookkeeping, Connection, Status};
use crate::store::runs::{Mode, Planned, Run, RunState};

/// Plans runs.
#[derive(Clone)]
pub struct Planner {
    parts: Parts,
}

impl Planner {
    /// A planner from its parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self { parts }
    }

    /// Plans a queued run, or takes up one whose planner died. A run that is planned already, or that has ended, is left as
    /// it is. `None`: there is no such run.
    ///
    /// # Errors
    /// The store, the secrets or the queue is unavailable, or another planner is at it: the same run may be planned again.
    pub async fn plan(&self, partner: &PartnerId, run: &RunId) -> Result<Option<Run>, SyncError> {
        let Parts { runs, ledger, clock, .. } = &self.parts;
        let Some(run) = runs.get(partner, run).await? else { return Ok(None) };
        let resumed = run.state == RunState::Running;
        let Some(run) = runs.begin(&run, ledger.holder(), clock.now()).await? else {
            return self.planned_before(&run).await.map(Some);
        };
        if let Err(error) = self.carry_out(&run, resumed).await {
            if let Err(error) = runs.leave(&run, ledger.holder()).await {
                tracing::warn!(%error, run = %run.id, "the run stays with this planner until its time is over");
            }
            return Err(error);
        }
        Ok(self.finish(&run).await?.or(Some(run)))
    }

    /// Ends a run whose planning failed at every try. Jobs that it has handed on are still done.
    ///
    /// # Errors
    /// The store is unavailable: the run stays as it is.
    pub async fn give_up(&self, partner: &PartnerId, run: &RunId) -> Result<(), SyncError> {
        let Parts { runs, ledger, clock, .. } = &self.parts;
        let Some(run) = runs.get(partner, run).await? else { return Ok(()) };
        // A run that was never begun can't end.
        runs.begin(&run, ledger.holder(), clock.now()).await?;
        if let Some(connection) = self.parts.connections.get(&run.partner, &run.connection, Read::Consistent).await? {
            try_again_soon(&self.parts.connections, clock.as_ref(), &connection, &run).await?;
        }
        let reason = Reason::new(Code::GivenUp, "The run could not be planned at any try.".into());
        let (counts, worth, charges) = runs.planned_in_part(&run).await?;
        runs.planned(&run, &Planned { counts, worth, charges, reason: Some(reason), ..Planned::default() }).await?;
        self.finish(&run).await?;
        Ok(())
    }

    async fn planned_before(&self, run: &Run) -> Result<Run, SyncError> {
        let now = self.finish(run).await?.unwrap_or_else(|| run.clone());
        if now.planned { Ok(now) } else { Err(SyncError::Busy) }
    }

    async fn carry_out(&self, run: &Run, resumed: bool) -> Result<(), SyncError> {
        let connection = self.parts.connections.get(&run.partner, &run.connection, Read::Consistent).await?;
        let draft = match connection.as_ref().filter(|connection| usable(connection, run.mode)) {
            None => {
                Draft::failed(Reason::new(Code::ConnectionOff, "The connection is switched off or revoked.".into()))
            }
            Some(connection) => {
                let older = self.note_newest(connection, run).await?;
                let draft = self.draft(connection, run).await?;
                if let Some(older) = older.filter(|_| draft.is_failed()) {
                    self.leave_to(&older, connection, run).await?;
                }
                draft
            }
        };
        record(&self.parts, connection.as_ref(), run, draft, resumed).await
    }

    /// A run of all lines takes over from the ones before it: what is left of their jobs is not done any more. Noted
    /// before anything is read, so that no job of an older one writes behind what this one has seen. Gives the run that it
    /// takes over from.
    async fn note_newest(&self, connection: &Connection, run: &Run) -> Result<Option<RunId>, SyncError> {
        if run.mode != Mode::Apply || !run.is_of_all_lines() {
            return Ok(None);
        }
        let mut older = None;
        let note = |found: &mut Bookkeeping| {
            let newer = found.current_run.as_ref().is_none_or(|newest| *newest < run.id);
            // Set anew each time: where others write as well, this is asked again.
            older = if newer { found.current_run.replace(run.id.clone()) } else { None };
            newer
        };
        self.parts.connections.note(&connection.partner, &connection.id, note).await?;
        Ok(older)
    }

    /// A run that came to nothing takes over nothing: what is left of the `older` one's jobs is done, and for those that
    /// were not done meanwhile, a scheduled run follows soon.
    async fn leave_to(&self, older: &RunId, connection: &Connection, run: &Run) -> Result<(), SyncError> {
        let Parts { connections, runs, clock, .. } = &self.parts;
        let is_over = |older: Run| older.finished_at.is_some();
        if runs.get(&run.partner, older).await?.is_none_or(is_over) {
            return Ok(());
        }
        let leave = |found: &mut Bookkeeping| {
            let mine = found.current_run.as_ref() == Some(&run.id);
            if mine {
                found.current_run = Some(older.clone());
            }
            mine
        };
        connections.note(&connection.partner, &connection.id, leave).await?;
        Ok(come_again_soon(connections, clock.as_ref(), connection).await?)
    }

    async fn finish(&self, run: &Run) -> Result<Option<Run>, SyncError> {
        finish(&self.parts.runs, (self.parts.events.as_ref(), &self.parts.metrics), self.parts.clock.as_ref(), run)
            .await
    }

    async fn draft(&self, connection: &Connection, run: &Run) -> Result<Draft, SyncError> {
        let psa = match open(&self.parts.opener, connection).await? {
            Ok(psa) => psa,
            Err(error) => return self.refused(connection, run, &error, 0).await,
        };
        let drafting = Drafting { parts: &self.parts, psa: psa.as_ref(), connection, run };
        match drafting.draft().await {
            Ok(draft) => {
                let psa_requests = psa.requests_made();
                if psa_requests > 0 {
                    note_accepted(&self.parts.connections, self.parts.clock.as_ref(), connection).await?;
                }
                Ok(Draft { psa_requests, ..draft })
            }
            Err(Halt::Psa(error)) => self.refused(connection, run, &error, psa.requests_made()).await,
            Err(Halt::Ours(error)) => Err(error),
        }
    }

    /// The PSA refused or failed: the run ends here, and the partner is told why.
    async fn refused(
        &self,
        connection: &Connection,
        run: &Run,
        error: &PsaError,
        psa_requests: u32,
    ) -> Result<Draft, SyncError> {
        if matches!(error.kind, Kind::Unavailable | Kind::RateLimited) {
            let Parts { connections, clock, .. } = &self.parts;
            try_again_soon(connections, clock.as_ref(), connection, run).await?;
        }
        if error.kind == Kind::Auth {
            let to = (self.parts.events.as_ref(), self.parts.clock.as_ref());
            note_rejected(&self.parts.connections, to, connection, &run.id, reason_of(error)).await?;
        }
        Ok(Draft { psa_requests, ..Draft::failed(reason_of(error)) })
    }
}

fn usable(connection: &Connection, mode: Mode) -> bool {
    connection.status != Status::Revoked && (connection.enabled || mode == Mode::Preview)
}
