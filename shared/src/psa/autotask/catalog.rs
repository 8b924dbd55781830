//! The catalogue, for people who map: accounts, services, contracts and their lines; and contracts
//! by id and by account, for a sync.
//!
//! A row that the API user may not see is simply absent from Autotask's answer. Nothing here can tell that from a row
//! that does not exist, and nothing tries.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::client::{Client, Entity};
use super::query::{self, Operator, Query};
use super::wire::{ACTIVE, CompanyRow, ContractRow, ContractServiceRow, RECURRING_SERVICE, Row, ServiceRow};
use crate::domain::contract::Contract;
use crate::domain::ids::{AccountId, ContractId, ServiceId};
use crate::psa::{Account, CatalogPage, CatalogQuery, ContractLine, Kind, PsaError, Service};

/// Active companies of every type: which types are customers is the tenant's own choice.
pub(super) async fn accounts(client: &Client, asked: &CatalogQuery) -> Result<CatalogPage<Account>, PsaError> {
    let query = Query::of(Entity::Companies).and("isActive", Operator::Eq, true);
    list(client, search(query, "companyName", asked), asked, CompanyRow::account).await
}

/// Active services.
pub(super) async fn services(client: &Client, asked: &CatalogQuery) -> Result<CatalogPage<Service>, PsaError> {
    let query = Query::of(Entity::Services).and("isActive", Operator::Eq, true);
    list(client, search(query, "name", asked), asked, ServiceRow::service).await
}

/// The services named, active or not: one request for each 500.
pub(super) async fn services_by_id(client: &Client, ids: &BTreeSet<ServiceId>) -> Result<Vec<Service>, PsaError> {
    let mut services = Vec::with_capacity(ids.len());
    for set in query::id_sets(ids.iter().map(ServiceId::as_str)) {
        let query = Query::of(Entity::Services).and("id", Operator::In, set.clone());
        for row in query::walk::<ServiceRow>(client, &query).await? {
            if set.binary_search(&row.id()?).is_err() {
                return Err(row.fault("was not asked for"));
            }
            services.push(row.service()?);
        }
    }
    Ok(services)
}

/// Active recurring service contracts.
pub(super) async fn contracts(client: &Client, asked: &CatalogQuery) -> Result<CatalogPage<Contract>, PsaError> {
    let recurring = Query::of(Entity::Contracts).and("contractType", Operator::Eq, RECURRING_SERVICE);
    let mut query = recurring.and("status", Operator::Eq, ACTIVE);
    if let Some(account) = &asked.account {
        let Some(account) = number(account.as_str()) else { return Ok(nothing()) };
        query = query.and("companyID", Operator::Eq, account);
    }
    list(client, search(query, "contractName", asked), asked, ContractRow::contract).await
}

/// The services on one contract.
pub(super) async fn lines(client: &Client, asked: &CatalogQuery) -> Result<CatalogPage<ContractLine>, PsaError> {
    let contract = asked.contract.as_ref().ok_or_else(|| {
        PsaError::new(
            Kind::Validation,
            "contract_id_missing",
            "Lines are listed for one contract, and none was named.",
            "Name the contract.",
        )
    })?;
    let Some(contract) = number(contract.as_str()) else { return Ok(nothing()) };
    let query = Query::of(Entity::ContractServices).and("contractID", Operator::Eq, contract);
    list(client, query, asked, ContractServiceRow::line).await
}

/// The contracts named, of whatever kind and state: one request for each 500.
pub(super) async fn contracts_by_id(client: &Client, ids: &BTreeSet<ContractId>) -> Result<Vec<Contract>, PsaError> {
    let mut contracts = Vec::with_capacity(ids.len());
    for set in query::id_sets(ids.iter().map(ContractId::as_str)) {
        let query = Query::of(Entity::Contracts).and("id", Operator::In, set.clone());
        for row in query::walk::<ContractRow>(client, &query).await? {
            if set.binary_search(&row.id()?).is_err() {
                return Err(row.fault("was not asked for"));
            }
            contracts.push(row.contract()?);
        }
    }
    Ok(contracts)
}

/// Recurring service contracts of the accounts named that end on or after a day: one request for each 500 accounts, and
/// one more for each further 500 contracts.
pub(super) async fn contracts_of(
    client: &Client,
    accounts: &BTreeSet<AccountId>,
    ending_from: Date,
) -> Result<Vec<Contract>, PsaError> {
    let mut contracts = vec![];
    for set in query::id_sets(accounts.iter().map(AccountId::as_str)) {
        let query = Query::of(Entity::Contracts)
            .and("contractType", Operator::Eq, RECURRING_SERVICE)
            .and("companyID", Operator::In, set.clone())
            .and("endDate", Operator::Gte, format!("{ending_from}T00:00:00"));
        for row in query::walk::<ContractRow>(client, &query).await? {
            // A filter that was ignored would show every contract of the partner.
            if row.company.whole().is_none_or(|account| set.binary_search(&account).is_err()) {
                return Err(row.fault("is of an account that was not asked for"));
            }
            contracts.push(row.contract()?);
        }
    }
    Ok(contracts)
}

fn search(query: Query, field: &str, asked: &CatalogQuery) -> Query {
    match asked.search.as_deref().map(str::trim) {
        Some(text) if !text.is_empty() => query.and(field, Operator::Contains, text),
        _ => query,
    }
}

async fn list<R: Row, T>(
    client: &Client,
    query: Query,
    asked: &CatalogQuery,
    convert: fn(&R) -> Result<T, PsaError>,
) -> Result<CatalogPage<T>, PsaError> {
    let after = asked.after.as_deref().map(|after| number(after).ok_or_else(bad_cursor)).transpose()?;
    let most = usize::from(asked.limit).clamp(1, query::MOST);
    let page = query::page(client, &query, after, most).await?;
    Ok(CatalogPage {
        items: page.rows.iter().map(convert).collect::<Result<_, _>>()?,
        next: page.go_on_after.map(|id| id.to_string()),
    })
}

/// An id as Autotask's number; any other text names nothing there.
fn number(id: &str) -> Option<i64> {
    id.parse().ok()
}

fn nothing<T>() -> CatalogPage<T> {
    CatalogPage { items: vec![], next: None }
}

fn bad_cursor() -> PsaError {
    PsaError::new(
        Kind::Validation,
        "cursor_invalid",
        "The cursor is not one that this list gave.",
        "Begin again without a cursor.",
    )
}
