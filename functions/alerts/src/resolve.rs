//! `POST /v1/alerts/{dedupe_key}/resolve`: it is over.

use axum::extract::State;
use shared::api::auth::UsagePusher;
use shared::api::{Json, Path, Problem, ProblemBody};
use shared::domain::alert::{Alert, AlertKey};

use crate::view::AlertView;
use crate::{Deps, not_found};

/// Say that an alert is over.
///
/// Its ticket gets a note, and is completed where the ticket mapping says so. Said twice it is the same.
#[utoipa::path(
    post, path = "/v1/alerts/{dedupe_key}/resolve", tag = "alerts", operation_id = "resolve_alert",
    params(("dedupe_key" = String, Path, description = "Percent-encoded")),
    responses(
        (status = 200, description = "It is over", body = AlertView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/usage"]))
)]
pub(crate) async fn resolve(
    UsagePusher(caller): UsagePusher,
    State(deps): State<Deps>,
    Path(key): Path<String>,
) -> Result<Json<AlertView>, Problem> {
    // A digest has no end: nobody knows what became of all that is in it.
    let key = AlertKey::sent(&key).map_err(|_| not_found())?;
    let now = deps.clock.now();
    let over = |found: Option<&Alert>| {
        let found = found.ok_or_else(not_found)?;
        Ok::<_, Problem>(Some(found.resolved(now).unwrap_or_else(|| found.clone())))
    };
    let alert = deps.alerts.edit(&caller.partner, &key, now, over).await?.ok_or_else(not_found)?;
    deps.send(&caller.partner, &alert).await?;
    Ok(Json(alert.into()))
}
