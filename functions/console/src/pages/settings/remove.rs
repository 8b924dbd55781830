//! A webhook is removed: what that means first.

use axum::extract::Path;
use axum::response::Redirect;
use maud::{Markup, html};
use shared::store::webhooks::DeliveryStatus;

use super::{address, of_api, webhook};
use crate::client::Trouble;
use crate::client::told::webhook::Deliveries;
use crate::door::{Posted, Visitor};
use crate::view::page::{Page, Place};
use crate::view::{counted, field, only_looks};

pub(super) async fn page(visitor: Visitor, Path(id): Path<String>) -> Result<Markup, Trouble> {
    let api = visitor.api();
    let deliveries = of_api(&id, &["deliveries"]);
    let (webhook, deliveries) = tokio::join!(webhook(&api, &id), api.get::<Deliveries>(&deliveries));
    let (webhook, deliveries) = (webhook?, deliveries?);
    let page = Page::new(&visitor, Place::Settings, "Remove a webhook");
    if !visitor.may_change() {
        return Ok(page.with(&only_looks()));
    }
    let waits = deliveries.items.iter().filter(|delivery| delivery.status == DeliveryStatus::Retrying).count();
    Ok(page.with(&html! {
        p { strong { (webhook.id) } ", " code { (webhook.url) } ", is told of nothing any more." }
        ul {
            li { "Of its newest deliveries " (counted(waits as u64, "waits", "wait")) " to be tried again: they are not sent." }
            li { "Its secret is deleted for good. A webhook that is made anew under the same name has another one." }
        }
        form method="post" action=(address(&webhook.id, &["remove"])) {
            (field::ours(&visitor))
            div.row {
                button.danger type="submit" { "Remove " (webhook.id) }
                a.button.plain href=(address(&webhook.id, &[])) { "Leave it" }
            }
        }
    }))
}

pub(super) async fn remove(Path(id): Path<String>, Posted { visitor, .. }: Posted) -> Result<Redirect, Trouble> {
    visitor.api().delete(&of_api(&id, &[])).await?;
    Ok(Redirect::to("/console/settings?done=removed"))
}
