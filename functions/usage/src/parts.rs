//! Snapshots larger than one request: their parts and their seal.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use shared::api::auth::UsagePusher;
use shared::api::{Fault, Json, Path, Problem, ProblemBody};
use shared::domain::ids::SnapshotId;
use shared::store::usage::{MAX_PARTS, Sealing, Twice};
use utoipa::ToSchema;

use crate::fields::RecordBody;
use crate::{Deps, answer, check, fields};

/// Some of a snapshot's records.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PartContent)]
pub(crate) struct Body {
    /// The same instant in every part.
    #[schema(format = DateTime, example = "2026-11-20T23:59:00Z")]
    as_of: String,
    /// At most 5,000.
    #[schema(value_type = Vec<RecordBody>)]
    records: Vec<Value>,
}

/// Push a part of a snapshot. Parts may come in any order. Until the snapshot is sealed their counts are incomplete,
/// and their charges do not count.
#[utoipa::path(
    put, path = "/v1/usage/snapshots/{snapshot_id}/parts/{part}", tag = "usage", operation_id = "put_snapshot_part",
    params(
        ("snapshot_id" = String, Path, description = "Your name for the snapshot"),
        ("part" = u32, Path, description = "1 to 20"),
    ),
    request_body = Body,
    responses(
        (status = 201, description = "Stored", body = answer::Part),
        (status = 200, description = "It was here already", body = answer::Part),
        (status = 409, description = "`snapshot_differs`: the part was received with other content, or the snapshot is sealed"),
        (status = 422, description = "Some record is not valid; nothing was stored"),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/usage"]))
)]
pub(crate) async fn put(
    UsagePusher(caller): UsagePusher,
    State(deps): State<Deps>,
    Path((id, part)): Path<(String, String)>,
    Json(body): Json<Body>,
) -> Result<(StatusCode, Json<answer::Part>), Problem> {
    let id = fields::snapshot_id("path:snapshot_id", &id)?;
    let part =
        part.parse().ok().filter(|part| (1..=MAX_PARTS).contains(part)).ok_or_else(|| bad_number("path:part"))?;
    let now = deps.clock.now();
    let as_of = fields::as_of("/as_of", &body.as_of, now);
    let records = check::json_records(body.records, as_of.as_ref().err().cloned().into_iter().collect(), now)?;
    let as_of = as_of.map_err(|fault| Problem::invalid(vec![fault]))?;
    let content = records.snapshot(id, as_of, false);
    let (status, part) = answer::received(deps.snapshots.receive_part(&caller.partner, &content, part, now).await?)?;
    Ok((status, Json(part.into())))
}

/// What a snapshot consists of.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seal {
    /// How many parts it has.
    #[schema(minimum = 1, maximum = 20)]
    parts: u32,
    /// Whether a company that is missing in all of them has none of these products.
    complete: bool,
}

/// Seal a snapshot: parts 1 to `parts` are all of it. The same again changes nothing.
#[utoipa::path(
    post, path = "/v1/usage/snapshots/{snapshot_id}/seal", tag = "usage", operation_id = "seal_snapshot",
    params(("snapshot_id" = String, Path, description = "The name it was pushed under")),
    request_body = Seal,
    responses(
        (status = 200, description = "Sealed", body = answer::Snapshot),
        (status = 409, description = "`parts_missing`, `parts_beyond`, or `snapshot_differs`: it was sealed otherwise"),
        (status = 422, description = "Some company and product is in two parts"),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/usage"]))
)]
pub(crate) async fn seal(
    UsagePusher(caller): UsagePusher,
    State(deps): State<Deps>,
    Path(id): Path<SnapshotId>,
    Json(Seal { parts, complete }): Json<Seal>,
) -> Result<Json<answer::Snapshot>, Problem> {
    if !(1..=MAX_PARTS).contains(&parts) {
        return Err(bad_number("/parts"));
    }
    match deps.snapshots.seal(&caller.partner, &id, parts, complete).await? {
        Sealing::Sealed(header) => {
            let parts = deps.snapshots.parts(&caller.partner, &id).await?;
            Ok(Json(answer::Snapshot::of(header, parts)))
        }
        Sealing::NotFound => Err(Problem::not_found("snapshot")),
        Sealing::Differs(why) => Err(answer::differs(why)),
        Sealing::Missing(missing) => {
            Err(Problem::conflict("parts_missing", format!("Not received, or not to the end: {}.", numbers(&missing)))
                .fix("Send these parts again, then the seal."))
        }
        Sealing::Beyond(beyond) => Err(Problem::conflict(
            "parts_beyond",
            format!("Parts beyond that number were received: {}.", numbers(&beyond)),
        )
        .fix("Seal with the number of parts that were sent.")),
        Sealing::Twice(twice) => Err(Problem::invalid(twice.into_iter().map(in_two_parts).collect())
            .fix("A part never changes: send the snapshot under a new id, each company and product once.")),
    }
}

fn bad_number(pointer: &str) -> Problem {
    Problem::invalid(vec![Fault::new(pointer, format!("must be from 1 to {MAX_PARTS}"))])
}

fn numbers(parts: &[u32]) -> String {
    parts.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

fn in_two_parts(Twice { company, product, charge, parts: (first, second) }: Twice) -> Fault {
    let what = match charge {
        None => format!("count product {product} of company {company}"),
        Some((meter, from)) => format!("charge meter {meter} of product {product} of company {company} from {from} on"),
    };
    Fault::new("/parts", format!("part {first} and part {second} both {what}"))
}
