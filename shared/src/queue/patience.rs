//! How often a message is delivered, and how long it waits after a delivery that failed.

use jiff::SignedDuration;

/// A message is given up after so many deliveries. Together their pauses outlast a lease, which a failed job may leave behind.
pub const MOST_DELIVERIES: u32 = 10;
/// Pause after the first failure; it doubles with each further one.
const FIRST_PAUSE_S: i64 = 5;
/// Longest pause.
const LONGEST_PAUSE_S: i64 = 900;

/// How long a message waits after its `deliveries`th delivery failed.
#[must_use]
pub fn pause_after(deliveries: u32) -> SignedDuration {
    let doubled = 2_i64.checked_pow(deliveries.saturating_sub(1)).and_then(|times| times.checked_mul(FIRST_PAUSE_S));
    SignedDuration::from_secs(doubled.unwrap_or(LONGEST_PAUSE_S).min(LONGEST_PAUSE_S))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_together_outlast_a_lease() {
        let pauses: Vec<i64> = (1..MOST_DELIVERIES).map(|delivery| pause_after(delivery).as_secs()).collect();
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 640, 900]);
        assert!(SignedDuration::from_secs(pauses.iter().sum()) > crate::ledger::LEASE_TERM);
    }
}
