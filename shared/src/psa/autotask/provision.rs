//! Services that are made in the catalogue and put on contracts, and what they need: billing codes and a vendor.
//!
//! Autotask finds names without regard to case; what it finds is compared exactly here. Uses of billing codes and types of
//! companies are found by their labels.

use serde_json::{Value, json};

use super::amounts;
use super::charges::{fits, number};
use super::client::{Client, Entity};
use super::picklist::{self, MATERIAL, RECURRING_SERVICE, VENDOR};
use super::query::{self, Operator, Query};
use super::settle::settle;
use super::wire::{self, BillingCodeRow, ContractServiceRow, Row, ServiceRow, VendorRow};
use crate::domain::ids::{ContractId, ContractServiceId, ServiceId};
use crate::domain::money::Money;
use crate::domain::period::PeriodType;
use crate::psa::provision::{LONGEST_SERVICE_DESCRIPTION, LONGEST_SERVICE_NAME};
use crate::psa::{BillingCode, BillingCodeKind, Kind, NewService, PsaError, Service, Vendor, WriteError};

/// Two requests.
pub(super) async fn billing_codes(client: &Client, kind: BillingCodeKind) -> Result<Vec<BillingCode>, PsaError> {
    let uses = match kind {
        BillingCodeKind::Material => picklist::numbers(client, MATERIAL).await?,
        BillingCodeKind::RecurringService => picklist::numbers(client, RECURRING_SERVICE).await?,
    };
    let query = Query::of(Entity::BillingCodes).and("useType", Operator::In, uses.clone());
    let code = |row: &BillingCodeRow| {
        if row.used_for.whole().is_none_or(|used_for| !uses.contains(&used_for)) {
            return Err(row.fault("is of a use that was not asked for"));
        }
        Ok(BillingCode {
            id: wire::id(BillingCodeRow::NAME, row.id()?)?,
            name: row.name.text().unwrap_or_default(),
            active: row.active.flag().unwrap_or(false),
        })
    };
    query::walk::<BillingCodeRow>(client, &query).await?.iter().map(code).collect()
}

/// Two requests.
pub(super) async fn vendor(client: &Client, name: &str) -> Result<Vendor, PsaError> {
    let types = picklist::numbers(client, VENDOR).await?;
    let query = Query::of(Entity::Companies).and("companyName", Operator::Eq, name.trim()).and(
        "companyType",
        Operator::In,
        types.clone(),
    );
    let rows = query::walk::<VendorRow>(client, &query).await?;
    let is_it = |row: &&VendorRow| {
        row.name.text().as_deref() == Some(name.trim())
            && row.active.flag() == Some(true)
            && row.kind.whole().is_some_and(|kind| types.contains(&kind))
    };
    let found: Vec<&VendorRow> = rows.iter().filter(is_it).collect();
    match found.as_slice() {
        [only] => Ok(Vendor { id: wire::id(VendorRow::NAME, only.id()?)?, name: name.trim().to_owned() }),
        [] => Err(PsaError::new(
            Kind::NotFound,
            "psa_vendor_not_found",
            format!("Autotask has no active company of the type for vendors called \"{}\".", name.trim()),
            "Make the company in Autotask with the type for vendors, or name one that is there, in exactly its own \
             spelling.",
        )),
        several => Err(PsaError::new(
            Kind::Validation,
            "psa_vendor_ambiguous",
            format!("Autotask has {} active vendors called \"{}\".", several.len(), name.trim()),
            "Give each of them a name of its own in Autotask, or make the ones that are not used inactive.",
        )),
    }
}

/// One request.
pub(super) async fn find_services(client: &Client, name: &str) -> Result<Vec<Service>, PsaError> {
    let query = Query::of(Entity::Services).and("name", Operator::Eq, name.trim());
    let rows = query::walk::<ServiceRow>(client, &query).await?;
    rows.iter().filter(|row| row.name.text().as_deref() == Some(name.trim())).map(ServiceRow::service).collect()
}

pub(super) async fn create_service(client: &Client, service: &NewService) -> Result<Option<ServiceId>, WriteError> {
    let body = body(service).map_err(WriteError::NotSent)?;
    let entity = Entity::Services;
    let made = settle(client.create(entity, entity.name(), &body).await, client.mask())?;
    Ok(made.and_then(|number| wire::id(ServiceRow::NAME, number).ok()))
}

fn body(service: &NewService) -> Result<Value, PsaError> {
    let NewService { name, vendor, billing_code, period, unit_cost, unit_price, description } = service;
    fits("name of a service", name, 1, LONGEST_SERVICE_NAME)?;
    fits("description of a service", description, 0, LONGEST_SERVICE_DESCRIPTION)?;
    let mut body = json!({
        "name": name,
        "description": description,
        "billingCodeID": number(billing_code.as_str())?,
        "periodType": period_number(*period),
        "unitPrice": amounts::number(*unit_price)?,
    });
    if let Some(vendor) = vendor {
        body["vendorCompanyID"] = number(vendor.as_str())?.into();
    }
    if let Some(cost) = unit_cost {
        body["unitCost"] = amounts::number(*cost)?;
    }
    Ok(body)
}

/// The same numbers for services as for contracts.
fn period_number(period: PeriodType) -> i64 {
    match period {
        PeriodType::Monthly => 2,
        PeriodType::Quarterly => 3,
        PeriodType::SemiAnnual => 4,
        PeriodType::Yearly => 5,
    }
}

/// Puts a service on a contract. Whether Autotask takes the prices then is not confirmed.
pub(super) async fn add_service(
    client: &Client,
    contract: &ContractId,
    service: &ServiceId,
    prices: [(&str, Option<Money>); 2],
) -> Result<Option<ContractServiceId>, WriteError> {
    let (contract, body) = line(contract, service, prices).map_err(WriteError::NotSent)?;
    let path = format!("Contracts/{contract}/Services");
    let made = settle(client.create(Entity::ContractServices, &path, &body).await, client.mask())?;
    Ok(made.and_then(|number| wire::id(ContractServiceRow::NAME, number).ok()))
}

fn line(
    contract: &ContractId,
    service: &ServiceId,
    prices: [(&str, Option<Money>); 2],
) -> Result<(i64, Value), PsaError> {
    let contract = number(contract.as_str())?;
    let mut body = json!({"contractID": contract, "serviceID": number(service.as_str())?});
    for (field, amount) in prices {
        if let Some(amount) = amount {
            body[field] = amounts::number(amount)?;
        }
    }
    Ok((contract, body))
}
