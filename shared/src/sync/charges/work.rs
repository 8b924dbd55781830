//! The job's half: one account's charges, leased, read, settled where a write is open, decided again, written, read back.
//!
//! Charges are looked for by our references before anything is made, and after every write: a PSA gives no other key.

use std::collections::{BTreeMap, BTreeSet};

use super::earlier::{open_intents, stopped_rows};
use super::job::{ChargesJob, JobCharge};
use super::row;
use super::shown::{duplicates, place, shown_by_number, stands_twice};
use super::write::Write;
use crate::domain::charge::{
    Amounts, ChargeDecision, ChargeHistory, ChargeLine, ChargePlace, ChargeResult, Facing, Shown,
};
use crate::domain::ids::{BillingCodeId, ConnectionId};
use crate::domain::reason::{Code, Reason};
use crate::ledger::{ChargeIntent, Lease};
use crate::psa::{Connector, Kind, PsaCharge, PsaError};
use crate::store::connections::Connection;
use crate::store::lines::Tenancy;
use crate::store::runs::{Effort, Run};
use crate::store::{Condition, Key};
use crate::sync::parts::WorkerParts as Parts;
use crate::sync::record::{note_rejected, try_again_soon};
use crate::sync::{SyncError, Today, live_among, open, reason_of};

pub(super) type Known = BTreeMap<ChargeLine, ChargeHistory>;
pub(super) type Rows = BTreeMap<ChargeLine, ChargeResult>;

/// One job under one lease.
pub(in crate::sync) struct ChargesShift<'a> {
    pub parts: &'a Parts,
    pub connection: &'a Connection,
    pub of: &'a Tenancy,
    pub lease: &'a Lease,
    pub run: &'a Run,
}

impl ChargesShift<'_> {
    /// Does the job. Doing it again changes nothing.
    pub async fn work(&self, job: &ChargesJob) -> Result<(Vec<ChargeResult>, Effort), SyncError> {
        let parts = self.parts;
        let lines: Vec<ChargeLine> = job.charges.iter().map(|charge| charge.line.clone()).collect();
        let mut known = parts.charge_lines.named(self.of, &lines).await?;
        let open_intents = open_intents(&parts.ledger, self.of, &known).await?;
        let psa = match open(&parts.opener, self.connection).await? {
            Ok(psa) => psa,
            Err(error) => return self.refused(job, &error, 0).await,
        };
        // Taken before the read: what the PSA showed was true then, whenever the answer came.
        let read_at = parts.clock.now();
        let shown = match self.read(psa.as_ref(), job, &known).await {
            Ok(shown) => shown,
            Err(error) => return self.refused(job, &error, psa.requests_made()).await,
        };
        let mut rows = Rows::new();
        self.stop_what_stands_twice(job, &known, &shown, &mut rows);
        self.settle_earlier(job, &known, open_intents, read_at, &shown, &mut rows).await?;
        known = parts.charge_lines.named(self.of, &lines).await?;
        let own = self.own_intents(job, &known).await?;
        let before = self.written_before(job, &known, &own, &mut rows);
        let planned = self.decide(job, (&known, &own), &shown, &mut rows).await?;
        let planned = self.still_put_here(planned, &mut rows).await?;
        let sent = self.write(psa.as_ref(), job, planned, &mut rows).await?;
        let effort = Effort { psa_requests: psa.requests_made(), writes: before.saturating_add(sent) };
        Ok((rows.into_values().collect(), effort))
    }

    pub(super) fn place(&self, line: &ChargeLine) -> ChargePlace {
        place(self.of, line)
    }

    /// What the PSA shows under every reference of the job's charges.
    pub(super) async fn read(
        &self,
        psa: &dyn Connector,
        job: &ChargesJob,
        known: &Known,
    ) -> Result<Vec<PsaCharge>, PsaError> {
        let references =
            |charge: &JobCharge| self.history(charge, known).references(&charge.line, &self.place(&charge.line));
        let references = job.charges.iter().flat_map(references).map(|(_, reference)| reference.to_string()).collect();
        let contracts = job.charges.iter().map(|charge| charge.line.contract.clone()).collect();
        psa.charges(&contracts, &references).await
    }

    pub(super) fn history(&self, charge: &JobCharge, known: &Known) -> ChargeHistory {
        known.get(&charge.line).cloned().unwrap_or_else(|| charge.unwritten(&self.connection.id))
    }

    pub(super) fn shown_of(
        &self,
        charge: &JobCharge,
        history: &ChargeHistory,
        shown: &[PsaCharge],
    ) -> BTreeMap<u32, Shown> {
        shown_by_number(&history.references(&charge.line, &self.place(&charge.line)), shown)
    }

    fn stop_what_stands_twice(&self, job: &ChargesJob, known: &Known, shown: &[PsaCharge], rows: &mut Rows) {
        let twice = duplicates(shown);
        for charge in job.charges.iter().filter(|_| !twice.is_empty()) {
            let history = self.history(charge, known);
            let references = history.references(&charge.line, &self.place(&charge.line));
            if let Some((_, reference)) = references.iter().find(|(_, it)| twice.contains(it.as_str())) {
                let row = row::of(charge, history.amounts());
                rows.insert(charge.line.clone(), row::because(row, stands_twice(reference)));
            }
        }
    }

    /// Decides every charge that has no row yet.
    async fn decide<'j>(
        &self,
        job: &'j ChargesJob,
        (known, own): (&Known, &BTreeMap<ChargeLine, ChargeIntent>),
        shown: &[PsaCharge],
        rows: &mut Rows,
    ) -> Result<Vec<Write<'j>>, SyncError> {
        let today = Today::of(self.connection, self.parts.clock.as_ref()).date;
        let writers = known.values().map(|history| &history.writer);
        let live = live_among(&self.parts.connections, self.connection, writers).await?;
        let mut planned = Vec::new();
        for charge in &job.charges {
            if rows.contains_key(&charge.line) {
                continue;
            }
            let history = self.history(charge, known);
            let shows = self.shown_of(charge, &history, shown);
            let facing = Facing {
                line: &charge.line,
                history: &history,
                shown: &shows,
                wanted: &charge.wanted,
                drift: self.connection.policy.drift,
                guards: &self.connection.policy.guards,
                markup: charge.markup,
                approval_needed: job.approval_needed,
                approved: charge.approved.as_ref(),
                today,
            };
            let row = row::of(charge, facing.before());
            if let Some(reason) = &charge.only_settled {
                rows.insert(charge.line.clone(), row::because(row, reason.clone()));
                continue;
            }
            let decision = facing.decide();
            let row = match &decision {
                ChargeDecision::Write(write) => match self.may_write(charge, &history, own, &live) {
                    Ok(code) => {
                        let history = ChargeHistory { pieces: write.pieces.clone(), ..history.clone() };
                        planned.push(Write { charge, planned: (**write).clone(), code, history });
                        row::decided(row, &decision)
                    }
                    Err(reason) => row::because(row, reason),
                },
                _ => row::decided(row, &decision),
            };
            rows.insert(charge.line.clone(), row);
        }
        Ok(planned)
    }

    /// Those of `planned` whose records are still put there by the same settings and mappings; the others are told.
    async fn still_put_here<'j>(&self, planned: Vec<Write<'j>>, rows: &mut Rows) -> Result<Vec<Write<'j>>, SyncError> {
        let holds = |write: &Write<'_>| write.charge.put_here_by.holds(self.connection);
        let mut all: BTreeMap<Key, Condition> = BTreeMap::new();
        for write in &planned {
            all.extend(holds(write)?);
        }
        let ledger = &self.parts.ledger;
        if all.is_empty() || ledger.still_holds(&all.into_iter().collect::<Vec<_>>()).await? {
            return Ok(planned);
        }
        let mut kept = Vec::with_capacity(planned.len());
        for write in planned {
            if ledger.still_holds(&holds(&write)?).await? {
                kept.push(write);
                continue;
            }
            let explanation = "The mappings of its records were changed after this run had been planned.".to_owned();
            let row = row::of(write.charge, Amounts::of(&write.history.pieces));
            let row = row::because(row, Reason::new(Code::JobTooOld, explanation));
            rows.insert(write.charge.line.clone(), row);
        }
        Ok(kept)
    }

    /// How a write is accounted for, or why it may not be made.
    fn may_write<'j>(
        &self,
        charge: &'j JobCharge,
        history: &ChargeHistory,
        own: &BTreeMap<ChargeLine, ChargeIntent>,
        live: &BTreeSet<ConnectionId>,
    ) -> Result<&'j BillingCodeId, Reason> {
        if live.contains(&history.writer) {
            let explanation = "Another connection has begun to write this charge.".to_owned();
            return Err(Reason::new(Code::ChargeOfAnotherConnection, explanation));
        }
        let Some(code) = &charge.billing_code else {
            // It was handed on to be settled alone.
            let explanation = "An earlier write was settled first; the next run goes on.".to_owned();
            return Err(Reason::new(Code::WriteSettledFirst, explanation));
        };
        // A job that comes late must not take a newer amount back.
        if history.revision > charge.revision && !own.contains_key(&charge.line) {
            let explanation = "The charge was written after this run had been planned.".to_owned();
            return Err(Reason::new(Code::JobTooOld, explanation));
        }
        Ok(code)
    }

    /// The PSA could not be read: nothing is written, and every charge says why.
    async fn refused(
        &self,
        job: &ChargesJob,
        error: &PsaError,
        requests: u32,
    ) -> Result<(Vec<ChargeResult>, Effort), SyncError> {
        let parts = self.parts;
        let reason = reason_of(error);
        if error.kind == Kind::Auth {
            let to = (parts.events.as_ref(), parts.clock.as_ref());
            note_rejected(&parts.connections, to, self.connection, &self.run.id, reason.clone()).await?;
        }
        if matches!(error.kind, Kind::Unavailable | Kind::RateLimited) {
            parts.runs.cut_short(self.run, &reason).await?;
            try_again_soon(&parts.connections, parts.clock.as_ref(), self.connection, self.run).await?;
        }
        let of = Some(self.of);
        let (rows, effort) = stopped_rows((&parts.charge_lines, &parts.ledger), of, self.run, job, &reason).await?;
        Ok((rows, Effort { psa_requests: requests, ..effort }))
    }
}
