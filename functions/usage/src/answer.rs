//! What is answered about snapshots and their parts.

use axum::http::StatusCode;
use serde::Serialize;
use shared::api::Problem;
use shared::store::usage::{Differs, PartHeader, Receipt, SnapshotHeader, SnapshotState};
use utoipa::ToSchema;

/// A snapshot as it is known here.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Snapshot {
    snapshot_id: String,
    /// The instant its counts are true for, in whole seconds.
    #[schema(format = DateTime)]
    as_of: String,
    /// Whether it is complete; false until it is sealed.
    complete: bool,
    /// `open` until it is sealed, `received` while its counts are on their way in, `applied` then.
    state: SnapshotState,
    /// Records received.
    records: usize,
    /// How many of them are charges; left out where none is, and until it is sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    charges: Option<usize>,
    /// Companies in it; 0 until it is sealed.
    companies: usize,
    /// Products that it counts; empty until it is sealed.
    products: Vec<String>,
    /// Parts received, where it came in parts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Part>,
    #[schema(format = DateTime)]
    received_at: String,
}

/// A part of a snapshot.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SnapshotPart)]
pub(crate) struct Part {
    part: u32,
    records: usize,
    /// `received` while its counts are on their way in, `applied` then.
    state: SnapshotState,
    #[schema(format = DateTime)]
    received_at: String,
}

impl Snapshot {
    pub(crate) fn of(header: SnapshotHeader, parts: Vec<PartHeader>) -> Self {
        let open = header.state == SnapshotState::Open;
        Self {
            snapshot_id: header.snapshot_id.into(),
            as_of: header.as_of.to_string(),
            complete: header.complete,
            state: header.state,
            records: if open { parts.iter().map(|part| part.records).sum() } else { header.records },
            charges: Some(header.charges).filter(|charges| *charges > 0),
            companies: header.companies,
            products: header.products.into_iter().map(String::from).collect(),
            parts: parts.into_iter().map(Part::from).collect(),
            received_at: header.received_at.to_string(),
        }
    }
}

impl From<PartHeader> for Part {
    fn from(part: PartHeader) -> Self {
        Self { part: part.part, records: part.records, state: part.state, received_at: part.received_at.to_string() }
    }
}

/// 201 for what is new, 200 for what was here, 409 for an id that stands for something else.
pub(crate) fn received<T>(receipt: Receipt<T>) -> Result<(StatusCode, T), Problem> {
    match receipt {
        Receipt::Stored(row) => Ok((StatusCode::CREATED, row)),
        Receipt::Repeated(row) => Ok((StatusCode::OK, row)),
        Receipt::Differs(why) => Err(differs(why)),
    }
}

/// 409 `snapshot_differs`.
pub(crate) fn differs(why: Differs) -> Problem {
    let detail = match why {
        Differs::Content => "Something else was received under this id.",
        Differs::Sealed => "This snapshot is sealed, with other parts or otherwise complete.",
        Differs::InParts => "This snapshot was begun in parts.",
        Differs::InOnePiece => "This snapshot was received in one piece.",
        Differs::AsOf => "The parts before are as of another instant.",
    };
    Problem::conflict("snapshot_differs", detail).fix("A snapshot never changes: send what is new under a new id.")
}
