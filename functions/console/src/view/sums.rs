//! What changes come to a month: a row a currency, rises and falls apart. Amounts of different currencies are never added up.

use maud::{Markup, html};
use shared::domain::charge::ChargeSum;
use shared::domain::money::{Side, Sum};

use super::{counted, money, table};

/// A row a currency.
pub(crate) fn by_currency(caption: &str, sums: &[Sum]) -> Markup {
    let head = ["Currency", "#Rises", "#Falls", "#Together, a month", "Not in it"];
    let rows = html! { @for sum in sums { tr {
        th scope="row" { @match &sum.currency { Some(currency) => (currency), None => "not told by the PSA" } }
        td.number { (side(&sum.rises, sum)) }
        td.number { (side(&sum.falls, sum)) }
        td.number { (money::difference(&sum.monthly_price, sum.currency.as_ref())) }
        td { (without(sum)) }
    } } };
    table::table(caption, &head, &rows)
}

fn side(side: &Side, of: &Sum) -> Markup {
    html! {
        @if side.lines == 0 { "–" } @else {
            (money::difference(&side.monthly_price, of.currency.as_ref()))
            br; span.small { (counted(side.lines, "line", "lines")) }
        }
    }
}

fn without(sum: &Sum) -> Markup {
    html! { @match sum.lines_without_price {
        0 => "–",
        lines => { (counted(lines, "line", "lines")) " without a price in the PSA" },
    } }
}

/// What charges come to, once.
pub(crate) fn of_charges(sums: &[ChargeSum]) -> Markup {
    html! { @for (index, sum) in sums.iter().enumerate() {
        @if index > 0 { ", " }
        (money::difference(&sum.price, Some(&sum.currency))) " on invoices, "
        (money::difference(&sum.cost, Some(&sum.currency))) " of cost ("
        (counted(sum.charges, "charge", "charges")) ")"
    } }
}
