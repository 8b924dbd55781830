//! `GET /v1/connections/{id}/preflight/mappings`: what stands in the way of each mapped feed, before a schedule meets it.
//!
//! What is checked is `shared::sync`'s affair; here companies are paged. The PSA is asked for a page's companies in bulk.

use axum::extract::State;
use shared::api::auth::Reader;
use shared::api::paging::{List, Listing, Paging};
use shared::api::{Json, Path, Problem, ProblemBody, Query};
use shared::domain::ids::{CompanyId, ConnectionId};
use shared::store::mappings::{CompanyMapping, Mapping as _};
use shared::sync::{Preflight, Preflights, SyncError};

use crate::Deps;

/// Look mapped feeds over.
///
/// One item a company and product, `limit` counting companies: whether the contract, the service on it, the writer, prices,
/// currency and usage are as a sync needs them. It asks the PSA and writes nothing. What concerns the connection as a whole is
/// at `/preflight`.
#[utoipa::path(
    get, path = "/v1/connections/{id}/preflight/mappings", tag = "mappings", operation_id = "preflight_mappings",
    params(("id" = String, Path), Paging),
    responses((status = 200, description = "By company and product", body = Listing<Preflight>), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn list(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(id): Path<ConnectionId>,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<Preflight>>, Problem> {
    let connection = deps.opener.connection(&caller.partner, &id).await?;
    let list = List::named(&["preflight", id.as_str()]);
    let after: Option<CompanyId> = list.position(paging.cursor.as_deref())?.and_then(|id| id.parse().ok());
    let all = deps.mappings.everything(&caller.partner, &id).await?;
    let behind = |mapping: &&CompanyMapping| after.as_ref().is_none_or(|after| mapping.company > *after);
    let mut companies: Vec<CompanyMapping> = all.companies.iter().filter(behind).cloned().collect();
    companies.sort_by(|one, other| one.company.cmp(&other.company));
    let more = companies.len() > usize::from(paging.limit.get());
    companies.truncate(usize::from(paging.limit.get()));
    let preflights = Preflights {
        connections: deps.connections.clone(),
        lines: deps.lines.clone(),
        usage: deps.usage.clone(),
        opener: deps.opener.clone(),
    };
    let looked = preflights.of(&connection, &all, &companies, deps.clock.as_ref()).await;
    let items = looked.map_err(failed)??;
    let next = companies.last().filter(|_| more).map(|last| last.id().to_string());
    Ok(Json(list.page(items, next.as_deref())))
}

fn failed(error: SyncError) -> Problem {
    match error {
        SyncError::Store(error) => error.into(),
        other => Problem::internal(other),
    }
}
