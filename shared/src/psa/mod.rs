//! What Tallyline asks of a PSA, and nothing of how any one of them answers.
//!
//! A connector is a folder here. It keeps to its vendor's limits and never repeats a write. From one run to the next it
//! remembers nothing but what it writes into its `notebook`, where its PSA does not tell all that it must know. What is true
//! of money (which write, whether a write may be tried again) is decided by `sync` and `ledger`; a connector only says what it
//! knows. A new PSA is a folder, a line in `credentials` and one in `registry`, and a fixture for the suite that every
//! connector passes (`tests/integration/tests/connector_contract`).

pub mod autotask;
pub mod charges;
pub mod credentials;
pub mod error;
pub mod guarded;
pub mod kaseya_bms;
pub mod notebook;
pub mod observation;
pub mod open;
pub mod provision;
pub mod registry;
pub mod tickets;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use async_trait::async_trait;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::contract::Contract;
use crate::domain::ids::{AccountId, ContractId, ContractServiceId, PsaTenantId, ServiceId};
use crate::domain::line::LineKey;
use crate::domain::money::UnitPrices;
use crate::domain::period::PeriodType;
use crate::domain::policy::BudgetPercent;
use crate::domain::repricing::Repricing;
use crate::domain::units::{Delta, Units};
pub use charges::{ChargedIn, Charges, NewCharge, PsaCharge};
pub use credentials::{Credentials, Psa};
pub use error::{Kind, PsaError, WriteError};
pub use observation::{Asked, Observation, ObservedLine, Opening, TakenOtherwise, Window};
pub use provision::{BillingCode, BillingCodeKind, NewService, Provisioning, Vendor};
pub use tickets::{NewNote, NewTicket, PsaTicket, TicketForm, Tickets};

/// Where a tenant of a PSA lives: found once, when a connection is made, and stored with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The PSA's own name for the database behind it.
    pub tenant: PsaTenantId,
    /// Base address of its API, without a trailing slash.
    pub base_url: String,
}

/// An account as the PSA's catalogue lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The PSA's id.
    pub id: AccountId,
    /// Company name.
    pub name: String,
    /// The number that people gave it (Autotask `companyNumber`).
    pub number: Option<String>,
    /// Still a customer.
    pub active: bool,
}

/// A service of the PSA's catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// The PSA's id.
    pub id: ServiceId,
    /// Its name.
    pub name: String,
    /// May be put on contracts.
    pub active: bool,
    /// What it is sold and bought for where a contract names no price of its own.
    pub prices: UnitPrices,
    /// The period that those are for, where the PSA says so.
    pub billed: Option<PeriodType>,
}

/// A service on a contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractLine {
    /// The contract.
    pub contract: ContractId,
    /// The catalogue service.
    pub service: ServiceId,
    /// The PSA's own id of the pair.
    pub contract_service: ContractServiceId,
}

/// One page of a catalogue listing, in the PSA's order of ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogPage<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Pass it back as `after` for the next page; `None` on the last one.
    pub next: Option<String>,
}

/// Which part of a catalogue to list.
#[derive(Debug, Clone, Default)]
pub struct CatalogQuery {
    /// Only names that contain this text.
    pub search: Option<String>,
    /// Only this account's contracts.
    pub account: Option<AccountId>,
    /// Only this contract's lines.
    pub contract: Option<ContractId>,
    /// Where the page before ended.
    pub after: Option<String>,
    /// Rows a page, from 1. A PSA whose pages are shorter gives as many as it can; none gives more than 500.
    pub limit: u16,
}

/// One change of a line's units, decided and stored in the ledger before it is handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitsChange {
    /// The contract.
    pub contract: ContractId,
    /// The catalogue service.
    pub service: ServiceId,
    /// The service on the contract, as observed.
    pub contract_service: ContractServiceId,
    /// From this day on.
    pub effective: Date,
    /// Units in force on that day before the change.
    pub before: Units,
    /// Units in force from that day after it.
    pub target: Units,
    /// `target` less `before`; zero where prices alone are changed.
    pub delta: Delta,
    /// What its prices are changed to, where they are.
    pub prices: Option<Repricing>,
}

/// What is left of the PSA's hourly allowance, as the PSA counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// Requests allowed in the window.
    pub limit: u32,
    /// Requests counted in the window so far, those of every other integration included.
    pub used: u32,
    /// Length of the window in minutes.
    pub window_minutes: u32,
}

impl Allowance {
    /// Requests that may be made in a window before `percent` of the allowance are used.
    #[must_use]
    pub fn cap(&self, percent: BudgetPercent) -> u32 {
        let cap = u64::from(self.limit) * u64::from(percent.get()) / 100;
        u32::try_from(cap).unwrap_or(u32::MAX)
    }

    /// How many of them are left.
    #[must_use]
    pub fn room(&self, percent: BudgetPercent) -> u32 {
        self.cap(percent).saturating_sub(self.used)
    }
}

/// Requests of the hour's allowance that one account's job takes at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JobCost {
    /// Its reads, before and after its writes, of as many lines as one request shows.
    pub reads: u32,
    /// How many lines that is; `None` where one request shows all.
    pub lines_a_read: Option<NonZeroU32>,
    /// More for each line: its write, and its reads where they are a line's.
    pub a_line: u32,
}

impl JobCost {
    /// Of a job with so many lines.
    #[must_use]
    pub fn of(&self, lines: usize) -> u32 {
        let lines = u32::try_from(lines).unwrap_or(u32::MAX);
        let times = self.lines_a_read.map_or(1, |at_once| lines.div_ceil(at_once.get()).max(1));
        self.reads.saturating_mul(times).saturating_add(self.a_line.saturating_mul(lines))
    }
}

/// A right that the sync needs, and whether the credentials have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Right {
    /// In words: "read contract service units".
    pub name: String,
    /// `None`: held. Otherwise what the PSA said.
    pub missing: Option<PsaError>,
}

/// The calls that a sync makes. One value serves one connection for one run; it holds the credentials.
///
/// Every method keeps to the vendor's limits by itself (requests in flight, page sizes) and retries nothing. What is no part
/// of a line's units ([`Charges`], [`Provisioning`], [`Tickets`]) stands in files of its own.
#[async_trait]
pub trait Connector: Charges + Provisioning + Tickets + Send + Sync {
    /// A person asks to see whether the connection works: what was turned away before may be tried once more.
    async fn asked_in_person(&self) {}

    /// Exercises the log-in and each right that a sync needs, writing nothing.
    async fn rights(&self) -> Result<Vec<Right>, PsaError>;

    /// What is left of the hour's requests.
    async fn allowance(&self) -> Result<Allowance, PsaError>;

    /// Accounts by page.
    async fn accounts(&self, query: &CatalogQuery) -> Result<CatalogPage<Account>, PsaError>;

    /// Active services by page.
    async fn services(&self, query: &CatalogQuery) -> Result<CatalogPage<Service>, PsaError>;

    /// The services named, active or not, in as few requests as the API allows. One that is missing from the answer does not
    /// exist, or is hidden from this user.
    async fn services_by_id(&self, ids: &BTreeSet<ServiceId>) -> Result<Vec<Service>, PsaError>;

    /// As [`Connector::services_by_id`], for what is only shown: where the PSA has no room for it, nothing else stops.
    async fn services_in_passing(&self, ids: &BTreeSet<ServiceId>) -> Result<Vec<Service>, PsaError>;

    /// Active recurring service contracts by page.
    async fn contracts(&self, query: &CatalogQuery) -> Result<CatalogPage<Contract>, PsaError>;

    /// The lines of one contract by page; `query.contract` must be set.
    async fn lines(&self, query: &CatalogQuery) -> Result<CatalogPage<ContractLine>, PsaError>;

    /// The contracts named, whatever their kind or state. One that is missing from the answer does not exist, or is
    /// hidden from this user.
    async fn contracts_by_id(&self, ids: &BTreeSet<ContractId>) -> Result<Vec<Contract>, PsaError>;

    /// The recurring service contracts of the accounts named, active or not, that end on or after `ending_from`: for
    /// finding what follows a contract, in as few requests as the API allows.
    async fn contracts_of(&self, accounts: &BTreeSet<AccountId>, ending_from: Date) -> Result<Vec<Contract>, PsaError>;

    /// What the PSA holds for the lines asked about, in as few requests as the API allows. It may tell of other lines of
    /// their contracts as well.
    async fn observe(&self, asked: &Asked, window: Window) -> Result<Observation, PsaError>;

    /// What a unit of the lines named is sold and bought for, in as few requests as the API allows: none for those of which
    /// `observed` tells. Each with the account that its contract bills. A line of which nothing is known is left out.
    async fn prices(
        &self,
        lines: &BTreeMap<LineKey, AccountId>,
        observed: &Observation,
    ) -> Result<BTreeMap<LineKey, UnitPrices>, PsaError>;

    /// Which of `changes`, by their index, may be sent now, before any of them is read back. All of them where the PSA's way
    /// with changes is known; where it has to be learnt, the rest waits until those were read back.
    fn may_go(&self, changes: &[UnitsChange]) -> BTreeSet<usize> {
        (0..changes.len()).collect()
    }

    /// Whether a change of prices can't travel with one of units: it is then sent by itself, once the units are read back.
    fn prices_apart(&self) -> bool {
        false
    }

    /// What a job takes of the hour's allowance, where it keeps `prices` or where it keeps units alone.
    fn job_cost(&self, prices: bool) -> JobCost;

    /// Sends one change, once. The caller has stored it as sent, holds the account's lease, and reads it back.
    ///
    /// # Errors
    /// [`WriteError`] says whether money may have moved.
    async fn change_units(&self, change: &UnitsChange) -> Result<(), WriteError>;

    /// Requests that this value has made so far.
    fn requests_made(&self) -> u32;
}
