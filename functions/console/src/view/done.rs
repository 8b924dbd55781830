//! What was done, said on the page that a form leads to.
//!
//! The address says it with a word out of a set that the page knows (`?done=saved`): nothing of an address is ever shown.

use maud::{Markup, html};
use serde::Deserialize;

/// The word, where there is one.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Done {
    #[serde(default)]
    done: String,
}

impl Done {
    /// What it says, by `words`.
    pub(crate) fn said(&self, words: &[(&str, &str)]) -> Markup {
        let said = words.iter().find(|(word, _)| *word == self.done);
        html! { @if let Some((_, said)) = said { div.notice role="status" { p { (said) } } } }
    }
}
