//! Who does what the messages of each queue ask for: the same engines as behind the deployed functions.

use async_trait::async_trait;
use fan_out::FanOut;
use notify::Notify;
use shared::desk::Desk;
use shared::pulling::Puller;
use shared::queue::batch::Work as _;
use shared::sync::Worker;

use crate::queue::{Handle, Message};

/// A message that is never put into this queue.
const ANOTHER_QUEUE: &str = "the message belongs to another queue";

/// Runs and company jobs.
pub(crate) struct Syncs {
    pub fan_out: FanOut,
    pub worker: Worker,
}

/// Notices, and their deliveries to webhooks.
pub(crate) struct Herald {
    pub notify: Notify,
}

/// Alerts on their way to a ticket.
pub(crate) struct Tickets {
    pub desk: Desk,
}

/// Pulls of usage sources.
pub(crate) struct Pulls {
    pub puller: Puller,
}

#[async_trait]
impl Handle for Syncs {
    async fn handle(&self, message: &Message) -> Result<(), String> {
        match message {
            Message::Sync(run) => self.fan_out.plan(run).await.map(drop).map_err(|error| error.to_string()),
            Message::Job(job) => self.worker.work(job).await.map(drop).map_err(|error| error.to_string()),
            _ => Err(ANOTHER_QUEUE.to_owned()),
        }
    }

    async fn give_up(&self, message: &Message) -> Result<(), String> {
        match message {
            Message::Sync(run) => self.fan_out.give_up(run).await.map_err(|error| error.to_string()),
            Message::Job(job) => self.worker.give_up(job).await.map_err(|error| error.to_string()),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Handle for Herald {
    async fn handle(&self, message: &Message) -> Result<(), String> {
        match message {
            Message::Notice { notice, .. } => self.notify.hand_on(notice).await.map_err(|error| error.to_string()),
            Message::Dispatch { dispatch, .. } => {
                self.notify.deliver(dispatch).await.map_err(|error| error.to_string())
            }
            _ => Err(ANOTHER_QUEUE.to_owned()),
        }
    }

    async fn give_up(&self, message: &Message) -> Result<(), String> {
        match message {
            Message::Dispatch { dispatch, .. } => {
                self.notify.give_up(dispatch).await.map_err(|error| error.to_string())
            }
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Handle for Tickets {
    async fn handle(&self, message: &Message) -> Result<(), String> {
        match message {
            Message::Alert(alert) => self.desk.work(alert).await.map_err(|error| error.to_string()),
            _ => Err(ANOTHER_QUEUE.to_owned()),
        }
    }

    async fn give_up(&self, message: &Message) -> Result<(), String> {
        match message {
            Message::Alert(alert) => self.desk.give_up(alert).await.map_err(|error| error.to_string()),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Handle for Pulls {
    async fn handle(&self, message: &Message) -> Result<(), String> {
        match message {
            Message::Pull(pull) => self.puller.work(pull).await.map_err(|error| error.to_string()),
            _ => Err(ANOTHER_QUEUE.to_owned()),
        }
    }

    async fn give_up(&self, message: &Message) -> Result<(), String> {
        match message {
            Message::Pull(pull) => self.puller.give_up(pull).await.map_err(|error| error.to_string()),
            _ => Ok(()),
        }
    }
}
