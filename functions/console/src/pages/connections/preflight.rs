//! What to look at before a connection is left to its schedule: the connection itself, which asks nothing of the PSA, and
//! what is mapped, which does and is looked at only where somebody asks.

use axum::extract::{Path, Query};
use axum::http::HeaderMap;
use maud::{Markup, html};
use serde::Deserialize;

use super::address;
use crate::client::told::List;
use crate::client::told::preflight::{Check, MappedPreflight, Preflight, Verdict};
use crate::client::{Trouble, path, with_query};
use crate::door::Visitor;
use crate::pages::connection;
use crate::view::page::Page;
use crate::view::{badge, counted, table};

/// Companies that are looked over at once: each costs requests to the PSA.
const AT_ONCE: &str = "10";

const TITLE: &str = "Before you sync";

/// The API calls it well, as nothing was found wrong; a person is asked for it, on a page of ours.
const NOT_STATED: &str = "invoice_day_not_stated";

#[derive(Debug, Deserialize)]
pub(super) struct From {
    cursor: Option<String>,
}

pub(super) async fn page(visitor: Visitor, Path(id): Path<String>) -> Result<Markup, Trouble> {
    let api = visitor.api();
    let checks = path(&["v1", "connections", &id, "preflight"]);
    let (connection, checks) = tokio::join!(connection(&api, &id), api.get::<Preflight>(&checks));
    let (connection, checks) = (connection?, checks?);
    let to = address(&connection.id, "/preflight/mappings");
    Ok(Page::of(&visitor, &connection, "", TITLE).with(&html! {
        h2 { "The connection" }
        (table::table("Checks of the connection", &["Check", "Result", "What was found", "What to do"], &html! {
            @for check in &checks.items { @if check.code == NOT_STATED { (unstated(&connection.id, check)) } @else { tr {
                td { (words(&check.check)) }
                td { (badge::verdict(check.status)) }
                td { (check.explanation) }
                td { (check.fix) }
            } } }
        }))
        section id="mapped" aria-labelledby="mapped-title" {
            h2 id="mapped-title" { "What is mapped" }
            p { "Looks at contract, service, writer, prices, currency and usage of each mapped company, " (AT_ONCE)
                " at a time. It asks the PSA as much as a preview of them does, and writes nothing." }
            p { a.button href=(to) hx-get=(to) hx-target="#mapped" hx-swap="outerHTML" hx-indicator="#mapped" { "Look them over" } }
        }
    }))
}

fn unstated(id: &str, check: &Check) -> Markup {
    html! { tr {
        td { (words(&check.check)) }
        td { (badge::verdict(Verdict::Warning)) }
        td { "It is not known when you make invoices in the PSA, so nobody looks whether syncs come close enough before them." }
        td { "Say when you make them: " a href=(address(id, "/settings")) { "Name and schedule" } }
    } }
}

/// What is mapped: as a part of the page above, or as a page.
pub(super) async fn mappings(
    visitor: Visitor,
    Path(id): Path<String>,
    Query(from): Query<From>,
    headers: HeaderMap,
) -> Result<Markup, Trouble> {
    let api = visitor.api();
    let query = [("limit", Some(AT_ONCE)), ("cursor", from.cursor.as_deref())];
    let asked = with_query(&path(&["v1", "connections", &id, "preflight", "mappings"]), &query);
    let (connection, found) = tokio::join!(connection(&api, &id), api.get::<List<MappedPreflight>>(&asked));
    let (connection, found) = (connection?, found?);
    let next = found
        .next_cursor
        .as_deref()
        .map(|cursor| with_query(&address(&connection.id, "/preflight/mappings"), &[("cursor", Some(cursor))]));
    let part = html! { section id="mapped" aria-labelledby="mapped-title" {
        h2 id="mapped-title" { "What is mapped" }
        (looked_over(&connection.id, &found.items))
        (table::next(next.as_deref()))
    } };
    Ok(match headers.contains_key("hx-request") {
        true => part,
        false => Page::of(&visitor, &connection, "", TITLE).with(&part),
    })
}

fn looked_over(id: &str, items: &[MappedPreflight]) -> Markup {
    let wanting: Vec<_> = items.iter().filter(|item| item.status != Verdict::Ok).collect();
    let well = u64::try_from(items.len().saturating_sub(wanting.len())).unwrap_or(u64::MAX);
    html! {
        @if items.is_empty() { p { "No company is mapped yet. " a href=(address(id, "/companies")) { "Map companies" } } }
        @else { p { (counted(well, "product of a company is", "products of companies are")) " ready to be synced." } }
        @if !wanting.is_empty() {
            (table::table("Mapped products that need something", &["Company", "Product", "Result", "What was found and what to do"],
                &html! { @for item in &wanting { (row(id, item)) } }))
        }
    }
}

fn row(id: &str, item: &MappedPreflight) -> Markup {
    html! { tr {
        td { (item.company) }
        td { (item.product) br; a.small href=(super::super::findings::line_address(id, &item.line_id)) { code { (item.line_id) } } }
        td { (badge::verdict(item.status)) }
        td { ul.plain { @for check in item.checks.iter().filter(|check| check.status != Verdict::Ok) { (told(check)) } } }
    } }
}

fn told(check: &Check) -> Markup {
    html! { li { strong { (words(&check.check)) ": " } (check.explanation) " " (check.fix) } }
}

/// `invoice_day` as people read it.
fn words(check: &str) -> String {
    check.replace('_', " ")
}
