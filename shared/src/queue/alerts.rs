//! Alerts on their way to a ticket.
//!
//! A message only says which alert to look at: what it is, and what became of it, stands in the store. They have a queue of
//! their own, so that a flood of them delays no run. It keeps the order in which a partner's alerts came.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::QueueError;
use crate::domain::alert::{Alert, AlertKey};
use crate::domain::ids::PartnerId;

/// A message about an alert is given up after so many deliveries: their pauses outlast a PSA that is away for two days.
pub const MOST_DELIVERIES_OF_ALERTS: u32 = 210;

/// That an alert is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AlertMessage {
    /// The tenant: alerts of one are looked at one after the other.
    pub partner: PartnerId,
    /// What the partner's alert is known by.
    pub key: String,
    /// Tells this message from earlier ones about the same alert, which may be under way still.
    pub nonce: String,
}

impl AlertMessage {
    /// That `alert` is to be looked at as it stands now.
    #[must_use]
    pub fn about(partner: &PartnerId, alert: &Alert) -> Self {
        Self::named(partner, &alert.key, alert.version)
    }

    /// The same, of an alert of which only the name is at hand.
    #[must_use]
    pub fn named(partner: &PartnerId, key: &AlertKey, version: u64) -> Self {
        Self { partner: partner.clone(), key: key.to_string(), nonce: version.to_string() }
    }

    /// The same for the same message, however often it is sent. A digest, because a key may be longer than SQS takes and of
    /// characters that it refuses.
    #[must_use]
    pub fn deduplication_id(&self) -> String {
        let Self { partner, key, nonce } = self;
        // SQS compares these ids across all groups of a queue. None of the three holds a control character, so that they can't
        // run into each other.
        hex::encode(Sha256::digest(format!("{partner}\n{key}\n{nonce}")))
    }
}

/// Sends messages about alerts, and nothing else.
#[async_trait]
pub trait SendAlerts: Send + Sync {
    /// Sends every message, or fails. After a failure some may have been sent; sending all again is harmless.
    async fn send_alerts(&self, alerts: &[AlertMessage]) -> Result<(), QueueError>;
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::queue::pause_after;

    #[test]
    fn an_alert_outlasts_a_psa_that_is_away_for_two_days() {
        let pauses: i64 = (1..MOST_DELIVERIES_OF_ALERTS).map(|delivery| pause_after(delivery).as_secs()).sum();
        assert!(SignedDuration::from_secs(pauses) > SignedDuration::from_hours(48));
    }

    #[test]
    fn a_message_is_told_from_others_about_its_alert_and_fits_into_sqs() {
        let id = |partner: &str, key: &str, nonce: &str| {
            let (key, nonce) = (key.to_owned(), nonce.to_owned());
            AlertMessage { partner: partner.parse().unwrap(), key, nonce }.deduplication_id()
        };
        let long = "ü".repeat(200);
        assert_eq!(id("msp", &long, "1"), id("msp", &long, "1"));
        assert_eq!(id("msp", &long, "1").len(), 64);
        let others = [("msp", "a", "2"), ("msp", "b", "1"), ("other", "a", "1"), ("msp", "a1", ""), ("mspa", "", "1")];
        for (partner, key, nonce) in others {
            assert_ne!(id("msp", "a", "1"), id(partner, key, nonce), "{partner} {key} {nonce}");
        }
    }
}
