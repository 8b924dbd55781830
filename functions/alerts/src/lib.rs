//! HTTP: alerts come in, are said to be over, tried again and looked up.
//!
//! A request stores what it says in the alert's row and sends a message; the ticket is `shared::desk`'s work, so that a flood
//! of alerts is taken in as fast as it comes. What a report means for a row is decided in `domain::alert`.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod body;
mod forget;
mod occurred;
mod read;
mod report;
mod resolve;
mod retry;
mod view;
mod wiring;

use std::sync::Arc;

use jiff::SignedDuration;
use shared::api::{Path, Problem};
use shared::clock::Clock;
use shared::domain::alert::{Alert, AlertKey, Next};
use shared::domain::ids::PartnerId;
use shared::queue::{AlertMessage, SendAlerts};
use shared::store::alerts::Alerts;
use shared::store::idempotency::Idempotency;
use shared::store::mappings::Mappings;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What this function may use.
#[derive(Clone)]
pub struct Deps {
    /// The alerts.
    pub alerts: Alerts,
    /// What ticket mappings say of repeats.
    pub mappings: Mappings,
    /// Reports that were sent under an idempotency key.
    pub remembered: Idempotency,
    /// Has alerts looked at.
    pub queue: Arc<dyn SendAlerts>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// How long a PSA may still be working on a request whose answer we did not see.
    pub settle: SignedDuration,
}

/// The routes, all below `/v1/alerts`.
pub fn router(deps: Deps) -> OpenApiRouter {
    OpenApiRouter::default()
        .routes(routes!(report::report, read::list))
        .routes(routes!(read::get))
        .routes(routes!(resolve::resolve_by_key))
        .routes(routes!(resolve::resolve))
        .routes(routes!(retry::retry_all))
        .routes(routes!(retry::retry))
        .with_state(deps)
}

impl Deps {
    /// Has an alert looked at as it stands, where there is something to be done. What only has to wait is found when it is due.
    async fn send(&self, partner: &PartnerId, alert: &Alert) -> Result<(), Problem> {
        if alert.next(self.clock.now()) == Next::Rest {
            return Ok(());
        }
        self.queue.send_alerts(&[AlertMessage::about(partner, alert)]).await.map_err(Problem::internal)
    }
}

/// The key in a path. One that can't be a key is answered like one that nobody knows.
fn key_in(Path(text): &Path<String>) -> Result<AlertKey, Problem> {
    AlertKey::named(text).map_err(|_| not_found())
}

fn not_found() -> Problem {
    Problem::not_found("alert")
}
