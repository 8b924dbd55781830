//! HTTP: usage, counts and charges, comes in as snapshots (JSON, parts or CSV) and can be looked up; vendors whose counts are
//! pulled are set up (`sources`).
//!
//! A request is checked whole before anything is stored: a snapshot is taken or refused, never half of it. What its
//! counts then mean for a line is not decided here.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod answer;
mod charge_fields;
mod charges;
mod check;
mod counts;
mod csv_table;
mod fields;
mod parts;
mod products;
mod snapshots;
mod sources;
mod totals;
mod upload;
mod wiring;

use std::sync::Arc;

use shared::clock::Clock;
use shared::queue::SendPulls;
use shared::secrets::WriteSecrets;
use shared::sources::registry::Registry;
use shared::store::Table;
use shared::store::sources::UsageSources;
use shared::store::usage::{Snapshots, UsageReader};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What the routes need.
#[derive(Clone)]
pub struct Deps {
    /// Takes snapshots in.
    pub snapshots: Snapshots,
    /// Reads counts.
    pub usage: UsageReader,
    /// The rows of sources that are pulled.
    pub sources: UsageSources,
    /// Reaches a vendor with credentials that are not stored yet.
    pub registry: Registry,
    /// Writes and removes the credentials of a source.
    pub secrets: Arc<dyn WriteSecrets>,
    /// Has sources pulled.
    pub pulls: Arc<dyn SendPulls>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl Deps {
    /// Everything that is in `table`, and the rest.
    #[must_use]
    pub fn new(
        table: &Table,
        registry: Registry,
        secrets: Arc<dyn WriteSecrets>,
        pulls: Arc<dyn SendPulls>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            snapshots: Snapshots::new(table.clone()),
            usage: UsageReader::new(table.clone()),
            sources: UsageSources::new(table.clone()),
            registry,
            secrets,
            pulls,
            clock,
        }
    }
}

/// The routes.
pub fn router(deps: Deps) -> OpenApiRouter {
    OpenApiRouter::default()
        .routes(routes!(snapshots::put, snapshots::get))
        .routes(routes!(parts::put))
        .routes(routes!(parts::seal))
        .routes(routes!(upload::post))
        .routes(routes!(counts::list))
        .routes(routes!(charges::list))
        .routes(routes!(products::list))
        .routes(routes!(totals::totals))
        .merge(sources::routes())
        .with_state(deps)
}
