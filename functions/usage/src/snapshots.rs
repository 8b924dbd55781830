//! Snapshots in one piece, and how any snapshot stands.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use shared::api::auth::{Caller, Scope, UsagePusher};
use shared::api::{Json, Path, Problem, ProblemBody};
use shared::domain::ids::SnapshotId;
use shared::store::usage;
use utoipa::ToSchema;

use crate::fields::RecordBody;
use crate::{Deps, answer, check, fields};

/// Usage as of one instant: counts, charges, or both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SnapshotContent)]
pub(crate) struct Body {
    /// The instant that the counts are true for.
    #[schema(format = DateTime, example = "2026-11-20T23:59:00Z")]
    as_of: String,
    /// Whether a company that is missing here has none of the products that are counted here.
    complete: bool,
    /// At most 5,000; no company and product counted twice.
    #[schema(value_type = Vec<RecordBody>)]
    records: Vec<Value>,
}

/// Push a snapshot. The same again changes nothing; an older `as_of` never overwrites a newer one.
#[utoipa::path(
    put, path = "/v1/usage/snapshots/{snapshot_id}", tag = "usage", operation_id = "put_snapshot",
    params(("snapshot_id" = String, Path, description = "Your name for it, 1 to 128 characters")),
    request_body = Body,
    responses(
        (status = 201, description = "Stored", body = answer::Snapshot),
        (status = 200, description = "It was here already", body = answer::Snapshot),
        (status = 409, description = "`snapshot_differs`: the id stands for other content"),
        (status = 422, description = "Some record is not valid; nothing was stored"),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/usage"]))
)]
pub(crate) async fn put(
    UsagePusher(caller): UsagePusher,
    State(deps): State<Deps>,
    Path(id): Path<String>,
    Json(body): Json<Body>,
) -> Result<(StatusCode, Json<answer::Snapshot>), Problem> {
    let id = fields::snapshot_id("path:snapshot_id", &id)?;
    let now = deps.clock.now();
    let as_of = fields::as_of("/as_of", &body.as_of, now);
    let records = check::json_records(body.records, as_of.as_ref().err().cloned().into_iter().collect(), now)?;
    let as_of = as_of.map_err(|fault| Problem::invalid(vec![fault]))?;
    let snapshot = records.snapshot(id, as_of, body.complete);
    store(&deps, &caller, &snapshot).await
}

/// Stores a checked snapshot and answers.
pub(crate) async fn store(
    deps: &Deps,
    caller: &Caller,
    snapshot: &usage::Snapshot,
) -> Result<(StatusCode, Json<answer::Snapshot>), Problem> {
    let receipt = deps.snapshots.receive(&caller.partner, snapshot, deps.clock.now()).await?;
    let (status, header) = answer::received(receipt)?;
    Ok((status, Json(answer::Snapshot::of(header, Vec::new()))))
}

/// How a snapshot stands.
#[utoipa::path(
    get, path = "/v1/usage/snapshots/{snapshot_id}", tag = "usage", operation_id = "get_snapshot",
    params(("snapshot_id" = String, Path, description = "The name it was pushed under")),
    responses(
        (status = 200, description = "The snapshot", body = answer::Snapshot),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/read"]), ("bearer" = ["tallyline/usage"]))
)]
pub(crate) async fn get(
    caller: Caller,
    State(deps): State<Deps>,
    Path(id): Path<SnapshotId>,
) -> Result<Json<answer::Snapshot>, Problem> {
    may_see(&caller)?;
    let header = deps.snapshots.header(&caller.partner, &id).await?.ok_or_else(|| Problem::not_found("snapshot"))?;
    let in_parts = header.hash.is_none();
    let parts = if in_parts { deps.snapshots.parts(&caller.partner, &id).await? } else { Vec::new() };
    Ok(Json(answer::Snapshot::of(header, parts)))
}

/// Whoever pushes usage may see what became of it, besides readers.
pub(crate) fn may_see(caller: &Caller) -> Result<(), Problem> {
    if caller.may(Scope::Usage) { Ok(()) } else { caller.require(Scope::Read) }
}
