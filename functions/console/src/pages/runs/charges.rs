//! The metered charges of a run.

use maud::{Markup, html};
use shared::domain::charge::{Amounts, ChargeResult};

use super::{ON_A_PAGE, address};
use crate::client::told::List;
use crate::client::told::results::Charge;
use crate::client::told::run::Run;
use crate::client::{Client, Trouble, path, with_query};
use crate::door::Visitor;
use crate::view::{badge, money, sums, table};

pub(super) async fn part(api: &Client, visitor: &Visitor, run: &Run, cursor: Option<&str>) -> Result<Markup, Trouble> {
    let query = [("limit", Some(ON_A_PAGE)), ("cursor", cursor)];
    let list: List<Charge> = api.get(&with_query(&path(&["v1", "runs", &run.id, "charges"]), &query)).await?;
    if list.items.is_empty() {
        return Ok(
            html! { p.empty { "This run has no metered charges: what a vendor charges by use, once a billing period." } },
        );
    }
    let next = list
        .next_cursor
        .as_deref()
        .map(|cursor| with_query(&address(&run.id), &[("part", Some("charges")), ("cursor", Some(cursor))]));
    let head = ["Company and product", "Charge", "Period", "Status", "#Price", "#Cost", "Why, and what to do"];
    let charges = &run.charges;
    Ok(html! {
        p { (badge::counts(&charges.counts)) }
        @for (name, of) in [("Planned", &charges.planned), ("Written", &charges.written), ("Held", &charges.held)] {
            @if !of.is_empty() { p { strong { (name) ": " } (sums::of_charges(of)) } }
        }
        (table::table("Charges", &head, &html! { @for charge in &list.items { (row(&charge.result)) } }))
        @if visitor.may_change() && list.items.iter().any(|charge| charge.approvable) {
            p.hint { "Charges that wait are approved with everything else of the run: “Approve all that waits”." }
        }
        (table::next(next.as_deref()))
    })
}

fn row(charge: &ChargeResult) -> Markup {
    html! { tr {
        td { @if charge.company_name.is_empty() { (charge.company) } @else { (charge.company_name) } br; (charge.product) }
        td { (charge.name) @if let Some(meter) = &charge.meter { br; span.small { (meter) } } }
        td { (charge.period_start) " to " (charge.period_end) }
        td { (badge::line(charge.status)) @if !charge.code.is_empty() { br; code.small { (charge.code) } } }
        td.number { (step(charge, |amounts| amounts.price)) }
        td.number { (step(charge, |amounts| amounts.cost)) }
        td.why {
            @if !charge.explanation.is_empty() { p { (charge.explanation) } }
            @if !charge.fix.is_empty() { p { strong { "What to do: " } (charge.fix) } }
        }
    } }
}

fn step(charge: &ChargeResult, of: fn(Amounts) -> shared::domain::money::Money) -> Markup {
    let (before, target) = (charge.before.map(of), charge.target.map(of));
    html! { @match (before, target) {
        (_, None) => "–",
        (Some(before), Some(target)) if before != target => { (before) " → " (money::amount(&target, charge.currency.as_ref())) },
        (_, Some(target)) => (money::amount(&target, charge.currency.as_ref())),
    } }
}
