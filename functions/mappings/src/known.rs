//! `GET /v1/connections/{id}/known-companies`: everybody who is mapped or has usage, by name; for people who look for one.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::api::auth::Reader;
use shared::api::paging::{Limit, List, cut};
use shared::api::{Json, Path, Problem, ProblemBody, Query, owned};
use shared::domain::ids::{AccountId, CompanyId, ConnectionId, ContractId, PartnerId, ProductKey};
use shared::domain::line::LineStatus;
use shared::store::mappings::CompanyMapping;
use shared::store::runs::LastSync;
use shared::store::usage::{CountedCompany, Month};
use shared::sync::{MappedElsewhere, recent_months};
use utoipa::{IntoParams, ToSchema};

use crate::Deps;

/// Which companies.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only those whose name or id contains this text, in whatever case.
    #[serde(default)]
    search: String,
    /// Only the one with this id.
    #[param(value_type = Option<String>)]
    company: Option<CompanyId>,
    /// Only those that stand so.
    state: Option<Standing>,
    /// `false` leaves `last_sync` null: it spares the reading of a whole run's results.
    #[serde(default = "yes")]
    #[param(value_type = Option<bool>, default = true)]
    last_sync: bool,
    /// Items on a page.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 50)]
    limit: Limit,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

fn yes() -> bool {
    true
}

/// How a company stands on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CompanyStanding)]
enum Standing {
    /// It is mapped to an account.
    Mapped,
    /// It has usage, and no connection maps it.
    NotMapped,
    /// It has usage, and another connection of the partner maps it.
    MappedElsewhere,
    /// It is mapped, and a line of it was held, failed or unknown in its newest sync.
    NeedsAttention,
}

/// A company that is mapped or has usage.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KnownCompany {
    /// The company.
    #[schema(value_type = String)]
    company: CompanyId,
    /// Its name as its usage gave it last; null where it never had any.
    company_name: Option<String>,
    /// What it has usage of, this month or the last.
    #[schema(value_type = Vec<String>)]
    products: BTreeSet<ProductKey>,
    /// The account that it is mapped to; null where it is to none.
    #[schema(value_type = Option<String>)]
    account_id: Option<AccountId>,
    /// The contract that it is mapped to.
    #[schema(value_type = Option<String>)]
    contract_id: Option<ContractId>,
    /// Another connection of the partner that maps it, where this one does not.
    #[schema(value_type = Option<String>)]
    mapped_on: Option<ConnectionId>,
    /// What the newest sync that looked at it came to, as in `GET …/companies/{company}`.
    last_sync: Option<LastSync>,
}

/// One page of companies.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KnownCompanies {
    /// By name, those without one by their id.
    items: Vec<KnownCompany>,
    /// Pass it as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
    /// How many are mapped among those that `search` and `company` find, whatever their `state`.
    mapped: usize,
    /// How many of them no connection maps.
    not_mapped: usize,
    /// How many of them another connection of the partner maps.
    mapped_elsewhere: usize,
    /// What they have usage of, this month or the last.
    products: Vec<KnownProduct>,
}

/// A product that companies have usage of.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KnownProduct {
    /// The product.
    #[schema(value_type = String)]
    product: ProductKey,
    /// How many of the companies have usage of it.
    companies: usize,
    /// How many of these are mapped.
    mapped: usize,
}

/// List every company that is known: those that are mapped, and those with usage of this month or the last, in UTC.
#[utoipa::path(
    get, path = "/v1/connections/{id}/known-companies", tag = "mappings", operation_id = "list_known_companies",
    params(("id" = String, Path), Which),
    responses((status = 200, description = "By name", body = KnownCompanies), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn list(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(connection): Path<ConnectionId>,
    Query(which): Query<Which>,
) -> Result<Json<KnownCompanies>, Problem> {
    owned::connection(&deps.connections, &caller, &connection).await?;
    let searched = which.search.trim().to_lowercase();
    let one = which.company.as_ref().map_or("", CompanyId::as_str);
    let list = List::named(&["known-companies", connection.as_str(), &searched, one, &format!("{:?}", which.state)]);
    let after = list.position(which.cursor.as_deref())?;
    let (mapped, counted, elsewhere) = tokio::join!(
        deps.mappings.companies_as_they_stand(&caller.partner, &connection),
        deps.usage.companies(&caller.partner),
        MappedElsewhere::read((&deps.connections, &deps.mappings), &caller.partner, &connection),
    );
    let since = *recent_months(deps.clock.now()).start();
    let mut known = known(mapped?, counted?, since);
    let elsewhere = elsewhere?;
    for company in known.iter_mut().filter(|company| !company.is_mapped()) {
        company.mapped_on = elsewhere.connection_of(&company.company).map(|connection| connection.id.clone());
    }
    known.retain(|company| {
        which.company.as_ref().is_none_or(|one| *one == company.company) && company.is_found_by(&searched)
    });
    let mapped = known.iter().filter(|company| company.is_mapped()).count();
    let mapped_elsewhere = known.iter().filter(|company| company.mapped_on.is_some()).count();
    let not_mapped = known.len() - mapped - mapped_elsewhere;
    let products = products(&known);
    let mut syncs = None;
    match which.state {
        None => {}
        Some(Standing::Mapped) => known.retain(KnownCompany::is_mapped),
        Some(Standing::NotMapped) => known.retain(|company| !company.is_mapped() && company.mapped_on.is_none()),
        Some(Standing::MappedElsewhere) => known.retain(|company| company.mapped_on.is_some()),
        Some(Standing::NeedsAttention) => {
            let found = deps.last_syncs(&caller.partner, &connection, &known).await?;
            known.retain(|company| found.get(&company.company).is_some_and(needs_attention));
            syncs = Some(found);
        }
    }
    let page = cut(known, after.as_deref(), KnownCompany::place, which.limit.get().into());
    let mut items = page.items;
    let mut syncs = match syncs {
        Some(syncs) => syncs,
        None if which.last_sync => deps.last_syncs(&caller.partner, &connection, &items).await?,
        None => BTreeMap::new(),
    };
    for item in &mut items {
        item.last_sync = syncs.remove(&item.company);
    }
    let next_cursor = page.next.map(|next| list.cursor(&next));
    Ok(Json(KnownCompanies { items, next_cursor, mapped, not_mapped, mapped_elsewhere, products }))
}

impl Deps {
    /// What the newest sync of those of `companies` came to that are mapped.
    async fn last_syncs(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
        companies: &[KnownCompany],
    ) -> Result<BTreeMap<CompanyId, LastSync>, Problem> {
        let mapped = companies.iter().filter(|company| company.is_mapped()).map(|company| &company.company);
        Ok(self.mappings.last_syncs(partner, connection, mapped).await?)
    }
}

/// Those who are mapped, and those who have had usage since then.
fn known(mapped: Vec<CompanyMapping>, counted: BTreeMap<CompanyId, CountedCompany>, since: Month) -> Vec<KnownCompany> {
    let mut counted = counted;
    for company in counted.values_mut() {
        company.products.retain(|_, last| *last >= since);
    }
    let mut known: Vec<KnownCompany> = mapped
        .into_iter()
        .map(|mapping| {
            let counted = counted.remove(&mapping.company).unwrap_or_default();
            let to = Some((mapping.account_id, mapping.contract_id));
            KnownCompany::new(mapping.company, counted, to)
        })
        .collect();
    let others = counted.into_iter().filter(|(_, counted)| !counted.products.is_empty());
    known.extend(others.map(|(company, counted)| KnownCompany::new(company, counted, None)));
    known.sort_by_cached_key(KnownCompany::key);
    known
}

fn products(known: &[KnownCompany]) -> Vec<KnownProduct> {
    let mut found: BTreeMap<&ProductKey, KnownProduct> = BTreeMap::new();
    for company in known {
        for product in &company.products {
            let none = || KnownProduct { product: product.clone(), companies: 0, mapped: 0 };
            let found = found.entry(product).or_insert_with(none);
            found.companies += 1;
            found.mapped += usize::from(company.is_mapped());
        }
    }
    found.into_values().collect()
}

fn needs_attention(last: &LastSync) -> bool {
    matches!(last.status, LineStatus::Held | LineStatus::Failed | LineStatus::Unknown)
}

impl KnownCompany {
    fn new(company: CompanyId, counted: CountedCompany, to: Option<(AccountId, ContractId)>) -> Self {
        let (account_id, contract_id) = to.unzip();
        let company_name = Some(counted.name).filter(|name| !name.is_empty());
        let products = counted.products.into_keys().collect();
        Self { company, company_name, products, account_id, contract_id, mapped_on: None, last_sync: None }
    }

    fn is_mapped(&self) -> bool {
        self.account_id.is_some()
    }

    fn is_found_by(&self, searched: &str) -> bool {
        let name = self.company_name.as_ref();
        self.company.as_str().to_lowercase().contains(searched)
            || name.is_some_and(|name| name.to_lowercase().contains(searched))
    }

    /// By what the list is sorted. No id holds a `#`, and names must not, for places are compared part by part.
    fn key(&self) -> (String, String) {
        let name = self.company_name.as_deref().unwrap_or(self.company.as_str());
        (name.to_lowercase().replace('#', " "), self.company.to_string())
    }

    fn place(&self) -> String {
        let (name, company) = self.key();
        format!("{name}#{company}")
    }
}
