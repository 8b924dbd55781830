//! Counts by page, for people: month by month, feed by feed, in order of time.
//!
//! A filter may match few rows of many, so one page reads a bounded number of rows and may come back short or empty with
//! a position to go on from.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::book::{UsageReader, feed_of};
use super::counts::{CountsOfMonth, Feed, RecordedCount};
use super::month::Month;
use crate::domain::ids::{AccountId, CompanyId, PartnerId, ProductKey};
use crate::store::{Page, Read, Rows, StoreError, schema};

/// Rows a query, and queries a page.
const ROWS: i32 = 100;
const QUERIES: u32 = 10;

/// Which counts.
#[derive(Debug, Clone)]
pub struct CountFilter {
    /// Only this company's.
    pub company: Option<CompanyId>,
    /// Only this product's.
    pub product: Option<ProductKey>,
    /// As of this instant or later.
    pub from: Timestamp,
    /// As of this instant or earlier.
    pub to: Timestamp,
}

/// Where a page ended: everything up to it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountPosition {
    month: Month,
    /// The last row that was given whole.
    row: Option<String>,
    /// The last count given of the row after it.
    within: Option<Within>,
}

/// One count of a row: no two are as of one second and equally complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Within {
    row: String,
    as_of_s: i64,
    incomplete: bool,
}

/// One count with its feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountRow {
    /// Whose, and of what.
    pub feed: Feed,
    /// The company's name as last given that month.
    pub company_name: Option<String>,
    /// The company's account in the PSA, as last given that month.
    pub account_id: Option<AccountId>,
    /// The count.
    pub recorded: RecordedCount,
}

/// Counts, and where to go on.
#[derive(Debug, Default)]
pub struct CountsPage {
    /// At most as many as asked for.
    pub items: Vec<CountRow>,
    /// `None` at the end.
    pub next: Option<CountPosition>,
}

impl UsageReader {
    /// At most `limit` counts after `after`.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn counts(
        &self,
        partner: &PartnerId,
        filter: &CountFilter,
        after: Option<CountPosition>,
        limit: usize,
    ) -> Result<CountsPage, StoreError> {
        let last = Month::of(filter.to);
        let prefix = filter.company.as_ref().map(|company| format!("{company}#")).unwrap_or_default();
        let mut position = after.unwrap_or_else(|| CountPosition::start_of(Month::of(filter.from)));
        let mut page = CountsPage::default();
        for _ in 0..QUERIES {
            if position.month > last {
                return Ok(page);
            }
            let pk = schema::counts_of_month(partner, &position.month.to_string());
            let query = Page { prefix: &prefix, after: position.row.as_deref(), limit: Some(ROWS), ..Page::default() };
            let rows: Rows<CountsOfMonth> = self.table.page(&pk, &query, Read::Eventual).await?;
            for (sk, row) in rows.items {
                for count in filter.matching(&sk, row)? {
                    let here = Within::of(&sk, &count);
                    if position.within.as_ref().is_some_and(|given| here.is_given_by(given)) {
                        continue;
                    }
                    if page.items.len() == limit {
                        page.next = Some(position);
                        return Ok(page);
                    }
                    position.within = Some(here);
                    page.items.push(count);
                }
                position = CountPosition { month: position.month, row: Some(sk), within: None };
            }
            if rows.next.is_none() {
                position = CountPosition::start_of(position.month.next());
            }
        }
        page.next = (position.month <= last).then_some(position);
        Ok(page)
    }
}

impl CountFilter {
    fn matching(&self, sk: &str, row: CountsOfMonth) -> Result<Vec<CountRow>, StoreError> {
        let feed = feed_of(sk)?;
        if self.product.as_ref().is_some_and(|product| *product != feed.product) {
            return Ok(Vec::new());
        }
        let (company_name, account_id) = (row.company_name.clone(), row.account_id.clone());
        let count = |recorded| CountRow {
            feed: feed.clone(),
            company_name: company_name.clone(),
            account_id: account_id.clone(),
            recorded,
        };
        let counts = row.into_counts()?.into_iter();
        Ok(counts.filter(|recorded| (self.from..=self.to).contains(&recorded.count.as_of)).map(count).collect())
    }
}

impl CountPosition {
    fn start_of(month: Month) -> Self {
        Self { month, row: None, within: None }
    }
}

impl Within {
    fn of(sk: &str, count: &CountRow) -> Self {
        let count = &count.recorded.count;
        Self { row: sk.to_owned(), as_of_s: count.as_of.as_second(), incomplete: !count.complete }
    }

    fn is_given_by(&self, last: &Self) -> bool {
        self.row == last.row && (self.as_of_s, self.incomplete) <= (last.as_of_s, last.incomplete)
    }
}
