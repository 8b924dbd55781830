//! What changes the units of a line: services posted over the API, and a person's edits.
//!
//! Owns the two readings of a service that is posted again (a second line, or the first one replaced) and the checks before.
//! All checks come before the first change, so a refusal leaves the tenant as it was.
//! Everything that took effect is listed with the body that asked for it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::Value;

use super::envelope::Refusal;
use super::specs::ContractKind;
use super::switches::{LineSemantics, MissingPrice, Switches};
use super::world::{Change, Line, Refused, World, Write};

const PERSON: &str = "a person";

/// One item of the array that is posted.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) service_id: i64,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) units: i64,
    pub(crate) unit_cost: Option<Decimal>,
    pub(crate) unit_price: Option<Decimal>,
    pub(crate) effective: Date,
    pub(crate) sort_order: i64,
    /// As it was sent.
    pub(crate) body: Value,
}

impl World {
    /// Puts services on a contract, as `POST …/recurringservices/{contractId}/services` does. Answers the lines' ids, in order.
    pub(crate) fn post_services(
        &mut self,
        contract_id: i64,
        orders: &[Order],
        by: &str,
        at: Timestamp,
        switches: &Switches,
    ) -> Result<Vec<i64>, Refusal> {
        let contract =
            self.contracts.get(&contract_id).ok_or_else(|| Refusal::NoSuch("Contract", contract_id.to_string()))?;
        if contract.kind != ContractKind::RecurringServices {
            return Err(Refusal::Rule("The contract is not a recurring services contract."));
        }
        if !contract.active && switches.refuses_inactive_contract {
            return Err(Refusal::Rule("The contract is not active."));
        }
        if orders.is_empty() {
            return Err(Refusal::invalid("At least one service is required."));
        }
        for order in orders {
            if !self.services.contains_key(&order.service_id) {
                return Err(Refusal::NoSuch("Service", order.service_id.to_string()));
            }
            if order.units < 0 && switches.refuses_negative {
                return Err(Refusal::Rule("Units can't be negative."));
            }
            if !contract.covers(order.effective) && switches.refuses_outside_contract {
                return Err(Refusal::Rule("The effective date is outside the contract."));
            }
        }
        Ok(orders.iter().filter_map(|order| self.place(contract_id, order, by, at, switches)).collect())
    }

    /// Sets a service's units from a day on, as a person does in the web pages. Where it has several lines the newest takes
    /// the difference.
    pub(crate) fn edit_units(
        &mut self,
        contract_id: i64,
        service_id: i64,
        day: Date,
        units: i64,
        at: Timestamp,
    ) -> Result<Write, Refused> {
        let nothing = || Refused(format!("contract {contract_id} has no service {service_id} on {day}"));
        let before = self.units(contract_id, service_id, day).ok_or_else(nothing)?;
        let newest = self.lines_of(contract_id, service_id).filter(|line| line.at(day).is_some()).last();
        let id = newest.ok_or_else(nothing)?.id;
        let line = self.lines.get_mut(id).ok_or_else(nothing)?;
        let own = line.at(day).unwrap_or_default() + units - before;
        line.set(day, own);
        line.effective = day;
        self.edited(id, Change::Edited, Some(units), at).ok_or_else(nothing)
    }

    /// Puts a service on a contract by hand, at the catalogue's amounts.
    pub(crate) fn add_line(
        &mut self,
        contract_id: i64,
        service_id: i64,
        from: Date,
        units: i64,
        at: Timestamp,
    ) -> Result<Write, Refused> {
        let nothing = || Refused(format!("there is no contract {contract_id} or no service {service_id}"));
        let contract = self.contracts.get(&contract_id).ok_or_else(nothing)?;
        if contract.kind != ContractKind::RecurringServices {
            return Err(Refused(format!("contract {contract_id} carries no services")));
        }
        let service = self.services.get(&service_id).ok_or_else(nothing)?;
        let line = Line {
            id: 0,
            contract_id,
            service_id,
            name: service.name.clone(),
            description: service.description.clone(),
            unit_cost: service.unit_cost,
            unit_price: service.unit_price,
            effective: from,
            units: BTreeMap::from([(from, units)]),
            excluded: false,
            sort_order: 1,
        };
        let id = self.lines.add(line);
        self.edited(id, Change::Added, Some(units), at).ok_or_else(nothing)
    }

    /// Deletes a line by hand.
    pub(crate) fn delete_line(&mut self, line_id: i64, at: Timestamp) -> Result<Write, Refused> {
        let nothing = || Refused(format!("there is no line {line_id}"));
        let mut write = self.edited(line_id, Change::Deleted, None, at).ok_or_else(nothing)?;
        self.lines.remove(line_id);
        write.units = self.units(write.contract_id, write.service_id, write.effective_date).unwrap_or_default();
        if let Some(last) = self.edits.last_mut() {
            last.units = write.units;
        }
        Ok(write)
    }

    /// Notes what a write over the API did to a line.
    pub(crate) fn written(
        &mut self,
        line_id: i64,
        change: Change,
        units_sent: Option<i64>,
        by: &str,
        at: Timestamp,
        body: Value,
    ) {
        if let Some(write) = self.describe(self.writes.len() + 1, line_id, change, units_sent, by, at, body) {
            self.writes.push(write);
        }
    }

    fn place(&mut self, contract_id: i64, order: &Order, by: &str, at: Timestamp, switches: &Switches) -> Option<i64> {
        let service = self.services.get(&order.service_id)?;
        let missing = |catalogue: Decimal| match switches.missing_price {
            MissingPrice::Zero => Decimal::ZERO,
            MissingPrice::Catalogue => catalogue,
        };
        let mut line = Line {
            id: 0,
            contract_id,
            service_id: order.service_id,
            name: order.name.clone().unwrap_or_else(|| service.name.clone()),
            description: order.description.clone().unwrap_or_else(|| service.description.clone()),
            unit_cost: order.unit_cost.unwrap_or_else(|| missing(service.unit_cost)),
            unit_price: order.unit_price.unwrap_or_else(|| missing(service.unit_price)),
            effective: order.effective,
            units: BTreeMap::from([(order.effective, order.units)]),
            excluded: false,
            sort_order: order.sort_order,
        };
        let present = self.lines_of(contract_id, order.service_id).last().cloned();
        let (id, change) = match present.filter(|_| switches.line_semantics == LineSemantics::Replaces) {
            Some(mut present) => {
                // What was in force before the new date stays true of the days before it.
                present.set(order.effective, order.units);
                (line.id, line.units, line.excluded) = (present.id, present.units, present.excluded);
                self.lines.insert(line);
                (present.id, Change::Replaced)
            }
            None => (self.lines.add(line), Change::Added),
        };
        self.written(id, change, Some(order.units), by, at, order.body.clone());
        Some(id)
    }

    fn edited(&mut self, line_id: i64, change: Change, units: Option<i64>, at: Timestamp) -> Option<Write> {
        let write = self.describe(self.edits.len() + 1, line_id, change, units, PERSON, at, Value::Null)?;
        self.edits.push(write.clone());
        Some(write)
    }

    #[allow(clippy::too_many_arguments, reason = "each is one column of the list")]
    fn describe(
        &self,
        number: usize,
        line_id: i64,
        change: Change,
        units_sent: Option<i64>,
        by: &str,
        at: Timestamp,
        body: Value,
    ) -> Option<Write> {
        let line = self.lines.get(line_id)?;
        Some(Write {
            number,
            at,
            by: by.to_owned(),
            change,
            line_id,
            contract_id: line.contract_id,
            service_id: line.service_id,
            effective_date: line.effective,
            units_sent,
            units: self.units(line.contract_id, line.service_id, line.effective).unwrap_or_default(),
            unit_cost: line.unit_cost,
            unit_price: line.unit_price,
            body,
        })
    }
}
