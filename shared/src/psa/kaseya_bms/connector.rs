//! The connector itself: each call, handed to the file of its topic.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::civil::Date;

use super::client::Client;
use super::cost::{self, CostChange, CostOutcome};
use super::invoices::{self, Billed};
use super::service_lines::{self, ServiceLine};
use super::template::Template;
use super::tickets::Desk;
use super::units::Units;
use super::{catalog, contracts, rights};
use crate::domain::contract::Contract;
use crate::domain::ids::{AccountId, ContractId, ServiceId};
use crate::domain::line::LineKey;
use crate::domain::money::UnitPrices;
use crate::pause::Pause;
use crate::psa::notebook::Notebook;
use crate::psa::{
    Account, Allowance, Asked, CatalogPage, CatalogQuery, Connector, ContractLine, JobCost, Observation, PsaError,
    Right, Service, UnitsChange, Window, WriteError,
};

/// A connector to one BMS tenant, for one run. Clones are the same connector: they count their requests together.
#[derive(Clone)]
pub struct KaseyaBmsConnector {
    pub(super) client: Arc<Client>,
    pause: Arc<dyn Pause>,
    units: Arc<Units>,
    pub(super) desk: Arc<Desk>,
}

impl fmt::Debug for KaseyaBmsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KaseyaBmsConnector").field("requests_made", &self.requests_made()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Connector for KaseyaBmsConnector {
    async fn asked_in_person(&self) {
        self.client.forget_refusal().await;
    }

    async fn rights(&self) -> Result<Vec<Right>, PsaError> {
        let mut rights = rights::rights(&self.client).await?;
        rights.push(self.units.right().await);
        Ok(rights)
    }

    /// Of the endpoint that this connector used most. Costs no request: BMS tells nobody, so what other integrations take is
    /// not counted.
    async fn allowance(&self) -> Result<Allowance, PsaError> {
        Ok(self.client.budget.allowance(self.client.clock.now()))
    }

    async fn accounts(&self, query: &CatalogQuery) -> Result<CatalogPage<Account>, PsaError> {
        catalog::accounts(&self.client, query).await
    }

    async fn services(&self, query: &CatalogQuery) -> Result<CatalogPage<Service>, PsaError> {
        catalog::services(&self.client, query).await
    }

    async fn services_by_id(&self, ids: &BTreeSet<ServiceId>) -> Result<Vec<Service>, PsaError> {
        catalog::services_by_id(&self.client, ids).await
    }

    async fn services_in_passing(&self, ids: &BTreeSet<ServiceId>) -> Result<Vec<Service>, PsaError> {
        catalog::services_by_id(&self.client, ids).await
    }

    async fn contracts(&self, query: &CatalogQuery) -> Result<CatalogPage<Contract>, PsaError> {
        contracts::contracts(&self.client, query).await
    }

    /// A request for each service that a page looks at, 25 at most.
    async fn lines(&self, query: &CatalogQuery) -> Result<CatalogPage<ContractLine>, PsaError> {
        service_lines::lines(&self.client, query).await
    }

    async fn contracts_by_id(&self, ids: &BTreeSet<ContractId>) -> Result<Vec<Contract>, PsaError> {
        contracts::contracts_by_id(&self.client, ids).await
    }

    async fn contracts_of(&self, accounts: &BTreeSet<AccountId>, ending_from: Date) -> Result<Vec<Contract>, PsaError> {
        contracts::contracts_of(&self.client, accounts, ending_from).await
    }

    /// All of each line's timeline, whatever the window.
    async fn observe(&self, asked: &Asked, _: Window) -> Result<Observation, PsaError> {
        self.units.observe(&self.client, asked).await
    }

    /// Costs no request: BMS tells prices with its lines.
    async fn prices(
        &self,
        lines: &BTreeMap<LineKey, AccountId>,
        observed: &Observation,
    ) -> Result<BTreeMap<LineKey, UnitPrices>, PsaError> {
        let told = |line: &LineKey| Some((line.clone(), observed.prices.get(line)?.clone()));
        Ok(lines.keys().filter_map(told).collect())
    }

    fn may_go(&self, changes: &[UnitsChange]) -> BTreeSet<usize> {
        self.units.may_go(changes, self.client.clock.now())
    }

    /// Of the endpoint that shows lines: each service is read before the changes and after them, and once more between where
    /// it has to be learnt what changes do.
    fn job_cost(&self, prices: bool) -> JobCost {
        let of_units = if self.units.is_learnt() { 2 } else { 3 };
        JobCost { reads: 2, lines_a_read: None, a_line: of_units + if prices { 2 } else { 0 } }
    }

    /// Units are posted, prices are changed in bulk: BMS has no request for both.
    fn prices_apart(&self) -> bool {
        true
    }

    async fn change_units(&self, change: &UnitsChange) -> Result<(), WriteError> {
        if let Some(prices) = change.prices.filter(|_| change.delta.get() == 0) {
            let rows = self.units.priced_rows(change).map_err(WriteError::NotSent)?;
            return cost::change(&self.client, &*self.pause, &CostChange::of(change, rows, prices)).await;
        }
        self.units.change(&self.client, change).await
    }

    fn requests_made(&self) -> u32 {
        self.client.budget.made()
    }
}

impl KaseyaBmsConnector {
    pub(super) fn new(client: Client, pause: Arc<dyn Pause>, notebook: Arc<dyn Notebook>) -> Self {
        Self { client: Arc::new(client), pause, units: Arc::new(Units::new(notebook)), desk: Arc::default() }
    }

    /// Requests of the last hour by endpoint.
    #[must_use]
    pub fn requests_by_template(&self) -> BTreeMap<Template, u32> {
        self.client.budget.by_template(self.client.clock.now())
    }

    /// All lines of a service, without units: one request for each 100.
    ///
    /// # Errors
    /// As every read.
    pub async fn lines_of_service(&self, service: &ServiceId) -> Result<Vec<ServiceLine>, PsaError> {
        service_lines::lines_of_service(&self.client, service).await
    }

    /// What was billed last for each item of the contracts named, by contract and the item's name: advice for people who
    /// state a line's opening units. It takes a few requests; an error says only that there is no advice.
    ///
    /// # Errors
    /// As every read.
    pub async fn last_billed(
        &self,
        contracts: &BTreeSet<ContractId>,
    ) -> Result<BTreeMap<(ContractId, String), Billed>, PsaError> {
        invoices::last_billed(&self.client, contracts).await
    }

    /// Sets what a unit costs on lines of a service, once, and reads them back.
    ///
    /// # Errors
    /// [`WriteError`] says whether it may have been applied.
    pub async fn set_unit_cost(&self, change: &CostChange) -> Result<CostOutcome, WriteError> {
        cost::set_unit_cost(&self.client, &*self.pause, change).await
    }
}
