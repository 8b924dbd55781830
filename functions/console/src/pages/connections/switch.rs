//! On and off: what follows from it is said before.

use axum::extract::Path;
use axum::http::Method;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::json;

use super::{address, done, mapped, policy_words};
use crate::client::told::connection::{Connection, Mapped};
use crate::client::{Trouble, path};
use crate::door::{Posted, Visitor};
use crate::pages::connection;
use crate::view::page::Page;
use crate::view::{field, only_looks, schedule};

pub(super) async fn page(visitor: Visitor, Path(id): Path<String>) -> Result<Markup, Trouble> {
    let api = visitor.api();
    let (connection, mapped) = tokio::join!(connection(&api, &id), mapped(&api, &id));
    let (connection, mapped) = (connection?, mapped?);
    let (title, wanted, said) = match connection.enabled {
        true => ("Switch off", "off", stops(mapped)),
        false => ("Switch on", "on", begins(&connection, mapped)),
    };
    let page = Page::of(&visitor, &connection, "", title);
    if !visitor.may_change() {
        return Ok(page.with(&only_looks()));
    }
    Ok(page.with(&html! {
        (said)
        form method="post" action=(address(&connection.id, "/switch")) {
            (field::ours(&visitor))
            input type="hidden" name="wanted" value=(wanted);
            div.row {
                button type="submit" { (title) }
                a.button.plain href=(address(&connection.id, "")) { "Leave it as it is" }
            }
        }
    }))
}

fn begins(connection: &Connection, mapped: Mapped) -> Markup {
    html! {
        p { "From then on it is synced " strong { (schedule::words(connection.schedule)) } " (" (connection.time_zone) "): "
            (mapped.words()) " are mapped." }
        p { (policy_words::writes(connection)) }
        p { "Have you looked at a " a href=(address(&connection.id, "/preview")) { "preview" } "? It shows every change before anything is written." }
    }
}

fn stops(mapped: Mapped) -> Markup {
    html! {
        p { "Nothing is sent to the PSA while it is off: the units of " (mapped.words()) " stay as they are, and what usage counts "
            "meanwhile is not billed until it is on again and a sync has run." }
        p { "Mapping and previews go on working. It can be switched on again at any time." }
    }
}

pub(super) async fn switch(Path(id): Path<String>, Posted { visitor, fields }: Posted) -> Result<Response, Trouble> {
    let on = fields.get("wanted") == "on";
    visitor.api().tell(Method::PATCH, &path(&["v1", "connections", &id]), &json!({ "enabled": on })).await?;
    Ok(done(&id, if on { "on" } else { "off" }))
}
