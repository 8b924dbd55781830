//! Sending changes, each once, and judging what became of each by the account's read-back.

use jiff::{SignedDuration, Timestamp};

use super::resolve::{ACKNOWLEDGED, ANSWER_LOST, taken_otherwise};
use super::{SyncError, reason_of, row};
use crate::clock::Clock;
use crate::domain::intent::Meaning;
use crate::domain::line::{LineKey, LineResult, LineStatus};
use crate::domain::money::UnitPrices;
use crate::domain::reason::{Code, Reason};
use crate::domain::units::Units;
use crate::faults::Faults;
use crate::ledger::{Intent, Lease, Ledger, Outcome};
use crate::psa::{Connector, Kind, Observation, ObservedLine, PsaError, UnitsChange, WriteError};
use crate::store::Read;
use crate::store::connections::{Connection, Connections, Status};
use crate::store::lines::Tenancy;

/// What connectors call a refusal because the day carries an adjustment already.
const DAY_TAKEN: &str = "effective_date_already_adjusted";

/// Sends the changes of one account under its lease.
pub(super) struct Writer<'a> {
    pub ledger: &'a Ledger,
    pub clock: &'a dyn Clock,
    pub of: &'a Tenancy,
    pub lease: &'a Lease,
    /// Asked again while a job goes on: what is switched off meanwhile gets no further change.
    pub connections: &'a Connections,
    pub connection: &'a Connection,
    pub faults: &'a Faults,
}

/// Seconds for which a connection that was on is believed to be on.
const ON_FOR_S: i64 = 5;

/// An intent that took longer to be stored as sent is not sent by whoever stored it.
pub(crate) const STORED_WITHIN: SignedDuration = SignedDuration::from_secs(20);

/// Whether a connection is still on while a job goes on: what is switched off meanwhile gets no further write.
pub(super) struct Switch<'a> {
    connections: &'a Connections,
    connection: &'a Connection,
    seen_on: Timestamp,
}

impl<'a> Switch<'a> {
    /// Of a connection that was on at `now`.
    pub fn new(connections: &'a Connections, connection: &'a Connection, now: Timestamp) -> Self {
        Self { connections, connection, seen_on: now }
    }

    /// Why nothing more is to be sent; asked again every few seconds.
    pub async fn is_off(&mut self, now: Timestamp) -> Result<Option<Reason>, SyncError> {
        if now.duration_since(self.seen_on).as_secs() < ON_FOR_S {
            return Ok(None);
        }
        let Connection { partner, id, .. } = self.connection;
        let found = self.connections.get(partner, id, Read::Consistent).await?;
        self.seen_on = now;
        let on = found.is_some_and(|now| {
            now.enabled && now.status == Status::Active && !now.policy.shadow && now.not_understood().is_none()
        });
        let off = || Reason::new(Code::ConnectionOff, "The connection was switched off while the job went on.".into());
        Ok((!on).then(off))
    }
}

/// One intent, and what the PSA said.
pub(super) struct Attempt {
    pub intent: Intent,
    said: Said,
}

enum Said {
    /// It answered that the change is made.
    Done,
    /// See the error for whether money may have moved.
    Not(WriteError),
    /// Not sent: something before it made more requests pointless or harmful.
    Stopped(Reason),
}

/// What became of a change, for the ledger and for the results.
pub(super) struct Verdict {
    pub outcome: Outcome,
    status: LineStatus,
    after: Option<Units>,
    /// What the PSA shows of its prices.
    shown: Vec<UnitPrices>,
    reason: Option<Reason>,
}

impl Writer<'_> {
    /// Sends each intent in turn: stored as sent, then one request. Stops where the PSA refuses the credentials, asks for
    /// room, or does not answer: every further request would meet the same.
    pub async fn send(
        &self,
        psa: &dyn Connector,
        intents: Vec<Intent>,
        for_at_most: SignedDuration,
    ) -> Result<Vec<Attempt>, SyncError> {
        let began = self.clock.now();
        let mut switch = Switch::new(self.connections, self.connection, began);
        let mut stop: Option<Reason> = None;
        let mut attempts = Vec::with_capacity(intents.len());
        for intent in intents {
            let now = self.clock.now();
            if stop.is_none() && now.duration_since(began) > for_at_most {
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
            }
            attempts.push(Attempt { intent, said });
        }
        Ok(attempts)
    }

    async fn send_one(&self, psa: &dyn Connector, intent: &Intent) -> Result<Said, SyncError> {
        let sent_at = self.clock.now();
        if !self.ledger.sent(self.of, self.lease, intent, sent_at).await? {
            return Err(SyncError::Busy);
        }
        // The settle delay is reckoned from what was stored: a request that leaves much later might outlive it.
        if self.clock.now().duration_since(sent_at) > STORED_WITHIN {
            return Err(SyncError::Slow);
        }
        let change = change_of(&intent.meaning);
        self.faults.before(|| "psa.write".to_owned())?;
        let said = match psa.change_units(&change).await {
            Ok(()) => Said::Done,
            Err(error) => Said::Not(error),
        };
        self.faults.after(|| "psa.write".to_owned())?;
        Ok(said)
    }
}

/// What the connector is asked for.
pub(super) fn change_of(meaning: &Meaning) -> UnitsChange {
    UnitsChange {
        contract: meaning.line.contract.clone(),
        service: meaning.line.service.clone(),
        contract_service: meaning.contract_service.clone(),
        effective: meaning.effective,
        before: meaning.before,
        target: meaning.target,
        delta: meaning.delta(),
        prices: meaning.prices,
    }
}

/// Why nothing more is sent after a write that ended so: the PSA refuses the credentials, asks for room, or does not answer.
pub(super) fn stops_the_rest(error: &WriteError) -> Option<Reason> {
    let said = error.error();
    matches!(said.kind, Kind::Auth | Kind::RateLimited | Kind::Unavailable).then(|| {
        Reason::new(Code::Stopped, format!("Not sent, because a change before it failed: {}", said.explanation))
    })
}

impl Attempt {
    /// Whether a request may have reached the PSA.
    pub fn was_sent(&self) -> bool {
        matches!(&self.said, Said::Done | Said::Not(WriteError::Rejected(_) | WriteError::Unknown(_)))
    }

    /// Whether the PSA may show the change, so that reading it tells something.
    pub fn needs_read_back(&self) -> bool {
        matches!(&self.said, Said::Done | Said::Not(WriteError::Unknown(_)))
    }

    /// What the PSA said, where it refused the credentials.
    pub fn credentials_refused(&self) -> Option<&PsaError> {
        match &self.said {
            Said::Not(error) => Some(error.error()).filter(|error| error.kind == Kind::Auth),
            _ => None,
        }
    }

    /// Judges the attempt by what was read back. An answer that says "done" is believed only when the PSA shows it, and a
    /// missing answer is a success only then.
    pub fn verdict(&self, read_back: &Result<Observation, PsaError>) -> Verdict {
        match &self.said {
            Said::Stopped(reason) => Verdict {
                outcome: Outcome::NeverSent(reason.code.clone()),
                status: LineStatus::Skipped,
                after: None,
                shown: Vec::new(),
                reason: Some(reason.clone()),
            },
            Said::Not(WriteError::NotSent(error)) => Verdict {
                outcome: Outcome::Rejected(error.code.clone()),
                status: Code::status_of(&reason_of(error)),
                after: None,
                shown: Vec::new(),
                reason: Some(reason_of(error)),
            },
            Said::Not(WriteError::Rejected(error)) => Verdict {
                outcome: if error.code == DAY_TAKEN {
                    Outcome::DayTaken(error.code.clone())
                } else {
                    Outcome::Rejected(error.code.clone())
                },
                status: LineStatus::Failed,
                after: self.shown(read_back),
                shown: self.prices_shown(read_back),
                reason: Some(reason_of(error)),
            },
            Said::Done => self.read(read_back, "the PSA answered that it is made", ACKNOWLEDGED),
            Said::Not(WriteError::Unknown(error)) => self.read(read_back, &error.explanation, ANSWER_LOST),
        }
    }

    fn found<'o>(&self, read_back: &'o Result<Observation, PsaError>) -> Option<&'o ObservedLine> {
        let LineKey { contract, service } = self.intent.meaning.line.clone();
        read_back.as_ref().ok()?.lines.get(&(contract, service))
    }

    fn shown(&self, read_back: &Result<Observation, PsaError>) -> Option<Units> {
        self.found(read_back)?.timeline.at(self.intent.meaning.effective)
    }

    /// What the PSA shows of the line's prices since.
    fn prices_shown(&self, read_back: &Result<Observation, PsaError>) -> Vec<UnitPrices> {
        read_back.as_ref().map_or_else(|_| Vec::new(), |observed| observed.prices_shown(&self.intent.meaning.line))
    }

    fn read(&self, read_back: &Result<Observation, PsaError>, said: &str, open_as: &str) -> Verdict {
        let meaning = &self.intent.meaning;
        let (after, shown) = (self.shown(read_back), self.prices_shown(read_back));
        if let Some(units) = self.found(read_back).and_then(|found| taken_otherwise(meaning, found)) {
            return Verdict::otherwise(meaning, units);
        }
        let prices_shown = meaning.prices.is_none_or(|prices| prices.is_shown_by(&shown));
        if after == Some(meaning.target) && prices_shown {
            return Verdict { outcome: Outcome::Applied, status: LineStatus::Updated, after, shown, reason: None };
        }
        // Units that show prove that the change was made. A change of prices alone is proved by nothing but its prices: where
        // the answer was lost it may still come, and where they could not be read nobody knows.
        let surely_made = meaning.delta().get() != 0 || (open_as == ACKNOWLEDGED && !shown.is_empty());
        if after == Some(meaning.target) && surely_made {
            return Verdict {
                outcome: Outcome::AppliedUnpriced,
                status: LineStatus::Failed,
                after,
                shown,
                reason: Some(prices_not_taken(meaning)),
            };
        }
        let shows = match (read_back, after) {
            (Err(error), _) => format!("could not be read back: {}", error.explanation),
            (Ok(_), Some(units)) if !prices_shown => format!("shows {units} and not the prices"),
            (Ok(_), Some(units)) => format!("shows {units}"),
            (Ok(_), None) => "shows no units".to_owned(),
        };
        let sent = format!("{} was sent ({said}); the PSA {shows}.", told(meaning));
        let unsettled = Reason::new(Code::WriteUnsettled, sent);
        Verdict {
            outcome: Outcome::Unknown(open_as.to_owned()),
            status: LineStatus::Unknown,
            after,
            shown,
            reason: Some(unsettled),
        }
    }
}

/// A change in the words of the results.
pub(super) fn told(meaning: &Meaning) -> String {
    let Meaning { before, target, .. } = meaning;
    let prices = meaning.prices.map(|prices| prices.in_words());
    match (meaning.delta().get() != 0, prices) {
        (true, None) => format!("A change from {before} to {target}"),
        (true, Some(prices)) => format!("A change from {before} to {target} with {prices}"),
        (false, prices) => format!("A change of {}", prices.unwrap_or_default()),
    }
}

/// The units are right; the PSA has kept its own prices.
pub(super) fn prices_not_taken(meaning: &Meaning) -> Reason {
    let explanation = format!("{} was sent and taken, but the PSA does not show the prices.", told(meaning));
    Reason::new(Code::PricesNotTaken, explanation)
}

impl Verdict {
    /// Whether the PSA has it as it was meant.
    pub fn is_applied(&self) -> bool {
        self.outcome == Outcome::Applied
    }

    /// Whether the PSA took it for another change.
    pub fn is_otherwise(&self) -> bool {
        matches!(self.outcome, Outcome::AppliedAs(_))
    }

    fn otherwise(meaning: &Meaning, units: Units) -> Self {
        let (before, target) = (meaning.before, meaning.target);
        let explanation =
            format!("The PSA took the change from {before} to {target} for another one and shows {units}.");
        let reason = Some(Reason::new(Code::TakenOtherwise, explanation));
        let outcome = Outcome::AppliedAs(units);
        Self { outcome, status: LineStatus::Failed, after: Some(units), shown: Vec::new(), reason }
    }

    /// The line's row with what became of the change.
    pub fn row(&self, row: LineResult) -> LineResult {
        let prices = row.prices.map(|prices| prices.read_back(&self.shown));
        let row = LineResult { status: self.status, after: self.after, prices, ..row };
        match &self.reason {
            Some(reason) => row::with_reason(row, reason.clone()),
            None => row,
        }
    }
}
