//! Settings of the partner: webhooks, and what tokens are.

mod list;
mod remove;
mod rotate;
mod tokens;
mod webhook;
mod write;

use axum::Router;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};

use crate::Deps;
use crate::client::told::webhook::Webhook;
use crate::client::{Client, Trouble, path};

pub(super) fn routes() -> Router<Deps> {
    Router::new()
        .route("/console/settings", get(list::page))
        .route("/console/settings/webhooks", get(async || Redirect::to("/console/settings")).post(write::make))
        .route("/console/settings/new-webhook", get(write::new))
        .route("/console/settings/webhooks/{webhook}", get(webhook::page))
        .route("/console/settings/webhooks/{webhook}/change", get(write::page).post(write::change))
        .route("/console/settings/webhooks/{webhook}/test", post(webhook::test))
        .route("/console/settings/webhooks/{webhook}/secret", get(rotate::page).post(rotate::rotate))
        .route("/console/settings/webhooks/{webhook}/remove", get(remove::page).post(remove::remove))
}

/// The API's path of a webhook.
fn of_api(id: &str, end: &[&str]) -> String {
    path(&[&["v1", "webhooks", id], end].concat())
}

/// The address of a webhook's pages.
fn address(id: &str, end: &[&str]) -> String {
    path(&[&["console", "settings", "webhooks", id], end].concat())
}

/// Back to the webhook's page, which says what was done.
fn done(id: &str, word: &str) -> Response {
    Redirect::to(&format!("{}?done={word}", address(id, &[]))).into_response()
}

async fn webhook(api: &Client, id: &str) -> Result<Webhook, Trouble> {
    api.get(&of_api(id, &[])).await
}
