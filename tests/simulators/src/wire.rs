//! Amounts and days between our types and a JSON wire.
//!
//! Owns exactness: decimals cross without floats in our own arithmetic, and no zone moves a day. Which fields have which form
//! is each simulator's.

use std::str::FromStr as _;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Number, Value};

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
