//! Fields of forms: a label, what may be said of it, what was typed, and what is wrong with it.

use std::cell::RefCell;

use maud::{Markup, html};

use crate::client::Trouble;
use crate::door::{BEFORE, Fields, Visitor};

/// The fields of one form: what stands in them, and what was found wrong.
pub(crate) struct Form<'a> {
    fields: &'a Fields,
    trouble: Option<&'a Trouble>,
    /// The pointers whose faults were said at their fields.
    told: RefCell<Vec<String>>,
}

/// What is asked.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    /// Its name in the form.
    pub(crate) name: &'a str,
    /// What it is called.
    pub(crate) label: &'a str,
    /// What helps to answer; empty for none.
    pub(crate) hint: &'a str,
    /// Where the API looks for it, as it names faults.
    pub(crate) pointer: &'a str,
}

impl<'a> Form<'a> {
    /// As it is filled in, and what was said to it.
    pub(crate) fn new(fields: &'a Fields, trouble: Option<&'a Trouble>) -> Self {
        Self { fields, trouble, told: RefCell::default() }
    }

    /// What was said to the form as a whole, less what the fields that were made before this said themselves.
    pub(crate) fn trouble(&self) -> Markup {
        html! { @if let Some(trouble) = self.trouble { (super::trouble::above(trouble, &self.told.borrow())) } }
    }

    /// What the form of a mapping begins with: the version that it was filled from, what was said to it, and where somebody else
    /// was first, the way to what stands now.
    pub(crate) fn of_version(&self, here: &str) -> Markup {
        html! {
            input type="hidden" name=(VERSION) value=(self.fields.get(VERSION));
            (self.trouble())
            @if self.trouble.is_some_and(Trouble::is_late) {
                p.warning { "What you typed is still here, and was not saved. " a href=(here) { "Load what stands now" } }
            }
        }
    }

    /// One line of text.
    pub(crate) fn text(&self, ask: Ask<'_>) -> Markup {
        self.input(ask, "text", self.fields.get(ask.name))
    }

    /// A whole number.
    pub(crate) fn number(&self, ask: Ask<'_>) -> Markup {
        self.input(ask, "number", self.fields.get(ask.name))
    }

    /// Something that is not shown again.
    pub(crate) fn secret(&self, ask: Ask<'_>) -> Markup {
        self.input(ask, "password", "")
    }

    /// One of several, each as it is sent and as it reads.
    pub(crate) fn choice(&self, ask: Ask<'_>, choices: &[(&str, &str)]) -> Markup {
        let chosen = self.fields.get(ask.name);
        self.around(
            ask,
            html! {
                select id=(ask.name) name=(ask.name) aria-describedby=[self.described(ask)] {
                    @for (value, label) in choices { option value=(value) selected[*value == chosen] { (label) } }
                }
            },
        )
    }

    /// One of what the PSA offers. What stands there and is not offered stays a choice, and where nothing stands nothing is chosen
    /// but the only one that there is: whoever changes another field shall not change this one unseen.
    pub(crate) fn offered(&self, ask: Ask<'_>, offered: &[(&str, &str)]) -> Markup {
        let stands = self.fields.get(ask.name);
        let not_offered = format!("{stands}, which is not among them");
        let mut choices = offered.to_vec();
        if !stands.is_empty() && offered.iter().all(|(value, _)| *value != stands) {
            choices.push((stands, &not_offered));
        }
        if choices.len() > 1 {
            choices.insert(0, ("", "Choose one …"));
        }
        self.choice(ask, &choices)
    }

    /// One of many, which stand in groups.
    pub(crate) fn grouped(&self, ask: Ask<'_>, groups: &[(String, Vec<String>)]) -> Markup {
        let chosen = self.fields.get(ask.name);
        self.around(
            ask,
            html! {
                select id=(ask.name) name=(ask.name) aria-describedby=[self.described(ask)] {
                    @for (group, choices) in groups { optgroup label=(group) {
                        @for choice in choices { option value=(choice) selected[choice == chosen] { (choice) } }
                    } }
                }
            },
        )
    }

    /// Several lines of text.
    pub(crate) fn long_text(&self, ask: Ask<'_>) -> Markup {
        self.around(
            ask,
            html! {
                textarea id=(ask.name) name=(ask.name) rows="3" aria-describedby=[self.described(ask)]
                    aria-invalid=[self.fault(ask).map(|_| "true")] { (self.fields.get(ask.name)) }
            },
        )
    }

    /// Yes or no.
    pub(crate) fn tick(&self, ask: Ask<'_>) -> Markup {
        html! {
            div.field.tick {
                input type="checkbox" id=(ask.name) name=(ask.name) value="on" checked[self.fields.is_on(ask.name)]
                    aria-describedby=[self.described(ask)];
                label for=(ask.name) { (ask.label) }
                (self.below(ask))
            }
        }
    }

    fn input(&self, ask: Ask<'_>, kind: &str, value: &str) -> Markup {
        // Passwords of PSAs are not those of this site: no browser shall keep or offer them.
        let complete = (kind == "password").then_some("new-password");
        self.around(
            ask,
            html! {
                input type=(kind) id=(ask.name) name=(ask.name) value=(value) autocomplete=(complete.unwrap_or("off"))
                    aria-describedby=[self.described(ask)] aria-invalid=[self.fault(ask).map(|_| "true")];
            },
        )
    }

    fn around(&self, ask: Ask<'_>, control: Markup) -> Markup {
        html! { div.field { label for=(ask.name) { (ask.label) } (control) (self.below(ask)) } }
    }

    fn below(&self, ask: Ask<'_>) -> Markup {
        self.told.borrow_mut().push(ask.pointer.to_owned());
        html! { div id={ (ask.name) "-said" } {
            @if let Some(fault) = self.fault(ask) { p.fault { (ask.label) " " (fault) } }
            @if !ask.hint.is_empty() { p.hint { (ask.hint) } }
        } }
    }

    fn described(&self, ask: Ask<'_>) -> Option<String> {
        (!ask.hint.is_empty() || self.fault(ask).is_some()).then(|| format!("{}-said", ask.name))
    }

    fn fault(&self, ask: Ask<'_>) -> Option<&str> {
        self.trouble.and_then(|trouble| trouble.at(ask.pointer))
    }
}

/// Where a mapping's form carries the version that it was filled from.
const VERSION: &str = "version";

/// `fields` of the mapping that stands in that version.
pub(crate) fn filled_from(fields: Fields, version: u32) -> Fields {
    fields.with(VERSION, version)
}

/// The version that a form was filled from; `None` where nothing stood.
pub(crate) fn version(fields: &Fields) -> Option<&str> {
    fields.some(VERSION)
}

/// What every form carries: that it is ours.
pub(crate) fn ours(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name="csrf" value=(visitor.csrf()); }
}

/// What stood in the fields when their page was made. Only what somebody changed since is sent on, so that a page that was open
/// for long takes back nothing that others have set meanwhile.
pub(crate) fn before(stored: &Fields) -> Markup {
    html! { @for (name, value) in stored.each() { input type="hidden" name={ (BEFORE) (name) } value=(value); } }
}

/// What a form carries that makes something: a key under which it is made once, however often the form is sent.
pub(crate) fn once(fields: &Fields) -> Markup {
    let key = fields.some("once").map_or_else(|| shared::clock::fresh_id("form"), str::to_owned);
    html! { input type="hidden" name="once" value=(key); }
}

#[cfg(test)]
mod tests {
    use shared::api::Fault;

    use super::*;

    /// The options of a choice as they stand, the chosen one in brackets; a browser takes the first where none is.
    fn offered(stands: &str, offered: &[(&str, &str)]) -> Vec<String> {
        let fields = Fields::default().with("code", stands);
        let ask = Ask { name: "code", label: "Code", hint: "", pointer: "/code" };
        let markup = Form::new(&fields, None).offered(ask, offered).into_string();
        let option = |option: &str| {
            let (attributes, rest) = option.split_once('>').unwrap();
            let label = rest.split('<').next().unwrap();
            if attributes.contains(" selected") { format!("[{label}]") } else { label.to_owned() }
        };
        markup.split("<option ").skip(1).map(option).collect()
    }

    #[test]
    fn what_is_wrong_at_a_field_is_said_there_and_not_above_and_all_else_above() {
        let (code, other) = (Fault::new("/code", "is taken"), Fault::new("/other", "is too long"));
        let refused = |errors: &[Fault]| Trouble {
            code: "invalid_request".into(),
            errors: errors.to_vec(),
            ..Trouble::of_form("No.")
        };
        let trouble = refused(&[code.clone(), other]);
        let fields = Fields::default();
        let form = Form::new(&fields, Some(&trouble));
        let field = form.text(Ask { name: "code", label: "Code", hint: "", pointer: "/code" }).into_string();
        let above = form.trouble().into_string();
        assert!(field.contains("Code is taken") && !above.contains("is taken"), "{above}");
        assert!(above.contains("is too long") && !above.contains("No."), "{above}");
        let alone = Trouble { detail: "/code: is taken.".to_owned(), ..refused(&[code]) };
        let above = Form::new(&fields, Some(&alone)).trouble().into_string();
        assert_eq!(above.matches("is taken").count(), 1, "{above}");
    }

    #[test]
    fn a_choice_among_what_is_offered_changes_nothing_by_itself() {
        let two = [("a", "A"), ("b", "B")];
        assert_eq!(offered("", &two), ["[Choose one …]", "A", "B"]);
        assert_eq!(offered("b", &two), ["Choose one …", "A", "[B]"]);
        assert_eq!(offered("z", &two[..1]), ["Choose one …", "A", "[z, which is not among them]"]);
        assert_eq!(offered("", &two[..1]), ["A"], "there is nothing else to choose");
    }
}
