//! Counts over time, drawn and as a table: of all companies together, and of one.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use shared::domain::series::{self, Series};

use super::counts;
use crate::client::told::usage::Totals;
use crate::client::{Client, Trouble, with_query};
use crate::view::chart::{Days, Look, Steps, chart};
use crate::view::table;

/// How far back they go: of all companies a month, for every count of it is read; of one three.
const OF_ALL: i32 = 31;
const OF_ONE: i32 = 92;

pub(super) async fn totals(api: &Client, product: &str, (today, zone): (Date, &str)) -> Result<Markup, Trouble> {
    let days = Days { from: today.saturating_sub(OF_ALL.days()), to: today };
    let (from, to) = (days.from.to_string(), days.to.to_string());
    let query = [
        ("product", Some(product)),
        ("from", Some(from.as_str())),
        ("to", Some(to.as_str())),
        ("time_zone", Some(zone)),
    ];
    let told: Totals = api.get(&with_query("/v1/usage/totals", &query)).await?;
    let points: Vec<(Date, u64)> = told.days.iter().map(|day| (day.date, day.quantity)).collect();
    let days = Days::with(points.iter().map(|(day, _)| *day), today, OF_ALL);
    let series = [Steps { name: format!("{product} of all companies"), look: Look::Usage, points, until: today }];
    Ok(html! {
        @if told.days.is_empty() { p.empty { "Nothing of " (product) " was counted in the last month." } } @else {
            (chart("totals", &format!("{product} of all companies, day by day"), days, &series))
            @if !told.all_companies { p.warning { "There are more counts than are added up here: only the companies whose ids come first are in the sums." } }
            p.hint { "Of each company the newest count by the end of the day; who was not counted that day is in it with the last one." }
            details {
                summary { "The same as a table" }
                (table::table("Sums by day", &["Day", "#Count", "#Companies", "#Counted that day"], &html! { @for day in told.days.iter().rev() { tr {
                    th scope="row" { (day.date) } td.number { (day.quantity) } td.number { (day.companies) } td.number { (day.counted) }
                } } }))
            }
        }
    })
}

pub(super) async fn of_company(
    api: &Client,
    product: &str,
    company: &str,
    (today, zone): (Date, &str),
) -> Result<Markup, Trouble> {
    let days = Days { from: today.saturating_sub(OF_ONE.days()), to: today };
    let (counts, whole) = counts(api, product, company, days).await?;
    let name = counts.iter().rev().find_map(|count| count.company_name.clone()).unwrap_or_else(|| company.to_owned());
    let all = with_query("/console/usage", &[("product", Some(product))]);
    let of_zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let series = Series::of(&[counts.iter().cloned().map(series::Count::from).collect()], &of_zone);
    // The day's last count is what the day is told by.
    let by_day: BTreeMap<Date, u64> =
        series.steps().iter().filter_map(|step| Some((step.date, u64::from(step.sum?.get())))).collect();
    let points = by_day.iter().map(|(day, count)| (*day, *count)).collect();
    let days = Days::with(by_day.keys().copied(), today, OF_ONE);
    let until = by_day.keys().next_back().copied().unwrap_or(today);
    let drawn = [Steps { name: format!("{product} of {name}"), look: Look::Usage, points, until }];
    Ok(html! {
        h2 { (product) " of " (name) }
        p { a href=(all) { "All companies" } }
        @if by_day.is_empty() {
            p.empty { "Nothing of " (product) " was counted of " code { (company) } " in the last three months. Ids are those that the counts come with." }
        } @else {
            @if !whole { p.hint { "It was counted too often for all of three months to be shown: older counts are left out." } }
            (chart("counts", &format!("{product} of {name}, day by day"), days, &drawn))
            details {
                summary { "The same as a table" }
                (table::table("Counts by day", &["Day", "#Count"], &html! { @for (day, count) in by_day.iter().rev() { tr {
                    th scope="row" { (day) } td.number { (count) }
                } } }))
            }
        }
    })
}
