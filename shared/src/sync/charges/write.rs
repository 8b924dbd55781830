//! Writing what a job has decided: intents, one request each, one read-back, settled by what it shows.

use std::collections::BTreeMap;

use super::job::{ChargesJob, JobCharge};
use super::judge::{Judgement, judge};
use super::row;
use super::shown::duplicates;
use super::work::{ChargesShift, Known, Rows};
use crate::domain::charge::{
    Act, Amounts, ChargeHistory, ChargeMeaning, ChargeResult, Planned, Shown, Terms, not_taken,
};
use crate::domain::ids::BillingCodeId;
use crate::domain::intent::IntentState;
use crate::domain::line::LineStatus;
use crate::domain::reason::{Code, Reason};
use crate::ledger::{ChargeIntent, ChargeOutcome, PlannedCharge};
use crate::psa::{Connector, NewCharge, PsaCharge, PsaError, WriteError};
use crate::store::StoreError;
use crate::sync::record::note_rejected;
use crate::sync::resolve::{ACKNOWLEDGED, ANSWER_LOST};
use crate::sync::write::{STORED_WITHIN, Switch, stops_the_rest};
use crate::sync::{SyncError, reason_of};

/// A write that is decided.
pub(super) struct Write<'j> {
    pub charge: &'j JobCharge,
    pub planned: Planned,
    /// How it is accounted for.
    pub code: &'j BillingCodeId,
    /// What is known of the charge, with its pieces as the PSA shows them.
    pub history: ChargeHistory,
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
    /// Stores the writes, sends them one after the other, reads back once, and settles. Answers with how many may have been
    /// made.
    pub(super) async fn write(
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
            markup: charge.markup,
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
                // What this user may not do with charges says nothing of the log-in.
                if error.error().refuses_log_in() {
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
}

/// A write in the words of the results.
pub(super) fn told(meaning: &ChargeMeaning) -> String {
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
