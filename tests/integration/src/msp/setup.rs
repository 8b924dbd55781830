//! What a test says about an MSP before it starts: customers and their lines, time zone, policy, delays.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use reqwest::Method;
use serde_json::{Value, json};
use shared::faults::{Faults, Hook};
use shared::store::Read;
use shared::store::connections::Connections;
use shared::store::lines::Tenancy;
use shared::store::mappings::{CompanyMapping, Expected, Mappings};
use shared::sync::Settings;
use simulators::autotask::{Autotask, ContractSpec, LineSpec};

use super::fixture::{AccountOf, ContractOf, LineOf, Tenant};
use super::parts::Parts;
use super::{Fixture, Msp, name_of};
use crate::registry::registry;
use crate::{BEGINNING, PARTNER, TestClock};

/// Ids of the first account, contract and service; the others follow.
const ACCOUNTS: i64 = 1_001;
const CONTRACTS: i64 = 29_680_001;
const SERVICES: i64 = 501;

/// An MSP to be started.
pub struct Setup<P: Fixture = Autotask> {
    customers: Vec<Customer<P>>,
    products: BTreeMap<String, Value>,
    zone: String,
    at: String,
    policy: Value,
    patience: Option<Duration>,
    engine: Settings,
    sole: bool,
    faults: Faults,
    psa: Box<dyn FnOnce(P::Setup) -> P::Setup>,
}

/// A customer: a company of the vendor's, an account with one recurring contract in the PSA.
pub struct Customer<P: Fixture = Autotask> {
    company: String,
    contract: P::Contract,
    lines: Vec<LineOf<P>>,
    unmapped: bool,
    called: Option<String>,
    numbered: Option<String>,
    currency: Option<(String, String)>,
    joined: Option<String>,
    vendor: bool,
    beside: Vec<ContractOf<P>>,
    more: Value,
}

/// Where a customer is in the PSA.
pub struct Place {
    pub(super) account: i64,
    pub(super) contract: i64,
}

/// What is to be mapped of a customer.
struct Mapped {
    company: String,
    more: Value,
}

impl<P: Fixture> Customer<P> {
    /// A customer with a monthly contract through the year 2026 and no line.
    #[must_use]
    pub fn named(company: &str) -> Self {
        Self {
            company: company.to_owned(),
            contract: P::contract(),
            lines: Vec::new(),
            unmapped: false,
            called: None,
            numbered: None,
            currency: None,
            joined: None,
            vendor: false,
            beside: Vec::new(),
            more: json!({}),
        }
    }

    /// A line with units from the contract's first day.
    #[must_use]
    pub fn line(mut self, product: &str, units: i64) -> Self {
        self.lines.push(LineOf { product: product.to_owned(), units, more: None });
        self
    }

    /// Bills monthly from one day to another.
    #[must_use]
    pub fn runs(mut self, start: Date, end: Date) -> Self {
        self.contract = P::runs(self.contract, start, end);
        self
    }

    /// There in the PSA, mapped to nothing.
    #[must_use]
    pub fn unmapped(mut self) -> Self {
        self.unmapped = true;
        self
    }

    /// Called otherwise in the PSA than [`name_of`] calls it.
    #[must_use]
    pub fn called(mut self, account: &str) -> Self {
        self.called = Some(account.to_owned());
        self
    }

    /// Its account has a number.
    #[must_use]
    pub fn numbered(mut self, number: &str) -> Self {
        self.numbered = Some(number.to_owned());
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

/// What a customer may have of its own in one PSA only.
impl Customer<Autotask> {
    /// A line with something more to it.
    #[must_use]
    pub fn line_with(mut self, product: &str, units: i64, more: fn(LineSpec) -> LineSpec) -> Self {
        self.lines.push(LineOf { product: product.to_owned(), units, more: Some(more) });
        self
    }

    /// Invoiced in another currency than the MSP's own, of which one is so many of its own.
    #[must_use]
    pub fn invoiced_in(mut self, code: &str, rate: &str) -> Self {
        self.currency = Some((code.to_owned(), rate.to_owned()));
        self
    }

    /// No customer, but one whom the MSP buys from.
    #[must_use]
    pub fn vendor(self) -> Self {
        Self { vendor: true, unmapped: true, ..self }
    }

    /// Another contract than the usual.
    #[must_use]
    pub fn contract(mut self, change: impl FnOnce(ContractSpec) -> ContractSpec) -> Self {
        self.contract = change(self.contract);
        self
    }

    /// One more contract of its account, with an id of its own and lines of units from its first day.
    #[must_use]
    pub fn beside(mut self, contract: ContractSpec, lines: &[(&str, i64)]) -> Self {
        let line =
            |(product, units): &(&str, i64)| LineOf { product: (*product).to_owned(), units: *units, more: None };
        self.beside.push(ContractOf { id: None, contract, lines: lines.iter().map(line).collect() });
        self
    }
}

impl Setup<Autotask> {
    /// An MSP with Autotask and these customers, in Berlin, at [`BEGINNING`], with the usual policy.
    #[must_use]
    pub fn of(customers: impl IntoIterator<Item = Customer>) -> Self {
        Self::with(customers)
    }
}

impl<P: Fixture> Setup<P> {
    /// As [`Setup::of`], with any PSA.
    #[must_use]
    pub fn with(customers: impl IntoIterator<Item = Customer<P>>) -> Self {
        Self {
            customers: customers.into_iter().collect(),
            products: BTreeMap::new(),
            zone: "Europe/Berlin".to_owned(),
            at: BEGINNING.to_owned(),
            policy: json!({}),
            patience: None,
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
        self.patience = Some(patience);
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
    pub fn psa(mut self, change: impl FnOnce(P::Setup) -> P::Setup + 'static) -> Self {
        self.psa = Box::new(change);
        self
    }

    /// Starts the PSA and the service, connects, sets the policy and maps every product and company.
    ///
    /// # Panics
    /// When something does not start, or is refused.
    pub async fn start(self) -> Msp<P> {
        let Self { customers, products, zone, at, policy, patience, engine, sole, faults, psa } = self;
        let clock = TestClock::at(&at);
        let services = services(&customers, &products);
        let customers_in_psa = places(&customers);
        let mapped = mapped(&customers);
        let setup = psa(P::setup(tenant(customers, &services), &clock));
        let psa = P::start(setup).await;
        let parts = Parts::start(registry(P::NAME, &psa.base(), patience, &clock), &clock, engine, sole, faults).await;
        let mut msp = Msp {
            psa,
            clock,
            parts,
            connection: String::new(),
            tenancy: None,
            customers: customers_in_psa,
            services,
            pushed: 0.into(),
        };
        msp.connection = msp.connect(&zone).await;
        msp.tenancy = Some(msp.tenancy_of(&msp.connection).await);
        msp.policy(policy).await;
        msp.map(&products, &mapped).await;
        msp.psa.forget();
        msp
    }
}

/// Services by product, in order of their names.
fn services<P: Fixture>(customers: &[Customer<P>], products: &BTreeMap<String, Value>) -> BTreeMap<String, i64> {
    let lines = customers.iter().flat_map(|customer| {
        let beside = customer.beside.iter().flat_map(|contract| &contract.lines);
        customer.lines.iter().chain(beside).map(|line| line.product.clone())
    });
    let products: BTreeSet<String> = lines.chain(products.keys().cloned()).collect();
    products.into_iter().zip(SERVICES..).collect()
}

/// Account and contract of each company.
fn places<P: Fixture>(customers: &[Customer<P>]) -> BTreeMap<String, Place> {
    let mut places: BTreeMap<String, Place> = BTreeMap::new();
    for (customer, number) in customers.iter().zip(0..) {
        let place = match &customer.joined {
            Some(other) => Place { account: places[other].account, contract: places[other].contract },
            None => Place { account: ACCOUNTS + number, contract: CONTRACTS + number },
        };
        places.insert(customer.company.clone(), place);
    }
    places
}

/// What is to be mapped. Where the PSA shows no units, each mapping states those that its lines begin with.
fn mapped<P: Fixture>(customers: &[Customer<P>]) -> Vec<Mapped> {
    let mapped = customers.iter().filter(|customer| !customer.unmapped).map(|customer| {
        let mut more = customer.more.clone();
        let owner = customer.joined.as_ref().and_then(|other| customers.iter().find(|owner| owner.company == *other));
        for line in owner.unwrap_or(customer).lines.iter().filter(|_| !P::SHOWS_UNITS) {
            more["overrides"][&line.product]["opening_units"] = line.units.into();
        }
        Mapped { company: customer.company.clone(), more }
    });
    mapped.collect()
}

/// What the PSA holds in the beginning.
fn tenant<P: Fixture>(customers: Vec<Customer<P>>, services: &BTreeMap<String, i64>) -> Tenant<P> {
    let of_its_own = customers.into_iter().zip(0..).filter(|(customer, _)| customer.joined.is_none());
    let account = |(customer, number): (Customer<P>, i64)| {
        let own = ContractOf { id: Some(CONTRACTS + number), contract: customer.contract, lines: customer.lines };
        let contracts = std::iter::once(own).chain(customer.beside).collect();
        let name = customer.called.unwrap_or_else(|| name_of(&customer.company));
        let (id, currency, vendor) = (ACCOUNTS + number, customer.currency, customer.vendor);
        AccountOf { id, name, number: customer.numbered, currency, vendor, contracts }
    };
    Tenant { services: services.clone(), accounts: of_its_own.map(account).collect() }
}

impl<P: Fixture> Msp<P> {
    /// Makes a connection to the simulated PSA and answers its id.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn connect(&self, zone: &str) -> String {
        let body = json!({"psa": P::NAME, "name": "Nordwind", "time_zone": zone, "credentials": P::credentials()});
        let made = self.done(Method::POST, "/v1/connections", Some(body)).await;
        made["id"].as_str().expect("an id").to_owned()
    }

    async fn tenancy_of(&self, connection: &str) -> Tenancy {
        let (partner, id) = (PARTNER.parse().expect("an id"), connection.parse().expect("an id"));
        let found = Connections::new(self.parts.table.clone()).get(&partner, &id, Read::Consistent).await;
        let connection = found.expect("the store").expect("a connection");
        Tenancy { partner, psa: connection.psa, tenant: connection.endpoint.tenant }
    }

    async fn map(&self, rules: &BTreeMap<String, Value>, mapped: &[Mapped]) {
        for (product, service) in &self.services {
            let rule = rules.get(product).cloned().unwrap_or(json!({}));
            let body = json!({"service_id": service.to_string(), "rule": rule});
            self.map_product(&self.connection, product, body).await;
        }
        // Each mapping is checked with the PSA: a few at a time, or a thousand companies take long.
        for some in mapped.chunks(16) {
            let puts = some.iter().map(|one| self.map_company(&self.connection, &one.company, one.more.clone()));
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
        mappings.put(&partner, &connection, mapping, Expected::Anything).await.expect("the store");
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
