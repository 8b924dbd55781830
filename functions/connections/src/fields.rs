//! The check of a field that more than one route takes.

use serde_json::Value;
use shared::api::{Fault, parse};

const LONGEST_NAME: usize = 200;

/// A name for people: 1 to 200 characters on one line.
pub(crate) fn name(value: Value) -> Result<String, Fault> {
    let text: String = parse("/name", value)?;
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST_NAME || text.chars().any(char::is_control) {
        return Err(Fault::new("/name", format!("must be 1 to {LONGEST_NAME} characters on one line")));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_that_people_can_read() {
        assert_eq!(name(" Nordwind ".into()).unwrap(), "Nordwind");
        for bad in [Value::Null, "".into(), "  ".into(), "a\nb".into(), "x".repeat(201).into(), 7.into()] {
            assert!(name(bad.clone()).is_err(), "{bad}");
        }
    }
}
