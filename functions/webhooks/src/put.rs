//! `PUT /v1/webhooks/{webhook}`: make a webhook, or change it.

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use shared::api::auth::Writer;
use shared::api::{Fault, Json, Path, Problem, ProblemBody};
use shared::domain::ids::WebhookId;
use shared::secrets::SecretName;
use shared::store::webhooks::Webhook;
use shared::webhooks::{Keys, SigningKey};

use crate::body::{Body, Content};
use crate::view::{WebhookView, WithSecret};
use crate::{Deps, MOST_WEBHOOKS};

/// Make a webhook, or change it.
///
/// A new one is answered with the secret that signs what it is sent: `secret`, this once. A webhook that is put again keeps
/// its secret; one that was switched off is on again.
#[utoipa::path(
    put, path = "/v1/webhooks/{webhook}", tag = "webhooks", operation_id = "put_webhook",
    params(("webhook" = String, Path)),
    request_body = Body,
    responses(
        (status = 201, description = "Made; with its secret", body = WithSecret),
        (status = 200, description = "Changed, or as it was", body = WebhookView),
        (status = 409, description = "`webhooks_full`: there are ten", body = ProblemBody, content_type = "application/problem+json"),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn put(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    Path(id): Path<String>,
    Json(body): Json<Body>,
) -> Result<(StatusCode, Json<WithSecret>), Problem> {
    let id: WebhookId = id.parse().map_err(|error: shared::domain::ids::InvalidId| {
        Problem::invalid(vec![Fault::new("path:webhook", error.to_string())])
    })?;
    let content = body.checked(&deps, &caller.partner).await?;
    let key = SigningKey::fresh().map_err(Problem::internal)?;
    let now = deps.clock.now();
    let put = deps.webhooks.edit(&caller.partner, |webhooks| {
        if let Some(found) = webhooks.get_mut(&id) {
            change(found, &content, now);
            return Ok((false, found.clone()));
        }
        if webhooks.len() >= MOST_WEBHOOKS {
            let full = Problem::conflict("webhooks_full", "There are ten webhooks, and no more are possible.");
            return Err(full.fix("Delete one that is not needed."));
        }
        let new = made(&id, &content, now);
        webhooks.insert(id.clone(), new.clone());
        Ok((true, new))
    });
    let (is_new, webhook) = put.await?;
    if !is_new {
        return Ok((StatusCode::OK, Json(WithSecret::of(webhook, None))));
    }
    // Behind the row: where this fails, deliveries wait for a secret, and `rotate-secret` makes one.
    let name = SecretName::of_webhook(&caller.partner, &id);
    deps.secrets.put(&name, &Keys::of(key.clone()).stored()).await?;
    Ok((StatusCode::CREATED, Json(WithSecret::of(webhook, Some(&key)))))
}

fn made(id: &WebhookId, content: &Content, now: Timestamp) -> Webhook {
    // The bus knows when something happened to the second.
    let created_at = Timestamp::from_second(now.as_second()).unwrap_or(now);
    Webhook {
        id: id.clone(),
        url: content.url.as_str().to_owned(),
        events: content.events.clone(),
        connections: content.connections.clone(),
        enabled: content.enabled,
        created_at,
        updated_at: now,
        failing_since: None,
        switched_off: None,
    }
}

fn change(found: &mut Webhook, content: &Content, now: Timestamp) {
    let changed = Webhook {
        created_at: found.created_at,
        updated_at: found.updated_at,
        // Somebody who only repeats what is there has not looked at why it fails.
        failing_since: found.failing_since.filter(|_| found.enabled && found.url == content.url.as_str()),
        ..made(&found.id, content, now)
    };
    if changed != *found {
        *found = Webhook { updated_at: now, ..changed };
    }
}
