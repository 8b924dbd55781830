//! What a simulated PSA offers to the sync tests, whichever PSA it is.
//!
//! [`Fixture`] is all that the harness and the tests that run against every PSA know of one; each has a file here. A test
//! of what only one PSA does names that PSA and uses its simulator's own methods through `Msp::psa`.

mod autotask;
mod kaseya_bms;

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::Value;

use super::Mishap;
use crate::TestClock;

/// A simulated PSA.
pub trait Fixture: Sized + Send + Sync + 'static {
    /// What the API calls the PSA.
    const NAME: &'static str;
    /// Whether it shows how many units a line carries. For one that does not, mappings state them when they are made.
    const SHOWS_UNITS: bool;

    /// The code of a line whose write the PSA refused in words that nobody knows.
    const REFUSED: &'static str;

    /// What the simulator says of a contract before it is built.
    type Contract;
    /// The same of a line.
    type Line;
    /// A simulator that is about to start.
    type Setup;

    /// What connects the simulator's usual user.
    fn credentials() -> Value;

    /// A recurring contract that bills monthly through the year 2026.
    fn contract() -> Self::Contract;

    /// The same contract, with other first and last days.
    fn runs(contract: Self::Contract, start: Date, end: Date) -> Self::Contract;

    /// A simulator of `tenant` that tells the time by `clock`.
    ///
    /// # Panics
    /// When the tenant does not fit together.
    fn setup(tenant: Tenant<Self>, clock: &TestClock) -> Self::Setup;

    /// Starts it.
    ///
    /// # Panics
    /// When it does not start.
    fn start(setup: Self::Setup) -> impl Future<Output = Self> + Send;

    /// Where it listens: what `--psa-base` would name.
    fn base(&self) -> String;

    /// Units of a service on a contract on a day; none where the contract does not carry it then.
    fn units(&self, contract: i64, service: i64, day: Date) -> Option<i64>;

    /// A person sets units from a day on.
    ///
    /// # Panics
    /// When there is no such line.
    fn edit(&self, contract: i64, service: i64, day: Date, units: i64);

    /// Changes of units that took effect over the API since the last [`Fixture::forget`], in order.
    fn written(&self) -> Vec<Written>;

    /// How many changes of units, of prices or of both took effect over the API since then.
    fn made(&self) -> usize;

    /// Requests to change units that arrived since then, taken or not.
    fn write_requests(&self) -> usize;

    /// All requests since then.
    fn requests(&self) -> usize;

    /// Something goes wrong with the nth request to change units, counted from the last [`Fixture::forget`].
    fn strike(&self, write: usize, mishap: Mishap);

    /// A write that was on its way for long takes effect now: the first write of a connection.
    ///
    /// # Panics
    /// When there is no such line.
    fn arrives(&self, contract: i64, service: i64, change: Arriving);

    /// Refuses every new connection, or takes them again.
    fn refuse(&self, refused: bool) -> impl Future<Output = ()> + Send;

    /// Forgets what it was asked and what took effect. What it holds and what is to go wrong stays.
    fn forget(&self);
}

/// A change of a line's units that takes effect when nobody waits for it any more.
#[derive(Debug, Clone, Copy)]
pub struct Arriving {
    /// From this day on.
    pub effective: Date,
    /// Units in force before it.
    pub before: i64,
    /// Units that were to be in force after it.
    pub target: i64,
}

/// A change of a line's units that took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The contract.
    pub contract: i64,
    /// The catalogue service.
    pub service: i64,
    /// From this day on.
    pub effective: Date,
    /// Units in force on that day, after it.
    pub units: i64,
}

/// All that a simulated PSA holds in the beginning.
pub struct Tenant<P: Fixture> {
    /// The catalogue: names and ids.
    pub services: BTreeMap<String, i64>,
    /// The customers.
    pub accounts: Vec<AccountOf<P>>,
}

/// A customer in the PSA.
pub struct AccountOf<P: Fixture> {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The number that people gave it.
    pub number: Option<String>,
    /// The currency that it is invoiced in, and how many of the MSP's own one of it is, where it is another.
    pub currency: Option<(String, String)>,
    /// Whether the MSP buys from it.
    pub vendor: bool,
    /// Its contracts.
    pub contracts: Vec<ContractOf<P>>,
}

/// A contract and its lines.
pub struct ContractOf<P: Fixture> {
    /// Its id, unless the contract itself names one.
    pub id: Option<i64>,
    /// Everything else about it.
    pub contract: P::Contract,
    /// Its lines.
    pub lines: Vec<LineOf<P>>,
}

/// A line: a service with units from the contract's first day.
pub struct LineOf<P: Fixture> {
    /// Name of the service, which is that of the product.
    pub product: String,
    /// The units.
    pub units: i64,
    /// What more there is to it.
    pub more: Option<fn(P::Line) -> P::Line>,
}
