//! Parts of a page beside each other, of which one is shown: each is a link of its own.

use maud::{Markup, html};

/// A part: its address, its name, and how many things are in it where that is known.
pub(crate) struct Tab {
    pub(crate) address: String,
    pub(crate) name: &'static str,
    pub(crate) count: Option<u64>,
    pub(crate) is_here: bool,
}

/// All of them.
pub(crate) fn tabs(label: &str, tabs: &[Tab]) -> Markup {
    html! {
        nav.tabs aria-label=(label) {
            ul { @for tab in tabs {
                li { a href=(tab.address) aria-current=[tab.is_here.then_some("page")] {
                    (tab.name) @if let Some(count) = tab.count { " (" (count) ")" }
                } }
            } }
        }
    }
}
