//! The event bus within one process: sync requests go to the queue of runs, everything else to the queue of notices.
//!
//! A sync request is durable, because a run that nobody plans would wait for ever. The other events tell what stands in the
//! store anyway; the newest are kept in memory, too, for whoever wants to see them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use shared::clock::fresh_id;
use shared::events::{Event, Notice, Publish, PublishError};

use crate::queue::{Message, Queue};

/// Events kept in memory.
const KEPT: usize = 256;

/// The bus. Clones share it.
#[derive(Clone)]
pub struct Bus {
    queue: Queue,
    notices: Queue,
    recent: Arc<Mutex<VecDeque<Event>>>,
}

impl Bus {
    /// A bus that puts sync requests into `queue`, and everything else into `notices`.
    #[must_use]
    pub fn new(queue: Queue, notices: Queue) -> Self {
        Self { queue, notices, recent: Arc::default() }
    }

    /// The newest events, oldest first; at most 256.
    #[must_use]
    pub fn recent(&self) -> Vec<Event> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn keep(&self, event: Event) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() == KEPT {
            recent.pop_front();
        }
        recent.push_back(event);
    }

    fn notice(&self, event: &Event) -> Result<Message, PublishError> {
        let detail = event.detail().map_err(|error| PublishError(error.to_string()))?;
        let notice = Notice { id: fresh_id("evt"), kind: event.kind().to_owned(), at: self.notices.now(), detail };
        Ok(Message::Notice { partner: event.partner().clone(), notice })
    }
}

#[async_trait]
impl Publish for Bus {
    async fn publish(&self, events: &[Event]) -> Result<(), PublishError> {
        let (mut wanted, mut told) = (Vec::new(), Vec::new());
        for event in events {
            match event {
                Event::SyncRequested(run) => wanted.push(Message::Sync(run.clone())),
                notice => told.push(self.notice(notice)?),
            }
        }
        let unavailable = |error: shared::store::StoreError| PublishError(error.to_string());
        self.queue.put(wanted).await.map_err(unavailable)?;
        self.notices.put(told).await.map_err(unavailable)?;
        for event in events {
            if let Ok(json) = serde_json::to_string(event) {
                tracing::info!(event = json, "published");
            }
            self.keep(event.clone());
        }
        Ok(())
    }
}
