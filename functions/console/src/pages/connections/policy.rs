//! The policy of a connection, as a form: from when changes count, which wait for a person, and what drift means.
//!
//! Each field is called as the API calls the place it stands at, with a dot between names. What is typed is sent as it is:
//! whether it is a number, and one that fits, the API says.

use axum::extract::Path;
use axum::http::Method;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use serde_json::{Map, Value, json};
use shared::psa::Psa;

use super::{address, done, policy_words};
use crate::client::told::connection::Connection;
use crate::client::{Trouble, path};
use crate::door::{Fields, Posted, Visitor};
use crate::pages::connection;
use crate::view::field::{self, Ask, Form};
use crate::view::only_looks;
use crate::view::page::Page;

/// How the text of a field becomes a value.
#[derive(Clone, Copy)]
enum Kind {
    Word,
    Number,
    Tick,
    /// A text that may be left empty, which means none.
    Maybe,
}

/// Every field, with the type of its value.
const FIELDS: [(&str, Kind); 19] = [
    ("effective_date.rises", Kind::Word),
    ("effective_date.falls", Kind::Word),
    ("guards.fall_percent", Kind::Number),
    ("guards.fall_units", Kind::Number),
    ("guards.rise_percent", Kind::Number),
    ("guards.rise_units", Kind::Number),
    ("guards.price_percent", Kind::Number),
    ("guards.charge_percent", Kind::Number),
    ("guards.charge_amount", Kind::Number),
    ("drift", Kind::Word),
    ("approval", Kind::Word),
    ("shadow", Kind::Tick),
    ("budget_percent", Kind::Number),
    ("stale_after_hours", Kind::Number),
    ("provision_services", Kind::Tick),
    ("markup.services", Kind::Maybe),
    ("markup.products", Kind::Maybe),
    ("currency", Kind::Maybe),
    ("billing_day", Kind::Number),
];

pub(super) async fn page(visitor: Visitor, Path(id): Path<String>) -> Result<Markup, Trouble> {
    let connection = connection(&visitor.api(), &id).await?;
    let fields = stored(&connection)?;
    Ok(form(&visitor, &connection, (&fields, &fields), None))
}

pub(super) async fn save(Path(id): Path<String>, Posted { visitor, fields }: Posted) -> Result<Response, Trouble> {
    let api = visitor.api();
    let connection = connection(&api, &id).await?;
    // Where a newer version has stored what this one does not understand, the whole replaces it.
    let before = if connection.not_understood.is_empty() { fields.before() } else { Fields::default() };
    let body = json!({ "policy": typed(&fields, |name| fields.get(name) != before.get(name)) });
    match api.tell(Method::PATCH, &path(&["v1", "connections", &id]), &body).await {
        Ok(()) => Ok(done(&connection.id, "policy")),
        Err(trouble) if trouble.can_be_mended() => {
            Ok((trouble.status, form(&visitor, &connection, (&fields, &fields.before()), Some(&trouble)))
                .into_response())
        }
        Err(trouble) => Err(trouble),
    }
}

/// The fields as the connection's policy has them.
fn stored(connection: &Connection) -> Result<Fields, Trouble> {
    let policy = serde_json::to_value(&connection.policy).map_err(Trouble::ours)?;
    Ok(FIELDS.iter().fold(Fields::default(), |fields, (name, _)| {
        let value = name.split('.').try_fold(&policy, |place, part| place.get(part));
        match value {
            Some(Value::String(text)) => fields.with(name, text),
            Some(Value::Number(number)) => fields.with(name, number),
            Some(Value::Bool(true)) => fields.with(name, "on"),
            _ => fields,
        }
    }))
}

/// What was typed in those fields that are `wanted`, as the API takes it.
fn typed(fields: &Fields, wanted: impl Fn(&str) -> bool) -> Value {
    let mut policy = Map::new();
    for (name, kind) in FIELDS.into_iter().filter(|(name, _)| wanted(name)) {
        let text = fields.get(name);
        let value = match kind {
            Kind::Word => text.into(),
            // What is no number is sent as it is, to be told what it must be.
            Kind::Number => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
            Kind::Tick => fields.is_on(name).into(),
            Kind::Maybe => fields.some(name).map_or(Value::Null, Value::from),
        };
        match name.split_once('.') {
            None => drop(policy.insert(name.to_owned(), value)),
            Some((object, part)) => {
                if let Some(object) = policy.entry(object).or_insert_with(|| json!({})).as_object_mut() {
                    object.insert(part.to_owned(), value);
                }
            }
        }
    }
    policy.into()
}

fn form(
    visitor: &Visitor,
    connection: &Connection,
    (fields, before): (&Fields, &Fields),
    trouble: Option<&Trouble>,
) -> Markup {
    let page = Page::of(visitor, connection, "", "How changes are made");
    if !visitor.may_change() {
        return page.with(&only_looks());
    }
    let form = Form::new(fields, trouble);
    page.with(&html! {
        (form.trouble())
        p { "The policy of the connection. It counts from the next sync on; nothing is written by saving it." }
        @if !connection.not_understood.is_empty() { p.warning { "A newer version of Tallyline has stored settings here that this one does not understand ("
            (connection.not_understood.join(", ")) "). Saving replaces those of the policy." } }
        form.stacked method="post" action=(address(&connection.id, "/policy")) {
            (field::ours(visitor))
            (field::before(before))
            (when(&form))
            (guards(&form))
            (people(&form))
            (prices(&form, connection.psa))
            (limits(&form))
            div.row {
                button type="submit" { "Save" }
                a.button.plain href=(address(&connection.id, "")) { "Leave it as it is" }
            }
        }
    })
}

fn ask(name: &'static str, pointer: &'static str, label: &'static str, hint: &'static str) -> Ask<'static> {
    Ask { name, label, hint, pointer }
}

fn when(form: &Form<'_>) -> Markup {
    html! { fieldset {
        legend { "From when changes count" }
        (form.choice(ask("effective_date.rises", "/policy/effective_date/rises", "More units count from", ""), &policy_words::FROM))
        (form.choice(ask("effective_date.falls", "/policy/effective_date/falls", "Fewer units count from",
            "A period that is approved and posted is never touched: the change then counts from the first free day after it."), &policy_words::FROM))
    } }
}

fn guards(form: &Form<'_>) -> Markup {
    html! { fieldset {
        legend { "Changes that wait for approval" }
        p.hint { "A change of units waits where it passes both, the percentage of what the PSA holds and the number of units." }
        div.pairs {
            (form.number(ask("guards.fall_percent", "/policy/guards/fall_percent", "A fall passes, in %", "")))
            (form.number(ask("guards.fall_units", "/policy/guards/fall_units", "and, in units", "")))
            (form.number(ask("guards.rise_percent", "/policy/guards/rise_percent", "A rise passes, in %", "")))
            (form.number(ask("guards.rise_units", "/policy/guards/rise_units", "and, in units", "")))
            (form.number(ask("guards.charge_percent", "/policy/guards/charge_percent", "A metered charge changes by, in %", "")))
            (form.number(ask("guards.charge_amount", "/policy/guards/charge_amount", "and, in its currency", "")))
        }
        (form.number(ask("guards.price_percent", "/policy/guards/price_percent", "A unit cost or unit price changes by, in %", "Up or down.")))
    } }
}

fn people(form: &Form<'_>) -> Markup {
    html! { fieldset {
        legend { "People" }
        (form.choice(ask("approval", "/policy/approval", "Approval", "Who approves all of a run approves what its guards hold as well."), &policy_words::APPROVAL))
        (form.choice(ask("drift", "/policy/drift", "Where somebody edited the contract in the PSA",
            "Units that are not what Tallyline last confirmed are called drift."), &policy_words::DRIFT))
        (form.tick(ask("shadow", "/policy/shadow", "Shadow mode", "Syncs run on schedule and show what they would change. Nothing is written, and nothing can be approved.")))
        (form.tick(ask("provision_services", "/policy/provision_services", "Make services that are missing",
            "In the catalogue or on a contract: each once, and only when a person has approved it.")))
    } }
}

fn prices(form: &Form<'_>, psa: Psa) -> Markup {
    let currency = match psa {
        Psa::Autotask => "Autotask says it itself: leave it empty.",
        Psa::KaseyaBms => "Three letters, such as EUR. BMS does not say it.",
    };
    html! { fieldset {
        legend { "Prices and metered charges" }
        (form.text(ask("markup.services", "/policy/markup/services", "Markup on unit costs, in %",
            "For products whose mapping keeps prices and names no markup of its own. Empty adds nothing.")))
        (form.text(ask("markup.products", "/policy/markup/products", "Markup on metered charges, in %", "For charges whose mapping names none of its own. Empty adds nothing.")))
        (form.text(ask("currency", "/policy/currency", "Currency of the PSA's amounts", currency)))
        (form.number(ask("billing_day", "/policy/billing_day", "Day on which billing periods of metered charges begin", "1 to 31; in a shorter month its last day.")))
    } }
}

fn limits(form: &Form<'_>) -> Markup {
    html! { fieldset {
        legend { "Limits" }
        (form.number(ask("stale_after_hours", "/policy/stale_after_hours", "Usage is stale after, in hours",
            "Without a new complete snapshot falls wait from then on; rises are written. 72 lets a weekend pass.")))
        (form.number(ask("budget_percent", "/policy/budget_percent", "Share of the PSA's hourly requests, in %",
            "A run stops there and goes on next time, so that your other integrations have room.")))
    } }
}

#[cfg(test)]
mod tests {
    use shared::domain::policy::Policy;

    use super::*;

    #[test]
    fn the_form_has_a_field_for_every_part_of_a_policy_and_sends_it_back_as_it_is() {
        let policy = Policy {
            shadow: true,
            currency: Some("EUR".parse().unwrap()),
            ..serde_json::from_value(json!({"markup": {"services": "12.5"}, "guards": {"fall_units": 9}})).unwrap()
        };
        let told = json!({
            "id": "conn_1", "psa": "autotask", "tenant": "t", "name": "n", "time_zone": "UTC", "policy": policy,
            "schedule": {"frequency": "daily", "hour": 2}, "enabled": true, "status": "active",
        });
        let connection: Connection = serde_json::from_value(told).unwrap();
        let sent = typed(&stored(&connection).unwrap(), |_| true);
        assert_eq!(sent, serde_json::to_value(&policy).unwrap());
    }

    #[test]
    fn what_is_no_number_is_sent_as_it_was_typed() {
        let sent = typed(&Fields::default().with("guards.fall_units", "many").with("billing_day", "15"), |_| true);
        assert_eq!((&sent["guards"]["fall_units"], &sent["billing_day"]), (&json!("many"), &json!(15)));
    }
}
