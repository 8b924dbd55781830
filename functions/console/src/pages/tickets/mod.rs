use axum::Router;

use crate::Deps;

pub(super) fn routes() -> Router<Deps> {
    Router::new()
}
