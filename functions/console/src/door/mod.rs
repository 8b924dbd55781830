//! Who comes in: people sign in at a door (`oidc` on AWS, `link` on one machine), have a session (`visitor`) until they sign out
//! or its time is over, and what they send is taken only from our own pages (`posted`, `csrf`).

mod cookie;
mod csrf;
mod link;
mod next;
mod oidc;
mod posted;
mod posted_file;
mod visitor;

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use jiff::SignedDuration;
use maud::html;
use shared::api::auth::Scope;
use shared::domain::ids::PartnerId;
use shared::store::sessions::Session;

use crate::Deps;
use crate::client::Trouble;
use crate::view::page;

pub use link::{AnotherLink, Links, OpenedLink};
pub use oidc::{Oidc, OidcSettings};
pub(crate) use posted::{BEFORE, Fields, Posted};
pub(crate) use posted_file::PostedFile;
pub(crate) use visitor::Visitor;

/// How long a session lasts: a working day.
const LASTS: SignedDuration = SignedDuration::from_hours(10);

/// How people sign in.
#[derive(Clone)]
pub enum SignIn {
    /// By a link that opens once, and how another is had.
    Link(Arc<dyn Links>, AnotherLink),
    /// At an issuer of tokens.
    Oidc(Arc<Oidc>),
}

pub(crate) fn routes() -> Router<Deps> {
    Router::new()
        .route(next::DOOR, get(sign_in))
        .route("/console/link/{token}", get(link::show).post(link::open))
        .route("/console/sign-out", post(sign_out))
        .merge(oidc::routes())
}

/// Where somebody lands who is not signed in.
async fn sign_in(State(deps): State<Deps>, RawQuery(query): RawQuery) -> Response {
    let said = match deps.sign_in {
        SignIn::Link(_, another) => html! {
            p { "On this machine a link signs you in. The service printed one when it started." }
            (another.in_words())
            p { "It opens once, within a quarter of an hour." }
        },
        SignIn::Oidc(_) => oidc::door(Fields::parse(query.unwrap_or_default().as_bytes()).get("next")),
    };
    page::bare("Sign in", said).into_response()
}

async fn sign_out(State(deps): State<Deps>, posted: Posted) -> Result<Response, Trouble> {
    deps.sessions.end(posted.visitor.secret()).await?;
    let to = match deps.sign_in {
        SignIn::Link(..) => next::DOOR,
        SignIn::Oidc(_) => oidc::SIGNED_OUT,
    };
    Ok((cookie::no_session(), Redirect::to(to)).into_response())
}

/// Lets somebody in: the session and the answer that leads to the page `to`. Who comes in anew leaves nothing behind.
async fn let_in(
    deps: &Deps,
    headers: &HeaderMap,
    partner: PartnerId,
    scopes: impl IntoIterator<Item = Scope>,
    subject: String,
    to: &str,
) -> Result<Response, Trouble> {
    if let Some(before) = cookie::session(&deps.sign_in, headers) {
        deps.sessions.end(before).await?;
    }
    let secret = csrf::fresh_secret()?;
    let until = deps.clock.now().saturating_add(LASTS).map_err(Trouble::ours)?;
    let scopes = scopes.into_iter().map(Scope::as_str).collect::<Vec<_>>().join(" ");
    deps.sessions.begin(&secret, &Session { partner, scopes, subject, until }).await?;
    let held = cookie::for_session(&deps.sign_in, headers);
    Ok((held.holding(&secret, LASTS), Redirect::to(to)).into_response())
}
