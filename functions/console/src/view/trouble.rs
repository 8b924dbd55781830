//! What went wrong, in the middle of a page or as one of its own.

use maud::{Markup, html};
use shared::api::Fault;

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

/// What was refused, and every fault that its own sentence does not tell.
pub(crate) fn notice(trouble: &Trouble) -> Markup {
    above(trouble, &[])
}

/// Above a form that was refused. What is wrong at the pointers of `told` stands at their fields, and is not said twice.
pub(crate) fn above(trouble: &Trouble, told: &[String]) -> Markup {
    let stands = |fault: &Fault| told.contains(&fault.pointer);
    // The API's sentence about input is one of its faults, or how many there are.
    let at_fields = trouble.code == "invalid_request" && trouble.errors.iter().any(stands);
    let rest: Vec<&Fault> = trouble
        .errors
        .iter()
        .filter(|fault| !stands(fault) && (at_fields || !trouble.detail.contains(&fault.detail)))
        .collect();
    html! {
        div.trouble role="alert" {
            p { strong { @if at_fields { "Nothing was saved. What is wrong stands at its field." } @else { (trouble.detail) } } }
            @if let Some(fix) = &trouble.fix { p { (fix) } }
            @if !rest.is_empty() {
                ul { @for fault in rest { li { @if !fault.pointer.is_empty() { code { (fault.pointer) } " " } (fault.detail) } } }
            }
            @if !trouble.request_id.is_empty() { p.small { "Request " code { (trouble.request_id) } " · " code { (trouble.code) } } }
        }
    }
}
