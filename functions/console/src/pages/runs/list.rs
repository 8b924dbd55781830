//! Runs of a connection, newest first; and the button that starts a sync.

use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use shared::store::runs::Mode;

use super::{ON_A_PAGE, address, kind, started, trigger, warning, writes_nothing};
use crate::client::told::List;
use crate::client::told::connection::Connection;
use crate::client::told::run::Run;
use crate::client::{Trouble, path, with_query};
use crate::door::{Fields, Posted, Visitor};
use crate::pages::connection;
use crate::view::page::Page;
use crate::view::{badge, empty, field, money, table, trouble, when};

pub(super) async fn list(
    visitor: Visitor,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Markup, Trouble> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    page(&visitor, &id, query.some("cursor"), None).await
}

pub(super) async fn start(Path(id): Path<String>, posted: Posted) -> Result<Response, Trouble> {
    let Posted { visitor, fields } = posted;
    match started(&visitor.api(), &id, Mode::Apply, fields.get("once")).await {
        Ok(started) => Ok(Redirect::to(&address(&started.run_id)).into_response()),
        Err(trouble) if trouble.can_be_mended() => {
            Ok((trouble.status, page(&visitor, &id, None, Some(&trouble)).await?).into_response())
        }
        Err(trouble) => Err(trouble),
    }
}

async fn page(visitor: &Visitor, id: &str, cursor: Option<&str>, said: Option<&Trouble>) -> Result<Markup, Trouble> {
    let api = visitor.api();
    let runs = path(&["v1", "connections", id, "runs"]);
    let runs = with_query(&runs, &[("limit", Some(ON_A_PAGE)), ("cursor", cursor)]);
    let (connection, runs) = tokio::join!(connection(&api, id), api.get::<List<Run>>(&runs));
    let (connection, runs) = (connection?, runs?);
    let here = path(&["console", "connections", &connection.id, "runs"]);
    let next = runs.next_cursor.as_deref().map(|cursor| with_query(&here, &[("cursor", Some(cursor))]));
    let head = ["Run", "Started", "Status", "Lines", "#A month"];
    Ok(Page::of(visitor, &connection, "/runs", "Runs").with(&html! {
        @if let Some(trouble) = said { (trouble::notice(trouble)) }
        (warning(&connection))
        @if visitor.may_change() && writes_nothing(&connection).is_none() { (sync_now(visitor, &connection, &here)) }
        @if runs.items.is_empty() {
            (empty("There was no run yet. A preview shows what a sync would do, and writes nothing.",
                Some((&format!("/console/connections/{}/preview", connection.id), "To the preview"))))
        } @else {
            (table::table("Runs", &head, &html! { @for run in &runs.items { (row(run, &connection)) } }))
            (table::next(next.as_deref()))
        }
    }))
}

fn sync_now(visitor: &Visitor, connection: &Connection, here: &str) -> Markup {
    html! {
        div.row {
            form method="post" action=(here) {
                (field::ours(visitor)) (field::once(&Fields::default()))
                button type="submit" { "Sync now" }
            }
            span.hint { "Writes to the PSA what the policy of " (connection.name) " lets through; the rest is held for you." }
        }
    }
}

fn row(run: &Run, connection: &Connection) -> Markup {
    let money = if run.mode == Mode::Apply && run.has_ended() { &run.money.written } else { &run.money.planned };
    html! { tr {
        td { a href=(address(&run.id)) { (kind(run)) ", " (when::at(run.created_at, &connection.time_zone)) } }
        td { (trigger(run.trigger)) br; span.small { (run.actor) } }
        td { (badge::run(run.status)) }
        td { (badge::counts(&run.lines)) }
        td.number { @if money.is_empty() { "–" } @else { (money::sums(money)) } }
    } }
}
