//! The control surface under `/__sim/`, for a process that drives a simulator from outside.
//!
//! Owns nothing of its own: each path is one method of [`super::KaseyaBms`] as JSON. It asks for no credentials, so a simulator
//! must not listen where strangers are.
//!
//! `GET requests | counts | writes | edits | lines?date | units?contract_id&service_id&date | logins | tickets | notes |
//! faults | switches | limits`; `POST reset | faults | units | lines | invoices | used | delay | expire_tokens | contracts/{id}/end |
//! contracts/{id}/active`; `PATCH switches | limits`; `DELETE faults | lines/{id}`.

use axum::http::request::Parts;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::routes::Route;
use super::tenant::Tenant;
use crate::faults::Planned;
use crate::reply::Reply;
use crate::settings::{overlaid, read, shown};

/// Where the control surface begins.
pub(crate) const PREFIX: &str = "/__sim/";

/// Units from a day on: of a service on a contract, or of a new line of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Units {
    contract_id: i64,
    service_id: i64,
    date: Date,
    units: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invoice {
    contract_id: i64,
    date: Date,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    date: Date,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Active {
    active: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Used {
    route: Route,
    requests: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delay {
    ms: u64,
}

/// Answers one control request.
pub(crate) fn serve(tenant: &Tenant, parts: &Parts, body: &[u8]) -> Reply {
    let path = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default().trim_end_matches('/');
    let query = parts.uri.query().unwrap_or_default();
    let parameter = |name: &str| {
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let answer = match parts.method.as_str() {
        "GET" => look(tenant, path, &parameter),
        "POST" => act(tenant, path, body),
        "PATCH" => set(tenant, path, body),
        "DELETE" => delete(tenant, path),
        _ => None,
    };
    match answer {
        Some(Ok(Value::Null)) => Reply::empty(204),
        Some(Ok(value)) => Reply::ok(&value),
        Some(Err(why)) => Reply::json(400, &json!({ "error": why })),
        None => Reply::json(404, &json!({ "error": "no such control" })),
    }
}

type Answer = Option<Result<Value, String>>;

fn look(tenant: &Tenant, path: &str, parameter: &impl Fn(&str) -> Option<String>) -> Answer {
    let number = |name: &str| parameter(name).and_then(|text| text.parse::<i64>().ok());
    let date = || match parameter("date") {
        None => Ok(tenant.clock.today()),
        Some(text) => text.parse::<Date>().map_err(|error| error.to_string()),
    };
    let state = tenant.state();
    Some(match path {
        "requests" => shown(state.journal.all()),
        "counts" => {
            let count = |route| state.journal.all().iter().filter(|asked| asked.route == Some(route)).count();
            let by_route: Map<_, _> = Route::all().map(|route| (route.template(), json!(count(route)))).collect();
            let writes = state.world.writes.len();
            Ok(json!({ "requests": state.journal.all().len(), "writes": writes, "by_route": by_route }))
        }
        "writes" => shown(&state.world.writes),
        "edits" => shown(&state.world.edits),
        "lines" => date().and_then(|day| shown(&state.world.lines(day))),
        "units" => match (number("contract_id"), number("service_id")) {
            (Some(contract), Some(service)) => {
                date().map(|day| json!({ "date": day, "units": state.world.units(contract, service, day) }))
            }
            _ => Err("contract_id and service_id are needed".to_owned()),
        },
        "logins" => Ok(json!({ "attempts": state.logins.attempts(), "users": state.logins.standings() })),
        "tickets" => shown(&state.world.tickets.values().collect::<Vec<_>>()),
        "notes" => shown(&state.world.notes.values().collect::<Vec<_>>()),
        "faults" => shown(state.faults.planned()),
        "switches" => shown(&state.switches),
        "limits" => shown(&state.limits),
        _ => return None,
    })
}

fn act(tenant: &Tenant, path: &str, body: &[u8]) -> Answer {
    let at = tenant.clock.now();
    let mut state = tenant.state();
    if let Some((contract, what)) = path.strip_prefix("contracts/").and_then(|rest| rest.split_once('/')) {
        let contract = state.world.contracts.get_mut(&contract.parse().ok()?)?;
        let done = match what {
            "end" => read::<End>(body).map(|end| contract.end = end.date),
            "active" => read::<Active>(body).map(|sent| contract.active = sent.active),
            _ => return None,
        };
        return Some(done.map(|()| Value::Null));
    }
    Some(match path {
        "reset" => {
            state.reset_counts();
            Ok(Value::Null)
        }
        "faults" => read::<Planned<Route>>(body).map(|planned| {
            state.faults.plan(planned.on, planned.fault);
            Value::Null
        }),
        "units" => read::<Units>(body).and_then(|edit| {
            let done = state.world.edit_units(edit.contract_id, edit.service_id, edit.date, edit.units, at);
            done.map_err(|refused| refused.to_string()).and_then(|write| shown(&write))
        }),
        "lines" => read::<Units>(body).and_then(|new| {
            let done = state.world.add_line(new.contract_id, new.service_id, new.date, new.units, at);
            done.map_err(|refused| refused.to_string()).and_then(|write| shown(&write))
        }),
        "invoices" => {
            read::<Invoice>(body).map(|sent| json!({ "items": state.world.invoice(sent.contract_id, sent.date) }))
        }
        "used" => read::<Used>(body).map(|used| {
            state.windows.entry(used.route).or_default().add(used.requests, at);
            Value::Null
        }),
        "delay" => read::<Delay>(body).map(|delay| {
            state.delay_ms = delay.ms;
            Value::Null
        }),
        "expire_tokens" => {
            state.logins.expire(at);
            Ok(Value::Null)
        }
        _ => return None,
    })
}

/// Lays the sent members over the present ones, so that one can be changed alone.
fn set(tenant: &Tenant, path: &str, body: &[u8]) -> Answer {
    let mut state = tenant.state();
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

fn delete(tenant: &Tenant, path: &str) -> Answer {
    let at = tenant.clock.now();
    let mut state = tenant.state();
    if path == "faults" {
        state.faults.clear();
        return Some(Ok(Value::Null));
    }
    let line = path.strip_prefix("lines/")?.parse().ok()?;
    let done = state.world.delete_line(line, at);
    Some(done.map_err(|refused| refused.to_string()).and_then(|write| shown(&write)))
}
