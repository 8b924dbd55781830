//! The tick: which connections are due, and a run for each.

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
    /// Runs asked for.
    pub started: u32,
    /// Due connections that another tick had taken, or that were switched off meanwhile.
    pub passed_over: u32,
}

impl FanOut {
    /// Starts a run of every connection that is due. A tick that comes twice starts nothing twice: the run's id comes from
    /// the connection and the due instant, and the connection is claimed by a conditional write.
    ///
    /// # Errors
    /// The store or the bus is unavailable. What was not claimed is found by the next tick.
    pub async fn tick(&self) -> Result<Ticked, FanOutError> {
        let now = self.clock.now();
        let mut ticked = Ticked::default();
        for shard in 0..DUE_SHARDS {
            loop {
                let due = self.connections.due(shard, now, AT_ONCE).await?;
                let mut claimed = 0;
                for connection in &due {
                    if self.start(connection).await? {
                        claimed += 1;
                    } else {
                        ticked.passed_over += 1;
                    }
                }
                ticked.started += claimed;
                // The index lags behind claims: a page without a new one is the last.
                if claimed == 0 || due.len() < usize::try_from(AT_ONCE).unwrap_or(usize::MAX) {
                    break;
                }
            }
        }
        Ok(ticked)
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
        };
        let run = new.queued(id, connection, now);
        // Made and asked for before the claim: a crash in between repeats both, and neither has an effect the second time.
        self.runs.create(&run).await?;
        self.ask_for(&run).await?;
        Ok(self.connections.claim_due(connection, due, next).await?)
    }
}
