//! What a test says about an MSP before it starts: customers and their lines, time zone, policy, delays.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use reqwest::Method;
use serde_json::{Value, json};
use shared::faults::{Faults, Hook};
use shared::psa::autotask;
use shared::store::mappings::{CompanyMapping, Mappings};
use shared::sync::Settings;
use simulators::autotask::{
    Autotask, CompanySpec, ContractSpec, LineSpec, ServiceKey, ServiceSpec, Setup as Psa, World,
};

use super::parts::Parts;
use super::{Msp, name_of};
use crate::{BEGINNING, PARTNER, TestClock, credentials};

/// Ids of the first account, contract and service; the others follow.
const ACCOUNTS: i64 = 1_001;
const CONTRACTS: i64 = 29_680_001;
const SERVICES: i64 = 501;

/// An MSP to be started.
pub struct Setup {
    customers: Vec<Customer>,
    products: BTreeMap<String, Value>,
    zone: String,
    at: String,
    policy: Value,
    calls: autotask::Settings,
    engine: Settings,
    sole: bool,
    faults: Faults,
    psa: Box<dyn FnOnce(Psa) -> Psa>,
}

/// A customer: a company of the vendor's, an account with one recurring contract in the PSA.
#[derive(Clone)]
pub struct Customer {
    company: String,
    lines: Vec<LineOf>,
    contract: ContractSpec,
    unmapped: bool,
    joined: Option<String>,
    beside: Vec<(ContractSpec, Vec<LineOf>)>,
    more: Value,
}

#[derive(Clone)]
struct LineOf {
    product: String,
    spec: Option<fn(LineSpec) -> LineSpec>,
    units: i64,
}

/// Where a customer is in the PSA.
pub struct Place {
    pub(super) account: i64,
    pub(super) contract: i64,
}

impl Customer {
    /// A customer with a monthly contract through the year 2026 and no line.
    #[must_use]
    pub fn named(company: &str) -> Self {
        Self {
            company: company.to_owned(),
            lines: Vec::new(),
            contract: ContractSpec::recurring("Managed Security"),
            unmapped: false,
            joined: None,
            beside: Vec::new(),
            more: json!({}),
        }
    }

    /// A line with units from the contract's first day.
    #[must_use]
    pub fn line(mut self, product: &str, units: i64) -> Self {
        self.lines.push(LineOf { product: product.to_owned(), spec: None, units });
        self
    }

    /// A line with something more to it.
    #[must_use]
    pub fn line_with(mut self, product: &str, units: i64, spec: fn(LineSpec) -> LineSpec) -> Self {
        self.lines.push(LineOf { product: product.to_owned(), spec: Some(spec), units });
        self
    }

    /// Another contract than the usual.
    #[must_use]
    pub fn contract(mut self, change: impl FnOnce(ContractSpec) -> ContractSpec) -> Self {
        self.contract = change(self.contract);
        self
    }

    /// Bills monthly from one day to another.
    #[must_use]
    pub fn runs(self, start: Date, end: Date) -> Self {
        self.contract(|contract| contract.runs(start, end))
    }

    /// One more contract of its account, with an id of its own and lines of units from its first day.
    #[must_use]
    pub fn beside(mut self, contract: ContractSpec, lines: &[(&str, i64)]) -> Self {
        let line =
            |(product, units): &(&str, i64)| LineOf { product: (*product).to_owned(), spec: None, units: *units };
        self.beside.push((contract, lines.iter().map(line).collect()));
        self
    }

    /// There in the PSA, mapped to nothing.
    #[must_use]
    pub fn unmapped(mut self) -> Self {
        self.unmapped = true;
        self
    }

    /// No account of its own: mapped to the account and contract of `other`.
    #[must_use]
    pub fn joined_to(mut self, other: &str) -> Self {
        self.joined = Some(other.to_owned());
        self
    }

    /// More fields of its mapping: `overrides`, `when_absent`.
    #[must_use]
    pub fn mapped_with(mut self, more: Value) -> Self {
        self.more = more;
        self
    }
}

impl Setup {
    /// An MSP with these customers, in Berlin, at [`BEGINNING`], with the usual policy.
    #[must_use]
    pub fn of(customers: impl IntoIterator<Item = Customer>) -> Self {
        Self {
            customers: customers.into_iter().collect(),
            products: BTreeMap::new(),
            zone: "Europe/Berlin".to_owned(),
            at: BEGINNING.to_owned(),
            policy: json!({}),
            calls: autotask::Settings::default(),
            engine: Settings::default(),
            sole: false,
            faults: Faults::default(),
            psa: Box::new(|psa| psa),
        }
    }

    /// A product under another rule than the usual, or one that no line carries.
    #[must_use]
    pub fn product(mut self, product: &str, rule: Value) -> Self {
        self.products.insert(product.to_owned(), rule);
        self
    }

    /// In another time zone.
    #[must_use]
    pub fn zone(mut self, zone: &str) -> Self {
        self.zone = zone.to_owned();
        self
    }

    /// Beginning at another time.
    #[must_use]
    pub fn at(mut self, time: &str) -> Self {
        self.at = time.to_owned();
        self
    }

    /// With another policy.
    #[must_use]
    pub fn policy(mut self, policy: Value) -> Self {
        self.policy = policy;
        self
    }

    /// Waiting for the PSA only so long.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.calls.request_timeout = patience;
        self
    }

    /// With the store to itself, as on one machine.
    #[must_use]
    pub fn sole(mut self) -> Self {
        self.sole = true;
        self
    }

    /// With `hook` at every fault point.
    #[must_use]
    pub fn faults(mut self, hook: Arc<dyn Hook>) -> Self {
        self.faults = Faults::with(hook);
        self
    }

    /// With a PSA set up otherwise: other users, limits, switches.
    #[must_use]
    pub fn psa(mut self, change: impl FnOnce(Psa) -> Psa + 'static) -> Self {
        self.psa = Box::new(change);
        self
    }

    /// Starts the PSA and the service, connects, sets the policy and maps every product and company.
    ///
    /// # Panics
    /// When something does not start, or is refused.
    pub async fn start(self) -> Msp {
        let clock = TestClock::at(&self.at);
        let services = self.services();
        let (world, places) = self.world(&services);
        let setup = (self.psa)(Autotask::setup(world).clock(clock.simulated()));
        let psa = setup.start().await.expect("the PSA starts");
        let parts = Parts::start(&psa.base(), &clock, self.calls, self.engine, self.sole, self.faults).await;
        let mut msp =
            Msp { psa, clock, parts, connection: String::new(), customers: places, services, pushed: 0.into() };
        msp.connection = msp.connect(&self.zone).await;
        msp.policy(self.policy).await;
        msp.map(&msp.connection, &self.products, &self.customers).await;
        msp.psa.reset_counts();
        msp
    }

    /// Services by product, in order of their names.
    fn services(&self) -> BTreeMap<String, i64> {
        let beside =
            |customer: &Customer| customer.beside.iter().flat_map(|(_, lines)| lines.clone()).collect::<Vec<_>>();
        let of_lines = self
            .customers
            .iter()
            .flat_map(|customer| customer.lines.iter().cloned().chain(beside(customer)))
            .map(|line| line.product);
        let products: std::collections::BTreeSet<String> = of_lines.chain(self.products.keys().cloned()).collect();
        products.into_iter().zip(SERVICES..).collect()
    }

    fn world(&self, services: &BTreeMap<String, i64>) -> (World, BTreeMap<String, Place>) {
        let mut world = World::builder();
        for (product, id) in services {
            world = world.service(ServiceSpec::named(product).id(*id));
        }
        let mut places: BTreeMap<String, Place> = BTreeMap::new();
        for (customer, number) in self.customers.iter().zip(0..) {
            let place = match &customer.joined {
                Some(other) => Place { account: places[other].account, contract: places[other].contract },
                None => Place { account: ACCOUNTS + number, contract: CONTRACTS + number },
            };
            if customer.joined.is_none() {
                let company = CompanySpec::named(name_of(&customer.company)).id(place.account);
                world = world.company(company).contract(customer.contract.clone().id(place.contract));
                for line in &customer.lines {
                    let spec = LineSpec::of(ServiceKey::Id(services[&line.product])).units(line.units);
                    world = world.line(line.spec.map_or(spec.clone(), |more| more(spec)));
                }
                for (contract, lines) in &customer.beside {
                    world = world.contract(contract.clone());
                    for line in lines {
                        world = world.line(LineSpec::of(ServiceKey::Id(services[&line.product])).units(line.units));
                    }
                }
            }
            places.insert(customer.company.clone(), place);
        }
        (world.build().expect("a provider"), places)
    }
}

impl Msp {
    /// Makes a connection to the simulated PSA and answers its id.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn connect(&self, zone: &str) -> String {
        let body = json!({"psa": "autotask", "name": "Nordwind", "time_zone": zone, "credentials": credentials()});
        let made = self.done(Method::POST, "/v1/connections", Some(body)).await;
        made["id"].as_str().expect("an id").to_owned()
    }

    async fn map(&self, connection: &str, rules: &BTreeMap<String, Value>, customers: &[Customer]) {
        for (product, service) in &self.services {
            let rule = rules.get(product).cloned().unwrap_or(json!({}));
            self.map_product(connection, product, json!({"service_id": service.to_string(), "rule": rule})).await;
        }
        // Each mapping is checked with the PSA: a few at a time, or a thousand companies take long.
        for some in customers.chunks(16) {
            let mapped = some.iter().filter(|customer| !customer.unmapped);
            let puts = mapped.map(|customer| self.map_company(connection, &customer.company, customer.more.clone()));
            let mut all = Vec::new();
            for put in puts {
                all.push(Box::pin(put));
            }
            join(all).await;
        }
    }

    /// Maps a product of a connection.
    pub async fn map_product(&self, connection: &str, product: &str, body: Value) {
        self.done(Method::PUT, &format!("/v1/connections/{connection}/products/{product}"), Some(body)).await;
    }

    /// Maps a company of a connection to its account and contract, with `more` of the mapping's fields.
    pub async fn map_company(&self, connection: &str, company: &str, more: Value) {
        let mut body = json!({
            "account_id": self.account(company).to_string(),
            "contract_id": self.contract(company).to_string(),
        });
        for (field, value) in more.as_object().into_iter().flatten() {
            body[field] = value.clone();
        }
        self.done(Method::PUT, &format!("/v1/connections/{connection}/companies/{company}"), Some(body)).await;
    }

    /// Changes a company's mapping past the checks of the API, as if the PSA had changed since.
    ///
    /// # Panics
    /// When there is none.
    pub async fn remap(&self, company: &str, change: impl Fn(&mut CompanyMapping)) {
        let mappings = Mappings::new(self.parts.table.clone());
        let (partner, connection) = (PARTNER.parse().expect("an id"), self.connection.parse().expect("an id"));
        let found = mappings.get(&partner, &connection, &company.parse().expect("an id")).await.expect("the store");
        let mut mapping: CompanyMapping = found.expect("a mapping");
        change(&mut mapping);
        mappings.put(&partner, &connection, mapping).await.expect("the store");
    }
}

/// All of them at once, on this task.
async fn join<F: Future<Output = ()> + Unpin>(futures: Vec<F>) {
    let mut left = futures;
    std::future::poll_fn(move |context| {
        left.retain_mut(|future| std::pin::Pin::new(future).poll(context).is_pending());
        if left.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}
