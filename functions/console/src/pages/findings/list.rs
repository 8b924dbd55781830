//! The list: open ones where nothing else is asked for, fifty a page.

use axum::extract::{Path, Query};
use maud::{Markup, html};
use serde::Deserialize;
use shared::domain::finding::{Ending, FindingState};

use super::{resolve_address, run, subject, units};
use crate::client::told::List;
use crate::client::told::connection::Connection;
use crate::client::told::finding::Finding;
use crate::client::{Trouble, path, with_query};
use crate::door::Visitor;
use crate::pages::connection;
use crate::view::done::Done;
use crate::view::page::Page;
use crate::view::tabs::{Tab, tabs};
use crate::view::{mend, money, stake, table, when};

const DONE: [(&str, &str); 1] = [("resolved", "Resolved. Your note is kept with it.")];

#[derive(Debug, Deserialize)]
pub(super) struct Which {
    status: Option<FindingState>,
    cursor: Option<String>,
}

pub(super) async fn list(
    visitor: Visitor,
    Path(id): Path<String>,
    Query(which): Query<Which>,
    Query(done): Query<Done>,
) -> Result<Markup, Trouble> {
    let api = visitor.api();
    let state = which.status.unwrap_or(FindingState::Open);
    let query = [("status", Some(word(state))), ("limit", Some("50")), ("cursor", which.cursor.as_deref())];
    let asked = with_query(&path(&["v1", "connections", &id, "findings"]), &query);
    let (connection, found) = tokio::join!(connection(&api, &id), api.get::<List<Finding>>(&asked));
    let (connection, found) = (connection?, found?);
    let here = format!("/console/connections/{}/findings", connection.id);
    let next = found
        .next_cursor
        .as_deref()
        .map(|cursor| with_query(&here, &[("status", Some(word(state))), ("cursor", Some(cursor))]));
    let tab = |of, name| Tab {
        address: with_query(&here, &[("status", Some(word(of)))]),
        name,
        count: None,
        is_here: of == state,
    };
    let each =
        [tab(FindingState::Open, "Open"), tab(FindingState::Resolved, "Resolved"), tab(FindingState::Closed, "Closed")];
    Ok(Page::of(&visitor, &connection, "/findings", "Findings").with(&html! {
        (done.said(&DONE))
        p { (about(state)) }
        (tabs("Findings by state", &each))
        @if found.items.is_empty() { div.empty { p { (none(state)) } } }
        @else {
            @if state == FindingState::Open { p { "At stake a month, of those on this page whose price is known: " strong { (stake::of(&found.items)) } } }
            (rows(&visitor, &connection, state, &found.items))
        }
        (table::next(next.as_deref()))
    }))
}

fn word(state: FindingState) -> &'static str {
    match state {
        FindingState::Open => "open",
        FindingState::Resolved => "resolved",
        FindingState::Closed => "closed",
    }
}

fn about(state: FindingState) -> &'static str {
    match state {
        FindingState::Open => {
            "What a person must look at. A finding goes by itself once a sync does not notice it any more."
        }
        FindingState::Resolved => {
            "Somebody has looked at these, and they are still noticed, or no sync has gone over them since."
        }
        FindingState::Closed => "These are over, newest first.",
    }
}

fn none(state: FindingState) -> &'static str {
    match state {
        FindingState::Open => "Nothing needs a person. Findings come from syncs.",
        FindingState::Resolved => "Nothing that somebody resolved is still noticed.",
        FindingState::Closed => "Nothing is over yet.",
    }
}

fn rows(visitor: &Visitor, connection: &Connection, state: FindingState, findings: &[Finding]) -> Markup {
    let last = match state {
        FindingState::Open => "What you can do",
        FindingState::Resolved => "Resolved",
        FindingState::Closed => "Over",
    };
    let head = ["About", "What was found", "#Units now → wanted", "#A month", "Noticed", last];
    let zone = &connection.time_zone;
    table::table(
        "Findings",
        &head,
        &html! { @for finding in findings { tr {
            td { (subject(&connection.id, finding)) }
            td { (finding.explanation) br; (mend::words(&finding.fix)) " " code.small { (finding.code) } }
            td.number { (units(finding)) }
            td.number { (money::monthly(finding.money.as_ref())) }
            td { (when::at(finding.opened_at, zone)) br; (run(finding)) }
            td { @match state {
                FindingState::Open => (resolving(visitor, connection, finding)),
                FindingState::Resolved | FindingState::Closed => (ended(finding, zone)),
            } }
        } } },
    )
}

fn resolving(visitor: &Visitor, connection: &Connection, finding: &Finding) -> Markup {
    let to = resolve_address(&connection.id, finding);
    html! {
        @if let Some((place, label)) = mend::finding(&connection.id, finding) { p { a href=(place) { (label) } } }
        @if visitor.may_change() { a.button.plain href=(to) { "Resolve" } }
    }
}

fn ended(finding: &Finding, zone: &str) -> Markup {
    html! {
        @if let Some(at) = finding.resolved_at {
            (when::at(at, zone)) @if let Some(by) = &finding.resolved_by { " by " (by) }
            @if let Some(note) = &finding.note { br; "“" (note) "”" }
        }
        @if let Some(at) = finding.closed_at {
            @if finding.resolved_at.is_some() { br; }
            (when::at(at, zone)) ": "
            @match finding.closed_because {
                Some(Ending::Resolved) => "over after it was resolved",
                Some(Ending::Gone) | None => "not noticed any more",
            }
        }
    }
}
