//! `GET /v1/sources` and `GET /v1/sources/{source}`.

use axum::extract::State;
use serde::Serialize;
use shared::api::auth::Reader;
use shared::api::paging::{List, Listing, Paging};
use shared::api::{Json, Path, Problem, ProblemBody, Query};
use shared::sources::Vendor;
use utoipa::ToSchema;

use super::view::{Available, SourceView};
use crate::Deps;

/// A page of the sources, and what else could be set up.
#[derive(Serialize, ToSchema)]
pub(crate) struct Sources {
    #[serde(flatten)]
    page: Listing<SourceView>,
    /// Vendors that are known and not set up; on every page the same.
    available: Vec<Available>,
}

/// List usage sources, and the vendors that could be one.
#[utoipa::path(
    get, path = "/v1/sources", tag = "sources", operation_id = "list_sources",
    params(Paging),
    responses((status = 200, body = Sources), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn list(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Query(paging): Query<Paging>,
) -> Result<Json<Sources>, Problem> {
    let list = List::named(&["sources"]);
    let after = list.position(paging.cursor.as_deref())?;
    let all = deps.sources.all(&caller.partner).await?;
    let is_set_up = |vendor: &Vendor| all.iter().any(|source| source.vendor == *vendor);
    let available =
        Vendor::ALL.iter().filter(|vendor| !is_set_up(vendor)).map(|vendor| Available::from(*vendor)).collect();
    let mut rest = all.into_iter().filter(|source| after.as_deref().is_none_or(|after| source.vendor.as_str() > after));
    let page: Vec<_> = rest.by_ref().take(usize::from(paging.limit.get())).collect();
    let next = rest.next().and(page.last()).map(|last| last.vendor.as_str());
    let items = page.into_iter().map(SourceView::from).collect();
    Ok(Json(Sources { page: list.page(items, next), available }))
}

/// One usage source, and how its last pull ended. Nothing of its credentials is in it.
#[utoipa::path(
    get, path = "/v1/sources/{source}", tag = "sources", operation_id = "get_source",
    params(("source" = String, Path)),
    responses((status = 200, body = SourceView), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn get(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(name): Path<String>,
) -> Result<Json<SourceView>, Problem> {
    Ok(Json(deps.source(&caller.partner, &name).await?.into()))
}
