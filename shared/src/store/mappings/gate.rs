//! The gate of a connection's mappings: one row that says how far its newest import is, and who has to wait for it.
//!
//! An import is staged, then committed by one conditional write, then applied, then done. While it is staged nothing of it
//! counts, and single changes are refused; from the commit on all of it counts, and whoever comes first applies what is left
//! of it before it reads or writes. The row stays when the import is done: the number of commits in it shows a reader
//! whether one came in between.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Mappings, apply};
use crate::clock::fresh_id;
use crate::domain::ids::{ConnectionId, PartnerId};
use crate::store::{Condition, Key, Read, StoreError, Table, schema};

/// How long an import may be staged: longer than its function can run (29 seconds). The next writer clears it away then.
pub const IMPORT_TERM: SignedDuration = SignedDuration::from_secs(60);

/// Others may pass the gate in between; so often it is looked at again.
pub(super) const LOOKS: u32 = 8;

/// Whose mappings.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub table: Table,
    pub partner: PartnerId,
    pub connection: ConnectionId,
}

/// The gate's row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Gate {
    /// The newest import.
    pub import: String,
    pub state: State,
    /// When its staging ends, in seconds since 1970.
    pub until: i64,
    /// In how many pieces its content is stored.
    pub chunks: usize,
    /// How many imports were ever committed.
    pub commits: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// Its content is being stored; nothing of it counts.
    Staged,
    /// All of it counts, and may not be in its places yet.
    Committed,
    /// Nothing is under way.
    #[default]
    Done,
}

impl Place {
    fn key(&self) -> Key {
        schema::mapping_import(&self.partner, &self.connection)
    }

    /// The gate as it is.
    pub async fn gate(&self) -> Result<Gate, StoreError> {
        Ok(self.table.get(&self.key(), Read::Consistent).await?.unwrap_or_default())
    }

    /// The gate when no committed import is left to be applied. One that is staged may be under way.
    pub async fn settled(&self) -> Result<Gate, StoreError> {
        for _ in 0..LOOKS {
            let gate = self.gate().await?;
            if gate.state != State::Committed {
                return Ok(gate);
            }
            apply::finish(self, &gate, apply::From::TheEnd).await?;
        }
        Err(StoreError::Unavailable("imports keep coming".into()))
    }

    /// As [`Place::settled`], for a writer: one that was staged and whose time is over is cleared away. `None`: an import is
    /// under way.
    pub async fn free(&self, now: Timestamp) -> Result<Option<Gate>, StoreError> {
        for _ in 0..LOOKS {
            let gate = self.settled().await?;
            if gate.state == State::Done {
                return Ok(Some(gate));
            }
            if gate.until >= now.as_second() {
                return Ok(None);
            }
            self.pass(&gate, State::Done).await?;
        }
        Err(StoreError::Unavailable("imports keep coming".into()))
    }

    /// What a single change of a mapping asks of the gate.
    pub fn is_open() -> Result<Condition, StoreError> {
        Condition::new("attribute_not_exists(#pk) OR #state = :done").bind(":done", State::Done)
    }

    /// The same as a part of the change's transaction.
    pub fn check(&self) -> Result<crate::store::Write, StoreError> {
        self.table.write_check(&self.key(), &Self::is_open()?)
    }

    /// Takes the gate for a new import. `None`: another one has it.
    pub async fn stage(&self, now: Timestamp) -> Result<Option<Gate>, StoreError> {
        let Some(gate) = self.free(now).await? else { return Ok(None) };
        let until = now.saturating_add(IMPORT_TERM).map_err(|e| StoreError::Corrupt(e.to_string()))?;
        let staged = Gate {
            import: fresh_id("imp"),
            state: State::Staged,
            until: until.as_second(),
            chunks: 0,
            commits: gate.commits,
        };
        // A commit in between would have raised the number that the new row takes over.
        let same =
            Condition::new("attribute_not_exists(#pk) OR (#state = :done AND #import = :import) OR #import = :mine");
        let same = same.bind(":done", State::Done)?.bind(":import", &gate.import)?.bind(":mine", &staged.import)?;
        Ok(self.table.put(&self.key(), &staged, &same).await?.then_some(staged))
    }

    /// The commit: from here on all of the import counts. `false`: its time was over, and others have cleared it away.
    pub async fn commit(&self, staged: &Gate, chunks: usize) -> Result<bool, StoreError> {
        let committed = Gate { state: State::Committed, chunks, commits: staged.commits + 1, ..staged.clone() };
        self.table.put(&self.key(), &committed, &as_it_is(staged)?).await
    }

    /// Puts an import that is as `gate` says into another state. `false`: it is not so any more.
    pub async fn pass(&self, gate: &Gate, state: State) -> Result<bool, StoreError> {
        self.table.put(&self.key(), &Gate { state, ..gate.clone() }, &as_it_is(gate)?).await
    }

    /// The names of the pieces that imports have stored: of `import`, or of all others.
    pub async fn remove_chunks(&self, import: &str, its_own: bool) -> Result<(), StoreError> {
        /// Only the keys are looked at.
        #[derive(Deserialize)]
        struct Any {}
        let partition = schema::mapping_imports(&self.partner, &self.connection);
        let its_prefix = format!("CHUNK#{import}#");
        let prefix = if its_own { its_prefix.as_str() } else { "CHUNK#" };
        for (sk, Any {}) in self.table.all::<Any>(&partition, prefix, Read::Consistent).await? {
            if sk.starts_with(&its_prefix) == its_own {
                // Whoever else removes it means the same.
                self.table.delete(&Key { pk: partition.clone(), sk }, &Condition::present()).await?;
            }
        }
        Ok(())
    }
}

impl Mappings {
    /// Where the gate of a connection is.
    pub(super) fn place(&self, partner: &PartnerId, connection: &ConnectionId) -> Place {
        Place { table: self.table.clone(), partner: partner.clone(), connection: connection.clone() }
    }
}

/// The row still says what `gate` does.
fn as_it_is(gate: &Gate) -> Result<Condition, StoreError> {
    Condition::new("#import = :import AND #state = :state").bind(":import", &gate.import)?.bind(":state", gate.state)
}
