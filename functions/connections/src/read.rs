//! `GET /v1/connections` and `GET /v1/connections/{id}`.

use axum::extract::State;
use shared::api::auth::Reader;
use shared::api::paging::{List, Listing, Paging};
use shared::api::{Json, Path, Problem, ProblemBody, Query};
use shared::domain::ids::ConnectionId;
use shared::psa::open::OpenError;
use shared::store::Read;

use crate::Deps;
use crate::view::{ConnectionDetail, ConnectionView};

/// List the connections, revoked ones included.
#[utoipa::path(
    get,
    path = "/v1/connections",
    tag = "connections",
    params(Paging),
    responses((status = 200, body = Listing<ConnectionView>), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn list(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<ConnectionView>>, Problem> {
    let list = List::named(&["connections"]);
    let after = list.position(paging.cursor.as_deref())?.and_then(|id| id.parse::<ConnectionId>().ok());
    let found = deps.connections.list(&caller.partner, after.as_ref(), paging.limit.get()).await?;
    let rows = deps.without_ended_runs(found.items).await?;
    let items = rows.into_iter().map(ConnectionView::from).collect();
    let page = list.page(items, found.next.as_ref().map(ConnectionId::as_str));
    Ok(Json(page.with_unreadable(found.unreadable)))
}

/// One connection.
#[utoipa::path(
    get,
    path = "/v1/connections/{id}",
    tag = "connections",
    params(("id" = String, Path)),
    responses((status = 200, body = ConnectionDetail), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn get(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(id): Path<ConnectionId>,
) -> Result<Json<ConnectionDetail>, Problem> {
    let found = deps.connections.get(&caller.partner, &id, Read::Consistent).await?;
    let connection = deps.without_ended_run(found.ok_or(OpenError::NotFound)?).await?;
    let breaker = deps.opener.circuits().of(&caller.partner, &id).await?;
    Ok(Json(ConnectionDetail::new(connection, &breaker, deps.clock.now())))
}
