//! Many rows of usage at once: some writes to a transaction, some transactions under way.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::StoreError;

/// Writes a transaction, and transactions under way at once. A transaction costs twice what its writes would alone and
/// saves the time of as many requests.
const BATCH: usize = 50;
const AT_ONCE: usize = 8;

/// A partition takes a thousand writes a second; a large snapshot waits its turn rather than fail. Its writes may be
/// repeated at will.
const ATTEMPTS: u32 = 5;
const FIRST_PAUSE_MS: u64 = 100;

/// Has `write` write every batch of `all`. When it answers, all of them are in; after an error some may be.
pub(super) async fn in_batches<T, F>(all: &[T], write: impl Fn(Vec<T>) -> F) -> Result<(), StoreError>
where
    T: Clone,
    F: Future<Output = Result<(), StoreError>> + Send + 'static,
{
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for batch in all.chunks(BATCH) {
        let turn = Arc::clone(&turns).acquire_owned().await.map_err(|e| StoreError::Unavailable(e.to_string()))?;
        let writing = write(batch.to_vec());
        tasks.spawn(async move {
            let written = writing.await;
            drop(turn);
            written
        });
        // Stop at the first failure; dropping the set ends the rest.
        while let Some(done) = tasks.try_join_next() {
            joined(done)?;
        }
    }
    while let Some(done) = tasks.join_next().await {
        joined(done)?;
    }
    Ok(())
}

fn joined(done: Result<Result<(), StoreError>, tokio::task::JoinError>) -> Result<(), StoreError> {
    done.map_err(|e| StoreError::Unavailable(e.to_string()))?
}

/// One write, and again after a pause that doubles where the store was unavailable.
pub(super) async fn patiently<F>(write: impl Fn() -> F) -> Result<(), StoreError>
where
    F: Future<Output = Result<(), StoreError>>,
{
    let mut attempt = 1;
    loop {
        match write().await {
            Err(StoreError::Unavailable(_)) if attempt < ATTEMPTS => {
                tokio::time::sleep(Duration::from_millis(FIRST_PAUSE_MS << attempt)).await;
                attempt += 1;
            }
            answered => return answered,
        }
    }
}
