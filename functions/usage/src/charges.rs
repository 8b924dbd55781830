//! The charge records that count, by page.

use axum::extract::State;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use shared::api::auth::Caller;
use shared::api::paging::{Limit, List, Listing};
use shared::api::{Fault, Json, Problem, ProblemBody, Query};
use shared::domain::charge::Worth;
use shared::domain::ids::{CompanyId, ProductKey};
use shared::domain::money::Money;
use shared::store::charges::{ChargeFilter, StoredCharge};
use utoipa::{IntoParams, ToSchema};

use crate::Deps;
use crate::snapshots::may_see;

/// How far back a list goes that does not say: two months.
const USUAL_DAYS: i32 = 62;
/// No record that is kept begins before or after so many days from now: there is no need to look for it month by month.
const OLDEST_DAYS: i32 = 831;
const LATEST_DAYS: i32 = 401;

/// Which charges.
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
    /// Whose days begin on this date or later; 62 days before `to` if left out.
    #[param(value_type = Option<String>, format = Date)]
    from: Option<String>,
    /// Whose days begin on this date or earlier; tomorrow in UTC if left out.
    #[param(value_type = Option<String>, format = Date)]
    to: Option<String>,
    /// Items on a page.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 50)]
    limit: Limit,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// One charge record.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UsageCharge)]
pub(crate) struct Charge {
    company: String,
    company_name: String,
    product: String,
    /// What is charged for.
    meter: String,
    description: String,
    #[schema(inline)]
    period: Days,
    /// As it was sent, where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
    /// As it was sent, where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<String>,
    /// As it was sent, where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_price: Option<String>,
    /// What it comes to, exactly: not rounded. Null where that is more than is believed.
    #[schema(value_type = Option<String>, example = "15.4320875")]
    total: Option<Money>,
    /// ISO 4217.
    currency: String,
    /// The instant that its snapshot is true for.
    #[schema(format = DateTime)]
    as_of: String,
    snapshot_id: String,
}

/// Days, both included.
#[derive(Debug, Serialize, ToSchema)]
struct Days {
    #[schema(format = Date)]
    from: String,
    #[schema(format = Date)]
    to: String,
}

impl From<StoredCharge> for Charge {
    fn from(StoredCharge { record, as_of, snapshot }: StoredCharge) -> Self {
        let (amount, quantity, unit_price) = match record.worth {
            Worth::Amount(total) => (Some(total.into()), None, None),
            Worth::QuantityTimes { quantity, unit_price } => (None, Some(quantity.into()), Some(unit_price.into())),
        };
        Self {
            company: record.company.into(),
            company_name: record.company_name,
            product: record.product.into(),
            meter: record.meter.into(),
            description: record.description,
            period: Days { from: record.period.from().to_string(), to: record.period.to().to_string() },
            amount,
            quantity,
            unit_price,
            total: record.worth.exact().map(Money::new),
            currency: record.currency.into(),
            as_of: as_of.to_string(),
            snapshot_id: snapshot.into(),
        }
    }
}

/// List charge records: of each company, product, meter and first day the newest.
#[utoipa::path(
    get, path = "/v1/usage/charges", tag = "usage", operation_id = "list_charges",
    params(Filter),
    responses(
        (status = 200, description = "By month of the first day, company, product, first day and meter", body = Listing<Charge>),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/read"]), ("bearer" = ["tallyline/usage"]))
)]
pub(crate) async fn list(
    caller: Caller,
    State(deps): State<Deps>,
    Query(filter): Query<Filter>,
) -> Result<Json<Listing<Charge>>, Problem> {
    may_see(&caller)?;
    let list = filter.list();
    let after = match list.position(filter.cursor.as_deref())? {
        Some(position) => Some(serde_json::from_str(&position).map_err(|_| bad_cursor())?),
        None => None,
    };
    let limit = usize::from(filter.limit.get());
    let wanted = filter.checked(deps.clock.now())?;
    let page = deps.usage.charges(&caller.partner, &wanted, after, limit).await?;
    let next = page.next.map(|next| serde_json::to_string(&next)).transpose().map_err(Problem::internal)?;
    let items = page.items.into_iter().map(Charge::from).collect();
    Ok(Json(list.page(items, next.as_deref()).with_unreadable(page.unreadable)))
}

impl Filter {
    fn list(&self) -> List {
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        let company = self.company.as_ref().map_or("", CompanyId::as_str);
        let product = self.product.as_ref().map_or("", ProductKey::as_str);
        List::named(&["charges", company, product, &text(&self.from), &text(&self.to)])
    }

    fn checked(self, now: Timestamp) -> Result<ChargeFilter, Problem> {
        let today = now.to_zoned(TimeZone::UTC).date();
        let away = |date: Date, days: i32| date.checked_add(days.days()).unwrap_or(date);
        let mut faults = Vec::new();
        let mut of = |pointer, text: Option<&str>, usual| match text.map(date) {
            None => usual,
            Some(Some(date)) => date,
            Some(None) => {
                faults.push(Fault::new(pointer, "must be a date such as 2026-10-31"));
                usual
            }
        };
        let to = of("?to", self.to.as_deref(), away(today, 1));
        let from = of("?from", self.from.as_deref(), away(to, -USUAL_DAYS));
        if faults.is_empty() && from > to {
            faults.push(Fault::new("?from", "must not be after to"));
        }
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        let (from, to) = (from.max(away(today, -OLDEST_DAYS)), to.min(away(today, LATEST_DAYS)));
        Ok(ChargeFilter { company: self.company, product: self.product, from, to })
    }
}

/// A date and nothing else: the parser would also take an instant.
fn date(text: &str) -> Option<Date> {
    text.parse().ok().filter(|_| text.len() == "2026-10-31".len())
}

fn bad_cursor() -> Problem {
    Problem::invalid(vec![Fault::new("?cursor", "must be the next_cursor of the page before")])
}
