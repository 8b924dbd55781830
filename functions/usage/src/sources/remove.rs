//! `DELETE /v1/sources/{source}`: the row goes first, so that nothing is pulled any more; then the secret.

use axum::extract::State;
use axum::http::StatusCode;
use shared::api::auth::Writer;
use shared::api::{Path, Problem, ProblemBody};
use shared::secrets::SecretName;

use crate::Deps;

/// Remove a usage source.
///
/// Its credentials are gone for good; the counts that came from it stay. A pull that is going on stores nothing complete any
/// more.
#[utoipa::path(
    delete, path = "/v1/sources/{source}", tag = "sources", operation_id = "delete_source",
    params(("source" = String, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn remove(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let vendor = super::vendor(&name)?;
    let was_there = deps.sources.remove(&caller.partner, vendor).await?;
    // Also where it was gone: the first time may have failed here.
    deps.secrets.delete(&SecretName::of_source(&caller.partner, vendor)).await?;
    if was_there { Ok(StatusCode::NO_CONTENT) } else { Err(super::not_set_up()) }
}
