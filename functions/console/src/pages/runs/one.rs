//! A run: what it is, how far it has come, and what became of its lines; what needs a person comes first.

use axum::extract::{Path, RawQuery};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use shared::domain::line::LineStatus;
use shared::store::runs::{Mode, RunState};

use super::approve::choosing;
use super::{ON_A_PAGE, address, charges, kind, reconciliation, run, trigger, warning, writes_nothing};
use crate::client::told::List;
use crate::client::told::connection::Connection;
use crate::client::told::run::{Line, Run};
use crate::client::{Client, Trouble, path, with_query};
use crate::door::{Fields, Visitor};
use crate::pages::connection;
use crate::view::page::Page;
use crate::view::tabs::{Tab, tabs};
use crate::view::{badge, progress, sums, table, when};

/// A part of the page: its name in the address, on the page, and the lines in it.
struct Part {
    word: &'static str,
    name: &'static str,
    statuses: Option<&'static str>,
}

const PARTS: [Part; 7] = [
    Part { word: "needs", name: "Needs you", statuses: Some("failed,unknown,held") },
    Part { word: "planned", name: "Planned", statuses: Some("planned") },
    Part { word: "updated", name: "Updated", statuses: Some("updated") },
    Part { word: "rest", name: "Unchanged and skipped", statuses: Some("unchanged,skipped") },
    Part { word: "all", name: "All lines", statuses: Some("") },
    Part { word: "charges", name: "Charges", statuses: None },
    Part { word: "reconciliation", name: "Reconciliation", statuses: None },
];

pub(super) async fn one(
    visitor: Visitor,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Markup, Trouble> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    let api = visitor.api();
    let run = run(&api, &id).await?;
    let asked = query.some("part").unwrap_or_else(|| first(&run));
    let part = PARTS.iter().find(|part| part.word == asked).ok_or_else(|| Trouble::not_found("part of a run"))?;
    let cursor = query.some("cursor");
    let (connection, shown) =
        tokio::join!(connection(&api, &run.connection_id), shown(&api, &run, part, (query.some("status"), cursor)));
    let (connection, shown) = (connection?, shown?);
    let here = with_query(&address(&run.id), &[("part", Some(part.word))]);
    Ok(Page::of(&visitor, &connection, "/runs", kind(&run)).with(&html! {
        (facts(&run, &connection))
        @if run.has_ended() {
            (warning(&connection))
            (actions(&visitor, &run, &connection))
        } @else {
            (progress::of(&run, &here))
        }
        (tabs("Parts of the run", &parts(&run, part)))
        (shown.with(&visitor, &run, &connection))
    }))
}

/// How far it is; once it has ended the whole page is loaded anew.
pub(super) async fn progress(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Trouble> {
    let run = run(&visitor.api(), &id).await?;
    let fragment = progress::fragment(&run);
    Ok(if run.has_ended() { ([("hx-refresh", "true")], fragment).into_response() } else { fragment.into_response() })
}

/// What is looked at first: what needs a person, where there is any.
fn first(run: &Run) -> &'static str {
    let counts = &run.lines;
    match () {
        () if counts.failed + counts.unknown + counts.held > 0 => "needs",
        () if counts.planned > 0 => "planned",
        () if counts.updated > 0 => "updated",
        () => "all",
    }
}

fn parts(run: &Run, here: &Part) -> Vec<Tab> {
    let counts = &run.lines;
    let all = counts.failed
        + counts.unknown
        + counts.held
        + counts.planned
        + counts.updated
        + counts.unchanged
        + counts.skipped;
    let count = |part: &Part| match part.word {
        "needs" => Some(counts.failed + counts.unknown + counts.held),
        "planned" => Some(counts.planned),
        "updated" => Some(counts.updated),
        "rest" => Some(counts.unchanged + counts.skipped),
        "all" => Some(all),
        _ => None,
    };
    let tab = |part: &Part| Tab {
        address: with_query(&address(&run.id), &[("part", Some(part.word))]),
        name: part.name,
        count: count(part).map(u64::from),
        is_here: part.word == here.word,
    };
    PARTS.iter().map(tab).collect()
}

fn facts(run: &Run, connection: &Connection) -> Markup {
    let zone = &connection.time_zone;
    html! {
        @if let Some(explanation) = &run.explanation {
            div class=(if run.status == RunState::Failed { "trouble" } else { "warning" }) {
                p { strong { (explanation) } }
                @if let Some(fix) = &run.fix { p { (fix) } }
            }
        }
        dl.facts {
            dt { "Status" } dd { (badge::run(run.status)) " " (badge::counts(&run.lines)) }
            dt { "Started" } dd { (when::at(run.created_at, zone)) ", " (trigger(run.trigger)) ", by " (run.actor) }
            dt { "Ended" } dd { (when::maybe(run.finished_at, zone, "not yet")) }
            @if let Some(reverses) = &run.reverses { dt { "Takes back" } dd { a href=(address(reverses)) { "what this run changed" } } }
            @if let Some(approves) = &run.approves { dt { "Makes" } dd { "what was approved of " a href=(address(approves)) { "this run" } } }
            dt { "PSA" } dd { (run.psa_requests) " requests, " (run.writes) " changes sent" }
            dt { "Run" } dd { code { (run.id) } }
        }
        @let money = &run.money;
        // What was written as it was planned is told once.
        @let planned = run.mode == Mode::Preview || money.planned != money.written;
        @for (caption, of, shown) in [("Planned, a month", &money.planned, planned), ("Written, a month", &money.written, true), ("Held, a month", &money.held, true)] {
            @if shown && !of.is_empty() { h2 { (caption) } (sums::by_currency(caption, of)) }
        }
    }
}

fn actions(visitor: &Visitor, run: &Run, connection: &Connection) -> Markup {
    let waits = run.lines.planned + run.lines.held + run.charges.counts.planned + run.charges.counts.held > 0;
    let wrote = run.mode == Mode::Apply && run.lines.updated + run.lines.unknown > 0;
    let may = visitor.may_change() && writes_nothing(connection).is_none();
    let here = address(&run.id);
    html! {
        div.row {
            @if may && waits { a.button href={ (here) "/approve" } { "Approve all that waits" } }
            @if may && wrote { a.button.danger href={ (here) "/reverse" } { "Take back what it wrote" } }
            a.button.plain href={ (here) "/lines.csv" } { "Lines as CSV" }
            a.button.plain href={ (here) "/charges.csv" } { "Charges as CSV" }
            a.button.plain href={ (here) "/reconciliation.csv" } { "Reconciliation as CSV" }
        }
    }
}

/// What stands below the tabs.
enum Shown {
    Lines { list: List<Line>, part: &'static str, statuses: &'static str, cursor: Option<String> },
    Charges(charges::Shown),
    Done(Markup),
}

async fn shown(
    api: &Client,
    run: &Run,
    part: &'static Part,
    (statuses, cursor): (Option<&str>, Option<&str>),
) -> Result<Shown, Trouble> {
    match part.statuses {
        Some(statuses) => {
            let cursor = cursor.map(str::to_owned);
            let list = lines(api, &run.id, statuses, cursor.as_deref()).await?;
            Ok(Shown::Lines { list, part: part.word, statuses, cursor })
        }
        None if part.word == "charges" => charges::part(api, run, statuses, cursor).await.map(Shown::Charges),
        None => reconciliation::part(api, run, cursor).await.map(Shown::Done),
    }
}

/// A page of a run's lines; failed ones first.
pub(crate) async fn lines(
    api: &Client,
    run: &str,
    statuses: &str,
    cursor: Option<&str>,
) -> Result<List<Line>, Trouble> {
    let query = [("status", Some(statuses)), ("limit", Some(ON_A_PAGE)), ("cursor", cursor)];
    let mut list: List<Line> = api.get(&with_query(&path(&["v1", "runs", run, "lines"]), &query)).await?;
    list.items.sort_by_key(|line| match line.result.status {
        LineStatus::Failed => 0,
        LineStatus::Unknown => 1,
        LineStatus::Held => 2,
        _ => 3,
    });
    Ok(list)
}

impl Shown {
    fn with(self, visitor: &Visitor, run: &Run, connection: &Connection) -> Markup {
        let (list, part, statuses, cursor) = match self {
            Self::Done(markup) => return markup,
            Self::Charges(shown) => return shown.with(visitor, run, connection),
            Self::Lines { list, part, statuses, cursor } => (list, part, statuses, cursor),
        };
        if list.items.is_empty() {
            return html! { p.empty { (nothing(part, run.has_ended())) } };
        }
        let next = list
            .next_cursor
            .as_deref()
            .map(|cursor| with_query(&address(&run.id), &[("part", Some(part)), ("cursor", Some(cursor))]));
        html! {
            (choosing(visitor, connection, &run.id, &list.items, (statuses, cursor.as_deref())))
            (table::next(next.as_deref()))
        }
    }
}

fn nothing(part: &str, has_ended: bool) -> &'static str {
    match part {
        _ if !has_ended => "Nothing yet: the run goes on.",
        "needs" => "No line of this run failed, is unknown or waits for you.",
        "planned" => "No line is planned to be changed.",
        "updated" => "This run changed no line.",
        _ => "There is no line here.",
    }
}
