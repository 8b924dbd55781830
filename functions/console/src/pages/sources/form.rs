//! The form of a source: what is asked for each vendor, what stands in it, and what is sent to the API.

use maud::{Markup, html};
use serde_json::{Map, Value, json};
use shared::api::pointer;
use shared::sources::{Filter, SourceCredentials, Vendor};

use crate::client::Trouble;
use crate::client::told::source::Source;
use crate::door::Fields;
use crate::view::field::{Ask, Form};

/// Rows for metrics whose names are the partner's to fill in: so many are empty, and there are no more than the API takes.
const EMPTY_ROWS: usize = 4;
const MOST_ROWS: usize = 500;

const WEEKDAYS: [(&str, &str); 7] = [
    ("monday", "Monday"),
    ("tuesday", "Tuesday"),
    ("wednesday", "Wednesday"),
    ("thursday", "Thursday"),
    ("friday", "Friday"),
    ("saturday", "Saturday"),
    ("sunday", "Sunday"),
];

/// All that is asked.
pub(super) fn asked(of: Vendor, is_set_up: bool, fields: &Fields, said: Option<&Trouble>) -> Markup {
    let form = Form::new(fields, said);
    html! {
        (form.trouble())
        fieldset {
            legend { "Credentials" }
            @if is_set_up { p.hint { "Leave them empty to keep those that are there. They are never shown." } }
            @for (name, hint) in credentials(of) {
                @let (id, at, label) = (format!("credentials.{name}"), pointer("/credentials", &name), spoken(&name));
                @let ask = Ask { name: &id, label: &label, hint, pointer: &at };
                @if is_secret(&name) { (form.secret(ask)) } @else { (form.text(ask)) }
            }
        }
        fieldset {
            legend { "What is counted" }
            p.hint { "Name the product that each metric is, such as edr. Leave empty what you don't bill. Several metrics of one product are added." }
            @for metric in fixed(of) {
                @let (id, at) = (format!("metric.{metric}"), pointer("/products", metric));
                (form.text(Ask { name: &id, label: metric, hint: "", pointer: &at }))
            }
            @if has_named(of) {
                p.hint { "A part of a name in braces is yours to fill in: " (named(of).collect::<Vec<_>>().join(", ")) "." }
                @for row in 0..(rows(fields) + EMPTY_ROWS).min(MOST_ROWS) { (named_row(&form, fields, row)) }
            }
        }
        @if !of.filters().is_empty() {
            fieldset { legend { "Choices" } @for filter in of.filters() { (filtered(&form, *filter, of)) } }
        }
        fieldset {
            legend { "When it is pulled" }
            (form.choice(Ask { name: "frequency", label: "How often", hint: "Have it come before the syncs, and daily for rules that look at each day.", pointer: "/schedule" },
                &[("", "every day, 90 minutes before the first sync"), ("daily", "daily"), ("weekly", "weekly"), ("monthly", "monthly")]))
            (form.number(Ask { name: "hour", label: "Hour, 0 to 23", hint: "", pointer: "/schedule/hour" }))
            (form.choice(Ask { name: "weekday", label: "Day of the week, where it is weekly", hint: "", pointer: "/schedule/weekday" }, &WEEKDAYS))
            (form.number(Ask { name: "day", label: "Day of the month, where it is monthly", hint: "In a shorter month its last day.", pointer: "/schedule/day" }))
            (form.text(Ask { name: "time_zone", label: "Time zone of the hour", hint: "Such as Europe/Berlin.", pointer: "/time_zone" }))
        }
        @if fields.is_on("take_over") || said.is_some_and(|said| said.code == "product_counted_otherwise") {
            (form.tick(Ask { name: "take_over", label: "Take these products over all the same",
                hint: "Companies have other names in this source than in what counted them so far. Remove the mappings of those, or each customer is billed twice.", pointer: "/take_over" }))
        }
    }
}

fn named_row(form: &Form<'_>, fields: &Fields, row: usize) -> Markup {
    let (metric, product) = (format!("named.{row}"), format!("named_product.{row}"));
    let at = pointer("/products", fields.get(&metric));
    let (one, other) = (format!("Metric {}", row + 1), format!("Product of metric {}", row + 1));
    html! { div.row {
        (form.text(Ask { name: &metric, label: &one, hint: "", pointer: &at }))
        (form.text(Ask { name: &product, label: &other, hint: "", pointer: "" }))
    } }
}

/// Rows up to the last one that something stands in.
fn rows(fields: &Fields) -> usize {
    let is_used = |row: &usize| fields.is_on(&format!("named.{row}")) || fields.is_on(&format!("named_product.{row}"));
    (0..MOST_ROWS).rev().find(is_used).map_or(0, |last| last + 1)
}

fn filtered(form: &Form<'_>, filter: Filter, of: Vendor) -> Markup {
    let at = pointer("/filters", filter.as_str());
    let ask = |label, hint| Ask { name: filter.as_str(), label, hint, pointer: &at };
    let choices = [("", "as usual"), ("true", "counts"), ("false", "does not count")];
    match filter {
        Filter::Trials => form.choice(ask("What is on trial", "Usually it does not count."), &choices),
        Filter::Suspended => {
            let usual = if of == Vendor::JumpCloud { "Usually it counts." } else { "Usually it does not count." };
            form.choice(ask("What is suspended", usual), &choices)
        }
        Filter::NfrCompany => {
            let hint = "The id that the vendor has for it. Seats for your own use are taken off its counts.";
            form.text(ask("The organization that is your own", hint))
        }
    }
}

/// The fields as they stand for a source; those of one that is new.
pub(super) fn filled(of: Vendor, source: Option<&Source>) -> Result<Fields, Trouble> {
    let Some(source) = source else { return Ok(Fields::default().with("time_zone", "UTC")) };
    let mut fields = Fields::default().with("time_zone", &source.time_zone);
    let mut row = 0;
    for (metric, product) in &source.products {
        if fixed(of).any(|fixed| fixed == metric) {
            fields = fields.with(&format!("metric.{metric}"), product);
        } else {
            fields = fields.with(&format!("named.{row}"), metric).with(&format!("named_product.{row}"), product);
            row += 1;
        }
    }
    let said = |of: Option<bool>| of.map_or("", |on| if on { "true" } else { "false" });
    fields = fields.with("trials", said(source.filters.trials)).with("suspended", said(source.filters.suspended));
    if let Some(company) = &source.filters.nfr_company {
        fields = fields.with("nfr_company", company);
    }
    let schedule = serde_json::to_value(source.schedule).map_err(Trouble::ours)?;
    for name in ["frequency", "hour", "weekday", "day"] {
        match schedule.get(name) {
            Some(Value::String(text)) => fields = fields.with(name, text),
            Some(other) => fields = fields.with(name, other),
            None => {}
        }
    }
    Ok(fields)
}

/// What is sent.
pub(super) fn body(of: Vendor, fields: &Fields) -> Value {
    let mut body = Map::new();
    let given = credentials(of).into_iter().filter_map(|(name, _)| {
        let value = fields.some(&format!("credentials.{name}"))?;
        Some((name, Value::from(value)))
    });
    let given: Map<String, Value> = given.collect();
    if !given.is_empty() {
        body.insert("credentials".to_owned(), given.into());
    }
    let fixed = fixed(of).filter_map(|metric| Some((metric.to_owned(), fields.some(&format!("metric.{metric}"))?)));
    let named = (0..rows(fields)).filter_map(|row| {
        let (metric, product) = (fields.get(&format!("named.{row}")), fields.get(&format!("named_product.{row}")));
        (!metric.is_empty() || !product.is_empty()).then_some((metric.to_owned(), product))
    });
    let products: Map<String, Value> = fixed.chain(named).map(|(metric, product)| (metric, product.into())).collect();
    body.insert("products".to_owned(), products.into());
    let filters = of.filters().iter().filter_map(|filter| {
        let value = match fields.some(filter.as_str())? {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            text => text.into(),
        };
        Some((filter.as_str().to_owned(), value))
    });
    body.insert("filters".to_owned(), filters.collect::<Map<_, _>>().into());
    if let Some(schedule) = schedule(fields) {
        body.insert("schedule".to_owned(), schedule);
    }
    body.insert("time_zone".to_owned(), fields.get("time_zone").into());
    if fields.is_on("take_over") {
        body.insert("take_over".to_owned(), true.into());
    }
    body.into()
}

/// Days that the frequency does not know are left out: their fields are always there.
fn schedule(fields: &Fields) -> Option<Value> {
    let frequency = fields.some("frequency")?;
    let number = |name: &str| match fields.get(name).parse::<i64>() {
        Ok(number) => Value::from(number),
        Err(_) => fields.get(name).into(),
    };
    let mut schedule = json!({ "frequency": frequency, "hour": number("hour") });
    match frequency {
        "weekly" => schedule["weekday"] = fields.get("weekday").into(),
        "monthly" => schedule["day"] = number("day"),
        _ => {}
    }
    Some(schedule)
}

fn fixed(of: Vendor) -> impl Iterator<Item = &'static str> {
    of.metrics().iter().copied().filter(|metric| !metric.contains('{'))
}

fn named(of: Vendor) -> impl Iterator<Item = &'static str> {
    of.metrics().iter().copied().filter(|metric| metric.contains('{'))
}

fn has_named(of: Vendor) -> bool {
    named(of).next().is_some()
}

/// The fields of its credentials, with a word on each: those that it can't be without, and those that it can.
fn credentials(of: Vendor) -> Vec<(String, &'static str)> {
    let hint = |name: &str| match (of, name) {
        (Vendor::Dropsuite, "host") => "As in dropsuite.us.",
        (Vendor::DattoRmm, "host") => "As in concord-api.centrastage.net.",
        _ => "",
    };
    let required = SourceCredentials::required(of).into_iter().map(|name| {
        let hint = hint(&name);
        (name, hint)
    });
    let optional: &[(&str, &str)] = match of {
        Vendor::JumpCloud => &[("region", "us or eu; us where it is empty.")],
        Vendor::Microsoft => &[("refresh_token", "Only where the application acts for a user.")],
        _ => &[],
    };
    required.chain(optional.iter().map(|(name, hint)| ((*name).to_owned(), *hint))).collect()
}

/// What must not be read over a shoulder, nor stand in the page again.
fn is_secret(name: &str) -> bool {
    ["key", "secret", "token"].iter().any(|word| name.contains(word))
}

/// `provider_id` as people say it.
fn spoken(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_a_setting_is_sent_as_it_was() {
        let source: Source = serde_json::from_value(json!({
            "source": "microsoft", "products": {"licenses:CFQ7/0001": "m365", "total:SPB": "spb"},
            "filters": {"trials": false}, "schedule": {"frequency": "weekly", "hour": 4, "weekday": "friday"},
            "time_zone": "Europe/Berlin", "next_due_at": "2026-11-21T12:00:00Z", "going": null, "last_pull": null,
        }))
        .unwrap();
        let sent = body(Vendor::Microsoft, &filled(Vendor::Microsoft, Some(&source)).unwrap());
        assert_eq!(
            sent,
            json!({
                "products": {"licenses:CFQ7/0001": "m365", "total:SPB": "spb"}, "filters": {"trials": false},
                "schedule": {"frequency": "weekly", "hour": 4, "weekday": "friday"}, "time_zone": "Europe/Berlin",
            })
        );
    }

    #[test]
    fn no_secret_stands_in_the_form_again() {
        let fields = Fields::parse(b"credentials.key=canary&credentials.secret=canary&metric.agents=edr");
        let shown = asked(Vendor::Huntress, false, &fields, None).into_string();
        assert!(!shown.contains("canary") && shown.contains("value=\"edr\""), "{shown}");
    }
}
