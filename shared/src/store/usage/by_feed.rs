//! The feeds of one product, one after another, each with its counts of several months: for sums over all companies.
//!
//! Each month is a partition in the order of its feeds. They are read side by side, some rows of each at once, so that a feed is
//! whole when it is given and no more than that is held. Rows of other products are read past.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use super::book::{UsageReader, feed_of};
use super::counts::{CountsOfMonth, RecordedCount};
use super::month::Month;
use crate::domain::ids::{PartnerId, ProductKey};
use crate::store::{Page, Read, Rows, StoreError, Table, schema};

/// Rows a query: of a count a day not quite the megabyte that one answer holds.
const ROWS: i32 = 300;

/// What is still to be given.
#[derive(Debug)]
pub struct FeedsOf<'a> {
    table: &'a Table,
    product: &'a ProductKey,
    months: Vec<Rest>,
    queries_left: u32,
}

/// What is still to be given of a month.
#[derive(Debug)]
struct Rest {
    partition: String,
    read: VecDeque<(String, CountsOfMonth)>,
    unread: Unread,
}

#[derive(Debug)]
enum Unread {
    All,
    After(String),
    Nothing,
}

impl UsageReader {
    /// The feeds of `product` in these months, for which at most so many queries are made.
    #[must_use]
    pub fn feeds_of<'a>(
        &'a self,
        partner: &PartnerId,
        product: &'a ProductKey,
        months: RangeInclusive<Month>,
        queries: u32,
    ) -> FeedsOf<'a> {
        let rest = |month: Month| Rest {
            partition: schema::counts_of_month(partner, &month.to_string()),
            read: VecDeque::new(),
            unread: Unread::All,
        };
        FeedsOf { table: &self.table, product, months: Month::all(months).map(rest).collect(), queries_left: queries }
    }
}

impl FeedsOf<'_> {
    /// The next feed's counts, in order of time. `None`: that was the last one, or more would have to be read than may be.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn next(&mut self) -> Result<Option<Vec<RecordedCount>>, StoreError> {
        for month in &mut self.months {
            while month.is_to_be_read() {
                let Some(left) = self.queries_left.checked_sub(1) else { return Ok(None) };
                self.queries_left = left;
                month.read_on(self.table, self.product).await?;
            }
        }
        let first = self.months.iter().filter_map(|month| month.read.front()).map(|(sk, _)| sk).min().cloned();
        let Some(first) = first else { return Ok(None) };
        let mut counts = Vec::new();
        for month in &mut self.months {
            if let Some((_, row)) = month.read.pop_front_if(|(sk, _)| *sk == first) {
                counts.append(&mut row.into_counts()?);
            }
        }
        Ok(Some(counts))
    }

    /// Whether every feed was given, once [`FeedsOf::next`] has none.
    #[must_use]
    pub fn are_all_given(&self) -> bool {
        self.months.iter().all(|month| month.read.is_empty() && matches!(month.unread, Unread::Nothing))
    }
}

impl Rest {
    fn is_to_be_read(&self) -> bool {
        self.read.is_empty() && !matches!(self.unread, Unread::Nothing)
    }

    async fn read_on(&mut self, table: &Table, product: &ProductKey) -> Result<(), StoreError> {
        let after = match &self.unread {
            Unread::After(sk) => Some(sk.as_str()),
            Unread::All | Unread::Nothing => None,
        };
        let page = Page { after, limit: Some(ROWS), ..Page::default() };
        let rows: Rows<CountsOfMonth> = table.page(&self.partition, &page, Read::Eventual).await?;
        for (sk, row) in rows.items {
            if feed_of(&sk)?.product == *product {
                self.read.push_back((sk, row));
            }
        }
        self.unread = rows.next.map_or(Unread::Nothing, Unread::After);
        Ok(())
    }
}
