//! Charges on contracts (`ContractCharges`): found by our reference, written one at a time.
//!
//! Our reference stands in `internalPurchaseOrderNumber`, which customers don't see. Autotask compares texts without regard
//! to case, so what it finds is compared again here. A charge that Autotask does not say to be unbilled counts as billed.
//! Field names and lengths: Autotask's REST and SOAP metadata.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde_json::{Value, json};

use super::amounts;
use super::client::{Client, Entity};
use super::query::{self, Operator, Query};
use super::settle::settle;
use super::wire::{self, ChargeRow, Row as _};
use crate::domain::ids::{ChargeId, ContractId};
use crate::psa::charges::{LONGEST_CHARGE_DESCRIPTION, LONGEST_CHARGE_NAME, LONGEST_REFERENCE, REFERENCE_PREFIX};
use crate::psa::{Kind, NewCharge, PsaCharge, PsaError, WriteError};

/// A request for each 500 references, or for each 500 contracts, and one more for each further 500 charges.
pub(super) async fn charges(
    client: &Client,
    contracts: &BTreeSet<ContractId>,
    references: &BTreeSet<String>,
) -> Result<Vec<PsaCharge>, PsaError> {
    if references.is_empty() {
        return on_contracts(client, contracts).await;
    }
    let mut found = vec![];
    let references: Vec<&str> = references.iter().map(String::as_str).filter(|text| is_reference(text)).collect();
    for set in references.chunks(query::MOST) {
        let query = Query::of(Entity::ContractCharges).and(REFERENCE, Operator::In, set);
        for row in query::walk::<ChargeRow>(client, &query).await? {
            let reference = row.need(REFERENCE, row.reference.text())?;
            if set.contains(&reference.as_str()) {
                found.push(row.charge()?);
            } else if !set.iter().any(|known| known.eq_ignore_ascii_case(&reference)) {
                return Err(row.fault("was not asked for"));
            }
        }
    }
    Ok(found)
}

const REFERENCE: &str = "internalPurchaseOrderNumber";

async fn on_contracts(client: &Client, contracts: &BTreeSet<ContractId>) -> Result<Vec<PsaCharge>, PsaError> {
    let mut found = vec![];
    for set in query::id_sets(contracts.iter().map(ContractId::as_str)) {
        let query = Query::of(Entity::ContractCharges).and("contractID", Operator::In, set.clone()).and(
            REFERENCE,
            Operator::BeginsWith,
            REFERENCE_PREFIX,
        );
        for row in query::walk::<ChargeRow>(client, &query).await? {
            if row.contract.whole().is_none_or(|contract| set.binary_search(&contract).is_err()) {
                return Err(row.fault("is on a contract that was not asked for"));
            }
            if row.reference.text().is_some_and(|reference| is_reference(&reference)) {
                found.push(row.charge()?);
            }
        }
    }
    Ok(found)
}

/// Makes a charge of a type, which is Autotask's number for operational ones. It is asked for only for a charge that can be
/// sent.
pub(super) async fn create(
    client: &Client,
    kind: impl Future<Output = Result<i64, PsaError>>,
    charge: &NewCharge,
) -> Result<Option<ChargeId>, WriteError> {
    let Written { contract, mut body } = Written::of(charge).map_err(WriteError::NotSent)?;
    let kind = kind.await.map_err(WriteError::NotSent)?;
    body["contractID"] = contract.into();
    body["chargeType"] = kind.into();
    body["isBillableToCompany"] = true.into();
    let made = settle(client.create(Entity::ContractCharges, &path(contract), &body).await, client.mask())?;
    Ok(made.and_then(|number| wire::id(ChargeRow::NAME, number).ok()))
}

pub(super) async fn change(client: &Client, id: &ChargeId, charge: &NewCharge) -> Result<(), WriteError> {
    let Written { contract, mut body } = Written::of(charge).map_err(WriteError::NotSent)?;
    body["id"] = number(id.as_str()).map_err(WriteError::NotSent)?.into();
    settle(client.change(Entity::ContractCharges, &path(contract), &body).await, client.mask()).map(drop)
}

pub(super) async fn delete(client: &Client, contract: &ContractId, id: &ChargeId) -> Result<(), WriteError> {
    let numbers = number(contract.as_str()).and_then(|contract| Ok((contract, number(id.as_str())?)));
    let (contract, id) = numbers.map_err(WriteError::NotSent)?;
    let path = format!("{}/{id}", path(contract));
    settle(client.delete(Entity::ContractCharges, &path).await, client.mask()).map(drop)
}

fn path(contract: i64) -> String {
    format!("Contracts/{contract}/Charges")
}

/// What making and changing a charge have in common.
struct Written {
    contract: i64,
    body: Value,
}

impl Written {
    fn of(charge: &NewCharge) -> Result<Self, PsaError> {
        let NewCharge { contract, reference, name, description, date, cost, price, billing_code } = charge;
        if !is_reference(reference) {
            return Err(PsaError::new(
                Kind::Validation,
                "charge_reference_invalid",
                format!("\"{reference}\" can't be the reference of a charge."),
                "Tell the operator: references begin with \"TL-\" and have at most 50 characters.",
            ));
        }
        fits("name of a charge", name, 1, LONGEST_CHARGE_NAME)?;
        fits("description of a charge", description, 0, LONGEST_CHARGE_DESCRIPTION)?;
        let body = json!({
            "name": name,
            "description": description,
            "datePurchased": day(*date),
            "unitQuantity": 1,
            "unitCost": amounts::number(*cost)?,
            "unitPrice": amounts::number(*price)?,
            "billingCodeID": number(billing_code.as_str())?,
            REFERENCE: reference,
        });
        Ok(Self { contract: number(contract.as_str())?, body })
    }
}

/// A day as Autotask takes it: the time is ignored, but a zone would move the day.
fn day(date: Date) -> String {
    format!("{date}T00:00:00")
}

fn is_reference(text: &str) -> bool {
    text.starts_with(REFERENCE_PREFIX) && text.chars().count() <= LONGEST_REFERENCE && text.trim() == text
}

/// Refuses a text that Autotask's field can't hold; what it would say itself is not on record.
pub(super) fn fits(what: &str, text: &str, least: usize, most: usize) -> Result<(), PsaError> {
    let length = text.chars().count();
    if (least..=most).contains(&length) && (least == 0 || !text.trim().is_empty()) {
        return Ok(());
    }
    Err(PsaError::new(
        Kind::Validation,
        "psa_text_length",
        format!("The {what} has {length} characters. Autotask takes {least} to {most}."),
        "Choose a shorter text, or give one where there is none.",
    ))
}

/// An id as Autotask's number.
pub(super) fn number(id: &str) -> Result<i64, PsaError> {
    id.parse().map_err(|_| {
        PsaError::new(
            Kind::Validation,
            "psa_id_invalid",
            format!("\"{id}\" is no id of Autotask's."),
            "Choose it again from what Autotask has.",
        )
    })
}

impl ChargeRow {
    fn charge(&self) -> Result<PsaCharge, PsaError> {
        let billing_code = self.billing_code.whole().filter(|id| *id > 0);
        Ok(PsaCharge {
            id: wire::id(Self::NAME, self.id()?)?,
            contract: self.reference("contractID", &self.contract)?,
            reference: self.need(REFERENCE, self.reference.text())?,
            name: self.name.text().unwrap_or_default(),
            date: self.need("datePurchased", self.date.date())?,
            cost: self.cost.money(),
            price: self.price.money(),
            quantity: self.need("unitQuantity", self.quantity.decimal())?,
            billed: self.billed.flag() != Some(false),
            billing_code: billing_code.map(|number| wire::id(Self::NAME, number)).transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(with: &Value) -> Result<PsaCharge, PsaError> {
        let mut row = json!({"id": 5, "contractID": 29, REFERENCE: "TL-1", "name": "Cloud", "datePurchased":
            "2026-11-01T13:00:00Z", "unitCost": 1.5, "unitPrice": "2.2500", "unitQuantity": 1.0, "isBilled": false});
        row.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        serde_json::from_value::<ChargeRow>(row).unwrap().charge()
    }

    #[test]
    fn a_charge_that_is_not_said_to_be_unbilled_is_billed() {
        for (mark, billed) in [
            (json!(false), false),
            (json!("false"), false),
            (json!(true), true),
            (json!(null), true),
            (json!("?"), true),
        ] {
            assert_eq!(read(&json!({"isBilled": mark})).unwrap().billed, billed, "{mark}");
        }
    }

    #[test]
    fn what_a_charge_lacks_is_nothing_or_an_error_that_names_it() {
        let hidden = read(&json!({"unitCost": null, "billingCodeID": 0})).unwrap();
        assert_eq!((hidden.cost, hidden.billing_code), (None, None));
        assert_eq!(hidden.price.unwrap().to_string(), "2.25");
        for field in ["datePurchased", "unitQuantity", "contractID"] {
            let error = read(&json!({field: null})).unwrap_err();
            assert!(error.explanation.contains(&format!("charge 5 has no usable {field}")), "{error}");
        }
    }

    #[test]
    fn a_reference_begins_as_ours_and_fits_its_field() {
        assert!(is_reference("TL-0") && is_reference(&format!("TL-{}", "x".repeat(47))));
        for other in ["", "tl-0", "PO-7", " TL-0", "TL-0 ", &format!("TL-{}", "x".repeat(48))] {
            assert!(!is_reference(other), "{other}");
        }
    }
}
