//! `POST /v1/alerts/{dedupe_key}/resolve` and `POST /v1/alerts/resolve`: it is over.

use axum::extract::State;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use shared::api::auth::UsagePusher;
use shared::api::{Fault, Faults, Json, Path, Problem, ProblemBody};
use shared::domain::alert::{Alert, AlertKey};
use shared::domain::ids::PartnerId;
use utoipa::ToSchema;

use crate::occurred::occurred_at;
use crate::view::AlertView;
use crate::{Deps, not_found};

/// Since when it is over.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ResolveAlert)]
pub(crate) struct Over {
    /// Since when; now where it is left out. Where the alert is known to have happened after that, it is not over.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    occurred_at: Option<Value>,
}

/// Which alert is over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ResolveAlertByKey)]
pub(crate) struct WhichIsOver {
    /// Its key.
    #[schema(min_length = 1, max_length = 200)]
    dedupe_key: String,
    /// As in `POST /v1/alerts/{dedupe_key}/resolve`.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    occurred_at: Option<Value>,
}

/// Say that an alert is over.
///
/// Its ticket gets a note, and is completed where the ticket mapping says so. Said twice it is the same.
#[utoipa::path(
    post, path = "/v1/alerts/{dedupe_key}/resolve", tag = "alerts", operation_id = "resolve_alert",
    params(("dedupe_key" = String, Path, description = "Percent-encoded")),
    request_body = Option<Over>,
    responses(
        (status = 200, description = "As it stands now", body = AlertView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/usage"]))
)]
pub(crate) async fn resolve(
    UsagePusher(caller): UsagePusher,
    State(deps): State<Deps>,
    Path(key): Path<String>,
    body: Option<Json<Over>>,
) -> Result<Json<AlertView>, Problem> {
    let Json(Over { occurred_at: said }) = body.unwrap_or_default();
    let said = occurred_at(said, deps.clock.now()).map_err(|fault| Problem::invalid(vec![fault]))?;
    // A digest has no end: nobody knows what became of all that is in it.
    let key = AlertKey::sent(&key).map_err(|_| not_found())?;
    deps.resolve(&caller.partner, &key, said).await
}

/// Say that an alert is over, with its key in the body.
///
/// As `POST /v1/alerts/{dedupe_key}/resolve`, for keys that are not fit for a path.
#[utoipa::path(
    post, path = "/v1/alerts/resolve", tag = "alerts", operation_id = "resolve_alert_by_key",
    request_body = WhichIsOver,
    responses(
        (status = 200, description = "As it stands now", body = AlertView),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/usage"]))
)]
pub(crate) async fn resolve_by_key(
    UsagePusher(caller): UsagePusher,
    State(deps): State<Deps>,
    Json(body): Json<WhichIsOver>,
) -> Result<Json<AlertView>, Problem> {
    let mut faults = Faults::none();
    let key = AlertKey::sent(&body.dedupe_key);
    let key = faults.take(key.map_err(|why| Fault::new("/dedupe_key", why.to_string())));
    let said = faults.take(occurred_at(body.occurred_at, deps.clock.now()));
    let (Some(key), Some(said)) = (key, said) else { return Err(faults.refused()) };
    deps.resolve(&caller.partner, &key, said).await
}

impl Deps {
    async fn resolve(
        &self,
        partner: &PartnerId,
        key: &AlertKey,
        said: Option<Timestamp>,
    ) -> Result<Json<AlertView>, Problem> {
        let now = self.clock.now();
        let over = |found: Option<&Alert>| {
            let found = found.ok_or_else(not_found)?;
            Ok::<_, Problem>(Some(found.resolved(said, now).unwrap_or_else(|| found.clone())))
        };
        let alert = self.alerts.edit(partner, key, now, over).await?.ok_or_else(not_found)?;
        self.send(partner, &alert).await?;
        Ok(Json(alert.into()))
    }
}
