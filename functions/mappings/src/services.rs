//! Whether the PSA's catalogue has the services that a mapping names.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use shared::api::{Fault, Problem};
use shared::domain::ids::ServiceId;
use shared::domain::reason::Reason;
use shared::psa::provision::Called;
use shared::psa::{Connector, PsaError};

/// What is said where one is missing.
pub(crate) const UNKNOWN: &str = "must be an active service";

/// Looks for services, named with the pointers that they stand at, among the active ones.
///
/// # Errors
/// 422 `service_not_found` with every pointer; or what the PSA said.
pub(crate) async fn exist(psa: &dyn Connector, named: &BTreeMap<ServiceId, Vec<String>>) -> Result<(), Problem> {
    let missing = missing(psa, named.clone()).await?;
    if missing.is_empty() { Ok(()) } else { Err(not_found(missing)) }
}

/// Those of `named` that are no active service of the PSA's catalogue.
///
/// # Errors
/// What the PSA said.
pub(crate) async fn missing<T>(
    psa: &dyn Connector,
    named: BTreeMap<ServiceId, T>,
) -> Result<BTreeMap<ServiceId, T>, PsaError> {
    let mut missing = named;
    let found = psa.services_by_id(&missing.keys().cloned().collect()).await?;
    for service in found.iter().filter(|service| service.active) {
        missing.remove(&service.id);
    }
    Ok(missing)
}

/// The active service that is called `name`, exactly; `None` where there is none, so that it may be made.
///
/// # Errors
/// 422 where several are called so, or the only ones are not active; or what the PSA said.
pub(crate) async fn called(psa: &dyn Connector, name: &str) -> Result<Option<ServiceId>, Problem> {
    match Called::of(&psa.find_services(name).await?) {
        Called::One(service) => Ok(Some(service.id.clone())),
        Called::None => Ok(None),
        other => {
            let Reason { code, explanation, fix } = other.told(name);
            let fault = Fault::new("/provision/name", "must be the name of one active service, or of none");
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, &code, explanation).fix(fix).faults(vec![fault]))
        }
    }
}

fn not_found(missing: BTreeMap<ServiceId, Vec<String>>) -> Problem {
    let detail = "The PSA shows no active service of this id.";
    let faults = missing.into_values().flatten().map(|pointer| Fault::new(pointer, UNKNOWN)).collect();
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "service_not_found", detail)
        .fix("Choose a service of the PSA's catalogue, or let the API user see it.")
        .faults(faults)
}
