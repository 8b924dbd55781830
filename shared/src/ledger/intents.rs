//! Intents: stored, sent, found again. How they are settled stands in `settle`.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Lease, LeaseHolder};
use crate::domain::ids::{ConnectionId, IntentKey, RunId};
use crate::domain::intent::{IntentState, Meaning};
use crate::domain::line::{Confirmed, LineHistory, LineKey};
use crate::domain::repricing::Priced;
use crate::domain::units::Units;
use crate::store::lines::Tenancy;
use crate::store::{Condition, Key, Page, Read, StoreError, Table, Write, schema};

/// A transaction holds at most 100 writes; an intent takes two of them. The lease may be given back with those that settle,
/// and two rows of the journal tell when those that intend were stored.
pub(super) const INTENTS_A_TRANSACTION: usize = 49;

/// A ledger row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Its key.
    pub key: IntentKey,
    /// What it is. Never changed.
    pub meaning: Meaning,
    /// A digest of what the request says. Never changed.
    pub payload: String,
    /// The connection that writes.
    pub connection: ConnectionId,
    /// The run that decided it.
    pub run: RunId,
    /// How far it has come.
    pub state: IntentState,
    /// The fence of the lease that last moved it.
    pub fence: u64,
    /// That lease's name: fences of different leases say nothing about each other.
    #[serde(default)]
    pub leased: Option<String>,
    /// When it was decided, in seconds since 1970.
    pub intended_at: i64,
    /// The same precisely; `None` in rows of an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intended: Option<Timestamp>,
    /// When it was stored as sent.
    #[serde(default)]
    pub sent_at: Option<i64>,
    /// When its outcome was known.
    #[serde(default)]
    pub settled_at: Option<i64>,
    /// Why it was rejected, or why its outcome is not known.
    #[serde(default)]
    pub code: Option<String>,
    /// The units that it led to, where the PSA took it for another change than it was meant as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landed: Option<Units>,
}

impl Intent {
    /// When it was decided, as precisely as is known.
    #[must_use]
    pub fn decided_at(&self) -> Option<Timestamp> {
        self.intended.or_else(|| Timestamp::from_second(self.intended_at).ok())
    }

    /// Whether it was made as it was meant.
    #[must_use]
    pub fn is_made(&self) -> bool {
        self.state == IntentState::Applied && self.landed.is_none()
    }
}

/// Why intents could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum IntendError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The same key with another payload: a key is made of what a change means, so this can't come of any decision.
    #[error("the ledger holds another request for line {line} under the key {key}")]
    Contradiction {
        /// The line or the charge.
        line: String,
        /// The intent.
        key: IntentKey,
    },
}

/// Writes and reads the ledger.
#[derive(Debug, Clone)]
pub struct Ledger {
    pub(super) table: Table,
    pub(super) holder: LeaseHolder,
}

impl Ledger {
    /// The ledger in `table`, with leases taken as `holder`.
    #[must_use]
    pub fn new(table: Table, holder: LeaseHolder) -> Self {
        Self { table, holder }
    }

    /// As whom it takes leases.
    #[must_use]
    pub fn holder(&self) -> &LeaseHolder {
        &self.holder
    }

    /// Stores what is about to be written and marks the lines, all or nothing. `None`: a line has moved on meanwhile, has
    /// an open intent or another writer, or the lease is lost; nothing was stored.
    ///
    /// # Errors
    /// The store is unavailable. What was stored is found by the next worker, as open and never sent. Or the ledger holds
    /// one of the keys with another payload, and must be looked into.
    pub async fn intend(
        &self,
        of: &Tenancy,
        lease: &Lease,
        (connection, run): (&ConnectionId, &RunId),
        planned: &[(Meaning, LineHistory)],
        now: Timestamp,
    ) -> Result<Option<Vec<Intent>>, IntendError> {
        let intents: Vec<Intent> = planned
            .iter()
            .map(|(meaning, _)| Intent {
                key: meaning.key(),
                payload: meaning.payload(),
                meaning: meaning.clone(),
                connection: connection.clone(),
                run: run.clone(),
                state: IntentState::Intended,
                fence: lease.fence,
                leased: Some(lease.name().to_owned()),
                intended_at: now.as_second(),
                intended: Some(now),
                sent_at: None,
                settled_at: None,
                code: None,
                landed: None,
            })
            .collect();
        let histories = planned.iter().map(|(_, history)| history);
        let pairs: Vec<_> = intents.iter().zip(histories).collect();
        for chunk in pairs.chunks(INTENTS_A_TRANSACTION) {
            let mut writes = Vec::with_capacity(chunk.len() * 2);
            for (intent, history) in chunk {
                writes.push(self.table.write_put(&row(of, intent), intent, &Condition::absent())?);
                writes.push(self.open_line(of, lease, intent, history)?);
            }
            // Here and not where outcomes are stored: nothing has left yet, so nothing is in doubt where this fails.
            let stored: Vec<&Intent> = chunk.iter().map(|(intent, _)| *intent).collect();
            writes.extend(self.journal(of, lease, (connection, run), &stored, now)?);
            if !self.table.transact(writes).await? {
                return match self.contradicted(of, &intents).await? {
                    Some(intent) => {
                        Err(IntendError::Contradiction { line: intent.meaning.line.to_string(), key: intent.key })
                    }
                    None => Ok(None),
                };
            }
        }
        Ok(Some(intents))
    }

    /// One of `intents` whose key stands in the ledger with another payload.
    async fn contradicted(&self, of: &Tenancy, intents: &[Intent]) -> Result<Option<Intent>, StoreError> {
        let keys: Vec<Key> = intents.iter().map(|intent| row(of, intent)).collect();
        let stored: Vec<Intent> = self.table.get_each(&keys).await?;
        let other = |intent: &&Intent| intents.iter().any(|new| new.key == intent.key && new.payload != intent.payload);
        Ok(stored.iter().find(other).cloned())
    }

    fn open_line(
        &self,
        of: &Tenancy,
        lease: &Lease,
        intent: &Intent,
        history: &LineHistory,
    ) -> Result<Write, StoreError> {
        let line = &intent.meaning.line;
        let open = Condition::new(
            "SET #line = :line, #writer = :writer, #open = :open, #fence = :fence, #leased = :leased, \
             #revision = :revision, #adjusted_on = if_not_exists(#adjusted_on, :none)",
        )
        .bind(":line", line)?
        .bind(":writer", &intent.connection)?
        .bind(":open", &intent.key)?
        .bind(":fence", lease.fence)?
        .bind(":leased", lease.name())?
        .bind(":revision", intent.meaning.revision)?
        .bind(":none", Vec::<Date>::new())?;
        let unopened = Condition::new(
            "attribute_not_exists(#pk) OR (#writer = :was AND #revision = :revision AND \
             (#fence <= :fence OR attribute_not_exists(#leased) OR #leased <> :leased) AND attribute_not_exists(#open))",
        )
        // A revoked connection's line may pass to another: then the writer seen is not the one that writes from now on.
        .bind(":was", history.writer.as_ref().unwrap_or(&intent.connection))?;
        self.table.write_update(&of.line(line), &open, &unopened)
    }

    /// Stores that the request is about to leave. `false`: another worker has the account; don't send.
    ///
    /// # Errors
    /// The store is unavailable: don't send. The intent may be stored as sent all the same, and is then settled by reading.
    pub async fn sent(&self, of: &Tenancy, lease: &Lease, intent: &Intent, now: Timestamp) -> Result<bool, StoreError> {
        self.mark_sent(&row(of, intent), lease.fence, ("payload", &intent.payload), now).await
    }

    /// The open intent of a line.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn open_intent(
        &self,
        of: &Tenancy,
        line: &LineKey,
        history: &LineHistory,
    ) -> Result<Option<Intent>, StoreError> {
        let Some(key) = &history.open else { return Ok(None) };
        let key = schema::intent(&of.partner, of.psa, &of.tenant, line, history.revision, key);
        self.table.get(&key, Read::Consistent).await
    }

    /// The newest intent of a line, whatever became of it.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn newest(&self, of: &Tenancy, line: &LineKey) -> Result<Option<Intent>, StoreError> {
        let partition = schema::ledger(&of.partner, of.psa, &of.tenant, line);
        let page = Page { prefix: "INTENT#", limit: Some(1), backwards: true, ..Page::default() };
        let newest = self.table.page(&partition, &page, Read::Consistent).await?;
        Ok(newest.items.into_iter().next().map(|(_, intent)| intent))
    }

    /// Remembers that a line was found to carry the right units, with what is known of its prices, and who writes it from now on. `false`: it has an open
    /// intent, moved on meanwhile, or is another connection's.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn adopt(
        &self,
        of: &Tenancy,
        connection: &ConnectionId,
        line: &LineKey,
        history: &LineHistory,
        (found, priced): (Confirmed, Priced),
    ) -> Result<bool, StoreError> {
        let update = Condition::new(
            "SET #line = :line, #writer = :writer, #confirmed = :confirmed, #priced = :priced, #revision = :revision, \
             #fence = if_not_exists(#fence, :zero), #adjusted_on = if_not_exists(#adjusted_on, :none) REMOVE #reversed, #forgotten",
        )
        .bind(":line", line)?
        .bind(":writer", connection)?
        .bind(":confirmed", found)?
        .bind(":priced", priced)?
        .bind(":revision", history.revision)?
        .bind(":zero", 0)?
        .bind(":none", Vec::<Date>::new())?;
        let quiet = Condition::new(
            "attribute_not_exists(#pk) OR (#writer = :was AND #revision = :revision AND attribute_not_exists(#open))",
        )
        .bind(":was", history.writer.as_ref().unwrap_or(connection))?;
        let row = self.table.update::<serde::de::IgnoredAny>(&of.line(line), &update, &quiet).await?;
        Ok(row.is_some())
    }
}

pub(super) fn row(of: &Tenancy, intent: &Intent) -> Key {
    let meaning = &intent.meaning;
    schema::intent(&of.partner, of.psa, &of.tenant, &meaning.line, meaning.revision, &intent.key)
}
