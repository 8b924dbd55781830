//! HTTP: sync now, preview, results, reconciliation, approval of what was held, reversal of what was done, findings, history.
//!
//! A run is made here and planned elsewhere: the answer is the run's id at once, and its progress is read with it.
//! What a finding is, and what resolving one does to its line, is decided in `shared`.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod approve;
mod charges;
mod choices;
mod findings;
mod history;
mod history_sheet;
mod line;
mod lines;
mod packs;
mod read;
mod reconciliation;
mod resolve;
mod results;
mod reverse;
mod sheet;
mod start;
mod view;
mod wiring;

use std::sync::Arc;

use shared::clock::Clock;
use shared::events::Publish;
use shared::history::History;
use shared::store::connections::Connections;
use shared::store::findings::Findings;
use shared::store::idempotency::Idempotency;
use shared::store::mappings::Mappings;
use shared::store::runs::Runs;
use shared::sync::Resolver;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use findings::FindingView;
pub use view::RunView;

/// What this function may use.
#[derive(Clone)]
pub struct Deps {
    /// Says whether a connection exists and is on.
    pub connections: Connections,
    /// Says whether a company is mapped.
    pub mappings: Mappings,
    /// Makes and reads runs.
    pub runs: Runs,
    /// Lists findings.
    pub findings: Findings,
    /// Resolves them.
    pub resolver: Resolver,
    /// Tells what happened.
    pub history: History,
    /// Answers under idempotency keys.
    pub remembered: Idempotency,
    /// Asks for a run's planning.
    pub events: Arc<dyn Publish>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// The routes.
pub fn router(deps: Deps) -> OpenApiRouter {
    OpenApiRouter::default()
        .routes(routes!(start::start, read::list))
        .routes(routes!(read::get))
        .routes(routes!(lines::lines))
        .routes(routes!(charges::charges))
        .routes(routes!(reconciliation::reconciliation))
        .routes(routes!(choices::choices))
        .routes(routes!(line::line))
        .routes(routes!(approve::approve))
        .routes(routes!(reverse::reverse))
        .routes(routes!(findings::list))
        .routes(routes!(findings::get))
        .routes(routes!(resolve::resolve))
        .routes(routes!(history::history))
        .with_state(deps)
}
