//! The job's half: one account's charges, leased, read, settled where a write is open, decided again, written, read back.
//!
//! Charges are looked for by our references before anything is made, and after every write: a PSA gives no other key.

use std::collections::{BTreeMap, BTreeSet};

use super::job::{ChargesJob, JobCharge};
use super::judge::{Judgement, judge};
use super::row;
use crate::domain::charge::{
    Act, Amounts, ChargeDecision, ChargeHistory, ChargeLine, ChargeMeaning, ChargePlace, ChargeResult, Facing, Planned,
    Reference, Shown, Terms, not_taken,
};
use crate::domain::ids::{BillingCodeId, ConnectionId};
use crate::domain::intent::IntentState;
use crate::domain::line::LineStatus;
use crate::domain::reason::{Code, Reason};
use crate::ledger::{ChargeIntent, ChargeOutcome, Lease, Ledger, PlannedCharge};
use crate::psa::{Connector, Kind, NewCharge, PsaCharge, PsaError, WriteError};
use crate::store::charge_lines::ChargeLines;
use crate::store::connections::Connection;
use crate::store::lines::Tenancy;
use crate::store::runs::{Effort, Run};
use crate::store::{Condition, Key, StoreError};
use crate::sync::parts::WorkerParts as Parts;
use crate::sync::record::{note_rejected, try_again_soon};
use crate::sync::resolve::{ACKNOWLEDGED, ANSWER_LOST};
use crate::sync::write::{STORED_WITHIN, Switch, stops_the_rest};
use crate::sync::{SyncError, Today, live_among, open, reason_of};

type Known = BTreeMap<ChargeLine, ChargeHistory>;
type Rows = BTreeMap<ChargeLine, ChargeResult>;

/// One job under one lease.
pub(in crate::sync) struct ChargesShift<'a> {
    pub parts: &'a Parts,
    pub connection: &'a Connection,
    pub of: &'a Tenancy,
    pub lease: &'a Lease,
    pub run: &'a Run,
}

/// A write that is decided.
struct Write<'j> {
    charge: &'j JobCharge,
    planned: Planned,
    /// How it is accounted for.
    code: &'j BillingCodeId,
    /// What is known of the charge, with its pieces as the PSA shows them.
    history: ChargeHistory,
}

/// A write that was stored, and what the PSA said to it.
struct Attempt {
    intent: ChargeIntent,
    said: Said,
}

enum Said {
    /// It answered that it is made.
    Done,
    /// See the error for whether it may be made.
    Not(WriteError),
    /// Not sent: something before it made more requests pointless or harmful.
    Stopped(Reason),
}

impl Attempt {
    /// Whether a request may have reached the PSA.
    fn was_sent(&self) -> bool {
        matches!(&self.said, Said::Done | Said::Not(WriteError::Rejected(_) | WriteError::Unknown(_)))
    }
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

    fn place(&self, line: &ChargeLine) -> ChargePlace {
        place(self.of, line)
    }

    /// What the PSA shows under every reference of the job's charges.
    async fn read(&self, psa: &dyn Connector, job: &ChargesJob, known: &Known) -> Result<Vec<PsaCharge>, PsaError> {
        let references =
            |charge: &JobCharge| self.history(charge, known).references(&charge.line, &self.place(&charge.line));
        let references = job.charges.iter().flat_map(references).map(|(_, reference)| reference.to_string()).collect();
        let contracts = job.charges.iter().map(|charge| charge.line.contract.clone()).collect();
        psa.charges(&contracts, &references).await
    }

    fn history(&self, charge: &JobCharge, known: &Known) -> ChargeHistory {
        known.get(&charge.line).cloned().unwrap_or_else(|| charge.unwritten(&self.connection.id))
    }

    fn shown_of(&self, charge: &JobCharge, history: &ChargeHistory, shown: &[PsaCharge]) -> BTreeMap<u32, Shown> {
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

    /// Settles what earlier attempts left open, by what the PSA showed at `read_at` or later. A charge whose write stays open
    /// gets its row here, and no decision.
    async fn settle_earlier(
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
    async fn own_intents(
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
    fn written_before(
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
                        let history = ChargeHistory {
                            pieces: write.pieces.clone(),
                            markup: charge.markup,
                            currency: charge.label.currency.clone(),
                            ..history.clone()
                        };
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
            return Err(Reason::new(Code::Stopped, explanation));
        };
        // A job that comes late must not take a newer amount back.
        if history.revision > charge.revision && !own.contains_key(&charge.line) {
            let explanation = "The charge was written after this run had been planned.".to_owned();
            return Err(Reason::new(Code::JobTooOld, explanation));
        }
        Ok(code)
    }

    /// Stores the writes, sends them one after the other, reads back once, and settles. Answers with how many may have been
    /// made.
    async fn write(
        &self,
        psa: &dyn Connector,
        job: &ChargesJob,
        planned: Vec<Write<'_>>,
        rows: &mut Rows,
    ) -> Result<u32, SyncError> {
        if planned.is_empty() {
            return Ok(0);
        }
        let parts = self.parts;
        let stored: Vec<PlannedCharge> =
            planned.iter().map(|write| self.planned(write)).collect::<Result<_, StoreError>>()?;
        let by = (&self.connection.id, &self.run.id);
        let intents = parts.ledger.intend_charges(self.of, self.lease, by, &stored, parts.clock.now()).await?;
        let attempts = self.send(psa, intents.ok_or(SyncError::Busy)?).await?;
        let sent = u32::try_from(attempts.iter().filter(|it| it.was_sent()).count()).unwrap_or(u32::MAX);
        let read_at = parts.clock.now();
        let read_back = if sent == 0 { Ok(Vec::new()) } else { self.read_back(psa, job, &stored).await? };
        let mut settled = Vec::new();
        for (attempt, Write { charge, history, .. }) in attempts.iter().zip(&planned) {
            let read = read_back.as_ref().map(|shown| self.shown_of(charge, history, shown));
            let twice = read_back
                .as_ref()
                .is_ok_and(|shown| duplicates(shown).contains(attempt.intent.meaning.reference().as_str()));
            let (outcome, reason) = self.verdict(attempt, history, read, twice, read_at);
            if let Some(row) = rows.remove(&charge.line) {
                rows.insert(charge.line.clone(), self.told(row, attempt, &outcome, reason));
            }
            settled.push((&attempt.intent, outcome));
        }
        let done = parts.ledger.settle_charges(self.of, self.lease, &settled, parts.clock.now()).await?;
        if done { Ok(sent) } else { Err(SyncError::Busy) }
    }

    fn planned(&self, write: &Write<'_>) -> Result<PlannedCharge, StoreError> {
        let Write { charge, planned, code, history } = write;
        let meaning = ChargeMeaning {
            partner: self.of.partner.clone(),
            tenant: self.of.tenant.clone(),
            line: charge.line.clone(),
            revision: history.revision,
            number: planned.number,
            act: planned.act.clone(),
            billing_code: (*code).clone(),
            records: charge.records.clone(),
            company: Some(charge.label.company.clone()),
            currency: charge.label.currency.clone(),
        };
        let holds = charge.put_here_by.holds(self.connection)?;
        Ok(PlannedCharge { meaning, history: history.clone(), holds })
    }

    async fn send(&self, psa: &dyn Connector, intents: Vec<ChargeIntent>) -> Result<Vec<Attempt>, SyncError> {
        let parts = self.parts;
        let began = parts.clock.now();
        let mut switch = Switch::new(&parts.connections, self.connection, began);
        let mut stop: Option<Reason> = None;
        let mut attempts = Vec::with_capacity(intents.len());
        for intent in intents {
            let now = parts.clock.now();
            if stop.is_none() && now.duration_since(began) > parts.settings.job_writes {
                stop = Some(Reason::new(Code::Stopped, "The job ran out of time; the next run goes on.".into()));
            }
            if stop.is_none() {
                stop = switch.is_off(now).await?;
            }
            let said = match &stop {
                Some(reason) => Said::Stopped(reason.clone()),
                None => self.send_one(psa, &intent).await?,
            };
            if let Said::Not(error) = &said {
                stop = stops_the_rest(error);
                if error.error().kind == Kind::Auth {
                    let to = (parts.events.as_ref(), parts.clock.as_ref());
                    let reason = reason_of(error.error());
                    note_rejected(&parts.connections, to, self.connection, &self.run.id, reason).await?;
                }
            }
            attempts.push(Attempt { intent, said });
        }
        Ok(attempts)
    }

    async fn send_one(&self, psa: &dyn Connector, intent: &ChargeIntent) -> Result<Said, SyncError> {
        let parts = self.parts;
        let sent_at = parts.clock.now();
        if !parts.ledger.charge_sent(self.of, self.lease, intent, sent_at).await? {
            return Err(SyncError::Busy);
        }
        // The settle delay is reckoned from what was stored: a request that leaves much later might outlive it.
        if parts.clock.now().duration_since(sent_at) > STORED_WITHIN {
            return Err(SyncError::Slow);
        }
        let meaning = &intent.meaning;
        parts.faults.before(|| "psa.charge".to_owned())?;
        let answer = match &meaning.act {
            Act::Create(terms) => psa.create_charge(&new_charge(meaning, terms)).await.map(drop),
            Act::Change { id, to } => psa.change_charge(id, &new_charge(meaning, to)).await,
            Act::Delete { id } => psa.delete_charge(&meaning.line.contract, id).await,
        };
        parts.faults.after(|| "psa.charge".to_owned())?;
        Ok(match answer {
            Ok(()) => Said::Done,
            Err(error) => Said::Not(error),
        })
    }

    async fn read_back(
        &self,
        psa: &dyn Connector,
        job: &ChargesJob,
        stored: &[PlannedCharge],
    ) -> Result<Result<Vec<PsaCharge>, PsaError>, SyncError> {
        let effect = || "psa.read_back".to_owned();
        self.parts.faults.before(effect)?;
        let known: Known = stored.iter().map(|it| (it.meaning.line.clone(), it.history.clone())).collect();
        let read = self.read(psa, job, &known).await;
        self.parts.faults.after(effect)?;
        Ok(read)
    }

    /// Judges an attempt by what was read back. An answer that says "done" is believed only when the PSA shows it, and a
    /// missing answer is a success only then.
    fn verdict(
        &self,
        attempt: &Attempt,
        history: &ChargeHistory,
        read_back: Result<BTreeMap<u32, Shown>, &PsaError>,
        twice: bool,
        read_at: jiff::Timestamp,
    ) -> (ChargeOutcome, Option<Reason>) {
        let intent = &attempt.intent;
        let (said, open_as) = match &attempt.said {
            Said::Stopped(reason) => return (ChargeOutcome::NeverSent(reason.code.clone()), Some(reason.clone())),
            Said::Not(WriteError::NotSent(error)) => {
                return (ChargeOutcome::Rejected(error.code.clone()), Some(reason_of(error)));
            }
            Said::Not(WriteError::Rejected(error)) => {
                let gone = matches!(&read_back, Ok(shown) if !shown.contains_key(&intent.meaning.number));
                // What was to be taken away is away.
                if !(matches!(intent.meaning.act, Act::Delete { .. }) && gone && !twice) {
                    return (ChargeOutcome::Rejected(error.code.clone()), Some(reason_of(error)));
                }
                (error.explanation.clone(), ACKNOWLEDGED)
            }
            Said::Not(WriteError::Unknown(error)) => (error.explanation.clone(), ANSWER_LOST),
            Said::Done => ("the PSA answered that it is made".to_owned(), ACKNOWLEDGED),
        };
        let sent = ChargeIntent { state: IntentState::Sent, code: Some(open_as.to_owned()), ..intent.clone() };
        let settle = self.parts.settings.settle;
        let shows = match read_back {
            Ok(_) if twice => "shows it twice".to_owned(),
            Ok(shown) => match judge(&sent, &history.pieces, &shown, read_at, settle) {
                Judgement::Applied(pieces) => {
                    let piece = pieces.iter().find(|piece| piece.number == intent.meaning.number);
                    let reason = piece.filter(|piece| piece.is_not_taken()).map(not_taken);
                    return (ChargeOutcome::Applied(pieces), reason);
                }
                Judgement::NotApplied => {
                    let explanation = format!("{} was not made: it was billed by then.", told(&intent.meaning));
                    let reason = Reason::new(Code::ChargeUnclear, explanation);
                    return (ChargeOutcome::Rejected("not_applied".to_owned()), Some(reason));
                }
                Judgement::NeverSent | Judgement::Wait | Judgement::Unexplained => "does not show it".to_owned(),
            },
            Err(error) => format!("could not be read back: {}", error.explanation),
        };
        let explanation = format!("{} was sent ({said}); the PSA {shows}.", told(&intent.meaning));
        (ChargeOutcome::Unknown(open_as.to_owned()), Some(Reason::new(Code::WriteUnsettled, explanation)))
    }

    /// A charge's row with what became of its write.
    fn told(
        &self,
        row: ChargeResult,
        attempt: &Attempt,
        outcome: &ChargeOutcome,
        reason: Option<Reason>,
    ) -> ChargeResult {
        let reference = Some(attempt.intent.meaning.reference().to_string());
        let row = match outcome {
            ChargeOutcome::Applied(pieces) => {
                ChargeResult { status: LineStatus::Updated, after: Amounts::of(pieces), reference, ..row }
            }
            ChargeOutcome::Rejected(_) | ChargeOutcome::Unknown(_) => ChargeResult { reference, ..row },
            ChargeOutcome::NeverSent(_) => row,
        };
        match reason {
            Some(reason) => row::because(row, reason),
            None => row,
        }
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

async fn open_intents(
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

/// A write in the words of the results.
fn told(meaning: &ChargeMeaning) -> String {
    match &meaning.act {
        Act::Create(Terms { name, amounts, .. }) => format!("The charge \"{name}\" ({amounts})"),
        Act::Change { to: Terms { name, amounts, .. }, .. } => {
            format!("A change of the charge \"{name}\" to {amounts}")
        }
        Act::Delete { id } => format!("The removal of charge {id}"),
    }
}

fn new_charge(meaning: &ChargeMeaning, terms: &Terms) -> NewCharge {
    NewCharge {
        contract: meaning.line.contract.clone(),
        reference: meaning.reference().to_string(),
        name: terms.name.clone(),
        description: terms.description.clone(),
        date: terms.date,
        cost: terms.amounts.cost,
        price: terms.amounts.price,
        billing_code: meaning.billing_code.clone(),
    }
}

pub(super) fn place(of: &Tenancy, line: &ChargeLine) -> ChargePlace {
    ChargePlace { partner: of.partner.clone(), tenant: of.tenant.clone(), contract: line.contract.clone() }
}

/// What the PSA shows of one charge, by the numbers of its references.
pub(super) fn shown_by_number(references: &[(u32, Reference)], shown: &[PsaCharge]) -> BTreeMap<u32, Shown> {
    let of = |(number, reference): &(u32, Reference)| {
        let found = shown.iter().find(|charge| charge.reference == reference.as_str())?;
        let PsaCharge { id, contract, name, date, cost, price, quantity, billed, .. } = found.clone();
        Some((*number, Shown { id, contract, name, date, cost, price, quantity, billed }))
    };
    references.iter().filter_map(of).collect()
}

/// References that the PSA shows more than once.
pub(super) fn duplicates(shown: &[PsaCharge]) -> BTreeSet<&str> {
    let mut seen = BTreeSet::new();
    shown.iter().map(|charge| charge.reference.as_str()).filter(|reference| !seen.insert(*reference)).collect()
}

pub(super) fn stands_twice(reference: &Reference) -> Reason {
    let explanation = format!("The PSA shows two charges under the reference {reference}.");
    Reason::new(Code::ChargeTwice, explanation)
}
