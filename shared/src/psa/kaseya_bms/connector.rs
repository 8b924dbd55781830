//! The connector itself: each call, handed to the file of its topic.
//!
//! Its calls are those of `psa::Connector` of the same names, without the two that read and write units.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;

use super::client::Client;
use super::cost::{self, CostChange, CostOutcome};
use super::lookups::{self, Choice, Location, SourceList};
use super::pause::Pause;
use super::service_lines::{self, ServiceLine};
use super::template::Template;
use super::{catalog, contracts, rights};
use crate::domain::contract::Contract;
use crate::domain::ids::{AccountId, ContractId, ServiceId};
use crate::psa::{Account, Allowance, CatalogPage, CatalogQuery, ContractLine, PsaError, Right, Service, WriteError};

/// A connector to one BMS tenant, for one run. Clones are the same connector: they count their requests together.
#[derive(Clone)]
pub struct KaseyaBmsConnector {
    client: Arc<Client>,
    pause: Arc<dyn Pause>,
}

impl fmt::Debug for KaseyaBmsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KaseyaBmsConnector").field("requests_made", &self.requests_made()).finish_non_exhaustive()
    }
}

impl KaseyaBmsConnector {
    pub(super) fn new(client: Client, pause: Arc<dyn Pause>) -> Self {
        Self { client: Arc::new(client), pause }
    }

    /// Exercises the log-in and each read that a sync needs.
    ///
    /// # Errors
    /// The log-in is refused, or BMS can't be asked. A missing right is no error but named in the answer.
    pub async fn rights(&self) -> Result<Vec<Right>, PsaError> {
        rights::rights(&self.client).await
    }

    /// What is left of the hour for the endpoint that this connector used most. Costs no request: BMS tells nobody, so what
    /// other integrations take is not counted.
    #[must_use]
    pub fn allowance(&self) -> Allowance {
        self.client.budget.allowance(self.client.clock.now())
    }

    /// Requests of the last hour by endpoint.
    #[must_use]
    pub fn requests_by_template(&self) -> BTreeMap<Template, u32> {
        self.client.budget.by_template(self.client.clock.now())
    }

    /// Requests that this value has made so far, log-ins included.
    #[must_use]
    pub fn requests_made(&self) -> u32 {
        self.client.budget.made()
    }

    /// Active accounts by page.
    ///
    /// # Errors
    /// As every read.
    pub async fn accounts(&self, query: &CatalogQuery) -> Result<CatalogPage<Account>, PsaError> {
        catalog::accounts(&self.client, query).await
    }

    /// Active services by page.
    ///
    /// # Errors
    /// As every read.
    pub async fn services(&self, query: &CatalogQuery) -> Result<CatalogPage<Service>, PsaError> {
        catalog::services(&self.client, query).await
    }

    /// Active recurring services contracts by page.
    ///
    /// # Errors
    /// As every read.
    pub async fn contracts(&self, query: &CatalogQuery) -> Result<CatalogPage<Contract>, PsaError> {
        contracts::contracts(&self.client, query).await
    }

    /// The lines of one contract by page: a request for each service that a page looks at, 25 at most.
    ///
    /// # Errors
    /// No contract is named, or as every read.
    pub async fn lines(&self, query: &CatalogQuery) -> Result<CatalogPage<ContractLine>, PsaError> {
        service_lines::lines(&self.client, query).await
    }

    /// The contracts named, whatever their kind or state. One that is missing does not exist, has no first day, or is
    /// hidden from this user.
    ///
    /// # Errors
    /// As every read.
    pub async fn contracts_by_id(&self, ids: &BTreeSet<ContractId>) -> Result<Vec<Contract>, PsaError> {
        contracts::contracts_by_id(&self.client, ids).await
    }

    /// The recurring services contracts of the accounts named, active or not, that end on or after `ending_from`.
    ///
    /// # Errors
    /// As every read.
    pub async fn contracts_of(
        &self,
        accounts: &BTreeSet<AccountId>,
        ending_from: Date,
    ) -> Result<Vec<Contract>, PsaError> {
        contracts::contracts_of(&self.client, accounts, ending_from).await
    }

    /// All lines of a service, without units: one request for each 100.
    ///
    /// # Errors
    /// As every read.
    pub async fn lines_of_service(&self, service: &ServiceId) -> Result<Vec<ServiceLine>, PsaError> {
        service_lines::lines_of_service(&self.client, service).await
    }

    /// Sets what a unit costs on lines of a service, once, and reads them back.
    ///
    /// # Errors
    /// [`WriteError`] says whether it may have been applied.
    pub async fn set_unit_cost(&self, change: &CostChange) -> Result<CostOutcome, WriteError> {
        cost::set_unit_cost(&self.client, &*self.pause, change).await
    }

    /// The locations of an account.
    ///
    /// # Errors
    /// As every read.
    pub async fn locations(&self, account: &AccountId) -> Result<Vec<Location>, PsaError> {
        lookups::locations(&self.client, account).await
    }

    /// Ticket statuses.
    ///
    /// # Errors
    /// As every read.
    pub async fn statuses(&self) -> Result<Vec<Choice>, PsaError> {
        lookups::choices(&self.client, Template::Statuses).await
    }

    /// Ticket priorities.
    ///
    /// # Errors
    /// As every read.
    pub async fn priorities(&self) -> Result<Vec<Choice>, PsaError> {
        lookups::choices(&self.client, Template::Priorities).await
    }

    /// Ticket queues.
    ///
    /// # Errors
    /// As every read.
    pub async fn queues(&self) -> Result<Vec<Choice>, PsaError> {
        lookups::choices(&self.client, Template::Queues).await
    }

    /// Issue types.
    ///
    /// # Errors
    /// As every read.
    pub async fn issue_types(&self) -> Result<Vec<Choice>, PsaError> {
        lookups::choices(&self.client, Template::IssueTypes).await
    }

    /// Where tickets may be said to come from.
    ///
    /// # Errors
    /// As every read.
    pub async fn sources(&self) -> Result<SourceList, PsaError> {
        lookups::sources(&self.client).await
    }
}
