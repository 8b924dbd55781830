//! What is counted, and how fresh that is.

use axum::extract::State;
use serde::Serialize;
use shared::api::auth::Caller;
use shared::api::paging::{List, Listing, Paging};
use shared::api::{Json, Problem, ProblemBody, Query};
use shared::sources::Vendor;
use utoipa::ToSchema;

use crate::Deps;
use crate::snapshots::may_see;

/// A product that was counted by a complete snapshot.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CountedProduct)]
pub(crate) struct Product {
    product: String,
    /// The instant that its newest complete snapshot is true for.
    #[schema(format = DateTime)]
    as_of: String,
    /// That snapshot.
    snapshot_id: String,
    /// Whose API it was pulled from; null of what was pushed.
    source: Option<Vendor>,
}

/// List the products that are counted, each with its newest complete snapshot. A product of which none ever came is not listed.
#[utoipa::path(
    get, path = "/v1/usage/products", tag = "usage", operation_id = "list_counted_products",
    params(Paging),
    responses(
        (status = 200, description = "By name", body = Listing<Product>),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/read"]), ("bearer" = ["tallyline/usage"]))
)]
pub(crate) async fn list(
    caller: Caller,
    State(deps): State<Deps>,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<Product>>, Problem> {
    may_see(&caller)?;
    let list = List::named(&["usage-products"]);
    let after = list.position(paging.cursor.as_deref())?;
    let newest = deps.usage.newest_complete(&caller.partner).await?;
    let mut rest =
        newest.into_iter().filter(|(product, _)| after.as_deref().is_none_or(|after| product.as_str() > after));
    let page = rest.by_ref().take(usize::from(paging.limit.get())).map(|(product, newest)| Product {
        product: product.into(),
        as_of: newest.as_of.to_string(),
        source: Vendor::pulled(&newest.snapshot),
        snapshot_id: newest.snapshot.into(),
    });
    let page: Vec<Product> = page.collect();
    let next = rest.next().and(page.last()).map(|last| last.product.clone());
    Ok(Json(list.page(page, next.as_deref())))
}
