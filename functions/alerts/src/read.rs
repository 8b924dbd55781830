//! `GET /v1/alerts` and `GET /v1/alerts/{dedupe_key}`.

use axum::extract::State;
use serde::Deserialize;
use shared::api::auth::Reader;
use shared::api::paging::{Limit, List, Listing};
use shared::api::{Json, Path, Problem, ProblemBody, Query, refused_query};
use shared::domain::alert::{AlertKey, AlertStatus};
use shared::domain::ids::PartnerId;
use shared::store::StoreError;
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
    /// Only the one of this key, which may be one that is not fit for a path. Not together with `status` or `cursor`.
    dedupe_key: Option<String>,
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
    if let Some(key) = &which.dedupe_key {
        if which.status.is_some() || which.cursor.is_some() {
            return Err(refused_query("dedupe_key", "must not be sent together with status or cursor"));
        }
        return deps.list_one(&caller.partner, key).await;
    }
    let list = List::named(&["alerts", &format!("{:?}", which.status)]);
    let after = list.position(which.cursor.as_deref())?;
    let limit = usize::from(which.limit.get());
    let found = deps.alerts.page(&caller.partner, which.status, after.as_deref(), limit).await?;
    let items = found.items.into_iter().map(AlertView::from).collect();
    Ok(Json(list.page(items, found.next.as_deref()).with_unreadable(found.unreadable)))
}

impl Deps {
    /// The list of the alert of a key: of none, where there is none or the text can't be a key.
    async fn list_one(&self, partner: &PartnerId, key: &str) -> Result<Json<Listing<AlertView>>, Problem> {
        let found = match AlertKey::named(key) {
            Ok(key) => self.alerts.get(partner, &key).await,
            Err(_) => Ok(None),
        };
        let (items, unreadable) = match found {
            Ok(found) => (found.into_iter().map(AlertView::from).collect(), Vec::new()),
            Err(StoreError::Unreadable(row)) => (Vec::new(), vec![row]),
            Err(error) => return Err(error.into()),
        };
        Ok(Json(List::named(&["alerts", "one"]).page(items, None).with_unreadable(unreadable)))
    }
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
