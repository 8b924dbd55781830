//! The circuit of each connection: one row, there only once something went wrong with its PSA.
//!
//! The rules are in `domain::breaker`. Here is that no two writers undo each other: each write names the version that it
//! replaces. That is also what gives a probe to one worker of all.

use serde::{Deserialize, Serialize};

use super::schema;
use super::{Condition, Read, StoreError, Table};
use crate::domain::breaker::Breaker;
use crate::domain::ids::{ConnectionId, PartnerId};

/// How often a change is tried anew where other writers were first.
const ATTEMPTS: usize = 8;

/// A circuit as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The circuit.
    pub breaker: Breaker,
    /// Raised by every write; 0 where there is no row.
    version: u64,
}

impl Kept {
    /// The same row, taken to be `breaker` by whoever could not write it so.
    #[must_use]
    pub fn as_if(&self, breaker: Breaker) -> Self {
        Self { breaker, version: self.version }
    }
}

/// The circuits in the table.
#[derive(Debug, Clone)]
pub struct Breakers(Table);

impl Breakers {
    /// The circuits in `table`.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self(table)
    }

    /// A connection's circuit, as every write before this call left it. Closed where there is no row.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn get(&self, partner: &PartnerId, connection: &ConnectionId) -> Result<Kept, StoreError> {
        let found = self.0.get(&schema::breaker(partner, connection), Read::Consistent).await?;
        Ok(found.unwrap_or_default())
    }

    /// Puts `next` in the place of `kept`. `None`: somebody else wrote in between, and nothing was written.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn replace(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
        kept: &Kept,
        next: Breaker,
    ) -> Result<Option<Kept>, StoreError> {
        let row = Kept { breaker: next, version: kept.version + 1 };
        let same = if kept.version == 0 {
            Condition::absent()
        } else {
            Condition::new("#version = :read").bind(":read", kept.version)?
        };
        Ok(self.0.put(&schema::breaker(partner, connection), &row, &same).await?.then_some(row))
    }

    /// Puts `next` in the place of whatever is there.
    ///
    /// # Errors
    /// The store is unavailable, or others kept writing.
    pub async fn set(&self, partner: &PartnerId, connection: &ConnectionId, next: &Breaker) -> Result<(), StoreError> {
        for _ in 0..ATTEMPTS {
            let kept = self.get(partner, connection).await?;
            if self.replace(partner, connection, &kept, next.clone()).await?.is_some() {
                return Ok(());
            }
        }
        Err(StoreError::Unavailable("a circuit is written by too many at once".to_owned()))
    }
}
