//! A test of the connection, and what it tried. Its answer stands in the page that asked for it, or in one of its own.

use axum::extract::Path;
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};

use super::address;
use crate::client::told::connection::{Connection, Tested};
use crate::client::{Trouble, path};
use crate::door::{Posted, Visitor};
use crate::pages::connection;
use crate::view::badge::{Tone, badge};
use crate::view::page::Page;
use crate::view::{field, table, trouble};

pub(super) async fn test(
    Path(id): Path<String>,
    headers: HeaderMap,
    Posted { visitor, .. }: Posted,
) -> Result<Response, Trouble> {
    let api = visitor.api();
    let connection = connection(&api, &id).await?;
    let tested = api.send(Method::POST, &path(&["v1", "connections", &id, "test"]), &()).await;
    let status = tested.as_ref().map_or_else(|trouble| trouble.status, |_| axum::http::StatusCode::OK);
    let part = section(&visitor, &connection, Some(&tested));
    let answer = match headers.contains_key("hx-request") {
        true => part,
        false => Page::of(&visitor, &connection, "", "Test").with(&html! {
            (part)
            p { a href=(address(&connection.id, "")) { "Back to the connection" } }
        }),
    };
    Ok((status, answer).into_response())
}

/// The button, and what came of it.
pub(super) fn section(visitor: &Visitor, connection: &Connection, tested: Option<&Result<Tested, Trouble>>) -> Markup {
    let to = address(&connection.id, "/test");
    html! {
        section id="test" aria-labelledby="test-title" {
            h2 id="test-title" { "Test" }
            p { "Logs in as a sync does and tries each right. Nothing is written in the PSA." }
            form method="post" action=(to) hx-post=(to) hx-target="#test" hx-swap="outerHTML" hx-indicator="#test" {
                (field::ours(visitor))
                button.plain id="test-button" type="submit" { "Test the connection" }
            }
            div role="status" { @match tested {
                None => {},
                Some(Err(failed)) => (trouble::notice(failed)),
                Some(Ok(tested)) => (found(tested)),
            } }
        }
    }
}

fn found(tested: &Tested) -> Markup {
    let rows = html! { @for right in &tested.rights { tr {
        td { (right.name) }
        td { @if right.held { (badge("may", Tone::Good)) } @else { (badge("may not", Tone::Bad)) } }
        td { (right.explanation.as_deref().unwrap_or_default()) }
    } } };
    html! {
        @if tested.ok { div.notice { p { "The PSA lets us in, and the user may do all that a sync does." } } }
        @else { div.trouble {
            @if let Some(explanation) = &tested.explanation { p { strong { (explanation) } } }
            @if let Some(fix) = &tested.fix { p { (fix) } }
        } }
        @if !tested.rights.is_empty() { (table::table("What was tried", &["Tried", "The user", "What the PSA said"], &rows)) }
    }
}
