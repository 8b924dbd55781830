//! Event: a schedule tick, a sync request or a direct invocation becomes runs, and runs become company jobs.
//!
//! `tick` finds the connections that are due and asks for a run of each; `plan` turns one run into decided lines and jobs.
//! The two are apart, so that one slow PSA delays nobody else's tick.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod request;
mod tick;

use std::sync::Arc;

use shared::clock::Clock;
use shared::events::{Event, Publish, PublishError, RunRef};
use shared::store::connections::{Connections, Status};
use shared::store::runs::{Mode, Run, Runs, Trigger};
use shared::store::{Read, StoreError};
use shared::sync::{NewRun, Planner, SyncError, new_run_id};

pub use request::{Invocation, Request};
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
    /// A direct invocation named a connection that does not exist, or that is off.
    #[error("{0}")]
    Refused(String),
}

/// What an event led to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Handled {
    /// A tick.
    Ticked(Ticked),
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
                let run = self.invoked(invocation).await?;
                self.plan(&RunRef { partner: run.partner, connection: run.connection, run: run.id }).await
            }
        }
    }

    /// Plans one run.
    ///
    /// # Errors
    /// The store, the queue or the secrets are unavailable: the same run may be planned again.
    pub async fn plan(&self, run: &RunRef) -> Result<Handled, FanOutError> {
        self.planner.plan(&run.partner, &run.run).await?;
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
