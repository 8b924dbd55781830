//! What changes units: API adjustments and a person's edits.
//!
//! Owns the rules an adjustment must pass and the cutting of the timeline. All checks come before the first change, so a
//! refusal leaves the tenant as it was.
//! A change is a delta on every row from its date on, so later dated changes stay on top of it.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::errors::Refusal;
use super::switches::{Effect, PostedPeriod, SplitEnd, Switches, Verdict};
use super::timeline::{Days, day_before};
use super::units::UnitRow;
use super::world::{Contract, ContractService, Refused, World, Write};

/// `contractType` of a recurring service contract.
pub(crate) const RECURRING: i64 = 7;
/// `status` of an active contract.
pub(crate) const ACTIVE: i64 = 1;
const PERSON: &str = "a person";
const FIRST_LINE_ID: i64 = 7_001;

/// What a `ContractServiceAdjustments` body asks for.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) contract_service_id: Option<i64>,
    pub(crate) contract_id: Option<i64>,
    pub(crate) service_id: Option<i64>,
    pub(crate) effective_date: Date,
    pub(crate) unit_change: i64,
    pub(crate) unit_price: Option<Decimal>,
    pub(crate) unit_cost: Option<Decimal>,
    pub(crate) allow_repeat: bool,
}

enum Target {
    Line(i64),
    /// No line matches, so Autotask makes one.
    New {
        contract: i64,
        service: i64,
    },
}

impl World {
    /// Applies an adjustment sent over the API.
    pub(crate) fn adjust(
        &mut self,
        order: &Order,
        by: &str,
        at: Timestamp,
        switches: &Switches,
    ) -> Result<Write, Refusal> {
        let target = self.target(order)?;
        let contract = self.contract_of(&target)?;
        if contract.kind != RECURRING {
            return Err(Refusal::NotRecurring);
        }
        if contract.status != ACTIVE && switches.inactive_contract == Verdict::Reject {
            return Err(Refusal::InactiveContract);
        }
        if !contract.days.contains(order.effective_date) {
            return Err(Refusal::OutsideContract);
        }
        let mut order = order.clone();
        if switches.adjusted_unit_cost == Effect::Ignored {
            order.unit_cost = None;
        }
        let (line, into_posted, created_line) = match target {
            Target::Line(line) => (line, self.change(line, &order, switches)?, false),
            Target::New { contract, service } => (self.create(contract, service, &order, switches)?, false, true),
        };
        self.adjusted.insert((line, order.effective_date));
        let write = self.written(self.writes.len() + 1, line, &order, by, at, into_posted, created_line);
        self.writes.push(write.clone());
        Ok(write)
    }

    /// Sets a service's units from a day on, as a person does in the web pages.
    pub(crate) fn edit_units(
        &mut self,
        contract_id: i64,
        service_id: i64,
        day: Date,
        units: i64,
        at: Timestamp,
        switches: &Switches,
    ) -> Result<Write, Refused> {
        let line = self
            .lines_of_service(contract_id, service_id)
            .next()
            .ok_or_else(|| Refused(format!("contract {contract_id} has no line of service {service_id}")))?;
        let before = self
            .units
            .at(line, day)
            .map(|row| row.units)
            .ok_or_else(|| Refused(format!("line {line} has no period on {day}")))?;
        let order = Order {
            contract_service_id: Some(line),
            contract_id: None,
            service_id: None,
            effective_date: day,
            unit_change: units.saturating_sub(before),
            unit_price: None,
            unit_cost: None,
            allow_repeat: false,
        };
        // A person may edit one day as often as they like, zero and posted periods included.
        let lenient = Switches { posted_period: PostedPeriod::Accept, zero_units: Verdict::Accept, ..switches.clone() };
        let used_before = self.adjusted.remove(&(line, day));
        let outcome = self.change(line, &order, &lenient);
        if used_before || (outcome.is_ok() && switches.edits_use_their_date) {
            self.adjusted.insert((line, day));
        }
        let into_posted = outcome.map_err(|refusal| Refused(refusal.to_string()))?;
        let edit = self.written(self.edits.len() + 1, line, &order, PERSON, at, into_posted, false);
        self.edits.push(edit.clone());
        Ok(edit)
    }

    /// Sets a service's unit price in every period, as a person does in the web pages.
    pub(crate) fn edit_price(
        &mut self,
        contract_id: i64,
        service_id: i64,
        price: Decimal,
        switches: &Switches,
    ) -> Result<(), Refused> {
        let line = self
            .lines_of_service(contract_id, service_id)
            .next()
            .ok_or_else(|| Refused(format!("contract {contract_id} has no line of service {service_id}")))?;
        self.units.change_line(line, |row| {
            row.unit_price = price;
            row.reprice(switches.split_price);
        });
        if let Some(line) = self.contract_services.get_mut(&line) {
            line.adjusted_price = price;
        }
        Ok(())
    }

    fn target(&self, order: &Order) -> Result<Target, Refusal> {
        if let Some(id) = order.contract_service_id {
            let unknown = Refusal::Reference { field: "contractServiceID", entity: "ContractService" };
            let line = self.contract_services.get(&id).ok_or_else(|| unknown.clone())?;
            let fits = order.contract_id.is_none_or(|contract| contract == line.contract_id)
                && order.service_id.is_none_or(|service| service == line.service_id);
            return if fits { Ok(Target::Line(id)) } else { Err(unknown) };
        }
        let (Some(contract), Some(service)) = (order.contract_id, order.service_id) else {
            return Err(Refusal::Required("contractServiceID"));
        };
        if !self.contracts.contains_key(&contract) {
            return Err(Refusal::Reference { field: "contractID", entity: "Contract" });
        }
        if !self.services.get(&service).is_some_and(|service| service.active) {
            return Err(Refusal::Reference { field: "serviceID", entity: "Service" });
        }
        match self.lines_of_service(contract, service).next() {
            Some(line) if !order.allow_repeat => Ok(Target::Line(line)),
            _ => Ok(Target::New { contract, service }),
        }
    }

    fn contract_of(&self, target: &Target) -> Result<&Contract, Refusal> {
        let id = match target {
            Target::New { contract, .. } => Some(*contract),
            Target::Line(line) => self.contract_services.get(line).map(|line| line.contract_id),
        };
        id.and_then(|id| self.contracts.get(&id)).ok_or(Refusal::Reference { field: "contractID", entity: "Contract" })
    }

    /// Checks and applies a change to an existing line. Answers whether it reached into a posted period.
    fn change(&mut self, line: i64, order: &Order, switches: &Switches) -> Result<bool, Refusal> {
        let from = order.effective_date;
        if self.adjusted.contains(&(line, from)) {
            return Err(Refusal::DuplicatePeriod);
        }
        let first = self.units.at(line, from).cloned().ok_or(Refusal::OutsideContract)?;
        let reached = |row: &&UnitRow| row.days.start >= first.days.start;
        let into_posted = self.units.of_line(line).filter(reached).any(|row| row.posted.is_some());
        if into_posted && switches.posted_period == PostedPeriod::Reject {
            return Err(Refusal::Posted);
        }
        for row in self.units.of_line(line).filter(reached) {
            check_total(row.units, order.unit_change, switches)?;
        }
        if from > first.days.start {
            self.split(&first, from, switches);
        }
        self.units.change_line(line, |row| {
            if row.days.start >= from {
                row.units = row.units.saturating_add(order.unit_change);
                row.unit_price = order.unit_price.unwrap_or(row.unit_price);
                row.unit_cost = order.unit_cost.unwrap_or(row.unit_cost);
                row.reprice(switches.split_price);
            }
        });
        if let (Some(price), Some(line)) = (order.unit_price, self.contract_services.get_mut(&line)) {
            line.adjusted_price = price;
        }
        Ok(into_posted)
    }

    fn split(&mut self, whole: &UnitRow, from: Date, switches: &Switches) {
        let head_end = match switches.split_end {
            SplitEnd::DayBefore => day_before(from),
            SplitEnd::SameDay => from,
        };
        self.units.change_line(whole.contract_service_id, |row| {
            if row.id == whole.id {
                row.days.end = head_end;
                row.reprice(switches.split_price);
            }
        });
        // The new part has yet to be billed, whatever became of the part before it.
        let days = Days { start: from, end: whole.days.end };
        self.units.add(UnitRow { days, posted: None, ..whole.clone() });
    }

    fn create(&mut self, contract: i64, service: i64, order: &Order, switches: &Switches) -> Result<i64, Refusal> {
        check_total(0, order.unit_change, switches)?;
        let line = self.new_line(contract, service)?;
        let line = ContractService {
            adjusted_price: order.unit_price.unwrap_or(line.adjusted_price),
            unit_cost: order.unit_cost.unwrap_or(line.unit_cost),
            ..line
        };
        let id = line.id;
        tracing::warn!(contract, service, line = id, "no line matched the adjustment: a new billed line was created");
        self.add_line(line, order.effective_date, order.unit_change, switches.split_price);
        Ok(id)
    }

    /// A line with the catalogue's prices and the next free id, not yet on the contract.
    pub(crate) fn new_line(&self, contract_id: i64, service_id: i64) -> Result<ContractService, Refusal> {
        let service =
            self.services.get(&service_id).ok_or(Refusal::Reference { field: "serviceID", entity: "Service" })?;
        Ok(ContractService {
            id: (self.last_line + 1).max(FIRST_LINE_ID),
            contract_id,
            service_id,
            unit_price: service.unit_price,
            adjusted_price: service.unit_price,
            unit_cost: service.unit_cost,
            rate: self.rate_of(contract_id),
            invoice_description: service.name.clone(),
            internal_description: String::new(),
        })
    }

    #[allow(clippy::too_many_arguments, reason = "one call site per kind of change; a struct would only rename them")]
    fn written(
        &self,
        number: usize,
        line: i64,
        order: &Order,
        by: &str,
        at: Timestamp,
        into_posted: bool,
        created_line: bool,
    ) -> Write {
        let (contract_id, service_id) =
            self.contract_services.get(&line).map_or((0, 0), |line| (line.contract_id, line.service_id));
        Write {
            number,
            at,
            by: by.to_owned(),
            contract_service_id: line,
            contract_id,
            service_id,
            effective_date: order.effective_date,
            unit_change: order.unit_change,
            units: self.units.at(line, order.effective_date).map_or(0, |row| row.units),
            unit_price: order.unit_price,
            unit_cost: order.unit_cost,
            into_posted,
            created_line,
        }
    }
}

fn check_total(units: i64, change: i64, switches: &Switches) -> Result<(), Refusal> {
    let total = units.saturating_add(change);
    if total < 0 {
        return Err(Refusal::NegativeUnits);
    }
    if total == 0 && change != 0 && switches.zero_units == Verdict::Reject {
        return Err(Refusal::ZeroUnits);
    }
    Ok(())
}
