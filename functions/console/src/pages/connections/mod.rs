//! Connections: all of them, a new one, and each one's own pages: how it stands (`overview`), its settings and policy, its
//! credentials, and its end.

mod credentials;
mod list;
mod new;
mod overview;
mod policy;
mod policy_words;
mod preflight;
mod replace;
mod revoke;
mod settings;
mod switch;
mod tested;

use axum::Router;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};

use crate::Deps;
use crate::client::told::connection::Mapped;
use crate::client::{Client, Trouble, path};
use crate::view::counted;

pub(super) fn routes() -> Router<Deps> {
    Router::new()
        .route("/console/connections", get(list::list))
        .route("/console/connections/new", get(new::page).post(new::connect))
        .route("/console/connections/{id}", get(overview::page))
        .route("/console/connections/{id}/settings", get(settings::page).post(settings::save))
        .route("/console/connections/{id}/policy", get(policy::page).post(policy::save))
        .route("/console/connections/{id}/switch", get(switch::page).post(switch::switch))
        .route("/console/connections/{id}/test", post(tested::test))
        .route("/console/connections/{id}/credentials", get(replace::page).post(replace::replace))
        .route("/console/connections/{id}/preflight", get(preflight::page))
        .route("/console/connections/{id}/preflight/mappings", get(preflight::mappings))
        .route("/console/connections/{id}/revoke", get(revoke::page).post(revoke::revoke))
}

/// Where the page of a connection lies that `end` names.
fn address(id: &str, end: &str) -> String {
    format!("/console/connections/{id}{end}")
}

/// Back to the connection's own page, which says what was done.
fn done(id: &str, word: &str) -> Response {
    Redirect::to(&format!("{}?done={word}", address(id, ""))).into_response()
}

/// How much is mapped on a connection.
async fn mapped(api: &Client, id: &str) -> Result<Mapped, Trouble> {
    api.get(&path(&["v1", "connections", id, "mappings"])).await
}

impl Mapped {
    /// `3 products and 40 companies`, with metered charges where there are any.
    fn words(self) -> String {
        let companies = counted(self.companies, "company", "companies");
        let products = counted(self.products, "product", "products");
        match self.charges {
            0 => format!("{products} and {companies}"),
            charges => {
                let charges = counted(charges, "product with metered charges", "products with metered charges");
                format!("{products}, {charges} and {companies}")
            }
        }
    }
}
