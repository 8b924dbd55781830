//! `GET /v1/runs/{run}/lines`: the results, as JSON by page or as one CSV file.

use async_trait::async_trait;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use shared::api::auth::Reader;
use shared::api::paging::{Limit, List, Listing};
use shared::api::{Json, Path, Problem, ProblemBody, Query};
use shared::domain::ids::RunId;
use shared::domain::line::{LineResult, LineStatus};
use shared::store::runs::Run;
use shared::store::{Rows, StoreError};
use utoipa::{IntoParams, ToSchema};

use crate::approve::approval;
use crate::packs::Packs;
use crate::read::of_caller;
use crate::{Deps, packs, sheet};

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
    line: LineResult,
    /// What usage says: the newest counts, added up.
    counted: Option<u64>,
    /// `target` less `before`.
    difference: Option<i64>,
    /// Whether the line waits for nothing but a person's word: `POST /v1/runs/{run}/approve` makes its change.
    approvable: bool,
}

impl From<LineResult> for LineView {
    fn from(line: LineResult) -> Self {
        Self {
            counted: line.counted(),
            difference: line.difference().map(|difference| difference.get()),
            approvable: approval(&line).is_some(),
            line,
        }
    }
}

/// The lines of a run: JSON by page, or all of them with `Accept: text/csv`.
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
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let run = of_caller(&deps, &caller, &run).await?;
    if sheet::is_wanted(&headers) {
        return sheet::answer(run.id.as_str(), &all(&deps, &run, which.status).await?);
    }
    let status = which.status.map(|status| format!("{status:?}")).unwrap_or_default();
    let list = List::named(&["lines", run.id.as_str(), &status]);
    let from = list.position(which.cursor.as_deref())?;
    let wanted = |line: &LineResult| which.status.is_none_or(|status| line.status == status);
    let limit = usize::from(which.limit.get());
    let (items, next) = packs::page(&Lines { deps: &deps, run: &run }, wanted, limit, from.as_deref()).await?;
    Ok(Json(list.page(items.into_iter().map(LineView::from).collect(), next.as_deref())).into_response())
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
