//! `POST /v1/webhooks/{webhook}/rotate-secret`: a new secret, beside which the old one signs for a day.

use axum::extract::State;
use shared::api::auth::Writer;
use shared::api::{Json, Path, Problem, ProblemBody};
use shared::domain::ids::WebhookId;
use shared::secrets::SecretName;
use shared::webhooks::{Keys, SigningKey};

use crate::Deps;
use crate::view::WithSecret;

/// Replace a webhook's secret.
///
/// The new one is in the answer, this once. For 24 hours every request carries both signatures. A second replacement within
/// that time ends the oldest secret at once. A delivery may be signed without the new secret for five minutes.
#[utoipa::path(
    post, path = "/v1/webhooks/{webhook}/rotate-secret", tag = "webhooks", operation_id = "rotate_webhook_secret",
    params(("webhook" = String, Path)),
    responses(
        (status = 200, description = "With the new secret", body = WithSecret),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn rotate(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    Path(id): Path<WebhookId>,
) -> Result<Json<WithSecret>, Problem> {
    let webhook = deps.webhook(&caller.partner, &id).await?;
    let name = SecretName::of_webhook(&caller.partner, &id);
    let key = SigningKey::fresh().map_err(Problem::internal)?;
    // One that can't be read signs nothing, and is worth no day beside the new one.
    let kept = deps.kept.read(&name).await?.and_then(|kept| Keys::read(&kept).ok());
    let keys = match kept {
        Some(kept) => kept.replaced(key.clone(), deps.clock.now()),
        None => Keys::of(key.clone()),
    };
    deps.secrets.put(&name, &keys.stored()).await?;
    Ok(Json(WithSecret::of(webhook, Some(&key))))
}
