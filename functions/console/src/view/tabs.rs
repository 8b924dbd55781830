//! Tabs: the same list, seen by another state of its items.

use maud::{Markup, html};

/// Tabs called `label`; each an address, a name, and whether it is the one that is seen.
pub(crate) fn tabs(label: &str, each: &[(String, &str, bool)]) -> Markup {
    html! {
        nav.tabs aria-label=(label) { ul { @for (address, name, here) in each {
            li { a href=(address) aria-current=[here.then_some("page")] { (name) } }
        } } }
    }
}
