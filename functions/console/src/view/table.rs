//! Tables: in a region of their own, so that a narrow screen scrolls the table and not the page; and the way to the next page.

use maud::{Markup, html};

/// A table with `head` as its columns' names; those that begin with `#` hold numbers.
pub(crate) fn table(caption: &str, head: &[&str], rows: &Markup) -> Markup {
    html! {
        div.scroll role="region" aria-label=(caption) tabindex="0" {
            table {
                caption { (caption) }
                thead { tr { @for name in head {
                    @match name.strip_prefix('#') {
                        Some(name) => th.number scope="col" { (name) },
                        None => th scope="col" { (name) },
                    }
                } } }
                tbody { (rows) }
            }
        }
    }
}

/// The way to the next page of a list, where there is one.
pub(crate) fn next(address: Option<&str>) -> Markup {
    html! { @if let Some(address) = address { p.next { a.button.plain href=(address) rel="next" { "Next page" } } } }
}
