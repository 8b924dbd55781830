//! Charges: whether and how a product's metered charges are put on contracts.
//!
//! A mapping of its own beside the product's: a product may be billed by units, by charges, by both. Its billing code is
//! looked up in the PSA before it is stored; the sync looks again. What is charged by it is the sync's affair.

use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use shared::api::auth::{Reader, Writer};
use shared::api::paging::{Listing, Paging};
use shared::api::{Fault, Faults, Json, Path, Precondition, Problem, ProblemBody, Query, Tag};
use shared::domain::ids::{ConnectionId, ProductKey};
use shared::domain::pricing::Markup;
use shared::store::Newer;
use shared::store::connections::Connection;
use shared::store::mappings::{ChargeMapping, ChargeMode, ChargeWhen};
use utoipa::ToSchema;

use crate::{Deps, billing_codes, new_id};

/// The longest name of a bundle, in characters: Autotask's field for it holds no more.
const LONGEST_NAME: usize = 100;

/// The longest name of a billing code, in characters: Autotask's field for it holds no more.
const LONGEST_CODE: usize = 200;

/// How a product's metered charges are put on contracts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChargeMappingContent)]
pub(crate) struct Body {
    /// One charge a meter, or one for all of them.
    mode: ChargeMode,
    /// What a bundle is called on the invoice. Needed where `mode` is `bundled`, and refused elsewhere.
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// The name of an active billing code of the PSA for material, exactly.
    #[schema(min_length = 1, max_length = 200)]
    billing_code: String,
    /// What is added to the cost to make the price, in percent as decimal text. Without it the connection's policy
    /// (`markup.products`) says it; where that does not either, the price is the cost.
    #[schema(value_type = Option<String>, example = "15")]
    markup_percent: Option<Markup>,
    /// What was used on days before this one is not charged. Left out it stays as it is; of a new mapping it is the first day
    /// of the billing period that is running in the connection's time zone.
    #[schema(value_type = Option<String>, format = Date)]
    from: Option<Day>,
    /// When a billing period is charged.
    #[serde(default)]
    when: ChargeWhen,
}

/// A date and nothing else: the parser would also take an instant, whose day depends on a time zone.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Day(Date);

impl TryFrom<String> for Day {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let plain = text.len() == "2026-11-01".len();
        text.parse().ok().filter(|_| plain).map(Self).ok_or("must be a date such as 2026-11-01")
    }
}

impl Body {
    /// What it says, without the blanks at the ends of its names.
    fn checked(self) -> Result<Self, Problem> {
        let (name, billing_code) = (self.name.map(trimmed), trimmed(self.billing_code));
        let mut faults = Faults::none();
        match (self.mode, &name) {
            (ChargeMode::Bundled, None) => faults.add(Fault::new("/name", "is needed where mode is bundled")),
            (ChargeMode::Itemised, Some(_)) => faults.add(Fault::new("/name", "is only for a mode that is bundled")),
            (ChargeMode::Bundled, Some(name)) => of_one_line("/name", name, LONGEST_NAME, &mut faults),
            (ChargeMode::Itemised, None) => {}
        }
        of_one_line("/billing_code", &billing_code, LONGEST_CODE, &mut faults);
        faults.refuse()?;
        Ok(Self { name, billing_code, ..self })
    }
}

fn trimmed(text: String) -> String {
    text.trim().to_owned()
}

fn of_one_line(pointer: &str, text: &str, longest: usize, faults: &mut Faults) {
    if text.is_empty() || text.chars().count() > longest || text.chars().any(char::is_control) {
        faults.add(Fault::new(pointer, format!("must be 1 to {longest} characters on one line")));
    }
}

/// The first day of the billing period that is running.
fn running_since(connection: &Connection, now: Timestamp) -> Result<Date, Problem> {
    let zone = TimeZone::get(&connection.time_zone).map_err(Problem::internal)?;
    let period = connection.policy.billing_day.period_of(now.to_zoned(zone).date());
    period.map(|period| period.start).ok_or_else(|| Problem::internal("today lies in no billing period"))
}

/// Map a product's charges, or replace their mapping.
#[utoipa::path(
    put, path = "/v1/connections/{id}/charges/{product}", tag = "mappings", operation_id = "put_charges",
    params(("id" = String, Path), ("product" = String, Path), Precondition),
    request_body = Body,
    responses(
        (status = 201, description = "Mapped", body = ChargeMapping),
        (status = 200, description = "Replaced, or as it was", body = ChargeMapping),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn put(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    Path((connection, product)): Path<(ConnectionId, String)>,
    over: Precondition,
    Json(body): Json<Body>,
) -> Result<(StatusCode, Tag, Json<ChargeMapping>), Problem> {
    let product: ProductKey = new_id("product", &product)?;
    let psa = deps.opener.open(&caller.partner, &connection).await?;
    let body = body.checked()?;
    billing_codes::exists(psa.connector.as_ref(), &body.billing_code, "/billing_code").await?;
    let now = deps.clock.now();
    let from = match body.from {
        Some(Day(from)) => from,
        None => {
            let before = deps.mappings.get::<ChargeMapping>(&caller.partner, &connection, &product).await?;
            before.map_or_else(|| running_since(&psa.connection, now), |before| Ok(before.from))?
        }
    };
    let mapping = ChargeMapping {
        product,
        mode: body.mode,
        name: body.name,
        billing_code: body.billing_code,
        markup_percent: body.markup_percent,
        from,
        when: body.when,
        version: 0,
        updated_at: now,
        updated_by: caller.actor,
        newer: Newer::default(),
    };
    deps.store(&caller.partner, &connection, mapping, over).await
}

/// How a product's charges are mapped.
#[utoipa::path(
    get, path = "/v1/connections/{id}/charges/{product}", tag = "mappings", operation_id = "get_charges",
    params(("id" = String, Path), ("product" = String, Path)),
    responses((status = 200, description = "The mapping", body = ChargeMapping), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn get(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path((connection, product)): Path<(ConnectionId, ProductKey)>,
) -> Result<(Tag, Json<ChargeMapping>), Problem> {
    let found: Option<ChargeMapping> = deps.mappings.get(&caller.partner, &connection, &product).await?;
    found.map(|mapping| (Tag(mapping.version), Json(mapping))).ok_or_else(|| Problem::not_found("mapping"))
}

/// Remove the mapping of a product's charges. It is no longer charged for; what was charged stays.
#[utoipa::path(
    delete, path = "/v1/connections/{id}/charges/{product}", tag = "mappings", operation_id = "delete_charges",
    params(("id" = String, Path), ("product" = String, Path)),
    responses((status = 204, description = "Removed"), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn delete(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    Path((connection, product)): Path<(ConnectionId, ProductKey)>,
) -> Result<StatusCode, Problem> {
    deps.remove::<ChargeMapping>(&caller.partner, &connection, &product, &caller.actor).await
}

/// List how the charges of a connection's products are mapped.
#[utoipa::path(
    get, path = "/v1/connections/{id}/charges", tag = "mappings", operation_id = "list_charges",
    params(("id" = String, Path), Paging),
    responses((status = 200, description = "By product", body = Listing<ChargeMapping>), (status = "4XX", body = ProblemBody, content_type = "application/problem+json")),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn list(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(connection): Path<ConnectionId>,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<ChargeMapping>>, Problem> {
    deps.page(&caller, &connection, &paging).await.map(Json)
}
