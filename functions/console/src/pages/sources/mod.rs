//! Usage sources: vendors whose counts are pulled. All of them, each one's page, its setting, and its removal.

mod form;
mod one;
mod remove;
mod setting;

use axum::Router;
use axum::routing::{get, post};
use maud::{Markup, html};
use shared::sources::Vendor;
use shared::store::sources::PullStatus;

use crate::Deps;
use crate::client::told::source::{Source, Sources};
use crate::client::{Client, Trouble, path};
use crate::door::Visitor;
use crate::pages::connections_of;
use crate::view::badge::{Tone, badge};
use crate::view::page::{Page, Place};
use crate::view::{empty, table, vendor, when};

pub(super) fn routes() -> Router<Deps> {
    Router::new()
        .route("/console/sources", get(list))
        .route("/console/sources/{source}", get(one::one))
        .route("/console/sources/{source}/progress", get(one::progress))
        .route("/console/sources/{source}/pull", post(one::pull))
        .route("/console/sources/{source}/setting", get(setting::show).post(setting::set))
        .route("/console/sources/{source}/remove", get(remove::confirm).post(remove::remove))
}

async fn list(visitor: Visitor) -> Result<Markup, Trouble> {
    let api = visitor.api();
    let (sources, zone) = tokio::join!(api.get::<Sources>("/v1/sources?limit=100"), zone(&api));
    let (Sources { items, available }, zone) = (sources?, zone?);
    let head = ["Vendor", "Counts", "Last pull", "Next pull"];
    Ok(Page::new(&visitor, Place::Sources, "Sources").with(&html! {
        p { "Counts come from a source that is pulled, or they are pushed to the API. A source is a vendor's API with your credentials." }
        @if items.is_empty() {
            (empty("No source is set up: nothing is pulled. Choose a vendor below, or push counts to the API.", None))
        } @else {
            (table::table("Sources", &head, &html! { @for source in &items { (row(source, &zone)) } }))
        }
        @if !available.is_empty() && visitor.may_change() {
            h2 { "Can be set up" }
            div.cards { @for vendor in &available {
                div.card {
                    h3 { (vendor::name(vendor.source)) }
                    p.small { "Counts " (vendor.source.metrics().join(", ")) }
                    p { a.button.plain href=(address(vendor.source, "/setting")) { "Set up " (vendor::name(vendor.source)) } }
                }
            } }
        }
    }))
}

fn row(source: &Source, zone: &str) -> Markup {
    html! { tr {
        td { a href=(address(source.source, "")) { (vendor::name(source.source)) } }
        td { @for (index, (metric, product)) in source.products.iter().enumerate() { @if index > 0 { br; } (metric) " → " strong { (product) } } }
        td { @match (&source.going, &source.last_pull) {
            (Some(_), _) => (badge("going on", Tone::Wait)),
            (None, Some(last)) => { (how(last.status)) " " (when::at(last.at, zone)) @if let Some(explanation) = &last.explanation { br; span.small { (explanation) } } },
            (None, None) => "none yet",
        } }
        td { (when::at(source.next_due_at, zone)) }
    } }
}

fn how(status: PullStatus) -> Markup {
    match status {
        PullStatus::Succeeded => badge("succeeded", Tone::Good),
        PullStatus::Partial => badge("partial", Tone::Wait),
        PullStatus::Failed => badge("failed", Tone::Bad),
    }
}

/// Below a source's page.
fn address(vendor: Vendor, end: &str) -> String {
    format!("/console/sources/{}{end}", vendor.as_str())
}

/// The vendor that an address names.
fn named(name: &str) -> Result<Vendor, Trouble> {
    Vendor::named(name).ok_or_else(|| Trouble::not_found("source"))
}

fn of_api(vendor: Vendor) -> String {
    path(&["v1", "sources", vendor.as_str()])
}

/// The time zone in which somebody reads what is of no connection: that of their first one.
pub(super) async fn zone(api: &Client) -> Result<String, Trouble> {
    let connections = connections_of(api).await?;
    let zone =
        connections.into_iter().find(|connection| !connection.is_revoked()).map(|connection| connection.time_zone);
    Ok(zone.unwrap_or_else(|| "UTC".to_owned()))
}
