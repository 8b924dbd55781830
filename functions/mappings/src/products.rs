//! Products: which service each is billed as, and how it is counted.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use shared::api::auth::{Reader, Writer};
use shared::api::paging::{Listing, Paging};
use shared::api::{Fault, Faults, Json, Path, Precondition, Problem, ProblemBody, Query, Tag};
use shared::domain::ids::{ConnectionId, ProductKey, ServiceId};
use shared::domain::provision::Provision;
use shared::domain::rule::Rule;
use shared::store::Newer;
use shared::store::mappings::{Price, ProductMapping};
use utoipa::ToSchema;

use crate::{Deps, new_id, rules, services};

/// What a product is mapped to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProductMappingContent)]
pub(crate) struct Body {
    /// An active service of the PSA's catalogue. May be left out where `provision` is given: the one active service of exactly
    /// its name is taken then, or the one that is made.
    #[schema(value_type = Option<String>)]
    service_id: Option<ServiceId>,
    /// How counts become units.
    #[serde(default)]
    rule: Rule,
    /// How units are priced. Without it unit costs and unit prices are left alone.
    price: Option<Price>,
    /// How the service is made where the catalogue lacks it. Nothing is made unless the connection's policy says
    /// `provision_services`, and then each service once, when a person has approved it.
    provision: Option<Provision>,
}

impl Body {
    fn check(&self) -> Result<(), Problem> {
        let mut faults = Faults::none();
        rules::faults("/rule", &self.rule).into_iter().for_each(|fault| faults.add(fault));
        if let Some(price) = &self.price {
            rules::pointed("/price", price.contradictions()).into_iter().for_each(|fault| faults.add(fault));
        }
        if let Some(provision) = &self.provision {
            rules::pointed("/provision", provision.contradictions()).into_iter().for_each(|fault| faults.add(fault));
        }
        if self.service_id.is_none() && self.provision.is_none() {
            faults.add(Fault::new("/service_id", "is required where no provision is given"));
        }
        faults.refuse()
    }
}

/// Map a product, or replace its mapping.
#[utoipa::path(
    put, path = "/v1/connections/{id}/products/{product}", tag = "mappings", operation_id = "put_product",
    params(("id" = String, Path), ("product" = String, Path), Precondition),
    request_body = Body,
    responses(
        (status = 201, description = "Mapped", body = ProductMapping),
        (status = 200, description = "Replaced, or as it was", body = ProductMapping),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn put(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    Path((connection, product)): Path<(ConnectionId, String)>,
    over: Precondition,
    Json(body): Json<Body>,
) -> Result<(StatusCode, Tag, Json<ProductMapping>), Problem> {
    let product: ProductKey = new_id("product", &product)?;
    let psa = deps.opener.open(&caller.partner, &connection).await?;
    body.check()?;
    if body.service_id.is_none() && ServiceId::unmade(&product).is_none() {
        return Err(Problem::invalid(vec![Fault::new("path:product", "is too long for a service that is to be made")]));
    }
    let service_id = match (&body.service_id, &body.provision) {
        (None, Some(provision)) => services::called(psa.connector.as_ref(), &provision.name).await?,
        (named, _) => {
            let named = named.iter().map(|service| (service.clone(), vec!["/service_id".to_owned()]));
            services::exist(psa.connector.as_ref(), &named.collect()).await?;
            body.service_id
        }
    };
    let mapping = ProductMapping {
        product,
        service_id,
        rule: body.rule,
        price: body.price,
        provision: body.provision,
        version: 0,
        updated_at: deps.clock.now(),
        updated_by: caller.actor,
        newer: Newer::default(),
    };
    deps.store(&caller.partner, &connection, mapping, over).await
}

/// A product's mapping.
#[utoipa::path(
    get, path = "/v1/connections/{id}/products/{product}", tag = "mappings", operation_id = "get_product",
    params(("id" = String, Path), ("product" = String, Path)),
    responses((status = 200, description = "The mapping", body = ProductMapping), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn get(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path((connection, product)): Path<(ConnectionId, ProductKey)>,
) -> Result<(Tag, Json<ProductMapping>), Problem> {
    let found: Option<ProductMapping> = deps.mappings.get(&caller.partner, &connection, &product).await?;
    found.map(|mapping| (Tag(mapping.version), Json(mapping))).ok_or_else(|| Problem::not_found("mapping"))
}

/// Remove a product's mapping. Its lines are no longer written; what was written stays.
#[utoipa::path(
    delete, path = "/v1/connections/{id}/products/{product}", tag = "mappings", operation_id = "delete_product",
    params(("id" = String, Path), ("product" = String, Path)),
    responses((status = 204, description = "Removed"), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn delete(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    Path((connection, product)): Path<(ConnectionId, ProductKey)>,
) -> Result<StatusCode, Problem> {
    deps.remove::<ProductMapping>(&caller.partner, &connection, &product, &caller.actor).await
}

/// List a connection's products.
#[utoipa::path(
    get, path = "/v1/connections/{id}/products", tag = "mappings", operation_id = "list_products",
    params(("id" = String, Path), Paging),
    responses((status = 200, description = "By product", body = Listing<ProductMapping>), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn list(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(connection): Path<ConnectionId>,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<ProductMapping>>, Problem> {
    deps.page(&caller, &connection, &paging).await.map(Json)
}
