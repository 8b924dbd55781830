//! `POST /v1/runs/{run}/reverse`: a person takes back what a run has changed.
//!
//! The opposite changes are a run of their own, which is planned elsewhere like any other. Here is only whether there is a
//! run to be reversed, and which of its lines are meant.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use shared::api::auth::Writer;
use shared::api::idempotent::{Creation, once};
use shared::api::{Fault, Path, Problem, ProblemBody};
use shared::domain::ids::RunId;
use shared::domain::line::LineResult;
use shared::domain::reversal::may_have_changed;
use shared::store::runs::{Mode, Reverses, RunState};
use shared::sync::NewRun;
use utoipa::ToSchema;

use crate::view::Started;
use crate::{Deps, read, start};

/// A run's row holds the names of the lines, so they are bounded.
const MOST_LINES: usize = 2_000;

/// Which lines to reverse.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReverseBody {
    /// Ids of lines that the run changed; all of them where it is left out.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 2000)]
    lines: Option<Vec<String>>,
}

/// Reverse what a run changed, as a run of its own.
///
/// Each change is taken back from the first day on or after its own that is neither posted nor carries an adjustment:
/// normally the day after it, so the days before stay as they are billed. A line that was changed since is left alone, with
/// code `changed_since`. The next sync holds the same change as `reversed` until a person approves it.
#[utoipa::path(
    post,
    path = "/v1/runs/{run}/reverse",
    tag = "runs",
    request_body = ReverseBody,
    params(
        ("run" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body make one run"),
    ),
    responses(
        (status = 202, description = "A run of the opposite changes is queued", body = Started),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn reverse(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    Path(run): Path<RunId>,
    request: Creation<ReverseBody>,
) -> Result<Response, Problem> {
    once(&deps.remembered, &*deps.clock, &caller, request, "run", async |id, body| {
        let run = read::of_caller(&deps, &caller, &run).await?;
        if matches!(run.state, RunState::Queued | RunState::Running) {
            return Err(
                Problem::conflict("run_not_ended", "The run has not ended yet.").fix("Wait until it has ended.")
            );
        }
        let connection = start::writable(&deps, &caller, &run.connection).await?;
        let mut changed = deps.runs.lines_of_jobs(&run.partner, &run.id).await?;
        changed.retain(may_have_changed);
        let lines = chosen(&changed, body.lines)?;
        let reverses = Some(Reverses { run: run.id, lines });
        start::make(&deps, &connection, id, NewRun { reverses, ..start::by(&caller, Mode::Apply) }).await
    })
    .await
}

/// The ids to reverse; none for all.
fn chosen(changed: &[LineResult], named: Option<Vec<String>>) -> Result<Vec<String>, Problem> {
    let may: BTreeSet<&str> = changed.iter().map(|line| line.line_id.as_str()).collect();
    let named = match named {
        _ if may.is_empty() => return Err(nothing()),
        None => return Ok(Vec::new()),
        Some(named) if named.is_empty() => return Err(nothing()),
        Some(named) if named.len() > MOST_LINES => {
            return Err(Problem::invalid(vec![Fault::new("/lines", "must name at most 2000 lines")]));
        }
        Some(named) => named,
    };
    let fault = |(index, id): (usize, &String)| {
        let unknown = !may.contains(id.as_str());
        unknown.then(|| Fault::new(format!("/lines/{index}"), "is no line that this run changed"))
    };
    let faults: Vec<Fault> = named.iter().enumerate().filter_map(fault).collect();
    if faults.is_empty() { Ok(named) } else { Err(Problem::invalid(faults)) }
}

fn nothing() -> Problem {
    Problem::conflict("nothing_to_reverse", "This run changed no line, or none is named.")
        .fix("Name lines that the run updated, or leave them out for all of them.")
}
