//! When something happened, as whoever sends it says.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shared::api::Fault;

/// How far it may be ahead of our clock: senders' clocks are not exact.
const AHEAD_HOURS: i64 = 1;
/// How long ago it may be: rows are kept for so long.
const OLDEST_DAYS: i64 = 400;

/// The instant in a body's `occurred_at`, if it says one.
pub(crate) fn occurred_at(said: Option<Value>, now: Timestamp) -> Result<Option<Timestamp>, Fault> {
    let Some(said) = said else { return Ok(None) };
    let fault = |detail: &str| Fault::new("/occurred_at", detail);
    let instant = said.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let instant = instant.ok_or_else(|| fault("must be an instant such as 2026-11-20T23:59:00Z"))?;
    if instant.duration_since(now) > SignedDuration::from_hours(AHEAD_HOURS) {
        return Err(fault("must not be more than an hour ahead"));
    }
    if now.duration_since(instant) > SignedDuration::from_hours(OLDEST_DAYS * 24) {
        return Err(fault("must not be more than 400 days ago"));
    }
    // A clock that is fast must not make what happens next look as if it had happened before.
    Ok(Some(instant.min(now)))
}
