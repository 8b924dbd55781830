//! The counts of one company and one product.

use crate::client::told::List;
use crate::client::told::usage::Count;
use crate::client::{Client, Trouble, with_query};
use crate::view::chart::Days;

/// Pages that are read: a count an hour of some three weeks, or one a day of all that a chart shows.
const MOST_PAGES: usize = 5;

/// In order of time, and whether these are all.
pub(in crate::pages) async fn counts(
    api: &Client,
    product: &str,
    company: &str,
    days: Days,
) -> Result<(Vec<Count>, bool), Trouble> {
    // The last hours of a day may be of the next one in UTC.
    let (from, to) = (days.from.to_string(), days.to.tomorrow().unwrap_or(days.to).to_string());
    let (mut counts, mut cursor) = (Vec::new(), None::<String>);
    for _ in 0..MOST_PAGES {
        let query = [
            ("company", Some(company)),
            ("product", Some(product)),
            ("from", Some(from.as_str())),
            ("to", Some(to.as_str())),
            ("limit", Some("100")),
            ("cursor", cursor.as_deref()),
        ];
        let page: List<Count> = api.get(&with_query("/v1/usage", &query)).await?;
        counts.extend(page.items);
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => return Ok((counts, true)),
        }
    }
    Ok((counts, false))
}
