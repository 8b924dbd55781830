//! `GET /v1/webhooks/{webhook}/deliveries`: what became of the newest events.

use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use shared::api::auth::Reader;
use shared::api::{Json, Path, Problem, ProblemBody};
use shared::domain::ids::WebhookId;
use shared::store::webhooks::{Delivery, DeliveryStatus};
use utoipa::ToSchema;

use crate::Deps;

/// What became of one event, by the last attempt.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
pub struct DeliveryView {
    /// The event's id, which the receiver sees as `webhook-id`.
    pub event_id: String,
    /// What happened.
    pub event: String,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub event_at: Timestamp,
    /// How far it has come.
    pub status: DeliveryStatus,
    /// Attempts so far; at most ten within about a day.
    pub attempt: u32,
    /// When the last one was made.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Status of its answer, where there was one.
    pub http_status: Option<u16>,
    /// What went wrong, where something did.
    pub code: Option<String>,
    /// When it is tried again.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_try_at: Option<Timestamp>,
}

/// The newest deliveries.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Deliveries {
    /// The newest event first; at most 100, of the last 30 days.
    items: Vec<DeliveryView>,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        Self {
            event_id: delivery.event_id,
            event: delivery.event,
            event_at: delivery.event_at,
            status: delivery.status,
            attempt: delivery.attempt,
            at: delivery.at,
            http_status: delivery.http_status,
            code: delivery.code,
            next_try_at: delivery.next_try_at,
        }
    }
}

/// What became of the last 100 events for a webhook.
#[utoipa::path(
    get, path = "/v1/webhooks/{webhook}/deliveries", tag = "webhooks", operation_id = "list_webhook_deliveries",
    params(("webhook" = String, Path)),
    responses((status = 200, body = Deliveries), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn list(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(id): Path<WebhookId>,
) -> Result<Json<Deliveries>, Problem> {
    deps.webhook(&caller.partner, &id).await?;
    let found = deps.webhooks.deliveries(&caller.partner, &id).await?;
    Ok(Json(Deliveries { items: found.into_iter().map(DeliveryView::from).collect() }))
}
