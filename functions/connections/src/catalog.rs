//! `GET /v1/connections/{id}/catalog/…`: what the PSA holds, for people who map. Read from the PSA at every request.

use axum::extract::State;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use shared::api::auth::Reader;
use shared::api::paging::{Limit, List, Listing};
use shared::api::{Json, Path, Problem, ProblemBody, Query};
use shared::domain::contract::Contract;
use shared::domain::ids::{AccountId, ConnectionId, ContractId};
use shared::domain::period::PeriodType;
use shared::psa::{Account, CatalogPage, CatalogQuery, ContractLine, Service};
use utoipa::{IntoParams, ToSchema};

use crate::Deps;

/// A list that can be searched by name.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Search {
    /// Only names that contain this text.
    search: Option<String>,
    /// Items on a page.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 50)]
    limit: Limit,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The list of contracts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ContractSearch {
    /// Only names that contain this text.
    search: Option<String>,
    /// Only this account's.
    #[param(value_type = Option<String>)]
    account_id: Option<AccountId>,
    /// Items on a page.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 50)]
    limit: Limit,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The list of a contract's lines.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LineSearch {
    /// The contract.
    #[param(value_type = String)]
    contract_id: ContractId,
    /// Items on a page.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 50)]
    limit: Limit,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// An account: a customer as the PSA knows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
pub(crate) struct AccountView {
    id: String,
    name: String,
    /// The number that people gave it.
    number: Option<String>,
    active: bool,
}

/// A service of the PSA's catalogue.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Service)]
pub(crate) struct ServiceView {
    id: String,
    name: String,
    active: bool,
}

/// A recurring service contract.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Contract)]
pub(crate) struct ContractView {
    id: String,
    account_id: String,
    name: String,
    /// Length of its billing periods: `monthly`, `quarterly`, `semi_annual`, `yearly`.
    #[schema(value_type = Option<String>)]
    period: Option<PeriodType>,
    active: bool,
    /// First day.
    #[schema(value_type = String, format = Date)]
    start: Date,
    /// Last day.
    #[schema(value_type = String, format = Date)]
    end: Date,
}

/// A service on a contract.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ContractLine)]
pub(crate) struct LineView {
    contract_id: String,
    service_id: String,
    /// The PSA's own id of the pair.
    contract_service_id: String,
}

/// Accounts, active ones, by id.
#[utoipa::path(
    get,
    path = "/v1/connections/{id}/catalog/accounts",
    tag = "catalog",
    params(("id" = String, Path), Search),
    responses((status = 200, body = Listing<AccountView>), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn accounts(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(id): Path<ConnectionId>,
    Query(query): Query<Search>,
) -> Result<Json<Listing<AccountView>>, Problem> {
    let asked = Asked::new(
        &id,
        "accounts",
        query.limit,
        query.cursor.as_deref(),
        Filters { search: query.search, ..Filters::default() },
    )?;
    let psa = deps.opener.open(&caller.partner, &id).await?.connector;
    Ok(asked.page(psa.accounts(&asked.query).await?))
}

/// Services, active ones, by id.
#[utoipa::path(
    get,
    path = "/v1/connections/{id}/catalog/services",
    tag = "catalog",
    params(("id" = String, Path), Search),
    responses((status = 200, body = Listing<ServiceView>), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn services(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(id): Path<ConnectionId>,
    Query(query): Query<Search>,
) -> Result<Json<Listing<ServiceView>>, Problem> {
    let asked = Asked::new(
        &id,
        "services",
        query.limit,
        query.cursor.as_deref(),
        Filters { search: query.search, ..Filters::default() },
    )?;
    let psa = deps.opener.open(&caller.partner, &id).await?.connector;
    Ok(asked.page(psa.services(&asked.query).await?))
}

/// Active recurring service contracts, by id.
#[utoipa::path(
    get,
    path = "/v1/connections/{id}/catalog/contracts",
    tag = "catalog",
    params(("id" = String, Path), ContractSearch),
    responses((status = 200, body = Listing<ContractView>), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn contracts(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(id): Path<ConnectionId>,
    Query(query): Query<ContractSearch>,
) -> Result<Json<Listing<ContractView>>, Problem> {
    let filters = Filters { search: query.search, account: query.account_id, contract: None };
    let asked = Asked::new(&id, "contracts", query.limit, query.cursor.as_deref(), filters)?;
    let psa = deps.opener.open(&caller.partner, &id).await?.connector;
    Ok(asked.page(psa.contracts(&asked.query).await?))
}

/// The services on one contract.
#[utoipa::path(
    get,
    path = "/v1/connections/{id}/catalog/lines",
    tag = "catalog",
    params(("id" = String, Path), LineSearch),
    responses((status = 200, body = Listing<LineView>), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn lines(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(id): Path<ConnectionId>,
    Query(query): Query<LineSearch>,
) -> Result<Json<Listing<LineView>>, Problem> {
    let filters = Filters { contract: Some(query.contract_id), ..Filters::default() };
    let asked = Asked::new(&id, "lines", query.limit, query.cursor.as_deref(), filters)?;
    let psa = deps.opener.open(&caller.partner, &id).await?.connector;
    Ok(asked.page(psa.lines(&asked.query).await?))
}

#[derive(Default)]
struct Filters {
    search: Option<String>,
    account: Option<AccountId>,
    contract: Option<ContractId>,
}

struct Asked {
    list: List,
    query: CatalogQuery,
}

impl Asked {
    fn new(
        id: &ConnectionId,
        part: &str,
        limit: Limit,
        cursor: Option<&str>,
        filters: Filters,
    ) -> Result<Self, Problem> {
        let Filters { search, account, contract } = filters;
        let list = List::named(&[
            id.as_str(),
            part,
            search.as_deref().unwrap_or_default(),
            account.as_ref().map_or("", AccountId::as_str),
            contract.as_ref().map_or("", ContractId::as_str),
        ]);
        let after = list.position(cursor)?;
        Ok(Self { list, query: CatalogQuery { search, account, contract, after, limit: limit.get() } })
    }

    fn page<T, V: From<T>>(&self, page: CatalogPage<T>) -> Json<Listing<V>> {
        Json(self.list.page(page.items.into_iter().map(V::from).collect(), page.next.as_deref()))
    }
}

impl From<Account> for AccountView {
    fn from(account: Account) -> Self {
        Self { id: account.id.into(), name: account.name, number: account.number, active: account.active }
    }
}

impl From<Service> for ServiceView {
    fn from(service: Service) -> Self {
        Self { id: service.id.into(), name: service.name, active: service.active }
    }
}

impl From<Contract> for ContractView {
    fn from(contract: Contract) -> Self {
        Self {
            id: contract.id.into(),
            account_id: contract.account.into(),
            name: contract.name,
            period: contract.recurring,
            active: contract.active,
            start: contract.start,
            end: contract.end,
        }
    }
}

impl From<ContractLine> for LineView {
    fn from(line: ContractLine) -> Self {
        Self {
            contract_id: line.contract.into(),
            service_id: line.service.into(),
            contract_service_id: line.contract_service.into(),
        }
    }
}
