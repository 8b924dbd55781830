//! `GET /v1/runs/{run}/lines`: what became of each line.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use shared::api::auth::Reader;
use shared::api::paging::Listing;
use shared::api::sheet::Wants;
use shared::api::{Path, Problem, ProblemBody, Query};
use shared::domain::ids::RunId;
use shared::domain::line::{LineResult, LineStatus};
use shared::store::runs::ResultPage;
use utoipa::ToSchema;

use crate::Deps;
use crate::approve::approval;
use crate::read::of_caller;
use crate::results::{self, Kept, Viewed, Which};

/// A line as callers see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Line)]
pub(crate) struct LineView {
    #[serde(flatten)]
    pub(crate) line: LineResult,
    /// What usage says: the newest counts, added up.
    pub(crate) counted: Option<u64>,
    /// `target` less `before`.
    pub(crate) difference: Option<i64>,
    /// Whether the line waits for nothing but a person's word: `POST /v1/runs/{run}/approve` makes its change.
    pub(crate) approvable: bool,
}

impl Kept for LineResult {
    const LIST: &'static str = "lines";

    fn on(page: ResultPage) -> Vec<Self> {
        page.lines
    }

    fn status(&self) -> LineStatus {
        self.status
    }
}

impl Viewed for LineView {
    type Kept = LineResult;

    fn of(line: LineResult, ended: bool) -> Self {
        Self {
            counted: line.counted(),
            difference: line.difference().map(|difference| difference.get()),
            approvable: ended && approval(&line).is_some(),
            line,
        }
    }
}

/// The lines of a run: JSON by page, or as one file with `Accept: text/csv`. A file that is too large for one answer says so
/// in its last row and in `Link`, with the cursor to go on after; `limit` is not looked at for it.
#[utoipa::path(
    get,
    path = "/v1/runs/{run}/lines",
    tag = "runs",
    params(("run" = String, Path), Which),
    responses(
        (status = 200, content((Listing<LineView> = "application/json"), (String = "text/csv"))),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn lines(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(run): Path<RunId>,
    Query(which): Query<Which>,
    wants: Wants,
) -> Result<Response, Problem> {
    let run = of_caller(&deps, &caller, &run).await?;
    results::answer::<LineView>(&deps, &run, &which, &wants).await
}
