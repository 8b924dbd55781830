//! What pages are put together from. Each file is one kind of thing that people see; none of them asks the API.

pub(crate) mod badge;
pub(crate) mod changes;
pub(crate) mod chart;
pub(crate) mod done;
pub(crate) mod field;
pub(crate) mod lines;
pub(crate) mod mend;
pub(crate) mod money;
pub(crate) mod page;
pub(crate) mod price;
pub(crate) mod progress;
pub(crate) mod psa;
pub(crate) mod rule;
pub(crate) mod schedule;
pub(crate) mod stake;
pub(crate) mod sums;
pub(crate) mod table;
pub(crate) mod tabs;
pub(crate) mod trouble;
pub(crate) mod vendor;
pub(crate) mod when;
pub(crate) mod zone;

use maud::{Markup, html};

/// A number of things, in words: `1 line`, `3 lines`.
pub(crate) fn counted(number: impl Into<u64>, one: &str, many: &str) -> String {
    match number.into() {
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    }
}

/// What stands where there is nothing yet: why, and what to do next.
pub(crate) fn empty(why: &str, next: Option<(&str, &str)>) -> Markup {
    html! {
        div.empty {
            p { (why) }
            @if let Some((address, label)) = next { p { a.button href=(address) { (label) } } }
        }
    }
}

/// What stands in place of a form for somebody who may look and not change.
pub(crate) fn only_looks() -> Markup {
    html! { p.warning { "You are signed in to look, not to change anything. Ask for a sign-in with the scope " code { "tallyline/write" } "." } }
}
