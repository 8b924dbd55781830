//! Notices on their way to partners' webhooks: what is sent, how it is signed, and when it is tried again.
//!
//! Signed as Standard Webhooks 1.0 says (github.com/standard-webhooks): `webhook-id`, `webhook-timestamp` and
//! `webhook-signature` over id, timestamp and body. Which addresses may be called is `http::outward`'s, what is remembered
//! `store::webhooks`'. Nothing here is waited for by a run.

mod keys;
mod retry;
mod sender;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::domain::ids::WebhookId;
use crate::events::Notice;
use crate::queue::QueueError;
pub use keys::{Keys, KeysError, SigningKey};
pub use retry::{SWITCHED_OFF_AFTER, pause_after};
pub use sender::{Outcome, Sender, body_of};

/// A notice on its way to one webhook of the partner whom it concerns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatch {
    /// The webhook.
    pub webhook: WebhookId,
    /// What it is told.
    pub notice: Notice,
}

/// Sends dispatches on to be delivered, and nothing else.
#[async_trait]
pub trait SendDispatches: Send + Sync {
    /// Sends every dispatch, or fails. After a failure some may have been sent; sending all again repeats those.
    async fn send_on(&self, dispatches: &[Dispatch]) -> Result<(), QueueError>;
}
