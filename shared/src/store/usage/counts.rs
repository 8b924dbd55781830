//! The counts of one feed in one month: one row, two attributes a quarter of an hour.
//!
//! `c052345` is the newest complete count of the quarter that begins on day 05 at 23:45 UTC, `i052345` the highest that an
//! incomplete snapshot gave in it. No time zone's midnight lies inside a quarter. Each is written by a conditional update of
//! its own: an older count never replaces a newer one, a repeat changes nothing, and writers of other quarters do not meet.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::header::expires;
use super::month::{Month, slot_of};
use super::snapshot::Record;
use crate::domain::amount::Amount;
use crate::domain::ids::{AccountId, CompanyId, PartnerId, ProductKey, SnapshotId};
use crate::domain::money::Currency;
use crate::domain::series::Count;
use crate::domain::units::Units;
use crate::store::batches::{in_batches, patiently};
use crate::store::{Condition, Key, StoreError, Table, Write, schema};

/// A (company, product) pair whose usage adds to a line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Feed {
    /// The partner's customer.
    pub company: CompanyId,
    /// What is counted.
    pub product: ProductKey,
}

/// One count, and what one unit cost then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedCount {
    /// The count.
    pub count: Count,
    /// As its snapshot gave it.
    pub unit_cost: Option<Amount>,
    /// The currency of that, where it was said.
    pub currency: Option<Currency>,
}

/// One attribute. The names are short because a row holds up to 5,952 of them, 62 with a snapshot a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Slot {
    /// Quantity.
    q: Units,
    /// As of, in seconds.
    t: i64,
    /// When the snapshot was received, in milliseconds.
    r: i64,
    /// Snapshot.
    s: SnapshotId,
    /// Unit cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    u: Option<Amount>,
    /// Its currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    y: Option<Currency>,
}

impl Slot {
    fn recorded(self, complete: bool) -> Result<RecordedCount, StoreError> {
        let as_of = Timestamp::from_second(self.t).map_err(|e| StoreError::Corrupt(e.to_string()))?;
        let count = Count { as_of, units: self.q, complete, snapshot: self.s };
        Ok(RecordedCount { count, unit_cost: self.u, currency: self.y })
    }
}

/// A row as it is read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct CountsOfMonth {
    pub(super) company_name: Option<String>,
    pub(super) account_id: Option<AccountId>,
    /// By quarter, complete before incomplete.
    slots: BTreeMap<String, (Option<Slot>, Option<Slot>)>,
}

impl CountsOfMonth {
    /// The counts in order of time.
    pub(super) fn into_counts(self) -> Result<Vec<RecordedCount>, StoreError> {
        let mut counts = Vec::with_capacity(self.slots.len());
        for (_, (complete, incomplete)) in self.slots {
            // The parts of a snapshot count as incomplete until it is sealed; what was said again as complete is one count.
            let sealed = matches!((&complete, &incomplete), (Some(c), Some(i)) if c.s == i.s);
            if let Some(slot) = incomplete.filter(|_| !sealed) {
                counts.push(slot.recorded(false)?);
            }
            if let Some(slot) = complete {
                counts.push(slot.recorded(true)?);
            }
        }
        counts.sort_by_key(|recorded| (recorded.count.as_of, !recorded.count.complete));
        Ok(counts)
    }
}

impl<'de> Deserialize<'de> for CountsOfMonth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Row;
        impl<'de> Visitor<'de> for Row {
            type Value = CountsOfMonth;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a row of counts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<CountsOfMonth, A::Error> {
                let mut row = CountsOfMonth::default();
                while let Some(name) = map.next_key::<String>()? {
                    match (name.get(..1), name.get(1..)) {
                        (Some("c"), Some(slot)) if is_slot(slot) => {
                            row.slots.entry(slot.to_owned()).or_default().0 = Some(map.next_value()?);
                        }
                        (Some("i"), Some(slot)) if is_slot(slot) => {
                            row.slots.entry(slot.to_owned()).or_default().1 = Some(map.next_value()?);
                        }
                        _ if name == "company_name" => row.company_name = Some(map.next_value()?),
                        _ if name == "account_id" => row.account_id = Some(map.next_value()?),
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(row)
            }
        }
        deserializer.deserialize_map(Row)
    }
}

fn is_slot(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Which snapshot the records being written belong to.
#[derive(Debug, Clone)]
pub(in crate::store) struct Origin {
    pub(in crate::store) partner: PartnerId,
    pub(in crate::store) snapshot: SnapshotId,
    pub(in crate::store) as_of: Timestamp,
    pub(in crate::store) received_at: Timestamp,
    pub(super) complete: bool,
}

/// Writes the counts of `records`, many at a time. When it answers, all of them are in; after an error some may be, and
/// the same call again completes them.
pub(super) async fn record(table: &Table, origin: Origin, records: &[Record]) -> Result<(), StoreError> {
    let origin = Arc::new(origin);
    in_batches(records, |batch| {
        let (table, origin) = (table.clone(), Arc::clone(&origin));
        async move { record_batch(&table, &origin, &batch).await }
    })
    .await
}

/// Writes a batch at once where every count of it is news, and one by one where some is not.
async fn record_batch(table: &Table, origin: &Origin, batch: &[Record]) -> Result<(), StoreError> {
    for newest_of_row in [true, false] {
        let writes = batch
            .iter()
            .map(|record| Update::of(origin, record).write(table, newest_of_row))
            .collect::<Result<_, _>>()?;
        // Throttled or lost: each is tried by itself, with patience.
        if matches!(table.transact(writes).await, Ok(true)) {
            return Ok(());
        }
    }
    for record in batch {
        patiently(|| record_one(table, origin, record)).await?;
    }
    Ok(())
}

async fn record_one(table: &Table, origin: &Origin, record: &Record) -> Result<(), StoreError> {
    let update = Update::of(origin, record);
    // Nearly always this count is the newest of its row, and so is the name that comes with it. Otherwise it is older than
    // another count of the row, and the name stays; or it is in already.
    for newest_of_row in [true, false] {
        if table.amend(&update.key, &update.change(newest_of_row)?, &update.condition(newest_of_row)?).await? {
            break;
        }
    }
    Ok(())
}

/// One count's change of its row.
struct Update<'a> {
    key: Key,
    attribute: String,
    slot: Slot,
    complete: bool,
    name: &'a str,
    account: Option<&'a AccountId>,
    expires: i64,
}

impl<'a> Update<'a> {
    fn of(origin: &Origin, record: &'a Record) -> Self {
        let month = Month::of(origin.as_of).to_string();
        Self {
            key: schema::counts(&origin.partner, &month, &record.company, &record.product),
            attribute: format!("{}{}", if origin.complete { 'c' } else { 'i' }, slot_of(origin.as_of)),
            slot: Slot {
                q: record.quantity,
                t: origin.as_of.as_second(),
                r: origin.received_at.as_millisecond(),
                s: origin.snapshot.clone(),
                u: record.unit_cost,
                y: record.currency.clone(),
            },
            complete: origin.complete,
            name: &record.company_name,
            account: record.account_id.as_ref(),
            expires: expires(origin.received_at),
        }
    }

    fn write(&self, table: &Table, newest_of_row: bool) -> Result<Write, StoreError> {
        table.write_update(&self.key, &self.change(newest_of_row)?, &self.condition(newest_of_row)?)
    }

    fn change(&self, newest_of_row: bool) -> Result<Condition, StoreError> {
        let slot = format!("SET #{} = :slot, #expires = :expires", self.attribute);
        let change = if newest_of_row {
            // A source that does not know the account says nothing against one that does.
            let account = if self.account.is_some() { ", #account_id = :account" } else { "" };
            let named = Condition::new(format!("{slot}, #company_name = :name, #named_at = :named_at{account}"))
                .bind(":name", self.name)?
                .bind(":named_at", self.slot.t)?;
            match self.account {
                Some(account) => named.bind(":account", account)?,
                None => named,
            }
        } else {
            Condition::new(slot)
        };
        change.bind(":slot", &self.slot)?.bind(":expires", self.expires)
    }

    fn condition(&self, newest_of_row: bool) -> Result<Condition, StoreError> {
        let a = &self.attribute;
        let news = if self.complete {
            format!("attribute_not_exists(#{a}) OR #{a}.#t < :t OR (#{a}.#t = :t AND #{a}.#r < :r)")
        } else {
            format!("attribute_not_exists(#{a}) OR #{a}.#q < :q")
        };
        let condition = if newest_of_row {
            Condition::new(format!("({news}) AND (attribute_not_exists(#named_at) OR #named_at <= :named_at)"))
                .bind(":named_at", self.slot.t)?
        } else {
            Condition::new(news)
        };
        if self.complete {
            condition.bind(":t", self.slot.t)?.bind(":r", self.slot.r)
        } else {
            condition.bind(":q", self.slot.q)
        }
    }
}
