//! One webhook: how it fares, what became of its deliveries, and a test.

use axum::extract::{Path, Query};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use shared::store::webhooks::DeliveryStatus;

use super::list::standing;
use super::{address, of_api, webhook};
use crate::client::Trouble;
use crate::client::told::webhook::{Deliveries, Delivery, Tested, Webhook};
use crate::door::{Posted, Visitor};
use crate::view::badge::{Tone, badge};
use crate::view::done::Done;
use crate::view::page::{Page, Place};
use crate::view::{field, table, trouble, when, zone};

/// Deliveries that are shown; the API keeps a hundred.
const SHOWN: usize = 50;

const DONE: [(&str, &str); 1] = [("saved", "Saved.")];

pub(super) async fn page(
    visitor: Visitor,
    Path(id): Path<String>,
    Query(done): Query<Done>,
) -> Result<Markup, Trouble> {
    let api = visitor.api();
    let deliveries = of_api(&id, &["deliveries"]);
    let (webhook, deliveries) = tokio::join!(webhook(&api, &id), api.get::<Deliveries>(&deliveries));
    let (webhook, deliveries) = (webhook?, deliveries?);
    Ok(titled(&visitor, &webhook).with(&html! {
        (done.said(&DONE))
        (facts(&webhook))
        @if visitor.may_change() {
            div.row {
                a.button.plain href=(address(&webhook.id, &["change"])) { "Change" }
                a.button.plain href=(address(&webhook.id, &["secret"])) { "Replace its secret" }
                a.button.danger href=(address(&webhook.id, &["remove"])) { "Remove" }
            }
            (section(&visitor, &webhook, None))
        }
        (sent(&deliveries.items, false))
    }))
}

fn titled<'a>(visitor: &'a Visitor, webhook: &'a Webhook) -> Page<'a> {
    Page::new(visitor, Place::Settings, &webhook.id)
}

fn facts(webhook: &Webhook) -> Markup {
    html! {
        @if let Some(off) = &webhook.switched_off { div.trouble {
            p { strong { (off.explanation) } " Switched off since " (when::at(off.at, zone::FIRST)) " UTC." }
            p { (off.fix) }
        } }
        @if let (Some(since), None) = (webhook.failing_since, &webhook.switched_off) { div.warning {
            p { "Every attempt has failed since " (when::at(since, zone::FIRST)) " UTC. After three days of that it is switched off." }
        } }
        dl.facts {
            dt { "Status" } dd { (standing(webhook)) }
            dt { "Address" } dd { code { (webhook.url) } }
            dt { "Told of" } dd { (webhook.events.iter().map(|event| event.as_str()).collect::<Vec<_>>().join(", ")) }
            dt { "Connections" } dd {
                @if webhook.connections.is_empty() { "all" }
                @for (index, id) in webhook.connections.iter().enumerate() { @if index > 0 { ", " } a href={ "/console/connections/" (id) } { code { (id) } } }
            }
        }
    }
}

pub(super) async fn test(
    Path(id): Path<String>,
    headers: HeaderMap,
    Posted { visitor, .. }: Posted,
) -> Result<Response, Trouble> {
    let api = visitor.api();
    let webhook = webhook(&api, &id).await?;
    let tested = api.send(Method::POST, &of_api(&id, &["test"]), &()).await;
    let status = tested.as_ref().map_or_else(|trouble| trouble.status, |_| StatusCode::OK);
    let part = section(&visitor, &webhook, Some(&tested));
    let answer = match headers.contains_key("hx-request") {
        true => {
            let deliveries: Deliveries = api.get(&of_api(&id, &["deliveries"])).await?;
            html! { (part) (sent(&deliveries.items, true)) }
        }
        false => titled(&visitor, &webhook).with(&html! {
            (part)
            p { a href=(address(&webhook.id, &[])) { "Back to the webhook" } }
        }),
    };
    Ok((status, answer).into_response())
}

fn section(visitor: &Visitor, webhook: &Webhook, tested: Option<&Result<Tested, Trouble>>) -> Markup {
    let to = address(&webhook.id, &["test"]);
    html! {
        section id="test" aria-labelledby="test-title" {
            h2 id="test-title" { "Test" }
            p { "Sends the event " code { "Test" } " now, once, signed as every other; also where the webhook is switched off." }
            form method="post" action=(to) hx-post=(to) hx-target="#test" hx-swap="outerHTML" hx-indicator="#test" {
                (field::ours(visitor))
                button.plain id="test-button" type="submit" { "Send a test" }
            }
            div role="status" { @match tested {
                None => {},
                Some(Err(failed)) => (trouble::notice(failed)),
                Some(Ok(tested)) => div class=(if tested.delivered { "notice" } else { "trouble" }) { p {
                    @if tested.delivered { "The receiver took it" } @else { "The receiver did not take it" }
                    @if let Some(status) = tested.http_status { ": it answered " (status) }
                    @if let Some(code) = &tested.code { " " code { (code) } }
                    "."
                } },
            } }
        }
    }
}

/// What it was sent. Beside the answer to a test it takes the place of what stood there before.
fn sent(deliveries: &[Delivery], anew: bool) -> Markup {
    html! { section id="sent" aria-labelledby="sent-title" hx-swap-oob=[anew.then_some("true")] {
        h2 id="sent-title" { "What it was sent" }
        (delivered(deliveries))
    } }
}

fn delivered(deliveries: &[Delivery]) -> Markup {
    if deliveries.is_empty() {
        return html! { div.empty { p { "Nothing yet. Send a test, or wait for an event." } } };
    }
    let head = ["Event", "Happened (UTC)", "Status", "#Attempts", "Last attempt (UTC)", "Answer", "Tried again (UTC)"];
    let rows = html! { @for delivery in deliveries.iter().take(SHOWN) { tr {
        td { (delivery.event) br; code.small { (delivery.event_id) } }
        td { (when::at(delivery.event_at, zone::FIRST)) }
        td { (come(delivery.status)) }
        td.number { (delivery.attempt) }
        td { (when::at(delivery.at, zone::FIRST)) }
        td { @if let Some(status) = delivery.http_status { (status) " " } @if let Some(code) = &delivery.code { code { (code) } } }
        td { (when::maybe(delivery.next_try_at, zone::FIRST, "–")) }
    } } };
    html! {
        p.small { "The newest " (SHOWN) " of the last 30 days." }
        (table::table("Deliveries", &head, &rows))
    }
}

fn come(status: DeliveryStatus) -> Markup {
    match status {
        DeliveryStatus::Delivered => badge("taken", Tone::Good),
        DeliveryStatus::Retrying => badge("tried again", Tone::Wait),
        DeliveryStatus::GivenUp => badge("given up", Tone::Bad),
        DeliveryStatus::Dropped => badge("not sent: it was off", Tone::Calm),
    }
}
