//! Building a tenant by hand, for tests.
//!
//! Owns how the pieces fit: a line goes on the contract named last, a contract on the company named last, and a service that
//! is not in the catalogue yet is added to it. Ids are yours or the next free one. The pieces themselves are `specs`.
//! A large made-up tenant is `seed`'s.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::adjust::Order;
use super::specs::{CodeSpec, CompanySpec, ContractSpec, LineSpec, ServiceKey, ServiceSpec};
use super::switches::{SplitPrice, Switches};
use super::world::{BillingCode, Company, Contract, ContractService, Currency, Service, World};

/// The currency of a tenant whose companies name no other.
pub(super) const OWN_CURRENCY: &str = "EUR";
pub(super) const RECURRING_CODE: i64 = 29_683_278;
const MATERIAL_CODE: i64 = 29_683_279;

/// Why a tenant could not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeedError {
    /// A contract before any company, or a line before any contract.
    #[error("{0} has nothing to belong to")]
    Orphan(String),
    /// A service id that is not in the catalogue.
    #[error("service {0} is not in the catalogue")]
    NoSuchService(i64),
    /// An id that is already taken.
    #[error("id {0} is taken")]
    TakenId(i64),
    /// An amount that is no decimal.
    #[error("`{0}` is not an amount")]
    Amount(String),
    /// A change the rules refuse.
    #[error("the change on {0} is refused: {1}")]
    Change(Date, String),
}

/// Collects a tenant piece by piece.
#[derive(Clone, Debug, Default)]
pub struct WorldBuilder {
    world: World,
    company: Option<i64>,
    contract: Option<i64>,
    owner: Option<String>,
    failed: Option<SeedError>,
}

impl WorldBuilder {
    /// The tenant's own id as zone information shows it. Default 123456.
    #[must_use]
    pub fn ci(mut self, ci: i64) -> Self {
        self.world.ci = ci;
        self
    }

    /// The name of the tenant's own company, which Autotask keeps under id 0.
    #[must_use]
    pub fn owner(mut self, name: impl Into<String>) -> Self {
        self.owner = Some(name.into());
        self
    }

    /// Adds a company; following contracts belong to it.
    #[must_use]
    pub fn company(mut self, spec: impl Into<CompanySpec>) -> Self {
        let spec = spec.into();
        match free_id(&self.world.companies, spec.id, 1_001) {
            Ok(id) => {
                let currency_id = self.world.currency(&spec.currency, &spec.rate);
                let company = Company {
                    id,
                    name: spec.name,
                    number: spec.number,
                    kind: 0,
                    vendor: spec.vendor,
                    active: spec.active,
                    currency_id,
                };
                self.world.companies.insert(id, company);
                self.company = Some(id);
            }
            Err(error) => self.fail(error),
        }
        self
    }

    /// Adds a contract to the last company; following lines belong to it.
    #[must_use]
    pub fn contract(mut self, spec: impl Into<ContractSpec>) -> Self {
        let spec = spec.into();
        let Some(company_id) = self.company else {
            self.fail(SeedError::Orphan(spec.name));
            return self;
        };
        match free_id(&self.world.contracts, spec.id, 29_680_001) {
            Ok(id) => {
                let contract = Contract {
                    id,
                    company_id,
                    name: spec.name,
                    number: spec.number,
                    kind: spec.kind,
                    status: spec.status,
                    days: spec.days,
                    period: spec.period,
                    renewed_contract_id: spec.renewed_contract_id,
                };
                self.world.contracts.insert(id, contract);
                self.contract = Some(id);
            }
            Err(error) => self.fail(error),
        }
        self
    }

    /// Adds a service to the catalogue.
    #[must_use]
    pub fn service(mut self, spec: impl Into<ServiceSpec>) -> Self {
        if let Err(error) = self.add_service(spec.into()) {
            self.fail(error);
        }
        self
    }

    /// Adds a billing code. Each tenant has one for recurring services, one for material and one for expenses besides.
    #[must_use]
    pub fn billing_code(mut self, spec: CodeSpec) -> Self {
        match free_id(&self.world.billing_codes, spec.id, 29_684_001) {
            Ok(id) => {
                let code =
                    BillingCode { id, name: spec.name, used_for: spec.used_for, use_type: 0, active: spec.active };
                self.world.billing_codes.insert(id, code);
            }
            Err(error) => self.fail(error),
        }
        self
    }

    /// Puts a service on the last contract.
    #[must_use]
    pub fn line(mut self, spec: impl Into<LineSpec>) -> Self {
        if let Err(error) = self.add_line(spec.into()) {
            self.fail(error);
        }
        self
    }

    /// The finished tenant.
    ///
    /// # Errors
    /// The first thing that did not fit.
    pub fn build(mut self) -> Result<World, SeedError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.world.ci == 0 {
            self.world.ci = 123_456;
        }
        let owner = self.owner.clone().unwrap_or_else(|| "Nordwind IT".to_owned());
        self.world.companies.entry(0).or_insert(Company {
            id: 0,
            name: owner,
            number: String::new(),
            kind: 0,
            vendor: false,
            active: true,
            currency_id: 1,
        });
        self.world.currency(OWN_CURRENCY, "1");
        self.world.staff();
        for spec in [
            CodeSpec::recurring("Managed security services").id(RECURRING_CODE),
            CodeSpec::material("Metered usage").id(MATERIAL_CODE),
            CodeSpec::expense("Finance").id(2),
        ] {
            self = self.billing_code(spec);
        }
        if let Some(error) = self.failed {
            return Err(error);
        }
        Ok(self.world)
    }

    fn fail(&mut self, error: SeedError) {
        self.failed.get_or_insert(error);
    }

    fn add_service(&mut self, spec: ServiceSpec) -> Result<i64, SeedError> {
        let id = free_id(&self.world.services, spec.id, 501)?;
        let service = Service {
            id,
            name: spec.name,
            sku: spec.sku,
            period: spec.period,
            unit_price: amount(&spec.price)?,
            unit_cost: amount(&spec.cost)?,
            billing_code_id: RECURRING_CODE,
            vendor_id: None,
            description: String::new(),
            active: spec.active,
        };
        self.world.services.insert(id, service);
        Ok(id)
    }

    fn add_line(&mut self, spec: LineSpec) -> Result<(), SeedError> {
        let contract_id = self.contract.ok_or_else(|| SeedError::Orphan("a line".into()))?;
        let service_id = match spec.service {
            ServiceKey::Id(id) if self.world.services.contains_key(&id) => id,
            ServiceKey::Id(id) => return Err(SeedError::NoSuchService(id)),
            ServiceKey::Name(name) => match self.world.services.values().find(|service| service.name == name) {
                Some(service) => service.id,
                None => self.add_service(ServiceSpec::named(name))?,
            },
        };
        let fresh = self.world.new_line(contract_id, service_id).map_err(|_| SeedError::NoSuchService(service_id))?;
        let id = free_id(&self.world.contract_services, spec.id, 7_001)?;
        let price = spec.price.as_deref().map(amount).transpose()?.unwrap_or(fresh.unit_price);
        let line = ContractService {
            id,
            unit_price: price,
            adjusted_price: price,
            unit_cost: spec.cost.as_deref().map(amount).transpose()?.unwrap_or(fresh.unit_cost),
            ..fresh
        };
        let start = self.world.contracts.get(&contract_id).map(|contract| contract.days.start);
        let Some(from) = spec.from.or(start) else {
            return Err(SeedError::Orphan("a line".into()));
        };
        self.world.add_line(line, from, spec.units, SplitPrice::Whole);
        for (day, change) in spec.changes {
            self.dated_change(id, day, change)?;
        }
        if let Some(through) = spec.posted_through {
            self.world.post(contract_id, through, |row| row.contract_service_id == id && row.days.end <= through);
        }
        Ok(())
    }

    fn dated_change(&mut self, line: i64, day: Date, change: i64) -> Result<(), SeedError> {
        let order = Order {
            contract_service_id: Some(line),
            contract_id: None,
            service_id: None,
            effective_date: day,
            unit_change: change,
            unit_price: None,
            unit_cost: None,
            allow_repeat: false,
        };
        self.world
            .adjust(&order, "seed", Timestamp::UNIX_EPOCH, &Switches::default())
            .map_err(|refusal| SeedError::Change(day, refusal.to_string()))?;
        // What was there from the beginning is not something a client wrote.
        self.world.writes.clear();
        Ok(())
    }
}

impl World {
    /// The id of a currency, which is added if it is not there.
    fn currency(&mut self, code: &str, rate: &str) -> i64 {
        let own = |id| Currency { id, code: OWN_CURRENCY.into(), rate: Decimal::ONE };
        self.currencies.entry(1).or_insert_with(|| own(1));
        if let Some(known) = self.currencies.values().find(|known| known.code == code) {
            return known.id;
        }
        let id = self.currencies.last_key_value().map_or(1, |(last, _)| last + 1);
        let rate = amount(rate).unwrap_or(Decimal::ONE);
        self.currencies.insert(id, Currency { id, code: code.to_owned(), rate });
        id
    }
}

fn free_id<T>(table: &BTreeMap<i64, T>, wanted: Option<i64>, first: i64) -> Result<i64, SeedError> {
    match wanted {
        Some(id) if table.contains_key(&id) => Err(SeedError::TakenId(id)),
        Some(id) => Ok(id),
        None => Ok(table.last_key_value().map_or(first, |(last, _)| (last + 1).max(first))),
    }
}

fn amount(text: &str) -> Result<Decimal, SeedError> {
    text.parse().map_err(|_| SeedError::Amount(text.to_owned()))
}
