//! The tick: which usage sources are due, and a pull of each; which connections are, and a run for each; then the digests whose
//! morning has come, and the alerts whose time has.

use serde::Serialize;
use shared::store::connections::{Connection, Status};
use shared::store::runs::{Mode, Trigger};
use shared::store::schema::DUE_SHARDS;
use shared::sync::{NewRun, scheduled_run_id};

use crate::{FanOut, FanOutError};

/// Connections read at once.
const AT_ONCE: i32 = 25;

/// What a tick did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Ticked {
    /// Pulls asked for.
    pub pulls: u32,
    /// Runs asked for.
    pub started: u32,
    /// Due connections that another tick had taken, or that were switched off meanwhile.
    pub passed_over: u32,
    /// Digests published.
    pub digests: u32,
    /// Alerts that are looked at again.
    pub alerts: u32,
}

impl FanOut {
    /// Starts a run of every connection that is due. A tick that comes twice starts nothing twice: the run's id comes from
    /// the connection and the due instant, and the connection is claimed by a conditional write. A connection that can't be
    /// started is logged and stops no other; the next tick finds it again.
    ///
    /// # Errors
    /// The due connections can't be read, or some could not be started: operators are to hear of it, and a repeat is harmless.
    pub async fn tick(&self) -> Result<Ticked, FanOutError> {
        let now = self.clock.now();
        let mut ticked = Ticked::default();
        let mut failed = 0;
        // Counts are read ahead of the syncs that go by them; a sync whose counts are late goes by those that there are.
        match self.pulls().await {
            Ok(asked) => ticked.pulls = asked,
            Err(error) => tracing::error!(%error, "not all sources that are due were pulled; the next tick finds them"),
        }
        for shard in 0..DUE_SHARDS {
            let mut position = None;
            loop {
                let (due, next) = self.connections.due(shard, now, AT_ONCE, position).await?;
                for connection in &due {
                    match self.start(connection).await {
                        Ok(true) => ticked.started += 1,
                        Ok(false) => ticked.passed_over += 1,
                        Err(error) => {
                            tracing::error!(%error, connection = %connection.id, "a due connection was not started");
                            failed += 1;
                        }
                    }
                }
                match next {
                    Some(next) => position = Some(next),
                    None => break,
                }
            }
        }
        // What is due to sync comes before these, whatever becomes of them.
        match self.digests().await {
            Ok(told) => ticked.digests = told,
            Err(error) => tracing::error!(%error, "no digests were made; the next tick finds them"),
        }
        match self.alerts().await {
            Ok(sent) => ticked.alerts = sent,
            Err(error) => tracing::error!(%error, "not all alerts that are due were sent; the next tick finds them"),
        }
        match failed {
            0 => Ok(ticked),
            failed => Err(FanOutError::NotStarted(failed)),
        }
    }

    async fn start(&self, connection: &Connection) -> Result<bool, FanOutError> {
        let now = self.clock.now();
        let (Some(due), Some(next)) = (connection.next_due_at, connection.due_after(now)) else { return Ok(false) };
        if !connection.enabled || connection.status == Status::Revoked {
            return Ok(false);
        }
        let Some(id) = scheduled_run_id(&connection.id, due) else { return Ok(false) };
        let new = NewRun {
            mode: Mode::Apply,
            trigger: Trigger::Schedule,
            actor: "schedule".into(),
            companies: Vec::new(),
            approved: Vec::new(),
            approved_charges: Vec::new(),
            approves: None,
            reverses: None,
        };
        let run = new.queued(id, connection, now);
        self.expect_digest(connection).await;
        // Made and asked for before the claim: a crash in between repeats both, and neither has an effect the second time.
        self.runs.create(&run).await?;
        self.ask_for(&run).await?;
        Ok(self.connections.claim_due(connection, due, next).await?)
    }
}
