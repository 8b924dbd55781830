//! Alerts that are to be looked at again by themselves: their rows stand in shards of the due index that are alerts' own.
//!
//! A row is in the index from the same write on that leaves something to be done, so that no alert is forgotten whose message
//! was lost; and out of it with the one after which nothing is.

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Alerts;
use crate::domain::alert::{Alert, AlertKey};
use crate::domain::ids::PartnerId;
use crate::store::schema::{self, ALERT_SHARDS};
use crate::store::{Condition, DuePosition, StoreError};

/// An alert that is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueAlert {
    /// Whose it is.
    pub partner: PartnerId,
    /// The alert.
    pub key: AlertKey,
    /// As it stood then.
    pub version: u64,
    /// When, in whole seconds. Sort key of the index.
    pub due_at: Timestamp,
    due_shard: String,
}

impl DueAlert {
    pub(super) fn of(partner: &PartnerId, alert: &Alert, at: Timestamp) -> Self {
        let shard = Sha256::digest(alert.key.as_str()).first().map_or(0, |byte| byte % ALERT_SHARDS);
        // What is due at no full second is due with the next one: not before its time.
        let due_at = in_seconds(at, RoundMode::Ceil);
        let (partner, key) = (partner.clone(), alert.key.clone());
        Self { partner, key, version: alert.version, due_at, due_shard: named(shard) }
    }
}

impl Alerts {
    /// At most `limit` alerts of `shard` (0 to [`ALERT_SHARDS`] less one) that are due at `now`, the longest waiting first.
    /// The index lags.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn due(
        &self,
        shard: u8,
        now: Timestamp,
        limit: i32,
        after: Option<DuePosition>,
    ) -> Result<(Vec<DueAlert>, Option<DuePosition>), StoreError> {
        self.0.due(&named(shard), &in_seconds(now, RoundMode::Trunc).to_string(), limit, after).await
    }

    /// Has an alert that is due come again at `to`, where it has not moved on meanwhile.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn put_off(&self, due: &DueAlert, to: Timestamp) -> Result<(), StoreError> {
        let set = Condition::new("SET #due_at = :to").bind(":to", in_seconds(to, RoundMode::Ceil))?;
        let unmoved = Condition::new("#due_at = :from").bind(":from", due.due_at)?;
        self.0.amend(&schema::alert(&due.partner, &due.key), &set, &unmoved).await.map(drop)
    }

    /// Has an alert come again at `at` of which only the name can be read, where it is due at some time.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn comes_again(&self, partner: &PartnerId, key: &AlertKey, at: Timestamp) -> Result<(), StoreError> {
        let set = Condition::new("SET #due_at = :at").bind(":at", in_seconds(at, RoundMode::Ceil))?;
        let due = Condition::new("attribute_exists(#due_shard)");
        self.0.amend(&schema::alert(partner, key), &set, &due).await.map(drop)
    }
}

/// Connections have the numbers alone.
fn named(shard: u8) -> String {
    format!("alert-{shard}")
}

/// Without the fraction of a second, so that it sorts as text.
fn in_seconds(instant: Timestamp, mode: RoundMode) -> Timestamp {
    instant.round(TimestampRound::new().smallest(Unit::Second).mode(mode)).unwrap_or(instant)
}
