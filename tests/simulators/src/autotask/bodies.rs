//! Reading the values of a write's JSON body, as strictly as the JSON reader behind the API does.
//!
//! Owns types only: what must be present and what may change is `changes`'.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::cell::{day_and_seconds, decimal};
use super::errors::Refusal;
use super::filter::{key, unexpected};

/// A whole number; a text, a fraction or a boolean is refused as the JSON reader behind the API does.
pub(super) fn int(body: &Map<String, Value>, name: &str) -> Result<Option<i64>, Refusal> {
    match key(body, name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_i64().map(Some).ok_or_else(|| unexpected(value)),
    }
}

/// A whole number that fits 32 bits, as unit changes must.
pub(super) fn int32(body: &Map<String, Value>, name: &str) -> Result<Option<i64>, Refusal> {
    match int(body, name)? {
        Some(number) if i32::try_from(number).is_err() => Err(unexpected(&number.into())),
        number => Ok(number),
    }
}

pub(super) fn amount(body: &Map<String, Value>, name: &str) -> Result<Option<Decimal>, Refusal> {
    match key(body, name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => decimal(value).map(Some).ok_or_else(|| unexpected(value)),
    }
}

/// A day. A time or zone after it is discarded, not converted.
pub(super) fn date(body: &Map<String, Value>, name: &str) -> Result<Option<Date>, Refusal> {
    match key(body, name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let day = value.as_str().and_then(day_and_seconds).map(|(day, _)| day);
            day.map(Some).ok_or_else(|| unexpected(value))
        }
    }
}

/// A text. A number, a list or a boolean is refused.
pub(super) fn text(body: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    match key(body, name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_str().map(|text| Some(text.to_owned())).ok_or_else(|| unexpected(value)),
    }
}

pub(super) fn flag(body: &Map<String, Value>, name: &str) -> Result<Option<bool>, Refusal> {
    match key(body, name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_bool().map(Some).ok_or_else(|| unexpected(value)),
    }
}
