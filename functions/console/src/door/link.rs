//! On one machine: a link that its owner was shown signs in, once.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use maud::{Markup, html};
use shared::api::auth::Scope;
use shared::domain::ids::PartnerId;

use super::posted::is_from_here;
use super::{SignIn, let_in};
use crate::Deps;
use crate::client::Trouble;
use crate::view::page;

/// Opens links.
pub trait Links: Send + Sync {
    /// Who is let in by the link with this token; nobody where it is none of ours, or its time is over.
    fn open(&self, token: &str) -> Option<OpenedLink>;
}

/// How another link is had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnotherLink {
    /// A command prints it from what the service keeps.
    Printed,
    /// The service keeps nothing, as the demo: it prints one whenever it starts.
    Restarted,
}

impl AnotherLink {
    pub(super) fn in_words(self) -> Markup {
        html! { @match self {
            Self::Printed => { p { "A new one is printed by" } pre { code { "cargo run -- link --data DIR --partner PARTNER" } } },
            Self::Restarted => p { "This service keeps nothing: start the demo again for a new link." },
        } }
    }
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

/// Who the link is for, and the button that opens it. To be looked at, by a mail filter or a chat, opens nothing.
pub(super) async fn show(State(deps): State<Deps>, Path(token): Path<String>) -> Result<Response, Trouble> {
    let Some(link) = linked(&deps, &token)? else { return Ok(used(&deps)) };
    let said = html! {
        p { "To the pages of " strong { (link.partner) } ", as " strong { (link.subject) } "." }
        form method="post" { button type="submit" autofocus { "Sign in" } }
    };
    Ok(page::bare("Sign in", said).into_response())
}

/// Signs in, once.
pub(super) async fn open(
    State(deps): State<Deps>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    if !is_from_here(&headers) {
        return Err(Trouble::of_form("It was not sent from a page of this service."));
    }
    let Some(link) = linked(&deps, &token)? else { return Ok(used(&deps)) };
    if !deps.sessions.use_up(&link.id, link.until).await? {
        return Ok(used(&deps));
    }
    let_in(&deps, &headers, link.partner, link.scopes, link.subject, crate::ROOT).await
}

/// Who is let in by the link. There are none where people sign in elsewhere.
fn linked(deps: &Deps, token: &str) -> Result<Option<OpenedLink>, Trouble> {
    match &deps.sign_in {
        SignIn::Link(links, _) => Ok(links.open(token)),
        SignIn::Oidc(_) => Err(Trouble::not_found("page")),
    }
}

fn used(deps: &Deps) -> Response {
    let said = html! {
        p { "This link was used, or its time is over: each opens once, within a quarter of an hour." }
        @if let SignIn::Link(_, another) = &deps.sign_in { (another.in_words()) }
    };
    (StatusCode::GONE, page::bare("This link opens nothing", said)).into_response()
}
