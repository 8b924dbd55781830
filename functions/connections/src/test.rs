//! `POST /v1/connections/{id}/test`: logs in as a sync would and tries each right. Writes nothing in the PSA.
//!
//! A person asks here, so it goes out though the connection's circuit is open, and an answer closes it. Credentials that
//! the PSA has refused are tried once a minute: more often is how a user gets locked.

use axum::extract::State;
use axum::http::{StatusCode, header};
use serde::Serialize;
use shared::api::auth::Writer;
use shared::api::{Json, Path, Problem, ProblemBody};
use shared::domain::ids::ConnectionId;
use shared::psa::guarded::TRIED_LATELY;
use shared::psa::{Kind, PsaError, Right};
use shared::store::connections::{Connection, Status};
use shared::store::journal::By;
use utoipa::ToSchema;

use crate::Deps;

/// What the test found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TestResult {
    /// Whether a sync could work.
    ok: bool,
    /// Each right that a sync needs; empty where the log-in failed.
    rights: Vec<RightView>,
    /// Why it is not ok, as a stable name.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// Why it is not ok.
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

/// One right.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RightView {
    /// In words.
    name: String,
    /// Whether the user has it.
    held: bool,
    /// What the PSA said where it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<String>,
}

/// Test a connection.
///
/// Credentials that the PSA has refused are tried at most once a minute: 429 with `Retry-After` until then.
#[utoipa::path(
    post,
    path = "/v1/connections/{id}/test",
    tag = "connections",
    params(("id" = String, Path)),
    responses((status = 200, body = TestResult), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn test(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    Path(id): Path<ConnectionId>,
) -> Result<Json<TestResult>, Problem> {
    let opened = deps.opener.open_in_person(&caller.partner, &id).await?;
    let tried = opened.connector.rights().await;
    if let Err(error) = &tried
        && error.code == TRIED_LATELY
    {
        return Err(tried_lately(error));
    }
    note(&deps, &opened.connection, &tried).await?;
    Ok(Json(tried.map_or_else(TestResult::failed, TestResult::of)))
}

fn tried_lately(error: &PsaError) -> Problem {
    Problem::new(StatusCode::TOO_MANY_REQUESTS, &error.code, &error.explanation)
        .fix(&error.fix)
        .header(header::RETRY_AFTER, &error.retry_after_s.unwrap_or(1).to_string())
}

/// Keeps the status true: let in again, or turned away.
async fn note(deps: &Deps, connection: &Connection, tried: &Result<Vec<Right>, PsaError>) -> Result<(), Problem> {
    let seen = match tried {
        Ok(_) => Status::Active,
        Err(error) if error.kind == Kind::Auth => Status::CredentialsRejected,
        Err(_) => return Ok(()),
    };
    // What was found out, and not what somebody decided.
    let by = By::system(deps.clock.now());
    let noted = deps.connections.edit(&connection.partner, &connection.id, &by, |row| {
        let differs = row.status != seen && row.status != Status::Revoked;
        if differs {
            row.status = seen;
        }
        differs
    });
    noted.await?;
    Ok(())
}

impl TestResult {
    fn failed(error: PsaError) -> Self {
        Self {
            ok: false,
            rights: Vec::new(),
            code: Some(error.code),
            explanation: Some(error.explanation),
            fix: Some(error.fix),
        }
    }

    fn of(rights: Vec<Right>) -> Self {
        let lacking = rights.iter().find_map(|right| right.missing.clone());
        Self {
            ok: lacking.is_none(),
            rights: rights.into_iter().map(RightView::from).collect(),
            code: lacking.as_ref().map(|error| error.code.clone()),
            explanation: lacking.as_ref().map(|error| error.explanation.clone()),
            fix: lacking.map(|error| error.fix),
        }
    }
}

impl From<Right> for RightView {
    fn from(right: Right) -> Self {
        Self {
            name: right.name,
            held: right.missing.is_none(),
            explanation: right.missing.map(|error| error.explanation),
        }
    }
}
