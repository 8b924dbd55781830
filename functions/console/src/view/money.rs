//! Amounts of money: always with their currency, and with the sign where they are a difference.

use maud::{Markup, html};
use shared::domain::money::{Currency, LineMoney, Money, Sum};

/// An amount as it is.
pub(crate) fn amount(money: &Money, currency: Option<&Currency>) -> Markup {
    html! { span.money { (money) @if let Some(currency) = currency { " " (currency) } } }
}

/// A difference, with its sign: what more is billed from now on, or less.
pub(crate) fn difference(money: &Money, currency: Option<&Currency>) -> Markup {
    let text = money.to_string();
    let falls = text.starts_with('-');
    html! {
        span class=(if falls { "money falls" } else { "money rises" }) {
            @if !falls { "+" } (text) @if let Some(currency) = currency { " " (currency) }
        }
    }
}

/// By how much a month's invoices change; a dash where the PSA shows no price.
pub(crate) fn monthly(money: Option<&LineMoney>) -> Markup {
    match money.and_then(|money| money.monthly_price.as_ref().map(|price| (price, money.currency.as_ref()))) {
        Some((price, currency)) => difference(price, currency),
        None => html! { "–" },
    }
}

/// What changes come to a month, by currency.
pub(crate) fn sums(sums: &[Sum]) -> Markup {
    html! {
        @for (index, sum) in sums.iter().enumerate() {
            @if index > 0 { ", " }
            (difference(&sum.monthly_price, sum.currency.as_ref()))
        }
        @if sums.is_empty() { "0" }
    }
}
