//! The connector itself: each call of the trait, handed to the file of its topic.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroU32;

use async_trait::async_trait;
use jiff::civil::Date;
use tokio::sync::OnceCell;

use super::client::Client;
use super::picklist::{self, OPERATIONAL};
use super::tickets::Desk;
use super::{adjust, catalog, charges, observe, prices, provision, rights};
use crate::domain::contract::Contract;
use crate::domain::ids::{AccountId, ChargeId, ContractId, ContractServiceId, ServiceId};
use crate::domain::line::LineKey;
use crate::domain::money::{Money, UnitPrices};
use crate::psa::{
    Account, Allowance, Asked, BillingCode, BillingCodeKind, CatalogPage, CatalogQuery, ChargedIn, Charges, Connector,
    ContractLine, JobCost, NewCharge, NewService, Observation, Provisioning, PsaCharge, PsaError, Right, Service,
    UnitsChange, Vendor, Window, WriteError,
};

/// A connector to one Autotask tenant, for one run.
pub struct AutotaskConnector {
    pub(super) client: Client,
    /// What it has read of the service desk.
    pub(super) desk: Desk,
    /// Autotask's number for the type of our charges, once it was asked for.
    charge_type: OnceCell<i64>,
}

impl AutotaskConnector {
    pub(super) fn new(client: Client) -> Self {
        Self { client, desk: Desk::default(), charge_type: OnceCell::new() }
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

#[async_trait]
impl Charges for AutotaskConnector {
    async fn charges(
        &self,
        contracts: &BTreeSet<ContractId>,
        references: &BTreeSet<String>,
    ) -> Result<Vec<PsaCharge>, PsaError> {
        charges::charges(&self.client, contracts, references).await
    }

    async fn charged_in(&self, accounts: &BTreeSet<AccountId>) -> Result<BTreeMap<AccountId, ChargedIn>, PsaError> {
        prices::charged_in(&self.client, accounts).await
    }

    /// One request, and one more before the first of them: the type of charges has no number that is published.
    async fn create_charge(&self, charge: &NewCharge) -> Result<Option<ChargeId>, WriteError> {
        charges::create(&self.client, self.charge_type(), charge).await
    }

    async fn change_charge(&self, id: &ChargeId, charge: &NewCharge) -> Result<(), WriteError> {
        charges::change(&self.client, id, charge).await
    }

    async fn delete_charge(&self, contract: &ContractId, id: &ChargeId) -> Result<(), WriteError> {
        charges::delete(&self.client, contract, id).await
    }
}

impl AutotaskConnector {
    async fn charge_type(&self) -> Result<i64, PsaError> {
        let asked = || async {
            let numbers = picklist::numbers(&self.client, OPERATIONAL).await?;
            // A label that is found has a number.
            Ok(numbers.first().copied().unwrap_or_default())
        };
        self.charge_type.get_or_try_init(asked).await.copied()
    }
}

#[async_trait]
impl Provisioning for AutotaskConnector {
    async fn billing_codes(&self, kind: BillingCodeKind) -> Result<Vec<BillingCode>, PsaError> {
        provision::billing_codes(&self.client, kind).await
    }

    async fn vendor(&self, name: &str) -> Result<Vendor, PsaError> {
        provision::vendor(&self.client, name).await
    }

    async fn find_services(&self, name: &str) -> Result<Vec<Service>, PsaError> {
        provision::find_services(&self.client, name).await
    }

    async fn create_service(&self, service: &NewService) -> Result<Option<ServiceId>, WriteError> {
        provision::create_service(&self.client, service).await
    }

    async fn add_service(
        &self,
        contract: &ContractId,
        service: &ServiceId,
        cost: Option<Money>,
        price: Option<Money>,
    ) -> Result<Option<ContractServiceId>, WriteError> {
        provision::add_service(&self.client, contract, service, [("unitCost", cost), ("unitPrice", price)]).await
    }
}
