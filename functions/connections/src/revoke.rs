//! `DELETE /v1/connections/{id}`: the row is marked first, so that nothing begins with it any more; then the secret goes.

use axum::extract::State;
use axum::http::StatusCode;
use shared::api::auth::Writer;
use shared::api::{Path, Problem, ProblemBody};
use shared::domain::ids::ConnectionId;
use shared::psa::open::OpenError;
use shared::secrets::SecretName;
use shared::store::journal::By;

use crate::Deps;

/// Revoke a connection.
///
/// Its secret is gone for good; its mappings and history stay readable. A second time changes nothing.
#[utoipa::path(
    delete,
    path = "/v1/connections/{id}",
    tag = "connections",
    params(("id" = String, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn revoke(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    Path(id): Path<ConnectionId>,
) -> Result<StatusCode, Problem> {
    let by = By::person(&caller.actor, deps.clock.now());
    deps.connections.revoke(&caller.partner, &id, &by).await?.ok_or(OpenError::NotFound)?;
    // Also the second time: the first may have failed here.
    deps.secrets.delete(&SecretName::of(&caller.partner, &id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
