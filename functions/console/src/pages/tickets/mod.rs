//! Tickets: what those of a connection are filled with (`mapping` with `parts` and `needs`, `remove`), and the alerts that become them
//! (`alerts`).

mod alerts;
mod mapping;
mod needs;
mod parts;
mod remove;

use axum::Router;
use axum::routing::{get, post};

use crate::Deps;
use crate::client::path;

pub(super) fn routes() -> Router<Deps> {
    Router::new()
        .route("/console/connections/{id}/tickets", get(mapping::show).post(mapping::save))
        .route("/console/connections/{id}/tickets/remove", get(remove::ask).post(remove::go))
        .route("/console/connections/{id}/tickets/retry", post(alerts::retry))
}

fn here(connection: &str) -> String {
    path(&["console", "connections", connection, "tickets"])
}

fn in_api(connection: &str) -> String {
    path(&["v1", "connections", connection, "ticket-mapping"])
}
