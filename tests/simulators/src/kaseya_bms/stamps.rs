//! How days and instants print: without a zone.
//!
//! Owns the two forms. Which zone an instant is in, nobody outside the vendor knows for sure, so its distance from UTC is a
//! switch; a day is never moved.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::switches::Switches;

/// The clock that instants print in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamps {
    offset: SignedDuration,
}

impl Stamps {
    pub(crate) fn of(switches: &Switches) -> Self {
        Self { offset: SignedDuration::from_mins(i64::from(switches.stamp_offset_minutes)) }
    }

    /// `2026-11-20T12:00:00`
    pub(crate) fn instant(self, at: Timestamp) -> String {
        let shown = at.checked_add(self.offset).unwrap_or(at);
        shown.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S").to_string()
    }
}

/// `2026-11-20T00:00:00`
pub(crate) fn day(day: Date) -> String {
    format!("{day}T00:00:00")
}
