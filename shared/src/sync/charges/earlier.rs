//! Writes of earlier attempts: those that are open are settled by what the PSA shows before anything new is decided; those that
//! an earlier attempt of the same job had made are found in the ledger, so that its run shows and counts them.

use std::collections::BTreeMap;

use super::job::{ChargesJob, JobCharge};
use super::judge::{Judgement, judge};
use super::row;
use super::work::{ChargesShift, Known, Rows};
use super::write::told;
use crate::domain::charge::{Amounts, ChargeHistory, ChargeLine, ChargeResult, not_taken};
use crate::domain::intent::IntentState;
use crate::domain::line::LineStatus;
use crate::domain::reason::{Code, Reason};
use crate::ledger::{ChargeIntent, ChargeOutcome, Ledger};
use crate::psa::PsaCharge;
use crate::store::charge_lines::ChargeLines;
use crate::store::lines::Tenancy;
use crate::store::runs::{Effort, Run};
use crate::sync::SyncError;

impl ChargesShift<'_> {
    /// Settles what earlier attempts left open, by what the PSA showed at `read_at` or later. A charge whose write stays open
    /// gets its row here, and no decision.
    pub(super) async fn settle_earlier(
        &self,
        job: &ChargesJob,
        known: &Known,
        open: BTreeMap<ChargeLine, ChargeIntent>,
        read_at: jiff::Timestamp,
        shown: &[PsaCharge],
        rows: &mut Rows,
    ) -> Result<(), SyncError> {
        let mut settled = Vec::new();
        for charge in &job.charges {
            let (Some(intent), Some(history)) = (open.get(&charge.line), known.get(&charge.line)) else { continue };
            // Two under one reference say nothing of either.
            if rows.contains_key(&charge.line) {
                continue;
            }
            let shows = self.shown_of(charge, history, shown);
            let row = row::of(charge, Amounts::of(&history.pieces));
            match judge(intent, &history.pieces, &shows, read_at, self.parts.settings.settle) {
                Judgement::NeverSent => settled.push((intent, ChargeOutcome::NeverSent("never_sent".to_owned()))),
                Judgement::Applied(pieces) => settled.push((intent, ChargeOutcome::Applied(pieces))),
                Judgement::NotApplied => settled.push((intent, ChargeOutcome::Rejected("not_applied".to_owned()))),
                Judgement::Wait => {
                    let explanation = format!("{} was sent; the PSA does not show it yet.", told(&intent.meaning));
                    let reason = Reason::new(Code::WriteUnsettled, explanation);
                    rows.insert(charge.line.clone(), row::because(row, reason));
                }
                Judgement::Unexplained => {
                    let explanation = format!(
                        "{} was sent and the PSA answered that it is made, but does not show it.",
                        told(&intent.meaning)
                    );
                    let reason = Reason::new(Code::WriteUnexplained, explanation);
                    settled.push((intent, ChargeOutcome::Unknown(reason.code.clone())));
                    rows.insert(charge.line.clone(), row::because(row, reason));
                }
            }
        }
        if settled.is_empty() {
            return Ok(());
        }
        let done = self.parts.ledger.settle_charges(self.of, self.lease, &settled, self.parts.clock.now()).await?;
        if done { Ok(()) } else { Err(SyncError::Busy) }
    }

    /// What this run itself wrote last on charges that moved on since it was planned; nobody wrote them since.
    pub(super) async fn own_intents(
        &self,
        job: &ChargesJob,
        known: &Known,
    ) -> Result<BTreeMap<ChargeLine, ChargeIntent>, SyncError> {
        let mut own = BTreeMap::new();
        for charge in &job.charges {
            let Some(history) = known.get(&charge.line).filter(|history| history.revision > charge.revision) else {
                continue;
            };
            let newest = self.parts.ledger.newest_of_charge(self.of, &charge.line).await?;
            own.extend(newest.filter(|it| is_last_of(it, self.run, history)).map(|it| (charge.line.clone(), it)));
        }
        Ok(own)
    }

    /// Rows of what earlier attempts of this job had made. Answers with how many there are.
    pub(super) fn written_before(
        &self,
        job: &ChargesJob,
        known: &Known,
        own: &BTreeMap<ChargeLine, ChargeIntent>,
        rows: &mut Rows,
    ) -> u32 {
        let mut count = 0;
        for charge in &job.charges {
            let made = own.get(&charge.line).filter(|intent| intent.state == IntentState::Applied);
            if let (Some(intent), Some(history)) = (made, known.get(&charge.line)) {
                rows.insert(charge.line.clone(), written(charge, intent, history));
                count += 1;
            }
        }
        count
    }
}

/// The rows of a job that is not done, and what earlier attempts of it had written. A charge that one had begun to write is
/// not called untouched.
pub(in crate::sync) async fn stopped_rows(
    (lines, ledger): (&ChargeLines, &Ledger),
    of: Option<&Tenancy>,
    run: &Run,
    job: &ChargesJob,
    reason: &Reason,
) -> Result<(Vec<ChargeResult>, Effort), SyncError> {
    let keys: Vec<ChargeLine> = job.charges.iter().map(|charge| charge.line.clone()).collect();
    let known = match of {
        Some(of) => lines.named(of, &keys).await?,
        None => Known::new(),
    };
    let mut rows = Vec::with_capacity(job.charges.len());
    let mut writes = 0;
    for charge in &job.charges {
        let stopped = || row::because(row::of(charge, None), reason.clone());
        let (Some(of), Some(history)) = (of, known.get(&charge.line)) else {
            rows.push(stopped());
            continue;
        };
        if history.open.is_some() {
            let explanation = format!("A write was begun and is not settled: {}", reason.explanation);
            let row = row::of(charge, None);
            rows.push(row::because(row, Reason::new(Code::WriteUnsettled, explanation)));
            continue;
        }
        let newest = ledger.newest_of_charge(of, &charge.line).await?;
        let made = |it: &ChargeIntent| is_last_of(it, run, history) && it.state == IntentState::Applied;
        match newest.filter(made) {
            Some(intent) => {
                writes += 1;
                rows.push(written(charge, &intent, history));
            }
            None => rows.push(stopped()),
        }
    }
    Ok((rows, Effort { psa_requests: 0, writes }))
}

pub(super) async fn open_intents(
    ledger: &Ledger,
    of: &Tenancy,
    known: &Known,
) -> Result<BTreeMap<ChargeLine, ChargeIntent>, SyncError> {
    let mut open = BTreeMap::new();
    for (line, history) in known {
        if let Some(intent) = ledger.open_charge_intent(of, line, history).await? {
            open.insert(line.clone(), intent);
        }
    }
    Ok(open)
}

/// Whether an intent is `run`'s and the last word on its charge.
fn is_last_of(intent: &ChargeIntent, run: &Run, history: &ChargeHistory) -> bool {
    intent.run == run.id && intent.meaning.revision.saturating_add(1) == history.revision
}

/// The row of a charge that an earlier attempt of the same job has written.
fn written(charge: &JobCharge, intent: &ChargeIntent, history: &ChargeHistory) -> ChargeResult {
    let row = row::of(charge, None);
    let piece = history.pieces.iter().find(|piece| piece.number == intent.meaning.number);
    let row = ChargeResult {
        after: Amounts::of(&history.pieces),
        reference: Some(intent.meaning.reference().to_string()),
        status: LineStatus::Updated,
        explanation: format!("{} was made.", told(&intent.meaning)),
        ..row
    };
    match piece.filter(|piece| piece.is_not_taken()) {
        Some(piece) => row::because(row, not_taken(piece)),
        None => row,
    }
}
