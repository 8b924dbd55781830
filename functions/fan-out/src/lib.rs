//! Event: a schedule tick, a sync request or a direct invocation becomes runs, and runs become company jobs.
//!
//! `tick` finds the connections that are due and asks for a run of each; `plan` turns one run into decided lines and jobs.
//! The two are apart, so that one slow PSA delays nobody else's tick.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod alerts;
mod digest;
mod pulls;
mod request;
mod tick;

use std::sync::Arc;

use async_trait::async_trait;
use lambda_runtime::Diagnostic;
use shared::clock::Clock;
use shared::events::{Event, Publish, PublishError, RunRef};
use shared::queue::QueueError;
use shared::queue::batch::{Failed, Work};
use shared::store::connections::{Connections, Status};
use shared::store::runs::{Mode, Run, Runs, Trigger};
use shared::store::{Read, StoreError};
use shared::sync::{NewRun, Planner, SyncError, new_run_id};
use tracing::{Instrument as _, Span, info_span};

pub use alerts::DueAlerts;
pub use digest::DigestSources;
pub use pulls::DueSources;
pub use request::{Invocation, Invoked, Request};
pub use tick::Ticked;

/// What this function may use.
#[derive(Clone)]
pub struct FanOut {
    /// Finds and claims due connections.
    pub connections: Connections,
    /// Makes runs.
    pub runs: Runs,
    /// Plans them.
    pub planner: Planner,
    /// Asks for their planning.
    pub events: Arc<dyn Publish>,
    /// What a partner's digest is gathered from.
    pub digests: DigestSources,
    /// Alerts that nothing but the time brings on.
    pub alerts: DueAlerts,
    /// Usage sources that are read when their time has come.
    pub sources: DueSources,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// Why an event was not handled. The same event may come again.
#[derive(Debug, thiserror::Error)]
pub enum FanOutError {
    /// The sync.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bus.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The queue of alerts, or that of pulls.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// Connections that were due could not be started; the next tick finds them again.
    #[error("{0} connections that are due were not started")]
    NotStarted(u32),
    /// A direct invocation named a connection that does not exist, or that is off.
    #[error("{0}")]
    Refused(String),
}

impl FanOutError {
    /// What failed, in one word that alarms can tell apart.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sync(error) => error.kind(),
            Self::Store(_) => "Store",
            Self::Publish(_) => "Bus",
            Self::Queue(_) => "Queue",
            Self::NotStarted(_) => "NotStarted",
            Self::Refused(_) => "Refused",
        }
    }
}

impl From<FanOutError> for Diagnostic {
    fn from(error: FanOutError) -> Self {
        Self { error_type: error.kind().to_owned(), error_message: error.to_string() }
    }
}

/// What an event led to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Handled {
    /// A tick.
    Ticked(Ticked),
    /// A run waits for its planning.
    Queued {
        /// Its id.
        run_id: String,
    },
    /// A run was planned, or was planned before.
    Planned {
        /// Its id.
        run_id: String,
    },
}

impl FanOut {
    /// Handles one event.
    ///
    /// # Errors
    /// The store, the bus, the queue or the secrets are unavailable, or the invocation is refused.
    pub async fn handle(&self, request: Request) -> Result<Handled, FanOutError> {
        match request {
            Request::Tick => Ok(Handled::Ticked(self.tick().await?)),
            Request::Sync(run) => self.plan(&run).await,
            Request::Invoke(invocation) => {
                // Asked for like any other run, so that it is planned whatever becomes of this invocation.
                let run = self.invoked(invocation).await?;
                self.ask_for(&run).await?;
                Ok(Handled::Queued { run_id: run.id.to_string() })
            }
        }
    }

    /// Plans one run.
    ///
    /// # Errors
    /// The store, the queue or the secrets are unavailable: the same run may be planned again.
    pub async fn plan(&self, run: &RunRef) -> Result<Handled, FanOutError> {
        let span = info_span!("plan", partner = %run.partner, connection = %run.connection, run = %run.run);
        self.planner.plan(&run.partner, &run.run).instrument(span).await?;
        Ok(Handled::Planned { run_id: run.run.to_string() })
    }

    /// Ends a run whose planning failed at every try.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn give_up(&self, run: &RunRef) -> Result<(), FanOutError> {
        Ok(self.planner.give_up(&run.partner, &run.run).await?)
    }

    async fn invoked(&self, invocation: Invocation) -> Result<Run, FanOutError> {
        let Invocation { partner_id, connection_id, mode } = invocation;
        let connection = self.connections.get(&partner_id, &connection_id, Read::Consistent).await?;
        let usable = |enabled: bool| enabled || mode == Mode::Preview;
        let connection = connection
            .filter(|found| found.status != Status::Revoked && usable(found.enabled))
            .ok_or_else(|| FanOutError::Refused(format!("connection {connection_id} does not exist or is off")))?;
        let now = self.clock.now();
        let id = new_run_id(now).ok_or_else(|| FanOutError::Refused("no run id could be made".into()))?;
        let new = NewRun {
            mode,
            trigger: Trigger::Invoke,
            actor: "invoke".into(),
            companies: Vec::new(),
            approved: Vec::new(),
            approved_charges: Vec::new(),
            approves: None,
            reverses: None,
        };
        let run = new.queued(id, &connection, now);
        self.runs.create(&run).await?;
        Ok(run)
    }

    async fn ask_for(&self, run: &Run) -> Result<(), PublishError> {
        let reference =
            RunRef { partner: run.partner.clone(), connection: run.connection.clone(), run: run.id.clone() };
        self.events.publish(&[Event::SyncRequested(reference)]).await
    }
}

/// Requests as messages of a queue.
#[async_trait]
impl Work for FanOut {
    type Task = Request;

    /// Each is a lane of its own: the plannings of two runs have nothing to do with each other.
    fn lane(request: &Request) -> String {
        match request {
            Request::Sync(run) => format!("{}/{}", run.partner, run.run),
            Request::Tick | Request::Invoke(_) => String::new(),
        }
    }

    fn span(_: &Request) -> Span {
        info_span!("request")
    }

    async fn work(&self, request: &Request) -> Result<(), Failed> {
        self.handle(request.clone()).await.map(drop).map_err(failed)
    }

    async fn give_up(&self, request: &Request) -> Result<(), Failed> {
        match request {
            Request::Sync(run) => FanOut::give_up(self, run).await.map_err(failed),
            Request::Tick | Request::Invoke(_) => Ok(()),
        }
    }
}

fn failed(error: FanOutError) -> Failed {
    Failed { kind: error.kind(), what: error.to_string() }
}
