//! Approving changes that were held or planned: chosen lines or charges of a page, or all that waits. What will be written is said
//! first, on a page of its own.

use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde_json::json;

use super::{address, charges, one, run, warning, writes_nothing};
use crate::client::told::connection::Connection;
use crate::client::told::results::{Changes, Choices};
use crate::client::told::run::{Line, Run, Started};
use crate::client::{Client, Trouble, path, with_query};
use crate::door::{Fields, Posted, Visitor};
use crate::pages::connection;
use crate::view::changes::Way;
use crate::view::page::Page;
use crate::view::{changes, counted, field, lines, trouble};

/// What boxes are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Line,
    Charge,
}

impl Kind {
    /// In forms.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Charge => "charge",
        }
    }

    fn of(asked: &Fields) -> Self {
        if asked.get("of") == Self::Charge.field() { Self::Charge } else { Self::Line }
    }
}

/// Whether `visitor` is offered boxes to choose by, where something waits.
pub(super) fn may_choose(visitor: &Visitor, connection: &Connection) -> bool {
    visitor.may_change() && writes_nothing(connection).is_none()
}

/// Lines with boxes to choose them by. `of` says which page of which statuses these are, so that it is found again.
pub(crate) fn choosing(
    visitor: &Visitor,
    connection: &Connection,
    run: &str,
    shown: &[Line],
    of: (&str, Option<&str>),
) -> Markup {
    let waiting = shown.iter().filter(|line| line.approvable).count();
    let pick = may_choose(visitor, connection) && waiting > 0;
    let table = lines::table(&connection.id, shown, pick);
    if pick { boxes(Kind::Line, run, waiting, of, &table) } else { table }
}

/// A table of boxes, and the button that leads to the page below. The box over all works where scripts do, and hides nothing
/// where they don't.
pub(super) fn boxes(kind: Kind, run: &str, waiting: usize, of: (&str, Option<&str>), table: &Markup) -> Markup {
    let (statuses, cursor) = of;
    html! {
        form method="get" action={ (address(run)) "/approve" } {
            input type="hidden" name="of" value=(kind.field());
            input type="hidden" name="status" value=(statuses);
            @if let Some(cursor) = cursor { input type="hidden" name="cursor" value=(cursor); }
            input type="hidden" name="chosen" value="yes";
            div.row {
                @if waiting > 1 {
                    span.field.tick { input type="checkbox" id="all-on-page" data-ticks=(kind.field()); label for="all-on-page" { "All on this page" } }
                }
                button type="submit" { "Approve chosen" }
            }
            (table)
        }
    }
}

/// What is to be approved.
struct Wanted {
    /// Ids of what was chosen; all that waits where it is empty.
    chosen: Vec<String>,
    changes: Changes,
    /// How many were chosen and don't wait any more.
    gone: usize,
    /// Lines that wait and can't be approved, where all that waits is asked for.
    left: u32,
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
    let kind = Kind::of(&fields);
    let body = match (fields.is_on("chosen"), fields.all(kind.field()), kind) {
        (false, [], _) => json!({}),
        // Without one of them the API would take it for all that waits.
        (true, [], Kind::Line) => return Err(Trouble::of_form("No line was chosen.")),
        (true, [], Kind::Charge) => return Err(Trouble::of_form("No charge was chosen.")),
        (_, lines, Kind::Line) => json!({ "lines": lines }),
        (_, charges, Kind::Charge) => json!({ "charges": charges }),
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
    let may = may_choose(visitor, &connection) && !wanted.changes.is_none();
    let all = wanted.chosen.is_empty();
    let kind = Kind::of(asked);
    let (one, many, it) = match kind {
        Kind::Line => ("line", "lines", "line that comes"),
        Kind::Charge => ("charge", "charges", "charge that comes"),
    };
    Ok(Page::of(visitor, &connection, "/runs", "Approve changes").with(&html! {
        @if let Some(trouble) = said { (trouble::notice(trouble)) }
        (warning(&connection))
        @if wanted.gone > 0 {
            p.warning { (wanted.gone) " of the " (many) " that you chose can't be approved: they were not on that page or wait no more." }
        }
        @if wanted.left > 0 {
            p.warning { (counted(wanted.left, "line waits and can't be approved", "lines wait and can't be approved"))
                ": what holds a line so has to be put right first. "
                a href=(with_query(&address(id), &[("part", Some("needs"))])) { "See what is to be put right" } }
        }
        @if wanted.changes.is_none() {
            p.empty { @if asked.is_on("chosen") { "No " (one) " was chosen that waits for approval." } @else { "Nothing of this run waits for approval." } }
        } @else {
            p { "This will be written to " strong { (connection.name) } ", "
                @if all { "all that waits" } @else { "what you chose" } " of this run:" }
            (changes::of(&wanted.changes, Way::Made))
            p.hint { "The PSA is read again first. A " (it) " to other numbers by then is held again and not written." }
        }
        div.row {
            @if may {
                form method="post" action={ (address(id)) "/approve" } {
                    (field::ours(visitor)) (field::once(asked))
                    @for id in &wanted.chosen { input type="hidden" name=(kind.field()) value=(id); }
                    @for name in ["of", "status", "cursor", "chosen"] {
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
        let waiting = run.lines.planned + run.lines.held;
        // While it goes on nothing can be approved yet, and nothing is left over.
        let left = if run.has_ended() { waiting.saturating_sub(choices.approvable.lines()) } else { 0 };
        return Ok(Wanted { chosen: Vec::new(), changes: choices.approvable, gone: 0, left });
    }
    let kind = Kind::of(asked);
    let named = asked.all(kind.field());
    let (chosen, changes): (Vec<String>, Changes) = match kind {
        Kind::Line => {
            let mut found = one::lines(api, &run.id, asked.get("status"), asked.some("cursor")).await?.items;
            found.retain(|line| line.approvable && named.contains(&line.result.line_id));
            (found.iter().map(|line| line.result.line_id.clone()).collect(), Changes::of(&found))
        }
        Kind::Charge => {
            let mut found = charges::page(api, &run.id, asked.get("status"), asked.some("cursor")).await?.items;
            found.retain(|charge| charge.approvable && named.contains(&charge.result.charge_id));
            (found.iter().map(|charge| charge.result.charge_id.clone()).collect(), Changes::of_charges(&found))
        }
    };
    Ok(Wanted { gone: named.len().saturating_sub(chosen.len()), chosen, changes, left: 0 })
}
