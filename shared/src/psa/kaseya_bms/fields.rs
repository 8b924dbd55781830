//! JSON without regard to the case of member names, and the fields of its rows in whichever form they come.
//!
//! The specification spells names in Pascal case and the live service in camel case. So every name is lower-cased once,
//! here, and values are left as they are.

use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::{Map, Value};

use super::errors;
use super::template::Template;
use crate::domain::ids::InvalidId;
use crate::psa::PsaError;

/// A day before this one is how .NET writes "none" (`0001-01-01`).
const FIRST_YEAR: i16 = 1900;

/// `value` with all names of members in lower case. Of two that then read alike, the first stays.
pub(super) fn lower_cased(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(lower_cased).collect(),
        Value::Object(members) => {
            let mut lowered = Map::new();
            for (name, value) in members {
                lowered.entry(name.to_lowercase()).or_insert_with(|| lower_cased(value));
            }
            Value::Object(lowered)
        }
        value => value,
    }
}

/// An object of an answer. Its fields are named in lower case.
#[derive(Debug, Clone, Default)]
pub(super) struct Row(Map<String, Value>);

impl Row {
    /// A lower-cased object; none for any other value.
    pub(super) fn of(value: Value) -> Option<Self> {
        if let Value::Object(members) = value { Some(Self(members)) } else { None }
    }

    /// The object itself.
    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0)
    }

    /// Takes a field out.
    pub(super) fn take(&mut self, name: &str) -> Value {
        self.0.remove(name).unwrap_or_default()
    }

    /// Whether there is such a field, null or not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A text that is not blank, without the blanks around it. Numbers are shown as they are.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let text = match self.0.get(name)? {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.trim().to_owned(),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// An exact number: `1.5`, `"1.5"`, `2e3`.
    pub(super) fn decimal(&self, name: &str) -> Option<Decimal> {
        let text = self.text(name)?;
        Decimal::from_str(&text).or_else(|_| Decimal::from_scientific(&text)).ok()
    }

    /// A whole number: `11`, `11.0`, `"11"`.
    pub(super) fn whole(&self, name: &str) -> Option<i64> {
        self.decimal(name).filter(Decimal::is_integer)?.to_i64()
    }

    /// Yes or no: `true`, `1`, `"true"`.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        if let Some(Value::Bool(flag)) = self.0.get(name) {
            return Some(*flag);
        }
        match self.text(name)?.to_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }

    /// A day: the first ten characters count. Days of long ago stand for none.
    pub(super) fn day(&self, name: &str) -> Option<Date> {
        let day: Date = self.0.get(name)?.as_str()?.get(..10)?.parse().ok()?;
        (day.year() >= FIRST_YEAR).then_some(day)
    }

    /// An instant. Where it names no zone it is read as UTC.
    pub(super) fn instant(&self, name: &str) -> Option<Timestamp> {
        let text = self.text(name)?;
        let zoneless = || text.parse::<civil::DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
        text.parse().ok().or_else(|| Some(zoneless()?.timestamp()))
    }

    /// The row's own id, which must be there.
    pub(super) fn id(&self, template: Template) -> Result<i64, PsaError> {
        self.whole("id").ok_or_else(|| errors::unreadable(template, "came without an id"))
    }

    /// An id of ours from a number among the fields.
    pub(super) fn reference<T: FromStr<Err = InvalidId>>(&self, name: &str, template: Template) -> Result<T, PsaError> {
        let number = self.whole(name).ok_or_else(|| errors::unreadable(template, "came without an id"))?;
        id(number, template)
    }
}

/// An id of ours from a number of BMS.
pub(super) fn id<T: FromStr<Err = InvalidId>>(number: i64, template: Template) -> Result<T, PsaError> {
    number.to_string().parse().map_err(|_| errors::unreadable(template, "came with an id that can't be used"))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::json;

    use super::*;

    fn row(value: Value) -> Row {
        Row::of(lower_cased(json!({ "Field": value }))).unwrap()
    }

    #[test]
    fn names_lose_their_case_and_values_keep_theirs() {
        let value = json!({"Result": [{"AccountName": "ACME GmbH", "accountname": "x", "SLAId": {"Id": "A"}}]});
        assert_eq!(lower_cased(value), json!({"result": [{"accountname": "ACME GmbH", "slaid": {"id": "A"}}]}));
    }

    #[test]
    fn numbers_come_in_many_forms() {
        for (value, whole) in [
            (json!(11), Some(11)),
            (json!(11.0), Some(11)),
            (json!(" 11 "), Some(11)),
            (json!(1e3), Some(1000)),
            (json!(11.5), None),
            (json!(true), None),
            (json!(null), None),
            (json!([1]), None),
            (json!(1e300), None),
        ] {
            assert_eq!(row(value.clone()).whole("field"), whole, "{value}");
        }
        assert_eq!(row(json!(1.1)).decimal("field"), Some("1.1".parse().unwrap()));
    }

    #[test]
    fn an_instant_without_a_zone_is_utc_and_a_day_is_its_first_ten_characters() {
        let noon: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        for text in
            ["2026-11-20T12:00:00", "2026-11-20T12:00:00Z", "2026-11-20T13:00:00+01:00", "2026-11-20T12:00:00.000"]
        {
            assert_eq!(row(json!(text)).instant("field"), Some(noon), "{text}");
        }
        for bad in [json!("soon"), json!(null), json!(1), json!("")] {
            assert_eq!(row(bad.clone()).instant("field"), None, "{bad}");
        }
        assert_eq!(row(json!("2026-11-20T23:59:59+05:00")).day("field"), Some(date(2026, 11, 20)));
        for none in ["0001-01-01T00:00:00", "", "2026-1-1", "ä26-11-20aaa"] {
            assert_eq!(row(json!(none)).day("field"), None, "{none}");
        }
    }
}
