//! What is different for single products of a company: each a part of its form, under a number of its own.

use std::collections::BTreeSet;

use maud::{Markup, html};
use serde_json::{Map, Value};
use shared::domain::ids::ProductKey;
use shared::store::mappings::Override;

use crate::door::Fields;
use crate::view::field::{Ask, Form};
use crate::view::{price, rule};

/// More than the API takes.
const MOST: usize = 101;

fn name(number: usize, field: &str) -> String {
    format!("o{number}.{field}")
}

/// The products that the form has parts for, with their numbers.
fn products(fields: &Fields) -> Vec<(usize, String)> {
    let part = |number| Some((number, fields.some(&name(number, "product"))?.to_owned()));
    (0..MOST).filter_map(part).collect()
}

/// With what is stored.
pub(super) fn filled<'a>(fields: Fields, overrides: impl Iterator<Item = (&'a ProductKey, &'a Override)>) -> Fields {
    let mut fields = fields;
    for (number, (product, different)) in overrides.enumerate() {
        fields = fields.with(&name(number, "product"), product);
        let texts = [
            ("contract_id", different.contract_id.as_ref().map(ToString::to_string)),
            ("service_id", different.service_id.as_ref().map(ToString::to_string)),
            ("opening_units", different.opening_units.map(|units| units.to_string())),
            ("excluded", different.excluded.then(|| "on".to_owned())),
            ("own_rule", different.rule.as_ref().map(|_| "on".to_owned())),
            ("own_price", different.price.as_ref().map(|_| "on".to_owned())),
        ];
        for (field, text) in texts {
            if let Some(text) = text {
                fields = fields.with(&name(number, field), text);
            }
        }
        if let Some(own) = &different.rule {
            fields = rule::filled(fields, &name(number, ""), own);
        }
        fields = price::filled(fields, &name(number, ""), different.price.as_ref());
    }
    fields
}

/// With a part for `product`, if it has none.
pub(super) fn with(fields: Fields, product: &str) -> Fields {
    let parts = products(&fields);
    if parts.iter().any(|(_, found)| found == product) {
        return fields;
    }
    let number = parts.last().map_or(0, |(number, _)| number + 1);
    fields.with(&name(number, "product"), product)
}

/// The parts.
pub(super) fn shown(form: &Form<'_>, fields: &Fields) -> Markup {
    let parts = products(fields);
    html! {
        h2 { "Different for single products" }
        @if parts.is_empty() { p { "Nothing is: each product is billed on this contract as it is mapped." } }
        @for (number, product) in &parts { (part(form, fields, *number, product)) }
    }
}

/// The same for somebody who may look and not change.
pub(super) fn told<'a>(overrides: impl Iterator<Item = (&'a ProductKey, &'a Override)>) -> Markup {
    let each: Vec<(&ProductKey, String)> =
        overrides.map(|(product, different)| (product, in_words(different))).collect();
    html! { @if !each.is_empty() {
        h2 { "Different for single products" }
        dl.facts { @for (product, words) in &each { dt { (product) } dd { (words) } } }
    } }
}

fn in_words(different: &Override) -> String {
    let words = [
        different.excluded.then(|| "not billed for this company".to_owned()),
        different.contract_id.as_ref().map(|contract| format!("contract {contract}")),
        different.service_id.as_ref().map(|service| format!("service {service}")),
        different.opening_units.map(|units| format!("opening units {units}")),
        different.rule.as_ref().map(|own| format!("units: {}", rule::in_words(own))),
        different.price.as_ref().map(|own| format!("price: {}", price::in_words(Some(own)))),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn part(form: &Form<'_>, fields: &Fields, number: usize, product: &str) -> Markup {
    let at = format!("/overrides/{}", product.replace('~', "~0").replace('/', "~1"));
    let pointer = |field: &str| format!("{at}/{field}");
    let of = |field: &str| name(number, field);
    let text = |field: &str, label: &str, hint: &str| {
        form.text(Ask { name: &of(field), label, hint, pointer: &pointer(field) })
    };
    let tick = |field: &str, label: &str, hint: &str| {
        form.tick(Ask { name: &of(field), label, hint, pointer: &pointer(field) })
    };
    let prefix = of("");
    html! {
        fieldset {
            legend { (product) }
            input type="hidden" name=(of("product")) value=(product);
            (tick("excluded", "Not billed for this company", ""))
            (text("contract_id", "Another contract", "The id of another contract of the account. Empty: the one above."))
            (text("service_id", "Another service", "The id of another service of the catalogue. Empty: the product's."))
            (form.number(Ask { name: &of("opening_units"), label: "Opening units",
                hint: "What the line carries now, where the PSA does not show it (Kaseya BMS). Stated once; leave it as it is when you change something else.",
                pointer: &pointer("opening_units") }))
            details open[fields.is_on(&of("own_rule"))] {
                summary { "Another rule" }
                (tick("own_rule", "Count by the rule below and not by the product's", ""))
                (rule::fields(form, &prefix, &pointer("rule")))
            }
            details open[fields.is_on(&of("own_price"))] {
                summary { "Another price" }
                (tick("own_price", "Price by what is said below and not by the product's", ""))
                (price::fields(form, &prefix, &pointer("price"), price::TO_CHOOSE))
            }
            (tick("drop", "Take this out: bill it as every other company", ""))
        }
    }
}

/// The way to another part.
pub(super) fn adding(here: &str, fields: &Fields, known: &BTreeSet<String>) -> Markup {
    let parts = products(fields);
    let rest: Vec<&String> = known.iter().filter(|product| parts.iter().all(|(_, part)| part != *product)).collect();
    html! { @if !rest.is_empty() && parts.len() + 1 < MOST {
        form.row method="get" action={ (here) "#mapping" } {
            label for="add" { "Bill a product differently" }
            span.inline { select id="add" name="add" { @for product in rest { option value=(product) { (product) } } } }
            button.plain type="submit" { "Add" }
            span.small { "Save first what you have changed above." }
        }
    } }
}

/// What was filled in, as the API takes it.
pub(super) fn sent(fields: &Fields) -> Value {
    let mut overrides = Map::new();
    for (number, product) in products(fields) {
        if fields.is_on(&name(number, "drop")) {
            continue;
        }
        let mut different = Map::new();
        for field in ["contract_id", "service_id"] {
            if let Some(text) = fields.some(&name(number, field)) {
                different.insert(field.to_owned(), text.into());
            }
        }
        if fields.is_on(&name(number, "excluded")) {
            different.insert("excluded".to_owned(), true.into());
        }
        if let Some(units) = fields.some(&name(number, "opening_units")) {
            different.insert("opening_units".to_owned(), rule::number_in(units));
        }
        if fields.is_on(&name(number, "own_rule")) {
            different.insert("rule".to_owned(), rule::sent(fields, &name(number, "")));
        }
        if fields.is_on(&name(number, "own_price")) {
            // One that says nothing is asked for: left out, the product's price would come in for it.
            let own = price::sent(fields, &name(number, "")).unwrap_or_else(|| Map::new().into());
            different.insert("price".to_owned(), own);
        }
        overrides.insert(product, different.into());
    }
    overrides.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn overrides_that_are_shown_and_sent_are_the_same() {
        let stored = json!({
            "edr": {"contract_id": "7", "service_id": "8", "rule": {"counting": "latest", "exclude": 1, "minimum": 0, "rounding": "up"},
                "price": {"unit_cost": "fixed", "fixed": "2.00"}, "opening_units": 4},
            "sat": {"excluded": true},
        });
        let overrides: std::collections::BTreeMap<ProductKey, Override> =
            serde_json::from_value(stored.clone()).unwrap();
        let fields = filled(Fields::default(), overrides.iter());
        assert_eq!(sent(&fields), stored);
        let more = with(fields.clone(), "m365").with("o0.drop", "on");
        assert_eq!(sent(&more), json!({"sat": {"excluded": true}, "m365": {}}));
        assert_eq!(products(&with(fields, "sat")).len(), 2);
    }
}
