//! `GET /v1/connections/{id}/runs` and `GET /v1/runs/{run}`.

use axum::extract::State;
use shared::api::auth::{Caller, Reader};
use shared::api::paging::{List, Listing, Paging};
use shared::api::{Json, Path, Problem, ProblemBody, Query, owned};
use shared::domain::ids::{ConnectionId, RunId};
use shared::store::runs::Run;

use crate::Deps;
use crate::view::RunView;

/// List a connection's runs, newest first.
#[utoipa::path(
    get,
    path = "/v1/connections/{id}/runs",
    tag = "runs",
    params(("id" = String, Path), Paging),
    responses(
        (status = 200, body = Listing<RunView>),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn list(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(connection): Path<ConnectionId>,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<RunView>>, Problem> {
    owned::connection(&deps.connections, &caller, &connection).await?;
    let list = List::named(&["runs", connection.as_str()]);
    let after = list.position(paging.cursor.as_deref())?;
    let limit = i32::from(paging.limit.get());
    let (runs, next) = deps.runs.of_connection(&caller.partner, &connection, after.as_deref(), limit).await?;
    Ok(Json(list.page(runs.into_iter().map(RunView::from).collect(), next.as_deref())))
}

/// One run: its progress, and how it ended.
#[utoipa::path(
    get,
    path = "/v1/runs/{run}",
    tag = "runs",
    params(("run" = String, Path)),
    responses(
        (status = 200, body = RunView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn get(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(run): Path<RunId>,
) -> Result<Json<RunView>, Problem> {
    Ok(Json(of_caller(&deps, &caller, &run).await?.into()))
}

/// A run of the caller's partner.
pub(crate) async fn of_caller(deps: &Deps, caller: &Caller, run: &RunId) -> Result<Run, Problem> {
    deps.runs.get(&caller.partner, run).await?.ok_or_else(|| Problem::not_found("run"))
}
