//! The event bus within one process: sync requests go to the queue, everything else to the log.
//!
//! A sync request is durable, because a run that nobody plans would wait for ever. The other events tell what stands in the
//! store anyway; the newest are kept in memory for whoever wants to see them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use shared::events::{Event, Publish, PublishError};

use crate::queue::{Message, Queue};

/// Events kept in memory.
const KEPT: usize = 256;

/// The bus. Clones share it.
#[derive(Clone)]
pub struct Bus {
    queue: Queue,
    recent: Arc<Mutex<VecDeque<Event>>>,
}

impl Bus {
    /// A bus that puts sync requests into `queue`.
    #[must_use]
    pub fn new(queue: Queue) -> Self {
        Self { queue, recent: Arc::default() }
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
}

#[async_trait]
impl Publish for Bus {
    async fn publish(&self, events: &[Event]) -> Result<(), PublishError> {
        let wanted = events.iter().filter_map(|event| match event {
            Event::SyncRequested(run) => Some(Message::Sync(run.clone())),
            _ => None,
        });
        self.queue.put(wanted).await.map_err(|error| PublishError(error.to_string()))?;
        for event in events {
            if let Ok(json) = serde_json::to_string(event) {
                tracing::info!(event = json, "published");
            }
            self.keep(event.clone());
        }
        Ok(())
    }
}
