//! `POST /v1/connections`: the PSA is asked first; only what it lets in is stored.
//!
//! The secret is written before the row: a secret without a row harms nobody, a row without its secret is a connection
//! that fails every night.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use shared::api::auth::{Caller, Writer};
use shared::api::idempotent::{Creation, Made, once};
use shared::api::{Faults, Problem, ProblemBody, parse, present, time_zone};
use shared::domain::ids::ConnectionId;
use shared::psa::{Credentials, Psa};
use shared::secrets::SecretName;
use shared::store::Read;
use shared::store::connections::{Connection, NewConnection, Status};
use shared::store::journal::By;
use utoipa::ToSchema;

use crate::view::ConnectionDetail;
use crate::{Deps, credentials, fields};

/// What connects a PSA.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewConnectionBody {
    /// Which PSA.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Psa, required = true)]
    psa: Option<Value>,
    /// What you call it.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = true, min_length = 1, max_length = 200)]
    name: Option<Value>,
    /// IANA name of the time zone in which your days and months are reckoned.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = true, example = "Europe/Berlin")]
    time_zone: Option<Value>,
    /// Of Autotask: `username`, `secret`, `integration_code`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Object, required = true, example = json!({"username": "…", "secret": "…", "integration_code": "…"}))]
    credentials: Option<Value>,
}

/// Connect a PSA.
///
/// Logs in and tries every right that a sync needs; writes nothing in the PSA.
#[utoipa::path(
    post,
    path = "/v1/connections",
    tag = "connections",
    request_body = NewConnectionBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body make one connection")),
    responses((status = 201, body = ConnectionDetail), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn create(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    request: Creation<NewConnectionBody>,
) -> Result<Response, Problem> {
    once(&deps.remembered, &*deps.clock, &caller, request, "conn", async |id, body| {
        let connection = connect(&deps, &caller, id, check(body)?).await?;
        let connection = deps.without_ended_run(connection).await?;
        let location = Some(format!("/v1/connections/{}", connection.id));
        Ok(Made { status: StatusCode::CREATED, location, body: ConnectionDetail::let_in(connection) })
    })
    .await
}

struct Wanted {
    psa: Psa,
    name: String,
    time_zone: String,
    credentials: Credentials,
}

fn check(body: NewConnectionBody) -> Result<Wanted, Problem> {
    let mut faults = Faults::none();
    let psa = faults.require("/psa", body.psa, |value| parse("/psa", value));
    let name = faults.require("/name", body.name, fields::name);
    let time_zone = faults.require("/time_zone", body.time_zone, time_zone);
    let given = faults.require("/credentials", body.credentials, Ok);
    let credentials = match (psa, given) {
        (Some(psa), Some(given)) => faults.take_all(Credentials::parse(psa, "/credentials", given)),
        _ => None,
    };
    match (psa, name, time_zone, credentials) {
        (Some(psa), Some(name), Some(time_zone), Some(credentials)) => Ok(Wanted { psa, name, time_zone, credentials }),
        _ => Err(faults.refused()),
    }
}

async fn connect(deps: &Deps, caller: &Caller, id: String, wanted: Wanted) -> Result<Connection, Problem> {
    let partner = &caller.partner;
    let id = ConnectionId::try_from(id).map_err(Problem::internal)?;
    let endpoint = credentials::verify(&deps.psas, &wanted.credentials).await?;
    let new = NewConnection {
        id: id.clone(),
        partner: partner.clone(),
        psa: wanted.psa,
        endpoint,
        name: wanted.name,
        time_zone: wanted.time_zone,
    };
    let by = By::person(&caller.actor, deps.clock.now());
    let connection = Connection::new(new, by.at);

    let secret = SecretName::of(partner, &id);
    deps.secrets.put(&secret, &wanted.credentials.to_secret()).await?;
    match deps.connections.create(&connection, &by).await {
        Ok(true) => Ok(connection),
        // A request with this idempotency key made it and died before it could say so.
        Ok(false) => {
            let found = deps.connections.get(partner, &id, Read::Consistent).await?;
            let connection = found.ok_or_else(|| Problem::internal("a new row vanished"))?;
            if connection.status == Status::Revoked {
                // It was revoked since: its secret must not come back with the repeated request.
                deps.secrets.delete(&secret).await?;
            }
            Ok(connection)
        }
        Err(error) => {
            // The write may have been made all the same. Only a row that is surely absent lets the secret go.
            if let Ok(None) = deps.connections.get(partner, &id, Read::Consistent).await
                && let Err(error) = deps.secrets.delete(&secret).await
            {
                tracing::warn!(%error, connection = %id, "the secret of a connection that was not made is left behind");
            }
            Err(error.into())
        }
    }
}
