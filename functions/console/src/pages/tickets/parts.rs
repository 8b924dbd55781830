//! The fields of the PSA's own form: for every ticket, and laid over that for a severity or a kind of alert.

use std::collections::BTreeMap;

use maud::{Markup, html};
use serde_json::{Map, Value};
use shared::domain::ticketing::{FieldValue, TicketField, TicketForm};

use super::needs::value_of;
use crate::door::Fields;
use crate::view::field::{Ask, Form};

/// Parts that are laid over the defaults, as the form and the API call them.
#[derive(Clone, Copy)]
pub(super) struct Laid {
    /// Before the numbers of its parts.
    prefix: &'static str,
    /// In the API.
    field: &'static str,
    title: &'static str,
    label: &'static str,
}

pub(super) const LAID: [Laid; 2] = [
    Laid {
        prefix: "s",
        field: "by_severity",
        title: "Different by severity",
        label: "Severity, exactly as alerts send it",
    },
    Laid { prefix: "k", field: "by_kind", title: "Different by kind", label: "Kind, exactly as alerts send it" },
];

/// As many as the API takes, and one that is empty.
const MOST: usize = 51;

impl Laid {
    fn named(self, number: usize) -> String {
        format!("{}{number}.name", self.prefix)
    }

    fn below(self, number: usize) -> String {
        format!("{}{number}.f.", self.prefix)
    }

    /// The numbers of the parts that are filled in.
    fn parts(self, fields: &Fields) -> Vec<usize> {
        let is_used = |number: &usize| {
            fields.some(&self.named(*number)).is_some() || fields.below(&self.below(*number)).next().is_some()
        };
        (0..MOST).filter(is_used).collect()
    }

    pub(super) fn filled(self, fields: Fields, parts: &BTreeMap<String, BTreeMap<String, String>>) -> Fields {
        let mut fields = fields;
        for (number, (name, values)) in parts.iter().enumerate() {
            fields = fields.with(&self.named(number), name);
            for (field, value) in values {
                fields = fields.with(&format!("{}{field}", self.below(number)), value);
            }
        }
        fields
    }

    pub(super) fn sent(self, fields: &Fields) -> (String, Value) {
        let part = |number| {
            let name = fields.get(&self.named(number)).to_owned();
            (name, values(fields, &self.below(number)))
        };
        let parts: Map<String, Value> = self.parts(fields).into_iter().map(part).collect();
        (self.field.to_owned(), parts.into())
    }

    /// The parts that there are, and an empty one.
    pub(super) fn shown(self, form: &Form<'_>, fields: &Fields, of_psa: &TicketForm) -> Markup {
        let parts = self.parts(fields);
        let next = parts.last().map_or(0, |last| last + 1);
        html! {
            h3 { (self.title) }
            @for number in parts { (self.part(form, fields, of_psa, number)) }
            @if next < MOST { details { summary { "Add one" } (self.part(form, fields, of_psa, next)) } }
        }
    }

    fn part(self, form: &Form<'_>, fields: &Fields, of_psa: &TicketForm, number: usize) -> Markup {
        let name = fields.get(&self.named(number));
        let pointer = format!("/{}/{}", self.field, name.replace('~', "~0").replace('/', "~1"));
        let legend = if name.is_empty() { "A new one" } else { name };
        html! {
            fieldset {
                legend { (legend) }
                (form.text(Ask { name: &self.named(number), label: self.label, hint: "Empty it, and every choice below, to take this part out.", pointer: &pointer }))
                div.laid { @for field in &of_psa.fields {
                    (choice((form, fields, of_psa), field, (&self.below(number), &pointer), "as for all others"))
                } }
            }
        }
    }
}

/// The fields for every ticket.
pub(super) fn defaults(form: &Form<'_>, fields: &Fields, of_psa: &TicketForm) -> Markup {
    html! { div.laid { @for field in &of_psa.fields { (choice((form, fields, of_psa), field, ("d.", "/defaults"), "nothing")) } } }
}

/// What is usual, where nothing is stored.
pub(super) fn usual(fields: Fields, of_psa: &TicketForm) -> Fields {
    let usual = |field: &TicketField| {
        let value = field.values.iter().find(|value| value.is_default)?;
        Some((format!("d.{}", field.id), value.id.clone()))
    };
    of_psa.fields.iter().filter_map(usual).fold(fields, |fields, (name, value)| fields.with(&name, value))
}

/// What was chosen in the fields below `prefix`.
pub(super) fn values(fields: &Fields, prefix: &str) -> Value {
    let chosen = fields.below(prefix).map(|(field, value)| (field.to_owned(), Value::from(value)));
    chosen.collect::<Map<_, _>>().into()
}

fn choice(
    (form, fields, of_psa): (&Form<'_>, &Fields, &TicketForm),
    field: &TicketField,
    (prefix, pointer): (&str, &str),
    none: &str,
) -> Markup {
    let name = format!("{prefix}{}", field.id);
    let stored = fields.get(&name);
    let is_default = prefix == "d.";
    let label = if field.required && is_default { format!("{} (required)", field.label) } else { field.label.clone() };
    let other = field.depends_on.as_deref();
    let hint = other.map(|other| {
        let label = of_psa.field(other).map_or(other, |field| &field.label);
        format!("Goes with what is chosen for {label}.")
    });
    let words = |value: &FieldValue| match &value.parent {
        Some(parent) => {
            let with = other.map_or_else(|| parent.clone(), |other| value_of(of_psa, other, parent));
            format!("{} (with {with})", value.label)
        }
        None => value.label.clone(),
    };
    let mut choices: Vec<(String, String)> = vec![(String::new(), none.to_owned())];
    choices.extend(field.values.iter().map(|value| (value.id.clone(), words(value))));
    if !stored.is_empty() && field.values.iter().all(|value| value.id != stored) {
        choices.push((stored.to_owned(), format!("{stored}, which the PSA does not offer any more")));
    }
    let choices: Vec<(&str, &str)> = choices.iter().map(|(value, label)| (value.as_str(), label.as_str())).collect();
    let pointer = format!("{pointer}/{}", field.id);
    form.choice(
        Ask { name: &name, label: &label, hint: hint.as_deref().unwrap_or_default(), pointer: &pointer },
        &choices,
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parts_that_are_shown_and_sent_are_the_same_and_empty_ones_are_left_out() {
        let stored = json!({"critical": {"PriorityId": "61"}, "low": {"PriorityId": "64", "QueueId": "7"}});
        let parts = serde_json::from_value(stored.clone()).unwrap();
        let fields = LAID[0].filled(Fields::default(), &parts);
        assert_eq!(LAID[0].sent(&fields), ("by_severity".to_owned(), stored));
        assert_eq!(LAID[1].sent(&fields), ("by_kind".to_owned(), json!({})));
        let taken_out = fields.with("s0.name", "").with("s0.f.PriorityId", "");
        assert_eq!(LAID[0].sent(&taken_out).1, json!({"low": {"PriorityId": "64", "QueueId": "7"}}));
    }
}
