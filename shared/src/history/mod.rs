//! A connection's history as people read it: every run, approval and reversal, every change of the connection, its
//! credentials and its mappings, every finding that somebody resolved, every change of a line and of a charge; newest first.
//!
//! Nothing is kept for it twice. The journal (`store::journal`) says in order of time what there was; a page is read from
//! it backwards, and what its rows name (versions of mappings, runs, intents) is fetched by key. A page costs a handful of
//! requests to the store and never more than a bound: one that finds too little by then ends early and says where to go
//! on. There is no way to change or remove anything here.

mod about;
mod charge;
mod entry;
mod place;
mod sieve;
mod stream;
mod tell;

use crate::store::connections::Connection;
use crate::store::{StoreError, Table};
pub use entry::{Entry, Kind, State};
pub use place::{NoPlace, Place};
pub use sieve::Asked;
use sieve::Sieve;
use stream::{Placed, Stream};

/// What a page may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// When it has cost so many requests to the store, it ends with what it has.
    pub requests: u32,
    /// Rows that a request reads where most may be left out.
    pub rows: i32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { requests: 16, rows: 1_000 }
    }
}

/// Reads history.
#[derive(Debug, Clone)]
pub struct History {
    table: Table,
    bounds: Bounds,
}

/// The history of one connection, as far as it was asked for.
#[derive(Debug)]
pub struct Reading<'a> {
    table: &'a Table,
    bounds: Bounds,
    of: &'a Connection,
    sieve: Sieve,
}

/// Entries, and where the next page begins.
#[derive(Debug)]
pub struct Page {
    /// Newest first.
    pub entries: Vec<Entry>,
    /// The place to go on after; `None` at the end.
    pub next: Option<Place>,
}

impl History {
    /// History in `table`.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table, bounds: Bounds::default() }
    }

    /// The same, where a page may cost something else.
    #[must_use]
    pub fn within(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// What was `asked` of the history of `of`. A company or product is looked up in all versions of its mappings: a
    /// request or two, and for a product without a company one more for each megabyte of them.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn read<'a>(&'a self, of: &'a Connection, asked: Asked) -> Result<Reading<'a>, StoreError> {
        let sieve = Sieve::of(&self.table, of, asked).await?;
        Ok(Reading { table: &self.table, bounds: self.bounds, of, sieve })
    }
}

impl Reading<'_> {
    /// At most `limit` entries after `after`. Fewer, or none, do not mean that there are no more.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn page(&self, after: Option<&Place>, limit: usize) -> Result<Page, StoreError> {
        let mut streams = Stream::all(self.of, &self.sieve, after);
        let (mut spent, mut entries, mut last) = (0, Vec::new(), None);
        loop {
            let wanted = limit.saturating_sub(entries.len()).max(self.sieve.rows_at_least());
            let rows = self.take(&mut streams, wanted, &mut spent).await?;
            let came_up_short = rows.len() < wanted;
            let looked_at = rows.last().map(|row| row.place.clone().end_of_row());
            let (told, requests) = tell::all(self.table, self.of, rows).await?;
            spent += requests;
            for (place, told) in told {
                if after.is_some_and(|after| place >= *after) || !self.sieve.keeps(&told) {
                    continue;
                }
                if entries.len() == limit {
                    return Ok(Page { entries, next: last });
                }
                entries.push(told.entry);
                last = Some(place);
            }
            if came_up_short {
                // Every stream is at its end, or one has cost enough and the others have nothing newer.
                let next = streams.iter().filter_map(Stream::starving).max().cloned();
                return Ok(Page { entries, next });
            }
            if entries.len() == limit {
                let more = streams.iter().any(|stream| !stream.is_over());
                return Ok(Page { entries, next: last.filter(|_| more) });
            }
            if spent >= self.bounds.requests {
                return Ok(Page { entries, next: looked_at });
            }
        }
    }

    /// The newest `wanted` of what the streams hold; fewer where they end, or where enough was `spent`.
    async fn take(&self, streams: &mut [Stream], wanted: usize, spent: &mut u32) -> Result<Vec<Placed>, StoreError> {
        let mut taken = Vec::new();
        while taken.len() < wanted {
            for stream in streams.iter_mut() {
                // Each comes on by something however much was spent, or pages might not end.
                while stream.is_dry() && (*spent < self.bounds.requests || stream.has_not_begun()) {
                    stream.fill(self.table, &self.sieve, self.chunk(wanted)).await?;
                    *spent += 1;
                }
            }
            // What a dry stream has yet to bring may be newer than what stands behind the place that it has come to.
            let frontier = streams.iter().filter_map(Stream::starving).max().cloned();
            let newest = streams.iter_mut().filter(|stream| stream.head().is_some());
            let Some(newest) = newest.max_by(|one, other| one.head().cmp(&other.head())) else { break };
            if frontier.is_some_and(|frontier| newest.head().is_none_or(|head| *head < frontier)) {
                break;
            }
            taken.extend(newest.pop());
        }
        Ok(taken)
    }

    /// Rows to read at once where so many are wanted.
    fn chunk(&self, wanted: usize) -> i32 {
        match i32::try_from(wanted) {
            // One more than is wanted tells whether there are others.
            Ok(wanted) if !self.sieve.is_fine() => wanted.saturating_add(1),
            _ => self.bounds.rows,
        }
    }
}
