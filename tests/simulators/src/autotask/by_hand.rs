//! What a person does to services in the web pages: makes one by hand, takes one away, takes one off a contract.
//!
//! None of it is open to the API, which deletes neither services nor lines.

use jiff::Span;
use rust_decimal::Decimal;

use super::builder::RECURRING_CODE;
use super::switches::SplitPrice;
use super::timeline::Period;
use super::world::{Refused, Service, World};

impl World {
    /// Takes a service off a contract, with all of its units.
    pub(super) fn remove_line(&mut self, contract: i64, service: i64) -> Result<(), Refused> {
        let lines: Vec<i64> = self.lines_of_service(contract, service).collect();
        if lines.is_empty() {
            return Err(Refused(format!("contract {contract} does not carry service {service}")));
        }
        self.units.remove(|row| lines.contains(&row.contract_service_id));
        self.contract_services.retain(|id, _| !lines.contains(id));
        self.lines_of.entry(contract).or_default().retain(|id| !lines.contains(id));
        Ok(())
    }

    /// Puts a service on a contract, with no period of it.
    pub(super) fn put_without_units(&mut self, contract: i64, service: i64) -> Result<(), Refused> {
        let line = self.new_line(contract, service).map_err(|refusal| Refused(refusal.to_string()))?;
        let end = self.contracts.get(&contract).map(|contract| contract.days.end);
        let end = end.ok_or_else(|| Refused(format!("there is no contract {contract}")))?;
        // From after its last day, the contract has no period.
        self.add_line(line, end.saturating_add(Span::new().days(1)), 0, SplitPrice::Whole);
        Ok(())
    }

    /// Makes a service active or inactive; with `None` it is gone.
    pub(super) fn set_service(&mut self, id: i64, active: Option<bool>) -> Result<(), Refused> {
        let unknown = || Refused(format!("there is no service {id}"));
        match active {
            None => self.services.remove(&id).map(drop).ok_or_else(unknown),
            Some(active) => {
                self.services.get_mut(&id).ok_or_else(unknown)?.active = active;
                Ok(())
            }
        }
    }

    /// Adds a service under a new id.
    pub(super) fn add_service_by_hand(&mut self, name: &str) -> i64 {
        let id = self.services.last_key_value().map_or(501, |(last, _)| last + 1);
        let service = Service {
            id,
            name: name.to_owned(),
            sku: None,
            period: Period::Monthly,
            unit_price: Decimal::ONE,
            unit_cost: Decimal::ZERO,
            billing_code_id: RECURRING_CODE,
            vendor_id: None,
            description: String::new(),
            active: true,
        };
        self.services.insert(id, service);
        id
    }
}
