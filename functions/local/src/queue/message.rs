//! What waits in the queue: runs to be planned, and company jobs.

use std::fmt;

use serde::{Deserialize, Serialize};
use shared::domain::ids::{ConnectionId, PartnerId};
use shared::events::RunRef;
use shared::queue::CompanyJob;

/// One thing to do. It only names what to do it with; whoever does it reads the rest from the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "of", rename_all = "snake_case")]
pub enum Message {
    /// A run waits for its planning.
    Sync(RunRef),
    /// An account of a run waits to be settled.
    Job(CompanyJob),
}

impl Message {
    /// The tenant.
    #[must_use]
    pub fn partner(&self) -> &PartnerId {
        match self {
            Self::Sync(run) => &run.partner,
            Self::Job(job) => &job.partner,
        }
    }

    /// The connection: messages of one are delivered one after the other.
    #[must_use]
    pub fn connection(&self) -> &ConnectionId {
        match self {
            Self::Sync(run) => &run.connection,
            Self::Job(job) => &job.connection,
        }
    }

    /// The same for the same message, however often it is sent.
    #[must_use]
    pub fn deduplication_id(&self) -> String {
        match self {
            Self::Sync(run) => format!("sync.{}", run.run),
            Self::Job(job) => format!("job.{}", job.deduplication_id()),
        }
    }
}

impl fmt::Display for Message {
    /// For logs: ids and nothing else.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.partner(), self.connection(), self.deduplication_id())
    }
}
