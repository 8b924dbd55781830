//! The end of a connection: what stops, what stays, and that there is no way back.

use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};

use super::{address, done, mapped};
use crate::client::{Trouble, path};
use crate::door::{Posted, Visitor};
use crate::pages::connection;
use crate::view::page::Page;
use crate::view::{field, only_looks, psa};

pub(super) async fn page(visitor: Visitor, Path(id): Path<String>) -> Result<Markup, Trouble> {
    let api = visitor.api();
    let (connection, mapped) = tokio::join!(connection(&api, &id), mapped(&api, &id));
    let (connection, mapped) = (connection?, mapped?);
    let page = Page::of(&visitor, &connection, "", "Revoke the connection");
    let home = address(&connection.id, "");
    if connection.is_revoked() {
        return Ok(page.with(&html! { p { "It is revoked already. " a href=(home) { "Back to the connection" } } }));
    }
    if !visitor.may_change() {
        return Ok(page.with(&only_looks()));
    }
    Ok(page.with(&html! {
        div.warning { p { strong { "This can't be undone." } " To pause syncs, "
            a href=(address(&connection.id, "/switch")) { "switch the connection off" } " instead." } }
        h2 { "What stops" }
        ul {
            li { "Its credentials are deleted here for good. Nothing of " (psa::name(connection.psa)) " (" code { (connection.tenant) } ") is read or written any more." }
            li { (mapped.words()) " are mapped on it: their units are not synced any more, and stay in the PSA as they are." }
            @if connection.current_run.is_some() { li { "A sync is going on now: what it has not written yet is not written." } }
            li { "Alerts don't become tickets through it any more." }
        }
        h2 { "What stays" }
        ul {
            li { "Its mappings, runs, lines, findings and history stay readable here." }
            li { "Usage, sources, webhooks and other connections are as they were." }
        }
        p { "To bill the same PSA again you would make a new connection and map it anew; its mappings as a CSV file are a start." }
        form method="post" action=(address(&connection.id, "/revoke")) {
            (field::ours(&visitor))
            div.row {
                button.danger type="submit" { "Revoke " (connection.name) " for good" }
                a.button.plain href=(home) { "Leave it" }
            }
        }
    }))
}

pub(super) async fn revoke(Path(id): Path<String>, Posted { visitor, .. }: Posted) -> Result<Response, Trouble> {
    visitor.api().delete(&path(&["v1", "connections", &id])).await?;
    Ok(done(&id, "revoked"))
}
