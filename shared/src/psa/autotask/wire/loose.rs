//! A field of an answer in whichever form it comes, and the JSON that it stands in.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::domain::ids::InvalidId;
use crate::domain::money::Money;
use crate::psa::PsaError;
use crate::psa::autotask::errors;

/// Reads JSON. Autotask is known to send raw line breaks within texts, which JSON forbids: they are read as spaces.
pub(in crate::psa::autotask) fn parse<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice(body).ok().or_else(|| {
        let mended: Vec<u8> = body.iter().map(|&byte| if byte < b' ' { b' ' } else { byte }).collect();
        serde_json::from_slice(&mended).ok()
    })
}

/// A field in whichever form it comes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub(in crate::psa::autotask) struct Loose(Value);

impl Loose {
    /// A whole number: `11`, `11.0`, `"11"`.
    pub(in crate::psa::autotask) fn whole(&self) -> Option<i64> {
        let text = match &self.0 {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.trim().to_owned(),
            _ => return None,
        };
        let number = Decimal::from_str(&text).or_else(|_| Decimal::from_scientific(&text)).ok()?;
        if number.is_integer() { number.to_i64() } else { None }
    }

    /// An amount: `12.5`, `"12.5000"`.
    pub(in crate::psa::autotask) fn decimal(&self) -> Option<Decimal> {
        let text = self.text()?;
        Decimal::from_str(&text).or_else(|_| Decimal::from_scientific(&text)).ok()
    }

    /// An amount of money.
    pub(in crate::psa::autotask) fn money(&self) -> Option<Money> {
        self.decimal().map(Money::new)
    }

    /// A text that is not blank; numbers are shown as they are.
    pub(in crate::psa::autotask) fn text(&self) -> Option<String> {
        let text = match &self.0 {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.trim().to_owned(),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// Yes or no: `true`, `1`, `"true"`.
    pub(in crate::psa::autotask) fn flag(&self) -> Option<bool> {
        match &self.0 {
            Value::Bool(flag) => Some(*flag),
            _ => match self.text()?.to_lowercase().as_str() {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            },
        }
    }

    /// A day. Autotask's dates carry a time that means nothing (`T00:00:00Z`, `T13:00:00Z`): the first ten characters count.
    pub(in crate::psa::autotask) fn date(&self) -> Option<Date> {
        self.0.as_str()?.get(..10)?.parse().ok()
    }

    /// Anything but null, a blank text and a field left out.
    pub(in crate::psa::autotask) fn is_set(&self) -> bool {
        match &self.0 {
            Value::Null => false,
            Value::String(text) => !text.trim().is_empty(),
            _ => true,
        }
    }
}

impl fmt::Display for Loose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An id of ours from a number of Autotask's. `what` names where it was read.
pub(in crate::psa::autotask) fn id<T: FromStr<Err = InvalidId>>(what: &str, number: i64) -> Result<T, PsaError> {
    number.to_string().parse().map_err(|_| errors::unreadable(what, "has an id that can't be used"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_come_in_many_forms() {
        for (value, whole) in [
            (json!(11), Some(11)),
            (json!(11.0), Some(11)),
            (json!("11"), Some(11)),
            (json!("11.0000"), Some(11)),
            (json!(1e3), Some(1000)),
            (json!(-4), Some(-4)),
            (json!(11.5), None),
            (json!(""), None),
            (json!("m"), None),
            (json!(true), None),
            (json!(null), None),
            (json!(1e300), None),
        ] {
            assert_eq!(Loose(value.clone()).whole(), whole, "{value}");
        }
    }
}
