//! Reading names and values of a request without regard to case, from a query string or a JSON body alike.
//!
//! Owns the rules of the web framework behind the API: `Filter.X=` in a query is `{"Filter": {"X": …}}` in a body, names match
//! in any case, and a value of the wrong type refuses the request. Which names an endpoint knows is `catalog`'s and `calls`'.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::envelope::Refusal;
use crate::wire;

/// Paging and filter of one request, or the members of one object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members(Vec<(String, Value)>);

impl Members {
    /// The parameters of a query string, with `Filter.` taken off.
    pub(crate) fn of_query(parameters: &[(String, String)]) -> Self {
        let member = |(name, value): &(String, String)| {
            let name = name.to_lowercase();
            (name.strip_prefix("filter.").unwrap_or(&name).to_owned(), Value::from(value.as_str()))
        };
        Self(parameters.iter().map(member).collect())
    }

    /// The members of a search body, those of its `Filter` among them.
    pub(crate) fn of_search(body: &Value) -> Result<Self, Refusal> {
        let object = body.as_object().ok_or_else(|| Refusal::invalid("The body must be an object."))?;
        let (filter, others): (Vec<_>, Vec<_>) =
            object.iter().partition(|(name, _)| name.eq_ignore_ascii_case("filter"));
        let inner = filter.into_iter().filter_map(|(_, value)| value.as_object()).flatten();
        Ok(Self(others.into_iter().chain(inner).map(|(name, value)| (name.to_lowercase(), value.clone())).collect()))
    }

    /// The members of an object.
    pub(crate) fn of_object(object: &Map<String, Value>) -> Self {
        Self(object.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect())
    }

    /// A value that is there, not null and not an empty text.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        let found = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        found.filter(|value| !value.is_null() && value.as_str() != Some(""))
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.value(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    /// A whole number of 32 bits, or a text of one: queries know no numbers.
    pub(crate) fn int(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        let number = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
        let fits = number.filter(|number| i32::try_from(*number).is_ok());
        fits.map(Some).ok_or_else(|| mistyped(name, "an integer"))
    }

    /// A whole number of 32 bits and nothing that merely looks like one: no text, no fraction, not even `2.0`.
    pub(crate) fn strict_int(&self, name: &str) -> Result<Option<i64>, Refusal> {
        match self.value(name) {
            Some(value) if !value.is_i64() => Err(mistyped(name, "an integer")),
            _ => self.int(name),
        }
    }

    /// True, false, or a number that is none or not none.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        let flag = match value {
            Value::Bool(flag) => Some(*flag),
            Value::Number(number) => number.as_i64().map(|number| number != 0),
            Value::String(text) => match text.to_lowercase().as_str() {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        };
        flag.map(Some).ok_or_else(|| mistyped(name, "true or false"))
    }

    /// A day; a time or zone after it is dropped.
    pub(crate) fn date(&self, name: &str) -> Result<Option<Date>, Refusal> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        let day = value.as_str().and_then(wire::day_and_seconds).map(|(day, _)| day);
        day.map(Some).ok_or_else(|| mistyped(name, "a date"))
    }

    pub(crate) fn amount(&self, name: &str) -> Result<Option<Decimal>, Refusal> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        wire::decimal(value).map(Some).ok_or_else(|| mistyped(name, "a number"))
    }

    /// Ids, from a repeated parameter, an array, a text with commas, or one number.
    pub(crate) fn ids(&self, name: &str) -> Result<Option<Vec<i64>>, Refusal> {
        let all = self.0.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let mut found = Vec::new();
        for (_, value) in all {
            let parts = match value {
                Value::Null => Vec::new(),
                Value::Array(items) => items.iter().map(Value::to_string).collect(),
                Value::String(text) => text.split(',').map(str::to_owned).collect(),
                other => vec![other.to_string()],
            };
            for part in parts.iter().map(|part| part.trim().trim_matches('"')).filter(|part| !part.is_empty()) {
                found.push(part.parse().map_err(|_| mistyped(name, "ids"))?);
            }
        }
        Ok((!found.is_empty()).then_some(found))
    }
}

fn mistyped(name: &str, wanted: &str) -> Refusal {
    Refusal::invalid(format!("{name} must be {wanted}."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_query_and_a_body_read_alike() {
        let query = [("filter.accountIds", "1,2"), ("PAGESIZE", "50"), ("Filter.ExcludeCompleted", "1")];
        let query = Members::of_query(&query.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let body = json!({"pageSize": 50, "Filter": {"AccountIds": [1, 2], "excludeCompleted": true}});
        for members in [query, Members::of_search(&body).unwrap()] {
            assert_eq!(members.ids("AccountIds"), Ok(Some(vec![1, 2])));
            assert_eq!(members.int("PageSize"), Ok(Some(50)));
            assert_eq!(members.flag("ExcludeCompleted"), Ok(Some(true)));
            assert_eq!(members.text("Title"), None);
        }
    }

    #[test]
    fn a_fraction_a_text_and_a_number_of_33_bits_are_no_units() {
        for units in [json!(1.5), json!(2.0), json!("2"), json!(2_147_483_648_i64)] {
            let body = json!({ "Units": units });
            assert!(Members::of_object(body.as_object().unwrap()).strict_int("Units").is_err(), "{units}");
        }
        let body = json!({"units": -3});
        assert_eq!(Members::of_object(body.as_object().unwrap()).strict_int("Units"), Ok(Some(-3)));
    }
}
