//! `GET /v1/connections/{id}/catalog/…`: what the PSA holds, for people who map. Read from the PSA at every request.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use shared::api::auth::Reader;
use shared::api::paging::{Limit, List, Listing};
use shared::api::{Json, Path, Problem, ProblemBody, Query};
use shared::domain::contract::Contract;
use shared::domain::ids::{AccountId, ConnectionId, ContractId, ServiceId};
use shared::domain::period::PeriodType;
use shared::psa::open::Opened;
use shared::psa::{Account, CatalogPage, CatalogQuery, Connector, ContractLine, Service};
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
    /// As the PSA flags it: many leave contracts that are over flagged as active.
    active: bool,
    /// Whether today lies between its first and last day, in the connection's time zone. Nothing is written where it does not.
    in_date: bool,
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
    /// The service's name; null where the PSA does not tell it.
    service_name: Option<String>,
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
    let Opened { connection, connector, .. } = deps.opener.open(&caller.partner, &id).await?;
    let zone = TimeZone::get(&connection.time_zone).map_err(Problem::internal)?;
    let today = deps.clock.now().to_zoned(zone).date();
    let page = connector.contracts(&asked.query).await?;
    Ok(asked.shown(page, |contract| ContractView::on(today, contract)))
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
    let page = psa.lines(&asked.query).await?;
    let named = names(psa.as_ref(), &page.items).await;
    Ok(asked.shown(page, |line| LineView::named(line, &named)))
}

/// The names of the lines' services. They are shown beside the ids: where the PSA does not tell them, the ids alone are.
async fn names(psa: &dyn Connector, lines: &[ContractLine]) -> BTreeMap<ServiceId, String> {
    let services: BTreeSet<ServiceId> = lines.iter().map(|line| line.service.clone()).collect();
    if services.is_empty() {
        return BTreeMap::new();
    }
    match psa.services_in_passing(&services).await {
        Ok(found) => found.into_iter().map(|service| (service.id, service.name)).collect(),
        Err(error) => {
            tracing::warn!(%error, "a contract's services are listed without their names");
            BTreeMap::new()
        }
    }
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
        self.shown(page, V::from)
    }

    fn shown<T, V>(&self, page: CatalogPage<T>, view: impl Fn(T) -> V) -> Json<Listing<V>> {
        Json(self.list.page(page.items.into_iter().map(view).collect(), page.next.as_deref()))
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

impl ContractView {
    fn on(today: Date, contract: Contract) -> Self {
        Self {
            in_date: (contract.start..=contract.end).contains(&today),
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

impl LineView {
    fn named(line: ContractLine, names: &BTreeMap<ServiceId, String>) -> Self {
        Self {
            service_name: names.get(&line.service).cloned(),
            contract_id: line.contract.into(),
            service_id: line.service.into(),
            contract_service_id: line.contract_service.into(),
        }
    }
}
