//! On AWS: the issuer whose tokens the API takes signs people in (OpenID Connect, code flow with PKCE), and says whose pages
//! they see.
//!
//! `attempt` follows one sign-in from here to the issuer and back, `issuer` is what we ask of the issuer, `tokens` what its
//! tokens have to be, `refusal` why somebody was not let in, in words. The partner, the scopes and the person come from the
//! access token exactly as the API's authorizer hands them on, so that nobody sees or does more here than there. No token is
//! kept: what is left of a sign-in is the session.
//!
//! `jsonwebtoken`, which the workspace has already, checks signatures by aws-lc-rs; the rest is three small requests through the
//! guarded HTTP client. The crate `openidconnect` would bring a second set of cryptography (rsa, p256, p384, ed25519-dalek), a
//! second clock (chrono) and an HTTP client to adapt, and would still leave the access token unread.

mod attempt;
mod issuer;
mod refusal;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRequestParts, RawQuery, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};
use shared::http::Outward;
use shared::secrets::ReadSecret;

use self::attempt::Attempt;
use self::issuer::Issuer;
use self::refusal::Refusal;
use super::{Fields, SignIn, Visitor, cookie, let_in, next};
use crate::Deps;
use crate::client::Trouble;
use crate::view::page;

/// Where somebody is who has signed out.
pub(super) const SIGNED_OUT: &str = "/console/signed-out";

const BEGIN: &str = "/console/sign-in/begin";
const CALLBACK: &str = "/console/sign-in/callback";
/// How long the issuer has in all to say who came back: less than a request may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the issuer and we know of each other.
#[derive(Clone)]
pub struct OidcSettings {
    /// The issuer, as its tokens name it.
    pub issuer: String,
    /// Whom the API's tokens are for.
    pub audience: String,
    /// As what the console is registered there.
    pub client_id: String,
    /// What proves it; none where it is a public client.
    pub client_secret: Option<Arc<dyn ReadSecret>>,
    /// What is asked for besides `openid`, separated by spaces.
    pub scopes: String,
    /// Where browsers reach us: `https://billing.example.com`.
    pub address: String,
    /// Calls the issuer.
    pub http: Outward,
}

impl OidcSettings {
    /// Where `path` is reached from outside.
    fn address_of(&self, path: &str) -> String {
        format!("{}{path}", self.address.trim_end_matches('/'))
    }
}

/// The door at an issuer of tokens.
pub struct Oidc {
    issuer: Issuer,
}

impl Oidc {
    /// A door with these settings. Nothing is asked of the issuer before somebody comes.
    #[must_use]
    pub fn new(settings: OidcSettings) -> Self {
        Self { issuer: Issuer::new(settings) }
    }
}

pub(super) fn routes() -> Router<Deps> {
    Router::new().route(BEGIN, get(begin)).route(CALLBACK, get(callback)).route(SIGNED_OUT, get(signed_out))
}

/// What stands at the door. A click, and not a redirect at once: whoever has just signed out would be in again.
pub(super) fn door(wanted: &str) -> Markup {
    html! {
        p { "You sign in where your organization keeps its accounts. No password is asked for here." }
        p { a.button href=(next::at(BEGIN, wanted)) { "Sign in" } }
    }
}

/// The door; where people sign in otherwise there is no such page.
struct AtIssuer(Arc<Oidc>);

impl FromRequestParts<Deps> for AtIssuer {
    type Rejection = Trouble;
    async fn from_request_parts(_: &mut Parts, deps: &Deps) -> Result<Self, Trouble> {
        match &deps.sign_in {
            SignIn::Oidc(oidc) => Ok(Self(oidc.clone())),
            SignIn::Link(..) => Err(Trouble::not_found("page")),
        }
    }
}

/// Goes to the issuer.
async fn begin(
    AtIssuer(oidc): AtIssuer,
    State(deps): State<Deps>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let wanted = Fields::parse(query.unwrap_or_default().as_bytes());
    let attempt = Attempt::begun(wanted.get("next")).map_err(|_| Refusal::Unavailable)?;
    let to = oidc.issuer.sign_in_address(&attempt, deps.clock.now()).await?;
    Ok((attempt.kept(), Redirect::to(&to)).into_response())
}

/// Comes back from there. Whatever comes of it, this sign-in is over.
async fn callback(
    AtIssuer(oidc): AtIssuer,
    State(deps): State<Deps>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let answered = Fields::parse(query.unwrap_or_default().as_bytes());
    let entered = entered(&oidc.issuer, &deps, &headers, &answered).await;
    (cookie::SIGN_IN.removed(), entered.unwrap_or_else(Refusal::into_response)).into_response()
}

async fn entered(issuer: &Issuer, deps: &Deps, headers: &HeaderMap, answered: &Fields) -> Result<Response, Refusal> {
    // Whatever else an answer says, it is none of ours where it was not begun in this browser.
    let attempt = Attempt::continued(headers, answered.get("state")).ok_or(Refusal::Lost)?;
    if answered.some("iss").is_some_and(|named| named != issuer.name()) {
        return Err(Refusal::Untrusted("answered by another issuer"));
    }
    match (answered.some("error"), answered.some("code")) {
        (Some("access_denied"), _) => Err(Refusal::Denied),
        (None, Some(code)) => {
            let caller = tokio::time::timeout(PATIENCE, issuer.caller(code, &attempt, deps.clock.now()));
            let caller = caller.await.map_err(|_| Refusal::Unavailable)??;
            tracing::info!(partner = caller.partner.as_str(), actor = caller.actor, "signed in");
            let let_in = let_in(deps, headers, caller.partner, caller.scopes, caller.actor, attempt.next());
            Ok(let_in.await.unwrap_or_else(Trouble::into_response))
        }
        // The issuer's word for it is in the address, which anybody can write: it is neither shown nor logged.
        _ => Err(Refusal::Unavailable),
    }
}

/// Signed out here; and, where the issuer has a place for it, on the way to be signed out there as well. Not by a redirect: what
/// a form leads to is held to our own pages by their policy.
async fn signed_out(visitor: Option<Visitor>, AtIssuer(oidc): AtIssuer, State(deps): State<Deps>) -> Response {
    if visitor.is_some() {
        return Redirect::to(crate::ROOT).into_response();
    }
    let said = |further: Option<&str>| {
        page::bare(
            "You are signed out",
            html! {
                @if let Some(to) = further { p { "You are being signed out where you signed in, too. If nothing happens, " a href=(to) { "go there" } "." } }
                p { a href=(next::DOOR) { "Sign in again" } }
            },
        )
    };
    match oidc.issuer.sign_out_address(deps.clock.now()).await {
        Some(to) => ([(header::REFRESH, format!("0; url={to}"))], said(Some(&to))).into_response(),
        None => said(None).into_response(),
    }
}
