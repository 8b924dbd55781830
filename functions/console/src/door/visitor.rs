//! Somebody who is signed in. A page's first argument: without one there is no page.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Redirect, Response};
use shared::api::RequestId;
use shared::api::auth::{Claims, Scope, scopes_in};
use shared::store::sessions::Session;

use super::{cookie, csrf, next};
use crate::Deps;
use crate::client::{Api, Client, Trouble};

/// Somebody who is signed in.
#[derive(Clone)]
pub(crate) struct Visitor {
    secret: String,
    session: Session,
    api: Api,
    request: Option<RequestId>,
}

impl Visitor {
    /// The API as this person has it.
    pub(crate) fn api(&self) -> Client {
        let Session { partner, scopes, subject, .. } = &self.session;
        let claims =
            Claims { partner: Some(partner.to_string()), scopes: scopes_in(scopes), subject: Some(subject.clone()) };
        self.api.of(claims, self.request.clone())
    }

    /// Whose pages these are.
    pub(crate) fn partner(&self) -> &str {
        self.session.partner.as_str()
    }

    /// Who it is.
    pub(crate) fn name(&self) -> &str {
        &self.session.subject
    }

    /// Whether changes are allowed. It spares buttons that would be refused; what is refused, the API decides.
    pub(crate) fn may_change(&self) -> bool {
        scopes_in(&self.session.scopes).contains(&Scope::Write)
    }

    /// A token for a form on the page.
    pub(crate) fn csrf(&self) -> String {
        // Without randomness there is no token, and the form is refused.
        csrf::token(&self.secret).unwrap_or_default()
    }

    pub(super) fn sent(&self, token: &str) -> bool {
        csrf::is_of(token, &self.secret)
    }

    pub(super) fn secret(&self) -> &str {
        &self.secret
    }

    async fn found(parts: &Parts, deps: &Deps) -> Result<Option<Self>, Trouble> {
        let Some(secret) = cookie::session(&deps.sign_in, &parts.headers) else { return Ok(None) };
        let session = deps.sessions.get(secret, deps.clock.now()).await?;
        let request = parts.extensions.get().cloned();
        Ok(session.map(|session| Self { secret: secret.to_owned(), session, api: deps.api.clone(), request }))
    }
}

impl FromRequestParts<Deps> for Visitor {
    type Rejection = Response;
    async fn from_request_parts(parts: &mut Parts, deps: &Deps) -> Result<Self, Response> {
        match Self::found(parts, deps).await {
            Ok(Some(visitor)) => Ok(visitor),
            Ok(None) => Err(to_the_door(parts)),
            Err(trouble) => Err(trouble.into_response()),
        }
    }
}

impl OptionalFromRequestParts<Deps> for Visitor {
    type Rejection = Response;
    async fn from_request_parts(parts: &mut Parts, deps: &Deps) -> Result<Option<Self>, Response> {
        Self::found(parts, deps).await.map_err(Trouble::into_response)
    }
}

/// A part of a page that is asked for by htmx would put the door into the middle of it: the whole page goes there. A page that
/// was asked for by itself is shown after the sign-in.
fn to_the_door(parts: &Parts) -> Response {
    if parts.headers.contains_key("hx-request") {
        return [("hx-redirect", next::DOOR)].into_response();
    }
    let wanted = parts.uri.path_and_query().filter(|_| parts.method == Method::GET);
    Redirect::to(&next::door_before(wanted.map_or(crate::ROOT, |wanted| wanted.as_str()))).into_response()
}
