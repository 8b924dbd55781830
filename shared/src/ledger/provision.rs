//! The record of what is made for a partner: services of its catalogue, and services on its contracts.
//!
//! As a change of units, a thing is sent once and never again on a guess: stored as intended, then as sent before the socket
//! is touched, then with what became of it. Each try is a row of its own and states only go forward; a new try is stored only
//! behind one that is known not to have been made. What the PSA shows, and whether a person agreed, is `sync`'s to say.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Lease, Ledger};
use crate::domain::ids::{AccountId, ConnectionId, RunId};
use crate::domain::intent::IntentState;
use crate::domain::line::LineKey;
use crate::store::lines::Tenancy;
use crate::store::{Condition, Key, Page, Read, StoreError, schema};

/// What is made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thing {
    /// A service of the catalogue, by its name.
    Service(String),
    /// A service on a contract.
    OnContract(LineKey),
}

/// One try to make a thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Making {
    /// What.
    pub thing: Thing,
    /// What a person approved, in words.
    pub told: String,
    /// The how manieth try, from 1.
    pub attempt: u32,
    /// The connection that makes it.
    pub connection: ConnectionId,
    /// The run in which it was approved.
    pub run: RunId,
    /// The account whose job makes it.
    pub account: AccountId,
    /// How far it has come; applied: it is made.
    pub state: IntentState,
    /// The fence of the lease under which it is made.
    pub fence: u64,
    /// That lease's name.
    pub leased: String,
    /// When it was decided.
    pub intended_at: Timestamp,
    /// When it was stored as sent, in seconds since 1970.
    #[serde(default)]
    pub sent_at: Option<i64>,
    /// When it was known what became of it.
    #[serde(default)]
    pub settled_at: Option<i64>,
    /// Why it was rejected, why nobody knows, or what about it is not as it was meant.
    #[serde(default)]
    pub code: Option<String>,
    /// The PSA's id of it, where it is made: of the service, or of the service on the contract.
    #[serde(default)]
    pub id: Option<String>,
}

impl Making {
    /// Whether the job of this account in this run has sent it, and it is made or nobody knows.
    #[must_use]
    pub fn is_work_of(&self, run: &RunId, account: &AccountId) -> bool {
        (&self.run, &self.account) == (run, account) && (self.is_open() || self.is_made())
    }

    /// Whether it was sent, and nobody knows yet what became of it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, IntentState::Sent | IntentState::Unknown)
    }

    /// Whether it is on record as made.
    #[must_use]
    pub fn is_made(&self) -> bool {
        self.state == IntentState::Applied
    }
}

impl Ledger {
    /// The newest try of each thing that was ever to be made in the tenant: a query a megabyte.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn makings(&self, of: &Tenancy) -> Result<BTreeMap<Thing, Making>, StoreError> {
        let partition = schema::makings(&of.partner, of.psa, &of.tenant);
        let rows: Vec<(String, Making)> = self.table.all(&partition, "", Read::Consistent).await?;
        // Tries of one thing follow each other, so the last one stays.
        Ok(rows.into_iter().map(|(_, making)| (making.thing.clone(), making)).collect())
    }

    /// The newest try of a thing.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn newest_making(&self, of: &Tenancy, thing: &Thing) -> Result<Option<Making>, StoreError> {
        let first = row(of, thing, 0);
        let prefix = first.sk.trim_end_matches('0');
        let page = Page { prefix, limit: Some(1), backwards: true, ..Page::default() };
        let rows = self.table.page::<Making>(&first.pk, &page, Read::Consistent).await?;
        Ok(rows.items.into_iter().next().map(|(_, making)| making))
    }

    /// Stores that `thing` is about to be made, behind `newest`, its newest try. `None`: another worker was first, or it must
    /// not be made: it is made already, or nobody knows.
    ///
    /// # Errors
    /// The store is unavailable. What was stored is found by the next worker, as never sent.
    pub async fn intend_making(
        &self,
        of: &Tenancy,
        lease: &Lease,
        (connection, run, account): (&ConnectionId, &RunId, &AccountId),
        (thing, told): (&Thing, &str),
        newest: Option<&Making>,
        now: Timestamp,
    ) -> Result<Option<Making>, StoreError> {
        let (attempt, condition) = match newest {
            None => (1, Condition::absent()),
            Some(making) => match making.state {
                IntentState::Rejected => (making.attempt + 1, Condition::absent()),
                // Whoever intended it is gone: its lease is over, or it comes back to its own.
                IntentState::Intended => (making.attempt, still_intended(lease)?),
                IntentState::Sent | IntentState::Unknown | IntentState::Applied => return Ok(None),
            },
        };
        let making = Making {
            thing: thing.clone(),
            told: told.to_owned(),
            attempt,
            connection: connection.clone(),
            run: run.clone(),
            account: account.clone(),
            state: IntentState::Intended,
            fence: lease.fence,
            leased: lease.name().to_owned(),
            intended_at: now,
            sent_at: None,
            settled_at: None,
            code: None,
            id: None,
        };
        let stored = self.table.put(&row(of, thing, attempt), &making, &condition).await?;
        Ok(stored.then_some(making))
    }

    /// Stores that the request is about to leave. `false`: another worker has taken it over; don't send.
    ///
    /// # Errors
    /// The store is unavailable: don't send. It may be stored as sent all the same, and is then settled by reading.
    pub async fn making_sent(&self, of: &Tenancy, making: &Making, now: Timestamp) -> Result<bool, StoreError> {
        let row = row(of, &making.thing, making.attempt);
        self.mark_sent(&row, making.fence, ("leased", &making.leased), now).await
    }

    /// Stores what became of a try that was sent: made with an id, rejected, or unknown, with a code. `false`: somebody has
    /// settled it otherwise since; what was stored first stays.
    ///
    /// # Errors
    /// The store is unavailable: the try stays open and is settled by the next worker.
    pub async fn settle_making(
        &self,
        of: &Tenancy,
        making: &Making,
        (state, code, id): (IntentState, Option<&str>, Option<&str>),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let settled = Condition::new("SET #state = :state, #settled_at = :now, #code = :code, #id = :id")
            .bind(":state", state)?
            .bind(":now", now.as_second())?
            .bind(":code", code)?
            .bind(":id", id)?;
        // Said twice by a client that missed the first answer, it is the same.
        let open = Condition::new("#state = :state OR #state = :sent OR #state = :unknown")
            .bind(":sent", IntentState::Sent)?
            .bind(":unknown", IntentState::Unknown)?;
        let key = row(of, &making.thing, making.attempt);
        Ok(self.table.update::<Making>(&key, &settled, &open).await?.is_some())
    }
}

fn still_intended(lease: &Lease) -> Result<Condition, StoreError> {
    Condition::new("#state = :intended AND (#fence <= :fence OR #leased <> :leased)")
        .bind(":intended", IntentState::Intended)?
        .bind(":fence", lease.fence)?
        .bind(":leased", lease.name())
}

fn row(of: &Tenancy, thing: &Thing, attempt: u32) -> Key {
    let Tenancy { partner, psa, tenant } = of;
    match thing {
        Thing::Service(name) => schema::making_of_service(partner, *psa, tenant, name, attempt),
        Thing::OnContract(line) => schema::making_on_contract(partner, *psa, tenant, line, attempt),
    }
}
