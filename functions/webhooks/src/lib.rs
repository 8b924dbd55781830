//! HTTP: partners' webhooks: make and change them, rotate their secrets, test them, see what became of deliveries.
//!
//! One file a topic. The secret that signs is made here, shown once, and lies in the secret store alone. Whether an address
//! may be called is decided in `shared::http`, sending and trying again in `shared::webhooks` and `functions/notify`.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod body;
mod deliveries;
mod put;
mod read;
mod remove;
mod rotate;
mod test;
mod view;
mod wiring;

use std::sync::Arc;

use shared::api::Problem;
use shared::clock::Clock;
use shared::domain::ids::{PartnerId, WebhookId};
use shared::secrets::{ReadSecrets, WriteSecrets};
use shared::store::Read;
use shared::store::connections::Connections;
use shared::store::webhooks::{Webhook, Webhooks};
use shared::webhooks::Sender;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use deliveries::DeliveryView;
pub use view::WebhookView;

/// A partner has at most so many webhooks.
pub const MOST_WEBHOOKS: usize = 10;

/// What this function may use.
#[derive(Clone)]
pub struct Deps {
    /// The webhooks.
    pub webhooks: Webhooks,
    /// Whose connections there are.
    pub connections: Connections,
    /// Says which addresses are allowed, and sends tests.
    pub sender: Sender,
    /// Reads the secret that is to be replaced, as it is at this moment.
    pub kept: Arc<dyn ReadSecrets>,
    /// Writes and removes secrets.
    pub secrets: Arc<dyn WriteSecrets>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// The routes, all below `/v1/webhooks`.
pub fn router(deps: Deps) -> OpenApiRouter {
    OpenApiRouter::default()
        .routes(routes!(read::list))
        .routes(routes!(put::put, read::get, remove::remove))
        .routes(routes!(rotate::rotate))
        .routes(routes!(test::test))
        .routes(routes!(deliveries::list))
        .with_state(deps)
}

impl Deps {
    /// A webhook of the partner.
    async fn webhook(&self, partner: &PartnerId, id: &WebhookId) -> Result<Webhook, Problem> {
        let mut webhooks = self.webhooks.all(partner, Read::Consistent).await?;
        webhooks.remove(id).ok_or_else(not_found)
    }
}

fn not_found() -> Problem {
    Problem::not_found("webhook")
}
