//! The control surface under `/__sim/`, for a process that drives a simulator from outside.
//!
//! Owns nothing of its own: each path is one method of [`super::Huntress`] as JSON. It asks for no credentials, so a simulator
//! must not listen where strangers are.
//!
//! `GET requests | counts | organizations | faults | switches | limits`; `POST reset | faults | changes | used`; `PATCH switches |
//! limits`; `DELETE faults`. A change is `{"change": …}`, and happens later with `"after_page": n` beside it.

use axum::http::request::Parts;
use serde::Deserialize;
use serde_json::{Value, json};

use super::account::Change;
use super::routes::Route;
use super::tenant::{Planned, State, Tenant};
use crate::faults;
use crate::reply::Reply;
use crate::settings::{overlaid, read, shown};

/// Where the control surface begins.
pub(crate) const PREFIX: &str = "/__sim/";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changed {
    change: Change,
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
pub(crate) fn serve(tenant: &Tenant, parts: &Parts, body: &[u8]) -> Reply {
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

fn look(state: &State, path: &str) -> Answer {
    let count = |route: Route| state.journal.all().iter().filter(|asked| asked.route == Some(route)).count();
    Some(match path {
        "requests" => shown(state.journal.all()),
        "counts" => shown(&Route::ALL.map(|route| json!({ "route": route, "requests": count(route) }))),
        "organizations" => shown(&state.account.organizations().collect::<Vec<_>>()),
        "faults" => shown(state.faults.planned()),
        "switches" => shown(&state.switches),
        "limits" => shown(&state.limits),
        _ => return None,
    })
}

fn act(tenant: &Tenant, path: &str, body: &[u8]) -> Answer {
    let now = tenant.clock.now();
    let mut state = tenant.state();
    let done = match path {
        "reset" => {
            state.reset_counts();
            Ok(())
        }
        "faults" => read::<faults::Planned<Route>>(body).map(|planned| state.faults.plan(planned.on, planned.fault)),
        "changes" => read::<Changed>(body).and_then(|Changed { change, after_page }| match after_page {
            None => state.account.apply(change, now).map_err(|error| error.to_string()),
            Some(after_page) => {
                state.to_come.push(Planned { after_page, change });
                Ok(())
            }
        }),
        "used" => read::<Used>(body).map(|used| state.window.add(used.requests, now)),
        _ => return None,
    };
    Some(done.map(|()| Value::Null))
}

/// Lays the sent members over the present ones, so that one can be changed alone.
fn set(state: &mut State, path: &str, body: &[u8]) -> Answer {
    Some(match path {
        "switches" => overlaid(&state.switches, body).and_then(|switches| {
            state.switches = switches;
            shown(&state.switches)
        }),
        "limits" => overlaid(&state.limits, body).and_then(|limits| {
            state.limits = limits;
            shown(&state.limits)
        }),
        _ => return None,
    })
}
