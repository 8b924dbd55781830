//! The hour's requests as one planner finds them: whether it may begin, whether prices may be asked for, and what its jobs
//! may take. What the PSA allows is the connector's word; what earlier jobs have taken is kept by `store::budgets`.

use jiff::SignedDuration;

use super::SyncError;
use super::draft::Draft;
use super::parts::PlannerParts as Parts;
use crate::clock::Clock;
use crate::psa::{Allowance, Connector, PsaError};
use crate::store::budgets::Found;
use crate::store::connections::Connection;

/// What may be asked of the PSA within the connection's share.
pub(super) struct Budget<'a> {
    psa: &'a dyn Connector,
    connection: &'a Connection,
    allowance: Allowance,
}

impl<'a> Budget<'a> {
    /// As the PSA counts it now.
    ///
    /// # Errors
    /// The PSA refused or failed.
    pub async fn of(psa: &'a dyn Connector, connection: &'a Connection) -> Result<Self, PsaError> {
        Ok(Self { psa, connection, allowance: psa.allowance().await? })
    }

    /// Whether nothing was left before this planner made its reads.
    pub fn is_used_up(&self) -> bool {
        self.allowance.room(self.connection.policy.budget_percent) == 0
    }

    /// Prices are told, and decide nothing: they are read while a tenth of the hour's requests is left besides the jobs'.
    pub fn has_room_for_prices(&self, draft: &Draft) -> bool {
        let spare = self.left().saturating_sub(draft.requests_of_all_jobs());
        spare > self.allowance.cap(self.connection.policy.budget_percent) / 10
    }

    /// Sets what the connection's jobs may take, those of earlier runs included, now that planning has made its reads.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn set(&self, parts: &Parts) -> Result<u32, SyncError> {
        let Parts { budgets, clock, metrics, .. } = parts;
        let found = Found {
            cap: self.allowance.cap(self.connection.policy.budget_percent),
            left: self.left(),
            window: SignedDuration::from_mins(self.allowance.window_minutes.into()),
            made: self.psa.requests_made(),
        };
        let Connection { partner, id, .. } = self.connection;
        let left = budgets.set(partner, id, found, clock.now()).await?;
        metrics.budget_left(partner, id, left);
        Ok(left)
    }

    fn left(&self) -> u32 {
        let room = self.allowance.room(self.connection.policy.budget_percent);
        room.saturating_sub(self.psa.requests_made())
    }
}
