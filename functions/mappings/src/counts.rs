//! `GET /v1/connections/{id}/mappings`: how much is mapped.

use axum::extract::State;
use serde::Serialize;
use shared::api::auth::Reader;
use shared::api::{Json, Path, Problem, ProblemBody, owned};
use shared::domain::ids::ConnectionId;
use shared::store::mappings::Everything;
use utoipa::ToSchema;

use crate::Deps;

/// How many mappings there are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MappedCounts {
    /// Products that are billed as units of services.
    products: usize,
    /// Products whose metered charges are billed.
    charges: usize,
    /// Companies.
    companies: usize,
}

/// Count a connection's mappings; those of a revoked connection, too.
#[utoipa::path(
    get, path = "/v1/connections/{id}/mappings", tag = "mappings", operation_id = "count_mappings",
    params(("id" = String, Path)),
    responses((status = 200, body = MappedCounts), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn get(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(connection): Path<ConnectionId>,
) -> Result<Json<MappedCounts>, Problem> {
    owned::connection(&deps.connections, &caller, &connection).await?;
    let Everything { products, companies, charges } = deps.mappings.everything(&caller.partner, &connection).await?;
    let (products, charges, companies) = (products.len(), charges.len(), companies.len());
    Ok(Json(MappedCounts { products, charges, companies }))
}
