//! Making what a line lacks, in its account's job: each thing looked for, stored as intended and as sent, sent once, looked
//! for again, and settled.
//!
//! A thing of the catalogue is made under a lease of its own besides the account's, so that jobs of two accounts don't both
//! make it. Whatever stands in the way ends as the line's row; what was begun is told by whoever comes next (`begun`).

use jiff::civil::Date;

use super::lacking::{found_meanwhile, made_otherwise, without_units};
use super::piece::Piece;
use super::standing::{Found, Standing, standing};
use super::{ToMake, not_made};
use crate::clock::Clock;
use crate::domain::intent::IntentState;
use crate::domain::line::{LineKey, LineResult, LineStatus};
use crate::domain::provision::Provision;
use crate::domain::reason::{Code, Reason};
use crate::domain::units::Units;
use crate::ledger::{Lease, Making};
use crate::psa::{Asked, Connector, Kind, PsaError, Window, WriteError};
use crate::store::Read;
use crate::store::connections::Status;
use crate::store::runs::Run;
use crate::sync::job::{Job, JobLine};
use crate::sync::parts::WorkerParts;
use crate::sync::record::{come_again_soon, note_rejected};
use crate::sync::resolve::{ACKNOWLEDGED, ANSWER_LOST};
use crate::sync::shift::{Rows, Shift};
use crate::sync::write::STORED_WITHIN;
use crate::sync::{SyncError, Today, reason_of, row};

/// Code of a try that was sent and of which the PSA showed nothing once it had time to.
const NOT_MADE: &str = "not_applied";

/// Why a line's part of the job ends.
enum Halt {
    /// The line says why.
    Because(Reason),
    /// The PSA said so.
    Psa(PsaError),
    Ours(SyncError),
}

impl<E: Into<SyncError>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Ours(error.into())
    }
}

impl From<Reason> for Halt {
    fn from(reason: Reason) -> Self {
        Self::Because(reason)
    }
}

impl From<PsaError> for Halt {
    fn from(error: PsaError) -> Self {
        Self::Psa(error)
    }
}

/// A thing that the PSA has.
struct Have {
    id: String,
    /// The try of ours that made it.
    by: Option<Making>,
    /// It was found just now that this one had made it.
    settled: bool,
}

impl Have {
    fn is_by(&self, run: &Run, line: &JobLine) -> bool {
        self.by.as_ref().is_some_and(|making| making.is_work_of(&run.id, &line.label.account))
    }
}

/// For whom something is made, and under which lease.
#[derive(Clone, Copy)]
struct For<'a> {
    line: &'a JobLine,
    to_make: &'a ToMake,
    lease: &'a Lease,
}

impl Shift<'_> {
    /// Makes what the lines of `job` lack, and says in `rows` what came of each. Answers with the requests that may have made
    /// something, those of earlier attempts of this job included.
    pub(in crate::sync) async fn make(
        &self,
        psa: &dyn Connector,
        job: &Job,
        rows: &mut Rows,
    ) -> Result<u32, SyncError> {
        let (began, clock) = (self.parts.clock.now(), &self.parts.clock);
        let mut stop: Option<Reason> = None;
        let mut sent = 0;
        for line in &job.lines {
            let Some(to_make) = &line.making else { continue };
            if stop.is_none() && clock.now().duration_since(began) > self.parts.settings.job_writes {
                stop = Some(Reason::new(Code::Stopped, "The job ran out of time; approve the line again.".into()));
            }
            let made = match &stop {
                Some(reason) => Err(reason.clone().into()),
                None => self.make_one(psa, For { line, to_make, lease: self.lease }, &mut sent).await,
            };
            let row = match made {
                Ok(row) => row,
                Err(Halt::Ours(error)) => return Err(error),
                Err(Halt::Because(reason)) => not_made(line, reason),
                Err(Halt::Psa(error)) => {
                    self.heed(&error).await?;
                    // More requests would meet the same.
                    if matches!(error.kind, Kind::Auth | Kind::RateLimited | Kind::Unavailable) {
                        let explanation =
                            format!("Not sent, because what came before it failed: {}", error.explanation);
                        stop = Some(Reason::new(Code::Stopped, explanation));
                    }
                    not_made(line, reason_of(&error))
                }
            };
            rows.insert(line.key.clone(), row);
        }
        Ok(sent)
    }

    /// Has no other job try a log-in that the PSA refuses.
    async fn heed(&self, error: &PsaError) -> Result<(), SyncError> {
        if !error.refuses_log_in() {
            return Ok(());
        }
        let WorkerParts { connections, events, clock, .. } = self.parts;
        let to = (events.as_ref(), clock.as_ref());
        note_rejected(connections, to, self.connection, &self.run.id, reason_of(error)).await
    }

    async fn make_one(&self, psa: &dyn Connector, wanted: For<'_>, sent: &mut u32) -> Result<LineResult, Halt> {
        let For { line, to_make, .. } = wanted;
        let today = Today::of(self.connection, self.parts.clock.as_ref()).date;
        line.contract.writable_on(today)?;
        self.still_wanted().await?;
        let service = match &to_make.provision {
            Some(provision) => Some(self.service(psa, provision, wanted, sent).await?),
            None => None,
        };
        let id = match &service {
            Some(made) => made.id.parse().map_err(|_| SyncError::Job(format!("{} is no id of a service", made.id)))?,
            None => line.key.service.clone(),
        };
        let key = LineKey { contract: line.key.contract.clone(), service: id };
        let put = self.have(psa, &Piece::OnContract(key.clone()), wanted, sent).await?;
        let short =
            service.as_ref().filter(|made| made.is_by(self.run, line)).and_then(|made| made.by.as_ref()?.code.clone());
        let began_with = self.units(psa, &key, today).await;
        let nothing = Reason { code: String::new(), explanation: String::new(), fix: String::new() };
        let row = LineResult { status: LineStatus::Unchanged, ..not_made(line, nothing) };
        let (units, shows) = match &began_with {
            Ok(Some(units)) => (Some(*units), format!("It carries {units} units")),
            Ok(None) => (None, "The PSA shows no units of it for today".to_owned()),
            Err(error) => {
                self.heed(error).await?;
                (None, format!("Its units could not be read: {}", error.explanation))
            }
        };
        let contract = &line.contract.name;
        // No run goes on with a line that shows no units.
        let no_units = matches!(began_with, Ok(None)).then(|| without_units(contract, &key.service));
        if !put.is_by(self.run, line) && !put.settled {
            if let Some(reason) = no_units {
                return Err(reason.into());
            }
            let explanation =
                format!("Service {} is on \"{contract}\" by now. {shows}; the next run goes on.", key.service);
            return Ok(LineResult { before: units, after: units, explanation, ..row });
        }
        come_again_soon(&self.parts.connections, self.parts.clock.as_ref(), self.connection).await?;
        let made = match (&service, &to_make.provision) {
            (Some(made), Some(provision)) if made.is_by(self.run, line) => {
                format!("The {} was made as {} and put on \"{contract}\".", provision.in_words(), made.id)
            }
            _ => format!("Service {} was put on \"{contract}\".", key.service),
        };
        if let Some(Reason { code, fix, .. }) = no_units {
            let reason = Reason { code, explanation: format!("{made} {shows}."), fix };
            return Ok(row::with_reason(LineResult { status: LineStatus::Failed, ..row }, reason));
        }
        let explanation = format!("{made} {shows}; the next run sets {}.", line.desired.units);
        let row = LineResult { status: LineStatus::Updated, after: units, explanation, ..row };
        Ok(match short {
            None => row,
            Some(_) => {
                let not_taken = "The PSA does not show the unit cost or the unit price that it was made with.";
                let reason = Reason::new(Code::PricesNotTaken, format!("{} {not_taken}", row.explanation));
                row::with_reason(LineResult { status: LineStatus::Failed, ..row }, reason)
            }
        })
    }

    /// The service of the catalogue: under the catalogue's lease, found or made.
    async fn service(
        &self,
        psa: &dyn Connector,
        provision: &Provision,
        wanted: For<'_>,
        sent: &mut u32,
    ) -> Result<Have, Halt> {
        let ledger = &self.parts.ledger;
        let lease = ledger.lease_catalogue(self.of, self.parts.clock.now()).await?.ok_or(SyncError::Busy)?;
        let had = self.have(psa, &Piece::Service(provision), For { lease: &lease, ..wanted }, sent).await;
        if let Err(error) = ledger.release(&lease).await {
            tracing::warn!(%error, "the lease of a catalogue was not given back and ends with its term");
        }
        let had = had?;
        match &had.by {
            // Approved was one that is made; with which words somebody else's was made, nobody has seen.
            None => Err(found_meanwhile(&provision.name).into()),
            Some(by) if !by.told.contains(&provision.in_words()) => Err(made_otherwise(&provision.name).into()),
            Some(_) => Ok(had),
        }
    }

    /// Has the PSA have a piece: found, settled, or made now.
    async fn have(
        &self,
        psa: &dyn Connector,
        piece: &Piece<'_>,
        wanted: For<'_>,
        sent: &mut u32,
    ) -> Result<Have, Halt> {
        let (ledger, clock) = (&self.parts.ledger, self.parts.clock.as_ref());
        let newest = ledger.newest_making(self.of, &piece.thing()).await?;
        // Taken before it is looked for: what the PSA showed was true then, whenever the answer came.
        let read_at = clock.now();
        let found = piece.look(psa).await?;
        let account = &wanted.line.label.account;
        *sent += u32::from(newest.as_ref().is_some_and(|making| making.is_work_of(&self.run.id, account)));
        let stands = standing(newest.as_ref(), &found, read_at, self.parts.settings.settle);
        match (stands, found) {
            (Standing::There, Found::One { id, short }) => {
                let (by, settled) = match newest.filter(|making| making.is_open() || making.is_made()) {
                    Some(open) if open.is_open() => (Some(self.settle_made(open, &id, short).await?), true),
                    // One that somebody has made in the place of ours is not ours.
                    made => (made.filter(|made| made.id.as_ref() == Some(&id)), false),
                };
                Ok(Have { id, by, settled })
            }
            (Standing::Absent, _) => {
                let newest = match newest {
                    Some(open) if open.is_open() => {
                        Some(self.settle(open, IntentState::Rejected, Some(NOT_MADE)).await?)
                    }
                    other => other,
                };
                self.make_now(psa, piece, wanted, newest, sent).await
            }
            (stands, found) => Err(piece.refused(stands, &found).into()),
        }
    }

    /// Sends the request for a piece that is surely not there, and looks what came of it.
    async fn make_now(
        &self,
        psa: &dyn Connector,
        piece: &Piece<'_>,
        For { line, to_make, lease }: For<'_>,
        newest: Option<Making>,
        sent: &mut u32,
    ) -> Result<Have, Halt> {
        if !to_make.approved {
            let code = to_make.provision.as_ref().map_or(Code::ServiceToBeAdded, |_| Code::ServiceToBeMade);
            return Err(Reason::new(code, to_make.told.clone()).into());
        }
        let order = piece.order(psa).await?;
        let (ledger, clock, faults) = (&self.parts.ledger, self.parts.clock.as_ref(), &self.parts.faults);
        let (by, thing) = ((&self.connection.id, &self.run.id, &line.label.account), piece.thing());
        let intended =
            ledger.intend_making(self.of, lease, by, (&thing, &to_make.told), newest.as_ref(), clock.now()).await?;
        let making = intended.ok_or(SyncError::Busy)?;
        let sent_at = clock.now();
        if !ledger.making_sent(self.of, &making, sent_at).await? {
            return Err(SyncError::Busy.into());
        }
        // The settle delay is reckoned from what was stored: a request that leaves much later might outlive it.
        if clock.now().duration_since(sent_at) > STORED_WITHIN {
            return Err(SyncError::Slow.into());
        }
        faults.before(|| "psa.make".to_owned())?;
        let said = order.send(psa).await;
        faults.after(|| "psa.make".to_owned())?;
        *sent += u32::from(!matches!(said, Err(WriteError::NotSent(_))));
        let (why, open_as) = match said {
            Err(WriteError::NotSent(error) | WriteError::Rejected(error)) => {
                self.settle(making, IntentState::Rejected, Some(&error.code)).await?;
                return Err(error.into());
            }
            Ok(()) => ("the PSA answered that it is made".to_owned(), ACKNOWLEDGED),
            Err(WriteError::Unknown(error)) => (error.explanation, ANSWER_LOST),
        };
        faults.before(|| "psa.look_back".to_owned())?;
        let found = piece.look(psa).await;
        faults.after(|| "psa.look_back".to_owned())?;
        if let Err(error) = &found {
            self.heed(error).await?;
        }
        if let Ok(Found::One { id, short }) = found {
            let by = Some(self.settle_made(making, &id, short).await?);
            return Ok(Have { id, by, settled: true });
        }
        self.settle(making, IntentState::Unknown, Some(open_as)).await?;
        let shows = match found {
            Err(error) => format!("it could not be looked for: {}", error.explanation),
            Ok(Found::Several(count)) => format!("the PSA shows {count} of it"),
            Ok(_) => "the PSA does not show it".to_owned(),
        };
        let explanation = format!("{} was sent to be made ({why}); {shows}.", piece.in_words());
        Err(Reason::new(Code::WriteUnsettled, explanation).into())
    }

    async fn settle_made(&self, making: Making, id: &str, short: bool) -> Result<Making, SyncError> {
        let code = short.then_some(Code::PricesNotTaken.as_str());
        let settled = self.settle_as(making, (IntentState::Applied, code, Some(id))).await?;
        Ok(Making { id: Some(id.to_owned()), ..settled })
    }

    async fn settle(&self, making: Making, state: IntentState, code: Option<&str>) -> Result<Making, SyncError> {
        self.settle_as(making, (state, code, None)).await
    }

    async fn settle_as(
        &self,
        making: Making,
        (state, code, id): (IntentState, Option<&str>, Option<&str>),
    ) -> Result<Making, SyncError> {
        let (ledger, now) = (&self.parts.ledger, self.parts.clock.now());
        if !ledger.settle_making(self.of, &making, (state, code, id), now).await? {
            return Err(SyncError::Busy);
        }
        Ok(Making { state, code: code.map(str::to_owned), ..making })
    }

    /// Whether the connection still writes, and still has things made: asked before each line.
    async fn still_wanted(&self) -> Result<(), Halt> {
        let (partner, id) = (&self.connection.partner, &self.connection.id);
        let found = self.parts.connections.get(partner, id, Read::Consistent).await?;
        let Some(now) = found.filter(|now| now.enabled && now.status == Status::Active && !now.policy.shadow) else {
            let off = "The connection was switched off while the job went on.";
            return Err(Reason::new(Code::ConnectionOff, off.into()).into());
        };
        if let Some(reason) = now.not_understood() {
            return Err(reason.into());
        }
        if !now.policy.provision_services {
            let off = "The policy has no services made any more.";
            return Err(Reason::new(Code::Stopped, off.into()).into());
        }
        Ok(())
    }

    /// Units that a line begins with.
    async fn units(&self, psa: &dyn Connector, line: &LineKey, today: Date) -> Result<Option<Units>, PsaError> {
        let mut asked = Asked::default();
        asked.add(line.clone(), None);
        let observed = psa.observe(&asked, Window { from: today, to: Some(today) }).await?;
        let found = observed.lines.get(&(line.contract.clone(), line.service.clone()));
        Ok(found.and_then(|found| found.timeline.at(today)))
    }
}
