//! Pulls: what a vendor tells becomes snapshots of usage, like those that are pushed.
//!
//! A message only says which source to go on with; how far its pull is stands in its row. A pull is read in steps, each short
//! enough for one invocation, and its counts are true for the instant at which the first one began. Each product has a snapshot
//! of its own, so that one that could not be read whole keeps no other from being complete. Messages about one source come one
//! after the other: whoever finds a step begun knows that it was cut short, and begins the pull anew, under another name, since
//! what a second reading counts is not what the first one did.

mod counts;
mod due;
mod faults;
mod share;
mod step;
mod wanted;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use tracing::{Span, info_span};

use crate::clock::Clock;
use crate::psa::Kind;
use crate::queue::batch::{Failed, Work};
use crate::queue::{PullMessage, QueueError, SendPulls};
use crate::secrets::{ReadSecrets, SecretsError};
use crate::sources::registry::Registry;
use crate::store::connections::Connections;
use crate::store::mappings::Mappings;
use crate::store::sources::{Going, LastPull, PullStatus, Tally, UsageSource, UsageSources};
use crate::store::usage::{Snapshots, UsageReader};
use crate::store::{Read, StoreError, Table};
pub use due::next_due;

/// How often a pull is begun before it ends as failed.
const ATTEMPTS: u32 = 5;
/// One step reads no longer than this: what runs it is stopped after fifteen minutes.
pub const LONGEST_STEP: Duration = Duration::from_secs(12 * 60);
/// A pull that began so long ago is begun anew: what was read then and what would be read now are true for no one instant.
const OLD_AFTER: SignedDuration = SignedDuration::from_hours(6);
/// A pull that has not moved for so long has lost its message.
pub const LOST_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// What a puller works with.
#[allow(missing_docs, reason = "each field is named after its type")]
#[derive(Clone)]
pub struct PullerParts {
    pub sources: UsageSources,
    pub snapshots: Snapshots,
    pub usage: UsageReader,
    pub connections: Connections,
    pub mappings: Mappings,
    pub registry: Registry,
    pub secrets: Arc<dyn ReadSecrets>,
    pub queue: Arc<dyn SendPulls>,
    pub clock: Arc<dyn Clock>,
}

impl PullerParts {
    /// Everything that is in `table`, and the rest.
    #[must_use]
    pub fn new(
        table: &Table,
        registry: Registry,
        secrets: Arc<dyn ReadSecrets>,
        queue: Arc<dyn SendPulls>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            sources: UsageSources::new(table.clone()),
            snapshots: Snapshots::new(table.clone()),
            usage: UsageReader::new(table.clone()),
            connections: Connections::new(table.clone()),
            mappings: Mappings::new(table.clone()),
            registry,
            secrets,
            queue,
            clock,
        }
    }
}

/// Works off pulls. Cheap to clone.
#[derive(Clone)]
pub struct Puller(Arc<PullerParts>);

/// Why a message was not done. It comes again.
#[derive(Debug, thiserror::Error)]
pub enum PullingError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The secret store.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
}

impl PullingError {
    /// What failed, in one word that alarms can tell apart.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Store(_) => "Store",
            Self::Queue(_) => "Queue",
            Self::Secrets(_) => "Secrets",
        }
    }
}

impl Puller {
    /// A puller of `parts`.
    #[must_use]
    pub fn new(parts: PullerParts) -> Self {
        Self(Arc::new(parts))
    }

    /// Does the next step of the pull that `message` is about, or begins it.
    ///
    /// # Errors
    /// The store, the queue or the secrets are unavailable: the same message comes again.
    pub async fn go_on(&self, message: &PullMessage) -> Result<(), PullingError> {
        let now = self.0.clock.now();
        let mut mine = None;
        let edited = self.0.sources.edit(&message.partner, message.vendor, |source| {
            mine = claimed(source, message.pull, now);
            if mine.is_some() {
                source.going.clone_from(&mine);
            }
            mine.is_some()
        });
        let (Some(source), Some(going)) = (edited.await?, mine) else { return Ok(()) };
        if going.attempt > ATTEMPTS {
            return self.end(&source, &interrupted(&going)).await;
        }
        self.step(&source, going).await
    }

    /// Ends a pull whose message was delivered too often.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn give_up_on(&self, message: &PullMessage) -> Result<(), PullingError> {
        let source = self.0.sources.get(&message.partner, message.vendor, Read::Consistent).await?;
        match source.as_ref().and_then(|source| Some((source, source.going.as_ref()?))) {
            Some((source, going)) => self.end(source, &interrupted(going)).await,
            None => Ok(()),
        }
    }

    /// Notes how a pull ended, and has it come again soon where that may help.
    async fn end(&self, source: &UsageSource, going: &Going) -> Result<(), PullingError> {
        let now = self.0.clock.now();
        let last = ended(going, now);
        tracing::info!(status = ?last.status, pages = last.tally.pages, companies = last.tally.companies, "a pull ended");
        self.0
            .sources
            .edit(&source.partner, source.vendor, |stored| {
                // It was set up anew meanwhile: this was about something else.
                if !stored.going.as_ref().is_some_and(|stored| stored.is(going)) {
                    return false;
                }
                stored.failures = if last.complete { 0 } else { stored.failures.saturating_add(1) };
                // Nothing but a person makes credentials good again; a vendor may lock out who goes on asking.
                let may_pass = last.tally.fault.as_ref().is_none_or(|fault| fault.kind != Kind::Auth);
                let again = due::again_after(stored.failures).filter(|_| may_pass);
                // What is due already would be asked for under a name that has ended.
                let is_sooner = |soon: &Timestamp| *soon < stored.due_at || stored.due_at <= now;
                if let Some(soon) = again.and_then(|pause| now.checked_add(pause).ok()).filter(is_sooner) {
                    stored.comes_at(soon);
                }
                (stored.going, stored.last) = (None, Some(last.clone()));
                true
            })
            .await?;
        Ok(())
    }
}

/// The pull to go on with, marked as begun; `None` where there is nothing to do.
fn claimed(source: &UsageSource, asked: Timestamp, now: Timestamp) -> Option<Going> {
    match source.going.clone() {
        // Cut short: no other message about it is being worked on.
        Some(going) if going.begun => Some(Going { attempt: going.attempt + 1, ..begun(going.pull, now) }),
        Some(going) if now.duration_since(going.as_of) > OLD_AFTER => Some(begun(asked.max(going.pull), now)),
        Some(going) => Some(Going { begun: true, moved_at: now, ..going }),
        // It has ended, or what was asked for later has begun since.
        None if source.last.as_ref().is_some_and(|last| last.pull >= asked || last.as_of >= asked) => None,
        None => Some(begun(asked, now)),
    }
}

fn begun(pull: Timestamp, now: Timestamp) -> Going {
    Going {
        pull,
        as_of: now,
        attempt: 1,
        step: 0,
        begun: true,
        moved_at: now,
        after: None,
        products: BTreeMap::new(),
        tally: Tally::default(),
    }
}

fn interrupted(going: &Going) -> Going {
    Going { tally: Tally { fault: Some(faults::interrupted()), ..going.tally.clone() }, ..going.clone() }
}

fn ended(going: &Going, now: Timestamp) -> LastPull {
    let complete =
        going.tally.fault.is_none() && going.products.values().all(|parts| !parts.short && parts.untold.is_empty());
    let status = match (complete, going.tally.pages) {
        (true, _) => PullStatus::Succeeded,
        (false, 0) => PullStatus::Failed,
        (false, _) => PullStatus::Partial,
    };
    let nothing = going.products.iter().filter(|(_, parts)| parts.stored == 0);
    let nothing_of = nothing.map(|(product, _)| product.clone()).collect();
    let tally = going.tally.clone();
    LastPull { pull: going.pull, status, complete, as_of: going.as_of, at: now, nothing_of, tally }
}

#[async_trait]
impl Work for Puller {
    type Task = PullMessage;

    fn lane(message: &PullMessage) -> String {
        message.lane()
    }

    fn span(message: &PullMessage) -> Span {
        info_span!("pull", partner = %message.partner, source = message.vendor.as_str(), pull = %message.pull)
    }

    async fn work(&self, message: &PullMessage) -> Result<(), Failed> {
        self.go_on(message).await.map_err(failed)
    }

    async fn give_up(&self, message: &PullMessage) -> Result<(), Failed> {
        self.give_up_on(message).await.map_err(failed)
    }
}

fn failed(error: PullingError) -> Failed {
    Failed { kind: error.kind(), what: error.to_string() }
}
