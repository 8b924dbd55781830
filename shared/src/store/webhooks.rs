//! A partner's webhooks, and what became of what they were sent.
//!
//! The webhooks are one row, so that their number is kept small by the same conditional write that adds one, and whoever
//! hands a notice on reads them at once. Each delivery has a row of its own for a month: one an event, with its last
//! attempt. Secrets are in neither; `secrets` holds them. When to try again is decided in `webhooks`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::schema;
use super::{Condition, Page, Read, Rows, StoreError, Table};
use crate::domain::ids::{ConnectionId, PartnerId, WebhookId};
use crate::events::{EventKind, Notice};

/// How often a change is tried anew where other writers were first.
const EDIT_ATTEMPTS: usize = 8;

/// How long it is remembered what became of a delivery.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 30);

/// So many deliveries are shown, the newest.
const DELIVERIES_SHOWN: i32 = 100;

/// An address that is told of events, as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// The address, as it was checked.
    pub url: String,
    /// What it asks for.
    pub events: BTreeSet<EventKind>,
    /// Only events of these connections, and those of none; empty for all.
    #[serde(default)]
    pub connections: BTreeSet<ConnectionId>,
    /// Whether it is sent anything.
    pub enabled: bool,
    /// When it was made, in whole seconds: what happened before is not sent.
    pub created_at: Timestamp,
    /// When a person last changed it.
    pub updated_at: Timestamp,
    /// Since when every attempt has failed.
    #[serde(default)]
    pub failing_since: Option<Timestamp>,
    /// Why it was switched off, where nobody did.
    #[serde(default)]
    pub switched_off: Option<SwitchedOff>,
}

/// That a webhook was switched off by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwitchedOff {
    /// When.
    pub at: Timestamp,
    /// Why: `webhook_gone`, `webhook_failing`.
    pub code: String,
}

impl Webhook {
    /// Whether it asks for such a notice.
    #[must_use]
    pub fn wants(&self, notice: &Notice) -> bool {
        let of_connection = notice.connection().is_none_or(|connection| {
            self.connections.is_empty() || self.connections.iter().any(|wanted| wanted.as_str() == connection)
        });
        let kind = self.events.iter().any(|kind| kind.as_str() == notice.kind);
        self.enabled && kind && of_connection && notice.at >= self.created_at
    }
}

/// How far a delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// The receiver has taken it.
    Delivered,
    /// It is tried again.
    Retrying,
    /// It was tried for the last time, or the receiver is gone.
    GivenUp,
    /// The webhook was off when its turn came.
    Dropped,
}

/// What became of one notice, by its last attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The event's id, which the receiver sees as `webhook-id`.
    pub event_id: String,
    /// What happened.
    pub event: String,
    /// When it happened.
    pub event_at: Timestamp,
    /// How far it has come.
    pub status: DeliveryStatus,
    /// Attempts so far.
    pub attempt: u32,
    /// When the last one was made.
    pub at: Timestamp,
    /// Status of its answer, where there was one.
    #[serde(default)]
    pub http_status: Option<u16>,
    /// What went wrong, where something did.
    #[serde(default)]
    pub code: Option<String>,
    /// When it is tried again.
    #[serde(default)]
    pub next_try_at: Option<Timestamp>,
    /// The second (since 1970) after which the row may go.
    pub expires: i64,
}

impl Delivery {
    /// Of a notice that is tried for the `attempt`th time, at `at`.
    #[must_use]
    pub fn of(notice: &Notice, attempt: u32, at: Timestamp, status: DeliveryStatus) -> Self {
        Self {
            event_id: notice.id.clone(),
            event: notice.kind.clone(),
            event_at: notice.at,
            status,
            attempt,
            at,
            http_status: None,
            code: None,
            next_try_at: None,
            expires: at.saturating_add(REMEMBERED).unwrap_or(at).as_second(),
        }
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Row {
    webhooks: BTreeMap<WebhookId, Webhook>,
    version: u64,
}

/// The webhooks in the table.
#[derive(Debug, Clone)]
pub struct Webhooks(Table);

impl Webhooks {
    /// The webhooks in `table`.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self(table)
    }

    /// Every webhook of a partner, by id.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn all(&self, partner: &PartnerId, read: Read) -> Result<BTreeMap<WebhookId, Webhook>, StoreError> {
        let row: Option<Row> = self.0.get(&schema::webhooks(partner), read).await?;
        Ok(row.unwrap_or_default().webhooks)
    }

    /// Changes a partner's webhooks, anew where another writer was first. `change` answers what its caller wants to know, and
    /// may run several times; where it leaves them as they are, nothing is written.
    ///
    /// # Errors
    /// What `change` refuses; the store is unavailable, or others kept writing.
    pub async fn edit<T, E: From<StoreError>>(
        &self,
        partner: &PartnerId,
        mut change: impl FnMut(&mut BTreeMap<WebhookId, Webhook>) -> Result<T, E>,
    ) -> Result<T, E> {
        let key = schema::webhooks(partner);
        for _ in 0..EDIT_ATTEMPTS {
            let found: Option<Row> = self.0.get(&key, Read::Consistent).await?;
            let unmoved = match &found {
                Some(row) => Condition::new("#version = :read").bind(":read", row.version)?,
                None => Condition::absent(),
            };
            let Row { webhooks, version } = found.unwrap_or_default();
            let mut changed = webhooks.clone();
            let told = change(&mut changed)?;
            if changed == webhooks {
                return Ok(told);
            }
            let row = Row { webhooks: changed, version: version + 1 };
            if self.0.put(&key, &row, &unmoved).await? {
                return Ok(told);
            }
        }
        Err(StoreError::Unavailable("a partner's webhooks are written by too many at once".to_owned()).into())
    }

    /// What has become of a notice so far.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn delivery(
        &self,
        partner: &PartnerId,
        webhook: &WebhookId,
        notice: &Notice,
    ) -> Result<Option<Delivery>, StoreError> {
        let key = schema::delivery(partner, webhook, notice.at.as_second(), &notice.id);
        self.0.get(&key, Read::Consistent).await
    }

    /// Notes what became of a notice. What is noted as delivered stays so.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn note(&self, partner: &PartnerId, webhook: &WebhookId, delivery: &Delivery) -> Result<(), StoreError> {
        let key = schema::delivery(partner, webhook, delivery.event_at.as_second(), &delivery.event_id);
        let open = Condition::new("attribute_not_exists(#pk) OR #status <> :delivered")
            .bind(":delivered", DeliveryStatus::Delivered)?;
        self.0.put(&key, delivery, &open).await.map(drop)
    }

    /// The newest deliveries, newest event first; at most 100.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn deliveries(&self, partner: &PartnerId, webhook: &WebhookId) -> Result<Vec<Delivery>, StoreError> {
        let page = Page { prefix: "DELIVERY#", after: None, limit: Some(DELIVERIES_SHOWN), backwards: true };
        let rows: Rows<Delivery> = self.0.page(&schema::deliveries(partner, webhook), &page, Read::Consistent).await?;
        Ok(rows.items.into_iter().map(|(_, delivery)| delivery).collect())
    }
}
