//! Setting a source up, and changing it. Credentials go to the API and are never shown again.

use axum::extract::Path;
use axum::http::Method;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use shared::sources::Vendor;

use super::form::{asked, body, filled};
use super::{address, named, of_api};
use crate::client::Trouble;
use crate::client::told::source::Source;
use crate::door::{Fields, Posted, Visitor};
use crate::view::page::{Page, Place};
use crate::view::{field, vendor};

pub(super) async fn show(visitor: Visitor, Path(name): Path<String>) -> Result<Markup, Trouble> {
    let of = named(&name)?;
    let source: Option<Source> = visitor.api().find(&of_api(of)).await?;
    let fields = filled(of, source.as_ref())?;
    Ok(page(&visitor, of, source.is_some(), &fields, None))
}

pub(super) async fn set(Path(name): Path<String>, posted: Posted) -> Result<Response, Trouble> {
    let Posted { visitor, fields } = posted;
    let of = named(&name)?;
    match visitor.api().tell(Method::PUT, &of_api(of), &body(of, &fields)).await {
        Ok(()) => Ok(Redirect::to(&format!("{}?done=set", address(of, ""))).into_response()),
        Err(trouble) if trouble.can_be_mended() => {
            let is_set_up = visitor.api().find::<Source>(&of_api(of)).await?.is_some();
            Ok((trouble.status, page(&visitor, of, is_set_up, &fields, Some(&trouble))).into_response())
        }
        Err(trouble) => Err(trouble),
    }
}

fn page(visitor: &Visitor, of: Vendor, is_set_up: bool, fields: &Fields, said: Option<&Trouble>) -> Markup {
    let title = if is_set_up { format!("Change {}", vendor::name(of)) } else { format!("Set up {}", vendor::name(of)) };
    Page::new(visitor, Place::Sources, &title).with(&html! {
        form.stacked method="post" action=(address(of, "/setting")) {
            (field::ours(visitor))
            (asked(of, is_set_up, fields, said))
            div.row {
                button type="submit" { "Try and save" }
                a.button.plain href="/console/sources" { "Back" }
            }
            p.hint { "New credentials are tried with " (vendor::name(of)) " first, with the very right that counting needs. Where that fails, all stays as it was." }
        }
    })
}
