//! `GET /v1/runs/{run}/lines`: the results, as JSON by page or as one CSV file.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use shared::api::auth::Reader;
use shared::api::paging::{Limit, List, Listing};
use shared::api::{Json, Path, Problem, ProblemBody, Query};
use shared::domain::ids::RunId;
use shared::domain::line::{LineResult, LineStatus};
use shared::store::runs::Run;
use utoipa::IntoParams;

use crate::{Deps, read, sheet};

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

/// The lines of a run: JSON by page, or all of them with `Accept: text/csv`.
#[utoipa::path(
    get,
    path = "/v1/runs/{run}/lines",
    tag = "runs",
    params(("run" = String, Path), Which),
    responses(
        (status = 200, content((Listing<LineResult> = "application/json"), (String = "text/csv"))),
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
    let run = read::of_caller(&deps, &caller, &run).await?;
    if wants_csv(&headers) {
        let lines = all(&deps, &run, which.status).await?;
        let name = format!("attachment; filename=\"{}.csv\"", run.id);
        let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CONTENT_DISPOSITION, name.as_str())];
        return Ok((headers, sheet::of(&lines).map_err(Problem::internal)?).into_response());
    }
    let status = which.status.map(|status| format!("{status:?}")).unwrap_or_default();
    let list = List::named(&["lines", run.id.as_str(), &status]);
    let from = list.position(which.cursor.as_deref())?;
    let (items, next) = page(&deps, &run, &which, from.as_deref()).await?;
    Ok(Json(list.page(items, next.as_deref())).into_response())
}

pub(crate) fn wants_csv(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|kind| kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/csv"))
}

/// Every line of a run, whatever its state.
pub(crate) async fn all(deps: &Deps, run: &Run, status: Option<LineStatus>) -> Result<Vec<LineResult>, Problem> {
    let mut lines = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let rows = deps.runs.lines(&run.partner, &run.id, after.as_deref(), PAGES_AT_ONCE).await?;
        let found = rows.items.into_iter().flat_map(|(_, page)| page.lines);
        lines.extend(found.filter(|line| status.is_none_or(|status| line.status == status)));
        match rows.next {
            Some(next) => after = Some(next),
            None => return Ok(lines),
        }
    }
}

/// One page of lines. A position is `page|lines of it that were given`: pages are stored in packs of their own size.
async fn page(
    deps: &Deps,
    run: &Run,
    which: &Which,
    from: Option<&str>,
) -> Result<(Vec<LineResult>, Option<String>), Problem> {
    let limit = usize::from(which.limit.get());
    let (mut after, mut skip) = match from.and_then(|position| position.rsplit_once('|')) {
        Some((page, given)) => ((!page.is_empty()).then(|| page.to_owned()), given.parse().unwrap_or(0)),
        None => (None, 0_usize),
    };
    let mut items = Vec::new();
    loop {
        let rows = deps.runs.lines(&run.partner, &run.id, after.as_deref(), PAGES_AT_ONCE).await?;
        for (sk, page) in rows.items {
            for (index, line) in page.lines.into_iter().enumerate().skip(std::mem::take(&mut skip)) {
                if which.status.is_some_and(|status| line.status != status) {
                    continue;
                }
                if items.len() == limit {
                    return Ok((items, Some(format!("{}|{index}", after.unwrap_or_default()))));
                }
                items.push(line);
            }
            after = Some(sk);
        }
        if rows.next.is_none() {
            return Ok((items, None));
        }
    }
}
