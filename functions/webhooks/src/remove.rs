//! `DELETE /v1/webhooks/{webhook}`: the row goes first, so that nothing more is sent; then the secret.

use axum::extract::State;
use axum::http::StatusCode;
use shared::api::auth::Writer;
use shared::api::{Path, Problem, ProblemBody};
use shared::domain::ids::WebhookId;
use shared::secrets::SecretName;

use crate::{Deps, not_found};

/// Delete a webhook.
///
/// What waits for it is not sent any more, and its secret is gone for good.
#[utoipa::path(
    delete, path = "/v1/webhooks/{webhook}", tag = "webhooks", operation_id = "delete_webhook",
    params(("webhook" = String, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn remove(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    Path(id): Path<WebhookId>,
) -> Result<StatusCode, Problem> {
    let removed = deps.webhooks.edit(&caller.partner, |webhooks| Ok::<_, Problem>(webhooks.remove(&id))).await?;
    // Also where it was gone: the first time may have failed here.
    deps.secrets.delete(&SecretName::of_webhook(&caller.partner, &id)).await?;
    removed.map(|_| StatusCode::NO_CONTENT).ok_or_else(not_found)
}
