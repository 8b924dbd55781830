//! The fields of a snapshot and of its records as they are sent, checked one by one.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use shared::api::{Fault, Problem};
use shared::domain::amount::Amount;
use shared::domain::ids::{CompanyId, ProductKey, SnapshotId};
use shared::domain::units::Units;
use shared::store::usage::Record;
use utoipa::ToSchema;

/// How far `as_of` may be ahead of our clock: senders' clocks are not exact.
const AHEAD_HOURS: i64 = 1;
/// How old `as_of` may be: no rule looks further back.
const OLDEST_DAYS: i64 = 400;
/// Longest company name, in characters.
const MAX_NAME: usize = 200;

/// One company's count of one product.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UsageRecord)]
pub(crate) struct RecordBody {
    /// Your id of the customer.
    #[schema(value_type = String, example = "acme")]
    company: CompanyId,
    /// Its name.
    #[schema(value_type = String, example = "Acme Inc.", max_length = 200)]
    company_name: CompanyName,
    /// What is counted.
    #[schema(value_type = String, example = "edr")]
    product: ProductKey,
    /// How many.
    #[schema(value_type = u32, example = 42, maximum = 10_000_000)]
    quantity: Units,
    /// What one costs the partner.
    #[schema(value_type = Option<String>, example = "1.10")]
    unit_cost: Option<Amount>,
}

impl From<RecordBody> for Record {
    fn from(body: RecordBody) -> Self {
        Self {
            company: body.company,
            company_name: body.company_name.0,
            product: body.product,
            quantity: body.quantity,
            unit_cost: body.unit_cost,
        }
    }
}

/// A company's name, without spaces around it.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct CompanyName(String);

impl TryFrom<String> for CompanyName {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let name = text.trim();
        let sound = !name.is_empty() && name.chars().count() <= MAX_NAME && !name.chars().any(char::is_control);
        if sound { Ok(Self(name.to_owned())) } else { Err("must be 1 to 200 characters without control characters") }
    }
}

impl From<CompanyName> for String {
    fn from(name: CompanyName) -> Self {
        name.0
    }
}

/// The instant that counts are true for: RFC 3339, not much ahead of `now` and not older than any rule looks.
pub(crate) fn as_of(pointer: &str, text: &str, now: Timestamp) -> Result<Timestamp, Fault> {
    let fault = |detail: &str| Fault::new(pointer, detail);
    let instant: Timestamp = text.parse().map_err(|_| fault("must be an instant such as 2026-11-20T23:59:00Z"))?;
    if instant.duration_since(now) > SignedDuration::from_hours(AHEAD_HOURS) {
        return Err(fault("must not be more than an hour ahead"));
    }
    if now.duration_since(instant) > SignedDuration::from_hours(OLDEST_DAYS * 24) {
        return Err(fault("must not be more than 400 days ago"));
    }
    Ok(instant)
}

/// The name of a snapshot that is sent in.
pub(crate) fn snapshot_id(pointer: &str, text: &str) -> Result<SnapshotId, Problem> {
    text.parse().map_err(|error| Problem::invalid(vec![Fault::new(pointer, format!("{error}"))]))
}
