//! Input: the field `time_zone`, which whatever has a schedule has.

use jiff::tz::TimeZone;
use serde_json::Value;

use super::json::parse;
use super::problem::Fault;

/// A time zone by its IANA name, in the spelling of the time zone database.
///
/// # Errors
/// There is none of that name.
pub fn time_zone(value: Value) -> Result<String, Fault> {
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
}
