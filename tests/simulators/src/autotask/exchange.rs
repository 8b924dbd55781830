//! One HTTP exchange from the first byte to the last, faults included.
//!
//! Owns the order of things: note the request, let the caller in, count it, strike the fault, wait, act, answer. What a call
//! does is `calls`'; what a fault is, `crate::faults`'.
//! A hang ends when the client goes away or the simulator stops, never by itself.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request as HttpRequest, State as Shared};
use axum::http::{HeaderMap, request::Parts};
use axum::response::Response;
use serde_json::Value;
use url::form_urlencoded;

use super::calls::{self, Request};
use super::control;
use super::entity::Entity;
use super::errors::{Refusal, Reply};
use super::filter::unexpected;
use super::limits::{Thread, latency};
use super::record::{Asked, Kind};
use super::routes::{Call, Route};
use super::tenant::Tenant;
use super::users::ApiUser;
use crate::faults::Fault;
use crate::server::Connection;

const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// Who was let in, and the thread the request holds until it ends.
struct Entered<'t> {
    call: Call,
    user: Option<&'t ApiUser>,
    _thread: Option<Thread>,
    in_flight: usize,
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
    let request = read(&parts, &body);
    let route = Route::read(&request.method, parts.uri.path());
    let entry = tenant.state().journal.note(asked(&tenant, &route, &request, &parts.headers));
    // Held to the end, so that a hanging request keeps its thread as long as the client waits.
    let entered = enter(&tenant, &route, &parts.headers);
    let (fault, reply) = match &entered {
        Ok(entered) => act(&tenant, entered, &route, &request).await,
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

/// Checks credentials and limits.
fn enter<'t>(tenant: &'t Tenant, route: &Route, headers: &HeaderMap) -> Result<Entered<'t>, Refusal> {
    // Routing comes first: a path that does not exist is a 404 to everyone.
    let call = route.call.clone()?;
    if call.is_open() {
        return Ok(Entered { call, user: None, _thread: None, in_flight: 0 });
    }
    let user = tenant.authenticate(headers)?;
    tenant.state().admit(&tenant.clock)?;
    let thread = match route.entity {
        Some(entity) => {
            let limit = tenant.state().limits.threads;
            let thread = tenant.gauge.enter(user.integration_code(), entity, limit);
            Some(thread.ok_or_else(|| tenant.state().too_many_threads(entity))?)
        }
        None => None,
    };
    Ok(Entered { call, user: Some(user), _thread: thread, in_flight: tenant.gauge.in_flight() })
}

/// Waits as long as the request takes, then applies it unless the fault says otherwise.
async fn act(tenant: &Tenant, entered: &Entered<'_>, route: &Route, request: &Request) -> (Option<Fault>, Reply) {
    let (fault, wait) = {
        let mut state = tenant.state();
        let writes = entered.call.kind().writes();
        let fault = route.entity.and_then(|entity| state.faults.strike(entity, writes));
        let mut wait = Duration::from_millis(state.delay_ms) + fault.as_ref().map_or(Duration::ZERO, Fault::wait);
        if state.switches.latency && entered.user.is_some() {
            let limits = state.limits;
            let used = state.window.count(limits.window(), tenant.clock.now());
            wait += latency(&limits, used, entered.in_flight);
        }
        (fault, wait)
    };
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    let reply = if fault.as_ref().is_none_or(Fault::applies) {
        let mut state = tenant.state();
        let outcome = match entered.user {
            Some(user) => calls::answer(tenant, &mut state, user, entered.call, request),
            None => calls::open(tenant, &state, entered.call, request),
        };
        outcome.unwrap_or_else(|refusal| refusal.reply(&state.switches))
    } else {
        Reply::empty(200)
    };
    (fault, reply)
}

fn read(parts: &Parts, body: &Bytes) -> Request {
    let host = parts.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    let query = parts.uri.query().unwrap_or_default();
    Request {
        method: parts.method.as_str().to_owned(),
        base: format!("http://{host}"),
        uri: parts.uri.to_string(),
        parameters: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        impersonates: parts.headers.contains_key("impersonationresourceid"),
        body: (!body.is_empty()).then(|| {
            serde_json::from_slice(body).map_err(|_| unexpected(&String::from_utf8_lossy(body).into_owned().into()))
        }),
    }
}

fn asked(tenant: &Tenant, route: &Route, request: &Request, headers: &HeaderMap) -> Asked {
    let body = match &request.body {
        Some(body) => body.clone().unwrap_or(Value::Null),
        None => request.parameter("search").and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null),
    };
    let sent = headers.get("username").and_then(|name| name.to_str().ok()).map(str::to_owned);
    Asked {
        number: 0,
        at: tenant.clock.now(),
        method: request.method.clone(),
        path: route.template.clone(),
        entity: route.entity,
        kind: route.call.as_ref().map_or(Kind::Unknown, |call| call.kind()),
        user: sent.or_else(|| {
            (route.entity == Some(Entity::ZoneInformation)).then(|| request.parameter("user").map(str::to_owned))?
        }),
        body,
        status: None,
    }
}
