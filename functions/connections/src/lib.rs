//! HTTP: connect a PSA, test it, rotate its credentials, schedule it, revoke it, look into its catalogue.
//!
//! One file a topic. A connection is made only after its PSA has let us in with every right that a sync needs. Credentials
//! go from the body to the secret store and to the PSA, and into no row, answer or log line.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

use std::sync::Arc;

use shared::clock::Clock;
use shared::psa::open::Opener;
use shared::psa::registry::Registry;
use shared::secrets::WriteSecrets;
use shared::store::connections::Connections;
use shared::store::idempotency::Idempotency;
use shared::store::runs::Runs;
use shared::store::ticket_forms::TicketForms;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

mod billing_codes;
mod catalog;
mod change;
mod create;
mod credentials;
mod fields;
mod policy;
mod preflight;
mod read;
mod revoke;
mod test;
mod ticket_fields;
mod view;
mod wiring;

pub use view::ConnectionView;

/// What this function may use.
#[derive(Clone)]
pub struct Deps {
    /// The connections' rows.
    pub connections: Connections,
    /// Says whether a connection's newest run has ended.
    pub runs: Runs,
    /// What the PSAs ask of tickets, as it was read last.
    pub ticket_forms: TicketForms,
    /// Answers under idempotency keys.
    pub remembered: Idempotency,
    /// Opens the PSA behind a connection, with its stored credentials.
    pub opener: Opener,
    /// Reaches a PSA with credentials that are not stored yet.
    pub psas: Registry,
    /// Writes and removes the secret of a connection.
    pub secrets: Arc<dyn WriteSecrets>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// The routes, all below `/v1/connections`.
pub fn router(deps: Deps) -> OpenApiRouter {
    OpenApiRouter::default()
        .routes(routes!(create::create, read::list))
        .routes(routes!(read::get, change::change, revoke::revoke))
        .routes(routes!(credentials::replace))
        .routes(routes!(test::test))
        .routes(routes!(preflight::preflight))
        .routes(routes!(catalog::accounts))
        .routes(routes!(catalog::services))
        .routes(routes!(catalog::contracts))
        .routes(routes!(catalog::lines))
        .routes(routes!(billing_codes::list))
        .routes(routes!(ticket_fields::get))
        .with_state(deps)
}
