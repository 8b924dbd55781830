//! `GET /v1/alerts` and `GET /v1/alerts/{dedupe_key}`.

use axum::extract::State;
use serde::Deserialize;
use shared::api::auth::Reader;
use shared::api::paging::{Limit, List, Listing};
use shared::api::{Json, Path, Problem, ProblemBody, Query};
use shared::domain::alert::AlertStatus;
use utoipa::IntoParams;

use crate::view::AlertView;
use crate::{Deps, key_in, not_found};

/// Which alerts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only those that stand so.
    status: Option<AlertStatus>,
    /// Items on a page.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 50)]
    limit: Limit,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List alerts, digests of alerts among them. Those that wait, were refused or were given up come in the order in which they
/// began, all others in none that means anything.
#[utoipa::path(
    get, path = "/v1/alerts", tag = "alerts", operation_id = "list_alerts",
    params(Which),
    responses((status = 200, body = Listing<AlertView>), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn list(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Query(which): Query<Which>,
) -> Result<Json<Listing<AlertView>>, Problem> {
    let list = List::named(&["alerts", &format!("{:?}", which.status)]);
    let after = list.position(which.cursor.as_deref())?;
    let limit = usize::from(which.limit.get());
    let found = deps.alerts.page(&caller.partner, which.status, after.as_deref(), limit).await?;
    let items = found.items.into_iter().map(AlertView::from).collect();
    Ok(Json(list.page(items, found.next.as_deref()).with_unreadable(found.unreadable)))
}

/// One alert, as it stands.
#[utoipa::path(
    get, path = "/v1/alerts/{dedupe_key}", tag = "alerts", operation_id = "get_alert",
    params(("dedupe_key" = String, Path, description = "Percent-encoded")),
    responses((status = 200, body = AlertView), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn get(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    key: Path<String>,
) -> Result<Json<AlertView>, Problem> {
    let alert = deps.alerts.get(&caller.partner, &key_in(&key)?).await?;
    Ok(Json(alert.ok_or_else(not_found)?.into()))
}
