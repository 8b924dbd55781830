//! The control surface under `/__sim/`, for a process that drives a simulator from outside.
//!
//! Owns nothing of its own: each path is one method of [`super::Simulator`] as JSON. It asks for no credentials, so a simulator
//! must not listen where strangers are.
//!
//! `GET requests | customers | faults | switches | limits`; `POST reset | faults | changes | used`; `PATCH switches | limits`;
//! `DELETE faults`. A change is `{"change": …}`, and happens later with `"after_page": n` beside it.

use axum::http::request::Parts;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Vendor;
use super::customers::{Change, Customer};
use super::tenant::{State, Tenant};
use crate::faults;
use crate::reply::Reply;
use crate::settings::{overlaid, read, shown};

/// Where the control surface begins.
pub(crate) const PREFIX: &str = "/__sim/";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound = "")]
struct Changed<C: Customer> {
    change: Change<C>,
    #[serde(default)]
    after_page: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Used {
    requests: usize,
}

type Answer = Option<Result<Value, String>>;

/// Answers one control request.
pub(crate) fn serve<V: Vendor>(tenant: &Tenant<V>, parts: &Parts, body: &[u8]) -> Reply {
    let path = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default().trim_end_matches('/');
    let answer = match parts.method.as_str() {
        "GET" => look(&tenant.state(), path),
        "POST" => act(tenant, path, body),
        "PATCH" => set(&mut tenant.state(), path, body),
        "DELETE" if path == "faults" => {
            tenant.state().faults.clear();
            Some(Ok(Value::Null))
        }
        _ => None,
    };
    match answer {
        Some(Ok(Value::Null)) => Reply::empty(204),
        Some(Ok(value)) => Reply::ok(&value),
        Some(Err(why)) => Reply::json(400, &json!({ "error": why })),
        None => Reply::json(404, &json!({ "error": "no such control" })),
    }
}

fn look<V: Vendor>(state: &State<V>, path: &str) -> Answer {
    Some(match path {
        "requests" => shown(state.journal.all()),
        "customers" => shown(&state.held.customers.iter().collect::<Vec<_>>()),
        "faults" => shown(state.faults.planned()),
        "switches" => shown(&state.held.switches),
        "limits" => shown(&state.held.limits),
        _ => return None,
    })
}

fn act<V: Vendor>(tenant: &Tenant<V>, path: &str, body: &[u8]) -> Answer {
    let now = tenant.clock.now();
    let mut state = tenant.state();
    let done = match path {
        "reset" => {
            state.reset_counts();
            Ok(())
        }
        "faults" => read::<faults::Planned<V::Route>>(body).map(|planned| state.faults.plan(planned.on, planned.fault)),
        "changes" => read::<Changed<V::Customer>>(body).and_then(|Changed { change, after_page }| match after_page {
            None => state.held.customers.apply(change, now).map_err(|error| error.to_string()),
            Some(page) => {
                state.change_after_page(page, change);
                Ok(())
            }
        }),
        "used" => read::<Used>(body).map(|used| state.window.add(used.requests, now)),
        _ => return None,
    };
    Some(done.map(|()| Value::Null))
}

/// Lays the sent members over the present ones, so that one can be changed alone.
fn set<V: Vendor>(state: &mut State<V>, path: &str, body: &[u8]) -> Answer {
    Some(match path {
        "switches" => overlaid(&state.held.switches, body).and_then(|switches| {
            state.held.switches = switches;
            shown(&state.held.switches)
        }),
        "limits" => overlaid(&state.held.limits, body).and_then(|limits| {
            state.held.limits = limits;
            shown(&state.held.limits)
        }),
        _ => return None,
    })
}
