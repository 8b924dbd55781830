//! One HTTP exchange from the first byte to the last, faults included.
//!
//! Owns the order of things: note the request, let its sender in, strike the fault, wait, answer. What a fault is belongs to
//! `crate::faults`. A hang ends when the client goes away or the simulator stops, never by itself.

use std::sync::Arc;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{ConnectInfo, Request as HttpRequest, State as Shared};
use axum::http::request::Parts;
use axum::response::Response;

use super::Vendor;
use super::ask::Ask;
use super::control;
use super::record::Asked;
use super::tenant::Tenant;
use crate::faults::Fault;
use crate::reply::Reply;
use crate::server::Connection;

const BODY_LIMIT: usize = 1024 * 1024;

/// Serves everything on the simulator's port.
pub(crate) async fn serve<V: Vendor>(
    Shared(tenant): Shared<Arc<Tenant<V>>>,
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
    let ask = Ask::of(&parts, &body, tenant.clock.now());
    let route = V::route(&ask);
    let entry = tenant.state().journal.note(noted::<V>(&parts, &ask, route.as_ref().ok()));
    let entered = route.and_then(|route| Ok((route, tenant.state().enter(route, &ask)?)));
    let (fault, reply) = match entered {
        Ok((route, caller)) => act(&tenant, route, caller, &ask).await,
        Err(refusal) => (None, tenant.state().refused(&refusal)),
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

/// Waits as long as the request takes, then answers it. A page that a fault keeps back counts as shown only if the fault says
/// that it took effect.
async fn act<V: Vendor>(
    tenant: &Tenant<V>,
    route: V::Route,
    caller: V::Caller,
    ask: &Ask<'_>,
) -> (Option<Fault>, Reply) {
    let fault = tenant.state().faults.strike(route, false);
    let wait = fault.as_ref().map_or(Duration::ZERO, Fault::wait);
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    if !fault.as_ref().is_none_or(Fault::applies) {
        return (fault, Reply::empty(200));
    }
    let reply = tenant.state().answer(route, &caller, ask);
    (fault, reply)
}

fn noted<V: Vendor>(parts: &Parts, ask: &Ask<'_>, route: Option<&V::Route>) -> Asked<V::Route> {
    Asked {
        number: 0,
        at: ask.now,
        method: parts.method.as_str().to_owned(),
        uri: parts.uri.to_string(),
        route: route.copied(),
        status: None,
    }
}
