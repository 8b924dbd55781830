//! The simulated tenant's data: accounts, contracts, the service catalogue, lines, invoices and tickets.
//!
//! Owns the records and the truth that tests ask for: the units of a service on a contract on a day. Building a tenant is
//! `builder`'s and `seed`'s, changing lines is `lines`' and `bulk`'s, and what the API shows of it is `catalog`'s.
//! A line keeps its units by the day they hold from, although the API never shows them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;

use super::bulk::Job;
use super::line_table::LineTable;
use super::specs::ContractKind;
use super::ticket_notes::TicketNote;
use super::tickets::Ticket;

/// Everything the tenant holds.
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) company_name: String,
    pub(crate) currency: String,
    pub(crate) accounts: BTreeMap<i64, Account>,
    pub(crate) locations: BTreeMap<i64, Location>,
    pub(crate) contracts: BTreeMap<i64, Contract>,
    pub(crate) services: BTreeMap<i64, Service>,
    pub(crate) lines: LineTable,
    pub(crate) jobs: BTreeMap<i64, Job>,
    pub(crate) invoiced: Vec<InvoiceItem>,
    pub(crate) tickets: BTreeMap<i64, Ticket>,
    /// The API does not show them for a while.
    pub(crate) tickets_hidden: bool,
    pub(crate) notes: BTreeMap<i64, TicketNote>,
    pub(crate) writes: Vec<Write>,
    pub(crate) edits: Vec<Write>,
}

#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) code: String,
    pub(crate) active: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Location {
    pub(crate) id: i64,
    pub(crate) account_id: i64,
    pub(crate) name: String,
    pub(crate) main: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Contract {
    pub(crate) id: i64,
    pub(crate) account_id: i64,
    pub(crate) name: String,
    pub(crate) number: String,
    pub(crate) kind: ContractKind,
    pub(crate) active: bool,
    pub(crate) start: Date,
    pub(crate) end: Date,
    pub(crate) billing_cycle: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) unit_price: Decimal,
    pub(crate) unit_cost: Decimal,
    pub(crate) active: bool,
}

/// A service on a contract.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) id: i64,
    pub(crate) contract_id: i64,
    pub(crate) service_id: i64,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) unit_cost: Decimal,
    pub(crate) unit_price: Decimal,
    /// The one date that the API shows.
    pub(crate) effective: Date,
    /// Units by the first day they hold.
    pub(crate) units: BTreeMap<Date, i64>,
    pub(crate) excluded: bool,
    pub(crate) sort_order: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct InvoiceItem {
    pub(crate) id: i64,
    pub(crate) invoice_id: i64,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) units: i64,
    pub(crate) unit_price: Decimal,
    pub(crate) day: Date,
    pub(crate) contract_id: i64,
    pub(crate) contract_name: String,
}

/// What a write or an edit did to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A line was made.
    Added,
    /// A line's units, amounts and date were replaced.
    Replaced,
    /// A bulk update's job changed a line's amounts, texts or date.
    BulkUpdated,
    /// A person set units from a day on.
    Edited,
    /// A person deleted the line.
    Deleted,
}

/// A change of one line that took effect.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Write {
    /// 1 for the first of its kind (over the API, or a person's edit).
    pub number: usize,
    /// When it was applied.
    pub at: Timestamp,
    /// The user's name, or `a person` for an edit in the web pages.
    pub by: String,
    /// What it did.
    pub change: Change,
    /// The line.
    pub line_id: i64,
    /// The line's contract.
    pub contract_id: i64,
    /// The line's service.
    pub service_id: i64,
    /// The line's effective date afterwards.
    pub effective_date: Date,
    /// The units that were sent; none for a bulk update or a deletion.
    pub units_sent: Option<i64>,
    /// Units of the service on the contract on the effective date, after the change, over all its lines.
    pub units: i64,
    /// The line's unit cost afterwards.
    pub unit_cost: Decimal,
    /// The line's unit price afterwards.
    pub unit_price: Decimal,
    /// What was sent for this line (for a bulk update, all of it); null for an edit.
    pub body: serde_json::Value,
}

/// A line with its names and its own units in force on one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineView {
    /// The customer.
    pub account_id: i64,
    /// The customer's name.
    pub account: String,
    /// The contract.
    pub contract_id: i64,
    /// The contract's name.
    pub contract: String,
    /// The line.
    pub line_id: i64,
    /// The catalogue service.
    pub service_id: i64,
    /// The catalogue service's name.
    pub service: String,
    /// The line's own units on the day asked for; none outside the contract or before the line.
    pub units: Option<i64>,
    /// Its unit cost.
    pub unit_cost: Decimal,
    /// Its unit price.
    pub unit_price: Decimal,
    /// The date the API shows.
    pub effective_date: Date,
}

/// Why a person's change in the web pages (or over the control surface) did not happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

impl Contract {
    pub(crate) fn covers(&self, day: Date) -> bool {
        self.start <= day && day <= self.end
    }
}

impl Line {
    /// Its own units on a day, whatever the contract says.
    pub(crate) fn at(&self, day: Date) -> Option<i64> {
        self.units.range(..=day).next_back().map(|(_, units)| *units)
    }

    /// Sets its units from a day on; what was planned for later is gone.
    pub(crate) fn set(&mut self, day: Date, units: i64) {
        self.units.split_off(&day);
        self.units.insert(day, units);
    }
}

impl World {
    /// Starts an empty tenant. See [`super::WorldBuilder`].
    #[must_use]
    pub fn builder() -> super::WorldBuilder {
        super::WorldBuilder::default()
    }

    /// Units of a service on a contract on a day, summed over its lines. None outside the contract's days, or when no line
    /// has begun.
    #[must_use]
    pub fn units(&self, contract_id: i64, service_id: i64, day: Date) -> Option<i64> {
        self.contracts.get(&contract_id).filter(|contract| contract.covers(day))?;
        let lines = self.lines_of(contract_id, service_id).filter_map(|line| line.at(day));
        lines.fold(None, |sum, units| Some(sum.unwrap_or_default() + units))
    }

    /// The ids of a service's lines on a contract, oldest first.
    #[must_use]
    pub fn line_ids(&self, contract_id: i64, service_id: i64) -> Vec<i64> {
        self.lines_of(contract_id, service_id).map(|line| line.id).collect()
    }

    /// Every line of the tenant with its units in force on a day.
    #[must_use]
    pub fn lines(&self, day: Date) -> Vec<LineView> {
        self.lines.all().filter_map(|line| self.view(line, day)).collect()
    }

    /// The lines of a service on a contract, oldest first.
    pub(crate) fn lines_of(&self, contract_id: i64, service_id: i64) -> impl Iterator<Item = &Line> {
        self.lines.of_contract(contract_id).filter(move |line| line.service_id == service_id)
    }

    /// Bills every line of a contract as it stands on a day, and answers how many items that made.
    pub(crate) fn invoice(&mut self, contract_id: i64, day: Date) -> usize {
        let Some(contract) = self.contracts.get(&contract_id).filter(|contract| contract.covers(day)) else {
            return 0;
        };
        let last = self.invoiced.last();
        let mut id = last.map_or(40_000, |item| item.id);
        let invoice_id = last.map_or(9_001, |item| item.invoice_id + 1);
        let items: Vec<_> = self
            .lines
            .of_contract(contract_id)
            .filter_map(|line| {
                id += 1;
                Some(InvoiceItem {
                    id,
                    invoice_id,
                    name: line.name.clone(),
                    description: line.description.clone(),
                    units: line.at(day)?,
                    unit_price: line.unit_price,
                    day,
                    contract_id,
                    contract_name: contract.name.clone(),
                })
            })
            .collect();
        let count = items.len();
        self.invoiced.extend(items);
        count
    }

    fn view(&self, line: &Line, day: Date) -> Option<LineView> {
        let contract = self.contracts.get(&line.contract_id)?;
        let account = self.accounts.get(&contract.account_id)?;
        let service = self.services.get(&line.service_id)?;
        Some(LineView {
            account_id: account.id,
            account: account.name.clone(),
            contract_id: contract.id,
            contract: contract.name.clone(),
            line_id: line.id,
            service_id: service.id,
            service: service.name.clone(),
            units: line.at(day).filter(|_| contract.covers(day)),
            unit_cost: line.unit_cost,
            unit_price: line.unit_price,
            effective_date: line.effective,
        })
    }
}
