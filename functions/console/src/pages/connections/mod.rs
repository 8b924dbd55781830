//! Connections: all of them, a new one, and each one's own page.

mod list;

use axum::Router;
use axum::routing::get;

use crate::Deps;

pub(super) fn routes() -> Router<Deps> {
    Router::new().route("/console/connections", get(list::list))
}
