//! `GET /v1/connections/{id}/lines/{line}`: how a line stands by the newest run that looked at it.

use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use shared::api::auth::Reader;
use shared::api::{Json, Path, Problem, ProblemBody, owned};
use shared::domain::ids::ConnectionId;
use shared::domain::line::LineResult;
use shared::store::runs::Mode;
use utoipa::ToSchema;

use crate::lines::LineView;
use crate::results::{Results, Viewed as _};
use crate::{Deps, packs};

/// Runs that are looked through, up to the newest one of all lines: that tells of every line that is mapped.
const RUNS: i32 = 20;

/// A line, as a run left it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LineState {
    /// The newest run that looked at it and has ended.
    run_id: String,
    /// Whether that run was to write.
    mode: Mode,
    /// When it ended.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What it found, and what became of it.
    line: LineView,
}

/// How a line stands: its company, its feeds and its units, as the newest run that looked at it has them.
///
/// A line is known by the newest run of all lines and those since, twenty at most: what none of them looked at is 404.
#[utoipa::path(
    get,
    path = "/v1/connections/{id}/lines/{line}",
    tag = "runs",
    params(("id" = String, Path), ("line" = String, Path, description = "`contract:service`, as results name it")),
    responses(
        (status = 200, body = LineState),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn line(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path((connection, id)): Path<(ConnectionId, String)>,
) -> Result<Json<LineState>, Problem> {
    owned::connection(&deps.connections, &caller, &connection).await?;
    let (runs, _) = deps.runs.of_connection(&caller.partner, &connection, None, RUNS).await?;
    for run in runs {
        let Some(at) = run.finished_at else { continue };
        let lines = Results::<LineResult>::of(&deps, &run);
        if let Some(line) = packs::find(&lines, |line| line.line_id == id).await? {
            let line = LineView::of(line, true);
            return Ok(Json(LineState { run_id: run.id.to_string(), mode: run.mode, at, line }));
        }
        // One that was cut short, or failed before it came to any line, has not looked at every line.
        if run.is_of_all_lines() && run.reason.is_none() && !run.counts.are_none() {
            break;
        }
    }
    Err(Problem::not_found("line").fix("A line is there once a run has looked at it: see the lines of the last runs."))
}
