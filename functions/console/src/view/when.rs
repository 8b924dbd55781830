//! Instants, in the time zone of whoever they are for.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};

/// `23 Nov 2026, 02:00`, in `zone` (an IANA name; UTC where it is none), with the exact instant behind it.
pub(crate) fn at(instant: Timestamp, zone: &str) -> Markup {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let shown = instant.to_zoned(zone).strftime("%-d %b %Y, %H:%M").to_string();
    html! { time datetime=(instant) title=(instant) { (shown) } }
}

/// The same, or what stands for none.
pub(crate) fn maybe(instant: Option<Timestamp>, zone: &str, none: &str) -> Markup {
    match instant {
        Some(instant) => at(instant, zone),
        None => html! { (none) },
    }
}
