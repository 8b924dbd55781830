//! Lists in pages: `limit`, an opaque `cursor`, and `{"items":[…],"next_cursor":…}`.
//!
//! A cursor is the position at which a page ended, bound to the list it came from: with another filter, or on another
//! list, it is refused and does not quietly begin somewhere else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::{IntoParams, ToSchema};

use super::problem::Problem;
use super::query::refused_query;
use crate::store::UnreadableRow;

/// How many items on a page, 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = u32, minimum = 1, maximum = 100, default = 50)]
pub struct Limit(u16);

impl Limit {
    /// The number.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

/// A query has texts only.
impl TryFrom<String> for Limit {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.parse() {
            Ok(number @ 1..=100) => Ok(Self(number)),
            _ => Err("must be a whole number from 1 to 100"),
        }
    }
}

/// The parameters of a list without filters. A list with filters has these two fields among its own.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Items on a page.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 50)]
    pub limit: Limit,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// One page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Listing<T> {
    /// The items.
    pub items: Vec<T>,
    /// Pass it as `cursor` for the next page; null on the last one.
    pub next_cursor: Option<String>,
    /// What belongs here and can't be read by this version, because a newer one has stored it. Left out where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<UnreadableRow>,
}

impl<T> Listing<T> {
    /// The same page with rows that can't be read.
    #[must_use]
    pub fn with_unreadable(self, unreadable: Vec<UnreadableRow>) -> Self {
        Self { unreadable, ..self }
    }
}

/// A list and its filters, to which cursors are bound.
#[derive(Debug, Clone)]
pub struct List(String);

impl List {
    /// Named by whatever tells it from every other: its path and its filters.
    #[must_use]
    pub fn named(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        Self(hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }

    /// The position in `cursor`, if one was sent.
    ///
    /// # Errors
    /// 400: it is not a cursor of this list.
    pub fn position(&self, cursor: Option<&str>) -> Result<Option<String>, Problem> {
        let Some(cursor) = cursor else { return Ok(None) };
        let opened = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let position = opened.as_deref().and_then(|text| text.split_once(':')).filter(|(list, _)| *list == self.0);
        match position {
            Some((_, position)) => Ok(Some(position.to_owned())),
            None => Err(refused_query("cursor", "must be the next_cursor of the same list with the same filters")),
        }
    }

    /// The cursor that goes on at `position`.
    #[must_use]
    pub fn cursor(&self, position: &str) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}:{position}", self.0))
    }

    /// A page that ended at `next`.
    #[must_use]
    pub fn page<T>(&self, items: Vec<T>, next: Option<&str>) -> Listing<T> {
        let next_cursor = next.map(|position| self.cursor(position));
        Listing { items, next_cursor, unreadable: Vec::new() }
    }
}

/// A page of what is all here, and where it ended if more follows.
#[derive(Debug)]
pub struct Cut<T> {
    /// The items.
    pub items: Vec<T>,
    /// The place of the last of them.
    pub next: Option<String>,
}

/// The page after the place `after`, of items in a fixed order. A place names its item and no other; the item itself may be
/// gone by the time of the next page, and its neighbours are compared as the list is sorted: part by part, with `#` between.
pub fn cut<T>(items: Vec<T>, after: Option<&str>, place: impl Fn(&T) -> String, limit: usize) -> Cut<T> {
    let parts = |place: &str| place.split('#').map(str::to_owned).collect::<Vec<_>>();
    let after = after.map(parts);
    let mut rest = items.into_iter().filter(|item| after.as_ref().is_none_or(|after| parts(&place(item)) > *after));
    let items: Vec<T> = rest.by_ref().take(limit).collect();
    let next = items.last().map(&place).filter(|_| rest.next().is_some());
    Cut { items, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_goes_on_behind_an_item_that_is_gone() {
        let items = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let first = cut(items(&["a#x", "a#y", "a b#x"]), None, String::clone, 2);
        assert_eq!((first.items, first.next.as_deref()), (items(&["a#x", "a#y"]), Some("a#y")));
        let rest = cut(items(&["a#x", "a b#x"]), Some("a#y"), String::clone, 2);
        assert_eq!((rest.items, rest.next), (items(&["a b#x"]), None));
    }

    #[test]
    fn a_cursor_opens_its_own_list_and_no_other() {
        let list = List::named(&["accounts", "search"]);
        let page = list.page(vec![1], Some("CONN#1:2"));
        let cursor = page.next_cursor.as_deref();
        assert_eq!(list.position(cursor).unwrap().as_deref(), Some("CONN#1:2"));
        assert_eq!(list.position(None).unwrap(), None);
        let others =
            [List::named(&["accounts", "other"]), List::named(&["accountssearch", ""]), List::named(&["accounts"])];
        for other in others {
            assert_eq!(other.position(cursor).unwrap_err().code(), "invalid_query");
        }
        for bad in ["", "x", "!!!", "YWJj", "AAAA"] {
            assert_eq!(list.position(Some(bad)).unwrap_err().code(), "invalid_query", "{bad}");
        }
    }
}
