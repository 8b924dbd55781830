//! What the parts of Tallyline tell each other and the world: sync requests, how runs ended, what a person must look at.
//!
//! On AWS they travel on an EventBridge bus, on one machine within the process. An event can be lost or come twice; nothing
//! about money depends on one. What each says is in `detail`, and for whoever receives them in `docs/events.md`.

mod detail;
pub mod event_bridge;
mod notice;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{ConnectionId, PartnerId, RunId};
use crate::faults::Struck;
pub use detail::{
    CodeCount, CredentialsRefused, Digest, DigestOfConnection, LastRun, OpenedFinding, RunEnded, StaleProduct,
    UsageStale,
};
pub use notice::{EventKind, Notice};

/// Something that happened, or that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "detail-type", content = "detail")]
pub enum Event {
    /// A run was made and waits for its fan-out.
    SyncRequested(RunRef),
    /// Every line of a run is as it should be, or waits for a person by rule.
    RunSucceeded(Box<RunEnded>),
    /// Some lines of a run failed, are unknown or were not reached.
    RunPartial(Box<RunEnded>),
    /// Nothing of a run could be done.
    RunFailed(Box<RunEnded>),
    /// The PSA refused the connection's credentials.
    CredentialsRejected(Box<CredentialsRefused>),
    /// Something that a person must look at was found, or was found again after somebody had looked at it.
    FindingOpened(Box<OpenedFinding>),
    /// No complete snapshot of some products has come for too long.
    UsageStale(Box<UsageStale>),
    /// What needs a person, once a day.
    Digest(Box<Digest>),
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
            Self::FindingOpened(_) => "FindingOpened",
            Self::UsageStale(_) => "UsageStale",
            Self::Digest(_) => "Digest",
        }
    }

    /// The tenant whom it concerns.
    #[must_use]
    pub fn partner(&self) -> &PartnerId {
        match self {
            Self::SyncRequested(run) => &run.partner,
            Self::RunSucceeded(ended) | Self::RunPartial(ended) | Self::RunFailed(ended) => &ended.partner,
            Self::CredentialsRejected(refused) => &refused.partner,
            Self::FindingOpened(opened) => &opened.partner,
            Self::UsageStale(stale) => &stale.partner,
            Self::Digest(digest) => &digest.partner,
        }
    }

    /// Its `detail` on the bus.
    ///
    /// # Errors
    /// It can't be written as JSON.
    pub fn detail(&self) -> serde_json::Result<serde_json::Value> {
        match self {
            Self::SyncRequested(run) => serde_json::to_value(run),
            Self::RunSucceeded(ended) | Self::RunPartial(ended) | Self::RunFailed(ended) => serde_json::to_value(ended),
            Self::CredentialsRejected(refused) => serde_json::to_value(refused),
            Self::FindingOpened(opened) => serde_json::to_value(opened),
            Self::UsageStale(stale) => serde_json::to_value(stale),
            Self::Digest(digest) => serde_json::to_value(digest),
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

/// Publishes notices: what can't be published is logged, for what it tells stands in the store.
pub async fn tell(events: &dyn Publish, notices: &[Event]) {
    if notices.is_empty() {
        return;
    }
    if let Err(error) = events.publish(notices).await {
        let kinds: Vec<&str> = notices.iter().map(Event::kind).collect();
        tracing::warn!(%error, ?kinds, "notices were not published");
    }
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
