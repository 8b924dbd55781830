//! The queues on one machine: messages kept in the store, in order within a lane, until they are done.
//!
//! They stand for SQS: a message is delivered at least once, the same one waits only once, one that fails comes again
//! after a growing delay and holds back the later ones of its lane, and one that keeps failing is put aside as a
//! dead letter. Notices have a queue of their own, so that no run waits for a receiver, alerts another, so that none waits
//! for a flood of them, and pulls a third, so that none waits for a vendor. Here are the rows; `work` is what takes them up. What a message asks for is done elsewhere.

mod message;
mod work;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::clock::Clock;
use shared::queue::{AlertMessage, CompanyJob, PullMessage, QueueError, SendAlerts, SendJobs, SendPulls};
use shared::store::{Condition, Key, Page, Read, StoreError, Table, schema};
use shared::webhooks::{Dispatch, SendDispatches};
use tokio::sync::{Mutex, Notify};

pub use message::Message;
pub use work::{Drained, Handle, drain, work_until};

/// A transaction holds at most 100 writes; a message takes two of them.
const MESSAGES_A_TRANSACTION: usize = 50;
/// How often a write is tried that other writers got in the way of.
const WRITE_ATTEMPTS: usize = 5;

/// A queue. Clones share it.
#[derive(Clone)]
pub struct Queue {
    name: &'static str,
    table: Table,
    clock: Arc<dyn Clock>,
    /// Numbers are given and messages stored under it, so that no later number is stored first.
    sending: Arc<Mutex<()>>,
    arrived: Arc<Notify>,
}

/// A message that waits, or is being worked on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// What it asks for.
    pub message: Message,
    /// Its place: messages of one lane are delivered in this order.
    pub number: u64,
    /// Deliveries so far.
    pub attempts: u32,
    /// Not to be delivered before.
    pub visible_at: Timestamp,
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The message.
    pub letter: Waiting,
    /// When it was given up.
    pub died_at: Timestamp,
    /// What its last delivery ended with.
    pub error: String,
}

#[derive(Deserialize)]
struct Counter {
    next: u64,
}

/// That a message with some deduplication id waits, and under which number.
#[derive(Serialize, Deserialize)]
struct Pending {
    number: u64,
}

impl Queue {
    /// The queue of runs and company jobs in `table`, which no other process has open.
    #[must_use]
    pub fn new(table: Table, clock: Arc<dyn Clock>) -> Self {
        Self::named(schema::QUEUE, table, clock)
    }

    /// The queue of notices in `table`.
    #[must_use]
    pub fn of_notices(table: Table, clock: Arc<dyn Clock>) -> Self {
        Self::named(schema::NOTICES, table, clock)
    }

    /// The queue of alerts in `table`.
    #[must_use]
    pub fn of_alerts(table: Table, clock: Arc<dyn Clock>) -> Self {
        Self::named(schema::ALERTS, table, clock)
    }

    /// The queue of pulls in `table`.
    #[must_use]
    pub fn of_pulls(table: Table, clock: Arc<dyn Clock>) -> Self {
        Self::named(schema::PULLS, table, clock)
    }

    fn named(name: &'static str, table: Table, clock: Arc<dyn Clock>) -> Self {
        Self { name, table, clock, sending: Arc::default(), arrived: Arc::default() }
    }

    /// Stores messages behind those that are there. One whose like waits already is left out.
    ///
    /// # Errors
    /// The store is unavailable; some may have been stored. Sending all again is harmless.
    pub async fn put(&self, messages: impl IntoIterator<Item = Message>) -> Result<(), StoreError> {
        let mut once = BTreeMap::new();
        for (place, message) in messages.into_iter().enumerate() {
            let identity = (message.partner().clone(), message.lane().into_owned(), message.deduplication_id());
            once.entry(identity).or_insert((place, message));
        }
        let mut messages: Vec<_> = once.into_values().collect();
        messages.sort_by_key(|(place, _)| *place);
        if messages.is_empty() {
            return Ok(());
        }
        let _sending = self.sending.lock().await;
        let first = self.numbers(messages.len()).await?;
        let visible_at = self.clock.now();
        let rows: Vec<Waiting> = (first..)
            .zip(messages)
            .map(|(number, (_, message))| Waiting { message, number, attempts: 0, visible_at })
            .collect();
        for chunk in rows.chunks(MESSAGES_A_TRANSACTION) {
            if !self.store(chunk).await? {
                // Some wait already: the others one by one.
                for row in chunk {
                    self.store_one(row).await?;
                }
            }
        }
        self.arrived.notify_one();
        Ok(())
    }

    /// The first of `count` numbers that nobody else gets.
    async fn numbers(&self, count: usize) -> Result<u64, StoreError> {
        let count = u64::try_from(count).map_err(|e| StoreError::TooLarge(e.to_string()))?;
        let add = Condition::new("ADD #next :count").bind(":count", count)?;
        let any = Condition::new("attribute_not_exists(#pk) OR attribute_exists(#pk)");
        let counter = self.table.update::<Counter>(&schema::queue_counter(self.name), &add, &any).await?;
        counter
            .and_then(|counter| counter.next.checked_sub(count))
            .ok_or_else(|| StoreError::Corrupt("the queue's counter can't be read".into()))
    }

    /// `false`: nothing was stored, because the like of one waits already or another writer was in the way.
    async fn store(&self, rows: &[Waiting]) -> Result<bool, StoreError> {
        let mut writes = Vec::with_capacity(rows.len() * 2);
        for row in rows {
            let (key, id_key) = (self.key(row), self.id_key(row));
            writes.push(self.table.write_put(&id_key, &Pending { number: row.number }, &Condition::absent())?);
            writes.push(self.table.write_put(&key, row, &Condition::absent())?);
        }
        self.table.transact(writes).await
    }

    async fn store_one(&self, row: &Waiting) -> Result<(), StoreError> {
        for _ in 0..WRITE_ATTEMPTS {
            if self.store(std::slice::from_ref(row)).await?
                || self.table.get::<Pending>(&self.id_key(row), Read::Consistent).await?.is_some()
            {
                return Ok(());
            }
        }
        Err(StoreError::Unavailable("a message was not stored: too many write at once".into()))
    }

    /// The first message of each lane, the longest waiting first. Only these may be delivered.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn heads(&self) -> Result<Vec<Waiting>, StoreError> {
        let mut heads: Vec<Waiting> = Vec::new();
        let mut after: Option<String> = None;
        // Each turn skips one lane's messages, however many there are.
        loop {
            let page = Page { prefix: "MSG#", after: after.as_deref(), limit: Some(1), backwards: false };
            let mut found = self.table.page::<Waiting>(self.name, &page, Read::Consistent).await?;
            let Some((_, head)) = found.items.pop() else { break };
            after = Some(schema::queue_messages_end(head.message.partner(), &head.message.lane()));
            heads.push(head);
        }
        heads.sort_by_key(|head| head.number);
        Ok(heads)
    }

    /// Notes a delivery before it begins, so that one which ends the process is counted as well. `None`: the message is gone.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn take(&self, head: &Waiting) -> Result<Option<Waiting>, StoreError> {
        let add = Condition::new("ADD #attempts :one").bind(":one", 1)?;
        self.table.update(&self.key(head), &add, &Condition::present()).await
    }

    /// Removes a message that is done.
    ///
    /// # Errors
    /// The store is unavailable; the message will be delivered again.
    pub async fn done(&self, taken: &Waiting) -> Result<(), StoreError> {
        self.remove(taken, None).await
    }

    /// Puts a failed message off, or aside where it has failed too often. Answers when it comes again; `None`: never.
    ///
    /// # Errors
    /// The store is unavailable; the message will be delivered again, and at once.
    pub async fn failed(&self, taken: &Waiting, error: &str) -> Result<Option<Timestamp>, StoreError> {
        if taken.attempts >= taken.message.most_deliveries() {
            let letter = DeadLetter { letter: taken.clone(), died_at: self.clock.now(), error: error.to_owned() };
            tracing::error!(message = %taken.message, error, "given up after {} deliveries; it is kept as a dead letter", taken.attempts);
            self.remove(taken, Some(letter)).await?;
            return Ok(None);
        }
        let now = self.clock.now();
        let visible_at = now.saturating_add(taken.message.pause_after(taken.attempts)).unwrap_or(now);
        tracing::warn!(message = %taken.message, error, %visible_at, "failed; it will be delivered again");
        let set = Condition::new("SET #visible_at = :at").bind(":at", visible_at)?;
        self.table.amend(&self.key(taken), &set, &Condition::present()).await?;
        Ok(Some(visible_at))
    }

    async fn remove(&self, taken: &Waiting, letter: Option<DeadLetter>) -> Result<(), StoreError> {
        // A send of the same messages may be at the same rows for a moment.
        for _ in 0..WRITE_ATTEMPTS {
            let mut writes = vec![
                self.table.write_delete(&self.key(taken), &Condition::present())?,
                self.table.write_delete(&self.id_key(taken), &Condition::present())?,
            ];
            if let Some(letter) = &letter {
                let message = &taken.message;
                let key = schema::dead_letter(self.name, message.partner(), &message.lane(), taken.number);
                writes.push(self.table.write_put(&key, letter, &Condition::absent())?);
            }
            if self.table.transact(writes).await?
                || self.table.get::<Waiting>(&self.key(taken), Read::Consistent).await?.is_none()
            {
                return Ok(());
            }
        }
        Err(StoreError::Unavailable("a message was not removed: too many write at once".into()))
    }

    /// The messages that were given up, by lane. There are few, or something else is wrong.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn dead_letters(&self) -> Result<Vec<DeadLetter>, StoreError> {
        let rows = self.table.all(&schema::dead_letters(self.name), "MSG#", Read::Consistent).await?;
        Ok(rows.into_iter().map(|(_, letter)| letter).collect())
    }

    fn key(&self, waiting: &Waiting) -> Key {
        schema::queue_message(self.name, waiting.message.partner(), &waiting.message.lane(), waiting.number)
    }

    fn id_key(&self, Waiting { message, .. }: &Waiting) -> Key {
        schema::queue_id(self.name, message.partner(), &message.lane(), &message.deduplication_id())
    }

    /// Waits until something is put. What was put since the last call counts.
    pub async fn arrival(&self) {
        self.arrived.notified().await;
    }

    /// The instant now, by the clock that delays are reckoned with.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

#[async_trait]
impl SendJobs for Queue {
    async fn send(&self, jobs: &[CompanyJob]) -> Result<(), QueueError> {
        self.put(jobs.iter().cloned().map(Message::Job)).await.map_err(|error| QueueError(error.to_string()))
    }
}

#[async_trait]
impl SendAlerts for Queue {
    async fn send_alerts(&self, alerts: &[AlertMessage]) -> Result<(), QueueError> {
        self.put(alerts.iter().cloned().map(Message::Alert)).await.map_err(|error| QueueError(error.to_string()))
    }
}

#[async_trait]
impl SendPulls for Queue {
    async fn send_pulls(&self, pulls: &[PullMessage]) -> Result<(), QueueError> {
        self.put(pulls.iter().cloned().map(Message::Pull)).await.map_err(|error| QueueError(error.to_string()))
    }
}

#[async_trait]
impl SendDispatches for Queue {
    async fn send_on(&self, dispatches: &[Dispatch]) -> Result<(), QueueError> {
        let messages = dispatches.iter().filter_map(|dispatch| {
            let partner = dispatch.notice.partner()?;
            Some(Message::Dispatch { partner, dispatch: dispatch.clone() })
        });
        self.put(messages).await.map_err(|error| QueueError(error.to_string()))
    }
}
