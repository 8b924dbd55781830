//! `POST /v1/connections/{id}/runs`: sync or preview now.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use shared::api::auth::{Caller, Writer};
use shared::api::idempotent::{Creation, Made, once};
use shared::api::{Fault, MOST_FAULTS, Path, Problem, ProblemBody};
use shared::domain::ids::{CompanyId, ConnectionId, RunId};
use shared::events::{Event, RunRef};
use shared::store::Read;
use shared::store::connections::{Connection, Status};
use shared::store::runs::{Mode, Trigger};
use shared::sync::{NewRun, companies_not_mapped};
use utoipa::ToSchema;

use crate::Deps;
use crate::view::Started;

/// The most companies that one request may name.
const MOST_COMPANIES: usize = 1_000;

/// What to run.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRunBody {
    /// `preview` shows what `apply` would do.
    mode: Mode,
    /// Only the lines that these companies feed; all lines where it is left out.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, min_items = 1, max_items = 1000)]
    companies: Option<Vec<CompanyId>>,
}

/// Sync or preview now.
///
/// Where a company that is named is not mapped, no run is made: 422 `companies_not_mapped`.
#[utoipa::path(
    post,
    path = "/v1/connections/{id}/runs",
    tag = "runs",
    request_body = NewRunBody,
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body make one run"),
    ),
    responses(
        (status = 202, description = "Queued", body = Started),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn start(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    Path(connection): Path<ConnectionId>,
    request: Creation<NewRunBody>,
) -> Result<Response, Problem> {
    once(&deps.remembered, &*deps.clock, &caller, request, "run", async |id, body| {
        let companies = named(body.companies)?;
        let connection = usable(&deps, &caller, &connection, body.mode).await?;
        all_mapped(&deps, &connection, &companies).await?;
        make(&deps, &connection, id, NewRun { companies, ..by(&caller, body.mode) }).await
    })
    .await
}

fn named(companies: Option<Vec<CompanyId>>) -> Result<Vec<CompanyId>, Problem> {
    match companies {
        None => Ok(Vec::new()),
        Some(named) if (1..=MOST_COMPANIES).contains(&named.len()) => Ok(named),
        Some(_) => {
            Err(Problem::invalid(vec![Fault::new("/companies", "must name 1 to 1000 companies, or be left out")]))
        }
    }
}

/// A misspelt company among others would leave its lines as they are and nobody would know.
async fn all_mapped(deps: &Deps, connection: &Connection, companies: &[CompanyId]) -> Result<(), Problem> {
    if companies.is_empty() {
        return Ok(());
    }
    let unmapped = deps.mappings.unmapped_among(&connection.partner, &connection.id, companies).await?;
    if unmapped.is_empty() {
        return Ok(());
    }
    let known = unmapped.iter().collect::<BTreeSet<_>>();
    let at = companies.iter().enumerate().filter(|(_, company)| known.contains(company));
    let faults = at.take(MOST_FAULTS).map(|(index, _)| Fault::new(format!("/companies/{index}"), "is not mapped"));
    let faults = faults.collect();
    let reason = companies_not_mapped(&unmapped);
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, &reason.code, reason.explanation)
        .faults(faults)
        .fix(format!("{} No run was made.", reason.fix)))
}

/// A connection of the caller's that may be run in `mode`: one that is switched off can be previewed and not applied.
pub(crate) async fn usable(deps: &Deps, caller: &Caller, id: &ConnectionId, mode: Mode) -> Result<Connection, Problem> {
    let found = deps.connections.get(&caller.partner, id, Read::Consistent).await?;
    let connection = found.ok_or_else(|| Problem::not_found("connection"))?;
    if connection.status == Status::Revoked {
        return Err(
            Problem::conflict("connection_revoked", "The connection was revoked.").fix("Make a new connection.")
        );
    }
    if mode == Mode::Apply && !connection.enabled {
        let detail = "The connection is switched off: nothing is sent to the PSA.";
        return Err(Problem::conflict("connection_off", detail).fix("Switch the connection on, or ask for a preview."));
    }
    Ok(connection)
}

/// As [`usable`], where something is to be written for sure: shadow mode would make it come to nothing.
pub(crate) async fn writable(deps: &Deps, caller: &Caller, id: &ConnectionId) -> Result<Connection, Problem> {
    let connection = usable(deps, caller, id, Mode::Apply).await?;
    if connection.policy.shadow {
        let detail = "The connection is in shadow mode: nothing is sent to the PSA.";
        return Err(Problem::conflict("shadow", detail).fix("End shadow mode in the connection's policy."));
    }
    Ok(connection)
}

/// A run of all lines that `caller` asks for.
pub(crate) fn by(caller: &Caller, mode: Mode) -> NewRun {
    NewRun {
        mode,
        trigger: Trigger::Manual,
        actor: caller.actor.clone(),
        companies: Vec::new(),
        approved: Vec::new(),
        approved_charges: Vec::new(),
        approves: None,
        reverses: None,
    }
}

/// Stores the run and asks for its planning. A run of this id that is there already was made by this very request.
pub(crate) async fn make(
    deps: &Deps,
    connection: &Connection,
    id: String,
    new: NewRun,
) -> Result<Made<Started>, Problem> {
    let id = RunId::try_from(id).map_err(Problem::internal)?;
    let run = new.queued(id, connection, deps.clock.now());
    deps.runs.create(&run).await?;
    let reference = RunRef { partner: run.partner.clone(), connection: run.connection.clone(), run: run.id.clone() };
    deps.events.publish(&[Event::SyncRequested(reference)]).await.map_err(Problem::internal)?;
    let location = Some(format!("/v1/runs/{}", run.id));
    Ok(Made { status: StatusCode::ACCEPTED, location, body: Started { run_id: run.id.to_string() } })
}
