//! A product's counts added up over all companies, day by day.

use axum::extract::State;
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use shared::api::auth::Caller;
use shared::api::{Json, Problem, ProblemBody, Query, refused_query};
use shared::domain::ids::ProductKey;
use shared::domain::series::Series;
use shared::store::usage::{Month, RecordedCount};
use utoipa::{IntoParams, ToSchema};

use crate::Deps;
use crate::snapshots::may_see;

/// How far back a sum goes that does not say, and the longest one: all counts of its months are read for it.
const USUAL_DAYS: i32 = 31;
const MOST_DAYS: i32 = 100;
/// Queries for one sum, of up to a megabyte each: what can be read while somebody waits.
const QUERIES: u32 = 200;

/// Which sums.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Of this product.
    #[param(value_type = String)]
    product: ProductKey,
    /// The first day; 31 days before `to` if left out.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// The last day, at most 100 days after the first; today if left out.
    #[param(value_type = Option<String>, format = Date)]
    to: Option<Date>,
    /// IANA name of the time zone whose days these are; UTC if left out.
    time_zone: Option<String>,
}

/// A product's sums.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UsageTotals)]
pub(crate) struct Totals {
    product: String,
    /// In order of time; days before the first count are left out.
    days: Vec<Day>,
    /// Whether every company is in the sums. Not so where there are more counts than are read for one answer: then only those are
    /// in it whose ids come first.
    all_companies: bool,
}

/// What was so at the end of a day.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[schema(as = UsageOfDay)]
pub(crate) struct Day {
    #[schema(value_type = String, format = Date)]
    date: Date,
    /// The newest count of each company, added up. A company that was not counted that day is in it with its last count of the
    /// month before the first day or later.
    quantity: u64,
    /// Companies in it.
    companies: u32,
    /// Those that were counted on that very day.
    counted: u32,
}

/// Add a product's counts up over all companies, day by day.
#[utoipa::path(
    get, path = "/v1/usage/totals", tag = "usage", operation_id = "usage_totals",
    params(Which),
    responses(
        (status = 200, body = Totals),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/read"]), ("bearer" = ["tallyline/usage"]))
)]
pub(crate) async fn totals(
    caller: Caller,
    State(deps): State<Deps>,
    Query(which): Query<Which>,
) -> Result<Json<Totals>, Problem> {
    may_see(&caller)?;
    let zone = which.time_zone.as_deref().map_or(Ok(TimeZone::UTC), TimeZone::get);
    let zone = zone.map_err(|_| refused_query("time_zone", "must be an IANA name such as Europe/Berlin"))?;
    let to = which.to.unwrap_or_else(|| deps.clock.now().to_zoned(zone.clone()).date());
    let from = which.from.unwrap_or_else(|| to.saturating_sub(USUAL_DAYS.days()));
    if from > to || from.saturating_add(MOST_DAYS.days()) < to {
        return Err(refused_query("from", "must be no later than to, and at most 100 days before it"));
    }
    let earlier = Month::of_date(from.first_of_month().saturating_sub(1.day()));
    // The last hours of a day may be of the next month in UTC.
    let later = Month::of_date(to.saturating_add(1.day()));
    let mut feeds = deps.usage.feeds_of(&caller.partner, &which.product, earlier..=later, QUERIES);
    let mut days = days(from, to);
    while let Some(counts) = feeds.next().await? {
        add(&mut days, counts, &zone);
    }
    let all_companies = feeds.are_all_given();
    let first = days.iter().position(|day| day.companies > 0).unwrap_or(days.len());
    let days = days.split_off(first);
    Ok(Json(Totals { product: which.product.into(), days, all_companies }))
}

fn days(from: Date, to: Date) -> Vec<Day> {
    let dates = std::iter::successors(Some(from), |day| day.tomorrow().ok()).take_while(|day| *day <= to);
    dates.map(|date| Day { date, ..Day::default() }).collect()
}

/// Adds a company's counts to each day.
fn add(days: &mut [Day], counts: Vec<RecordedCount>, zone: &TimeZone) {
    let counts = counts.into_iter().map(|recorded| recorded.count).collect();
    let series = Series::of(&[counts], zone);
    for day in days {
        let Some(step) = series.at_end_of(day.date) else { continue };
        day.quantity += step.sum.map_or(0, |units| u64::from(units.get()));
        day.companies += 1;
        day.counted += u32::from(step.date == day.date);
    }
}
