//! When each partner's next digest is due: a row a partner, in shards of the due index that are digests' own.
//!
//! Whoever makes a digest claims it first by moving its due instant on; a claim that was lost wrote nothing. The row comes
//! with a partner's first due connection, and goes when no connection is left.

use jiff::{Timestamp, Unit};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::schema::{self, DIGEST_SHARDS};
use super::{Condition, DuePosition, Read, StoreError, Table};
use crate::domain::ids::PartnerId;

/// A partner whose digest is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueDigest {
    /// Whose.
    pub partner: PartnerId,
    /// When, in whole seconds. Sort key of the index.
    pub due_at: Timestamp,
    due_shard: String,
}

/// Reads and moves digests' due instants.
#[derive(Debug, Clone)]
pub struct Digests(Table);

impl Digests {
    /// Of `table`.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self(table)
    }

    /// Has a partner's digest come at `first`, where none is awaited yet.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn expect(&self, partner: &PartnerId, first: Timestamp) -> Result<(), StoreError> {
        let key = schema::digest(partner);
        if self.0.get::<DueDigest>(&key, Read::Eventual).await?.is_some() {
            return Ok(());
        }
        let row = DueDigest { partner: partner.clone(), due_at: seconds(first), due_shard: shard(partner) };
        self.0.put(&key, &row, &Condition::absent()).await.map(drop)
    }

    /// At most `limit` digests of `shard` (0 to [`DIGEST_SHARDS`] less one) that are due at `now`.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn due(
        &self,
        shard: u8,
        now: Timestamp,
        limit: i32,
        after: Option<DuePosition>,
    ) -> Result<(Vec<DueDigest>, Option<DuePosition>), StoreError> {
        self.0.due(&named(shard), &seconds(now).to_string(), limit, after).await
    }

    /// Moves a digest's due instant from `from` to `to`. `false`: it was not there any more.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn moves(&self, partner: &PartnerId, from: Timestamp, to: Timestamp) -> Result<bool, StoreError> {
        let set = Condition::new("SET #due_at = :to").bind(":to", seconds(to))?;
        self.0.amend(&schema::digest(partner), &set, &due_at(from)?).await
    }

    /// Awaits no digest of a partner any more, if it is due at `from`.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn forget(&self, partner: &PartnerId, from: Timestamp) -> Result<(), StoreError> {
        self.0.delete(&schema::digest(partner), &due_at(from)?).await.map(drop)
    }
}

fn due_at(instant: Timestamp) -> Result<Condition, StoreError> {
    Condition::new("#due_at = :from").bind(":from", seconds(instant))
}

fn shard(partner: &PartnerId) -> String {
    named(Sha256::digest(partner.as_str()).first().map_or(0, |byte| byte % DIGEST_SHARDS))
}

/// Connections have the numbers alone.
fn named(shard: u8) -> String {
    format!("digest-{shard}")
}

/// Without the fraction of a second, so that it sorts as text.
fn seconds(instant: Timestamp) -> Timestamp {
    let down = jiff::TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Trunc);
    instant.round(down).unwrap_or(instant)
}
