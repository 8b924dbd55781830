//! HTTP: usage, counts and charges, comes in as snapshots (JSON, parts or CSV) and can be looked up.
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
mod snapshots;
mod upload;

use std::sync::Arc;

use shared::clock::Clock;
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
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
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
        .with_state(deps)
}
