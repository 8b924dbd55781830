//! `GET /v1/webhooks` and `GET /v1/webhooks/{webhook}`.

use axum::extract::State;
use shared::api::auth::Reader;
use shared::api::paging::{List, Listing, Paging};
use shared::api::{Json, Path, Problem, ProblemBody, Query};
use shared::domain::ids::WebhookId;
use shared::store::Read;

use crate::Deps;
use crate::view::WebhookView;

/// List webhooks, by id.
#[utoipa::path(
    get, path = "/v1/webhooks", tag = "webhooks", operation_id = "list_webhooks",
    params(Paging),
    responses((status = 200, body = Listing<WebhookView>), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn list(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<WebhookView>>, Problem> {
    let list = List::named(&["webhooks"]);
    let after = list.position(paging.cursor.as_deref())?;
    let all = deps.webhooks.all(&caller.partner, Read::Consistent).await?;
    let mut rest = all.into_values().filter(|webhook| after.as_deref().is_none_or(|after| webhook.id.as_str() > after));
    let items: Vec<_> = rest.by_ref().take(usize::from(paging.limit.get())).map(WebhookView::from).collect();
    let next = rest.next().and_then(|_| items.last()).map(|last| last.id.clone());
    Ok(Json(list.page(items, next.as_deref())))
}

/// One webhook. Its secret is not in it.
#[utoipa::path(
    get, path = "/v1/webhooks/{webhook}", tag = "webhooks", operation_id = "get_webhook",
    params(("webhook" = String, Path)),
    responses((status = 200, body = WebhookView), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn get(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(id): Path<WebhookId>,
) -> Result<Json<WebhookView>, Problem> {
    Ok(Json(deps.webhook(&caller.partner, &id).await?.into()))
}
