//! Lines of a run: what would change or has, from when, for how much money, why, and what to do about it.

use maud::{Markup, html};
use shared::domain::line::{LinePrice, LineResult};
use shared::domain::units::Units;

use super::{badge, counted, mend, money, table};
use crate::client::path;
use crate::client::told::run::Line;

/// The table. With `pick`, lines that can be approved have a box to choose them by.
pub(crate) fn table(connection: &str, lines: &[Line], pick: bool) -> Markup {
    let mut head = vec!["Company and product", "Status", "#Units", "From", "#A month", "Why, and what to do"];
    if pick {
        head.insert(0, "Choose");
    }
    table::table("Lines", &head, &html! { @for line in lines { (row(connection, line, pick)) } })
}

fn row(connection: &str, line: &Line, pick: bool) -> Markup {
    let result = &line.result;
    let name = name(result);
    html! { tr {
        @if pick { td { @if line.approvable {
            input type="checkbox" name="line" value=(result.line_id) aria-label={ "Choose " (name) ", " (result.product) };
        } } }
        td {
            a href=(path(&["console", "connections", connection, "lines", &result.line_id])) { (name) } br;
            (result.product) br; code.small { (result.line_id) }
        }
        td { (badge::line(result.status)) @if !result.code.is_empty() { br; code.small { (result.code) } } }
        td.number.tight { (units(line)) }
        td.tight { @if let Some(day) = result.effective_date { (day) } @else { "–" }
            @if result.prorated { br; span.small { "prorated" } } }
        td.number { (money::monthly(result.money.as_ref())) }
        td.why {
            @if !result.explanation.is_empty() { p { (result.explanation) } }
            @if !result.fix.is_empty() { (to_do(connection, result)) }
            (feeds(result))
        }
    } }
}

/// What is to be done about a line, and the page where it is done, where there is one.
pub(crate) fn to_do(connection: &str, result: &LineResult) -> Markup {
    html! { p {
        strong { "What to do: " } (result.fix)
        @if let Some((place, label)) = mend::at(connection, &result.code, result.company.as_str(), result.product.as_str()) {
            " " a href=(place) { (label) }
        }
    } }
}

/// Whose line it is.
pub(crate) fn name(result: &LineResult) -> &str {
    if result.company_name.is_empty() { result.company.as_str() } else { &result.company_name }
}

fn units(line: &Line) -> Markup {
    let LineResult { before, target, after, prices, .. } = &line.result;
    let shown = |units: &Option<Units>| html! { @match units { Some(units) => (units), None => "?" } };
    html! {
        @match (before, target) {
            (None, None) => "–",
            (Some(before), Some(target)) if before == target => (before),
            _ => { (shown(before)) " → " strong { (shown(target)) } },
        }
        @if let Some(difference) = line.difference.filter(|difference| *difference != 0) {
            br; span.small { (format!("{difference:+}")) }
        }
        @if let (Some(after), Some(target)) = (after, target) { @if after != target {
            br; span.small { "read back: " (after) }
        } }
        @if let Some(prices) = prices {
            @for (name, price) in [("cost", prices.unit_cost), ("price", prices.unit_price)] {
                @if let Some(price) = price { br; span.small { (name) " " (repriced(&price)) } }
            }
        }
    }
}

fn repriced(price: &LinePrice) -> Markup {
    html! { @match &price.before { Some(before) => (before), None => "?" } " → " (price.target) }
}

fn feeds(result: &LineResult) -> Markup {
    html! { @if !result.feeds.is_empty() {
        details {
            summary { "Counted: " (counted(result.feeds.len() as u64, "feed", "feeds")) }
            ul { @for feed in &result.feeds {
                li { (feed.company) " · " (feed.product) ": " strong { (feed.quantity) } " " code.small { (feed.snapshot) } }
            } }
            @if let Some(rule) = &result.rule { p.small { (rule) } }
        }
    } }
}
