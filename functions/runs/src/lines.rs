//! `GET /v1/runs/{run}/lines`: the results, as JSON by page or as one CSV file.

use async_trait::async_trait;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use shared::api::auth::Reader;
use shared::api::paging::{Limit, List, Listing};
use shared::api::sheet::{self, Chunk, Records, Sheet as _, Wants};
use shared::api::{Json, Path, Problem, ProblemBody, Query};
use shared::domain::ids::RunId;
use shared::domain::line::{LineResult, LineStatus};
use shared::store::runs::Run;
use shared::store::{Rows, StoreError};
use utoipa::{IntoParams, ToSchema};

use crate::approve::approval;
use crate::packs::Packs;
use crate::read::of_caller;
use crate::{Deps, packs};

/// Pages of results read from the store at once.
const PAGES_AT_ONCE: i32 = 4;

/// Which lines.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only lines that ended so.
    status: Option<LineStatus>,
    /// Items on a page.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 50)]
    limit: Limit,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

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

impl LineView {
    /// A line of a run that has ended, or not: only then its changes can be approved.
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
    let status = which.status.map(|status| format!("{status:?}")).unwrap_or_default();
    let list = List::named(&["lines", run.id.as_str(), &status]);
    let from = list.position(which.cursor.as_deref())?;
    let wanted = |line: &LineResult| which.status.is_none_or(|status| line.status == status);
    if wants.csv() {
        let lines = Lines { deps: &deps, run: &run };
        let records = LineRecords { lines, status: which.status };
        return sheet::answer(run.id.as_str(), &list, &records, (&wants, from)).await;
    }
    let limit = usize::from(which.limit.get());
    let (items, next) = packs::page(&Lines { deps: &deps, run: &run }, wanted, limit, from.as_deref()).await?;
    let items = items.into_iter().map(|line| LineView::of(line, run.finished_at.is_some())).collect();
    Ok(Json(list.page(items, next.as_deref())).into_response())
}

/// The lines of a run in the store.
pub(crate) struct Lines<'a> {
    pub(crate) deps: &'a Deps,
    pub(crate) run: &'a Run,
}

#[async_trait]
impl Packs for Lines<'_> {
    type Row = LineResult;

    async fn read(&self, after: Option<&str>) -> Result<Rows<Vec<LineResult>>, StoreError> {
        let rows = self.deps.runs.lines(&self.run.partner, &self.run.id, after, PAGES_AT_ONCE).await?;
        let items = rows.items.into_iter().map(|(sk, page)| (sk, page.lines)).collect();
        Ok(Rows { items, next: rows.next })
    }
}

/// Every line of a run, whatever its state.
pub(crate) async fn all(deps: &Deps, run: &Run, status: Option<LineStatus>) -> Result<Vec<LineResult>, Problem> {
    packs::all(&Lines { deps, run }, |line| status.is_none_or(|status| line.status == status)).await
}

/// The same as rows of a file.
struct LineRecords<'a> {
    lines: Lines<'a>,
    status: Option<LineStatus>,
}

#[async_trait]
impl Records for LineRecords<'_> {
    fn header(&self) -> Vec<&'static str> {
        LineView::header()
    }

    async fn read(&self, from: Option<&str>, limit: usize) -> Result<Chunk, Problem> {
        let wanted = |line: &LineResult| self.status.is_none_or(|status| line.status == status);
        let (lines, next) = packs::page(&self.lines, wanted, limit, from).await?;
        let ended = self.lines.run.finished_at.is_some();
        Ok(Chunk { records: lines.into_iter().map(|line| LineView::of(line, ended).record()).collect(), next })
    }
}
