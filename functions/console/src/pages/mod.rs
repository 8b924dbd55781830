//! A file a page, or a folder where a page has parts: what it asks the API for, what it shows, and what its forms do.

mod accounts;
mod companies;
mod connections;
mod findings;
mod home;
mod lines;
mod preview;
mod products;
mod runs;
mod settings;
mod sources;
mod tickets;
mod usage;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;

use crate::Deps;
use crate::client::told::connection::Connection;
use crate::client::{Client, Trouble, path};

pub(crate) fn routes() -> Router<Deps> {
    Router::new()
        .route("/", get(async || Redirect::to(crate::ROOT)))
        .merge(home::routes())
        .merge(companies::routes())
        .merge(connections::routes())
        .merge(findings::routes())
        .merge(lines::routes())
        .merge(preview::routes())
        .merge(products::routes())
        .merge(runs::routes())
        .merge(settings::routes())
        .merge(sources::routes())
        .merge(tickets::routes())
        .merge(usage::routes())
}

/// A connection of the visitor's.
async fn connection(api: &Client, id: &str) -> Result<Connection, Trouble> {
    api.get(&path(&["v1", "connections", id])).await
}

/// Every connection of the visitor's.
async fn connections_of(api: &Client) -> Result<Vec<Connection>, Trouble> {
    api.all("/v1/connections", &[]).await
}
