//! A field's value between a row and the wire.
//!
//! Owns the few value types Autotask fields have, how each prints as JSON, and how exact decimals cross it without floats in
//! our own arithmetic.

use std::str::FromStr as _;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Number, Value};

use super::switches::DateForm;

/// A field's value in one row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Int(i64),
    Amount(Decimal),
    Text(&'a str),
    Flag(bool),
    Day(Date),
}

impl Cell<'_> {
    pub(crate) fn maybe(number: Option<i64>) -> Self {
        number.map_or(Self::Null, Self::Int)
    }

    pub(crate) fn json(&self, form: DateForm) -> Value {
        match *self {
            Self::Null => Value::Null,
            Self::Int(number) => number.into(),
            Self::Amount(amount) => number(amount),
            Self::Text(text) => text.into(),
            Self::Flag(flag) => flag.into(),
            Self::Day(day) => day_text(day, form).into(),
        }
    }
}

/// A date-only value as the wire shows it.
pub(crate) fn day_text(day: Date, form: DateForm) -> String {
    match form {
        DateForm::MidnightUtc => format!("{day}T00:00:00Z"),
        DateForm::MidnightUtcFraction => format!("{day}T00:00:00.000Z"),
        DateForm::AfternoonUtc => format!("{day}T13:00:00Z"),
        DateForm::NoZone => format!("{day}T00:00:00"),
    }
}

/// A decimal as a JSON number with at least one place, as Autotask prints them (`0.0`, `254.1`).
pub(crate) fn number(amount: Decimal) -> Value {
    let mut text = amount.normalize().to_string();
    if !text.contains('.') {
        text.push_str(".0");
    }
    Number::from_str(&text).map_or(Value::Null, Value::Number)
}

/// A JSON number (or a text of one) as an exact decimal.
pub(crate) fn decimal(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    Decimal::from_str(&text).or_else(|_| Decimal::from_scientific(&text)).ok()
}

/// A JSON date text, with or without a time, as its day and the seconds into that day. A zone is dropped, not converted:
/// Autotask stores `2023-10-09T02:00:00` as that day's midnight.
pub(crate) fn day_and_seconds(text: &str) -> Option<(Date, i64)> {
    let day: Date = text.get(..10)?.parse().ok()?;
    let rest = text.get(10..)?;
    if rest.is_empty() {
        return Some((day, 0));
    }
    let time = rest.strip_prefix(['T', 't', ' '])?;
    let time = time.split(['Z', 'z', '+', '-']).next()?;
    let time: jiff::civil::Time = time.parse().ok()?;
    let seconds = i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    Some((day, seconds))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn decimals_cross_the_wire_exactly() {
        for (text, wire) in [("254.10", "254.1"), ("0", "0.0"), ("12", "12.0"), ("0.0001", "0.0001")] {
            assert_eq!(number(text.parse().unwrap()).to_string(), wire);
        }
        assert_eq!(decimal(&json!(23.1)), Some("23.1".parse().unwrap()));
        assert_eq!(decimal(&json!("4.50")), Some("4.50".parse().unwrap()));
        assert_eq!(decimal(&json!(true)), None);
    }

    #[test]
    fn a_time_or_zone_never_moves_the_day() {
        let day = jiff::civil::date(2023, 10, 9);
        for text in ["2023-10-09", "2023-10-09T00:00:00", "2023-10-09T00:00:00.000Z", "2023-10-09T00:00:00+02:00"] {
            assert_eq!(day_and_seconds(text), Some((day, 0)), "{text}");
        }
        assert_eq!(day_and_seconds("2023-10-09T23:59:59"), Some((day, 86_399)));
        for text in ["2023-10-9", "", "next week", "2023-02-30"] {
            assert_eq!(day_and_seconds(text), None, "{text}");
        }
    }
}
