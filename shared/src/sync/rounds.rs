//! Writing what a shift has decided: intents, one request each, one read-back, settled. In one round, or in up to three.
//!
//! Another round follows where the PSA's way with changes was learnt in this one: lines that had to wait are decided and
//! written then, and a change that the PSA took for another one is put right at once. And it follows where prices can't travel
//! with units: they are decided once the units are read back.

use std::collections::BTreeSet;

use super::job::{Job, JobLine};
use super::record::note_rejected;
use super::shift::{Rows, Seen, Shift};
use super::write::{Attempt, Verdict, Writer, change_of};
use super::{SyncError, reason_of, row};
use crate::domain::intent::Meaning;
use crate::domain::line::{LineHistory, LineKey};
use crate::domain::plan::Change;
use crate::domain::reason::{Code, Reason};
use crate::ledger::{Intent, SettledLast};
use crate::psa::{Connector, Observation, UnitsChange};

/// A change as the ledger takes it down, and what was known of its line.
type Planned = (Meaning, LineHistory);

/// What a round came to.
pub(super) struct Round {
    /// Requests that may have reached the PSA.
    pub sent: u32,
    pub end: End,
}

/// Whether there is more to do.
pub(super) enum End {
    /// Nothing. `released`: the lease was given back with the last that was done under it.
    Over { released: bool },
    /// What has no row is to be decided anew by what was read back; `of_lines` are the rows of those whose units are written
    /// and whose prices come next.
    Again { observed: Observation, of_lines: Rows },
}

impl Shift<'_> {
    /// Writes the changes one after the other, reads the account back once, and settles. `last`: no round follows.
    pub(super) async fn write<'j>(
        &self,
        psa: &dyn Connector,
        job: &Job,
        seen: &Seen,
        (changes, last): (Vec<(&'j JobLine, Change)>, bool),
        rows: &mut Rows,
    ) -> Result<Round, SyncError> {
        let mut apart = BTreeSet::new();
        let alone = |(line, change): (&'j JobLine, Change), apart: &mut BTreeSet<LineKey>| {
            let both = change.prices.is_some() && change.delta.get() != 0;
            if both && psa.prices_apart() {
                apart.insert(line.key.clone());
                return (line, Change { prices: None, ..change });
            }
            (line, change)
        };
        let changes: Vec<_> = changes.into_iter().map(|change| alone(change, &mut apart)).collect();
        let planned: Vec<Planned> =
            changes.iter().filter_map(|(line, change)| self.planned(line, change, seen)).collect();
        let (now, later) = let_go(psa, planned);
        for (meaning, _) in &later {
            defer(meaning, rows);
        }
        if now.is_empty() {
            return Ok(Round { sent: 0, end: End::Over { released: false } });
        }
        let attempts = self.send(psa, &now).await?;
        let sent = attempts.iter().filter(|attempt| attempt.was_sent()).count();
        let sent = u32::try_from(sent).unwrap_or(u32::MAX);
        let read_back = if attempts.iter().any(Attempt::needs_read_back) {
            self.read_back(psa, job).await?
        } else {
            Ok(Observation::default())
        };
        let verdicts: Vec<Verdict> = attempts.iter().map(|attempt| attempt.verdict(&read_back)).collect();
        let mut of_lines = Rows::new();
        let made = |(verdict, (meaning, _)): (&Verdict, &Planned)| {
            (verdict.is_applied() && apart.contains(&meaning.line)).then(|| meaning.line.clone())
        };
        let prices_next: BTreeSet<LineKey> = verdicts.iter().zip(&now).filter_map(made).collect();
        let again = !last && (is_learnt(&verdicts, &later) || !prices_next.is_empty());
        // Attempts stand in the order in which they were planned.
        for (verdict, (meaning, _)) in verdicts.iter().zip(&now) {
            if let Some(row) = rows.remove(&meaning.line)
                && !(again && verdict.is_otherwise())
            {
                let rows = if again && prices_next.contains(&meaning.line) { &mut of_lines } else { &mut *rows };
                rows.insert(meaning.line.clone(), verdict.row(row));
            }
        }
        let settled: Vec<_> = attempts
            .iter()
            .zip(&verdicts)
            .zip(&now)
            .map(|((attempt, verdict), (_, history))| ((&attempt.intent, verdict.outcome.clone()), history))
            .collect();
        let (ledger, at) = (&self.parts.ledger, self.parts.clock.now());
        if let (true, Ok(observed)) = (again, read_back) {
            if !ledger.settle(self.of, self.lease, &settled, at).await? {
                return Err(SyncError::Busy);
            }
            for (meaning, _) in &later {
                rows.remove(&meaning.line);
            }
            return Ok(Round { sent, end: End::Again { observed, of_lines } });
        }
        let released = match ledger.settle_last(self.of, self.lease, &settled, at).await? {
            SettledLast::AndReleased => true,
            SettledLast::Alone => false,
            SettledLast::Not => return Err(SyncError::Busy),
        };
        Ok(Round { sent, end: End::Over { released } })
    }

    fn planned(&self, line: &JobLine, change: &Change, seen: &Seen) -> Option<Planned> {
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
            prices: change.prices,
            company: Some(line.label.company.clone()),
            product: Some(line.label.product.clone()),
        };
        Some((meaning, history))
    }

    async fn send(&self, psa: &dyn Connector, planned: &[Planned]) -> Result<Vec<Attempt>, SyncError> {
        let parts = self.parts;
        let by = (&self.connection.id, &self.run.id);
        let intents: Option<Vec<Intent>> =
            parts.ledger.intend(self.of, self.lease, by, planned, parts.clock.now()).await?;
        let writer = Writer {
            ledger: &parts.ledger,
            clock: parts.clock.as_ref(),
            of: self.of,
            lease: self.lease,
            connections: &parts.connections,
            connection: self.connection,
            faults: &parts.faults,
        };
        let attempts = writer.send(psa, intents.ok_or(SyncError::Busy)?, parts.settings.job_writes).await?;
        if let Some(refused) = attempts.iter().find_map(Attempt::credentials_refused) {
            let to = (parts.events.as_ref(), parts.clock.as_ref());
            note_rejected(&parts.connections, to, self.connection, &self.run.id, reason_of(refused)).await?;
        }
        Ok(attempts)
    }
}

/// Those that may be sent now, and those that have to wait.
fn let_go(psa: &dyn Connector, planned: Vec<Planned>) -> (Vec<Planned>, Vec<Planned>) {
    let changes: Vec<UnitsChange> = planned.iter().map(|(meaning, _)| change_of(meaning)).collect();
    let may_go = psa.may_go(&changes);
    let (now, later): (Vec<_>, Vec<_>) = planned.into_iter().enumerate().partition(|(index, _)| may_go.contains(index));
    let bare = |side: Vec<(usize, Planned)>| side.into_iter().map(|(_, planned)| planned).collect();
    (bare(now), bare(later))
}

/// Whether the first round has shown what changes do, so that a second one has something to do.
fn is_learnt(verdicts: &[Verdict], later: &[Planned]) -> bool {
    let known = |verdict: &Verdict| verdict.is_otherwise() || verdict.is_applied();
    verdicts.iter().any(Verdict::is_otherwise) || (!later.is_empty() && verdicts.iter().all(known))
}

/// The row of a line whose change has to wait.
fn defer(meaning: &Meaning, rows: &mut Rows) {
    let explanation = format!(
        "From {} to {}: what a change does in this PSA is being learnt from one line first.",
        meaning.before, meaning.target
    );
    if let Some(row) = rows.remove(&meaning.line) {
        rows.insert(meaning.line.clone(), row::deferred(row, Reason::new(Code::ChangeDeferred, explanation)));
    }
}
