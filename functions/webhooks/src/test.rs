//! `POST /v1/webhooks/{webhook}/test`: one signed request now, and what came of it.

use axum::extract::State;
use serde::Serialize;
use serde_json::json;
use shared::api::auth::Writer;
use shared::api::{Json, Path, Problem, ProblemBody};
use shared::clock::fresh_id;
use shared::domain::ids::WebhookId;
use shared::events::Notice;
use shared::store::webhooks::{Delivery, DeliveryStatus};
use utoipa::ToSchema;

use crate::Deps;

/// What a receiver is told.
const TEST: &str = "Test";

/// What came of a test.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookTest)]
pub(crate) struct Tested {
    /// The id that the receiver saw as `webhook-id`.
    event_id: String,
    /// Whether it was taken.
    delivered: bool,
    /// Status of the answer, where there was one.
    http_status: Option<u16>,
    /// What went wrong, where something did.
    code: Option<&'static str>,
}

/// Send a webhook the event `Test`, once.
///
/// Also where the webhook is switched off. Neither its state nor anything else depends on the answer.
#[utoipa::path(
    post, path = "/v1/webhooks/{webhook}/test", tag = "webhooks", operation_id = "test_webhook",
    params(("webhook" = String, Path)),
    responses(
        (status = 200, description = "It was sent, or could not be: see `delivered`", body = Tested),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn test(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    Path(id): Path<WebhookId>,
) -> Result<Json<Tested>, Problem> {
    let webhook = deps.webhook(&caller.partner, &id).await?;
    let now = deps.clock.now();
    let detail = json!({ "partner": caller.partner, "webhook_id": id });
    let notice = Notice { id: fresh_id("evt"), kind: TEST.to_owned(), at: now, detail };
    let outcome = deps.sender.send(&caller.partner, &webhook, &notice).await?;
    let (http_status, code) = (outcome.http_status(), outcome.code());
    let status = if code.is_none() { DeliveryStatus::Delivered } else { DeliveryStatus::GivenUp };
    let made = Delivery { http_status, code: code.map(str::to_owned), ..Delivery::of(&notice, 1, now, status) };
    deps.webhooks.note(&caller.partner, &id, &made).await?;
    Ok(Json(Tested { event_id: notice.id, delivered: code.is_none(), http_status, code }))
}
