//! How a service is made that the catalogue lacks: the part of a product's form for it.

use maud::{Markup, html};
use serde_json::{Map, Value};
use shared::domain::provision::Provision;

use crate::door::Fields;
use crate::view::field::{Ask, Form};
use crate::view::rule;

const FIELDS: [(&str, &str, &str); 6] = [
    ("name", "Name", "The one active service of exactly this name is used where there is one."),
    ("billing_code", "Billing code", "Exactly the name of an active billing code for recurring services."),
    ("unit_price", "Unit price", "In the catalogue's currency, such as 5.00."),
    ("unit_cost", "Unit cost", "May be left out."),
    ("vendor", "Vendor", "Exactly the name of an active vendor. May be left out."),
    ("description", "Description", "May be left out."),
];

const PERIODS: [(&str, &str); 4] =
    [("monthly", "monthly"), ("quarterly", "quarterly"), ("semi_annual", "twice a year"), ("yearly", "yearly")];

fn name(field: &str) -> String {
    format!("provision.{field}")
}

pub(super) fn shown(form: &Form<'_>, fields: &Fields) -> Markup {
    let text = |(field, label, hint): (&str, &str, &str)| {
        form.text(Ask { name: &name(field), label, hint, pointer: &format!("/provision/{field}") })
    };
    html! {
        details open[fields.is_on("make")] {
            summary { "Have the service made where the catalogue lacks it" }
            p.hint { "It is made once, when a person has approved it in a preview or run." }
            (form.tick(Ask { name: "make", label: "Make it as said below", hint: "The service above may be left empty then.", pointer: "/provision" }))
            @for field in FIELDS { (text(field)) }
            (form.choice(Ask { name: "provision.period", label: "Billed", hint: "", pointer: "/provision/period" }, &PERIODS))
        }
    }
}

pub(super) fn filled(fields: Fields, provision: Option<&Provision>) -> Fields {
    let Some(provision) = provision else { return fields };
    let texts = [
        ("name", Some(provision.name.clone())),
        ("billing_code", Some(provision.billing_code.clone())),
        ("unit_price", Some(provision.unit_price.to_string())),
        ("unit_cost", provision.unit_cost.map(|cost| cost.to_string())),
        ("vendor", provision.vendor.clone()),
        ("description", provision.description.clone()),
        ("period", Some(rule::word(provision.period))),
    ];
    let said = texts.into_iter().filter_map(|(field, text)| Some((field, text?)));
    said.fold(fields.with("make", "on"), |fields, (field, text)| fields.with(&name(field), text))
}

pub(super) fn sent(fields: &Fields) -> Option<Value> {
    if !fields.is_on("make") {
        return None;
    }
    let all = FIELDS.into_iter().map(|(field, ..)| field).chain(["period"]);
    let said = all.filter_map(|field| Some((field.to_owned(), Value::from(fields.some(&name(field))?))));
    Some(said.collect::<Map<_, _>>().into())
}
