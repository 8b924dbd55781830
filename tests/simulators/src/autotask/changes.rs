//! The writes: adjustments, lines and contracts, from body to answer.
//!
//! Owns which members of a body count. The rules of an adjustment and of a contract's end are
//! `adjust`'s and `term`'s.

use jiff::civil::Date;
use serde_json::{Map, Value};

use super::adjust::{Order, RECURRING};
use super::bodies::{amount, date, int, int32};
use super::errors::Refusal;
use super::filter::{key, unexpected};
use super::switches::Effect;
use super::tenant::State;
use super::users::ApiUser;

pub(super) fn order(body: &Map<String, Value>, contract: Option<i64>, user: &ApiUser) -> Result<Order, Refusal> {
    let effective_date = date(body, "effectiveDate")?.ok_or(Refusal::Required("effectiveDate"))?;
    let allow_repeat = match key(body, "allowRepeatService") {
        None | Some(Value::Null) => false,
        Some(value) => value.as_bool().ok_or_else(|| unexpected(value))?,
    };
    int(body, "id")?;
    Ok(Order {
        contract_service_id: int(body, "contractServiceID")?.filter(|&id| id != 0),
        contract_id: contract.or(int(body, "contractID")?.filter(|&id| id != 0)),
        service_id: int(body, "serviceID")?.filter(|&id| id != 0),
        effective_date,
        unit_change: int32(body, "unitChange")?.unwrap_or_default(),
        unit_price: amount(body, "adjustedUnitPrice")?,
        // Dropped in silence for a user who cannot read costs.
        unit_cost: amount(body, "adjustedUnitCost")?.filter(|_| user.reads_costs),
        allow_repeat,
    })
}

pub(super) fn create_line(
    state: &mut State,
    user: &ApiUser,
    contract: i64,
    body: &Map<String, Value>,
) -> Result<i64, Refusal> {
    let service = int(body, "serviceID")?.ok_or(Refusal::Required("serviceID"))?;
    let unknown = Refusal::Reference { field: "contractID", entity: "Contract" };
    let found = state.world.contracts.get(&contract).ok_or(unknown)?;
    if found.kind != RECURRING {
        return Err(Refusal::NotRecurring);
    }
    let from = found.days.start;
    if state.world.lines_of_service(contract, service).next().is_some() {
        return Err(Refusal::RepeatedService);
    }
    if !state.world.services.get(&service).is_some_and(|service| service.active) {
        return Err(Refusal::Reference { field: "serviceID", entity: "Service" });
    }
    let mut line = state.world.new_line(contract, service)?;
    if state.switches.new_line_prices == Effect::Applied {
        let price = amount(body, "unitPrice")?.unwrap_or(line.unit_price);
        (line.unit_price, line.adjusted_price) = (price, price);
        line.unit_cost = amount(body, "unitCost")?.filter(|_| user.reads_costs).unwrap_or(line.unit_cost);
    }
    let id = line.id;
    state.world.add_line(line, from, state.switches.new_line_units, state.switches.split_price);
    Ok(id)
}

pub(super) fn patch_line(
    state: &mut State,
    user: &ApiUser,
    contract: i64,
    body: &Map<String, Value>,
    today: Date,
) -> Result<i64, Refusal> {
    let id = int(body, "id")?.ok_or(Refusal::Required("id"))?;
    let State { world, switches, .. } = state;
    let unit_cost = amount(body, "unitCost")?;
    let line = world
        .contract_services
        .get_mut(&id)
        .filter(|line| line.contract_id == contract)
        .ok_or(Refusal::Reference { field: "id", entity: "ContractService" })?;
    if let Some(text) = key(body, "invoiceDescription").and_then(Value::as_str) {
        text.clone_into(&mut line.invoice_description);
    }
    if let Some(text) = key(body, "internalDescription").and_then(Value::as_str) {
        text.clone_into(&mut line.internal_description);
    }
    if let Some(cost) = unit_cost.filter(|_| user.reads_costs && switches.patch_unit_cost == Effect::Applied) {
        line.unit_cost = cost;
        world.units.change_line(id, |row| {
            if row.posted.is_none() && row.days.end >= today {
                row.unit_cost = cost;
                row.reprice(switches.split_price);
            }
        });
    }
    Ok(id)
}

pub(super) fn patch_contract(state: &mut State, body: &Map<String, Value>) -> Result<i64, Refusal> {
    let id = int(body, "id")?.ok_or(Refusal::Required("id"))?;
    let status = int(body, "status")?;
    if let Some(value) = status.filter(|status| ![0, 1].contains(status)) {
        return Err(Refusal::Picklist { value, field: "status" });
    }
    if let Some(end) = date(body, "endDate")? {
        state.world.move_end(id, end, &state.switches)?;
    }
    let unknown = Refusal::Reference { field: "id", entity: "Contract" };
    let contract = state.world.contracts.get_mut(&id).ok_or(unknown)?;
    contract.status = status.unwrap_or(contract.status);
    Ok(id)
}
