//! The fields of a snapshot and of its counts as they are sent, checked one by one. Those of charges are in `charge_fields`.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use shared::api::{Fault, Problem, parse, pointer};
use shared::domain::amount::InvalidAmount;
use shared::domain::charge::ChargeRecord;
use shared::domain::ids::SnapshotId;
use shared::domain::money::{Currency, InvalidCurrency};
use shared::domain::units::InvalidUnits;
use shared::store::usage::Record;
use utoipa::ToSchema;

use crate::charge_fields::{self, ChargeBody};

/// How far `as_of` may be ahead of our clock: senders' clocks are not exact.
const AHEAD_HOURS: i64 = 1;
/// How old `as_of` may be: no rule looks further back.
const OLDEST_DAYS: i64 = 400;
/// Longest company name or description, in characters.
const MAX_NAME: usize = 200;

/// One record of a snapshot.
#[derive(ToSchema)]
#[schema(as = UsageRecord)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes what `record` reads")]
pub(crate) enum RecordBody {
    /// A count.
    Count(CountBody),
    /// A charge.
    Charge(ChargeBody),
}

/// That it is a count.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "it describes what `record` reads")]
pub(crate) enum CountKind {
    Count,
}

/// One company's count of one product, for the description of the interface. It is read field by field, so that all of
/// its faults are found.
#[derive(ToSchema)]
#[schema(as = UsageCountRecord)]
#[expect(dead_code, reason = "it describes what `record` reads")]
pub(crate) struct CountBody {
    /// `count`, which may be left out.
    kind: Option<CountKind>,
    /// Your id of the customer.
    #[schema(example = "acme", max_length = 128)]
    company: String,
    /// Its name.
    #[schema(example = "Acme Inc.", max_length = 200)]
    company_name: String,
    /// What is counted.
    #[schema(example = "edr", max_length = 128)]
    product: String,
    /// How many.
    #[schema(example = 42, maximum = 10_000_000)]
    quantity: u32,
    /// What one costs the partner.
    #[schema(example = "1.10")]
    unit_cost: Option<String>,
    /// The currency of the unit cost, ISO 4217. Without it the cost is taken to be in the currency of the customer's contract;
    /// with it a contract in another currency is not written.
    #[schema(example = "EUR")]
    currency: Option<String>,
    /// The customer's account in the PSA, where your source knows it: its id there. It is suggested for the company's mapping.
    #[schema(example = "1001", max_length = 128)]
    account_id: Option<String>,
}

/// A record of either kind.
#[derive(Debug)]
pub(crate) enum Pushed {
    Count(Record),
    Charge(ChargeRecord),
}

/// The record at `pointer`, or every fault in it.
pub(crate) fn record(pointer: &str, value: Value, now: Timestamp) -> Result<Pushed, Vec<Fault>> {
    let mut fields = Fields::of(pointer, value)?;
    match fields.optional("kind", Some(KINDS.to_owned())).unwrap_or(Kind::Count) {
        // What its other fields must be is not known.
        _ if !fields.faults.is_empty() => Err(fields.faults),
        Kind::Count => count(fields).map(Pushed::Count),
        Kind::Charge => charge_fields::charge(fields, now).map(Pushed::Charge),
    }
}

/// What a record may be.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Count,
    Charge,
}

pub(crate) const KINDS: &str = "must be count or charge";

fn count(mut fields: Fields<'_>) -> Result<Record, Vec<Fault>> {
    let company = fields.required("company", None);
    let company_name = fields.required::<CompanyName>("company_name", None);
    let product = fields.required("product", None);
    let quantity = fields.required("quantity", Some(InvalidUnits.to_string()));
    let costed = fields.says("unit_cost");
    let unit_cost = fields.optional("unit_cost", Some(InvalidAmount.to_string()));
    let currency: Option<Currency> = fields.optional("currency", Some(InvalidCurrency.to_string()));
    if currency.is_some() && !costed {
        fields.fault("currency", "is only for a record with unit_cost");
    }
    let account_id = fields.optional("account_id", None);
    let faults = fields.finish();
    match (company, company_name, product, quantity) {
        (Some(company), Some(CompanyName(company_name)), Some(product), Some(quantity)) if faults.is_empty() => {
            Ok(Record { company, company_name, product, quantity, unit_cost, currency, account_id })
        }
        _ => Err(faults),
    }
}

/// An object's fields, taken out one by one.
pub(crate) struct Fields<'a> {
    pointer: &'a str,
    fields: Map<String, Value>,
    faults: Vec<Fault>,
}

impl<'a> Fields<'a> {
    /// Of the object at `pointer`.
    pub(crate) fn of(pointer: &'a str, value: Value) -> Result<Self, Vec<Fault>> {
        let Value::Object(fields) = value else { return Err(vec![Fault::new(pointer, "must be an object")]) };
        Ok(Self { pointer, fields, faults: Vec::new() })
    }

    pub(crate) fn required<T: DeserializeOwned>(&mut self, name: &str, wrong: Option<String>) -> Option<T> {
        let Some(value) = self.fields.remove(name) else {
            self.faults.push(Fault::new(format!("{}/{name}", self.pointer), "is required"));
            return None;
        };
        self.parsed(name, value, wrong)
    }

    pub(crate) fn optional<T: DeserializeOwned>(&mut self, name: &str, wrong: Option<String>) -> Option<T> {
        let value = self.fields.remove(name).filter(|value| !value.is_null())?;
        self.parsed(name, value, wrong)
    }

    pub(crate) fn says(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(|value| !value.is_null())
    }

    pub(crate) fn fault(&mut self, name: &str, detail: &str) {
        self.faults.push(Fault::new(format!("{}/{name}", self.pointer), detail));
    }

    /// Where a field of it stands.
    pub(crate) fn pointer_to(&self, name: &str) -> String {
        format!("{}/{name}", self.pointer)
    }

    /// Faults that were found within a field.
    pub(crate) fn faults(&mut self, faults: Vec<Fault>) {
        self.faults.extend(faults);
    }

    /// `wrong` is what to say in place of the parser, which speaks of its own types ("i64").
    fn parsed<T: DeserializeOwned>(&mut self, name: &str, value: Value, wrong: Option<String>) -> Option<T> {
        let parsed = parse(&format!("{}/{name}", self.pointer), value);
        parsed.map_err(|fault| self.faults.push(Fault { detail: wrong.unwrap_or(fault.detail), ..fault })).ok()
    }

    /// Every fault; whatever was not taken out is one.
    pub(crate) fn finish(mut self) -> Vec<Fault> {
        for name in self.fields.keys() {
            self.faults.push(Fault::new(pointer(self.pointer, name), "is not a field here"));
        }
        self.faults
    }
}

/// A company's name, without spaces around it.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct CompanyName(String);

impl TryFrom<String> for CompanyName {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        line(&text).map(Self)
    }
}

/// What is charged for, in words, without spaces around it.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Description(String);

impl TryFrom<String> for Description {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        line(&text).map(Self)
    }
}

impl From<Description> for String {
    fn from(description: Description) -> Self {
        description.0
    }
}

/// A line of text for people.
fn line(text: &str) -> Result<String, &'static str> {
    let line = text.trim();
    let sound = !line.is_empty() && line.chars().count() <= MAX_NAME && !line.chars().any(char::is_control);
    if sound { Ok(line.to_owned()) } else { Err("must be 1 to 200 characters without control characters") }
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
