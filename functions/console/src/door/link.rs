//! On one machine: a link that its owner was shown signs in, once.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use maud::html;
use shared::api::auth::Scope;
use shared::domain::ids::PartnerId;

use super::{SignIn, let_in};
use crate::Deps;
use crate::client::Trouble;
use crate::view::page;

/// Opens links.
pub trait Links: Send + Sync {
    /// Who is let in by the link with this token; nobody where it is none of ours, or its time is over.
    fn open(&self, token: &str) -> Option<OpenedLink>;
}

/// Who a link is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedLink {
    /// Tells it from every other link.
    pub id: String,
    /// Whose pages are seen.
    pub partner: PartnerId,
    /// What may be done there.
    pub scopes: Vec<Scope>,
    /// Who it is, for the record.
    pub subject: String,
    /// From when on it is worthless.
    pub until: Timestamp,
}

pub(super) async fn open(State(deps): State<Deps>, Path(token): Path<String>) -> Result<Response, Trouble> {
    let SignIn::Link(links) = &deps.sign_in else { return Err(Trouble::not_found("page")) };
    let Some(link) = links.open(&token) else { return Ok(used()) };
    if !deps.sessions.use_up(&link.id, link.until).await? {
        return Ok(used());
    }
    let_in(&deps, link.partner, link.scopes, link.subject, crate::ROOT).await
}

fn used() -> Response {
    let said = html! {
        p { "This link was used, or its time is over: each opens once, within a quarter of an hour. A new one is printed by" }
        pre { code { "cargo run -- link --data DIR --partner PARTNER" } }
    };
    (StatusCode::GONE, page::bare("This link opens nothing", said)).into_response()
}
