//! Building a tenant by hand, for tests.
//!
//! Owns how the pieces fit: a line goes on the contract named last, a contract on the account named last. Ids are yours or
//! the next free one; every account gets a main location. The pieces themselves are `specs`.
//! A large made-up tenant is `seed`'s.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::line_table::LineTable;
use super::specs::{AccountSpec, ContractSpec, LineSpec, ServiceSpec};
use super::users::SAMPLE_COMPANY_NAME;
use super::world::{Account, Contract, Line, Location, Service, World};

/// Why a tenant could not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeedError {
    /// A contract before any account, or a line before any contract.
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
}

/// Collects a tenant piece by piece.
#[derive(Clone, Debug)]
pub struct WorldBuilder {
    world: World,
    account: Option<i64>,
    contract: Option<i64>,
    failed: Option<SeedError>,
}

impl Default for WorldBuilder {
    fn default() -> Self {
        let world = World {
            company_name: SAMPLE_COMPANY_NAME.to_owned(),
            currency: "USD".to_owned(),
            accounts: BTreeMap::new(),
            locations: BTreeMap::new(),
            contracts: BTreeMap::new(),
            services: BTreeMap::new(),
            lines: LineTable::default(),
            jobs: BTreeMap::new(),
            invoiced: Vec::new(),
            tickets: BTreeMap::new(),
            tickets_hidden: false,
            notes: BTreeMap::new(),
            writes: Vec::new(),
            edits: Vec::new(),
        };
        Self { world, account: None, contract: None, failed: None }
    }
}

impl WorldBuilder {
    /// The tenant's company name, which every log-in names.
    #[must_use]
    pub fn company_name(mut self, name: impl Into<String>) -> Self {
        self.world.company_name = name.into();
        self
    }

    /// The tenant's currency. Default USD.
    #[must_use]
    pub fn currency(mut self, code: impl Into<String>) -> Self {
        self.world.currency = code.into();
        self
    }

    /// Adds an account with a main location; following contracts belong to it.
    #[must_use]
    pub fn account(mut self, spec: AccountSpec) -> Self {
        match free_id(&self.world.accounts, spec.id, 2_001) {
            Ok(id) => {
                let location = self.world.locations.last_key_value().map_or(3_001, |(last, _)| last + 1);
                let main = Location { id: location, account_id: id, name: "Main".to_owned(), main: true };
                self.world.locations.insert(location, main);
                let account = Account { id, name: spec.name, code: spec.code, active: spec.active };
                self.world.accounts.insert(id, account);
                self.account = Some(id);
            }
            Err(error) => self.fail(error),
        }
        self
    }

    /// Adds a contract to the last account; following lines belong to it.
    #[must_use]
    pub fn contract(mut self, spec: ContractSpec) -> Self {
        let Some(account_id) = self.account else {
            self.fail(SeedError::Orphan(spec.name));
            return self;
        };
        match free_id(&self.world.contracts, spec.id, 5_001) {
            Ok(id) => {
                let ContractSpec { name, number, kind, active, start, end, billing_cycle, .. } = spec;
                let contract = Contract { id, account_id, name, number, kind, active, start, end, billing_cycle };
                self.world.contracts.insert(id, contract);
                self.contract = Some(id);
            }
            Err(error) => self.fail(error),
        }
        self
    }

    /// Adds a service to the catalogue.
    #[must_use]
    pub fn service(mut self, spec: ServiceSpec) -> Self {
        if let Err(error) = self.add_service(spec) {
            self.fail(error);
        }
        self
    }

    /// Puts a service on the last contract.
    #[must_use]
    pub fn line(mut self, spec: LineSpec) -> Self {
        if let Err(error) = self.add_line(spec) {
            self.fail(error);
        }
        self
    }

    /// Bills the last contract as it stands on a day.
    #[must_use]
    pub fn invoiced(mut self, day: Date) -> Self {
        match self.contract {
            Some(contract) => {
                self.world.invoice(contract, day);
            }
            None => self.fail(SeedError::Orphan("an invoice".to_owned())),
        }
        self
    }

    /// The finished tenant.
    ///
    /// # Errors
    /// The first thing that did not fit.
    pub fn build(self) -> Result<World, SeedError> {
        self.failed.map_or(Ok(self.world), Err)
    }

    fn fail(&mut self, error: SeedError) {
        self.failed.get_or_insert(error);
    }

    fn add_service(&mut self, spec: ServiceSpec) -> Result<(), SeedError> {
        let id = free_id(&self.world.services, spec.id, 701)?;
        let service = Service {
            id,
            description: format!("{} (description)", spec.name),
            name: spec.name,
            unit_price: amount(&spec.price)?,
            unit_cost: amount(&spec.cost)?,
            active: spec.active,
        };
        self.world.services.insert(id, service);
        Ok(())
    }

    fn add_line(&mut self, spec: LineSpec) -> Result<(), SeedError> {
        let orphan = || SeedError::Orphan("a line".to_owned());
        let contract = self.contract.and_then(|id| self.world.contracts.get(&id)).ok_or_else(orphan)?;
        let service = self.world.services.get(&spec.service_id).ok_or(SeedError::NoSuchService(spec.service_id))?;
        let id = spec.id.unwrap_or_else(|| self.world.lines.next_id());
        if self.world.lines.get(id).is_some() {
            return Err(SeedError::TakenId(id));
        }
        let from = spec.from.unwrap_or(contract.start);
        let line = Line {
            id,
            contract_id: contract.id,
            service_id: service.id,
            name: service.name.clone(),
            description: service.description.clone(),
            unit_cost: spec.cost.as_deref().map_or(Ok(service.unit_cost), amount)?,
            unit_price: spec.price.as_deref().map_or(Ok(service.unit_price), amount)?,
            effective: from,
            units: BTreeMap::from([(from, spec.units)]),
            excluded: spec.excluded,
            sort_order: 1,
        };
        self.world.lines.insert(line);
        Ok(())
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
