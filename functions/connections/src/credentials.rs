//! Credentials: how they are verified, and `PUT …/credentials`.
//!
//! New credentials are tried before the old ones are touched. They must lead to the tenant that the connection was made
//! for: every mapping and every line of its history names things of that tenant.

use std::sync::Arc;

use axum::extract::State;
use serde::Deserialize;
use serde_json::Value;
use shared::api::auth::Writer;
use shared::api::{Fault, Json, Path, Problem, ProblemBody, present};
use shared::domain::ids::ConnectionId;
use shared::psa::notebook::NoNotebook;
use shared::psa::open::OpenError;
use shared::psa::registry::Registry;
use shared::psa::{Credentials, Endpoint, Right};
use shared::secrets::SecretName;
use shared::store::connections::Status;
use shared::store::journal::By;
use utoipa::ToSchema;

use crate::Deps;
use crate::view::ConnectionDetail;

/// Logs in, and tries every right that a sync needs.
///
/// # Errors
/// What the PSA says; every right that is missing, by name.
pub(crate) async fn verify(psas: &Registry, credentials: &Credentials) -> Result<Endpoint, Problem> {
    let endpoint = psas.discover(credentials).await?;
    let rights = psas.open(&endpoint, credentials.clone(), Arc::new(NoNotebook)).rights().await?;
    let missing: Vec<_> = rights.into_iter().filter(|right| right.missing.is_some()).collect();
    if missing.is_empty() { Ok(endpoint) } else { Err(rights_missing(&missing)) }
}

fn rights_missing(missing: &[Right]) -> Problem {
    let names: Vec<_> = missing.iter().map(|right| right.name.as_str()).collect();
    let errors = missing.iter().filter_map(|right| {
        let said = right.missing.as_ref()?;
        Some(Fault::new("/credentials", format!("may not {}: {}", right.name, said.explanation)))
    });
    let fix = missing.iter().find_map(|right| right.missing.as_ref()).map_or("", |error| error.fix.as_str());
    let detail = format!("The log-in works, but the user may not: {}.", names.join("; "));
    Problem::new(axum::http::StatusCode::UNPROCESSABLE_ENTITY, "psa_rights_missing", detail)
        .faults(errors.collect())
        .fix(fix)
}

/// New credentials.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCredentialsBody {
    /// As when the connection was made.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Object, required = true)]
    credentials: Option<Value>,
}

/// Replace the credentials.
///
/// The new ones are tried first; if they fail, the old ones stay.
#[utoipa::path(
    put,
    path = "/v1/connections/{id}/credentials",
    tag = "connections",
    params(("id" = String, Path)),
    request_body = NewCredentialsBody,
    responses((status = 200, body = ConnectionDetail), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn replace(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    Path(id): Path<ConnectionId>,
    Json(body): Json<NewCredentialsBody>,
) -> Result<Json<ConnectionDetail>, Problem> {
    let connection = deps.opener.connection(&caller.partner, &id).await?;
    let given = body.credentials.ok_or_else(|| Problem::invalid(vec![Fault::new("/credentials", "is required")]))?;
    let credentials = Credentials::parse(connection.psa, "/credentials", given).map_err(Problem::invalid)?;
    let endpoint = verify(&deps.psas, &credentials).await?;
    if endpoint.tenant != connection.endpoint.tenant {
        return Err(another_tenant());
    }

    let secret = SecretName::of(&caller.partner, &id);
    deps.secrets.put(&secret, &credentials.to_secret()).await?;
    // What stopped the connection was said of the old ones.
    deps.opener.circuits().verified(&caller.partner, &id).await?;
    let by = By::person(&caller.actor, deps.clock.now());
    let written = deps.connections.credentials_replaced(&caller.partner, &id, &by, &endpoint);
    let written = written.await?.ok_or(OpenError::NotFound)?;
    if written.status == Status::Revoked {
        // In the meantime: the secret that was just written must not outlive that.
        deps.secrets.delete(&secret).await?;
        return Err(OpenError::Revoked.into());
    }
    Ok(Json(ConnectionDetail::let_in(deps.without_ended_run(written).await?)))
}

fn another_tenant() -> Problem {
    let detail = "These credentials lead to another tenant of the PSA than the one this connection was made for.";
    Problem::new(axum::http::StatusCode::UNPROCESSABLE_ENTITY, "another_tenant", detail)
        .faults(vec![Fault::new("/credentials", "lead to another tenant")])
        .fix("Send credentials of the same tenant, or make a new connection for the other one.")
}
