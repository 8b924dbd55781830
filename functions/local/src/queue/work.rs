//! Working the queue off: in the background while the program runs, or at once until nothing is left.
//!
//! Messages of one lane are worked on one after the other, those of several side by side. A handler that panics
//! fails its own message and no other.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shared::domain::ids::PartnerId;
use shared::store::StoreError;
use tokio::task::JoinSet;

use super::{Message, Queue, Waiting};

/// Lanes that are worked on side by side.
const AT_ONCE: usize = 4;
/// How often the queue is looked at where nothing announces itself: for messages whose delay is over.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Does what messages ask for. It may be asked twice for the same.
#[async_trait]
pub trait Handle: Send + Sync + 'static {
    /// Does it, or says why it must be tried again.
    async fn handle(&self, message: &Message) -> Result<(), String>;

    /// Ends what waits for a message that was delivered for the last time.
    async fn give_up(&self, message: &Message) -> Result<(), String>;
}

/// What became of the messages that were delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drained {
    /// Done and gone.
    pub done: usize,
    /// Failed: they come again later, or lie aside.
    pub failed: usize,
}

/// A lane.
type Group = (PartnerId, String);

/// Delivers what may be delivered now, one message after the other, until nothing is left but what has to wait.
///
/// # Errors
/// The store is unavailable.
pub async fn drain(queue: &Queue, handler: &Arc<dyn Handle>) -> Result<Drained, StoreError> {
    let mut drained = Drained::default();
    loop {
        let now = queue.now();
        let Some(head) = queue.heads().await?.into_iter().find(|head| head.visible_at <= now) else {
            return Ok(drained);
        };
        if deliver(queue, handler, &head).await? {
            drained.done += 1;
        } else {
            drained.failed += 1;
        }
    }
}

/// Delivers messages until `stop` is ready, then lets those end that are being worked on.
pub async fn work_until(queue: Queue, handler: Arc<dyn Handle>, stop: impl Future<Output = ()>) {
    let mut working = JoinSet::new();
    let mut busy: BTreeSet<Group> = BTreeSet::new();
    let mut turns = Turns::default();
    let mut stop = std::pin::pin!(stop);
    let mut stopping = false;
    while !(stopping && working.is_empty()) {
        if !stopping && working.len() < AT_ONCE {
            for (group, head) in startable(&queue, &busy, &mut turns, AT_ONCE - working.len()).await {
                busy.insert(group.clone());
                let (queue, handler) = (queue.clone(), handler.clone());
                // Itself never fails: what it answers, or its end by abortion, frees the lane.
                working.spawn(async move {
                    if let Err(error) = deliver(&queue, &handler, &head).await {
                        tracing::error!(%error, message = %head.message, "the queue can't be written; the message comes again");
                        tokio::time::sleep(LOOK_AGAIN).await;
                    }
                    group
                });
            }
        }
        tokio::select! {
            ended = working.join_next(), if !working.is_empty() => {
                if let Some(Ok(group)) = ended {
                    busy.remove(&group);
                }
            }
            () = queue.arrival(), if !stopping => {}
            () = tokio::time::sleep(LOOK_AGAIN), if !stopping => {}
            () = &mut stop, if !stopping => stopping = true,
        }
    }
}

/// When each waiting lane had its last turn, so that a large run of one does not keep the others waiting.
#[derive(Default)]
struct Turns {
    last: BTreeMap<Group, u64>,
    next: u64,
}

impl Turns {
    /// Those whose last turn is longest ago come first, those that had none before all others.
    fn sort(&mut self, heads: &mut [(Group, Waiting)]) {
        self.last.retain(|group, _| heads.iter().any(|(waiting, _)| waiting == group));
        heads.sort_by_key(|(group, head)| (self.last.get(group).copied(), head.number));
    }

    fn take(&mut self, group: &Group) {
        self.next += 1;
        self.last.insert(group.clone(), self.next);
    }
}

/// Messages that may be delivered now, at most `room`, none of a lane that is being worked on.
async fn startable(queue: &Queue, busy: &BTreeSet<Group>, turns: &mut Turns, room: usize) -> Vec<(Group, Waiting)> {
    let heads = match queue.heads().await {
        Ok(heads) => heads,
        Err(error) => {
            tracing::error!(%error, "the queue can't be read");
            return Vec::new();
        }
    };
    let group = |head: &Waiting| (head.message.partner().clone(), head.message.lane().into_owned());
    let mut heads: Vec<_> = heads.into_iter().map(|head| (group(&head), head)).collect();
    turns.sort(&mut heads);
    let now = queue.now();
    heads.retain(|(group, head)| head.visible_at <= now && !busy.contains(group));
    heads.truncate(room);
    heads.iter().for_each(|(group, _)| turns.take(group));
    heads
}

/// One delivery. `true`: the message is done, or was gone.
async fn deliver(queue: &Queue, handler: &Arc<dyn Handle>, head: &Waiting) -> Result<bool, StoreError> {
    let Some(taken) = queue.take(head).await? else { return Ok(true) };
    if taken.attempts > taken.message.most_deliveries() {
        // Its last delivery never came to an end: the process died of it, or with it.
        queue.failed(&taken, "the process ended while it was worked on").await?;
        give_up(handler, &taken.message).await;
        return Ok(false);
    }
    let (own, message) = (handler.clone(), taken.message.clone());
    let worked = tokio::spawn(async move { own.handle(&message).await }).await;
    match worked.unwrap_or_else(|stopped| Err(stopped.to_string())) {
        Ok(()) => queue.done(&taken).await.map(|()| true),
        Err(error) => {
            queue.failed(&taken, &error).await?;
            if taken.attempts == taken.message.most_deliveries() {
                give_up(handler, &taken.message).await;
            }
            Ok(false)
        }
    }
}

/// The message lies aside either way.
async fn give_up(handler: &Arc<dyn Handle>, message: &Message) {
    if let Err(error) = handler.give_up(message).await {
        tracing::error!(%error, %message, "what waits for a message that was given up can't be ended");
    }
}
