//! The fields of a charge record as they are sent, checked one by one.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::Deserialize;
use serde_json::Value;
use shared::api::Fault;
use shared::domain::charge::{
    ChargeRecord, InvalidUsagePeriod, MAX_TOTAL, Quantity, Total, UnitPrice, UsagePeriod, Worth,
};
use shared::domain::money::InvalidCurrency;
use utoipa::ToSchema;

use crate::fields::{CompanyName, Description, Fields};

/// How far from today a record's days may begin: what is charged is of the present, and a slip of the year is none.
const MOST_DAYS: i32 = 400;

/// That it is a charge.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "it describes what `charge` reads")]
pub(crate) enum ChargeKind {
    Charge,
}

/// What a vendor charges for one meter of one company over some days, for the description of the interface.
#[derive(ToSchema)]
#[schema(as = UsageChargeRecord)]
#[expect(dead_code, reason = "it describes what `charge` reads")]
pub(crate) struct ChargeBody {
    /// `charge`.
    kind: ChargeKind,
    /// Your id of the customer.
    #[schema(example = "acme", max_length = 128)]
    company: String,
    /// Its name.
    #[schema(example = "Acme Inc.", max_length = 200)]
    company_name: String,
    /// The product that the meter belongs to.
    #[schema(example = "cloud", max_length = 128)]
    product: String,
    /// Your id of what is charged for.
    #[schema(example = "storage-gb", max_length = 128)]
    meter: String,
    /// That in words, as it may stand on an invoice.
    #[schema(example = "Storage", max_length = 200)]
    description: String,
    /// The days that it is about.
    #[schema(inline)]
    period: PeriodBody,
    /// What it comes to; negative for a credit. In place of `quantity` and `unit_price`.
    #[schema(example = "12.50")]
    amount: Option<String>,
    /// How much was used, not negative.
    #[schema(example = "1234.567")]
    quantity: Option<String>,
    /// What one of it costs the partner.
    #[schema(example = "0.0125")]
    unit_price: Option<String>,
    /// ISO 4217.
    #[schema(example = "EUR")]
    currency: String,
}

/// Days, both included.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what `period` reads")]
struct PeriodBody {
    /// At most 400 days from today.
    #[schema(format = Date, example = "2026-10-01")]
    from: String,
    /// At most 366 days after `from`.
    #[schema(format = Date, example = "2026-10-31")]
    to: String,
}

/// The charge record of `fields`, or every fault in it.
pub(crate) fn charge(mut fields: Fields<'_>, now: Timestamp) -> Result<ChargeRecord, Vec<Fault>> {
    let company = fields.required("company", None);
    let company_name = fields.required::<CompanyName>("company_name", None);
    let product = fields.required("product", None);
    let meter = fields.required("meter", None);
    let description = fields.required::<Description>("description", None);
    let period = fields.required("period", None).and_then(|value| period(&mut fields, value, now));
    let worth = worth(&mut fields);
    let currency = fields.required("currency", Some(InvalidCurrency.to_string()));
    let faults = fields.finish();
    match (company, company_name, product, meter, description, period, worth, currency) {
        (
            Some(company),
            Some(company_name),
            Some(product),
            Some(meter),
            Some(description),
            Some(period),
            Some(worth),
            Some(currency),
        ) if faults.is_empty() => {
            let (company_name, description) = (company_name.into(), description.into());
            Ok(ChargeRecord { company, company_name, product, meter, description, period, worth, currency })
        }
        _ => Err(faults),
    }
}

fn worth(fields: &mut Fields<'_>) -> Option<Worth> {
    let parts = fields.says("quantity") || fields.says("unit_price");
    if fields.says("amount") {
        if parts {
            fields.fault("amount", "is in place of quantity and unit_price: send one or the other");
        }
        let total = fields.required("amount", Some(Total::RULE.to_owned()));
        let _: Option<Quantity> = fields.optional("quantity", Some(Quantity::RULE.to_owned()));
        let _: Option<UnitPrice> = fields.optional("unit_price", Some(UnitPrice::RULE.to_owned()));
        return total.map(Worth::Amount);
    }
    // A null says as much as nothing.
    let _: Option<Value> = fields.optional("amount", None);
    if !parts {
        let _: (Option<Value>, Option<Value>) =
            (fields.optional("quantity", None), fields.optional("unit_price", None));
        fields.fault("amount", "is required, or quantity and unit_price in its place");
        return None;
    }
    let quantity = fields.required("quantity", Some(Quantity::RULE.to_owned()));
    let unit_price = fields.required("unit_price", Some(UnitPrice::RULE.to_owned()));
    let worth = Worth::QuantityTimes { quantity: quantity?, unit_price: unit_price? };
    if worth.exact().is_none() {
        fields.fault("unit_price", &format!("with the quantity comes to more than {MAX_TOTAL}"));
    }
    Some(worth)
}

fn period(fields: &mut Fields<'_>, value: Value, now: Timestamp) -> Option<UsagePeriod> {
    let pointer = fields.pointer_to("period");
    let checked = Fields::of(&pointer, value).and_then(|days| period_of(days, now));
    checked.map_err(|faults| fields.faults(faults)).ok()
}

fn period_of(mut days: Fields<'_>, now: Timestamp) -> Result<UsagePeriod, Vec<Fault>> {
    let wrong = || Some("must be a date such as 2026-10-31".to_owned());
    let from: Option<Day> = days.required("from", wrong());
    let to: Option<Day> = days.required("to", wrong());
    if from.as_ref().is_some_and(|from| !near(from.0, now)) {
        days.fault("from", &format!("must be at most {MOST_DAYS} days from today"));
    }
    let period = match (from, to) {
        (Some(from), Some(to)) => UsagePeriod::new(from.0, to.0)
            .map_err(|wrong: InvalidUsagePeriod| days.fault("to", &wrong.to_string()))
            .ok(),
        _ => None,
    };
    let faults = days.finish();
    period.filter(|_| faults.is_empty()).ok_or(faults)
}

fn near(date: Date, now: Timestamp) -> bool {
    let today = now.to_zoned(TimeZone::UTC).date();
    let bound = |days: i32| today.checked_add(days.days()).ok();
    bound(-MOST_DAYS).is_some_and(|first| first <= date) && bound(MOST_DAYS).is_some_and(|last| date <= last)
}

/// A date and nothing else: the parser would also take an instant, whose day depends on a time zone.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct Day(Date);

impl TryFrom<String> for Day {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let plain = text.len() == "2026-10-31".len();
        text.parse().ok().filter(|_| plain).map(Self).ok_or("must be a date")
    }
}
