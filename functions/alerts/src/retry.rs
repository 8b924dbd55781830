//! `POST /v1/alerts/retry` and `POST /v1/alerts/{dedupe_key}/retry`: what halted alerts is put right; or what was sent for one
//! is not in the PSA, and is to be forgotten.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::api::auth::Writer;
use shared::api::{Fault, Json, Path, Problem, ProblemBody, present};
use shared::domain::alert::{Alert, AlertKey};
use shared::domain::ids::PartnerId;
use shared::store::{StoreError, UnreadableRow};
use utoipa::ToSchema;

use crate::view::AlertView;
use crate::{Deps, forget, key_in, not_found};

/// At most so many alerts are queued by one request.
const MOST: u16 = 500;

/// How an alert is tried again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RetryAlert)]
pub(crate) struct Again {
    /// What was sent for it is not in the PSA, or its connection is gone: you have looked. The PSA is searched once more, and
    /// then a ticket is opened, in the place of the one that it had.
    #[serde(default)]
    forget: bool,
}

/// Which alerts are tried again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RetryAlerts)]
pub(crate) struct WhichAgain {
    /// The key of one; all that are halted where it is left out.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, min_length = 1)]
    dedupe_key: Option<String>,
    /// As in `POST /v1/alerts/{dedupe_key}/retry`; only with a key.
    #[serde(default)]
    forget: bool,
}

/// How many alerts were queued.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub(crate) struct Retried {
    /// Alerts that are tried again; at most 500.
    queued: usize,
    /// There are more: send the request again.
    more: bool,
    /// Those that can't be read by this version, because a newer one has stored them: they are left as they are. Left out where
    /// there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<UnreadableRow>,
}

/// One alert, or how many.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum OneOrAll {
    /// The one whose key was sent.
    One(Box<AlertView>),
    /// All that were halted.
    All(Retried),
}

/// Try an alert again whose ticket waits, was refused or was given up.
#[utoipa::path(
    post, path = "/v1/alerts/{dedupe_key}/retry", tag = "alerts", operation_id = "retry_alert",
    params(("dedupe_key" = String, Path, description = "Percent-encoded")),
    request_body = Option<Again>,
    responses(
        (status = 202, description = "It is looked at again", body = AlertView),
        (
            status = 409,
            description = "With `forget`: `alert_not_halted`, or `write_may_be_on_its_way` with the instant from which it may be \
                forgotten",
            body = ProblemBody,
            content_type = "application/problem+json"
        ),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn retry(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    key: Path<String>,
    body: Option<Json<Again>>,
) -> Result<(StatusCode, Json<AlertView>), Problem> {
    let Json(Again { forget }) = body.unwrap_or_default();
    let alert = deps.queue_one(&caller.partner, &key_in(&key)?, forget).await?;
    Ok((StatusCode::ACCEPTED, Json(alert.into())))
}

/// Try all alerts again that wait, were refused or were given up, in the order in which they began; or the one whose key is in
/// the body, as `POST /v1/alerts/{dedupe_key}/retry` does.
#[utoipa::path(
    post, path = "/v1/alerts/retry", tag = "alerts", operation_id = "retry_alerts",
    request_body = Option<WhichAgain>,
    responses(
        (status = 202, description = "They are looked at again", body = OneOrAll),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn retry_all(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    body: Option<Json<WhichAgain>>,
) -> Result<(StatusCode, Json<OneOrAll>), Problem> {
    let Json(which) = body.unwrap_or_default();
    let answer = match which.key()? {
        Some(key) => OneOrAll::One(Box::new(deps.queue_one(&caller.partner, &key, which.forget).await?.into())),
        None => OneOrAll::All(deps.queue_all(&caller.partner).await?),
    };
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

impl WhichAgain {
    fn key(&self) -> Result<Option<AlertKey>, Problem> {
        let refused = |pointer: &str, detail: &str| Problem::invalid(vec![Fault::new(pointer, detail)]);
        match &self.dedupe_key {
            None if self.forget => Err(refused("/forget", "is only for one alert, whose dedupe_key has to be named")),
            None => Ok(None),
            Some(key) => AlertKey::named(key).map(Some).map_err(|why| refused("/dedupe_key", &why.to_string())),
        }
    }
}

impl Deps {
    /// Whatever halts an alert does so no more; it is looked at in any case.
    async fn queue_one(&self, partner: &PartnerId, key: &AlertKey, forget: bool) -> Result<Alert, Problem> {
        let now = self.clock.now();
        let again = |found: Option<&Alert>| {
            let found = found.ok_or_else(not_found)?;
            if forget { forget::forgotten(found, now, self.settle).map(Some) } else { Ok(Some(goes_on(found))) }
        };
        let alert = self.alerts.edit(partner, key, now, again).await?.ok_or_else(not_found)?;
        self.send(partner, &alert).await?;
        Ok(alert)
    }

    /// The same for all that are halted. One that can't be read keeps no other from going on.
    async fn queue_all(&self, partner: &PartnerId) -> Result<Retried, Problem> {
        let halted = self.alerts.halted(partner, MOST).await?;
        let mut retried = Retried { queued: 0, more: halted.more, unreadable: halted.unreadable };
        for key in &halted.keys {
            let again = |found: Option<&Alert>| Ok::<_, StoreError>(found.map(goes_on));
            match self.alerts.edit(partner, key, self.clock.now(), again).await {
                Ok(Some(alert)) => {
                    self.send(partner, &alert).await?;
                    retried.queued += 1;
                }
                // It has outlived its time, and only the mark of it is left.
                Ok(None) => {}
                Err(StoreError::Unreadable(row)) => retried.unreadable.push(row),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(retried)
    }
}

fn goes_on(alert: &Alert) -> Alert {
    alert.retried().unwrap_or_else(|| alert.clone())
}
