//! Company jobs, and what else waits for a worker, on their way to it.
//!
//! A queue delivers at least once, in order within a connection, and may deliver twice: workers make repeats harmless. On
//! AWS it is SQS FIFO with the connection as message group; on one machine it is kept in the store.

mod alerts;
pub mod batch;
mod patience;
mod pulls;
pub mod sqs;

pub use alerts::{AlertMessage, MOST_DELIVERIES_OF_ALERTS, SendAlerts};
pub use patience::{MOST_DELIVERIES, pause_after};
pub use pulls::{PullMessage, SendPulls};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{ConnectionId, PartnerId, RunId};
use crate::faults::Struck;

/// Points at the page of a run that a worker is to settle. What to do stands in the page.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CompanyJob {
    /// The tenant.
    pub partner: PartnerId,
    /// The connection: jobs of one are done one after the other.
    pub connection: ConnectionId,
    /// The run.
    pub run: RunId,
    /// The page of its results.
    pub page: String,
}

impl CompanyJob {
    /// The same for the same job, however often it is sent.
    #[must_use]
    pub fn deduplication_id(&self) -> String {
        format!("{}.{}", self.run, self.page)
    }
}

/// Sends jobs, and nothing else.
#[async_trait]
pub trait SendJobs: Send + Sync {
    /// Sends every job, or fails. After a failure some may have been sent; sending all again is harmless.
    async fn send(&self, jobs: &[CompanyJob]) -> Result<(), QueueError>;
}

/// The queue did not take what it was given.
#[derive(Debug, thiserror::Error)]
#[error("the queue is unavailable: {0}")]
pub struct QueueError(pub String);

impl From<Struck> for QueueError {
    fn from(struck: Struck) -> Self {
        Self(struck.to_string())
    }
}
