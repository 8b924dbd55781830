//! A person has looked into the PSA: what that means for an alert, or why nothing can be forgotten of it.

use axum::http::header;
use jiff::{SignedDuration, Timestamp};
use shared::api::Problem;
use shared::domain::alert::{Alert, Forgotten};

/// The alert without what was sent for it. `settle` is how long a PSA may still be working on a request.
pub(crate) fn forgotten(alert: &Alert, now: Timestamp, settle: SignedDuration) -> Result<Alert, Problem> {
    match alert.forgotten(now, settle) {
        Forgotten::Is(alert) => Ok(*alert),
        Forgotten::NotHalted => Err(not_halted()),
        Forgotten::TooEarly(until) => Err(too_early(until, now)),
    }
}

fn not_halted() -> Problem {
    let detail = "Nothing halts the alert: it goes on by itself, or is told already.";
    let fix =
        "Forget what was sent only where the alert waits, was refused or given up, or its code is ticket_not_shown.";
    Problem::conflict("alert_not_halted", detail).fix(fix)
}

fn too_early(until: Timestamp, now: Timestamp) -> Problem {
    let detail = format!("What was sent for the alert may still be on its way to the PSA until {until}.");
    let seconds = until.duration_since(now).as_secs().max(1);
    Problem::conflict("write_may_be_on_its_way", detail)
        .fix("Look into the PSA once more after that, then send the request again.")
        .header(header::RETRY_AFTER, &seconds.to_string())
}
