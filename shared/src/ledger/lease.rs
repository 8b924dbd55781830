//! Leases: one worker at a time on one account of a PSA tenant, or on its catalogue, each with a fence that only rises.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Ledger;
use crate::clock::fresh_id;
use crate::domain::ids::AccountId;
use crate::store::lines::Tenancy;
use crate::store::{Condition, Key, StoreError, Write, schema};

/// How long a lease holds by default: longer than a function can run (15 minutes), so that it outlives its worker.
pub const LEASE_TERM: SignedDuration = SignedDuration::from_mins(16);

/// Who takes leases.
#[derive(Debug, Clone)]
pub struct LeaseHolder {
    /// Names the process: fresh at each start.
    pub instance: String,
    /// The store belongs to this process alone, so a lease of another instance is that of a dead one. True on one
    /// machine, where the data folder is locked; never on AWS.
    pub sole: bool,
    /// How long a lease holds: longer than a worker can live.
    pub term: SignedDuration,
}

/// A lease that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    key: Key,
    /// Rises with every lease on the same.
    pub fence: u64,
}

impl Lease {
    /// Names what is leased: fences of different leases say nothing about each other.
    pub(super) fn name(&self) -> &str {
        &self.key.sk
    }

    /// What account is leased.
    pub(super) fn account(&self) -> Option<AccountId> {
        Self::account_in(self.name())
    }

    /// The account in a lease's name.
    pub(super) fn account_in(name: &str) -> Option<AccountId> {
        name.strip_prefix("LEASE#")?.parse().ok()
    }
}

#[derive(Serialize, Deserialize)]
struct LeaseRow {
    fence: u64,
}

impl Ledger {
    /// Takes the lease on `account`, or answers `None` while another worker has it.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn lease(&self, of: &Tenancy, account: &AccountId, now: Timestamp) -> Result<Option<Lease>, StoreError> {
        self.take(schema::lease(&of.partner, of.psa, &of.tenant, account), now).await
    }

    /// Takes the lease on the tenant's catalogue, or answers `None` while another worker has it.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn lease_catalogue(&self, of: &Tenancy, now: Timestamp) -> Result<Option<Lease>, StoreError> {
        self.take(schema::lease_of_catalogue(&of.partner, of.psa, &of.tenant), now).await
    }

    async fn take(&self, key: Key, now: Timestamp) -> Result<Option<Lease>, StoreError> {
        let holder = &self.holder;
        let until = now.saturating_add(holder.term).map_err(|e| StoreError::Corrupt(e.to_string()))?;
        // The client may repeat this request when the first answer is lost: it must know its own lease again.
        let call = fresh_id("lease");
        let take = Condition::new("SET #holder = :holder, #until = :until, #call = :call ADD #fence :one")
            .bind(":holder", &holder.instance)?
            .bind(":until", until.as_second())?
            .bind(":call", call)?
            .bind(":one", 1)?;
        let free = if holder.sole {
            Condition::new("attribute_not_exists(#pk) OR #until < :now OR #call = :call OR #holder <> :holder")
        } else {
            Condition::new("attribute_not_exists(#pk) OR #until < :now OR #call = :call")
        };
        let row = self.table.update::<LeaseRow>(&key, &take, &free.bind(":now", now.as_second())?).await?;
        Ok(row.map(|row| Lease { key, fence: row.fence }))
    }

    /// Gives a lease back. One that another worker has taken over meanwhile stays with it.
    ///
    /// # Errors
    /// The store is unavailable; the lease then ends with its term.
    pub async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let (free, mine) = given_back(lease)?;
        self.table.update::<LeaseRow>(&lease.key, &free, &mine).await.map(|_| ())
    }

    /// As [`Ledger::release`], as a write of a transaction.
    pub(super) fn giving_back(&self, lease: &Lease) -> Result<Write, StoreError> {
        let (free, mine) = given_back(lease)?;
        self.table.write_update(&lease.key, &free, &mine)
    }
}

fn given_back(lease: &Lease) -> Result<(Condition, Condition), StoreError> {
    let free = Condition::new("SET #until = :zero").bind(":zero", 0)?;
    let mine = Condition::new("#fence = :fence").bind(":fence", lease.fence)?;
    Ok((free, mine))
}
