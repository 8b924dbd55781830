//! Usage: what is counted, how fresh that is, and how it went over time, of all companies or of one.

mod charts;
mod counts;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::routing::get;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use shared::sources::Vendor;

use super::sources::zone;
use crate::Deps;
use crate::client::told::List;
use crate::client::told::usage::{Count, Counted};
use crate::client::{Client, Trouble, with_query};
use crate::door::{Fields, Visitor};
use crate::view::badge::{Tone, badge};
use crate::view::page::{Page, Place};
use crate::view::{empty, table, vendor, when};

pub(super) use counts::counts;

/// After so many hours counts are stale where a policy says nothing else.
const STALE_HOURS: i64 = 72;
/// Companies that fill a page, and pages of counts that are read for it: those of a product that few have may be empty.
const COMPANIES: usize = 50;
const MOST_PAGES: usize = 5;
/// How far back the companies of a product are listed from, in hours: that of a count a day, and of one that is late.
const LATELY_HOURS: i64 = 48;

pub(super) fn routes() -> Router<Deps> {
    Router::new().route("/console/usage", get(page)).route("/console/usage/totals", get(totals))
}

async fn page(visitor: Visitor, State(deps): State<Deps>, RawQuery(query): RawQuery) -> Result<Markup, Trouble> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    let (api, now) = (visitor.api(), deps.clock.now());
    let (products, zone) = tokio::join!(api.get::<List<Counted>>("/v1/usage/products?limit=100"), zone(&api));
    let (products, zone) = (products?.items, zone?);
    let product = query.some("product").or(products.first().map(|counted| counted.product.as_str()));
    let today = now.to_zoned(TimeZone::get(&zone).unwrap_or(TimeZone::UTC)).date();
    let company = query.some("company");
    let body = match (product, company) {
        (None, _) => html! {},
        (Some(product), Some(company)) => charts::of_company(&api, product, company, (today, &zone)).await?,
        (Some(product), None) => html! {
            h2 { (product) ", all companies" }
            @if query.is_on("sum") { (charts::totals(&api, product, (today, &zone)).await?) } @else { (later(product)) }
            (companies(&api, product, now, &zone, &query).await?)
        },
    };
    Ok(Page::new(&visitor, Place::Usage, "Usage").with(&html! {
        @if products.is_empty() {
            (empty("Nothing is counted yet. Set up a source that is pulled, or push counts to the API.", Some(("/console/sources", "To the sources"))))
        } @else {
            (fresh(&products, now, &zone))
            (choose(&products, product, company))
        }
        (body)
    }))
}

/// The sums are of every company: they are loaded after the page.
async fn totals(visitor: Visitor, State(deps): State<Deps>, RawQuery(query): RawQuery) -> Result<Markup, Trouble> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    let api = visitor.api();
    let zone = zone(&api).await?;
    let today = deps.clock.now().to_zoned(TimeZone::get(&zone).unwrap_or(TimeZone::UTC)).date();
    charts::totals(&api, query.get("product"), (today, &zone)).await
}

fn later(product: &str) -> Markup {
    let product = [("product", Some(product)), ("sum", Some("yes"))];
    html! {
        div.busy hx-get=(with_query("/console/usage/totals", &product)) hx-trigger="load" hx-swap="outerHTML" {
            p { "Counts of all companies are added up. " a href=(with_query("/console/usage", &product)) { "Show the sum" } }
        }
    }
}

fn fresh(products: &[Counted], now: Timestamp, zone: &str) -> Markup {
    let head = ["Product", "Newest complete snapshot", "How fresh", "Comes from"];
    table::table(
        "Products that are counted",
        &head,
        &html! { @for counted in products { tr {
            td { a href=(with_query("/console/usage", &[("product", Some(&counted.product))])) { (counted.product) } }
            td { (when::at(counted.as_of, zone)) br; code.small { (counted.snapshot_id) } }
            td { (age(now.duration_since(counted.as_of))) }
            td { @match counted.source.as_deref().and_then(Vendor::named) { Some(source) => (vendor::name(source)), None => "pushed to the API" } }
        } } },
    )
}

fn age(age: SignedDuration) -> Markup {
    let hours = age.as_hours().max(0);
    let told = match hours {
        0 => "less than an hour old".to_owned(),
        1 => "1 hour old".to_owned(),
        2..48 => format!("{hours} hours old"),
        _ => format!("{} days old", hours / 24),
    };
    html! {
        @if hours >= STALE_HOURS { (badge("stale", Tone::Bad)) " " (told) br; span.small { "Falls wait until a new complete snapshot comes, after 72 hours where the policy says nothing else." } }
        @else { (badge("fresh", Tone::Good)) " " (told) }
    }
}

fn choose(products: &[Counted], product: Option<&str>, company: Option<&str>) -> Markup {
    html! {
        form.row.inline method="get" action="/console/usage" {
            label for="product" { "Product" }
            select id="product" name="product" { @for counted in products {
                option value=(counted.product) selected[product == Some(&counted.product)] { (counted.product) }
            } }
            label for="company" { "Company, by its id" }
            input id="company" name="company" type="search" value=(company.unwrap_or_default()) autocomplete="off";
            button type="submit" { "Show" }
        }
    }
}

/// The newest counts, company by company.
async fn companies(api: &Client, product: &str, now: Timestamp, zone: &str, page: &Fields) -> Result<Markup, Trouble> {
    // A cursor is bound to its list: the list of the next page begins where this one does.
    let lately = || now.checked_sub(SignedDuration::from_hours(LATELY_HOURS)).unwrap_or(now).to_string();
    let from = page.some("from").map_or_else(lately, str::to_owned);
    let (newest, cursor) = newest(api, product, &from, page.some("cursor")).await?;
    let next = cursor.as_deref();
    let next = next.map(|cursor| {
        with_query("/console/usage", &[("product", Some(product)), ("from", Some(&from)), ("cursor", Some(cursor))])
    });
    Ok(html! {
        h2 { "Counted in the last two days" }
        @if newest.is_empty() && next.is_some() { p { "Nothing of " (product) " was found among the counts that were read so far." } }
        @else if newest.is_empty() && page.some("cursor").is_some() { p { "Nothing more of " (product) " was counted." } }
        @else if newest.is_empty() { p.empty { "Nothing of " (product) " was counted in the last two days." } } @else {
            (table::table("Counts of the last two days", &["Company", "#Count", "As of", "Snapshot"], &html! { @for count in newest.values() { tr {
                td { a href=(with_query("/console/usage", &[("product", Some(product)), ("company", Some(&count.company))])) {
                    (count.company_name.as_deref().unwrap_or(&count.company)) } br; code.small { (count.company) } }
                td.number { (count.quantity) }
                td { (when::at(count.as_of, zone)) }
                td { code.small { (count.snapshot_id) } @if !count.complete { " " (badge("incomplete", Tone::Wait)) } }
            } } }))
        }
        (table::next(next.as_deref()))
    })
}

/// Of each company its newest count since `from`, of those that some pages hold; and where to go on.
async fn newest(
    api: &Client,
    product: &str,
    from: &str,
    cursor: Option<&str>,
) -> Result<(BTreeMap<String, Count>, Option<String>), Trouble> {
    let (mut newest, mut cursor) = (BTreeMap::<String, Count>::new(), cursor.map(str::to_owned));
    for _ in 0..MOST_PAGES {
        let query =
            [("product", Some(product)), ("from", Some(from)), ("limit", Some("100")), ("cursor", cursor.as_deref())];
        let page: List<Count> = api.get(&with_query("/v1/usage", &query)).await?;
        for count in page.items {
            // A month's counts stand company by company in order of time, and after them those of the next month.
            let is_newer = |kept: &Count| (count.as_of, count.complete) >= (kept.as_of, kept.complete);
            if newest.get(&count.company).is_none_or(is_newer) {
                newest.insert(count.company.clone(), count);
            }
        }
        cursor = page.next_cursor;
        if cursor.is_none() || newest.len() >= COMPANIES {
            break;
        }
    }
    Ok((newest, cursor))
}
