//! Event: notices of the bus become signed requests to the webhooks of the partner whom they concern.
//!
//! A notice becomes one message for each webhook that asks for it, so that trying one again repeats none of the others. A
//! message is done when its receiver has taken the notice, and comes again later when it has not. Nothing waits for this.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod deliver;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::Deserialize;
use shared::clock::Clock;
use shared::events::Notice;
use shared::queue::batch::{Failed, Work};
use shared::queue::{QueueError, pause_after};
use shared::secrets::SecretsError;
use shared::store::webhooks::Webhooks;
use shared::store::{Read, StoreError};
use shared::webhooks::{self, Dispatch, SendDispatches, Sender};
use tracing::{Span, info_span};

/// What this function may use.
#[derive(Clone)]
pub struct Notify {
    /// Whose webhooks there are, and what became of their deliveries.
    pub webhooks: Webhooks,
    /// Sends a notice to a webhook.
    pub sender: Sender,
    /// Sends dispatches on.
    pub onward: Arc<dyn SendDispatches>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// What a message asks for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Task {
    /// Tell one webhook.
    Deliver(Dispatch),
    /// Tell every webhook that asks for it.
    HandOn(Notice),
}

/// Why a message was not done. It may come again.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// The receiver did not take it; the code says how.
    #[error("a webhook was not delivered: {0}")]
    NotTaken(&'static str),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The secrets.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl NotifyError {
    /// What failed, in one word that alarms can tell apart.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotTaken(_) => "Receiver",
            Self::Store(_) => "Store",
            Self::Secrets(_) => "Secrets",
            Self::Queue(_) => "Queue",
        }
    }
}

impl Notify {
    /// Sends a notice on to each webhook that asks for it.
    ///
    /// # Errors
    /// The store or the queue is unavailable. The same notice may be handed on again: receivers know it by its id.
    pub async fn hand_on(&self, notice: &Notice) -> Result<(), NotifyError> {
        let Some(partner) = notice.partner() else {
            tracing::error!(event = notice.id, kind = notice.kind, "a notice names no partner");
            return Ok(());
        };
        let webhooks = self.webhooks.all(&partner, Read::Consistent).await?;
        let wanted = webhooks.into_values().filter(|webhook| webhook.wants(notice));
        let dispatches: Vec<_> =
            wanted.map(|webhook| Dispatch { webhook: webhook.id, notice: notice.clone() }).collect();
        if !dispatches.is_empty() {
            self.onward.send_on(&dispatches).await?;
        }
        Ok(())
    }

    /// How long a dispatch waits after its `deliveries`th delivery failed.
    #[must_use]
    pub fn pause_of_dispatch(deliveries: u32) -> SignedDuration {
        webhooks::pause_after(deliveries).unwrap_or_else(|| pause_after(deliveries))
    }
}

#[async_trait]
impl Work for Notify {
    type Task = Task;

    /// Each is a lane of its own.
    fn lane(task: &Task) -> String {
        match task {
            Task::HandOn(notice) => notice.id.clone(),
            Task::Deliver(Dispatch { webhook, notice }) => format!("{} {webhook}", notice.id),
        }
    }

    fn span(task: &Task) -> Span {
        let (notice, webhook) = match task {
            Task::HandOn(notice) => (notice, None),
            Task::Deliver(Dispatch { webhook, notice }) => (notice, Some(webhook.as_str())),
        };
        let partner = notice.detail["partner"].as_str();
        info_span!("notice", partner, webhook, event = notice.id, kind = notice.kind)
    }

    async fn work(&self, task: &Task) -> Result<(), Failed> {
        let done = match task {
            Task::HandOn(notice) => self.hand_on(notice).await,
            Task::Deliver(dispatch) => self.deliver(dispatch).await,
        };
        done.map_err(failed)
    }

    async fn give_up(&self, task: &Task) -> Result<(), Failed> {
        match task {
            Task::HandOn(_) => Ok(()),
            Task::Deliver(dispatch) => Notify::give_up(self, dispatch).await.map_err(failed),
        }
    }

    fn pause_after(task: &Task, deliveries: u32) -> SignedDuration {
        match task {
            Task::HandOn(_) => pause_after(deliveries),
            Task::Deliver(_) => Self::pause_of_dispatch(deliveries),
        }
    }
}

fn failed(error: NotifyError) -> Failed {
    Failed { kind: error.kind(), what: error.to_string() }
}

#[cfg(test)]
mod tests {
    use shared::queue::batch::Batch;

    use super::*;

    #[test]
    fn the_samples_are_understood() {
        let batch: Batch = serde_json::from_str(include_str!("../../../events/notify/sqs.json")).unwrap();
        let task = |index: usize| serde_json::from_str::<Task>(&batch.records[index].body).unwrap();
        let Task::HandOn(notice) = task(0) else { panic!("a notice") };
        assert_eq!((notice.kind.as_str(), notice.partner().unwrap().as_str()), ("FindingOpened", "msp-1"));
        let Task::Deliver(dispatch) = task(1) else { panic!("a dispatch") };
        assert_eq!((dispatch.webhook.as_str(), &dispatch.notice), ("desk", &notice));
        assert!(serde_json::from_str::<Task>(r#"{"partner":"p"}"#).is_err());
    }

    #[test]
    fn a_delivery_waits_longer_than_a_notice_that_our_own_fault_holds_up() {
        let batch: Batch = serde_json::from_str(include_str!("../../../events/notify/sqs.json")).unwrap();
        let task = |index: usize| serde_json::from_str::<Task>(&batch.records[index].body).unwrap();
        let pauses = |task: &Task| [1, 2, 9].map(|delivery| Notify::pause_after(task, delivery).as_secs());
        assert_eq!((pauses(&task(0)), pauses(&task(1))), ([5, 10, 900], [5, 60, 7 * 3600]));
    }
}
