//! One HTTP exchange from the first byte to the last, faults included.
//!
//! Owns the order of things: note the request, count it, let the caller in, strike the fault, wait, act, answer. What a call
//! does is `calls`'; what a fault is, `crate::faults`'.
//! A hang ends when the client goes away or the simulator stops, never by itself.

use std::sync::Arc;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{ConnectInfo, Request as HttpRequest, State as Shared};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::Value;
use url::form_urlencoded;

use super::calls::{self, Body, Request};
use super::control;
use super::envelope::{self, Refusal};
use super::form;
use super::record::Asked;
use super::routes::{Found, Route};
use super::tenant::Tenant;
use super::users::BmsUser;
use crate::faults::Fault;
use crate::reply::Reply;
use crate::server::Connection;

const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// An endpoint, and who asks for it; nobody for a log-in.
struct Entered {
    found: Found,
    user: Option<BmsUser>,
}

/// Serves everything on the simulator's port.
pub(crate) async fn serve(
    Shared(tenant): Shared<Arc<Tenant>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: HttpRequest,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return Reply::empty(413).response();
    };
    if parts.uri.path().starts_with(control::PREFIX) {
        return control::serve(&tenant, &parts, &body).response();
    }
    // Held to the end, so that a hanging request counts as long as the client waits.
    let _in_progress = tenant.begin();
    let found = Route::find(parts.method.as_str(), parts.uri.path());
    let route = found.as_ref().ok().map(|found| found.route);
    let request = read(&parts, &body, route);
    let entry = tenant.state().journal.note(asked(&tenant, route, &request));
    let (fault, reply) = match enter(&tenant, found, &parts.headers) {
        Ok(entered) => act(&tenant, &entered, &request).await,
        Err(refusal) => (None, envelope::reply(&Err(refusal), &tenant.state().switches)),
    };
    match fault {
        Some(Fault::HangBefore | Fault::HangAfter) => std::future::pending().await,
        Some(Fault::ResetBefore | Fault::ResetAfter) => {
            connection.cut();
            reply.response()
        }
        Some(Fault::Answer(answer)) => {
            tenant.state().journal.answered(entry, answer.status);
            answer.reply().response()
        }
        Some(Fault::Delay { .. }) | None => {
            tenant.state().journal.answered(entry, reply.status);
            reply.response()
        }
    }
}

/// Checks that the endpoint exists, its limit, and the token.
fn enter(tenant: &Tenant, found: Result<Found, Refusal>, headers: &HeaderMap) -> Result<Entered, Refusal> {
    let found = found?;
    let mut state = tenant.state();
    state.admit(found.route, &tenant.clock)?;
    let user =
        if found.route.is_open() { None } else { Some(state.authenticate(found.route, headers, &tenant.clock)?) };
    Ok(Entered { found, user })
}

/// Waits as long as the request takes, then applies it unless the fault says otherwise.
async fn act(tenant: &Tenant, entered: &Entered, request: &Request) -> (Option<Fault>, Reply) {
    let route = entered.found.route;
    let (fault, wait) = {
        let mut state = tenant.state();
        let fault = state.faults.strike(route, route.writes());
        let wait = Duration::from_millis(state.delay_ms) + fault.as_ref().map_or(Duration::ZERO, Fault::wait);
        (fault, wait)
    };
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    let reply = if fault.as_ref().is_none_or(Fault::applies) {
        let mut state = tenant.state();
        let outcome = match &entered.user {
            Some(user) => calls::answer(&mut state, &tenant.clock, user, &entered.found, request),
            None => calls::open(&mut state, &tenant.clock, route, request),
        };
        envelope::reply(&outcome, &state.switches)
    } else {
        Reply::empty(200)
    };
    (fault, reply)
}

fn read(parts: &Parts, body: &[u8], route: Option<Route>) -> Request {
    let query = parts.uri.query().unwrap_or_default();
    let content_type = parts.headers.get("content-type").and_then(|text| text.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let body = if body.is_empty() {
        Body::None
    } else if route.is_some_and(Route::takes_form) {
        form::read(content_type, body).map_or(Body::Foreign, Body::Form)
    } else if essence.ends_with("/json") || essence.ends_with("+json") {
        serde_json::from_slice(body).map_or(Body::Broken, Body::Json)
    } else {
        Body::Foreign
    };
    Request {
        method: parts.method.as_str().to_owned(),
        uri: parts.uri.to_string(),
        parameters: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        body,
    }
}

fn asked(tenant: &Tenant, route: Option<Route>, request: &Request) -> Asked {
    let body = if let Body::Json(body) = &request.body { body.clone() } else { Value::Null };
    Asked {
        number: 0,
        at: tenant.clock.now(),
        method: request.method.clone(),
        uri: request.uri.clone(),
        route,
        body,
        status: None,
    }
}
