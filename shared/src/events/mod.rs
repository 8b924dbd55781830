//! What the parts of Tallyline tell each other and the world: sync requests, and how runs ended.
//!
//! On AWS they travel on an EventBridge bus, on one machine within the process. An event can be lost or come twice; nothing
//! about money depends on one.

pub mod event_bridge;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{ConnectionId, PartnerId, RunId};
use crate::faults::Struck;

/// Something that happened, or that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "detail-type", content = "detail")]
pub enum Event {
    /// A run was made and waits for its fan-out.
    SyncRequested(RunRef),
    /// Every line of a run is as it should be, or waits for a person by rule.
    RunSucceeded(RunRef),
    /// Some lines of a run failed, are unknown or were not reached.
    RunPartial(RunRef),
    /// Nothing of a run could be done.
    RunFailed(RunRef),
    /// The PSA refused the connection's credentials.
    CredentialsRejected(RunRef),
}

impl Event {
    /// Its `detail-type` on the bus.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SyncRequested(_) => "SyncRequested",
            Self::RunSucceeded(_) => "RunSucceeded",
            Self::RunPartial(_) => "RunPartial",
            Self::RunFailed(_) => "RunFailed",
            Self::CredentialsRejected(_) => "CredentialsRejected",
        }
    }

    /// Its `detail` on the bus.
    #[must_use]
    pub fn run(&self) -> &RunRef {
        match self {
            Self::SyncRequested(run)
            | Self::RunSucceeded(run)
            | Self::RunPartial(run)
            | Self::RunFailed(run)
            | Self::CredentialsRejected(run) => run,
        }
    }
}

/// Names a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRef {
    /// The tenant.
    pub partner: PartnerId,
    /// The connection.
    pub connection: ConnectionId,
    /// The run.
    pub run: RunId,
}

/// Publishes events, and nothing else.
#[async_trait]
pub trait Publish: Send + Sync {
    /// Publishes every event, or fails. After a failure some may have been published.
    async fn publish(&self, events: &[Event]) -> Result<(), PublishError>;
}

/// The bus did not take what it was given.
#[derive(Debug, thiserror::Error)]
#[error("the event bus is unavailable: {0}")]
pub struct PublishError(pub String);

impl From<Struck> for PublishError {
    fn from(struck: Struck) -> Self {
        Self(struck.to_string())
    }
}
