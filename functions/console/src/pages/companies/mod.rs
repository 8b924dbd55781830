//! Companies: everybody who is known (`list`), which account each is likely to be (`suggestions`; all that are sure at
//! once, `sure` with `sure_file`), one company's mapping
//! (`form` with `choosing` and `overrides`, `remove`), all mappings as a file (`file`).

mod choosing;
mod file;
mod form;
mod list;
mod overrides;
mod remove;
mod suggestions;
mod sure;
mod sure_file;

use axum::Router;
use axum::routing::{get, post};

use crate::Deps;
use crate::client::path;
use crate::door::PostedFile;

pub(super) fn routes() -> Router<Deps> {
    Router::new()
        .route("/console/connections/{id}/companies", get(list::show))
        .route("/console/connections/{id}/companies/{company}", get(form::show).post(form::save))
        .route("/console/connections/{id}/companies/{company}/remove", get(remove::ask).post(remove::go))
        // Beside the companies and not below them: any of them may be called so.
        .route("/console/connections/{id}/suggestions", get(suggestions::show))
        .route("/console/connections/{id}/suggestions/accept", post(suggestions::accept))
        .route("/console/connections/{id}/suggestions/accept-sure", get(sure::show_sure).post(sure::accept_sure))
        .route("/console/connections/{id}/mappings", get(file::show).post(file::take).layer(PostedFile::limit()))
        .route("/console/connections/{id}/mappings.csv", get(file::download))
}

/// Where the page of a company lies.
fn address(connection: &str, company: &str) -> String {
    path(&["console", "connections", connection, "companies", company])
}

/// Where the API has it.
fn in_api(connection: &str, company: &str) -> String {
    path(&["v1", "connections", connection, "companies", company])
}
