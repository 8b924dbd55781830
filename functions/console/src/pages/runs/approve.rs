//! Approving changes that were held or planned: chosen lines of a page, or all that wait. What will be written is said first,
//! on a page of its own.

use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde_json::json;

use super::{address, one, run, warning, writes_nothing};
use crate::client::told::connection::Connection;
use crate::client::told::results::{Changes, Choices};
use crate::client::told::run::{Line, Run, Started};
use crate::client::{Client, Trouble, path};
use crate::door::{Fields, Posted, Visitor};
use crate::pages::connection;
use crate::view::changes::Way;
use crate::view::page::Page;
use crate::view::{changes, field, lines, trouble};

/// Lines with boxes to choose them by, and the button that leads to the page below. `of` says which page of which statuses
/// these are, so that it is found again.
pub(crate) fn choosing(
    visitor: &Visitor,
    connection: &Connection,
    run: &str,
    shown: &[Line],
    (statuses, cursor): (&str, Option<&str>),
) -> Markup {
    let pick = visitor.may_change() && writes_nothing(connection).is_none() && shown.iter().any(|line| line.approvable);
    let table = lines::table(&connection.id, shown, pick);
    if !pick {
        return table;
    }
    html! {
        form method="get" action={ (address(run)) "/approve" } {
            input type="hidden" name="status" value=(statuses);
            @if let Some(cursor) = cursor { input type="hidden" name="cursor" value=(cursor); }
            input type="hidden" name="chosen" value="yes";
            div.row { (lines::all_on_page(shown)) button type="submit" { "Approve chosen" } }
            (table)
        }
    }
}

/// What is to be approved.
struct Wanted {
    /// Chosen lines; all that wait where it is empty.
    lines: Vec<String>,
    changes: Changes,
    /// Lines that were chosen and don't wait any more.
    gone: usize,
}

pub(super) async fn confirm(
    visitor: Visitor,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Markup, Trouble> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    page(&visitor, &id, &query, None).await
}

pub(super) async fn approve(Path(id): Path<String>, posted: Posted) -> Result<Response, Trouble> {
    let Posted { visitor, fields } = posted;
    let body = match (fields.is_on("chosen"), fields.all("line")) {
        (false, []) => json!({}),
        // Without a line the API would take it for all of them.
        (true, []) => return Err(Trouble::of_form("No line was chosen.")),
        (_, lines) => json!({ "lines": lines }),
    };
    let made = visitor.api().make::<Started>(&path(&["v1", "runs", &id, "approve"]), &body, fields.get("once")).await;
    match made {
        Ok(started) => Ok(Redirect::to(&address(&started.run_id)).into_response()),
        Err(trouble) if trouble.can_be_mended() => {
            Ok((trouble.status, page(&visitor, &id, &fields, Some(&trouble)).await?).into_response())
        }
        Err(trouble) => Err(trouble),
    }
}

async fn page(visitor: &Visitor, id: &str, asked: &Fields, said: Option<&Trouble>) -> Result<Markup, Trouble> {
    let api = visitor.api();
    let run = run(&api, id).await?;
    let (connection, wanted) = tokio::join!(connection(&api, &run.connection_id), wanted(&api, &run, asked));
    let (connection, wanted) = (connection?, wanted?);
    let may = visitor.may_change() && writes_nothing(&connection).is_none() && !wanted.changes.is_none();
    let all = wanted.lines.is_empty();
    Ok(Page::of(visitor, &connection, "/runs", "Approve changes").with(&html! {
        @if let Some(trouble) = said { (trouble::notice(trouble)) }
        (warning(&connection))
        @if wanted.gone > 0 {
            p.warning { (wanted.gone) " of the lines that you chose can't be approved: they were not on that page or wait no more." }
        }
        @if wanted.changes.is_none() {
            p.empty { @if asked.is_on("chosen") { "No line was chosen that waits for approval." } @else { "Nothing of this run waits for approval." } }
        } @else {
            p { "This will be written to " strong { (connection.name) } ", "
                @if all { "all that waits" } @else { "what you chose" } " of this run:" }
            (changes::of(&wanted.changes, Way::Made))
            p.hint { "The PSA is read again first. A line that comes to other numbers by then is held again and not written." }
        }
        div.row {
            @if may {
                form method="post" action={ (address(id)) "/approve" } {
                    (field::ours(visitor)) (field::once(asked))
                    @for line in &wanted.lines { input type="hidden" name="line" value=(line); }
                    @for name in ["status", "cursor", "chosen"] {
                        @if let Some(value) = asked.some(name) { input type="hidden" name=(name) value=(value); }
                    }
                    button type="submit" { "Approve and write" }
                }
            }
            a.button.plain href=(address(id)) { "Back to the run" }
        }
    }))
}

async fn wanted(api: &Client, run: &Run, asked: &Fields) -> Result<Wanted, Trouble> {
    if !asked.is_on("chosen") {
        let choices: Choices = api.get(&path(&["v1", "runs", &run.id, "choices"])).await?;
        return Ok(Wanted { lines: Vec::new(), changes: choices.approvable, gone: 0 });
    }
    let chosen = asked.all("line");
    let mut found = one::lines(api, &run.id, asked.get("status"), asked.some("cursor")).await?.items;
    found.retain(|line| line.approvable && chosen.contains(&line.result.line_id));
    let lines: Vec<String> = found.iter().map(|line| line.result.line_id.clone()).collect();
    Ok(Wanted { changes: Changes::of(&found), gone: chosen.len().saturating_sub(lines.len()), lines })
}
