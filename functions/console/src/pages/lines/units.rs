//! The line's units over time against its usage: drawn, and as a table.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use shared::domain::line::LineStatus;
use shared::domain::series::{self, Series};
use shared::history::State;

use crate::client::told::List;
use crate::client::told::line::{Happened, LineState};
use crate::client::{Client, Trouble, path, with_query};
use crate::pages::usage;
use crate::view::chart::{Days, Look, Steps, chart};
use crate::view::table;

/// How far back it goes.
const DAYS: i32 = 92;
/// Feeds that are read: what is beyond them is said to be left out.
const MOST_FEEDS: usize = 8;

/// Changes of the line that were written, newest first.
pub(super) async fn written(api: &Client, id: &str, line: &str) -> Result<Vec<Happened>, Trouble> {
    let query = [("line", Some(line)), ("kind", Some("units_changed")), ("limit", Some("100"))];
    let list: List<Happened> = api.get(&with_query(&path(&["v1", "connections", id, "history"]), &query)).await?;
    Ok(list.items)
}

/// The chart and its table, up to `today`.
pub(super) async fn drawn(
    api: &Client,
    state: &LineState,
    written: &[Happened],
    (today, zone): (Date, &TimeZone),
) -> Result<Markup, Trouble> {
    let days = Days { from: today.saturating_sub(DAYS.days()), to: today };
    let feeds = &state.line.result.feeds;
    let (mut counts, mut whole) = (Vec::new(), feeds.len() <= MOST_FEEDS);
    for feed in feeds.iter().take(MOST_FEEDS) {
        let (of_feed, all) = usage::counts(api, feed.product.as_str(), feed.company.as_str(), days).await?;
        counts.push(of_feed.into_iter().map(series::Count::from).collect());
        whole &= all;
    }
    let units = units(state, written, zone);
    // The day's last sum is what the day is told by.
    let usage: BTreeMap<Date, u64> = Series::of(&counts, zone)
        .steps()
        .iter()
        .filter(|step| step.all_known)
        .filter_map(|step| Some((step.date, u64::from(step.sum?.get()))))
        .collect();
    if units.is_empty() && usage.is_empty() {
        return Ok(html! {});
    }
    let mark = highest(&usage);
    let days = Days::with(units.keys().chain(usage.keys()).copied(), today, DAYS);
    let last = |of: &BTreeMap<Date, u64>| of.keys().next_back().copied().unwrap_or(today);
    let counted = last(&usage);
    let series = [
        Steps {
            name: "Units in the PSA, as written and read".to_owned(),
            look: Look::Units,
            points: within(&units, days),
            until: last(&units).max(state.at.to_zoned(zone.clone()).date()),
        },
        Steps {
            name: "Usage, all feeds together".to_owned(),
            look: Look::Usage,
            points: within(&usage, days),
            until: counted,
        },
        Steps {
            name: "Highest usage of the calendar month so far".to_owned(),
            look: Look::Mark,
            points: within(&mark, days),
            until: counted,
        },
    ];
    let mut dates: Vec<Date> = units.keys().chain(usage.keys()).copied().filter(|day| *day >= days.from).collect();
    dates.sort_unstable();
    dates.dedup();
    let cell = |of: &BTreeMap<Date, u64>, day: Date| {
        of.range(..=day).next_back().map_or("–".to_owned(), |(_, v)| v.to_string())
    };
    Ok(html! {
        h2 { "Units and usage" }
        (chart("units", "Units of the line and its usage, day by day", days, &series))
        @if !whole { p.hint { "It has more feeds or counts than are shown here: further feeds and older counts are left out." } }
        details {
            summary { "The same as a table" }
            (table::table("Units and usage by day", &["Day", "#Units", "#Usage", "#Highest of the month"], &html! {
                @for day in dates.iter().rev() { tr {
                    th scope="row" { (day) } td.number { (cell(&units, *day)) } td.number { (cell(&usage, *day)) } td.number { (cell(&mark, *day)) }
                } }
            }))
        }
    })
}

/// Units by the day from which they count: those that were there before the first change, after each that was applied, and what
/// was read last.
fn units(state: &LineState, written: &[Happened], zone: &TimeZone) -> BTreeMap<Date, u64> {
    let result = &state.line.result;
    let mut units = BTreeMap::new();
    let applied: Vec<&Happened> = written.iter().rev().filter(|change| change.state == Some(State::Applied)).collect();
    for change in &applied {
        let Some(((before, after), day)) = change.units().zip(change.effective_date) else { continue };
        if units.is_empty() {
            // Since when it carried those is not known here.
            units.insert(day.yesterday().unwrap_or(day), u64::from(before));
        }
        units.insert(day, u64::from(after));
    }
    if units.is_empty()
        && let Some((confirmed, from)) = result.last_confirmed.zip(result.last_confirmed_from)
    {
        units.insert(from, u64::from(confirmed.get()));
    }
    // The PSA has the last word, unless something was written since it was asked: by that run without an answer, or later.
    let is_newest = result.status != LineStatus::Unknown && applied.iter().all(|change| change.at <= state.at);
    if let Some(found) = result.after.or(result.before).map(|found| u64::from(found.get()))
        && is_newest
        && units.values().next_back() != Some(&found)
    {
        units.insert(state.at.to_zoned(zone.clone()).date(), found);
    }
    units
}

/// The highest of each calendar month, day by day.
fn highest(usage: &BTreeMap<Date, u64>) -> BTreeMap<Date, u64> {
    let mut marks = BTreeMap::new();
    let mut mark: Option<(Date, u64)> = None;
    for (day, value) in usage {
        let month = day.first_of_month();
        let highest = mark.filter(|(of, _)| *of == month).map_or(*value, |(_, highest)| highest.max(*value));
        mark = Some((month, highest));
        marks.insert(*day, highest);
    }
    marks
}

/// The points from the first day on, with what was so when it began.
fn within(points: &BTreeMap<Date, u64>, days: Days) -> Vec<(Date, u64)> {
    let before = points.range(..=days.from).next_back().map(|(_, value)| (days.from, *value));
    let later =
        points.iter().filter(|(day, _)| **day > days.from && **day <= days.to).map(|(day, value)| (*day, *value));
    before.into_iter().chain(later).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_mark_rises_within_a_month_and_begins_anew_with_the_next() {
        let usage = [
            (date(2026, 10, 30), 9),
            (date(2026, 10, 31), 7),
            (date(2026, 11, 1), 3),
            (date(2026, 11, 5), 5),
            (date(2026, 11, 6), 4),
        ];
        let marks: Vec<u64> = highest(&usage.into()).into_values().collect();
        assert_eq!(marks, [9, 9, 3, 5, 5]);
    }

    #[test]
    fn what_was_so_when_the_first_day_began_is_drawn_from_there() {
        let days = Days { from: date(2026, 11, 1), to: date(2026, 11, 10) };
        let points = BTreeMap::from([
            (date(2026, 9, 1), 1),
            (date(2026, 10, 1), 2),
            (date(2026, 11, 5), 3),
            (date(2026, 12, 1), 4),
        ]);
        assert_eq!(within(&points, days), [(date(2026, 11, 1), 2), (date(2026, 11, 5), 3)]);
    }
}
