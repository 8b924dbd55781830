//! A snapshot's content: checked counts and charges in one fixed order, their fingerprint, and the rows they are kept in.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::domain::amount::Amount;
use crate::domain::charge::{ChargeRecord, Worth};
use crate::domain::ids::{AccountId, CompanyId, ProductKey, SnapshotId};
use crate::domain::money::Currency;
use crate::domain::units::Units;

/// The most records that one request carries.
pub const MAX_RECORDS: usize = 5_000;

/// The most records in one row, and the most bytes of text: a row holds at most 400 KB.
const CHUNK_RECORDS: usize = 300;
const CHUNK_BYTES: usize = 250_000;

/// What one record costs beside its texts: attribute names and the store's own bytes.
const RECORD_OVERHEAD: usize = 80;
const CHARGE_OVERHEAD: usize = 240;

/// One company's count of one product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The partner's customer.
    pub company: CompanyId,
    /// Its name, for people.
    pub company_name: String,
    /// What is counted.
    pub product: ProductKey,
    /// How many.
    pub quantity: Units,
    /// What one costs the partner, where the source knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_cost: Option<Amount>,
    /// The currency of that; where none is said it is the contract's, whichever it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The company's account in the PSA, where the source knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
}

/// What a snapshot or a part of it says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) counts: Vec<Record>,
    pub(super) charges: Vec<ChargeRecord>,
}

/// Counts and charges as of one instant: a whole snapshot, or one part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    id: SnapshotId,
    as_of: Timestamp,
    complete: bool,
    content: Content,
}

impl Snapshot {
    /// Puts `records` in order. No (company, product) may occur twice in them: the caller has checked. `as_of` is cut
    /// to whole seconds.
    #[must_use]
    pub fn new(id: SnapshotId, as_of: Timestamp, complete: bool, mut records: Vec<Record>) -> Self {
        // One order, whatever order they came in: a repeat has the same fingerprint and the same rows.
        records.sort_by(|a, b| (&a.company, &a.product).cmp(&(&b.company, &b.product)));
        Self { id, as_of: whole_seconds(as_of), complete, content: Content { counts: records, charges: Vec::new() } }
    }

    /// The same with `charges` in order. No [`ChargeRecord::key`] may occur twice in them: the caller has checked.
    #[must_use]
    pub fn with_charges(mut self, mut charges: Vec<ChargeRecord>) -> Self {
        charges.sort_by_cached_key(ChargeRecord::key);
        self.content.charges = charges;
        self
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &SnapshotId {
        &self.id
    }

    /// The instant its counts are true for.
    #[must_use]
    pub fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// Whether what is absent from it has none.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.complete
    }

    /// The counts by company and product.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.content.counts
    }

    /// The charge records by what tells them from each other.
    #[must_use]
    pub fn charges(&self) -> &[ChargeRecord] {
        &self.content.charges
    }

    pub(super) fn content(&self) -> &Content {
        &self.content
    }

    /// The fingerprint of its content, 64 hex digits. Amounts that differ only in trailing zeros are the same.
    #[must_use]
    pub(super) fn hash(&self) -> String {
        let mut digest = Sha256::new();
        let mut add = |text: &str| {
            // Each field is led by its length, so that no two contents run together to one text.
            digest.update(text.len().to_be_bytes());
            digest.update(text);
        };
        add(&self.as_of.to_string());
        add(if self.complete { "complete" } else { "incomplete" });
        for record in self.records() {
            add(record.company.as_str());
            add(&record.company_name);
            add(record.product.as_str());
            add(&record.quantity.to_string());
            add(&record.unit_cost.map(|cost| cost.get().normalize().to_string()).unwrap_or_default());
        }
        // Behind all that, so that records without one keep the fingerprint that they always had. No id holds a `#`.
        for record in self.records() {
            if let Some(account) = &record.account_id {
                add("#account_id");
                add(record.company.as_str());
                add(record.product.as_str());
                add(account.as_str());
            }
            if let Some(currency) = &record.currency {
                add("#currency");
                add(record.company.as_str());
                add(record.product.as_str());
                add(currency.as_str());
            }
        }
        for charge in self.charges() {
            let (amount, quantity, unit_price) = match charge.worth {
                Worth::Amount(total) => (Some(total.get()), None, None),
                Worth::QuantityTimes { quantity, unit_price } => (None, Some(quantity.get()), Some(unit_price.get())),
            };
            add("#charge");
            add(charge.company.as_str());
            add(&charge.company_name);
            add(charge.product.as_str());
            add(charge.meter.as_str());
            add(&charge.description);
            add(&charge.period.from().to_string());
            add(&charge.period.to().to_string());
            for decimal in [amount, quantity, unit_price] {
                add(&decimal.map(|decimal| decimal.normalize().to_string()).unwrap_or_default());
            }
            add(charge.currency.as_str());
        }
        hex::encode(digest.finalize())
    }

    /// The counts by row.
    pub(super) fn chunks(&self) -> Vec<&[Record]> {
        chunked(self.records(), |record| {
            RECORD_OVERHEAD
                + record.company.as_str().len()
                + record.company_name.len()
                + record.product.as_str().len()
                + record.account_id.as_ref().map_or(0, |account| account.as_str().len() + "account_id".len())
                + record.currency.as_ref().map_or(0, |currency| currency.as_str().len() + "currency".len())
                + record.unit_cost.map_or(0, |cost| cost.to_string().len())
        })
    }

    /// The charge records by row.
    pub(super) fn charge_chunks(&self) -> Vec<&[ChargeRecord]> {
        chunked(self.charges(), |charge| {
            CHARGE_OVERHEAD
                + charge.company.as_str().len()
                + charge.company_name.len()
                + charge.product.as_str().len()
                + charge.meter.as_str().len()
                + charge.description.len()
        })
    }
}

/// `all` by row: as many as a row has room for.
fn chunked<T>(all: &[T], size_of: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let mut chunks = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (index, record) in all.iter().enumerate() {
        let size = size_of(record);
        if index > start && (index - start == CHUNK_RECORDS || bytes + size > CHUNK_BYTES) {
            chunks.push(&all[start..index]);
            (start, bytes) = (index, 0);
        }
        bytes += size;
    }
    if start < all.len() {
        chunks.push(&all[start..]);
    }
    chunks
}

/// What content speaks of.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Coverage {
    /// What is counted, not what is only charged for.
    pub(super) products: BTreeSet<ProductKey>,
    pub(super) records: usize,
    pub(super) charges: usize,
    pub(super) companies: usize,
}

impl Coverage {
    pub(super) fn of<'a>(contents: impl IntoIterator<Item = &'a Content>) -> Self {
        let (mut coverage, mut companies) = (Self::default(), BTreeSet::new());
        for Content { counts, charges } in contents {
            for record in counts {
                if !coverage.products.contains(&record.product) {
                    coverage.products.insert(record.product.clone());
                }
                companies.insert(&record.company);
            }
            companies.extend(charges.iter().map(|charge| &charge.company));
            coverage.records += counts.len() + charges.len();
            coverage.charges += charges.len();
        }
        Self { companies: companies.len(), ..coverage }
    }
}

fn whole_seconds(instant: Timestamp) -> Timestamp {
    Timestamp::from_second(instant.as_second()).unwrap_or(instant)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::charge::UsagePeriod;

    fn record(company: &str, quantity: i64, cost: Option<&str>) -> Record {
        Record {
            company: company.parse().unwrap(),
            company_name: company.to_uppercase(),
            product: "edr".parse().unwrap(),
            quantity: quantity.try_into().unwrap(),
            unit_cost: cost.map(|cost| cost.parse().unwrap()),
            currency: None,
            account_id: None,
        }
    }

    fn snapshot(as_of: &str, complete: bool, records: Vec<Record>) -> Snapshot {
        Snapshot::new("s1".parse().unwrap(), as_of.parse().unwrap(), complete, records)
    }

    #[test]
    fn the_fingerprint_depends_on_content_and_not_on_order() {
        let noon = "2026-11-20T12:00:00Z";
        let one = snapshot(noon, true, vec![record("a", 1, Some("1.10")), record("b", 2, None)]);
        let same =
            snapshot("2026-11-20T13:00:00.4+01:00", true, vec![record("b", 2, None), record("a", 1, Some("1.1"))]);
        assert_eq!(one.hash(), same.hash());
        for other in [
            snapshot(noon, false, vec![record("a", 1, Some("1.10")), record("b", 2, None)]),
            snapshot("2026-11-20T12:00:01Z", true, vec![record("a", 1, Some("1.10")), record("b", 2, None)]),
            snapshot(noon, true, vec![record("a", 1, None), record("b", 2, None)]),
            snapshot(noon, true, vec![record("a", 2, Some("1.10")), record("b", 2, None)]),
            snapshot(noon, true, vec![record("a", 1, Some("1.10"))]),
        ] {
            assert_ne!(one.hash(), other.hash(), "{other:?}");
        }
    }

    #[test]
    fn an_account_is_part_of_the_fingerprint_and_its_lack_changes_none() {
        let noon = "2026-11-20T12:00:00Z";
        let without = snapshot(noon, true, vec![record("a", 1, None)]);
        // What it was before records could name an account.
        assert_eq!(without.hash(), "8a032b833d23efb98612c1ca34e092b1dd79d5966d60d5472f235f067bf0fcb5");
        let priced = |code: &str| Record { currency: Some(code.parse().unwrap()), ..record("a", 1, Some("1")) };
        let hash_of = |record| Snapshot::new("s".parse().unwrap(), Timestamp::UNIX_EPOCH, true, vec![record]).hash();
        assert_ne!(hash_of(priced("EUR")), hash_of(priced("USD")));
        assert_ne!(hash_of(priced("EUR")), hash_of(record("a", 1, Some("1"))));
        let of = |account: &str| Record { account_id: Some(account.parse().unwrap()), ..record("a", 1, None) };
        let (one, other) = (snapshot(noon, true, vec![of("7")]), snapshot(noon, true, vec![of("8")]));
        assert!(one.hash() != without.hash() && one.hash() != other.hash());
        assert_eq!(one.hash(), snapshot(noon, true, vec![of("7")]).hash());
    }

    #[test]
    fn rows_hold_every_record_once_and_stay_small() {
        let mut records: Vec<_> = (0..700).map(|n| record(&format!("c{n:04}"), n, None)).collect();
        for record in &mut records[..100] {
            record.company_name = "x".repeat(4_000);
        }
        let all = snapshot("2026-11-20T12:00:00Z", true, records);
        let chunks = all.chunks();
        assert_eq!(chunks.concat(), all.records());
        for chunk in &chunks {
            assert!(chunk.len() <= CHUNK_RECORDS && serde_json::to_string(chunk).unwrap().len() < 300_000);
        }
        assert_eq!(chunks.len(), 4);
        assert!(snapshot("2026-11-20T12:00:00Z", true, vec![]).chunks().is_empty());
    }

    #[test]
    fn rows_of_charges_hold_each_once_and_stay_small() {
        let charge = |n: usize| ChargeRecord {
            company: format!("c{n:04}").parse().unwrap(),
            company_name: "ä".repeat(200),
            product: "p".repeat(128).parse().unwrap(),
            meter: "m".repeat(128).parse().unwrap(),
            description: "ö".repeat(200),
            period: UsagePeriod::new(date(2026, 10, 1), date(2026, 10, 31)).unwrap(),
            worth: Worth::QuantityTimes {
                quantity: "999999.999999".parse().unwrap(),
                unit_price: "-999999.999999".parse().unwrap(),
            },
            currency: "EUR".parse().unwrap(),
        };
        let all = snapshot("2026-11-20T12:00:00Z", true, vec![]).with_charges((0..1_000).rev().map(charge).collect());
        let chunks = all.charge_chunks();
        assert_eq!((chunks.concat().as_slice(), chunks.len()), (all.charges(), 6));
        for chunk in &chunks {
            assert!(serde_json::to_string(chunk).unwrap().len() < 300_000);
        }
        assert!(all.charges().is_sorted_by_key(ChargeRecord::key) && all.chunks().is_empty());
    }
}
