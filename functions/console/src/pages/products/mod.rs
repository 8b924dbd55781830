//! Products: what each is billed as (`list`, `form` with `service` and `provision`), whether its metered charges are put on
//! contracts (`charges`), and taking either back (`remove`).

mod charges;
mod form;
mod list;
mod provision;
mod remove;
mod service;

use axum::Router;
use axum::routing::get;

use crate::Deps;
use crate::client::path;

pub(super) fn routes() -> Router<Deps> {
    Router::new()
        .route("/console/connections/{id}/products", get(list::show))
        .route("/console/connections/{id}/map-product", get(form::named))
        .route("/console/connections/{id}/products/{product}", get(form::show).post(form::save))
        .route("/console/connections/{id}/products/{product}/remove", get(remove::ask).post(remove::go))
        .route("/console/connections/{id}/charges/{product}", get(charges::show).post(charges::save))
        .route("/console/connections/{id}/charges/{product}/remove", get(remove::ask_charges).post(remove::go_charges))
}

/// Where the page of a product lies, or of its charges.
fn address(connection: &str, what: &str, product: &str) -> String {
    path(&["console", "connections", connection, what, product])
}

/// Where the API has it.
fn in_api(connection: &str, what: &str, product: &str) -> String {
    path(&["v1", "connections", connection, what, product])
}
