//! A connector behind its connection's circuit breaker: each call asks it first and tells it what came of the call.
//!
//! While the circuit is open nothing reaches the network but the read-back of a connector that has written. One read is
//! let through when its time is over; if the PSA answers it the same job goes on, writes included. The rules are in
//! `domain::breaker`, the row in `store::breakers`: it is read when the connector is opened and before a write that finds
//! it older than `SEEN_FOR`, and written only where something changes. Whether a call is one
//! request or several is the connector's affair; the first that a sync makes of one is a single request.
//!
//! What is only shown (prices, names) never stops what is needed: a PSA that has no room for it ends such reads of this
//! connector and opens no circuit. If it has no room for anything, the next read that is needed hears so itself.

mod abilities;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use async_trait::async_trait;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::{
    Account, Allowance, Asked, CatalogPage, CatalogQuery, Connector, ContractLine, JobCost, Kind, Observation,
    PsaError, Right, Service, UnitsChange, Window, WriteError,
};
use crate::clock::Clock;
use crate::domain::breaker::{Breaker, Call, Cause, Heard, Pass};
use crate::domain::contract::Contract;
use crate::domain::ids::{AccountId, ConnectionId, ContractId, PartnerId, ServiceId};
use crate::domain::line::LineKey;
use crate::domain::money::UnitPrices;
use crate::domain::reason::Reason;
use crate::store::StoreError;
use crate::store::breakers::{Breakers, Kept};

/// The code of a call that the circuit stopped.
pub const CIRCUIT_OPEN: &str = "psa_circuit_open";
/// The code of a person's try that came too soon after one that was turned away.
pub const TRIED_LATELY: &str = "psa_log_in_tried_lately";
/// The code of a refusal that says nothing about the newest credentials: whoever met it may hold those before them.
pub const CREDENTIALS_JUST_CHANGED: &str = "psa_credentials_just_changed";

/// For so long a circuit that was seen closed is believed to be closed by whoever writes.
const SEEN_FOR: SignedDuration = SignedDuration::from_secs(5);

/// How often a circuit is written anew where another worker wrote it at the same time.
const ATTEMPTS: usize = 4;

/// Where circuits are kept, and the time by which they open and close.
#[derive(Clone)]
pub struct Circuits {
    breakers: Breakers,
    clock: Arc<dyn Clock>,
}

impl Circuits {
    /// Circuits in `breakers`, by `clock`.
    #[must_use]
    pub fn new(breakers: Breakers, clock: Arc<dyn Clock>) -> Self {
        Self { breakers, clock }
    }

    /// The circuit of a connection, as it is now.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn of(&self, partner: &PartnerId, connection: &ConnectionId) -> Result<Breaker, StoreError> {
        Ok(self.breakers.get(partner, connection).await?.breaker)
    }

    /// Closes it: a person has just proved new credentials.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn verified(&self, partner: &PartnerId, connection: &ConnectionId) -> Result<(), StoreError> {
        self.breakers.set(partner, connection, &Breaker::verified(self.clock.now())).await
    }

    /// `connector` behind the circuit of its connection. `read` says for whom it reads: [`Call::Read`] for a job,
    /// [`Call::InPerson`] for a person who wants to see whether the connection works.
    pub(super) async fn guard(
        &self,
        connector: Arc<dyn Connector>,
        (partner, connection): (&PartnerId, &ConnectionId),
        read: Call,
    ) -> Result<Guarded, StoreError> {
        let at = self.clock.now();
        let kept = self.breakers.get(partner, connection).await?;
        let circuit = Circuit {
            circuits: self.clone(),
            partner: partner.clone(),
            connection: connection.clone(),
            read,
            seen: Mutex::new(Seen { kept, at }),
        };
        Ok(Guarded { connector, circuit, wrote: AtomicBool::new(false), no_room: OnceLock::new() })
    }
}

/// A connector that asks its circuit before each call.
pub(super) struct Guarded {
    connector: Arc<dyn Connector>,
    circuit: Circuit,
    /// It has sent a write: what it reads from then on tells what its writes came to.
    wrote: AtomicBool,
    /// Why nothing that is only shown is read any more.
    no_room: OnceLock<PsaError>,
}

impl Guarded {
    /// As [`Guarded::read`], of what is only shown.
    async fn read_in_passing<T>(&self, call: impl Future<Output = Result<T, PsaError>>) -> Result<T, PsaError> {
        match self.no_room.get() {
            Some(error) => Err(error.clone()),
            None => self.read_as(call, true).await,
        }
    }

    /// Makes one read if the circuit lets it through.
    async fn read<T>(&self, call: impl Future<Output = Result<T, PsaError>>) -> Result<T, PsaError> {
        self.read_as(call, false).await
    }

    async fn read_as<T>(
        &self,
        call: impl Future<Output = Result<T, PsaError>>,
        in_passing: bool,
    ) -> Result<T, PsaError> {
        let as_what = match self.circuit.read {
            Call::Read if self.wrote.load(Ordering::SeqCst) => Call::ReadBack,
            read => read,
        };
        let probe = self.circuit.ask(as_what).await?;
        if as_what == Call::InPerson {
            self.connector.asked_in_person().await;
        }
        let before = self.connector.requests_made();
        let mut answer = call.await;
        if let (true, None, Err(error)) = (in_passing, probe, &answer)
            && error.kind == Kind::RateLimited
        {
            // Whoever was first has set it; what they met is the same.
            let _ = self.no_room.set(error.clone());
            return answer;
        }
        self.tell(answer.as_mut().err(), before, probe).await;
        answer
    }

    /// Makes one write if the circuit lets it through.
    async fn write<T>(&self, call: impl Future<Output = Result<T, WriteError>>) -> Result<T, WriteError> {
        self.circuit.look_again().await.map_err(WriteError::NotSent)?;
        self.circuit.ask(Call::Write).await.map_err(WriteError::NotSent)?;
        let before = self.connector.requests_made();
        let mut answer = call.await;
        if !matches!(answer, Err(WriteError::NotSent(_))) {
            self.wrote.store(true, Ordering::SeqCst);
        }
        let failure = answer.as_mut().err().map(|error| match error {
            WriteError::NotSent(error) | WriteError::Rejected(error) | WriteError::Unknown(error) => error,
        });
        self.tell(failure, before, None).await;
        answer
    }

    /// Tells the circuit what came of a call: `failure`, or an answer. `before` counts the requests made before it.
    /// A refusal that says nothing about the newest credentials is handed on as such.
    async fn tell(&self, failure: Option<&mut PsaError>, before: u32, probe: Option<Timestamp>) {
        let heard = match failure.as_deref() {
            _ if self.connector.requests_made() == before => Heard::Nothing,
            None => Heard::Answered,
            Some(error) => heard(error),
        };
        let of_the_newest = self.circuit.tell(&heard, probe).await;
        if let (Some(error), Heard::Refused(_), false) = (failure, &heard, of_the_newest) {
            *error = just_changed(error);
        }
    }
}

/// What a failure says about the way to the PSA. A refusal of the content is an answer like any other.
fn heard(error: &PsaError) -> Heard {
    let why = || Reason { code: error.code.clone(), explanation: error.explanation.clone(), fix: error.fix.clone() };
    match error.kind {
        Kind::Auth if error.refuses_log_in() => Heard::Refused(why()),
        Kind::Auth | Kind::NotFound | Kind::Validation | Kind::Protocol => Heard::Answered,
        Kind::Unavailable => Heard::Unavailable(why()),
        Kind::RateLimited => Heard::NoRoom(why(), error.retry_after_s),
    }
}

#[async_trait]
impl Connector for Guarded {
    async fn asked_in_person(&self) {
        self.connector.asked_in_person().await;
    }

    async fn rights(&self) -> Result<Vec<Right>, PsaError> {
        self.read(self.connector.rights()).await
    }

    async fn allowance(&self) -> Result<Allowance, PsaError> {
        self.read(self.connector.allowance()).await
    }

    async fn accounts(&self, query: &CatalogQuery) -> Result<CatalogPage<Account>, PsaError> {
        self.read(self.connector.accounts(query)).await
    }

    async fn services(&self, query: &CatalogQuery) -> Result<CatalogPage<Service>, PsaError> {
        self.read(self.connector.services(query)).await
    }

    async fn contracts(&self, query: &CatalogQuery) -> Result<CatalogPage<Contract>, PsaError> {
        self.read(self.connector.contracts(query)).await
    }

    async fn lines(&self, query: &CatalogQuery) -> Result<CatalogPage<ContractLine>, PsaError> {
        self.read(self.connector.lines(query)).await
    }

    async fn services_by_id(&self, ids: &BTreeSet<ServiceId>) -> Result<Vec<Service>, PsaError> {
        self.read(self.connector.services_by_id(ids)).await
    }

    async fn services_in_passing(&self, ids: &BTreeSet<ServiceId>) -> Result<Vec<Service>, PsaError> {
        self.read_in_passing(self.connector.services_in_passing(ids)).await
    }

    async fn prices(
        &self,
        lines: &BTreeMap<LineKey, AccountId>,
        observed: &Observation,
    ) -> Result<BTreeMap<LineKey, UnitPrices>, PsaError> {
        self.read_in_passing(self.connector.prices(lines, observed)).await
    }

    async fn contracts_by_id(&self, ids: &BTreeSet<ContractId>) -> Result<Vec<Contract>, PsaError> {
        self.read(self.connector.contracts_by_id(ids)).await
    }

    async fn contracts_of(&self, accounts: &BTreeSet<AccountId>, ending_from: Date) -> Result<Vec<Contract>, PsaError> {
        self.read(self.connector.contracts_of(accounts, ending_from)).await
    }

    async fn observe(&self, asked: &Asked, window: Window) -> Result<Observation, PsaError> {
        let observed = self.connector.observe(asked, window);
        if asked.is_only_told() { self.read_in_passing(observed).await } else { self.read(observed).await }
    }

    fn may_go(&self, changes: &[UnitsChange]) -> BTreeSet<usize> {
        self.connector.may_go(changes)
    }

    fn prices_apart(&self) -> bool {
        self.connector.prices_apart()
    }

    fn job_cost(&self, prices: bool) -> JobCost {
        self.connector.job_cost(prices)
    }

    async fn change_units(&self, change: &UnitsChange) -> Result<(), WriteError> {
        self.write(self.connector.change_units(change)).await
    }

    fn requests_made(&self) -> u32 {
        self.connector.requests_made()
    }
}

/// A connection's circuit, as this connector last saw or made it.
struct Circuit {
    circuits: Circuits,
    partner: PartnerId,
    connection: ConnectionId,
    read: Call,
    seen: Mutex<Seen>,
}

/// The row, and the instant since which it may have changed.
struct Seen {
    kept: Kept,
    at: Timestamp,
}

impl Circuit {
    /// Reads the row again before a write, where it was seen closed some time ago: another worker may have opened it.
    async fn look_again(&self) -> Result<(), PsaError> {
        let now = self.circuits.clock.now();
        let is_old = {
            let seen = self.lock();
            seen.kept.breaker.trip().is_none() && now.duration_since(seen.at) >= SEEN_FOR
        };
        if is_old {
            let kept = self.circuits.breakers.get(&self.partner, &self.connection).await.map_err(unasked)?;
            self.see(kept, now);
        }
        Ok(())
    }

    /// Whether `call` may go out; if it goes out as the probe, the probe's name.
    async fn ask(&self, call: Call) -> Result<Option<Timestamp>, PsaError> {
        // Where another worker was first, what it left is asked once more.
        for _ in 0..ATTEMPTS {
            let kept = self.seen();
            let now = self.circuits.clock.now();
            match kept.breaker.ask(call, now) {
                Pass::Free => return Ok(None),
                Pass::No => return Err(stopped(&kept.breaker, now)),
                Pass::TooSoon(until) => return Err(too_soon(&kept.breaker, until, now)),
                Pass::Probe(probe) => {
                    if self.replace(&kept, kept.breaker.probing(probe)).await.map_err(unasked)? {
                        return Ok(Some(probe));
                    }
                }
            }
        }
        Err(stopped(&self.seen().breaker, self.circuits.clock.now()))
    }

    /// Notes what a call came to. A note that can't be stored counts for this connector alone. `false`: if it was a
    /// refusal, it may have been of credentials before the newest.
    async fn tell(&self, heard: &Heard, probe: Option<Timestamp>) -> bool {
        for _ in 0..ATTEMPTS {
            let kept = self.seen();
            let now = self.circuits.clock.now();
            let of_the_newest = !kept.breaker.verified_lately(now);
            let next = match heard {
                Heard::Refused(_) if !of_the_newest => {
                    kept.breaker.after(&Heard::Refused(may_be_of_the_old()), probe, now)
                }
                _ => kept.breaker.after(heard, probe, now),
            };
            if next == kept.breaker {
                return of_the_newest;
            }
            if let Some(trip) = next.trip() {
                let (connection, code) = (&self.connection, &trip.why.code);
                tracing::warn!(%connection, code, until = %trip.until, "the circuit to a PSA is open");
            }
            match self.replace(&kept, next.clone()).await {
                Ok(true) => return of_the_newest,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%error, connection = %self.connection, "what a PSA said was not noted");
                    self.lock().kept = kept.as_if(next);
                    return of_the_newest;
                }
            }
        }
        tracing::warn!(connection = %self.connection, "what a PSA said was not noted: too many note at once");
        !self.seen().breaker.verified_lately(self.circuits.clock.now())
    }

    /// Stores `next` in the place of `kept`; `false`: another worker was first, and what it left is seen now.
    async fn replace(&self, kept: &Kept, next: Breaker) -> Result<bool, StoreError> {
        let breakers = &self.circuits.breakers;
        let now = self.circuits.clock.now();
        let stored = breakers.replace(&self.partner, &self.connection, kept, next).await?;
        let first = stored.is_some();
        let kept = match stored {
            Some(stored) => stored,
            None => breakers.get(&self.partner, &self.connection).await?,
        };
        self.see(kept, now);
        Ok(first)
    }

    fn seen(&self) -> Kept {
        self.lock().kept.clone()
    }

    fn see(&self, kept: Kept, at: Timestamp) {
        *self.lock() = Seen { kept, at };
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why the circuit opens where new credentials were proved a moment ago.
fn may_be_of_the_old() -> Reason {
    Reason {
        code: CREDENTIALS_JUST_CHANGED.into(),
        explanation: "The PSA refused a log-in shortly after new credentials were proved. A function of Tallyline may \
                      hold the old credentials for up to five minutes."
            .into(),
        fix:
            "Nothing: it is tried again by itself once every function has the new credentials. If it is still refused \
              then, check the credentials and send them again."
                .into(),
    }
}

/// `refusal` as one that says nothing about the newest credentials: nobody has to act on it.
fn just_changed(refusal: &PsaError) -> PsaError {
    let Reason { code, explanation, fix } = may_be_of_the_old();
    PsaError { kind: Kind::Unavailable, code, explanation, fix, ..refusal.clone() }
}

/// The error of a call that was not made because the circuit is not closed.
fn stopped(breaker: &Breaker, now: Timestamp) -> PsaError {
    let fix = match breaker.trip() {
        Some(trip) if trip.cause == Cause::Refused => {
            format!("{} A test of the connection tries at once.", trip.why.fix)
        }
        Some(_) => "Nothing: it is tried again by itself, and the next run goes on.".to_owned(),
        None => String::new(),
    };
    PsaError {
        kind: Kind::Unavailable,
        code: CIRCUIT_OPEN.into(),
        explanation: breaker.explanation(),
        fix,
        said: None,
        retry_after_s: breaker.until().map(|until| seconds(now, until)),
    }
}

/// The error of a person's try that came too soon.
fn too_soon(breaker: &Breaker, until: Timestamp, now: Timestamp) -> PsaError {
    let wait_s = seconds(now, until);
    let why = breaker.trip().map_or("", |trip| trip.why.explanation.as_str());
    PsaError {
        kind: Kind::RateLimited,
        code: TRIED_LATELY.into(),
        explanation: format!("The log-in was tried less than a minute ago, or is being tried: {why}"),
        fix: format!("Test again in {wait_s} seconds, or send new credentials."),
        said: None,
        retry_after_s: Some(wait_s),
    }
}

/// The error of a call that was not made because the store did not say whether it may be.
fn unasked(error: StoreError) -> PsaError {
    tracing::warn!(%error, "a circuit could not be asked");
    PsaError {
        kind: Kind::Unavailable,
        code: CIRCUIT_OPEN.into(),
        explanation: "Tallyline can't tell at the moment whether the PSA may be asked again.".into(),
        fix: "Nothing: it is tried again by itself, and the next run goes on.".into(),
        said: None,
        retry_after_s: None,
    }
}

/// Whole seconds until `until`, at least one.
fn seconds(now: Timestamp, until: Timestamp) -> u32 {
    let left = until.duration_since(now);
    let up = left.as_secs().saturating_add(i64::from(left.subsec_nanos() > 0));
    u32::try_from(up.max(1)).unwrap_or(u32::MAX)
}
