//! The metered charges of a run.

use maud::{Markup, html};
use shared::domain::charge::{Amounts, ChargeResult};

use super::approve::{Kind, boxes, may_choose};
use super::{ON_A_PAGE, address};
use crate::client::told::List;
use crate::client::told::connection::Connection;
use crate::client::told::results::Charge;
use crate::client::told::run::Run;
use crate::client::{Client, Trouble, path, with_query};
use crate::door::Visitor;
use crate::view::{badge, money, sums, table};

/// Where only those that wait for a person are shown, in the address and to the API.
const WAITING: &str = "planned,held";

/// A page of a run's charges.
pub(super) async fn page(
    api: &Client,
    run: &str,
    statuses: &str,
    cursor: Option<&str>,
) -> Result<List<Charge>, Trouble> {
    let query = [("status", Some(statuses)), ("limit", Some(ON_A_PAGE)), ("cursor", cursor)];
    api.get(&with_query(&path(&["v1", "runs", run, "charges"]), &query)).await
}

pub(super) async fn part(
    api: &Client,
    run: &Run,
    statuses: Option<&str>,
    cursor: Option<&str>,
) -> Result<Shown, Trouble> {
    // Nothing else is asked for, whatever stands in the address.
    let statuses = if statuses == Some(WAITING) { WAITING } else { "" };
    let list = page(api, &run.id, statuses, cursor).await?;
    Ok(Shown { list, statuses, cursor: cursor.map(str::to_owned) })
}

/// What stands on the page.
pub(super) struct Shown {
    list: List<Charge>,
    statuses: &'static str,
    cursor: Option<String>,
}

impl Shown {
    pub(super) fn with(&self, visitor: &Visitor, run: &Run, connection: &Connection) -> Markup {
        let here = |statuses: &str, cursor: Option<&str>| {
            with_query(&address(&run.id), &[("part", Some("charges")), ("status", Some(statuses)), ("cursor", cursor)])
        };
        let Self { list, statuses, cursor } = self;
        if list.items.is_empty() && statuses.is_empty() {
            return html! { p.empty { "This run has no metered charges: what a vendor charges by use, once a billing period." } };
        }
        let waiting = list.items.iter().filter(|charge| charge.approvable).count();
        let pick = may_choose(visitor, connection) && waiting > 0;
        let mut head =
            vec!["Company and product", "Charge", "Period", "Status", "#Price", "#Cost", "Why, and what to do"];
        if pick {
            head.insert(0, "Choose");
        }
        let table = table::table("Charges", &head, &html! { @for charge in &list.items { (row(charge, pick)) } });
        let charges = &run.charges;
        html! {
            p { (badge::counts(&charges.counts)) }
            @for (name, of) in [("Planned", &charges.planned), ("Written", &charges.written), ("Held", &charges.held)] {
                @if !of.is_empty() { p { strong { (name) ": " } (sums::of_charges(of)) } }
            }
            @if !statuses.is_empty() { p { a href=(here("", None)) { "All charges" } } }
            @else if charges.counts.planned + charges.counts.held > 0 { p { a href=(here(WAITING, None)) { "Only those that wait" } } }
            @if list.items.is_empty() { p.empty { "No charge is planned or held." } }
            @else if pick { (boxes(Kind::Charge, &run.id, waiting, (statuses, cursor.as_deref()), &table)) }
            @else { (table) }
            (table::next(list.next_cursor.as_deref().map(|cursor| here(statuses, Some(cursor))).as_deref()))
        }
    }
}

fn row(charge: &Charge, pick: bool) -> Markup {
    let Charge { result: charge, approvable } = charge;
    let name = if charge.company_name.is_empty() { charge.company.as_str() } else { &charge.company_name };
    html! { tr {
        @if pick { td { @if *approvable {
            input type="checkbox" name="charge" value=(charge.charge_id) aria-label={ "Choose " (name) ", " (charge.name) };
        } } }
        td { (name) br; (charge.product) }
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
