//! A partner's connections: the rows, their versions, and the index of those that are due.
//!
//! Every write raises `version` and is refused where another writer was first, so that a claim by the tick and a change by
//! the partner never undo each other. A row has the index attributes only while it is to be synced; that rule is kept
//! here and nowhere else. How it is changed, and that each change leaves an entry in the journal, stands in `changes`.
//! Credentials are not in the row; `secrets` holds them.
//!
//! What a newer version may have put into policy, schedule and invoice day is set aside where this one does not understand
//! it (`newer`); such a connection is shown and not synced, unless it is the invoice day alone, on which no money depends.

mod changes;

use jiff::{Timestamp, Unit};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::newer::{StandIn, apart, tolerant};
use super::schema::{self, DUE_SHARDS};
use super::{Condition, DuePosition, Newer, Page, Read, StoreError, Table, UnreadableRow};
use crate::domain::ids::{ConnectionId, PartnerId, RunId};
use crate::domain::invoicing::InvoiceDay;
use crate::domain::policy::Policy;
use crate::domain::reason::{Code, Reason};
use crate::domain::schedule::Schedule;
use crate::psa::{Endpoint, Psa};
pub use changes::{Bookkeeping, ConnectionAct};

/// How often a change is tried anew where other writers were first.
const EDIT_ATTEMPTS: usize = 8;

/// Whether a connection can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// As far as we know the PSA lets us in.
    Active,
    /// The PSA refused the credentials; new ones are awaited. It is still tried when due: rights are also repaired in the PSA.
    CredentialsRejected,
    /// The partner ended it. Its secret is gone; what was recorded under it stays readable.
    Revoked,
}

/// A partner's link to one PSA, as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Whose it is.
    pub partner: PartnerId,
    /// Which PSA.
    pub psa: Psa,
    /// Where the PSA's tenant lives.
    pub endpoint: Endpoint,
    /// What the partner calls it.
    pub name: String,
    /// IANA name. All of its days and months are reckoned in it.
    pub time_zone: String,
    /// When it is synced.
    pub schedule: Schedule,
    /// When the partner makes invoices in the PSA, where it has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice: Option<InvoiceDay>,
    /// How changes are made.
    #[serde(serialize_with = "without_usual")]
    pub policy: Policy,
    /// Switched on by the partner.
    pub enabled: bool,
    /// Whether it can be used.
    pub status: Status,
    /// When it is due next, in whole seconds; `None` while it is switched off or revoked. Sort key of the index.
    #[serde(rename = "due_at", default, skip_serializing_if = "Option::is_none")]
    pub next_due_at: Option<Timestamp>,
    /// Raised by every write.
    pub version: u64,
    /// When it was made, in whole seconds.
    pub created_at: Timestamp,
    /// When a person last changed it, in whole seconds.
    pub updated_at: Timestamp,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// The newest run of all its lines that writes: jobs of older ones are not done any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_run: Option<RunId>,
    /// A person approved all of a run that the policy `first_run` held.
    #[serde(default)]
    pub first_run_approved: bool,
    /// When that was. Rows in which it was noted before instants were kept have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_run_approved_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_shard: Option<String>,
    /// What of its settings this version does not understand.
    #[serde(skip)]
    pub newer: Newer,
}

/// Parts of a policy that came later than others, each not stored while it has its usual value: an earlier version can then
/// go on with what it knows.
const LATER: [&[&str]; 6] = [
    &["markup"],
    &["currency"],
    &["billing_day"],
    &["guards", "price_percent"],
    &["guards", "charge_percent"],
    &["guards", "charge_amount"],
];

fn without_usual<S: Serializer>(policy: &Policy, to: S) -> Result<S::Ok, S::Error> {
    let value = |policy: &Policy| serde_json::to_value(policy).map_err(serde::ser::Error::custom);
    let (mut stored, usual) = (value(policy)?, value(&Policy::default())?);
    for path in LATER {
        let at = |of: &Value| path.iter().try_fold(of, |place, name| place.get(name)).cloned();
        let (Some((last, parents)), true) = (path.split_last(), at(&stored) == at(&usual)) else { continue };
        let parent = parents.iter().try_fold(&mut stored, |place, name| place.get_mut(name));
        if let Some(fields) = parent.and_then(Value::as_object_mut) {
            fields.remove(*last);
        }
    }
    stored.serialize(to)
}

tolerant!(Connection, |path: &[&str]| match path {
    ["policy", _, ..] | ["invoice", ..] => Some(StandIn::Nothing),
    // It has to have one; nothing is synced meanwhile.
    ["schedule"] => serde_json::to_value(Schedule::default()).ok().map(StandIn::Value),
    _ => None,
});

/// One page of a partner's connections.
#[derive(Debug)]
pub struct ConnectionsPage {
    /// In the order of their making.
    pub items: Vec<Connection>,
    /// Those that this version can't read.
    pub unreadable: Vec<UnreadableRow>,
    /// The id to go on after; `None` at the end.
    pub next: Option<ConnectionId>,
}

/// What a new connection begins with.
#[derive(Debug, Clone)]
pub struct NewConnection {
    /// Its id.
    pub id: ConnectionId,
    /// Whose it is.
    pub partner: PartnerId,
    /// Which PSA.
    pub psa: Psa,
    /// Where the PSA's tenant lives.
    pub endpoint: Endpoint,
    /// What the partner calls it.
    pub name: String,
    /// IANA name.
    pub time_zone: String,
}

impl Connection {
    /// A connection that is switched on, with the default policy and schedule.
    #[must_use]
    pub fn new(new: NewConnection, now: Timestamp) -> Self {
        let mut connection = Self {
            id: new.id,
            partner: new.partner,
            psa: new.psa,
            endpoint: new.endpoint,
            name: new.name,
            time_zone: new.time_zone,
            schedule: Schedule::default(),
            invoice: None,
            policy: Policy::default(),
            enabled: true,
            status: Status::Active,
            next_due_at: None,
            version: 1,
            created_at: seconds(now),
            updated_at: seconds(now),
            revoked_at: None,
            current_run: None,
            first_run_approved: false,
            first_run_approved_at: None,
            due_shard: None,
            newer: Newer::default(),
        };
        connection.reschedule(now);
        connection
    }

    /// Sets `next_due_at` anew: the first due instant after `now`, or none while it is switched off or revoked.
    pub fn reschedule(&mut self, now: Timestamp) {
        self.next_due_at = if self.enabled && self.status != Status::Revoked { self.due_after(now) } else { None };
    }

    /// Why nothing of it may be synced by this version, whatever else it says.
    #[must_use]
    pub fn not_understood(&self) -> Option<Reason> {
        let parts: Vec<String> = self.newer.without("invoice").collect();
        let explanation = || {
            format!(
                "A newer version of Tallyline has stored settings of this connection that this one does not understand: {}.",
                parts.join(", ")
            )
        };
        (!parts.is_empty()).then(|| Reason::new(Code::SettingsNotUnderstood, explanation()))
    }

    /// The first instant after `now` at which the schedule is due in the partner's time zone. `None` only where the zone
    /// is no longer known.
    #[must_use]
    pub fn due_after(&self, now: Timestamp) -> Option<Timestamp> {
        let zone = jiff::tz::TimeZone::get(&self.time_zone).ok()?;
        self.schedule.next_after(now, &zone)
    }

    /// Notes that a person changed it at `now`.
    pub fn touch(&mut self, now: Timestamp) {
        self.updated_at = seconds(now);
    }

    /// Marks it revoked as of `now`. A second time changes nothing.
    pub fn revoke(&mut self, now: Timestamp) {
        if self.status != Status::Revoked {
            self.status = Status::Revoked;
            self.revoked_at = Some(seconds(now));
            self.touch(now);
            self.reschedule(now);
        }
    }

    /// The row as it may be stored: in the index while, and only while, it is due at some time.
    fn indexed(mut self) -> Self {
        if !self.enabled || self.status == Status::Revoked {
            self.next_due_at = None;
        }
        self.next_due_at = self.next_due_at.map(seconds);
        self.due_shard = self.next_due_at.map(|_| shard(&self.id).to_string());
        self
    }
}

/// The connections in the table.
#[derive(Debug, Clone)]
pub struct Connections {
    table: Table,
}

/// Sort keys of connections begin so.
const PREFIX: &str = "CONN#";

/// Connections read at once where all are asked for.
const AT_ONCE: u16 = 50;

impl Connections {
    /// The connections in `table`.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table }
    }

    /// One connection of one partner.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn get(
        &self,
        partner: &PartnerId,
        id: &ConnectionId,
        read: Read,
    ) -> Result<Option<Connection>, StoreError> {
        self.table.get(&schema::connection(partner, id), read).await
    }

    /// Every connection of a partner that can be read, in the order of their making.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn all(&self, partner: &PartnerId) -> Result<Vec<Connection>, StoreError> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.list(partner, after.as_ref(), AT_ONCE).await?;
            for row in page.unreadable {
                tracing::error!(%partner, %row, "a connection can't be read");
            }
            all.extend(page.items);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// At most `limit` connections in the order of their making, after the one named `after`.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn list(
        &self,
        partner: &PartnerId,
        after: Option<&ConnectionId>,
        limit: u16,
    ) -> Result<ConnectionsPage, StoreError> {
        let after = after.map(|id| schema::connection(partner, id).sk);
        // One more than asked for tells whether there is another page.
        let limit = usize::from(limit);
        let page =
            Page { prefix: PREFIX, after: after.as_deref(), limit: i32::try_from(limit + 1).ok(), backwards: false };
        let partition = schema::connections(partner);
        let rows = self.table.page_of_readable::<Connection>(&partition, &page, Read::Eventual).await?;
        let mut found = rows.items;
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().and_then(|(sk, _)| sk.strip_prefix(PREFIX)?.parse().ok());
        let (items, unreadable) = apart(found);
        Ok(ConnectionsPage { items, unreadable, next: last.filter(|_| more) })
    }

    /// At most `limit` connections of `shard` (0 to [`DUE_SHARDS`] less one) that are due at `now`, the longest waiting
    /// first. The index lags: whoever acts on one claims it first.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn due(
        &self,
        shard: u8,
        now: Timestamp,
        limit: i32,
        after: Option<DuePosition>,
    ) -> Result<(Vec<Connection>, Option<DuePosition>), StoreError> {
        self.table.due(&shard.to_string(), &sortable(now), limit, after).await
    }

    /// Takes a due connection: moves its due instant from `expected` to `next`. `false`: another tick took it, or it was
    /// switched off or rescheduled; it is not to be synced on this tick's account.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn claim_due(
        &self,
        connection: &Connection,
        expected: Timestamp,
        next: Timestamp,
    ) -> Result<bool, StoreError> {
        let key = schema::connection(&connection.partner, &connection.id);
        let update = Condition::new("SET #due_at = :next, #version = #version + :one")
            .bind(":next", sortable(next))?
            .bind(":one", 1)?;
        let unmoved = Condition::new("#due_at = :expected").bind(":expected", sortable(expected))?;
        Ok(self.table.update::<Connection>(&key, &update, &unmoved).await?.is_some())
    }
}

/// The index partition of a connection: evenly spread, and the same for ever.
#[must_use]
pub fn shard(id: &ConnectionId) -> u8 {
    Sha256::digest(id.as_str()).first().map_or(0, |byte| byte % DUE_SHARDS)
}

/// RFC 3339 in UTC and whole seconds: always 20 characters in this era, so it sorts as text.
fn sortable(instant: Timestamp) -> String {
    seconds(instant).to_string()
}

/// Without the fraction of a second.
fn seconds(instant: Timestamp) -> Timestamp {
    let down = jiff::TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Trunc);
    instant.round(down).unwrap_or(instant)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize as _;

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Stored {
        #[serde(serialize_with = "without_usual")]
        policy: Policy,
    }

    #[test]
    fn what_came_later_is_stored_only_where_it_says_something() {
        let stored = |policy: Policy| serde_json::to_value(Stored { policy }).unwrap()["policy"].clone();
        let usual = stored(Policy::default());
        for path in LATER {
            let found = path.iter().try_fold(&usual, |place, name| place.get(name));
            assert_eq!(found, None, "{path:?} of {usual}");
        }
        assert_eq!(usual["guards"]["fall_percent"], 30, "what was always stored is stored");
        let said = serde_json::json!({"billing_day": 15, "currency": "EUR", "markup": {"products": "20"}, "guards": {"price_percent": 9}});
        let policy = Policy::deserialize(said).unwrap();
        let whole = stored(policy.clone());
        assert_eq!(Policy::deserialize(&whole).unwrap(), policy);
        assert_eq!(Policy::deserialize(&usual).unwrap(), Policy::default());
    }
}
