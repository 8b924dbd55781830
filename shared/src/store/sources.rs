//! A partner's usage sources: what is read of each, when it is due, and how its pulls end.
//!
//! A source is due from the moment it is set up, so that its row is always in the due index, in shards of its own. Every write
//! raises `version` and is refused where another writer was first. Credentials are not in the row; `secrets` holds them.

mod pull;

use std::collections::BTreeMap;

use jiff::{RoundMode, SignedDuration, Timestamp, TimestampRound, Unit};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::schema::{self, SOURCE_SHARDS};
use super::{Condition, DuePosition, Read, StoreError, Table};
use crate::domain::ids::{PartnerId, ProductKey};
use crate::domain::schedule::Schedule;
use crate::sources::{Filters, Metric, Vendor};
pub use pull::{Going, LastPull, Named, Parts, PullStatus, Tally};

/// How often a change is tried anew where other writers were first.
const EDIT_ATTEMPTS: usize = 8;

/// A usage source of a partner, as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageSource {
    /// Whose it is.
    pub partner: PartnerId,
    /// Which vendor's API is read. A partner has one source a vendor.
    pub vendor: Vendor,
    /// Which of the vendor's metrics are which of our products. Several may be one: they are added.
    pub products: BTreeMap<Metric, ProductKey>,
    /// What is counted besides the usual, or is not counted.
    #[serde(default)]
    pub filters: Filters,
    /// When it is pulled; daily ahead of the partner's syncs where it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// IANA name, in which the schedule is reckoned.
    pub time_zone: String,
    /// Raised by every write.
    pub version: u64,
    /// When it was set up, in whole seconds.
    pub created_at: Timestamp,
    /// When a person last changed it, in whole seconds.
    pub updated_at: Timestamp,
    /// The pull that is going on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub going: Option<Going>,
    /// How the last one ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<LastPull>,
    /// Pulls in a row that were not complete.
    #[serde(default)]
    pub failures: u32,
    /// When it is due next, in whole seconds. Sort key of the index.
    pub due_at: Timestamp,
    due_shard: String,
}

/// What a partner says of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// As [`UsageSource::products`].
    pub products: BTreeMap<Metric, ProductKey>,
    /// As [`UsageSource::filters`].
    pub filters: Filters,
    /// As [`UsageSource::schedule`].
    pub schedule: Option<Schedule>,
    /// As [`UsageSource::time_zone`].
    pub time_zone: String,
}

impl UsageSource {
    /// A source that is set up at `now`, and due at once.
    #[must_use]
    pub fn new(partner: PartnerId, vendor: Vendor, setting: Setting, now: Timestamp) -> Self {
        let now = seconds(now, RoundMode::Trunc);
        let shard = Sha256::digest(partner.as_str()).first().map_or(0, |byte| byte % SOURCE_SHARDS);
        let Setting { products, filters, schedule, time_zone } = setting;
        Self {
            partner,
            vendor,
            products,
            filters,
            schedule,
            time_zone,
            version: 1,
            created_at: now,
            updated_at: now,
            going: None,
            last: None,
            failures: 0,
            due_at: now,
            due_shard: named(shard),
        }
    }

    /// What its partner says of it.
    #[must_use]
    pub fn setting(&self) -> Setting {
        Setting {
            products: self.products.clone(),
            filters: self.filters.clone(),
            schedule: self.schedule,
            time_zone: self.time_zone.clone(),
        }
    }

    /// Takes a new setting at `now`: what was going on was about the old one, and it is due at once.
    pub fn set(&mut self, setting: Setting, now: Timestamp) {
        Setting {
            products: self.products,
            filters: self.filters,
            schedule: self.schedule,
            time_zone: self.time_zone,
        } = setting;
        self.updated_at = seconds(now, RoundMode::Trunc);
        // A pull is named by its instant: one that was asked for before the last one began has been made.
        let last = self.last.as_ref().map(|last| last.pull.max(last.as_of));
        let after_last = last.and_then(|last| last.checked_add(SignedDuration::from_secs(1)).ok());
        self.comes_at(after_last.map_or(self.updated_at, |after| after.max(self.updated_at)));
        (self.going, self.failures) = (None, 0);
    }

    /// Has it come at `at`, or with the next full second.
    pub fn comes_at(&mut self, at: Timestamp) {
        self.due_at = seconds(at, RoundMode::Ceil);
    }
}

/// The sources in the table.
#[derive(Debug, Clone)]
pub struct UsageSources(Table);

impl UsageSources {
    /// Of `table`.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self(table)
    }

    /// One source.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn get(
        &self,
        partner: &PartnerId,
        vendor: Vendor,
        read: Read,
    ) -> Result<Option<UsageSource>, StoreError> {
        self.0.get(&schema::source(partner, vendor), read).await
    }

    /// Every source of a partner, by the vendors' names: there is one a vendor at most.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn all(&self, partner: &PartnerId) -> Result<Vec<UsageSource>, StoreError> {
        let rows = self.0.all(&schema::sources(partner), "SOURCE#", Read::Consistent).await?;
        Ok(rows.into_iter().map(|(_, source)| source).collect())
    }

    /// Stores a source that is new. `false`: there is one of that vendor.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn create(&self, source: &UsageSource) -> Result<bool, StoreError> {
        self.0.put(&schema::source(&source.partner, source.vendor), source, &Condition::absent()).await
    }

    /// Reads, changes and writes a source, anew where another writer was first. `None`: there is none. `change` answers whether
    /// there is anything to write; it may run several times.
    ///
    /// # Errors
    /// The store is unavailable, or others kept writing.
    pub async fn edit(
        &self,
        partner: &PartnerId,
        vendor: Vendor,
        mut change: impl FnMut(&mut UsageSource) -> bool,
    ) -> Result<Option<UsageSource>, StoreError> {
        let key = schema::source(partner, vendor);
        for _ in 0..EDIT_ATTEMPTS {
            let Some(mut source) = self.get(partner, vendor, Read::Consistent).await? else { return Ok(None) };
            let unmoved = Condition::new("#version = :version").bind(":version", source.version)?;
            if !change(&mut source) {
                return Ok(Some(source));
            }
            source.version += 1;
            if self.0.put(&key, &source, &unmoved).await? {
                return Ok(Some(source));
            }
        }
        Err(StoreError::Unavailable("a source is written by too many at once".to_owned()))
    }

    /// Removes a source; the counts that came from it stay. `false`: there was none.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn remove(&self, partner: &PartnerId, vendor: Vendor) -> Result<bool, StoreError> {
        self.0.delete(&schema::source(partner, vendor), &Condition::present()).await
    }

    /// At most `limit` sources of `shard` (0 to [`SOURCE_SHARDS`] less one) that are due at `now`, the longest waiting first. The
    /// index lags: whoever acts on one looks at its row.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn due(
        &self,
        shard: u8,
        now: Timestamp,
        limit: i32,
        after: Option<DuePosition>,
    ) -> Result<(Vec<UsageSource>, Option<DuePosition>), StoreError> {
        self.0.due(&named(shard), &seconds(now, RoundMode::Trunc).to_string(), limit, after).await
    }

    /// Moves a source that is due from that instant to `next`. `false`: it was moved meanwhile.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn put_off(&self, due: &UsageSource, next: Timestamp) -> Result<bool, StoreError> {
        let set = Condition::new("SET #due_at = :next, #version = #version + :one")
            .bind(":next", seconds(next, RoundMode::Ceil))?
            .bind(":one", 1)?;
        let unmoved = Condition::new("#due_at = :from").bind(":from", due.due_at)?;
        self.0.amend(&schema::source(&due.partner, due.vendor), &set, &unmoved).await
    }
}

/// Connections have the numbers alone.
fn named(shard: u8) -> String {
    format!("source-{shard}")
}

fn seconds(instant: Timestamp, mode: RoundMode) -> Timestamp {
    instant.round(TimestampRound::new().smallest(Unit::Second).mode(mode)).unwrap_or(instant)
}
