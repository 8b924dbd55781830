//! Whether the credentials can do what a sync does: each read is tried, and the write is asked about.
//!
//! One request at a time. Autotask has no call that lists a user's rights, and its description of an entity
//! (`entityInformation`) is no proof that reading works; for the write it is the best there is, since nothing may be
//! written to find out.

use super::client::{Client, Entity};
use super::errors;
use super::query::{self, Query};
use super::wire::{AnyRow, EntityInformation, Threshold};
use crate::psa::{Allowance, Kind, PsaError, Right};

/// Codes that mean the log-in itself: no other right can be exercised then.
const LOG_IN: &[&str] =
    &["psa_credentials_rejected", "psa_credentials_malformed", "psa_integration_code_rejected", "psa_user_unknown"];

pub(super) async fn rights(client: &Client) -> Result<Vec<Right>, PsaError> {
    let mut rights = vec![];
    for (entity, name) in [
        (Entity::Companies, "read companies"),
        (Entity::Contracts, "read contracts"),
        (Entity::Services, "read services"),
        (Entity::ContractServices, "read the services of contracts"),
        (Entity::ContractServiceUnits, "read the units of contract services"),
    ] {
        let tried = query::page::<AnyRow>(client, &Query::of(entity), None, 1).await;
        rights.push(right(name, tried.map(|_| ()))?);
    }
    rights.push(right("change the units of contract services", may_adjust(client).await)?);
    Ok(rights)
}

/// What one attempt shows. An attempt that shows nothing about rights is an error of the whole: the log-in failed, or
/// Autotask can't be asked at the moment.
fn right(name: &str, tried: Result<(), PsaError>) -> Result<Right, PsaError> {
    match tried {
        Err(error) if LOG_IN.contains(&error.code.as_str()) => Err(error),
        Err(error) if matches!(error.kind, Kind::Unavailable | Kind::RateLimited) => Err(error),
        tried => Ok(Right { name: name.to_owned(), missing: tried.err() }),
    }
}

async fn may_adjust(client: &Client) -> Result<(), PsaError> {
    let entity = Entity::ContractServiceAdjustments;
    match client.get::<EntityInformation>(entity, "/entityInformation").await {
        Ok(answer) if answer.info.deny_creation() => Err(PsaError::new(
            Kind::Auth,
            "psa_permission_missing",
            "The API user may not change the units of contract services.",
            "In Autotask, give the API user a security level that may see and edit contracts and their services \
             (\"API User (system)\" may), then test the connection again.",
        )),
        Ok(_) => Ok(()),
        // A missing description is no missing right: the first write will show.
        Err(error) if matches!(error.code.as_str(), "psa_address_unknown" | "psa_method_refused") => {
            tracing::debug!(code = error.code, "autotask does not describe contract service adjustments");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Autotask's own count of the hour's requests, over all integrations of the tenant. Asking counts as one.
pub(super) async fn allowance(client: &Client) -> Result<Allowance, PsaError> {
    let threshold: Threshold = client.get(Entity::ThresholdInformation, "").await?;
    let count = |name: &str, value: Option<i64>| {
        value
            .and_then(|value| u32::try_from(value).ok())
            .ok_or_else(|| errors::unreadable("ThresholdInformation", &format!("has no usable {name}")))
    };
    Ok(Allowance {
        limit: count("externalRequestThreshold", threshold.external_request_threshold.whole())?,
        used: count("currentTimeframeRequestCount", threshold.current_timeframe_request_count.whole())?,
        window_minutes: count("requestThresholdTimeframe", threshold.request_threshold_timeframe.whole())?,
    })
}
