//! Putting a committed import into its places, by whoever comes first and by several at once if they do.
//!
//! Each mapping's row is written with its row of history and its row of the journal in one transaction. A row of history is never removed and can't be
//! written twice, so that it shows what is applied already, and that nothing is applied late: not on top of a change, and not
//! in the place of a mapping that was removed since.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::gate::{Gate, Place, State};
use super::{CompanyMapping, Mapping, MappingVersion, ProductMapping};
use crate::store::journal::Act;
use crate::store::{Condition, Key, Read, StoreError, Write, schema};

/// A transaction takes 100 rows: a mapping, its version and its row of the journal are three.
const MAPPINGS_A_TRANSACTION: usize = 33;

/// A transaction takes 4 MB, and rows are larger there than as JSON.
const BYTES_A_TRANSACTION: usize = 2_000_000;

/// Requests of one import that are on their way at once.
const AT_ONCE: usize = 8;

/// The table takes a thousand units a second in one partition, and refuses the rest: so often a transaction is tried, with a
/// pause that doubles up to [`LONGEST_PAUSE`].
const ATTEMPTS: u32 = 12;
const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Where an import is begun to be applied. Who helps begins at the other end, so that two seldom meet at the same rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    TheBeginning,
    TheEnd,
}

/// A mapping as it is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Change {
    pub content: Content,
    /// Whether it is the next version of one that is there.
    pub replaces: bool,
}

/// Either kind of mapping, with its new version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Content {
    Product(ProductMapping),
    Company(CompanyMapping),
}

/// A piece of an import: changes as JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Chunk {
    pub changes: String,
}

impl Change {
    fn history(&self, place: &Place) -> Key {
        match &self.content {
            Content::Product(mapping) => history(place, mapping),
            Content::Company(mapping) => history(place, mapping),
        }
    }

    fn writes(&self, place: &Place) -> Result<[Write; 3], StoreError> {
        match &self.content {
            Content::Product(mapping) => writes(place, mapping, self.replaces),
            Content::Company(mapping) => writes(place, mapping, self.replaces),
        }
    }
}

fn history<T: Mapping>(place: &Place, mapping: &T) -> Key {
    let key = T::key(&place.partner, &place.connection, mapping.id());
    schema::mapping_version(&place.partner, &place.connection, &key, mapping.version())
}

fn writes<T: Mapping>(place: &Place, mapping: &T, replaces: bool) -> Result<[Write; 3], StoreError> {
    let key = T::key(&place.partner, &place.connection, mapping.id());
    let fits = match replaces {
        true => Condition::new("#version = :before").bind(":before", mapping.version().saturating_sub(1))?,
        false => Condition::absent(),
    };
    let row = place.table.write_put(&key, mapping, &fits)?;
    next_version(place, row, &MappingVersion { mapping: mapping.clone(), removed: false })
}

/// What is written for every change of a mapping, however it came about: its own row, the version that it is from now on,
/// and the entry of the journal that tells of it.
pub(super) fn next_version<T: Mapping>(
    place: &Place,
    row: Write,
    version: &MappingVersion<T>,
) -> Result<[Write; 3], StoreError> {
    let mapping = &version.mapping;
    let key = T::key(&place.partner, &place.connection, mapping.id());
    let act = Act::of_mapping(&key, mapping.version(), mapping.changed().0);
    let kept = place.table.write_put(&history(place, mapping), version, &Condition::absent())?;
    Ok([row, kept, place.table.write_act(&place.partner, &place.connection, &act)?])
}

/// Applies what is left of a committed import and says that it is done.
pub(super) async fn finish(place: &Place, gate: &Gate, from: From) -> Result<(), StoreError> {
    let prefix = format!("CHUNK#{}#", gate.import);
    let partition = schema::mapping_imports(&place.partner, &place.connection);
    let chunks = place.table.all::<Chunk>(&partition, &prefix, Read::Consistent).await?;
    if chunks.len() != gate.chunks {
        // They go when the import is done, and not before.
        return match place.gate().await? == *gate {
            true => Err(StoreError::Corrupt(format!("pieces of the import {} are missing", gate.import))),
            false => Ok(()),
        };
    }
    let mut changes = Vec::new();
    for (_, chunk) in chunks {
        let some: Vec<Change> = serde_json::from_str(&chunk.changes).map_err(|e| StoreError::Corrupt(e.to_string()))?;
        changes.extend(some);
    }
    let mut batches = batches(changes)?;
    if from == From::TheEnd {
        batches.reverse();
    }
    each(batches, |batch| apply(place.clone(), batch)).await?;
    if place.pass(gate, State::Done).await? {
        // The import is done; what it leaves behind, the next one removes.
        let removed = place.remove_chunks(&gate.import, true).await;
        let _ = removed.inspect_err(|error| tracing::warn!(%error, import = gate.import, "pieces are left"));
    }
    Ok(())
}

/// A transaction holds so many rows, and so many bytes.
fn batches(changes: Vec<Change>) -> Result<Vec<Vec<Change>>, StoreError> {
    let mut batches: Vec<Vec<Change>> = Vec::new();
    let mut filled = 0;
    for change in changes {
        // The mapping is in two of its rows.
        let bytes = 2 * serde_json::to_vec(&change).map_err(|e| StoreError::Corrupt(e.to_string()))?.len();
        match batches.last_mut() {
            Some(batch) if batch.len() < MAPPINGS_A_TRANSACTION && filled + bytes <= BYTES_A_TRANSACTION => {
                filled += bytes;
                batch.push(change);
            }
            _ => {
                filled = bytes;
                batches.push(vec![change]);
            }
        }
    }
    Ok(batches)
}

/// Does `work` for each of `items`, a few at a time, to the end or to the first failure.
pub(super) async fn each<T, F>(items: Vec<T>, work: impl Fn(T) -> F) -> Result<(), StoreError>
where
    F: Future<Output = Result<(), StoreError>> + Send + 'static,
{
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for item in items {
        let turn = Arc::clone(&turns).acquire_owned().await.map_err(|e| StoreError::Unavailable(e.to_string()))?;
        let work = work(item);
        tasks.spawn(async move {
            let done = work.await;
            drop(turn);
            done
        });
        while let Some(done) = tasks.try_join_next() {
            done.map_err(|e| StoreError::Unavailable(e.to_string()))??;
        }
    }
    while let Some(done) = tasks.join_next().await {
        done.map_err(|e| StoreError::Unavailable(e.to_string()))??;
    }
    Ok(())
}

async fn apply(place: Place, mut left: Vec<Change>) -> Result<(), StoreError> {
    let mut pause = FIRST_PAUSE;
    for attempt in 1.. {
        let mut writes = Vec::with_capacity(3 * left.len());
        for change in &left {
            writes.extend(change.writes(&place)?);
        }
        let made = place.table.transact(writes).await;
        if matches!(made, Ok(true)) {
            return Ok(());
        }
        // Others may have applied it, or its answer was lost.
        left = not_applied(&place, left).await?;
        if left.is_empty() {
            return Ok(());
        }
        match made {
            Err(error @ (StoreError::Corrupt(_) | StoreError::TooLarge(_))) => return Err(error),
            Err(error) if attempt >= ATTEMPTS => return Err(error),
            Ok(_) if attempt >= ATTEMPTS => {
                return Err(StoreError::Corrupt("a committed import does not fit what is stored".into()));
            }
            _ => tokio::time::sleep(pause).await,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Ok(())
}

/// Those of `changes` that have no row of history yet.
async fn not_applied(place: &Place, changes: Vec<Change>) -> Result<Vec<Change>, StoreError> {
    let keys: Vec<Key> = changes.iter().map(|change| change.history(place)).collect();
    let there: BTreeSet<Key> = place.table.get_several(&keys).await?.keys().cloned().collect();
    Ok(changes.into_iter().zip(keys).filter(|(_, key)| !there.contains(key)).map(|(change, _)| change).collect())
}
