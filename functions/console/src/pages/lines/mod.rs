//! A line: its units over time against what was counted, and everything that happened to it.

mod history;
mod units;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::routing::get;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use shared::store::runs::Mode;

use super::{connection, runs};
use crate::Deps;
use crate::client::told::List;
use crate::client::told::connection::Connection;
use crate::client::told::line::{Happened, LineState};
use crate::client::{Client, Trouble, path, with_query};
use crate::door::{Fields, Visitor};
use crate::view::page::Page;
use crate::view::{badge, lines, money, when};

/// Entries on a page.
const ON_A_PAGE: &str = "50";

pub(super) fn routes() -> Router<Deps> {
    Router::new().route("/console/connections/{id}/lines/{line}", get(line))
}

async fn line(
    visitor: Visitor,
    State(deps): State<Deps>,
    Path((id, line)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Markup, Trouble> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    let cursor = query.some("cursor");
    let api = visitor.api();
    let state = path(&["v1", "connections", &id, "lines", &line]);
    let (connection, state, happened, written) = tokio::join!(
        connection(&api, &id),
        api.find::<LineState>(&state),
        happened(&api, &id, &line, cursor),
        units::written(&api, &id, &line),
    );
    let (connection, state, happened, written) = (connection?, state?, happened?, written?);
    if state.is_none() && happened.items.is_empty() {
        return Err(Trouble::not_found("line"));
    }
    let zone = TimeZone::get(&connection.time_zone).unwrap_or(TimeZone::UTC);
    let today = deps.clock.now().to_zoned(zone.clone()).date();
    let drawn = match &state {
        Some(state) => Some(units::drawn(&api, state, &written, (today, &zone)).await?),
        None => None,
    };
    let here = path(&["console", "connections", &id, "lines", &line]);
    let title = match &state {
        Some(state) => format!("{} · {}", lines::name(&state.line.result), state.line.result.product),
        None => format!("Line {line}"),
    };
    Ok(Page::of(&visitor, &connection, "/lines", &title).with(&html! {
        @if let Some(state) = &state { (facts(state, &connection)) }
        @else { p.warning { "None of the last runs looked at this line: it is mapped no more, or its connection stands still. What happened to it stays." } }
        @if let Some(drawn) = drawn { (drawn) }
        h2 { "Everything that happened" }
        (history::of(&happened, &connection.time_zone, &here))
    }))
}

async fn happened(api: &Client, id: &str, line: &str, cursor: Option<&str>) -> Result<List<Happened>, Trouble> {
    let query = [("line", Some(line)), ("limit", Some(ON_A_PAGE)), ("cursor", cursor)];
    api.get(&with_query(&path(&["v1", "connections", id, "history"]), &query)).await
}

fn facts(state: &LineState, Connection { id: connection, time_zone: zone, .. }: &Connection) -> Markup {
    let result = &state.line.result;
    let run = match state.mode {
        Mode::Preview => "preview",
        Mode::Apply => "sync",
    };
    html! {
        dl.facts {
            dt { "Now" } dd { (badge::line(result.status)) " by the " a href=(runs::address(&state.run_id)) { (run) " of " (when::at(state.at, zone)) } }
            dt { "Units" } dd {
                @match result.before { Some(units) => { "the PSA had " strong { (units) } }, None => "the PSA's could not be read" }
                @if let Some(units) = result.target { ", usage makes it " strong { (units) } }
                @if let Some(units) = result.after.filter(|_| result.before != result.after) { ", read back " strong { (units) } }
            }
            @if let Some(units) = result.last_confirmed { dt { "Confirmed before" } dd {
                (units) @if let Some(day) = result.last_confirmed_from { " from " (day) }
            } }
            @if let Some(money) = &result.money {
                @if let Some(price) = &money.unit_price { dt { "Price of a unit" } dd { (money::amount(price, money.currency.as_ref())) } }
                @if let Some(cost) = &money.unit_cost { dt { "Cost of a unit" } dd { (money::amount(cost, money.currency.as_ref())) } }
            }
            @if let Some(rule) = &result.rule { dt { "By its rule" } dd { (rule) } }
            dt { "In the PSA" } dd { "account " code { (result.account_id) } ", contract " code { (result.contract_id) } ", service " code { (result.service_id) } }
            dt { "Counted from" } dd {
                @for (index, feed) in result.feeds.iter().enumerate() {
                    @if index > 0 { ", " } (feed.company) " · " (feed.product) " (" (feed.quantity) ")"
                }
                @if result.feeds.is_empty() && result.fix.is_empty() { "nothing that is counted" }
                @else if result.feeds.is_empty() {
                    "no count was taken, because of what is said below. "
                    a href=(with_query("/console/usage", &[("company", Some(result.company.as_str())), ("product", Some(result.product.as_str()))])) { "Its usage" }
                }
            }
        }
        // Of a line that is well the rule says it all.
        @if !result.fix.is_empty() {
            div.warning { p { (result.explanation) } (lines::to_do(connection, result)) }
        }
    }
}
