//! A snapshot's header: what it said of itself, and how far it has come.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::snapshot::{Coverage, Snapshot};
use crate::domain::ids::{CompanyId, ProductKey, SnapshotId};

/// How long snapshots and counts are kept after they were received, in days: longer than the 400 that a change must
/// stay traceable.
pub const KEPT_DAYS: i64 = 430;

/// How far a snapshot has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotState {
    /// Its parts are still coming; until it is sealed it is incomplete.
    Open,
    /// Its content is known, its counts are on their way in. Sending it again completes it.
    Received,
    /// All its counts are in.
    Applied,
}

/// Of whom a complete snapshot says nothing, though they are not in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gaps {
    /// Companies that are there and of which no count could be read.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub untold: BTreeSet<CompanyId>,
    /// Whether companies that were never counted may be missing because nobody asked about them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_asked: bool,
}

impl Gaps {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// The row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotHeader {
    /// Its name.
    pub snapshot_id: SnapshotId,
    /// The instant its counts are true for.
    pub as_of: Timestamp,
    /// Whether what is absent from it has none.
    pub complete: bool,
    /// Of whom it says nothing nevertheless.
    #[serde(default, skip_serializing_if = "Gaps::is_none")]
    pub gaps: Gaps,
    /// How far it has come.
    pub state: SnapshotState,
    /// When it was first heard of. Of two snapshots as of one instant the one received later counts.
    pub received_at: Timestamp,
    /// Fingerprint of a snapshot that came in one piece.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// How many parts it was sealed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<u32>,
    /// What it counts; a complete snapshot says nothing of other products. What is only charged for is not counted: no company
    /// can be absent from that.
    pub products: Vec<ProductKey>,
    /// Records in it, charges among them.
    pub records: usize,
    /// Charge records in it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub charges: usize,
    /// Companies in it.
    pub companies: usize,
    /// The second after which the row may go.
    pub expires: i64,
}

impl SnapshotHeader {
    /// Of a snapshot that came in one piece.
    pub(super) fn whole(snapshot: &Snapshot, now: Timestamp) -> Self {
        let coverage = Coverage::of([snapshot.content()]);
        Self {
            complete: snapshot.complete(),
            state: SnapshotState::Received,
            hash: Some(snapshot.hash()),
            ..Self::open(snapshot.id().clone(), snapshot.as_of(), now)
        }
        .covering(coverage)
    }

    /// The same, of content that covers so much.
    pub(super) fn covering(self, coverage: Coverage) -> Self {
        let Coverage { products, records, charges, companies } = coverage;
        Self { products: products.into_iter().collect(), records, charges, companies, ..self }
    }

    /// Of a snapshot whose first part just came.
    pub(super) fn open(snapshot_id: SnapshotId, as_of: Timestamp, now: Timestamp) -> Self {
        Self {
            snapshot_id,
            as_of,
            complete: false,
            gaps: Gaps::default(),
            state: SnapshotState::Open,
            received_at: now,
            hash: None,
            parts: None,
            products: Vec::new(),
            records: 0,
            charges: 0,
            companies: 0,
            expires: expires(now),
        }
    }
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// The second after which a row received at `now` may go.
pub(in crate::store) fn expires(now: Timestamp) -> i64 {
    now.as_second() + KEPT_DAYS * 86_400
}
