//! How units are priced: in words, and as fields of a form.

use maud::{Markup, html};
use serde_json::{Map, Value};
use shared::store::mappings::{Price, UnitCost, UnitPrice};

use super::field::{Ask, Form};
use super::rule::{number_in, word};
use crate::door::Fields;

/// What stands first among unit costs for a product.
pub(crate) const LEFT_ALONE: &str = "Leave unit cost and unit price alone";

/// The same for what is different from a product: the product's price would come in for one that says nothing.
pub(crate) const TO_CHOOSE: &str = "Choose one …";

const COSTS: [(&str, &str); 3] = [
    ("from_usage", "The unit cost that comes with usage"),
    ("fixed", "A fixed unit cost"),
    ("none", "Write no unit cost and no unit price"),
];

const PRICES: [(&str, &str); 2] =
    [("markup", "Unit cost plus markup, where one applies"), ("keep", "Leave the unit price alone")];

/// As a sentence.
pub(crate) fn in_words(price: Option<&Price>) -> String {
    let Some(price) = price else { return "left alone".to_owned() };
    let cost = match (price.unit_cost, price.fixed) {
        (UnitCost::None, _) => return "none is written".to_owned(),
        (UnitCost::FromUsage, _) => "unit cost from usage".to_owned(),
        (UnitCost::Fixed, None) => "a fixed unit cost".to_owned(),
        (UnitCost::Fixed, Some(fixed)) => {
            let currency = price.currency.as_ref().map(|currency| format!(" {currency}")).unwrap_or_default();
            format!("unit cost {fixed}{currency}")
        }
    };
    match (price.unit_price, price.markup_percent) {
        (UnitPrice::Keep, _) => format!("{cost}, unit price left alone"),
        (UnitPrice::Markup, Some(markup)) => format!("{cost}, unit price {markup} % above it"),
        (UnitPrice::Markup, None) => format!("{cost}, unit price by the connection's markup"),
    }
}

/// The fields. Their names begin with `prefix`; `pointer` is where the API finds the price; `none` is what it means to say none.
pub(crate) fn fields(form: &Form<'_>, prefix: &str, pointer: &str, none: &str) -> Markup {
    let costs: Vec<(&str, &str)> = [("", none)].into_iter().chain(COSTS).collect();
    let name = |field: &str| format!("{prefix}{field}");
    let at = |field: &str| format!("{pointer}/{field}");
    let text =
        |field: &str, label: &str, hint: &str| form.text(Ask { name: &name(field), label, hint, pointer: &at(field) });
    html! {
        (form.choice(Ask { name: &name("unit_cost"), label: "Unit cost", hint: "", pointer: &at("unit_cost") }, &costs))
        (text("fixed", "Fixed unit cost", "An amount such as 12.50, where the cost is fixed."))
        (text("currency", "Its currency", "Such as EUR, where the cost is fixed. Empty: that of each contract."))
        (form.choice(Ask { name: &name("unit_price"), label: "Unit price", hint: "", pointer: &at("unit_price") }, &PRICES))
        (text("markup_percent", "Markup in percent", "Such as 25. Empty: the connection's markup, where it has one."))
        (form.number(Ask { name: &name("decimals"), label: "Digits after the point", hint: "Of the unit price, 0 to 4. Empty: those of the currency.", pointer: &at("decimals") }))
    }
}

/// Fills the fields in.
pub(crate) fn filled(fields: Fields, prefix: &str, price: Option<&Price>) -> Fields {
    let Some(price) = price else { return fields };
    let name = |field: &str| format!("{prefix}{field}");
    let mut fields =
        fields.with(&name("unit_cost"), word(price.unit_cost)).with(&name("unit_price"), word(price.unit_price));
    let texts = [
        ("fixed", price.fixed.map(|fixed| fixed.to_string())),
        ("currency", price.currency.as_ref().map(ToString::to_string)),
        ("markup_percent", price.markup_percent.map(|markup| markup.to_string())),
        ("decimals", price.decimals.map(|digits| u32::from(digits).to_string())),
    ];
    for (field, text) in texts {
        if let Some(text) = text {
            fields = fields.with(&name(field), text);
        }
    }
    fields
}

/// What was filled in, as the API takes it; `None` where prices are left alone. Amounts without a unit cost go out as they are:
/// the API asks for what they lack, and nothing that was typed is dropped unseen.
pub(crate) fn sent(fields: &Fields, prefix: &str) -> Option<Value> {
    let some = |field: &str| fields.some(&format!("{prefix}{field}"));
    let mut price = Map::new();
    for field in ["unit_cost", "fixed", "currency", "markup_percent"] {
        if let Some(text) = some(field) {
            price.insert(field.to_owned(), text.into());
        }
    }
    if let Some(digits) = some("decimals") {
        price.insert("decimals".to_owned(), number_in(digits));
    }
    if price.is_empty() {
        return None;
    }
    if let Some(word) = some("unit_price").filter(|word| *word != "markup") {
        price.insert("unit_price".to_owned(), word.into());
    }
    Some(price.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_price_that_is_filled_in_and_sent_is_the_same() {
        for (price, words) in [
            (json!({"unit_cost": "from_usage"}), "unit cost from usage, unit price by the connection's markup"),
            (
                json!({"unit_cost": "fixed", "fixed": "12.50", "currency": "EUR", "markup_percent": "25", "decimals": 2}),
                "unit cost 12.50 EUR, unit price 25 % above it",
            ),
            (json!({"unit_cost": "from_usage", "unit_price": "keep"}), "unit cost from usage, unit price left alone"),
            (json!({"unit_cost": "none"}), "none is written"),
        ] {
            let price: Price = serde_json::from_value(price).unwrap();
            let fields = filled(Fields::default(), "x.", Some(&price));
            assert_eq!(serde_json::from_value::<Price>(sent(&fields, "x.").unwrap()).unwrap(), price);
            assert_eq!(in_words(Some(&price)), words);
        }
    }

    #[test]
    fn nothing_that_was_typed_is_dropped_because_no_unit_cost_was_chosen() {
        let alone = Fields::default().with("unit_cost", "").with("unit_price", "markup");
        assert_eq!(sent(&alone, ""), None);
        assert_eq!(sent(&alone.clone().with("unit_price", "keep"), ""), None);
        assert_eq!(sent(&alone.with("fixed", "12.50"), ""), Some(json!({"fixed": "12.50"})));
    }
}
