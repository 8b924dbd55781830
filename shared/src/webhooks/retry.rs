//! When a delivery that failed is tried again, and when a webhook is no longer tried at all.

use jiff::SignedDuration;

use crate::queue::MOST_DELIVERIES;

/// Pause after each failed attempt, in seconds: a receiver that restarts misses nothing by more than a minute, one that is
/// repaired within a day misses nothing at all. SQS hides a message for 12 hours at most.
const PAUSES_S: [i64; 9] = [5, 60, 5 * 60, 30 * 60, 2 * 3600, 4 * 3600, 5 * 3600, 6 * 3600, 7 * 3600];

/// A webhook that has failed for so long is switched off.
pub const SWITCHED_OFF_AFTER: SignedDuration = SignedDuration::from_hours(72);

/// How long a dispatch waits after its `attempt`th attempt failed; `None`: it was the last.
#[must_use]
pub fn pause_after(attempt: u32) -> Option<SignedDuration> {
    if attempt >= MOST_DELIVERIES {
        return None;
    }
    let place = usize::try_from(attempt.saturating_sub(1)).ok()?;
    PAUSES_S.get(place).copied().map(SignedDuration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_about_a_day_in_all_and_none_is_longer_than_sqs_allows() {
        let pauses: Vec<_> = (1..MOST_DELIVERIES).map(|attempt| pause_after(attempt).unwrap()).collect();
        assert!(pauses.is_sorted() && pauses.iter().all(|pause| *pause <= SignedDuration::from_hours(12)));
        let all: SignedDuration = pauses.iter().sum();
        assert!((SignedDuration::from_hours(23)..=SignedDuration::from_hours(25)).contains(&all), "{all}");
        assert_eq!(pause_after(MOST_DELIVERIES), None);
        assert_eq!(pause_after(MOST_DELIVERIES + 1), None);
    }
}
