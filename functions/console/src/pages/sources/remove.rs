//! The removal of a source, after it was said what that means.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};

use super::{address, named, of_api};
use crate::client::Trouble;
use crate::client::told::source::Source;
use crate::door::{Posted, Visitor};
use crate::view::page::{Page, Place};
use crate::view::{field, vendor};

pub(super) async fn confirm(visitor: Visitor, Path(name): Path<String>) -> Result<Markup, Trouble> {
    let of = named(&name)?;
    let source: Source = visitor.api().get(&of_api(of)).await?;
    let products = source.products.values().map(String::as_str).collect::<Vec<_>>().join(", ");
    Ok(Page::new(&visitor, Place::Sources, &format!("Remove {}", vendor::name(of))).with(&html! {
        ul {
            li { "Its credentials are gone for good: to set it up again you need them again." }
            li { "Nothing is pulled any more of " strong { (products) } ". Counts that came from it stay, and grow stale: after three days, where the policy says nothing else, falls of these products wait as usage_stale." }
            li { "No mapping is changed, and nothing is written to a PSA." }
        }
        div.row {
            @if visitor.may_change() {
                form method="post" action=(address(of, "/remove")) { (field::ours(&visitor)) button.danger type="submit" { "Remove " (vendor::name(of)) } }
            }
            a.button.plain href=(address(of, "")) { "Keep it" }
        }
    }))
}

pub(super) async fn remove(Path(name): Path<String>, posted: Posted) -> Result<Response, Trouble> {
    posted.visitor.api().delete(&of_api(named(&name)?)).await?;
    Ok(Redirect::to("/console/sources").into_response())
}
