//! The simulated tenant's data: companies, contracts, the service catalogue, lines, units and billing items.
//!
//! Owns the records and the look-ups over them. Building one is `builder`'s and `seed`'s, changing units is `adjust`'s, and
//! what an API user sees of it is `query`'s.
//! Amounts are exact decimals in the currency of the company that they concern.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;

use super::charges::Charge;
use super::picklists::{CodeUse, Picklists};
use super::record::RowWrite;
use super::staff::{Resource, Role};
use super::switches::SplitPrice;
use super::ticket_notes::TicketNote;
use super::tickets::Ticket;
use super::timeline::{Days, Period, periods};
use super::units::{UnitRow, UnitTable};

/// Everything the tenant holds.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub(crate) ci: i64,
    pub(crate) companies: BTreeMap<i64, Company>,
    pub(crate) contracts: BTreeMap<i64, Contract>,
    pub(crate) services: BTreeMap<i64, Service>,
    pub(crate) billing_codes: BTreeMap<i64, BillingCode>,
    /// The first is the tenant's own.
    pub(crate) currencies: BTreeMap<i64, Currency>,
    pub(crate) contract_services: BTreeMap<i64, ContractService>,
    pub(crate) lines_of: BTreeMap<i64, Vec<i64>>,
    pub(crate) units: UnitTable,
    pub(crate) charges: BTreeMap<i64, Charge>,
    pub(crate) tickets: BTreeMap<i64, Ticket>,
    /// The API does not show them for a while.
    pub(crate) tickets_hidden: bool,
    pub(crate) ticket_notes: BTreeMap<i64, TicketNote>,
    pub(crate) resources: BTreeMap<i64, Resource>,
    pub(crate) roles: BTreeMap<i64, Role>,
    pub(crate) billing_items: BTreeMap<i64, BillingItem>,
    /// (contract service, effective date) pairs that already carry an adjustment.
    pub(crate) adjusted: HashSet<(i64, Date)>,
    pub(crate) writes: Vec<Write>,
    pub(crate) edits: Vec<Write>,
    pub(crate) row_writes: Vec<RowWrite>,
    /// The picklists that rows are numbered by; none before the first request.
    pub(crate) numbered: Option<Picklists>,
    pub(crate) last_line: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Company {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) number: String,
    /// By the tenant's picklist.
    pub(crate) kind: i64,
    pub(crate) vendor: bool,
    pub(crate) active: bool,
    pub(crate) currency_id: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Contract {
    pub(crate) id: i64,
    pub(crate) company_id: i64,
    pub(crate) name: String,
    pub(crate) number: String,
    pub(crate) kind: i64,
    pub(crate) status: i64,
    pub(crate) days: Days,
    pub(crate) period: Option<Period>,
    pub(crate) renewed_contract_id: Option<i64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) sku: Option<String>,
    pub(crate) period: Period,
    pub(crate) unit_price: Decimal,
    pub(crate) unit_cost: Decimal,
    pub(crate) billing_code_id: i64,
    pub(crate) vendor_id: Option<i64>,
    pub(crate) description: String,
    pub(crate) active: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Currency {
    pub(crate) id: i64,
    pub(crate) code: String,
    /// Units of the tenant's own currency for one of this.
    pub(crate) rate: Decimal,
}

#[derive(Clone, Debug)]
pub(crate) struct BillingCode {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) used_for: CodeUse,
    /// By the tenant's picklist.
    pub(crate) use_type: i64,
    pub(crate) active: bool,
}

/// A service on a contract: what Autotask calls `ContractService` and Tallyline a line.
#[derive(Clone, Debug)]
pub(crate) struct ContractService {
    pub(crate) id: i64,
    pub(crate) contract_id: i64,
    pub(crate) service_id: i64,
    pub(crate) unit_price: Decimal,
    pub(crate) adjusted_price: Decimal,
    pub(crate) unit_cost: Decimal,
    /// Units of the tenant's own currency for one of the customer's.
    pub(crate) rate: Decimal,
    pub(crate) invoice_description: String,
    pub(crate) internal_description: String,
}

#[derive(Clone, Debug)]
pub(crate) struct BillingItem {
    pub(crate) id: i64,
    pub(crate) company_id: i64,
    pub(crate) contract_id: i64,
    pub(crate) contract_service_id: i64,
    pub(crate) period_id: i64,
    pub(crate) service_id: i64,
    pub(crate) billing_code_id: i64,
    pub(crate) name: String,
    pub(crate) day: Date,
    pub(crate) posted: Date,
    pub(crate) units: i64,
    pub(crate) rate: Decimal,
    pub(crate) price: Decimal,
    pub(crate) cost: Decimal,
}

/// A change of units that took effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Write {
    /// 1 for the first of its kind (an API adjustment, or a person's edit).
    pub number: usize,
    /// When it was applied.
    pub at: Timestamp,
    /// The API user's name, or `a person` for an edit in the web pages.
    pub by: String,
    /// The line.
    pub contract_service_id: i64,
    /// The line's contract.
    pub contract_id: i64,
    /// The line's service.
    pub service_id: i64,
    /// First day of the change.
    pub effective_date: Date,
    /// The signed change.
    pub unit_change: i64,
    /// Units in force on the effective date, after the change.
    pub units: i64,
    /// The unit price from that date, if the change named one.
    pub unit_price: Option<Decimal>,
    /// The unit cost from that date, if the change named one and the user may write costs.
    pub unit_cost: Option<Decimal>,
    /// Whether the effective date, or a later period the change reaches, had been approved and posted.
    pub into_posted: bool,
    /// Whether no line matched, so that Autotask silently made a new billed one.
    pub created_line: bool,
}

/// A line with its names and the units in force on one day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineView {
    /// The customer.
    pub company_id: i64,
    /// The customer's name.
    pub company: String,
    /// The contract.
    pub contract_id: i64,
    /// The contract's name.
    pub contract: String,
    /// The line.
    pub contract_service_id: i64,
    /// The catalogue service.
    pub service_id: i64,
    /// The catalogue service's name.
    pub service: String,
    /// Units in force on the day asked for; none outside the contract.
    pub units: Option<i64>,
}

/// Why a person's change in the web pages (or over the control surface) did not happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

impl World {
    /// Starts an empty tenant. See [`super::builder::WorldBuilder`].
    #[must_use]
    pub fn builder() -> super::builder::WorldBuilder {
        super::builder::WorldBuilder::default()
    }

    /// Units of a service on a contract on a day, summed over repeated lines. None when no line covers the day.
    #[must_use]
    pub fn units(&self, contract_id: i64, service_id: i64, day: Date) -> Option<i64> {
        let found: Vec<i64> = self
            .lines_of_service(contract_id, service_id)
            .filter_map(|line| self.units.at(line, day).map(|row| row.units))
            .collect();
        (!found.is_empty()).then(|| found.iter().sum())
    }

    /// How many of the tenant's own currency one of a contract's is.
    pub(crate) fn rate_of(&self, contract_id: i64) -> Decimal {
        let contract = self.contracts.get(&contract_id);
        let company = contract.and_then(|contract| self.companies.get(&contract.company_id));
        let currency = company.and_then(|company| self.currencies.get(&company.currency_id));
        currency.map_or(Decimal::ONE, |currency| currency.rate)
    }

    /// Every line of the tenant with the units in force on a day.
    #[must_use]
    pub fn lines(&self, day: Date) -> Vec<LineView> {
        self.contract_services.values().filter_map(|line| self.view(line, day)).collect()
    }

    fn view(&self, line: &ContractService, day: Date) -> Option<LineView> {
        let contract = self.contracts.get(&line.contract_id)?;
        let company = self.companies.get(&contract.company_id)?;
        let service = self.services.get(&line.service_id)?;
        Some(LineView {
            company_id: company.id,
            company: company.name.clone(),
            contract_id: contract.id,
            contract: contract.name.clone(),
            contract_service_id: line.id,
            service_id: service.id,
            service: service.name.clone(),
            units: self.units.at(line.id, day).map(|row| row.units),
        })
    }

    /// The lines of a service on a contract, oldest first.
    pub(crate) fn lines_of_service(&self, contract_id: i64, service_id: i64) -> impl Iterator<Item = i64> {
        self.lines_of
            .get(&contract_id)
            .into_iter()
            .flatten()
            .copied()
            .filter(move |line| self.contract_services.get(line).is_some_and(|cs| cs.service_id == service_id))
    }

    /// Puts a service on a contract from a day on, with the same units through every period.
    pub(crate) fn add_line(&mut self, line: ContractService, from: Date, units: i64, split: SplitPrice) {
        let Some(contract) = self.contracts.get(&line.contract_id) else {
            return;
        };
        let Some(period) = contract.period else {
            return;
        };
        for whole in periods(contract.days.start, contract.days.end, period) {
            if whole.end < from {
                continue;
            }
            let mut row = UnitRow {
                id: 0,
                contract_id: line.contract_id,
                contract_service_id: line.id,
                service_id: line.service_id,
                days: Days { start: whole.start.max(from), end: whole.end },
                period: whole,
                units,
                unit_price: line.adjusted_price,
                unit_cost: line.unit_cost,
                price: Decimal::ZERO,
                cost: Decimal::ZERO,
                posted: None,
            };
            row.reprice(split);
            self.units.add(row);
        }
        self.last_line = self.last_line.max(line.id);
        self.lines_of.entry(line.contract_id).or_default().push(line.id);
        self.contract_services.insert(line.id, line);
    }

    /// Approves and posts the rows of a contract that a test picks, on a day. Each becomes a billing item.
    pub(crate) fn post(&mut self, contract_id: i64, on: Date, picked: impl Fn(&UnitRow) -> bool) -> usize {
        let company_id = self.contracts.get(&contract_id).map_or(0, |contract| contract.company_id);
        let mut posted = Vec::new();
        for line in self.lines_of.get(&contract_id).into_iter().flatten() {
            self.units.change_line(*line, |row| {
                if row.posted.is_none() && picked(row) {
                    row.posted = Some(on);
                    posted.push(row.clone());
                }
            });
        }
        let count = posted.len();
        for row in posted {
            let (name, billing_code_id) = self
                .services
                .get(&row.service_id)
                .map_or((String::new(), 0), |service| (service.name.clone(), service.billing_code_id));
            let id = self.billing_items.last_key_value().map_or(500_001, |(last, _)| last + 1);
            let item = BillingItem {
                id,
                company_id,
                contract_id,
                contract_service_id: row.contract_service_id,
                period_id: row.id,
                service_id: row.service_id,
                billing_code_id,
                name,
                day: row.days.start,
                posted: on,
                units: row.units,
                rate: row.unit_price,
                price: row.price,
                cost: row.cost,
            };
            self.billing_items.insert(id, item);
        }
        count
    }
}
