//! Runs: those of a connection, one of them, and what a person has it do: approve what waits, take back what was written.

mod approve;
mod charges;
mod files;
mod list;
mod one;
mod reconciliation;
mod reverse;

use axum::Router;
use axum::routing::get;
use maud::{Markup, html};
use shared::store::runs::{Mode, Trigger};

use crate::Deps;
use crate::client::told::connection::Connection;
use crate::client::told::run::{Run, Started};
use crate::client::{Client, Trouble, path};

pub(super) use approve::choosing;
pub(super) use one::lines;

/// Lines on a page.
pub(super) const ON_A_PAGE: &str = "50";

pub(super) fn routes() -> Router<Deps> {
    Router::new()
        .route("/console/connections/{id}/runs", get(list::list).post(list::start))
        .route("/console/runs/{run}", get(one::one))
        .route("/console/runs/{run}/progress", get(one::progress))
        .route("/console/runs/{run}/approve", get(approve::confirm).post(approve::approve))
        .route("/console/runs/{run}/reverse", get(reverse::confirm).post(reverse::reverse))
        .route("/console/runs/{run}/{file}", get(files::file))
}

/// Has a run of a connection made.
pub(super) async fn started(api: &Client, connection: &str, mode: Mode, once: &str) -> Result<Started, Trouble> {
    let body = serde_json::json!({ "mode": mode });
    api.make(&path(&["v1", "connections", connection, "runs"]), &body, once).await
}

/// The page of a run.
pub(super) fn address(run: &str) -> String {
    path(&["console", "runs", run])
}

async fn run(api: &Client, id: &str) -> Result<Run, Trouble> {
    api.get(&path(&["v1", "runs", id])).await
}

/// Why nothing is written on a connection whatever a person says; nothing where it is.
pub(super) fn writes_nothing(connection: &Connection) -> Option<&'static str> {
    if connection.is_revoked() {
        return Some("The connection is revoked: nothing is sent to the PSA any more. Connect the PSA anew to go on.");
    }
    if connection.policy.shadow {
        return Some(
            "The connection is in shadow mode: it shows what it would write, and nothing is sent to the PSA. End shadow mode in \
             the connection's policy; what the next run then holds or plans can be approved.",
        );
    }
    if !connection.enabled {
        return Some(
            "The connection is switched off: previews can be made, and nothing is sent to the PSA. Switch it on to approve changes.",
        );
    }
    None
}

/// The same on a page.
pub(super) fn warning(connection: &Connection) -> Markup {
    html! { @if let Some(why) = writes_nothing(connection) {
        p.warning { (why) " " a href={ "/console/connections/" (connection.id) } { "To the connection" } }
    } }
}

/// What kind of run it is.
fn kind(run: &Run) -> &'static str {
    match (run.mode, &run.reverses, &run.approves) {
        (_, Some(_), _) => "Reversal",
        (Mode::Preview, None, _) => "Preview",
        (Mode::Apply, None, Some(_)) => "Approval",
        (Mode::Apply, None, None) => "Sync",
    }
}

fn trigger(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Schedule => "by schedule",
        Trigger::Manual => "by hand",
        Trigger::Invoke => "by invocation",
    }
}
