//! The desk: takes alerts from their queue to their tickets.
//!
//! A message only says which alert to look at. What comes next is decided by its row (`domain::alert`), done here one step at
//! a time, and stored before the next one: whoever looks at the same alert again goes on where the last one was. What is
//! written to a PSA is stored as sent before it leaves (`send`), and what nobody heard the end of is looked for in the PSA
//! before anything else (`look`). Alerts of one partner are looked at one after the other, in the order in which they came.

mod choose;
mod digest;
mod error;
mod look;
mod note;
mod open;
mod people;
mod send;
mod visit;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use tracing::{Span, info_span};

use crate::clock::Clock;
use crate::domain::alert::AlertKey;
use crate::events::Publish;
use crate::faults::Faults;
use crate::psa::open::Opener;
use crate::queue::batch::{Failed, Work};
use crate::queue::{AlertMessage, MOST_DELIVERIES_OF_ALERTS, SendAlerts};
use crate::store::alerts::Alerts;
use crate::store::connections::Connections;
use crate::store::findings::Findings;
use crate::store::mappings::Mappings;
use crate::store::{StoreError, Table};
pub use error::DeskError;
use visit::Visit;

/// An alert of which this version can't read something is looked at again so soon: the next tick finds it.
const UNREADABLE_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// What a desk works with.
#[allow(missing_docs, reason = "each field is named after its type")]
#[derive(Clone)]
pub struct DeskParts {
    pub alerts: Alerts,
    pub connections: Connections,
    pub mappings: Mappings,
    pub findings: Findings,
    pub opener: Opener,
    pub queue: Arc<dyn SendAlerts>,
    pub events: Arc<dyn Publish>,
    pub clock: Arc<dyn Clock>,
    /// How long a PSA may still be working on a request whose answer we did not see.
    pub settle: SignedDuration,
    pub faults: Faults,
}

impl DeskParts {
    /// Everything that is in `table`, and the rest.
    #[must_use]
    pub fn new(
        table: &Table,
        opener: Opener,
        queue: Arc<dyn SendAlerts>,
        events: Arc<dyn Publish>,
        clock: Arc<dyn Clock>,
        settle: SignedDuration,
    ) -> Self {
        Self {
            alerts: Alerts::new(table.clone()),
            connections: Connections::new(table.clone()),
            mappings: Mappings::new(table.clone()),
            findings: Findings::new(table.clone()),
            opener,
            queue,
            events,
            clock,
            settle,
            faults: table.faults().clone(),
        }
    }
}

/// Works off alerts. Cheap to clone.
#[derive(Clone)]
pub struct Desk(Arc<DeskParts>);

impl Desk {
    /// A desk of `parts`.
    #[must_use]
    pub fn new(parts: DeskParts) -> Self {
        Self(Arc::new(parts))
    }

    /// Does for an alert whatever is to be done.
    ///
    /// # Errors
    /// It is to be looked at again, and what came after it waits.
    pub async fn look_at(&self, message: &AlertMessage) -> Result<(), DeskError> {
        match AlertKey::named(&message.key) {
            Ok(key) => match Visit::of(&self.0, &message.partner).go_on(&key).await {
                // A newer version stored it and is being deployed, or will be again. What came after it need not wait for that.
                Err(DeskError::Store(StoreError::Unreadable(row))) => {
                    tracing::error!(%row, "an alert is left for later");
                    let now = self.0.clock.now();
                    let soon = now.saturating_add(UNREADABLE_AGAIN_AFTER).unwrap_or(now);
                    Ok(self.0.alerts.comes_again(&message.partner, &key, soon).await?)
                }
                gone => gone,
            },
            Err(error) => {
                tracing::error!(%error, "a message names no alert");
                Ok(())
            }
        }
    }

    /// Ends what waits for an alert that could not be worked for two days.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn give_up_on(&self, message: &AlertMessage) -> Result<(), DeskError> {
        let Ok(key) = AlertKey::named(&message.key) else { return Ok(()) };
        Visit::of(&self.0, &message.partner).give_up(&key).await
    }
}

#[async_trait]
impl Work for Desk {
    type Task = AlertMessage;

    const MOST_DELIVERIES: u32 = MOST_DELIVERIES_OF_ALERTS;

    fn lane(message: &AlertMessage) -> String {
        message.partner.to_string()
    }

    fn span(message: &AlertMessage) -> Span {
        info_span!("alert", partner = %message.partner, key = message.key)
    }

    async fn work(&self, message: &AlertMessage) -> Result<(), Failed> {
        self.look_at(message).await.map_err(failed)
    }

    async fn give_up(&self, message: &AlertMessage) -> Result<(), Failed> {
        self.give_up_on(message).await.map_err(failed)
    }
}

fn failed(error: DeskError) -> Failed {
    Failed { kind: error.kind(), what: error.to_string() }
}
