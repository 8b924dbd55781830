//! One HTTP exchange from the first byte to the last, faults included.
//!
//! Owns the order of things: note the request, let the caller in, strike the fault, wait, answer. What is answered is
//! `tenant`'s; what a fault is, `crate::faults`'.
//! A hang ends when the client goes away or the simulator stops, never by itself.

use std::sync::Arc;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{ConnectInfo, Request as HttpRequest, State as Shared};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::Response;
use url::form_urlencoded;

use super::control;
use super::record::Asked;
use super::refusal::Refusal;
use super::routes::Found;
use super::tenant::Tenant;
use crate::faults::Fault;
use crate::reply::Reply;
use crate::server::Connection;

const BODY_LIMIT: usize = 1024 * 1024;

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
    let found = Found::of(parts.method.as_str(), parts.uri.path());
    let entry = tenant.state().journal.note(asked(&tenant, found, &parts));
    let (fault, reply) = match enter(&tenant, found, &parts.headers) {
        Ok(found) => act(&tenant, found, parts.uri.query().unwrap_or_default()).await,
        Err(refusal) => (None, refusal.reply(&tenant.state().switches)),
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

fn enter(tenant: &Tenant, found: Result<Found, Refusal>, headers: &HeaderMap) -> Result<Found, Refusal> {
    let found = found?;
    tenant.state().enter(found.route(), headers, tenant.clock.now())?;
    Ok(found)
}

/// Waits as long as the request takes, then answers it. A page that a fault keeps back counts as shown only if the fault says
/// that it took effect.
async fn act(tenant: &Tenant, found: Found, query: &str) -> (Option<Fault>, Reply) {
    let fault = tenant.state().faults.strike(found.route(), false);
    let wait = fault.as_ref().map_or(Duration::ZERO, Fault::wait);
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    if !fault.as_ref().is_none_or(Fault::applies) {
        return (fault, Reply::empty(200));
    }
    let parameters: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let mut state = tenant.state();
    let reply = match state.answer(found, &parameters, tenant.clock.now()) {
        Ok(body) => Reply::ok(&body),
        Err(refusal) => refusal.reply(&state.switches),
    };
    (fault, reply)
}

fn asked(tenant: &Tenant, found: Result<Found, Refusal>, parts: &Parts) -> Asked {
    Asked {
        number: 0,
        at: tenant.clock.now(),
        method: parts.method.as_str().to_owned(),
        uri: parts.uri.to_string(),
        route: found.ok().map(Found::route),
        status: None,
    }
}
