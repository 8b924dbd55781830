//! The checks of single fields that more than one route takes.

use jiff::tz::TimeZone;
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

/// A time zone by its IANA name, in the spelling of the time zone database.
pub(crate) fn time_zone(value: Value) -> Result<String, Fault> {
    let text: String = parse("/time_zone", value)?;
    let known = TimeZone::get(&text).ok().filter(|zone| !zone.is_unknown());
    let name = known.as_ref().and_then(TimeZone::iana_name);
    name.map(str::to_owned)
        .ok_or_else(|| Fault::new("/time_zone", "must be the IANA name of a time zone, such as Europe/Berlin"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_zones_are_taken_by_their_iana_names_only() {
        assert_eq!(time_zone("europe/berlin".into()).unwrap(), "Europe/Berlin");
        assert_eq!(time_zone("UTC".into()).unwrap(), "UTC");
        for bad in ["", "Europe/Atlantis", "+02:00", "Berlin", "Etc/Unknown", "../etc/passwd", "/etc/localtime"] {
            assert!(time_zone(bad.into()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_is_one_line_that_people_can_read() {
        assert_eq!(name(" Nordwind ".into()).unwrap(), "Nordwind");
        for bad in [Value::Null, "".into(), "  ".into(), "a\nb".into(), "x".repeat(201).into(), 7.into()] {
            assert!(name(bad.clone()).is_err(), "{bad}");
        }
    }
}
