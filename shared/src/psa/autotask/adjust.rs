//! A signed change of a line's units.
//!
//! Autotask takes deltas, has no idempotency key, answers `{"itemId": null}` on success, and an adjustment can be neither
//! read nor undone: what its answer says about money is `settle`'s.

use serde_json::{Value, json};

use super::amounts;
use super::client::{Client, Entity};
use super::settle::settle;
use crate::domain::repricing::Repricing;
use crate::psa::{Kind, PsaError, UnitsChange, WriteError};

pub(super) async fn change_units(client: &Client, change: &UnitsChange) -> Result<(), WriteError> {
    let Ok(contract_service) = change.contract_service.as_str().parse::<i64>() else {
        return Err(WriteError::Rejected(PsaError::new(
            Kind::Validation,
            "contract_service_unknown",
            format!("\"{}\" is not a service on a contract of Autotask.", change.contract_service),
            "Nothing: the next run reads the contract again.",
        )));
    };
    let body = body(contract_service, change).map_err(WriteError::NotSent)?;
    let entity = Entity::ContractServiceAdjustments;
    settle(client.create(entity, entity.name(), &body).await, client.mask()).map(drop)
}

fn body(contract_service: i64, change: &UnitsChange) -> Result<Value, PsaError> {
    // Nothing else may be named. Where the contract and the service are sent instead of the service on the contract and
    // do not match one, Autotask adds the service to the contract without a word, and bills it. A price or a cost is
    // sent only where it is to be another one: what is not named is carried on. The time of day is ignored, but a zone would move the day.
    let mut body = json!({
        "contractServiceID": contract_service,
        "effectiveDate": format!("{}T00:00:00", change.effective),
        "unitChange": change.delta.get(),
    });
    if let Some(Repricing { cost, price }) = change.prices {
        for (field, step) in [("adjustedUnitCost", cost), ("adjustedUnitPrice", price)] {
            if let Some(step) = step {
                body[field] = amounts::number(step.target)?;
            }
        }
    }
    Ok(body)
}
