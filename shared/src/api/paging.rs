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

    /// A page that ended at `next`.
    #[must_use]
    pub fn page<T>(&self, items: Vec<T>, next: Option<&str>) -> Listing<T> {
        let next_cursor = next.map(|position| URL_SAFE_NO_PAD.encode(format!("{}:{position}", self.0)));
        Listing { items, next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
