//! How counts become units: in words, and as fields of a form.

use jiff::civil::Date;
use maud::{Markup, html};
use serde_json::{Map, Value};
use shared::domain::rule::{Counting, Rounding, Rule};

use super::field::{Ask, Form};
use crate::door::Fields;

const COUNTING: [(&str, &str); 4] = [
    ("latest", "The newest count"),
    ("high_water_mark", "The highest count of the running billing period"),
    ("period_close", "The count on the last day of the month before"),
    ("average", "The average of the days of the running billing period"),
];

const ROUNDING: [(&str, &str); 3] =
    [("up", "Up to the next whole unit"), ("nearest", "To the nearest whole unit"), ("down", "Down")];

/// As a sentence.
pub(crate) fn in_words(rule: &Rule) -> String {
    let counting = match rule.counting {
        Counting::Latest => "the newest count",
        Counting::HighWaterMark => "the highest count of the billing period",
        Counting::PeriodClose => "the count at the end of the month before",
        Counting::Average => match rule.rounding {
            Rounding::Up => "the average of the billing period, rounded up",
            Rounding::Nearest => "the average of the billing period, rounded to the nearest unit",
            Rounding::Down => "the average of the billing period, rounded down",
        },
    };
    let mut words = vec![counting.to_owned()];
    if rule.exclude.get() > 0 {
        words.push(format!("less {} that are not billed", rule.exclude));
    }
    if rule.minimum.get() > 0 {
        words.push(format!("at least {}", rule.minimum));
    }
    if let Some(commitment) = rule.commitment {
        words.push(format!("at least {} until {}", commitment.units, commitment.until));
    }
    if let Some(maximum) = rule.maximum {
        words.push(format!("at most {maximum}"));
    }
    words.join(", ")
}

/// The fields. Their names begin with `prefix`; `pointer` is where the API finds the rule.
pub(crate) fn fields(form: &Form<'_>, prefix: &str, pointer: &str) -> Markup {
    let name = |field: &str| format!("{prefix}{field}");
    let at = |field: &str| format!("{pointer}/{field}");
    let number = |field: &str, label: &str, hint: &str, place: &str| {
        form.number(Ask { name: &name(field), label, hint, pointer: &at(place) })
    };
    html! {
        (form.choice(Ask { name: &name("counting"), label: "Which count is billed",
            hint: "An average counts each day; a day without a count carries the one before it.", pointer: &at("counting") }, &COUNTING))
        (number("exclude", "Units that are not billed", "Taken off the count, for example your own seats. 0 for none.", "exclude"))
        (number("minimum", "Minimum", "Never fewer units than this. 0 for none.", "minimum"))
        (number("maximum", "Maximum", "Never more units than this. Empty for none.", "maximum"))
        (number("commitment", "Committed units", "Never fewer than this until the day below, even where fewer are counted. Empty for none.", "commitment/units"))
        (form.text(Ask { name: &name("until"), label: "Committed until", hint: "The last day, such as 2027-06-30.", pointer: &at("commitment/until") }))
        (form.choice(Ask { name: &name("rounding"), label: "Rounding", hint: "Only an average is ever no whole number.", pointer: &at("rounding") }, &ROUNDING))
    }
}

/// Fills the fields in.
pub(crate) fn filled(fields: Fields, prefix: &str, rule: &Rule) -> Fields {
    let name = |field: &str| format!("{prefix}{field}");
    let fields = fields
        .with(&name("counting"), word(rule.counting))
        .with(&name("rounding"), word(rule.rounding))
        .with(&name("exclude"), rule.exclude)
        .with(&name("minimum"), rule.minimum);
    let fields = rule.maximum.iter().fold(fields, |fields, maximum| fields.with(&name("maximum"), maximum));
    rule.commitment.iter().fold(fields, |fields, commitment| {
        let until: Date = commitment.until;
        fields.with(&name("commitment"), commitment.units).with(&name("until"), until)
    })
}

/// What was filled in, as the API takes it.
pub(crate) fn sent(fields: &Fields, prefix: &str) -> Value {
    let some = |field: &str| fields.some(&format!("{prefix}{field}"));
    let mut rule = Map::new();
    for word in ["counting", "rounding"] {
        if let Some(text) = some(word) {
            rule.insert(word.to_owned(), text.into());
        }
    }
    for number in ["exclude", "minimum", "maximum"] {
        if let Some(text) = some(number) {
            rule.insert(number.to_owned(), number_in(text));
        }
    }
    if some("commitment").is_some() || some("until").is_some() {
        let mut commitment = Map::new();
        if let Some(units) = some("commitment") {
            commitment.insert("units".to_owned(), number_in(units));
        }
        if let Some(until) = some("until") {
            commitment.insert("until".to_owned(), until.into());
        }
        rule.insert("commitment".to_owned(), commitment.into());
    }
    rule.into()
}

/// A number, or the text as it is, for the API to say what is wrong with it.
pub(crate) fn number_in(text: &str) -> Value {
    text.parse::<u64>().map_or_else(|_| text.into(), Value::from)
}

/// A word as the API has it.
pub(crate) fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_that_is_filled_in_and_sent_is_the_same() {
        let whole: Rule =
            serde_json::from_value(json!({"counting": "average", "exclude": 2, "minimum": 5, "maximum": 90,
            "commitment": {"units": 10, "until": "2027-06-30"}, "rounding": "down"}))
            .unwrap();
        for rule in [whole.clone(), Rule::default()] {
            let fields = filled(Fields::default(), "x.", &rule);
            assert_eq!(serde_json::from_value::<Rule>(sent(&fields, "x.")).unwrap(), rule);
        }
        assert_eq!(
            in_words(&whole),
            "the average of the billing period, rounded down, less 2 that are not billed, at least 5, at least 10 until \
             2027-06-30, at most 90"
        );
    }

    #[test]
    fn what_is_no_number_is_left_for_the_api_to_refuse() {
        let fields = Fields::default().with("minimum", "ten");
        assert_eq!(sent(&fields, ""), json!({"minimum": "ten"}));
    }
}
