//! The control surface under `/__sim/`, for a process that drives a simulator from outside.
//!
//! Owns nothing of its own: each path is one method of [`super::Autotask`] as JSON. It asks for no credentials, so a simulator
//! must not listen where strangers are.
//!
//! `GET requests | counts | writes | row_writes | edits | auto_created | charges | tickets | services | lines?date | units?contract_id&service_id&date |
//! in_flight?entity | faults | switches | limits`; `POST reset | faults | units | post | threshold | delay | contracts/{id}/end |
//! charges/bill | charges/{id}/edit | charges/{id}/remove`;
//! `PATCH switches | limits`; `DELETE faults`.

use axum::http::request::Parts;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::entity::Entity;
use super::errors::Reply;
use super::tenant::Tenant;
use crate::faults::Planned;
use crate::settings::{overlaid, read, shown};

/// Where the control surface begins.
pub(crate) const PREFIX: &str = "/__sim/";

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
struct Post {
    contract_id: i64,
    through: Date,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Price {
    unit_price: Decimal,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    date: Date,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Use {
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
            let count = |entity: Entity| state.journal.all().iter().filter(|a| a.entity == Some(entity)).count();
            let by_entity: serde_json::Map<_, _> =
                Entity::ALL.iter().map(|entity| (entity.path().to_owned(), json!(count(*entity)))).collect();
            let writes = state.world.writes.len();
            Ok(json!({ "requests": state.journal.all().len(), "writes": writes, "by_entity": by_entity }))
        }
        "writes" => shown(&state.world.writes),
        "row_writes" => shown(&state.world.row_writes),
        "charges" => shown(&state.world.charge_views()),
        "tickets" => shown(&state.world.ticket_views()),
        "services" => shown(&state.world.service_views()),
        "edits" => shown(&state.world.edits),
        "auto_created" => {
            let created: Vec<_> = state.world.writes.iter().filter(|write| write.created_line).collect();
            shown(&created)
        }
        "lines" => date().and_then(|day| shown(&state.world.lines(day))),
        "units" => match (number("contract_id"), number("service_id")) {
            (Some(contract), Some(service)) => {
                date().map(|day| json!({ "date": day, "units": state.world.units(contract, service, day) }))
            }
            _ => Err("contract_id and service_id are needed".to_owned()),
        },
        "in_flight" => match parameter("entity").as_deref().and_then(Entity::from_path) {
            Some(entity) => Ok(json!({ "entity": entity, "max": tenant.gauge.highest(entity) })),
            None => Err("entity is needed".to_owned()),
        },
        "faults" => shown(state.faults.planned()),
        "switches" => shown(&state.switches),
        "limits" => shown(&state.limits),
        _ => return None,
    })
}

fn act(tenant: &Tenant, path: &str, body: &[u8]) -> Answer {
    let at = tenant.clock.now();
    let mut state = tenant.state();
    if let Some(contract) = path.strip_prefix("contracts/").and_then(|rest| rest.strip_suffix("/end")) {
        let contract: i64 = contract.parse().ok()?;
        let switches = state.switches.clone();
        return Some(read::<End>(body).and_then(|end| {
            state.world.move_end(contract, end.date, &switches).map_err(|refusal| refusal.to_string())?;
            Ok(Value::Null)
        }));
    }
    if let Some((charge, deed)) = path.strip_prefix("charges/").and_then(|rest| rest.split_once('/')) {
        let charge: i64 = charge.parse().ok()?;
        let done = match deed {
            "edit" => read::<Price>(body).and_then(|price| {
                state.world.edit_charge(charge, price.unit_price).map_err(|refused| refused.to_string())
            }),
            "remove" => state.world.remove_charge(charge).map_err(|refused| refused.to_string()),
            _ => return None,
        };
        return Some(done.map(|()| Value::Null));
    }
    Some(match path {
        "reset" => {
            state.reset_counts();
            tenant.gauge.reset_highest();
            Ok(Value::Null)
        }
        "faults" => read::<Planned<Entity>>(body).map(|planned| {
            state.faults.plan(planned.on, planned.fault);
            Value::Null
        }),
        "units" => {
            let switches = state.switches.clone();
            read::<Units>(body).and_then(|edit| {
                let done =
                    state.world.edit_units(edit.contract_id, edit.service_id, edit.date, edit.units, at, &switches);
                done.map_err(|refused| refused.to_string()).and_then(|write| shown(&write))
            })
        }
        "post" => read::<Post>(body).map(|post| {
            let through = post.through;
            let rows = state.world.post(post.contract_id, through, |row| row.days.end <= through);
            json!({ "rows": rows })
        }),
        "charges/bill" => read::<Post>(body)
            .map(|post| json!({ "charges": state.world.bill_charges(post.contract_id, post.through) })),
        "threshold" => read::<Use>(body).map(|used| {
            state.window.add(used.requests, at);
            Value::Null
        }),
        "delay" => read::<Delay>(body).map(|delay| {
            state.delay_ms = delay.ms;
            Value::Null
        }),
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
