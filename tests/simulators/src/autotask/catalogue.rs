//! Services of the catalogue: what it takes to add one or to change one over the API.
//!
//! Owns the rules of `POST` and `PATCH /Services`. Services are never deleted. Putting one on a contract is `changes`'.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Map, Value};

use super::bodies::{amount, flag, int, text};
use super::errors::Refusal;
use super::picklists::CodeUse;
use super::timeline::Period;
use super::users::ApiUser;
use super::world::{Service, World};

const FIRST_SERVICE: i64 = 501;
const NAME_LENGTH: usize = 150;
const DESCRIPTION_LENGTH: usize = 400;

/// A service of the catalogue, for tests to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServiceView {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// More about it.
    pub description: String,
    /// How often it bills.
    pub period: Period,
    /// What one is sold for.
    pub unit_price: Decimal,
    /// What one costs the partner.
    pub unit_cost: Decimal,
    /// The billing code.
    pub billing_code_id: i64,
    /// The supplier, if it has one.
    pub vendor_id: Option<i64>,
    /// Whether it may be put on contracts.
    pub active: bool,
}

impl World {
    /// Adds a service. Answers its id.
    pub(super) fn create_service(&mut self, body: &Map<String, Value>, user: &ApiUser) -> Result<i64, Refusal> {
        let period = int(body, "periodType")?.ok_or(Refusal::Required("periodType"))?;
        let fresh = Service {
            id: self.services.last_key_value().map_or(FIRST_SERVICE, |(last, _)| (last + 1).max(FIRST_SERVICE)),
            name: text(body, "name")?.filter(|name| !name.is_empty()).ok_or(Refusal::Required("name"))?,
            sku: text(body, "sku")?,
            period: Period::of_number(period).ok_or(Refusal::Picklist { value: period, field: "periodType" })?,
            unit_price: amount(body, "unitPrice")?.ok_or(Refusal::Required("unitPrice"))?,
            unit_cost: Decimal::ZERO,
            billing_code_id: int(body, "billingCodeID")?.ok_or(Refusal::Required("billingCodeID"))?,
            vendor_id: None,
            description: String::new(),
            active: true,
        };
        let service = self.overlaid_service(fresh, body, user)?;
        let id = service.id;
        self.services.insert(id, service);
        Ok(id)
    }

    /// Changes a service by what a body names. Answers its id.
    pub(super) fn patch_service(&mut self, body: &Map<String, Value>, user: &ApiUser) -> Result<i64, Refusal> {
        let id = int(body, "id")?.ok_or(Refusal::Required("id"))?;
        let unknown = Refusal::Reference { field: "id", entity: "Service" };
        let service = self.overlaid_service(self.services.get(&id).ok_or(unknown)?.clone(), body, user)?;
        self.services.insert(id, service);
        Ok(id)
    }

    /// A service with what a body names in the place of what it had. Its period can't be changed.
    fn overlaid_service(
        &self,
        mut service: Service,
        body: &Map<String, Value>,
        user: &ApiUser,
    ) -> Result<Service, Refusal> {
        for (field, length, place) in
            [("name", NAME_LENGTH, &mut service.name), ("description", DESCRIPTION_LENGTH, &mut service.description)]
        {
            if let Some(text) = text(body, field)? {
                if text.chars().count() > length {
                    return Err(Refusal::TooLong { field, length });
                }
                *place = text;
            }
        }
        service.billing_code_id = int(body, "billingCodeID")?.unwrap_or(service.billing_code_id);
        self.check_code(service.billing_code_id, CodeUse::Recurring)?;
        if let Some(vendor) = int(body, "vendorCompanyID")? {
            if !self.companies.get(&vendor).is_some_and(|company| company.active) {
                return Err(Refusal::Reference { field: "vendorCompanyID", entity: "Company" });
            }
            service.vendor_id = Some(vendor);
        }
        service.unit_price = amount(body, "unitPrice")?.unwrap_or(service.unit_price);
        service.unit_cost = amount(body, "unitCost")?.filter(|_| user.reads_costs).unwrap_or(service.unit_cost);
        service.active = flag(body, "isActive")?.unwrap_or(service.active);
        Ok(service)
    }

    /// Every service, in order of id.
    pub(super) fn service_views(&self) -> Vec<ServiceView> {
        let view = |service: &Service| ServiceView {
            id: service.id,
            name: service.name.clone(),
            description: service.description.clone(),
            period: service.period,
            unit_price: service.unit_price,
            unit_cost: service.unit_cost,
            billing_code_id: service.billing_code_id,
            vendor_id: service.vendor_id,
            active: service.active,
        };
        self.services.values().map(view).collect()
    }
}
