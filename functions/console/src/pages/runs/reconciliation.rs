//! What usage says, what the PSA says and what was last written, side by side: gaps first, then every line.

use maud::{Markup, html};

use super::{ON_A_PAGE, address};
use crate::client::told::List;
use crate::client::told::results::{Compared, ComparedKind};
use crate::client::told::run::Run;
use crate::client::{Client, Trouble, path, with_query};
use crate::view::badge::{self, Tone};
use crate::view::{money, table};

pub(super) async fn part(api: &Client, run: &Run, cursor: Option<&str>) -> Result<Markup, Trouble> {
    let query = [("limit", Some(ON_A_PAGE)), ("cursor", cursor)];
    let list: List<Compared> = api.get(&with_query(&path(&["v1", "runs", &run.id, "reconciliation"]), &query)).await?;
    if list.items.is_empty() {
        return Ok(html! { p.empty { "This run compared nothing." } });
    }
    let next = list
        .next_cursor
        .as_deref()
        .map(|cursor| with_query(&address(&run.id), &[("part", Some("reconciliation")), ("cursor", Some(cursor))]));
    let head =
        ["About", "Of what kind", "#Counted", "#Should be", "#PSA", "#Last written", "#A month", "Why, and what to do"];
    let rows = html! { @for compared in &list.items { (row(run, compared)) } };
    Ok(html! {
        p.hint { "As this run read it. First what no line says: usage that is billed nowhere, lines without usage, contracts that end." }
        (table::table("Reconciliation", &head, &rows))
        (table::next(next.as_deref()))
    })
}

fn row(run: &Run, compared: &Compared) -> Markup {
    let Compared { kind, status, code, line_id, company, company_name, product, contract_id, .. } = compared;
    let name = company_name.as_deref().or(company.as_deref());
    html! { tr {
        td {
            @match (line_id, name) {
                (Some(line), name) => a href=(path(&["console", "connections", &run.connection_id, "lines", line])) { (name.unwrap_or(line)) },
                (None, Some(name)) => (name),
                (None, None) => "–",
            }
            @if let Some(product) = product { br; (product) }
            @if let (None, Some(contract)) = (line_id, contract_id) { br; code.small { (contract) } }
        }
        td {
            @match (kind, status) {
                (ComparedKind::Line, Some(status)) => (badge::line(*status)),
                _ => (badge::badge("gap", Tone::Wait)),
            }
            @if compared.drift { " " (badge::badge("drift", Tone::Wait)) }
            @if !code.is_empty() { br; code.small { (code) } }
        }
        td.number { (number(compared.counted.as_ref())) }
        td.number { (number(compared.target.as_ref())) }
        td.number { (number(compared.before.as_ref())) }
        td.number { (number(compared.last_confirmed.as_ref())) }
        td.number { (money::monthly(compared.money.as_ref())) }
        td.why {
            @if !compared.explanation.is_empty() { p { (compared.explanation) } }
            @if !compared.fix.is_empty() { p { strong { "What to do: " } (compared.fix) } }
            @if let Some(day) = compared.effective_date { p.small { "From " (day) } }
        }
    } }
}

fn number(number: Option<&impl ToString>) -> String {
    number.map_or_else(|| "–".to_owned(), ToString::to_string)
}
