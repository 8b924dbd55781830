//! The counts as they stand, by page.

use axum::extract::State;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shared::api::auth::Caller;
use shared::api::paging::{Limit, List, Listing};
use shared::api::{Fault, Faults, Json, Problem, ProblemBody, Query};
use shared::domain::ids::{CompanyId, ProductKey};
use shared::store::usage::{CountFilter, CountRow, KEPT_DAYS};
use utoipa::{IntoParams, ToSchema};

use crate::Deps;
use crate::snapshots::may_see;

/// How far back a list goes that does not say.
const USUAL_DAYS: i64 = 31;

/// Which counts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only this company's.
    #[param(value_type = Option<String>)]
    company: Option<CompanyId>,
    /// Only this product's.
    #[param(value_type = Option<String>)]
    product: Option<ProductKey>,
    /// As of this instant or later; a date is its first second in UTC. 31 days before `to` if left out.
    from: Option<String>,
    /// As of this instant or earlier; a date is its last second in UTC. Now if left out.
    to: Option<String>,
    /// Items on a page.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 50)]
    limit: Limit,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// One count.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UsageCount)]
pub(crate) struct Count {
    company: String,
    /// As last given that month.
    company_name: Option<String>,
    /// The company's account in the PSA, as last given that month.
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    product: String,
    quantity: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_cost: Option<String>,
    /// ISO 4217, where the source said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// The instant it is true for.
    #[schema(format = DateTime)]
    as_of: String,
    /// Whether its snapshot was complete; an incomplete one only says "at least".
    complete: bool,
    snapshot_id: String,
}

impl From<CountRow> for Count {
    fn from(row: CountRow) -> Self {
        let count = row.recorded.count;
        Self {
            company: row.feed.company.into(),
            company_name: row.company_name,
            account_id: row.account_id.map(String::from),
            product: row.feed.product.into(),
            quantity: count.units.get(),
            unit_cost: row.recorded.unit_cost.map(String::from),
            currency: row.recorded.currency.map(String::from),
            as_of: count.as_of.to_string(),
            complete: count.complete,
            snapshot_id: count.snapshot.into(),
        }
    }
}

/// List counts: of each hour the newest complete one and the highest incomplete one.
#[utoipa::path(
    get, path = "/v1/usage", tag = "usage", operation_id = "list_usage",
    params(Filter),
    responses(
        (status = 200, description = "By month, company and product, in order of time", body = Listing<Count>),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/read"]), ("bearer" = ["tallyline/usage"]))
)]
pub(crate) async fn list(
    caller: Caller,
    State(deps): State<Deps>,
    Query(filter): Query<Filter>,
) -> Result<Json<Listing<Count>>, Problem> {
    may_see(&caller)?;
    let list = filter.list();
    let after = match list.position(filter.cursor.as_deref())? {
        Some(position) => Some(serde_json::from_str(&position).map_err(|_| bad_cursor())?),
        None => None,
    };
    let limit = usize::from(filter.limit.get());
    let wanted = filter.checked(deps.clock.now())?;
    let page = deps.usage.counts(&caller.partner, &wanted, after, limit).await?;
    let next = page.next.map(|next| serde_json::to_string(&next)).transpose().map_err(Problem::internal)?;
    let items = page.items.into_iter().map(Count::from).collect();
    Ok(Json(list.page(items, next.as_deref())))
}

impl Filter {
    fn list(&self) -> List {
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        let company = self.company.as_ref().map_or("", CompanyId::as_str);
        let product = self.product.as_ref().map_or("", ProductKey::as_str);
        List::named(&["usage", company, product, &text(&self.from), &text(&self.to)])
    }

    fn checked(self, now: Timestamp) -> Result<CountFilter, Problem> {
        let mut faults = Faults::none();
        let to = self.to.as_deref().map_or(Ok(now), |text| instant("?to", text, true));
        let to = faults.take(to).unwrap_or(now);
        let usual = to.checked_sub(SignedDuration::from_hours(USUAL_DAYS * 24)).unwrap_or(to);
        let from = self.from.as_deref().map_or(Ok(usual), |text| instant("?from", text, false));
        let from = faults.take(from).unwrap_or(to);
        if from > to {
            faults.add(Fault::new("?from", "must not be after to"));
        }
        faults.refuse()?;
        // Nothing older is kept: no need to look for it month by month.
        let oldest = now.checked_sub(SignedDuration::from_hours(KEPT_DAYS * 24)).unwrap_or(from);
        Ok(CountFilter { company: self.company, product: self.product, from: from.max(oldest), to })
    }
}

/// An instant, or the first or last second of a date in UTC.
fn instant(pointer: &str, text: &str, last: bool) -> Result<Timestamp, Fault> {
    let of_date = || {
        let date: Date = text.parse().ok()?;
        let time = if last { date.at(23, 59, 59, 0) } else { date.at(0, 0, 0, 0) };
        Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    // A date parses as one only without a time: an instant with a time zone is tried first.
    text.parse().ok().or_else(of_date).ok_or_else(|| {
        Fault::new(pointer, "must be an instant such as 2026-11-20T23:59:00Z or a date such as 2026-11-20")
    })
}

fn bad_cursor() -> Problem {
    Problem::invalid(vec![Fault::new("?cursor", "must be the next_cursor of the page before")])
}
