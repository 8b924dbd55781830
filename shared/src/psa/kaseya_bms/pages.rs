//! Lists: one page of them, and the walk over all pages.
//!
//! Rows are known by their id, so what shifts between two pages is not counted twice. How long a page may be is not known:
//! BMS may give fewer rows than were asked for and still have more, so where the number of all rows is told it decides when
//! a list is whole, and where it is not, only a page that is shorter than any page size could be ends it. The syntax of
//! sorting is not known either; it is not used.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::client::{Ask, Client};
use super::errors;
use super::fields::Row;
use super::template::Template;
use crate::psa::{CatalogPage, CatalogQuery, PsaError};

/// Rows a page, as clients of the live service ask for.
const MOST: usize = 100;
/// Fewer rows than any page size is believed to be.
const SMALLEST: usize = 10;
/// Pages of one list: 100,000 rows.
const MOST_PAGES: usize = 1_000;

/// A list and which of its rows are asked for.
#[derive(Debug, Clone)]
pub(super) struct Listing {
    template: Template,
    id: Option<i64>,
    filter: Vec<(&'static str, Value)>,
}

/// One page.
struct Page {
    rows: Vec<Row>,
    total: Option<usize>,
}

impl Listing {
    /// All rows.
    pub(super) fn of(template: Template) -> Self {
        Self { template, id: None, filter: vec![] }
    }

    /// All rows that are about an id.
    pub(super) fn about(template: Template, id: i64) -> Self {
        Self { id: Some(id), ..Self::of(template) }
    }

    /// Only rows that pass a filter. `name` is spelt as the specification does, with `Filter.` in front.
    pub(super) fn only(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.filter.push((name, value.into()));
        self
    }

    /// A search takes its parameters in a body, a list in the query.
    fn ask(&self, number: usize, size: usize) -> Ask {
        let ask = match self.id {
            Some(id) => Ask::about(self.template, id),
            None => Ask::of(self.template),
        };
        if self.template.method() == reqwest::Method::GET {
            let ask = self.filter.iter().fold(ask, |ask, (name, value)| {
                ask.query(name, value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            });
            return ask.query("PageSize", size).query("PageNumber", number);
        }
        let filter: Map<_, _> = self
            .filter
            .iter()
            .map(|(name, value)| (name.trim_start_matches("Filter.").to_owned(), value.clone()))
            .collect();
        ask.body(json!({ "PageSize": size, "PageNumber": number, "Filter": filter }))
    }

    async fn page(&self, client: &Client, number: usize, size: usize) -> Result<Page, PsaError> {
        let success = client.read(&self.ask(number, size)).await?;
        let total = success.total;
        let rows = success.rows(self.template)?;
        // A number smaller than the page itself tells nothing.
        Ok(Page { total: total.filter(|total| *total >= rows.len()), rows })
    }

    /// Its first rows, in whichever order BMS has them.
    pub(super) async fn first(&self, client: &Client, size: usize) -> Result<Vec<Row>, PsaError> {
        Ok(self.page(client, 1, size).await?.rows)
    }

    /// All rows by id.
    pub(super) async fn walk(&self, client: &Client) -> Result<BTreeMap<i64, Row>, PsaError> {
        let mut known = BTreeMap::new();
        for number in 1..=MOST_PAGES {
            let page = self.page(client, number, MOST).await?;
            let (before, came) = (known.len(), page.rows.len());
            for row in page.rows {
                known.insert(row.id(self.template)?, row);
            }
            let short = came < if page.total.is_some() { MOST } else { SMALLEST };
            let whole = page.total.map_or(short, |total| known.len() >= total);
            if came == 0 && !whole && self.filter.is_empty() && page.total.is_some() {
                return Err(errors::unreadable(self.template, "ended before all rows were shown"));
            }
            if came == 0 || whole {
                return Ok(known);
            }
            if known.len() == before {
                // The same rows again. A list that does not page shows all at once, which a full page does not prove.
                if came < MOST {
                    return Ok(known);
                }
                return Err(errors::unreadable(self.template, "came with the same page again"));
            }
        }
        Err(errors::unreadable(self.template, "came with more pages than are read"))
    }

    /// All rows whose field `name` contains `text`, by id. `filter` asks BMS to choose them; whether it compares whole texts
    /// is not known, so where it does not find one that contains more all rows are read.
    pub(super) async fn search(
        &self,
        client: &Client,
        filter: &'static str,
        name: &str,
        text: &str,
    ) -> Result<BTreeMap<i64, Row>, PsaError> {
        let wanted = text.to_lowercase();
        let hits = |row: &Row| row.text(name).is_some_and(|found| found.to_lowercase().contains(&wanted));
        let mut rows = self.clone().only(filter, text).walk(client).await?;
        rows.retain(|_, row| hits(row));
        let more = |row: &Row| row.text(name).is_some_and(|found| found.to_lowercase() != wanted);
        if !rows.values().any(more) {
            rows = self.walk(client).await?;
            rows.retain(|_, row| hits(row));
        }
        Ok(rows)
    }

    /// One page for people, as BMS pages it, and the cursor of the next.
    pub(super) async fn page_for(&self, client: &Client, asked: &CatalogQuery) -> Result<CatalogPage<Row>, PsaError> {
        let (number, seen): (usize, usize) = match asked.after.as_deref() {
            None => (1, 0),
            Some(cursor) => {
                let parts = cursor.strip_prefix('p').and_then(|rest| rest.split_once('.'));
                let parts = parts.and_then(|(number, seen)| Some((number.parse().ok()?, seen.parse().ok()?)));
                parts.filter(|(number, _)| (1..=MOST_PAGES).contains(number)).ok_or_else(errors::bad_cursor)?
            }
        };
        let size = usize::from(asked.limit.clamp(1, 100));
        let page = self.page(client, number, size).await?;
        // Counted, not reckoned: a page may be shorter than was asked for.
        let seen = seen.saturating_add(page.rows.len());
        let more =
            !page.rows.is_empty() && page.total.map_or(page.rows.len() >= size.min(SMALLEST), |total| seen < total);
        let next = (more && number < MOST_PAGES).then(|| format!("p{}.{seen}", number + 1));
        Ok(CatalogPage { items: page.rows, next })
    }
}

/// A page of what is all here already, by id.
pub(super) fn cut<T>(all: BTreeMap<i64, T>, asked: &CatalogQuery) -> Result<CatalogPage<T>, PsaError> {
    let after = asked.after.as_deref().map(after).transpose()?;
    let size = usize::from(asked.limit.clamp(1, 100));
    let mut left = all.into_iter().filter(|(id, _)| after.is_none_or(|after| *id > after));
    let page: Vec<_> = left.by_ref().take(size).collect();
    let next = page.last().map(|(id, _)| format!("i{id}")).filter(|_| left.next().is_some());
    Ok(CatalogPage { items: page.into_iter().map(|(_, item)| item).collect(), next })
}

/// The text to look for, if one was named.
pub(super) fn searched(asked: &CatalogQuery) -> Option<&str> {
    asked.search.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

/// The id that a cursor of [`cut`] names.
pub(super) fn after(cursor: &str) -> Result<i64, PsaError> {
    cursor.strip_prefix('i').and_then(|id| id.parse().ok()).ok_or_else(errors::bad_cursor)
}
