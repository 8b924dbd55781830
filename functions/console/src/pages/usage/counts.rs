//! The counts of one company and one product.

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::client::told::List;
use crate::client::told::usage::Count;
use crate::client::{Client, Trouble, with_query};
use crate::view::chart::Days;

/// Pages that are read at once: a count an hour of some three weeks, or one a day of all that a chart shows.
const MOST_PAGES: usize = 5;

/// Those of `days`, in order of time, and whether these are all. The API gives the oldest first: where there are more than are
/// read, fewer days are asked for, and what is left out is the oldest.
pub(in crate::pages) async fn counts(
    api: &Client,
    product: &str,
    company: &str,
    days: Days,
) -> Result<(Vec<Count>, bool), Trouble> {
    let mut asked = days;
    loop {
        let (counts, whole) = first(api, product, company, asked).await?;
        match shorter(asked, &counts).filter(|_| !whole) {
            Some(fewer) => asked = fewer,
            None => return Ok((counts, whole && asked.from == days.from)),
        }
    }
}

/// The first of them, and whether these are all.
async fn first(api: &Client, product: &str, company: &str, days: Days) -> Result<(Vec<Count>, bool), Trouble> {
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

/// The last of these days, at most half of them: as many as such a number of counts reached over, less some for chance. `None`: it
/// was one day.
fn shorter(days: Days, counts: &[Count]) -> Option<Days> {
    let length = days_from(days.from, days.to);
    let reached = counts.last().map_or(0, |last| days_from(days.from, last.as_of.to_zoned(TimeZone::UTC).date()));
    let fewer = (length / 2).min(reached * 3 / 4);
    (length > 0).then(|| Days { from: days.to.saturating_sub(fewer.max(0).days()), ..days })
}

fn days_from(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}
