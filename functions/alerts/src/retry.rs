//! `POST /v1/alerts/retry` and `POST /v1/alerts/{dedupe_key}/retry`: what halted alerts is put right.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use shared::api::auth::Writer;
use shared::api::{Json, Path, Problem, ProblemBody};
use shared::domain::alert::{Alert, AlertKey};
use shared::domain::ids::PartnerId;
use utoipa::ToSchema;

use crate::view::AlertView;
use crate::{Deps, key_in, not_found};

/// At most so many alerts are queued by one request.
const MOST: u16 = 500;

/// How many alerts were queued.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct Retried {
    /// Alerts that are tried again; at most 500.
    queued: usize,
    /// There are more: send the request again.
    more: bool,
}

/// Try an alert again whose ticket waits, was refused or was given up.
#[utoipa::path(
    post, path = "/v1/alerts/{dedupe_key}/retry", tag = "alerts", operation_id = "retry_alert",
    params(("dedupe_key" = String, Path, description = "Percent-encoded")),
    responses(
        (status = 202, description = "It is looked at again", body = AlertView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn retry(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    key: Path<String>,
) -> Result<(StatusCode, Json<AlertView>), Problem> {
    let alert = deps.queue_again(&caller.partner, &key_in(&key)?).await?;
    Ok((StatusCode::ACCEPTED, Json(alert.into())))
}

/// Try all alerts again that wait, were refused or were given up, in the order in which they began.
#[utoipa::path(
    post, path = "/v1/alerts/retry", tag = "alerts", operation_id = "retry_alerts",
    responses(
        (status = 202, description = "They are looked at again", body = Retried),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn retry_all(
    Writer(caller): Writer,
    State(deps): State<Deps>,
) -> Result<(StatusCode, Json<Retried>), Problem> {
    let (halted, more) = deps.alerts.halted(&caller.partner, MOST).await?;
    for key in &halted {
        deps.queue_again(&caller.partner, key).await?;
    }
    Ok((StatusCode::ACCEPTED, Json(Retried { queued: halted.len(), more })))
}

impl Deps {
    /// Whatever halts an alert does so no more; it is looked at in any case.
    async fn queue_again(&self, partner: &PartnerId, key: &AlertKey) -> Result<Alert, Problem> {
        let again = |found: Option<&Alert>| {
            let found = found.ok_or_else(not_found)?;
            Ok::<_, Problem>(Some(found.retried().unwrap_or_else(|| found.clone())))
        };
        let alert = self.alerts.edit(partner, key, self.clock.now(), again).await?.ok_or_else(not_found)?;
        self.send(partner, &alert).await?;
        Ok(alert)
    }
}
