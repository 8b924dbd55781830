//! A snapshot larger than one request: parts that never change once received, and the seal that makes them one.
//!
//! Until it is sealed a snapshot is incomplete, and so are the counts of its parts: they can raise a line and never lower
//! it. The seal reads every part back and finds what occurs twice before it calls anything complete. Charges count from the
//! seal on: half of them would be charged as if they were all.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::header::{Gaps, SnapshotHeader, SnapshotState, expires};
use super::receive::{Chunk, Differs, Receipt, Snapshots, origin};
use super::snapshot::{Content, Coverage, Snapshot};
use super::{counts, roll};
use crate::domain::charge::RecordKey;
use crate::domain::ids::{CompanyId, Meter, PartnerId, ProductKey, SnapshotId};
use crate::store::{Condition, Read, StoreError, charges, schema};

/// The most parts of one snapshot.
pub const MAX_PARTS: u32 = 20;

/// The most faults that a refused seal names.
const MAX_FAULTS: usize = 100;

/// One part, as it was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartHeader {
    /// From 1.
    pub part: u32,
    /// Records in it.
    pub records: usize,
    /// When it was first heard of.
    pub received_at: Timestamp,
    /// `received` until all its records are stored, then `applied`.
    pub state: SnapshotState,
    hash: String,
    expires: i64,
}

/// What became of a seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sealing {
    /// It is sealed, now or by an earlier request like this one.
    Sealed(SnapshotHeader),
    /// Nothing is known under this id.
    NotFound,
    /// It came in one piece, or was sealed otherwise.
    Differs(Differs),
    /// Parts that were not received, or not to their end.
    Missing(Vec<u32>),
    /// Parts that were received beyond the number that the seal names.
    Beyond(Vec<u32>),
    /// What occurs in two parts.
    Twice(Vec<Twice>),
}

/// A count or a charge that occurs in two parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twice {
    /// The company.
    pub company: CompanyId,
    /// The product.
    pub product: ProductKey,
    /// Of a charge, its meter and the first of its days.
    pub charge: Option<(Meter, Date)>,
    /// Both parts.
    pub parts: (u32, u32),
}

impl Snapshots {
    /// Takes in part `number` (from 1, at most [`MAX_PARTS`]); parts may come in any order and at once.
    ///
    /// # Errors
    /// The store is unavailable: the part may be half in. Sending it again completes it.
    pub async fn receive_part(
        &self,
        partner: &PartnerId,
        content: &Snapshot,
        number: u32,
        now: Timestamp,
    ) -> Result<Receipt<PartHeader>, StoreError> {
        let open = SnapshotHeader::open(content.id().clone(), content.as_of(), now);
        let (header, _) = self.claim(partner, &open).await?;
        if header.hash.is_some() {
            return Ok(Receipt::Differs(Differs::InOnePiece));
        }
        if header.as_of != content.as_of() {
            return Ok(Receipt::Differs(Differs::AsOf));
        }
        let mine = PartHeader {
            part: number,
            records: content.records().len() + content.charges().len(),
            received_at: now,
            state: SnapshotState::Received,
            hash: content.hash(),
            expires: expires(now),
        };
        let (part, new) = match self.part(partner, content.id(), number).await? {
            Some(found) => (found, false),
            None if header.state != SnapshotState::Open => return Ok(Receipt::Differs(Differs::Sealed)),
            None => self.claim_part(partner, content.id(), mine.clone()).await?,
        };
        if part.hash != mine.hash {
            return Ok(Receipt::Differs(Differs::Content));
        }
        if part.state == SnapshotState::Applied {
            return Ok(Receipt::Repeated(part));
        }
        self.store_records(partner, content, number, part.expires).await?;
        let from = origin(partner, &header, false);
        counts::record(&self.table, from.clone(), content.records()).await?;
        let update = Condition::new("SET #state = :state").bind(":state", SnapshotState::Applied)?;
        self.table.amend(&schema::snapshot_part(partner, content.id(), number), &update, &Condition::present()).await?;
        roll::call(&self.table, &from, content.records(), content.charges()).await;
        let part = PartHeader { state: SnapshotState::Applied, ..part };
        Ok(if new { Receipt::Stored(part) } else { Receipt::Repeated(part) })
    }

    /// The parts received so far, by number.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn parts(&self, partner: &PartnerId, snapshot: &SnapshotId) -> Result<Vec<PartHeader>, StoreError> {
        let rows = self.table.all(&schema::of_snapshot(partner, snapshot), "HEAD#", Read::Consistent).await?;
        Ok(rows.into_iter().map(|(_, part)| part).collect())
    }

    /// Makes parts 1 to `parts` one snapshot. The same again answers the same, and completes a seal that was cut short.
    ///
    /// # Errors
    /// The store is unavailable: counts may be half in. Sending the seal again completes it.
    pub async fn seal(
        &self,
        partner: &PartnerId,
        snapshot: &SnapshotId,
        parts: u32,
        complete: bool,
    ) -> Result<Sealing, StoreError> {
        self.seal_but(partner, snapshot, parts, complete, &Gaps::default()).await
    }

    /// As [`Snapshots::seal`], of a snapshot that says nothing of some companies though it is complete.
    ///
    /// # Errors
    /// As [`Snapshots::seal`].
    pub async fn seal_but(
        &self,
        partner: &PartnerId,
        snapshot: &SnapshotId,
        parts: u32,
        complete: bool,
        gaps: &Gaps,
    ) -> Result<Sealing, StoreError> {
        let Some(header) = self.header(partner, snapshot).await? else { return Ok(Sealing::NotFound) };
        if header.hash.is_some() {
            return Ok(Sealing::Differs(Differs::InOnePiece));
        }
        if header.state == SnapshotState::Open {
            let received = self.parts(partner, snapshot).await?;
            if let Some(refused) = unfit(&received, parts) {
                return Ok(refused);
            }
        } else if header.parts != Some(parts) || header.complete != complete || header.gaps != *gaps {
            return Ok(Sealing::Differs(Differs::Sealed));
        }
        if header.state == SnapshotState::Applied {
            return Ok(Sealing::Sealed(header));
        }
        let contents = self.contents_of(partner, snapshot, parts).await?;
        let header = match header.state {
            SnapshotState::Open => {
                let twice = twice(&contents);
                if !twice.is_empty() {
                    return Ok(Sealing::Twice(twice));
                }
                let header = SnapshotHeader { complete, gaps: gaps.clone(), ..header };
                match self.close(partner, header, &contents).await? {
                    Some(closed) => closed,
                    None => return Ok(Sealing::Differs(Differs::Sealed)),
                }
            }
            SnapshotState::Received | SnapshotState::Applied => header,
        };
        for part in contents.values() {
            if complete {
                counts::record(&self.table, origin(partner, &header, true), &part.counts).await?;
            }
            charges::record(&self.table, origin(partner, &header, complete), &part.charges).await?;
        }
        Ok(Sealing::Sealed(self.applied(partner, header).await?))
    }

    async fn part(
        &self,
        partner: &PartnerId,
        snapshot: &SnapshotId,
        number: u32,
    ) -> Result<Option<PartHeader>, StoreError> {
        self.table.get(&schema::snapshot_part(partner, snapshot, number), Read::Consistent).await
    }

    async fn claim_part(
        &self,
        partner: &PartnerId,
        snapshot: &SnapshotId,
        mine: PartHeader,
    ) -> Result<(PartHeader, bool), StoreError> {
        if self.table.put(&schema::snapshot_part(partner, snapshot, mine.part), &mine, &Condition::absent()).await? {
            return Ok((mine, true));
        }
        let found = self.part(partner, snapshot, mine.part).await?;
        found.map(|found| (found, false)).ok_or_else(|| StoreError::Unavailable("a part vanished".into()))
    }

    async fn contents_of(
        &self,
        partner: &PartnerId,
        snapshot: &SnapshotId,
        parts: u32,
    ) -> Result<BTreeMap<u32, Content>, StoreError> {
        let mut contents = BTreeMap::new();
        for part in 1..=parts {
            let prefix = format!("PART#{part:05}#");
            let rows: Vec<(_, Chunk)> =
                self.table.all(&schema::of_snapshot(partner, snapshot), &prefix, Read::Consistent).await?;
            let mut content = Content::default();
            for (_, chunk) in rows {
                content.counts.extend(chunk.records);
                content.charges.extend(chunk.charges);
            }
            contents.insert(part, content);
        }
        Ok(contents)
    }

    /// Fixes what the snapshot consists of. `None`: another seal came first.
    async fn close(
        &self,
        partner: &PartnerId,
        header: SnapshotHeader,
        contents: &BTreeMap<u32, Content>,
    ) -> Result<Option<SnapshotHeader>, StoreError> {
        let closed =
            SnapshotHeader { state: SnapshotState::Received, parts: u32::try_from(contents.len()).ok(), ..header }
                .covering(Coverage::of(contents.values()));
        let key = schema::snapshot(partner, &closed.snapshot_id);
        let open = Condition::new("#state = :open").bind(":open", SnapshotState::Open)?;
        if self.table.put(&key, &closed, &open).await? {
            return Ok(Some(closed));
        }
        let found = self.header(partner, &closed.snapshot_id).await?;
        let is_same = |found: &SnapshotHeader| {
            (found.parts, found.complete, &found.gaps) == (closed.parts, closed.complete, &closed.gaps)
        };
        Ok(found.filter(is_same))
    }
}

fn unfit(received: &[PartHeader], parts: u32) -> Option<Sealing> {
    let there = |number: u32| received.iter().any(|part| part.part == number && part.state == SnapshotState::Applied);
    let missing: Vec<_> = (1..=parts).filter(|number| !there(*number)).collect();
    if !missing.is_empty() {
        return Some(Sealing::Missing(missing));
    }
    let beyond: Vec<_> = received.iter().map(|part| part.part).filter(|part| *part > parts).collect();
    (!beyond.is_empty()).then_some(Sealing::Beyond(beyond))
}

fn twice(parts: &BTreeMap<u32, Content>) -> Vec<Twice> {
    let (mut counted, mut charged) = (HashMap::new(), HashMap::new());
    let mut found = Vec::new();
    for (part, content) in parts {
        for record in &content.counts {
            if let Some(before) = counted.insert((&record.company, &record.product), *part) {
                let (company, product) = (record.company.clone(), record.product.clone());
                found.push(Twice { company, product, charge: None, parts: (before, *part) });
            }
        }
        for record in &content.charges {
            let RecordKey { company, product, meter, from } = record.key();
            if let Some(before) = charged.insert(record.key(), *part) {
                found.push(Twice { company, product, charge: Some((meter, from)), parts: (before, *part) });
            }
        }
        if found.len() >= MAX_FAULTS {
            found.truncate(MAX_FAULTS);
            break;
        }
    }
    found
}
