//! `GET /v1/connections/{id}/catalog/ticket-fields`: what the PSA asks of a new ticket, for people who map tickets. Shown for an
//! hour as it was read last, because it is a dozen requests to the PSA.

use axum::extract::State;
use serde::Deserialize;
use shared::api::auth::Reader;
use shared::api::{Json, Path, Problem, ProblemBody, Query};
use shared::domain::ids::{AccountId, ConnectionId};
use shared::store::ticket_forms::ReadForm;
use utoipa::IntoParams;

use crate::Deps;

/// Whose form, and how old it may be.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// With the choices of this account, where they are an account's own.
    #[param(value_type = Option<String>)]
    account_id: Option<AccountId>,
    /// Read it from the PSA now.
    #[serde(default)]
    refresh: bool,
}

/// The fields of a new ticket, with what may be chosen for each and what they need beside each other.
#[utoipa::path(
    get,
    path = "/v1/connections/{id}/catalog/ticket-fields",
    tag = "catalog",
    operation_id = "ticket_fields",
    params(("id" = String, Path), Asked),
    responses((status = 200, body = ReadForm), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn get(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(id): Path<ConnectionId>,
    Query(asked): Query<Asked>,
) -> Result<Json<ReadForm>, Problem> {
    let connection = deps.opener.connection(&caller.partner, &id).await?;
    let account = asked.account_id.as_ref();
    if !asked.refresh
        && let Some(read) = deps.ticket_forms.get(&caller.partner, &id, account, deps.clock.now()).await?
    {
        return Ok(Json(read));
    }
    let psa = deps.opener.connector(&connection).await?;
    let read = ReadForm { form: psa.ticket_form(account).await?, read_at: deps.clock.now() };
    deps.ticket_forms.keep(&caller.partner, &id, account, &read).await?;
    Ok(Json(read))
}
