//! What went wrong, in the middle of a page or as one of its own.

use maud::{Markup, html};

use super::page;
use crate::client::Trouble;

/// A page of its own.
pub(crate) fn page(trouble: &Trouble) -> Markup {
    let title = if trouble.status.is_server_error() { "That did not work" } else { "That is not possible" };
    page::bare(
        title,
        html! {
            (notice(trouble))
            p { a href=(crate::ROOT) { "Back to the first page" } }
        },
    )
}

/// Above a form that was refused. Faults of single fields stand at their fields.
pub(crate) fn notice(trouble: &Trouble) -> Markup {
    html! {
        div.trouble role="alert" {
            p { strong { (trouble.detail) } }
            @if let Some(fix) = &trouble.fix { p { (fix) } }
            @if !trouble.errors.is_empty() {
                ul { @for fault in &trouble.errors { li { @if !fault.pointer.is_empty() { code { (fault.pointer) } " " } (fault.detail) } } }
            }
            @if !trouble.request_id.is_empty() { p.small { "Request " code { (trouble.request_id) } " · " code { (trouble.code) } } }
        }
    }
}
