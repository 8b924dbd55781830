//! New credentials of a connection. They are tried first; if they fail, the old ones stay.

use axum::extract::Path;
use axum::http::Method;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use serde_json::json;

use super::{address, credentials, done};
use crate::client::told::connection::Connection;
use crate::client::{Trouble, path};
use crate::door::{Fields, Posted, Visitor};
use crate::pages::connection;
use crate::view::field::{self, Form};
use crate::view::only_looks;
use crate::view::page::Page;

pub(super) async fn page(visitor: Visitor, Path(id): Path<String>) -> Result<Markup, Trouble> {
    let connection = connection(&visitor.api(), &id).await?;
    Ok(form(&visitor, &connection, &Fields::default(), None))
}

pub(super) async fn replace(Path(id): Path<String>, Posted { visitor, fields }: Posted) -> Result<Response, Trouble> {
    let api = visitor.api();
    let connection = connection(&api, &id).await?;
    let body = json!({ "credentials": credentials::given(connection.psa, &fields) });
    match api.tell(Method::PUT, &path(&["v1", "connections", &id, "credentials"]), &body).await {
        Ok(()) => Ok(done(&connection.id, "credentials")),
        Err(trouble) if trouble.can_be_mended() => {
            Ok((trouble.status, form(&visitor, &connection, &fields, Some(&trouble))).into_response())
        }
        Err(trouble) => Err(trouble),
    }
}

fn form(visitor: &Visitor, connection: &Connection, fields: &Fields, trouble: Option<&Trouble>) -> Markup {
    let form = Form::new(fields, trouble);
    let page = Page::of(visitor, connection, "", "Replace the credentials");
    if !visitor.may_change() {
        return page.with(&only_looks());
    }
    page.with(&html! {
        (form.trouble())
        p { "The new ones are tried first. Where they fail, the old ones stay as they are. They must lead to the same tenant ("
            code { (connection.tenant) } "): every mapping names things of it." }
        form.stacked method="post" action=(address(&connection.id, "/credentials")) {
            (field::ours(visitor))
            (credentials::asked(connection.psa, &form))
            (credentials::tried(connection.psa))
            div.row {
                button type="submit" { "Try them and replace" }
                a.button.plain href=(address(&connection.id, "")) { "Leave them" }
            }
        }
    })
}
