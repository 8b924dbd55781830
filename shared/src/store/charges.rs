//! Charge records: of each company, product, meter and first day the newest that any snapshot said, one row each.
//!
//! Each is written where it is newer than what stands: the order of arrival does not matter, and a repeat changes nothing. A
//! record that a later snapshot does not name stands. What they come to is decided in `domain`; the snapshots that they came in
//! are kept by `usage`.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::batches::{in_batches, patiently};
use super::usage::{Month, Origin, UsageReader, expires};
use super::{Condition, Key, Page, Read, Rows, StoreError, Table, UnreadableRow, schema};
use crate::domain::charge::ChargeRecord;
use crate::domain::ids::{CompanyId, PartnerId, ProductKey, SnapshotId};

/// Rows a query, and queries a page.
const ROWS: i32 = 100;
const QUERIES: u32 = 10;

/// A charge record, and who said it when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCharge {
    /// The record.
    pub record: ChargeRecord,
    /// The instant that its snapshot is true for.
    pub as_of: Timestamp,
    /// The snapshot.
    pub snapshot: SnapshotId,
}

/// The row.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    record: ChargeRecord,
    as_of_s: i64,
    received_ms: i64,
    snapshot_id: SnapshotId,
    expires: i64,
}

impl TryFrom<Row> for StoredCharge {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let as_of = Timestamp::from_second(row.as_of_s).map_err(|e| StoreError::Corrupt(e.to_string()))?;
        Ok(Self { record: row.record, as_of, snapshot: row.snapshot_id })
    }
}

/// Writes what is news of `records`, many at a time. When it answers, all of them are in; after an error some may be, and the
/// same call again completes them.
pub(super) async fn record(table: &Table, origin: Origin, records: &[ChargeRecord]) -> Result<(), StoreError> {
    let origin = Arc::new(origin);
    in_batches(records, |batch| {
        let (table, origin) = (table.clone(), Arc::clone(&origin));
        async move { record_batch(&table, &origin, batch).await }
    })
    .await
}

/// Writes a batch at once where all of it is news, and one by one where some is not.
async fn record_batch(table: &Table, origin: &Origin, batch: Vec<ChargeRecord>) -> Result<(), StoreError> {
    let rows: Vec<(Key, Row, Condition)> =
        batch.into_iter().map(|record| row(origin, record)).collect::<Result<_, _>>()?;
    let writes = rows.iter().map(|(key, row, news)| table.write_put(key, row, news)).collect::<Result<_, _>>()?;
    // Throttled or lost: each is tried by itself, with patience.
    if matches!(table.transact(writes).await, Ok(true)) {
        return Ok(());
    }
    for (key, row, news) in &rows {
        // Where it is not news, something newer stands there, or itself.
        patiently(|| async { table.put(key, row, news).await.map(drop) }).await?;
    }
    Ok(())
}

fn row(origin: &Origin, record: ChargeRecord) -> Result<(Key, Row, Condition), StoreError> {
    let month = Month::of_date(record.period.from()).to_string();
    let key = schema::charge(&origin.partner, &month, &record.key());
    let row = Row {
        record,
        as_of_s: origin.as_of.as_second(),
        received_ms: origin.received_at.as_millisecond(),
        snapshot_id: origin.snapshot.clone(),
        expires: expires(origin.received_at),
    };
    // Of two that are as of one second and were received in one millisecond, any will do, so long as it is always the same.
    let news = Condition::new(
        "attribute_not_exists(#pk) OR #as_of_s < :as_of OR (#as_of_s = :as_of AND (#received_ms < :received \
         OR (#received_ms = :received AND #snapshot_id < :snapshot)))",
    )
    .bind(":as_of", row.as_of_s)?
    .bind(":received", row.received_ms)?
    .bind(":snapshot", &row.snapshot_id)?;
    Ok((key, row, news))
}

/// Which charge records.
#[derive(Debug, Clone)]
pub struct ChargeFilter {
    /// Only this company's.
    pub company: Option<CompanyId>,
    /// Only this product's.
    pub product: Option<ProductKey>,
    /// Whose days begin on this date or later.
    pub from: Date,
    /// Whose days begin on this date or earlier.
    pub to: Date,
}

/// Where a page ended: everything up to it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChargePosition {
    month: Month,
    row: Option<String>,
}

/// Charge records, and where to go on.
#[derive(Debug, Default)]
pub struct ChargesPage {
    /// At most as many as asked for, by month, company, product, first day and meter.
    pub items: Vec<StoredCharge>,
    /// What belongs here and can't be read.
    pub unreadable: Vec<UnreadableRow>,
    /// `None` at the end.
    pub next: Option<ChargePosition>,
}

impl UsageReader {
    /// At most `limit` charge records after `after`. A filter may match few rows of many, so a page reads a bounded number of
    /// rows and may come back short or empty with a position to go on from.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn charges(
        &self,
        partner: &PartnerId,
        filter: &ChargeFilter,
        after: Option<ChargePosition>,
        limit: usize,
    ) -> Result<ChargesPage, StoreError> {
        let (last, prefix) = (Month::of_date(filter.to), filter.prefix());
        let mut position = after.unwrap_or(ChargePosition { month: Month::of_date(filter.from), row: None });
        let mut page = ChargesPage::default();
        for _ in 0..QUERIES {
            if position.month > last {
                return Ok(page);
            }
            let pk = schema::charges_of_month(partner, &position.month.to_string());
            let query = Page { prefix: &prefix, after: position.row.as_deref(), limit: Some(ROWS), ..Page::default() };
            let rows: Rows<Result<Row, UnreadableRow>> =
                self.table.page_of_readable(&pk, &query, Read::Eventual).await?;
            for (sk, row) in rows.items {
                if filter.matches(&sk) {
                    if page.items.len() + page.unreadable.len() == limit {
                        page.next = Some(position);
                        return Ok(page);
                    }
                    match row {
                        Ok(row) => page.items.push(row.try_into()?),
                        Err(row) => page.unreadable.push(row),
                    }
                }
                position.row = Some(sk);
            }
            if rows.next.is_none() {
                position = ChargePosition { month: position.month.next(), row: None };
            }
        }
        page.next = (position.month <= last).then_some(position);
        Ok(page)
    }

    /// Every charge record that `filter` names, as every write before this call left them: for whoever works out charges. One
    /// that can't be read refuses them all: what is charged must not be less for it.
    ///
    /// # Errors
    /// The store is unavailable, or a record can't be read.
    pub async fn all_charges(
        &self,
        partner: &PartnerId,
        filter: &ChargeFilter,
    ) -> Result<Vec<StoredCharge>, StoreError> {
        let mut charges = Vec::new();
        for month in Month::all(Month::of_date(filter.from)..=Month::of_date(filter.to)) {
            let pk = schema::charges_of_month(partner, &month.to_string());
            let rows: Vec<(String, Row)> = self.table.all(&pk, &filter.prefix(), Read::Consistent).await?;
            for (_, row) in rows.into_iter().filter(|(sk, _)| filter.matches(sk)) {
                charges.push(row.try_into()?);
            }
        }
        Ok(charges)
    }
}

impl UsageReader {
    /// Every charge record that `filter` names, and the rows among them that can't be read: for whoever only looks at them. A
    /// query a month, and one more a megabyte.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn readable_charges(
        &self,
        partner: &PartnerId,
        filter: &ChargeFilter,
    ) -> Result<(Vec<StoredCharge>, Vec<UnreadableRow>), StoreError> {
        let (mut charges, mut unreadable) = (Vec::new(), Vec::new());
        for month in Month::all(Month::of_date(filter.from)..=Month::of_date(filter.to)) {
            let pk = schema::charges_of_month(partner, &month.to_string());
            let rows = self.table.all_readable::<Row>(&pk, &filter.prefix(), Read::Eventual).await?;
            for (sk, row) in rows.into_iter().filter(|(sk, _)| filter.matches(sk)) {
                match row.map(StoredCharge::try_from) {
                    Ok(Ok(charge)) => charges.push(charge),
                    Ok(Err(error)) => {
                        unreadable.push(UnreadableRow { row: sk, field: String::new(), why: error.to_string() });
                    }
                    Err(row) => unreadable.push(row),
                }
            }
        }
        Ok((charges, unreadable))
    }
}

impl ChargeFilter {
    /// What the sort keys of all rows that match begin with.
    fn prefix(&self) -> String {
        match (&self.company, &self.product) {
            (Some(company), Some(product)) => format!("{company}#{product}#"),
            (Some(company), None) => format!("{company}#"),
            (None, _) => String::new(),
        }
    }

    /// Whether a row matches, by its sort key. Ids hold no `#`.
    fn matches(&self, sk: &str) -> bool {
        let mut parts = sk.split('#').skip(1);
        let (product, from) = (parts.next(), parts.next().and_then(|from| from.parse::<Date>().ok()));
        let wanted = self.product.as_ref().is_none_or(|wanted| product == Some(wanted.as_str()));
        wanted && from.is_some_and(|from| (self.from..=self.to).contains(&from))
    }
}
