//! Takes a snapshot in: header, records, counts, charges, newest complete, applied; in this order.
//!
//! The header is claimed first, so that one id never stands for two contents. It becomes `applied` last, so that
//! whoever finds `received` knows that a step was missed and repeats them all: each changes nothing where it was done.
//! The roll comes after that, for no snapshot waits for it.

use jiff::Timestamp;
use serde::Serialize;

use super::counts::{self, Origin};
use super::header::{Gaps, SnapshotHeader, SnapshotState};
use super::roll;
use super::snapshot::{Record, Snapshot};
use crate::domain::charge::ChargeRecord;
use crate::domain::ids::{PartnerId, ProductKey, SnapshotId};
use crate::store::{Condition, Read, StoreError, Table, charges, schema};

/// Why an id is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Differs {
    /// It was received with other content.
    Content,
    /// It was sealed; no more parts are taken.
    Sealed,
    /// It came, or comes, in parts.
    InParts,
    /// It came in one piece.
    InOnePiece,
    /// This part is as of another instant than the parts before it.
    AsOf,
}

/// What became of a snapshot or part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt<T> {
    /// It is new.
    Stored(T),
    /// It was here already, with the same content.
    Repeated(T),
    /// Its id stands for something else.
    Differs(Differs),
}

/// Snapshots, as they are pushed.
#[derive(Debug, Clone)]
pub struct Snapshots {
    pub(super) table: Table,
}

impl Snapshots {
    /// In `table`.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table }
    }

    /// Takes in a snapshot that comes in one piece. The same again answers the same, and completes one that was cut short.
    ///
    /// # Errors
    /// The store is unavailable: the snapshot may be half in. Sending it again completes it.
    pub async fn receive(
        &self,
        partner: &PartnerId,
        snapshot: &Snapshot,
        now: Timestamp,
    ) -> Result<Receipt<SnapshotHeader>, StoreError> {
        let mine = SnapshotHeader::whole(snapshot, now);
        let (header, new) = self.claim(partner, &mine).await?;
        if header.hash.is_none() {
            return Ok(Receipt::Differs(Differs::InParts));
        }
        if header.hash != mine.hash {
            return Ok(Receipt::Differs(Differs::Content));
        }
        if header.state == SnapshotState::Applied {
            return Ok(Receipt::Repeated(header));
        }
        self.store_records(partner, snapshot, 0, header.expires).await?;
        let from = origin(partner, &header, header.complete);
        counts::record(&self.table, from.clone(), snapshot.records()).await?;
        charges::record(&self.table, from.clone(), snapshot.charges()).await?;
        let header = self.applied(partner, header).await?;
        roll::call(&self.table, &from, snapshot.records(), snapshot.charges()).await;
        Ok(if new { Receipt::Stored(header) } else { Receipt::Repeated(header) })
    }

    /// What is known of a snapshot.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn header(
        &self,
        partner: &PartnerId,
        snapshot: &SnapshotId,
    ) -> Result<Option<SnapshotHeader>, StoreError> {
        self.table.get(&schema::snapshot(partner, snapshot), Read::Consistent).await
    }

    /// Stores `mine` where nothing is stored under its id. Gives what is stored then, and whether it is `mine`.
    pub(super) async fn claim(
        &self,
        partner: &PartnerId,
        mine: &SnapshotHeader,
    ) -> Result<(SnapshotHeader, bool), StoreError> {
        let key = schema::snapshot(partner, &mine.snapshot_id);
        if let Some(found) = self.table.get(&key, Read::Consistent).await? {
            return Ok((found, false));
        }
        if self.table.put(&key, mine, &Condition::absent()).await? {
            return Ok((mine.clone(), true));
        }
        let found = self.table.get(&key, Read::Consistent).await?;
        found.map(|found| (found, false)).ok_or_else(|| StoreError::Unavailable("a snapshot vanished".into()))
    }

    /// Stores records as they came; `part` is 0 for a snapshot in one piece. Rows that are there already are the same.
    pub(super) async fn store_records(
        &self,
        partner: &PartnerId,
        snapshot: &Snapshot,
        part: u32,
        expires: i64,
    ) -> Result<(), StoreError> {
        let counts = snapshot.chunks().into_iter().map(|counts| (counts, &[][..]));
        let charges = snapshot.charge_chunks().into_iter().map(|charges| (&[][..], charges));
        for (number, (records, charges)) in (0..).zip(counts.chain(charges)) {
            let key = schema::snapshot_chunk(partner, snapshot.id(), part, number);
            let chunk = Chunk { records: records.to_vec(), charges: charges.to_vec(), expires };
            self.table.put(&key, &chunk, &Condition::absent()).await?;
        }
        Ok(())
    }

    /// The last steps: what is complete may now speak of absence, and the header says that all is in.
    pub(super) async fn applied(
        &self,
        partner: &PartnerId,
        header: SnapshotHeader,
    ) -> Result<SnapshotHeader, StoreError> {
        if header.complete {
            for product in &header.products {
                self.advance(partner, product, &header).await?;
            }
        }
        let key = schema::snapshot(partner, &header.snapshot_id);
        let update = Condition::new("SET #state = :state").bind(":state", SnapshotState::Applied)?;
        self.table.amend(&key, &update, &Condition::present()).await?;
        Ok(SnapshotHeader { state: SnapshotState::Applied, ..header })
    }

    /// Names `header` as the newest complete snapshot of `product`, unless a newer one is named.
    async fn advance(
        &self,
        partner: &PartnerId,
        product: &ProductKey,
        header: &SnapshotHeader,
    ) -> Result<(), StoreError> {
        let row = Newest {
            snapshot_id: header.snapshot_id.clone(),
            as_of_s: header.as_of.as_second(),
            received_ms: header.received_at.as_millisecond(),
            gaps: header.gaps.clone(),
        };
        let newer = Condition::new(
            "attribute_not_exists(#pk) OR #as_of_s < :as_of OR (#as_of_s = :as_of AND #received_ms < :received)",
        )
        .bind(":as_of", row.as_of_s)?
        .bind(":received", row.received_ms)?;
        self.table.put(&schema::newest_complete(partner, product), &row, &newer).await?;
        Ok(())
    }
}

/// The newest complete snapshot of one product. It never expires: without it absence could not be told from silence.
#[derive(Debug, Serialize, serde::Deserialize)]
pub(super) struct Newest {
    pub(super) snapshot_id: SnapshotId,
    pub(super) as_of_s: i64,
    received_ms: i64,
    #[serde(default)]
    pub(super) gaps: Gaps,
}

/// A row of records: counts or charges.
#[derive(Debug, Serialize, serde::Deserialize)]
pub(super) struct Chunk {
    pub(super) records: Vec<Record>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) charges: Vec<ChargeRecord>,
    expires: i64,
}

pub(super) fn origin(partner: &PartnerId, header: &SnapshotHeader, complete: bool) -> Origin {
    Origin {
        partner: partner.clone(),
        snapshot: header.snapshot_id.clone(),
        as_of: header.as_of,
        received_at: header.received_at,
        complete,
    }
}
