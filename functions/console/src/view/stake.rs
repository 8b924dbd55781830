//! What findings come to, a month: what is not billed yet and what is billed too much, each by itself. One would hide the other.

use std::collections::BTreeMap;

use maud::{Markup, html};
use rust_decimal::Decimal;
use shared::domain::money::{Currency, Money};

use super::money;
use crate::client::told::finding::Finding;

/// The sums of `findings` whose prices are known, by currency.
pub(crate) fn of(findings: &[Finding]) -> Markup {
    let sums = sums(findings);
    html! {
        @for (index, ((currency, too_much), sum)) in sums.iter().enumerate() {
            @if index > 0 { ", " }
            (money::difference(&Money::new(*sum), currency.as_ref()))
            span.small { @if *too_much { " billed too much" } @else { " not billed yet" } @if currency.is_none() { " (the PSA names no currency)" } }
        }
        @if sums.is_empty() { "–" }
    }
}

/// By currency, and whether it is billed too much. More than any number holds is left out, and nothing that is.
fn sums(findings: &[Finding]) -> BTreeMap<(Option<Currency>, bool), Decimal> {
    let mut sums = BTreeMap::<_, Decimal>::new();
    for money in findings.iter().filter_map(|finding| finding.money.as_ref()) {
        let Some(monthly) = money.monthly_price.map(Money::get).filter(|monthly| !monthly.is_zero()) else { continue };
        let sum = sums.entry((money.currency.clone(), monthly.is_sign_negative())).or_default();
        *sum = sum.checked_add(monthly).unwrap_or(*sum);
    }
    sums
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn finding(monthly: Option<&str>, currency: Option<&str>) -> Finding {
        let money = monthly.map(|monthly| json!({ "monthly_price": monthly, "currency": currency }));
        let at = "2026-11-21T12:00:00Z";
        serde_json::from_value(json!({
            "id": "f", "status": "open", "code": "c", "explanation": "e", "fix": "f", "money": money, "opened_at": at,
            "seen_at": at, "run_id": "r",
        }))
        .unwrap()
    }

    #[test]
    fn what_is_not_billed_and_what_is_billed_too_much_are_told_apart_and_so_are_currencies() {
        let euro = Some("EUR");
        let found = [
            finding(Some("12.50"), euro),
            finding(Some("0.10"), euro),
            finding(Some("-3"), euro),
            finding(Some("367.10"), None),
            finding(None, None),
        ];
        let text = of(&found).into_string().replace(|letter| "<>/\"=".contains(letter), " ");
        for sum in
            ["+367.10", "(the PSA names no currency)", "+12.60 EUR", "-3.00 EUR", " billed too much", " not billed yet"]
        {
            assert!(text.contains(sum), "{sum}: {text}");
        }
        assert_eq!(of(&found[4..]).into_string(), "–");
    }
}
