//! The sync's view of usage: every feed's counts over some months, and the newest complete snapshot of each product.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use jiff::Timestamp;

use super::counts::{CountsOfMonth, Feed, RecordedCount};
use super::header::Gaps;
use super::month::Month;
use super::receive::Newest;
use crate::domain::ids::{AccountId, CompanyId, PartnerId, ProductKey, SnapshotId};
use crate::sources::Vendor;
use crate::store::{Read, StoreError, Table, schema};

/// What is known of one feed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeedUsage {
    /// The company's name as last given.
    pub company_name: Option<String>,
    /// The company's account in the PSA, as last given by a source that knows it.
    pub account_id: Option<AccountId>,
    /// In order of time.
    pub counts: Vec<RecordedCount>,
}

/// The newest complete snapshot that counts a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewestComplete {
    /// The instant it is true for.
    pub as_of: Timestamp,
    /// Its name.
    pub snapshot: SnapshotId,
    /// Of whom it says nothing though they are not in it.
    pub gaps: Gaps,
}

impl NewestComplete {
    /// Whether a company that it does not count has none. `was_asked` says whether it was counted so shortly before that a vendor
    /// who is asked about each customer was asked about it.
    ///
    /// Each source knows its own companies alone: who is pulled can't be absent from what was pushed or pulled from elsewhere,
    /// nor who is pushed from what was pulled.
    #[must_use]
    pub fn speaks_of(&self, company: &CompanyId, was_asked: bool) -> bool {
        let is_known = Vendor::of(company) == Vendor::pulled(&self.snapshot);
        is_known && !self.gaps.untold.contains(company) && (was_asked || !self.gaps.only_asked)
    }
}

/// A partner's usage over some months.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsageBook {
    /// By feed; a feed without a count in these months is not in it.
    pub feeds: BTreeMap<Feed, FeedUsage>,
    /// By product. Every count of these snapshots is in `feeds`, where their months were asked for: a feed without one
    /// was absent.
    pub newest_complete: BTreeMap<ProductKey, NewestComplete>,
    /// The first month that was asked for: of what lies before it, nothing can be said.
    pub since: Option<Month>,
}

impl UsageBook {
    /// The instant of a product's newest complete snapshot, where that lies before `fresh_from`. A product of which none ever
    /// came is not called stale: it has no count that could go out of date.
    #[must_use]
    pub fn stale_since(&self, product: &ProductKey, fresh_from: Timestamp) -> Option<Timestamp> {
        self.newest_complete.get(product).map(|newest| newest.as_of).filter(|as_of| *as_of < fresh_from)
    }

    /// Whether a product is counted by another source than the one that a pulled company is a customer of, so that nobody will
    /// ever count the company for it. Not of a company that was.
    #[must_use]
    pub fn is_of_another_source(&self, feed: &Feed) -> bool {
        let (Some(vendor), Some(newest)) = (Vendor::of(&feed.company), self.newest_complete.get(&feed.product)) else {
            return false;
        };
        Vendor::pulled(&newest.snapshot) != Some(vendor) && !self.feeds.contains_key(feed)
    }

    fn add(&mut self, feed: Feed, row: CountsOfMonth) -> Result<(), StoreError> {
        let usage = self.feeds.entry(feed).or_default();
        // Months come in order, so the last name is the newest.
        if row.company_name.is_some() {
            usage.company_name.clone_from(&row.company_name);
        }
        if row.account_id.is_some() {
            usage.account_id.clone_from(&row.account_id);
        }
        usage.counts.append(&mut row.into_counts()?);
        Ok(())
    }
}

/// Reads usage, and nothing else.
#[derive(Debug, Clone)]
pub struct UsageReader {
    pub(in crate::store) table: Table,
}

impl UsageReader {
    /// Of `table`.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table }
    }

    /// All feeds of a partner: one query a megabyte of a month's rows, not one a company.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn load(&self, partner: &PartnerId, months: RangeInclusive<Month>) -> Result<UsageBook, StoreError> {
        let mut book = UsageBook { since: Some(*months.start()), ..self.begin(partner).await? };
        for month in Month::all(months) {
            let rows =
                self.table.all(&schema::counts_of_month(partner, &month.to_string()), "", Read::Consistent).await?;
            for (sk, row) in rows {
                book.add(feed_of(&sk)?, row)?;
            }
        }
        Ok(book)
    }

    /// The newest complete snapshot of each product.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn newest_complete(
        &self,
        partner: &PartnerId,
    ) -> Result<BTreeMap<ProductKey, NewestComplete>, StoreError> {
        Ok(self.begin(partner).await?.newest_complete)
    }

    /// What is complete is read before the counts. The other way round, a snapshot that arrives in between would seem to
    /// lack every company that was read too early.
    async fn begin(&self, partner: &PartnerId) -> Result<UsageBook, StoreError> {
        let rows: Vec<(String, Newest)> =
            self.table.all(&schema::snapshots(partner), "NEWEST#", Read::Consistent).await?;
        let mut newest_complete = BTreeMap::new();
        for (sk, row) in rows {
            let product = id::<ProductKey>(sk.trim_start_matches("NEWEST#"))?;
            let as_of = Timestamp::from_second(row.as_of_s).map_err(|e| StoreError::Corrupt(e.to_string()))?;
            newest_complete.insert(product, NewestComplete { as_of, snapshot: row.snapshot_id, gaps: row.gaps });
        }
        Ok(UsageBook { newest_complete, ..UsageBook::default() })
    }
}

/// The feed that a count row's sort key names. Ids hold no `#`.
pub(super) fn feed_of(sk: &str) -> Result<Feed, StoreError> {
    let (company, product) = sk.split_once('#').ok_or_else(|| StoreError::Corrupt(format!("no feed: {sk}")))?;
    Ok(Feed { company: id::<CompanyId>(company)?, product: id::<ProductKey>(product)? })
}

fn id<T: std::str::FromStr>(text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::Corrupt(format!("not an id: {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_absent_from_what_another_source_tells_or_was_not_asked_about() {
        let newest = |snapshot: &str, only_asked| NewestComplete {
            as_of: Timestamp::UNIX_EPOCH,
            snapshot: snapshot.parse().unwrap(),
            gaps: Gaps { untold: ["huntress:8".parse().unwrap()].into(), only_asked },
        };
        let (pulled, pushed) = (newest("pull-huntress-1-1-edr", false), newest("snap", false));
        let speaks = |of: &NewestComplete, company: &str, asked| of.speaks_of(&company.parse().unwrap(), asked);
        assert!(speaks(&pulled, "huntress:7", false) && !speaks(&pulled, "huntress:8", true));
        assert!(!speaks(&pulled, "acme", true) && !speaks(&pulled, "pax8:7", true));
        assert!(
            speaks(&pushed, "acme", true) && speaks(&pushed, "acme:7", true) && !speaks(&pushed, "huntress:7", true)
        );
        let of_each = newest("pull-huntress-1-1-edr", true);
        assert!(speaks(&of_each, "huntress:7", true) && !speaks(&of_each, "huntress:7", false));
    }

    #[test]
    fn a_pulled_company_is_counted_by_its_own_source_alone() {
        let feed = |company: &str, product: &str| Feed {
            company: company.parse().unwrap(),
            product: product.parse().unwrap(),
        };
        let newest = |snapshot: &str| NewestComplete {
            as_of: Timestamp::UNIX_EPOCH,
            snapshot: snapshot.parse().unwrap(),
            gaps: Gaps::default(),
        };
        let mut book = UsageBook::default();
        let products = [("edr", "pull-huntress-1-1-edr"), ("proof", "pull-pax8-1-1-proof"), ("pushed", "snap")];
        book.newest_complete = products.map(|(product, by)| (product.parse().unwrap(), newest(by))).into();
        book.feeds.insert(feed("huntress:9", "proof"), FeedUsage::default());
        for (company, product, is) in [
            ("huntress:7", "edr", false),
            ("huntress:7", "proof", true),
            ("huntress:7", "pushed", true),
            ("huntress:7", "never-heard-of", false),
            ("huntress:9", "proof", false),
            ("acme", "proof", false),
            ("acme:7", "proof", false),
        ] {
            assert_eq!(book.is_of_another_source(&feed(company, product)), is, "{company} {product}");
        }
    }

    #[test]
    fn usage_is_stale_when_the_newest_complete_snapshot_is_older_than_is_fresh() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let product: ProductKey = "edr".parse().unwrap();
        let (as_of, snapshot) = (at("2026-11-20T12:00:00Z"), "s".parse().unwrap());
        let newest = NewestComplete { as_of, snapshot, gaps: Gaps::default() };
        let book =
            UsageBook { newest_complete: BTreeMap::from([(product.clone(), newest.clone())]), ..UsageBook::default() };
        assert_eq!(book.stale_since(&product, at("2026-11-20T12:00:01Z")), Some(newest.as_of));
        for fresh_from in ["2026-11-20T12:00:00Z", "2026-11-20T11:59:59Z"] {
            assert_eq!(book.stale_since(&product, at(fresh_from)), None, "{fresh_from}");
        }
        // What was never heard of has no count that could go out of date.
        assert_eq!(book.stale_since(&"m365".parse().unwrap(), at("2027-11-20T12:00:00Z")), None);
    }
}
