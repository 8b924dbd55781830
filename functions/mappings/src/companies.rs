//! Companies: which account and contract bill each, and what is different for single products.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::http::StatusCode;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use shared::api::auth::{Reader, Writer};
use shared::api::paging::{Listing, Paging};
use shared::api::{Fault, Faults, Json, Path, Precondition, Problem, ProblemBody, Query, Tag};
use shared::domain::ids::{AccountId, CompanyId, ConnectionId, ContractId, PartnerId, ProductKey, ServiceId};
use shared::domain::policy::WhenAbsent;
use shared::store::Newer;
use shared::store::mappings::{CompanyMapping, Override};
use shared::store::runs::LastSync;
use utoipa::ToSchema;

use crate::{Deps, contracts, new_id, openings, overrides, rules, services};

/// The most products for which one company differs: rows stay small.
pub(crate) const MAX_OVERRIDES: usize = 100;

const NO_PRODUCT: &str = "is a product that is not mapped: map it first, or name its service here";

/// What a company is mapped to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CompanyMappingContent)]
pub(crate) struct Body {
    /// The same customer in the PSA.
    #[schema(value_type = String)]
    account_id: AccountId,
    /// A recurring service contract of that account.
    #[schema(value_type = String)]
    contract_id: ContractId,
    /// What is different for single products, by product.
    #[serde(default)]
    #[schema(value_type = std::collections::HashMap<String, Override>)]
    overrides: BTreeMap<ProductKey, Override>,
    /// What its absence from a complete snapshot means.
    #[serde(default)]
    when_absent: WhenAbsent,
}

/// A company's mapping, and how its lines fare.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MappedCompany {
    #[serde(flatten)]
    mapping: CompanyMapping,
    /// What the newest sync that looked at it came to; previews don't count. Null where none of the newest ones did, as
    /// for a company that was mapped since.
    last_sync: Option<LastSync>,
}

impl Body {
    fn check(&self) -> Result<(), Problem> {
        let mut faults = Faults::none();
        if self.overrides.len() > MAX_OVERRIDES {
            faults.add(Fault::new("/overrides", format!("must have at most {MAX_OVERRIDES} entries")));
        }
        for (product, different) in &self.overrides {
            if let Some(price) = &different.price {
                let pointer = format!("{}/price", at(product));
                rules::pointed(&pointer, price.contradictions()).into_iter().for_each(|fault| faults.add(fault));
            }
            if let Some(rule) = &different.rule {
                let pointer = format!("{}/rule", at(product));
                rules::faults(&pointer, rule).into_iter().for_each(|fault| faults.add(fault));
            }
        }
        faults.refuse()
    }

    /// An override of a product that nobody has mapped is taken for a slip, as it is in a file.
    async fn overrides_of_known_products(
        &self,
        deps: &Deps,
        (partner, connection): (&PartnerId, &ConnectionId),
        before: Option<&CompanyMapping>,
    ) -> Result<(), Problem> {
        if overrides::strangers(&self.overrides, before, |_| false).is_empty() {
            return Ok(());
        }
        let mapped = deps.mappings.all_products(partner, connection).await?;
        let mapped: BTreeSet<ProductKey> = mapped.into_iter().map(|mapping| mapping.product).collect();
        let mut faults = Faults::none();
        for product in overrides::strangers(&self.overrides, before, |product| mapped.contains(product)) {
            faults.add(Fault::new(at(product), NO_PRODUCT));
        }
        faults.refuse()
    }

    /// Every contract that it names, with the pointers at which it does.
    fn contracts(&self) -> BTreeMap<ContractId, Vec<String>> {
        let mut named = BTreeMap::from([(self.contract_id.clone(), vec!["/contract_id".to_owned()])]);
        for (product, different) in &self.overrides {
            if let Some(contract) = &different.contract_id {
                named.entry(contract.clone()).or_default().push(format!("{}/contract_id", at(product)));
            }
        }
        named
    }

    /// Every service that it names, with the pointers at which it does.
    fn services(&self) -> BTreeMap<ServiceId, Vec<String>> {
        let mut named: BTreeMap<ServiceId, Vec<String>> = BTreeMap::new();
        for (product, different) in &self.overrides {
            if let Some(service) = &different.service_id {
                named.entry(service.clone()).or_default().push(format!("{}/service_id", at(product)));
            }
        }
        named
    }
}

/// Where a product's override stands in the body.
pub(crate) fn at(product: &ProductKey) -> String {
    format!("/overrides/{}", product.as_str().replace('~', "~0").replace('/', "~1"))
}

/// Map a company, or replace its mapping.
#[utoipa::path(
    put, path = "/v1/connections/{id}/companies/{company}", tag = "mappings", operation_id = "put_company",
    params(("id" = String, Path), ("company" = String, Path), Precondition),
    request_body = Body,
    responses(
        (status = 201, description = "Mapped", body = CompanyMapping),
        (status = 200, description = "Replaced, or as it was", body = CompanyMapping),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn put(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    Path((connection, company)): Path<(ConnectionId, String)>,
    over: Precondition,
    Json(body): Json<Body>,
) -> Result<(StatusCode, Tag, Json<CompanyMapping>), Problem> {
    let company: CompanyId = new_id("company", &company)?;
    let psa = deps.opener.open(&caller.partner, &connection).await?;
    body.check()?;
    let now = deps.clock.now();
    let of = (&caller.partner, &connection);
    let before = deps.mappings.get::<CompanyMapping>(of.0, of.1, &company).await?;
    let nothing = BTreeMap::new();
    let known = (before.as_ref().map_or(&nothing, |before| &before.openings), now);
    let openings = openings::stated(&deps, of, &body.contract_id, &body.overrides, known).await?;
    let zone = TimeZone::get(&psa.connection.time_zone).map_err(Problem::internal)?;
    let today = now.to_zoned(zone).date();
    contracts::writable(psa.connector.as_ref(), &body.account_id, &body.contracts(), today).await?;
    services::exist(psa.connector.as_ref(), &body.services()).await?;
    body.overrides_of_known_products(&deps, of, before.as_ref()).await?;
    let mapping = CompanyMapping {
        company,
        account_id: body.account_id,
        contract_id: body.contract_id,
        overrides: body.overrides,
        openings,
        when_absent: body.when_absent,
        version: 0,
        updated_at: now,
        updated_by: caller.actor,
        newer: Newer::default(),
    };
    deps.store(&caller.partner, &connection, mapping, over).await
}

/// A company's mapping.
#[utoipa::path(
    get, path = "/v1/connections/{id}/companies/{company}", tag = "mappings", operation_id = "get_company",
    params(("id" = String, Path), ("company" = String, Path)),
    responses((status = 200, description = "The mapping", body = MappedCompany), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn get(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path((connection, company)): Path<(ConnectionId, CompanyId)>,
) -> Result<(Tag, Json<MappedCompany>), Problem> {
    let found = deps.mappings.get(&caller.partner, &connection, &company).await?;
    let mapping: CompanyMapping = found.ok_or_else(|| Problem::not_found("mapping"))?;
    let mut syncs = deps.mappings.last_syncs(&caller.partner, &connection, [&company]).await?;
    Ok((Tag(mapping.version), Json(MappedCompany { last_sync: syncs.remove(&company), mapping })))
}

/// Remove a company's mapping. Its lines are no longer written; what was written stays.
#[utoipa::path(
    delete, path = "/v1/connections/{id}/companies/{company}", tag = "mappings", operation_id = "delete_company",
    params(("id" = String, Path), ("company" = String, Path)),
    responses((status = 204, description = "Removed"), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn delete(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    Path((connection, company)): Path<(ConnectionId, CompanyId)>,
) -> Result<StatusCode, Problem> {
    deps.remove::<CompanyMapping>(&caller.partner, &connection, &company, &caller.actor).await
}

/// List a connection's companies.
#[utoipa::path(
    get, path = "/v1/connections/{id}/companies", tag = "mappings", operation_id = "list_companies",
    params(("id" = String, Path), Paging),
    responses((status = 200, description = "By company", body = Listing<MappedCompany>), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn list(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(connection): Path<ConnectionId>,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<MappedCompany>>, Problem> {
    let Listing { items, next_cursor, unreadable } = deps.page(&caller, &connection, &paging).await?;
    let listed = items.iter().map(|mapping: &CompanyMapping| &mapping.company);
    let mut syncs = deps.mappings.last_syncs(&caller.partner, &connection, listed).await?;
    let item = |mapping: CompanyMapping| MappedCompany { last_sync: syncs.remove(&mapping.company), mapping };
    Ok(Json(Listing { items: items.into_iter().map(item).collect(), next_cursor, unreadable }))
}
