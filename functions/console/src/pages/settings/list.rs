//! The first page of the settings.

use axum::extract::Query;
use maud::{Markup, html};

use super::{address, tokens};
use crate::client::Trouble;
use crate::client::told::List;
use crate::client::told::webhook::Webhook;
use crate::door::Visitor;
use crate::view::badge::{Tone, badge};
use crate::view::done::Done;
use crate::view::page::{Page, Place};
use crate::view::{empty, table};

const DONE: [(&str, &str); 1] = [("removed", "Removed: nothing more is sent to it.")];

const NEW: (&str, &str) = ("/console/settings/new-webhook", "Make a webhook");

pub(super) async fn page(visitor: Visitor, Query(done): Query<Done>) -> Result<Markup, Trouble> {
    let webhooks: List<Webhook> = visitor.api().get("/v1/webhooks?limit=100").await?;
    let new = visitor.may_change().then_some(NEW);
    Ok(Page::new(&visitor, Place::Settings, "Settings").with(&html! {
        (done.said(&DONE))
        h2 { "Webhooks" }
        p { "Tallyline sends signed requests to an address of yours when something happens: how runs ended, what was found, refused credentials, and each "
            "morning what needs a person. Ten at most." }
        @if webhooks.items.is_empty() { (empty("There is no webhook yet.", new)) }
        @else {
            @if let Some((to, name)) = new { p { a.button href=(to) { (name) } } }
            (table::table("Webhooks", &["Name", "Address", "Told of", "Status"], &html! { @for webhook in &webhooks.items { tr {
                td { a href=(address(&webhook.id, &[])) { (webhook.id) } }
                td { (webhook.url) }
                td { (webhook.events.iter().map(|event| event.as_str()).collect::<Vec<_>>().join(", ")) }
                td { (standing(webhook)) }
            } } }))
        }
        (tokens::about())
    }))
}

/// How it fares, in a word.
pub(super) fn standing(webhook: &Webhook) -> Markup {
    match (webhook.enabled, &webhook.switched_off, webhook.failing_since) {
        (_, Some(_), _) => badge("switched off: it failed", Tone::Bad),
        (false, None, _) => badge("switched off", Tone::Wait),
        (true, None, Some(_)) => badge("failing", Tone::Wait),
        (true, None, None) => badge("on", Tone::Good),
    }
}
