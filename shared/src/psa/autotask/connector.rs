//! The connector itself: each call of the trait, handed to the file of its topic.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroU32;

use async_trait::async_trait;
use jiff::civil::Date;

use super::client::Client;
use super::{adjust, catalog, observe, prices, rights};
use crate::domain::contract::Contract;
use crate::domain::ids::{AccountId, ContractId, ServiceId};
use crate::domain::line::LineKey;
use crate::domain::money::UnitPrices;
use crate::psa::{
    Account, Allowance, Asked, CatalogPage, CatalogQuery, Connector, ContractLine, JobCost, Observation, PsaError,
    Right, Service, UnitsChange, Window, WriteError,
};

/// A connector to one Autotask tenant, for one run.
pub struct AutotaskConnector {
    client: Client,
}

impl AutotaskConnector {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }
}

impl fmt::Debug for AutotaskConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AutotaskConnector").field("requests_made", &self.client.requests_made()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Connector for AutotaskConnector {
    async fn rights(&self) -> Result<Vec<Right>, PsaError> {
        rights::rights(&self.client).await
    }

    async fn allowance(&self) -> Result<Allowance, PsaError> {
        rights::allowance(&self.client).await
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
        catalog::contracts(&self.client, query).await
    }

    async fn lines(&self, query: &CatalogQuery) -> Result<CatalogPage<ContractLine>, PsaError> {
        catalog::lines(&self.client, query).await
    }

    async fn contracts_by_id(&self, ids: &BTreeSet<ContractId>) -> Result<Vec<Contract>, PsaError> {
        catalog::contracts_by_id(&self.client, ids).await
    }

    async fn contracts_of(&self, accounts: &BTreeSet<AccountId>, ending_from: Date) -> Result<Vec<Contract>, PsaError> {
        catalog::contracts_of(&self.client, accounts, ending_from).await
    }

    async fn observe(&self, asked: &Asked, window: Window) -> Result<Observation, PsaError> {
        let contracts = asked.contracts();
        let observed = observe::observe(&self.client, &contracts, window).await?;
        if !asked.wants_prices() {
            return Ok(observed);
        }
        Ok(Observation { prices: prices::shown(&self.client, asked.lines()).await?, ..observed })
    }

    /// A request for each 500 contracts and services on them that were not observed with their prices, one for the currencies,
    /// and in a tenant of several currencies one for each 500 accounts.
    async fn prices(
        &self,
        lines: &BTreeMap<LineKey, AccountId>,
        observed: &Observation,
    ) -> Result<BTreeMap<LineKey, UnitPrices>, PsaError> {
        prices::of_lines(&self.client, lines, observed).await
    }

    /// A page of 500 rows shows eight lines of contracts that run for five years by the month.
    /// Prices are one more for each of these.
    fn job_cost(&self, prices: bool) -> JobCost {
        JobCost { reads: if prices { 4 } else { 2 }, lines_a_read: NonZeroU32::new(8), a_line: 1 }
    }

    async fn change_units(&self, change: &UnitsChange) -> Result<(), WriteError> {
        adjust::change_units(&self.client, change).await
    }

    fn requests_made(&self) -> u32 {
        self.client.requests_made()
    }
}
