//! Whether a mapping fills the PSA's form: every fault of it at once, each where a person would repair it.
//!
//! A ticket is filled from up to three parts of the mapping, so it is checked for each way in which they can meet: an override
//! that is right by itself may take away what another one builds upon.

use std::collections::BTreeMap;
use std::iter::once;

use super::form::{FieldRule, FieldValue, TicketField, TicketForm};
use super::mapping::{Filled, TicketMapping};

/// The longest name of a kind or a severity, in characters.
const LONGEST: usize = 64;
/// So many kinds, and so many severities, may be told apart.
const MOST_OVERRIDES: usize = 50;
/// More choices than this are not listed in a sentence.
const FEW: usize = 10;

/// What is wrong with a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingFault {
    /// Where: a JSON pointer into the mapping.
    pub pointer: String,
    /// What is wrong there. It repeats no value of the mapping.
    pub words: String,
}

impl TicketMapping {
    /// What is wrong with it for a PSA whose form is `form`.
    #[must_use]
    pub fn check(&self, form: &TicketForm) -> Vec<MappingFault> {
        let mut faults = Faults::default();
        let defaults = Layer { pointer: "/defaults".to_owned(), rank: 0, fields: &self.defaults };
        let severities = overrides("/by_severity", 1, &self.by_severity, &mut faults);
        let kinds = overrides("/by_kind", 2, &self.by_kind, &mut faults);
        for layer in once(&defaults).chain(&severities).chain(&kinds) {
            layer.check(form, &mut faults);
        }
        Laid::of([Some(&defaults), None, None], form).check_whole(&mut faults);
        for severity in none_or(&severities) {
            for kind in none_or(&kinds) {
                Laid::of([Some(&defaults), severity, kind], form).check_together(&mut faults);
            }
        }
        faults.0
    }
}

/// Found so far, each once.
#[derive(Default)]
struct Faults(Vec<MappingFault>);

impl Faults {
    fn add(&mut self, pointer: String, words: String) {
        let fault = MappingFault { pointer, words };
        if !self.0.contains(&fault) {
            self.0.push(fault);
        }
    }
}

/// A part of the mapping that fills fields.
struct Layer<'a> {
    pointer: String,
    /// The higher one has the last word.
    rank: u8,
    fields: &'a Filled,
}

/// The parts that stand at `pointer`; none where there are too many, which would take too long to check.
fn overrides<'a>(pointer: &str, rank: u8, named: &'a BTreeMap<String, Filled>, faults: &mut Faults) -> Vec<Layer<'a>> {
    if named.len() > MOST_OVERRIDES {
        faults.add(pointer.to_owned(), format!("may tell at most {MOST_OVERRIDES} apart"));
        return Vec::new();
    }
    for name in named.keys().filter(|name| !is_plain(name)) {
        let words = format!("must be named by 1 to {LONGEST} characters on one line, without blanks at its ends");
        faults.add(within(pointer, name), words);
    }
    named.iter().map(|(name, fields)| Layer { pointer: within(pointer, name), rank, fields }).collect()
}

fn none_or<'l, 'a>(layers: &'l [Layer<'a>]) -> impl Iterator<Item = Option<&'l Layer<'a>>> {
    once(None).chain(layers.iter().map(Some))
}

impl Layer<'_> {
    fn at(&self, field: &str) -> String {
        within(&self.pointer, field)
    }

    /// Whether its fields are there, and have the values that it gives them.
    fn check(&self, form: &TicketForm, faults: &mut Faults) {
        for (id, value) in self.fields {
            let words = match form.field(id) {
                None => "is no field that every ticket of this PSA has".to_owned(),
                Some(field) if field.values.iter().any(|choice| choice.id == *value) => continue,
                Some(field) => format!("must be the id of a choice of {}", chosen(field, field.values.iter())),
            };
            faults.add(self.at(id), words);
        }
    }
}

/// What a ticket is filled with: each value beside the part of the mapping that has the last word on it.
struct Laid<'l, 'a> {
    form: &'l TicketForm,
    fields: BTreeMap<&'a str, (&'a str, &'l Layer<'a>)>,
}

impl<'l, 'a> Laid<'l, 'a> {
    fn of(layers: [Option<&'l Layer<'a>>; 3], form: &'l TicketForm) -> Self {
        let laid = layers.into_iter().flatten();
        let fields =
            laid.flat_map(|layer| layer.fields.iter().map(move |(id, value)| (id.as_str(), (value.as_str(), layer))));
        Self { form, fields: fields.collect() }
    }

    fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// Whether nothing is missing that the PSA asks of every ticket. What the defaults have, an override can't take away.
    fn check_whole(&self, faults: &mut Faults) {
        for field in self.form.fields.iter().filter(|field| field.required && !self.has(&field.id)) {
            faults.add(within("/defaults", &field.id), format!("is required: {}", self.choosable(&field.id)));
        }
        for rule in &self.form.rules {
            if let FieldRule::AnyOf(groups) = rule
                && !groups.iter().any(|group| group.iter().all(|field| self.has(field)))
            {
                let group =
                    |group: &Vec<String>| group.iter().map(|id| self.choosable(id)).collect::<Vec<_>>().join(" and ");
                let groups: Vec<String> = groups.iter().map(group).collect();
                faults.add("/defaults".to_owned(), format!("must fill {}", groups.join("; or ")));
            }
        }
    }

    /// Whether the values go together.
    fn check_together(&self, faults: &mut Faults) {
        for (id, (value, layer)) in &self.fields {
            self.check_parent(id, value, layer, faults);
        }
        for rule in &self.form.rules {
            match rule {
                FieldRule::AnyOf(_) => {}
                FieldRule::Together(fields) => {
                    let there = fields.iter().find_map(|id| Some((id, self.fields.get(id.as_str())?.1)));
                    let Some((first, layer)) = there else { continue };
                    self.check_needs(layer, fields, &format!("beside {}", self.named(first)), faults);
                }
                FieldRule::Needs { field, value, needs } => {
                    let Some((chosen, layer)) = self.fields.get(field.as_str()) else { continue };
                    if chosen == value {
                        let of = self.form.field(field).and_then(|of| of.values.iter().find(|one| one.id == *value));
                        let value = of.map_or_else(|| value.clone(), in_words);
                        self.check_needs(layer, needs, &format!("where {} is {value}", self.named(field)), faults);
                    }
                }
            }
        }
    }

    /// Those of `needs` that are missing belong beside what asks for them.
    fn check_needs(&self, layer: &Layer<'_>, needs: &[String], why: &str, faults: &mut Faults) {
        for id in needs.iter().filter(|id| !self.has(id)) {
            // One that every ticket needs was told already.
            if self.form.field(id).is_none_or(|field| !field.required) {
                faults.add(layer.at(id), format!("is required {why}: {}", self.choosable(id)));
            }
        }
    }

    /// Whether the value of a field that depends on another fits the other's.
    fn check_parent(&self, id: &str, value: &str, layer: &Layer<'_>, faults: &mut Faults) {
        let Some(field) = self.form.field(id) else { return };
        let Some(parent) = &field.depends_on else { return };
        let mut choices = field.values.iter().filter(|choice| choice.id == value).peekable();
        if choices.peek().is_none() || choices.any(|choice| self.fits(field, choice)) {
            return;
        }
        match self.fields.get(parent.as_str()) {
            None => {
                let words = format!("is required beside {}: {}", self.named(id), self.choosable(parent));
                faults.add(layer.at(parent), words);
            }
            Some((_, of_parent)) => {
                let upper = if of_parent.rank > layer.rank { of_parent } else { layer };
                let of = of_parent.at(parent);
                faults.add(upper.at(id), format!("must fit what {of} says: {}", self.choosable(id)));
            }
        }
    }

    /// Whether a choice goes with what is filled in beside it.
    fn fits(&self, field: &TicketField, choice: &FieldValue) -> bool {
        let (Some(depends_on), Some(parent)) = (&field.depends_on, &choice.parent) else { return true };
        self.fields.get(depends_on.as_str()).is_some_and(|(value, _)| value == parent)
    }

    fn named(&self, id: &str) -> String {
        self.form.field(id).map_or_else(|| id.to_owned(), named)
    }

    /// A field, and what may be chosen for it beside what is filled in; all of it while the field that it depends on is not.
    fn choosable(&self, id: &str) -> String {
        let Some(field) = self.form.field(id) else { return id.to_owned() };
        let open = field.depends_on.as_ref().is_some_and(|parent| !self.has(parent));
        chosen(field, field.values.iter().filter(|choice| open || self.fits(field, choice)))
    }
}

fn named(field: &TicketField) -> String {
    format!("{} ({})", field.label, field.id)
}

fn in_words(choice: &FieldValue) -> String {
    format!("{} ({})", choice.id, choice.label)
}

/// A field with its choices, where they are few.
fn chosen<'c>(field: &TicketField, choices: impl Iterator<Item = &'c FieldValue>) -> String {
    let choices: Vec<String> = choices.map(in_words).collect();
    let field = named(field);
    match choices.len() {
        0 => format!("{field}, for which there is nothing to choose from"),
        1..=FEW => format!("{field}, one of {}", choices.join(", ")),
        many => format!("{field}, one of its {many} choices"),
    }
}

fn is_plain(text: &str) -> bool {
    (1..=LONGEST).contains(&text.chars().count()) && text.trim() == text && !text.chars().any(char::is_control)
}

/// The pointer of `name` within `pointer` (RFC 6901), no longer than anybody would read.
fn within(pointer: &str, name: &str) -> String {
    let name: String = name.chars().take(LONGEST).collect();
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}
