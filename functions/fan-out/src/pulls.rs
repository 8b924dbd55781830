//! Usage sources that are to be pulled: those whose time has come, ahead of the syncs that go by their counts.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use jiff::Timestamp;
use shared::domain::ids::PartnerId;
use shared::pulling::next_due;
use shared::queue::{PullMessage, SendPulls};
use shared::store::connections::{Connection, Status};
use shared::store::schema::SOURCE_SHARDS;
use shared::store::sources::{UsageSource, UsageSources};
use shared::store::{StoreError, Table};

use crate::{FanOut, FanOutError};

/// Sources looked up at once.
const AT_ONCE: i32 = 100;
/// So many of a shard are asked for in one tick; the next one goes on.
const MOST: usize = 1_000;

/// Where sources that are due are found, and where pulls go.
#[derive(Clone)]
pub struct DueSources {
    sources: UsageSources,
    queue: Arc<dyn SendPulls>,
}

impl DueSources {
    /// From `table` to `queue`.
    #[must_use]
    pub fn new(table: &Table, queue: Arc<dyn SendPulls>) -> Self {
        Self { sources: UsageSources::new(table.clone()), queue }
    }
}

/// When each partner's connections are due, read once a tick however many sources it has.
#[derive(Default)]
struct Syncs(BTreeMap<PartnerId, Vec<Timestamp>>);

impl FanOut {
    /// Asks for a pull of every source that is due, and answers of how many. One that can't be asked for is logged and stops
    /// no other; the next tick finds it again.
    ///
    /// # Errors
    /// The due sources can't be read; the next tick finds what is left.
    pub(crate) async fn pulls(&self) -> Result<u32, FanOutError> {
        let mut syncs = Syncs::default();
        let mut asked = 0;
        for shard in 0..SOURCE_SHARDS {
            let (mut position, mut of_shard) = (None, 0);
            loop {
                let (due, next) = self.sources.sources.due(shard, self.clock.now(), AT_ONCE, position).await?;
                for source in &due {
                    match self.pull(source, &mut syncs).await {
                        Ok(()) => asked += 1,
                        Err(error) => {
                            let (partner, vendor) = (&source.partner, source.vendor.as_str());
                            tracing::error!(%error, %partner, vendor, "a source that is due was not pulled");
                        }
                    }
                }
                of_shard += due.len();
                match next.filter(|_| of_shard < MOST) {
                    Some(next) => position = Some(next),
                    None => break,
                }
            }
        }
        Ok(asked)
    }

    /// It is asked for before it is put off: one message too many is harmless, one too few is not.
    async fn pull(&self, source: &UsageSource, syncs: &mut Syncs) -> Result<(), FanOutError> {
        let message = PullMessage::asks(&source.partner, source.vendor, source.due_at);
        self.sources.queue.send_pulls(&[message]).await?;
        let syncs = syncs.of(self, &source.partner).await?;
        let next = next_due(source, syncs.iter().copied(), self.clock.now());
        self.sources.sources.put_off(source, next).await?;
        Ok(())
    }
}

impl Syncs {
    async fn of(&mut self, fan_out: &FanOut, partner: &PartnerId) -> Result<&[Timestamp], StoreError> {
        Ok(match self.0.entry(partner.clone()) {
            Entry::Occupied(read) => read.into_mut(),
            Entry::Vacant(unread) => {
                let connections = fan_out.connections.all(partner).await?;
                unread.insert(connections.iter().filter_map(due).collect())
            }
        })
    }
}

/// When a connection is due that is synced by itself.
fn due(connection: &Connection) -> Option<Timestamp> {
    connection.next_due_at.filter(|_| connection.enabled && connection.status != Status::Revoked)
}
