//! The preview: what a sync would do, before anything is written, and the approval of it.

use axum::Router;
use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};
use shared::store::runs::{Mode, RunState};

use super::{connection, runs};
use crate::Deps;
use crate::client::told::List;
use crate::client::told::connection::Connection;
use crate::client::told::run::{Line, Run};
use crate::client::{Client, Trouble, path, with_query};
use crate::door::{Fields, Posted, Visitor};
use crate::view::page::Page;
use crate::view::{badge, empty, field, progress, sums, table, trouble, when};

/// What a person looks at in a preview. What stays as it is stands on the run's own page.
const STATUSES: &str = "planned,held,failed,unknown";
/// Runs among which the newest preview is looked for: an older one says nothing of today.
const RUNS: &str = "50";

pub(super) fn routes() -> Router<Deps> {
    Router::new().route("/console/connections/{id}/preview", get(show).post(start))
}

async fn show(visitor: Visitor, Path(id): Path<String>, RawQuery(query): RawQuery) -> Result<Markup, Trouble> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    page(&visitor, &id, &query, None).await
}

async fn start(Path(id): Path<String>, posted: Posted) -> Result<Response, Trouble> {
    let Posted { visitor, fields } = posted;
    match runs::started(&visitor.api(), &id, Mode::Preview, fields.get("once")).await {
        Ok(_) => Ok(Redirect::to(&here(&id)).into_response()),
        Err(trouble) if trouble.can_be_mended() => {
            let page = page(&visitor, &id, &Fields::default(), Some(&trouble)).await?;
            Ok((trouble.status, page).into_response())
        }
        Err(trouble) => Err(trouble),
    }
}

fn here(id: &str) -> String {
    path(&["console", "connections", id, "preview"])
}

async fn page(visitor: &Visitor, id: &str, query: &Fields, said: Option<&Trouble>) -> Result<Markup, Trouble> {
    let api = visitor.api();
    let (connection, newest) = tokio::join!(connection(&api, id), newest(&api, id));
    let (connection, (newest, is_overtaken)) = (connection?, newest?);
    let lines = match newest.as_ref().filter(|run| run.has_ended()) {
        Some(run) => Some(runs::lines(&api, &run.id, STATUSES, query.some("cursor")).await?),
        None => None,
    };
    let cursor = query.some("cursor");
    Ok(Page::of(visitor, &connection, "/preview", "Preview").with(&html! {
        @if let Some(trouble) = said { (trouble::notice(trouble)) }
        @match (&newest, &lines) {
            (None, _) => {
                (empty("There is no preview yet. It reads the PSA, compares it with what is counted, and shows what a sync would change and what that comes to in money. It writes nothing.", None))
                (button(visitor, &connection, "Make a preview"))
            },
            (Some(run), None) => (progress::of(run, &here(id))),
            (Some(run), Some(lines)) => {
                (button(visitor, &connection, "Make a new preview"))
                @if is_overtaken { p.warning { "A sync was asked for after this preview: what it wrote is not in here. Make a new one before you approve." } }
                (found(visitor, &connection, run, lines, cursor))
            },
        }
    }))
}

fn button(visitor: &Visitor, connection: &Connection, label: &str) -> Markup {
    html! { @if visitor.may_change() && !connection.is_revoked() {
        div.row {
            form method="post" action=(here(&connection.id)) {
                (field::ours(visitor)) (field::once(&Fields::default()))
                button type="submit" { (label) }
            }
            span.hint { "Writes nothing to the PSA." }
        }
    } }
}

fn found(visitor: &Visitor, connection: &Connection, run: &Run, lines: &List<Line>, cursor: Option<&str>) -> Markup {
    let next = lines.next_cursor.as_deref();
    let next = next.map(|cursor| with_query(&here(&connection.id), &[("cursor", Some(cursor))]));
    let waits = run.lines.planned + run.lines.held + run.charges.counts.planned + run.charges.counts.held > 0;
    let may = visitor.may_change() && runs::writes_nothing(connection).is_none();
    html! {
        p { "As of " (when::at(run.created_at, &connection.time_zone)) ": " (badge::counts(&run.lines)) " "
            a href=(runs::address(&run.id)) { "All of this preview" } }
        @if let Some(explanation) = &run.explanation {
            div class=(if run.status == RunState::Failed { "trouble" } else { "warning" }) {
                p { strong { (explanation) } }
                @if let Some(fix) = &run.fix { p { (fix) } }
            }
        }
        (runs::warning(connection))
        h2 { "What it comes to, a month" }
        @if run.money.planned.is_empty() && run.money.held.is_empty() { p { "Nothing that the PSA shows a price for." } }
        @for (caption, of) in [("Would be written", &run.money.planned), ("Would be held for you", &run.money.held)] {
            @if !of.is_empty() { h3 { (caption) } (sums::by_currency(caption, of)) }
        }
        @if !run.charges.planned.is_empty() { p { "Charges that would be made: " (sums::of_charges(&run.charges.planned)) } }
        @if !run.charges.held.is_empty() { p { "Charges that would be held: " (sums::of_charges(&run.charges.held)) } }
        h2 { "What would change, is held or fails" }
        @if lines.items.is_empty() {
            p.empty { "Nothing: every line that is mapped stands as usage says. A sync would write nothing." }
        } @else {
            @if may && waits { div.row {
                a.button href={ (runs::address(&run.id)) "/approve" } { "Approve all that waits" }
                span.hint { "Shows first what will be written." }
            } }
            (runs::choosing(visitor, connection, &run.id, &lines.items, (STATUSES, cursor)))
            (table::next(next.as_deref()))
        }
    }
}

/// The newest preview, and whether something was to be written since.
async fn newest(api: &Client, id: &str) -> Result<(Option<Run>, bool), Trouble> {
    let runs = with_query(&path(&["v1", "connections", id, "runs"]), &[("limit", Some(RUNS))]);
    let runs: List<Run> = api.get(&runs).await?;
    let place = runs.items.iter().position(|run| run.mode == Mode::Preview);
    Ok((place.and_then(|place| runs.items.into_iter().nth(place)), place.is_some_and(|place| place > 0)))
}
