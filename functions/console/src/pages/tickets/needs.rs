//! What the fields of the PSA's form need beside each other, in words.

use maud::{Markup, html};
use shared::domain::ticketing::{FieldRule, TicketForm};

/// All of it; nothing where there is nothing.
pub(super) fn in_words(form: &TicketForm) -> Markup {
    html! { @if !form.rules.is_empty() {
        ul.hint { @for rule in &form.rules { li { (sentence(form, rule)) } } }
    } }
}

fn sentence(form: &TicketForm, rule: &FieldRule) -> String {
    let label = |id: &String| form.field(id).map_or_else(|| id.clone(), |field| field.label.clone());
    let all = |ids: &[String]| ids.iter().map(label).collect::<Vec<_>>().join(" and ");
    match rule {
        FieldRule::AnyOf(groups) => {
            let groups: Vec<String> = groups.iter().map(|group| all(group)).collect();
            format!("Needed: {}.", groups.join("; or "))
        }
        FieldRule::Together(fields) => format!("All of these or none: {}.", all(fields)),
        FieldRule::Needs { field, value, needs } => {
            format!("Where {} is {}: {} as well.", label(field), value_of(form, field, value), all(needs))
        }
    }
}

/// What a choice of a field is called.
pub(super) fn value_of(form: &TicketForm, field: &str, value: &str) -> String {
    let found = form.field(field).and_then(|field| field.values.iter().find(|choice| choice.id == value));
    found.map_or_else(|| value.to_owned(), |choice| choice.label.clone())
}
