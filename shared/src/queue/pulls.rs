//! Pulls of usage sources on their way to whoever reads them.
//!
//! A message only says which source to go on with: how far its pull is stands in the store. Those of one source keep their
//! order and are worked on one after the other, which is what the engine of pulls relies on.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::QueueError;
use crate::domain::ids::PartnerId;
use crate::sources::Vendor;

/// That a source is to be pulled, or its pull to go on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PullMessage {
    /// The tenant.
    pub partner: PartnerId,
    /// Whose API is read.
    pub vendor: Vendor,
    /// The instant at which the pull was asked for.
    pub pull: Timestamp,
    /// Tells this message from earlier ones about the same pull.
    #[serde(default)]
    pub nonce: String,
}

impl PullMessage {
    /// That a pull is asked for.
    #[must_use]
    pub fn asks(partner: &PartnerId, vendor: Vendor, pull: Timestamp) -> Self {
        Self { partner: partner.clone(), vendor, pull, nonce: String::new() }
    }

    /// What keeps its order: one source.
    #[must_use]
    pub fn lane(&self) -> String {
        // Letters that SQS takes, and not longer than it allows, whatever the partner is called.
        hex::encode(Sha256::digest(format!("{}\n{}", self.partner, self.vendor.as_str())))
    }

    /// The same for the same message, however often it is sent.
    #[must_use]
    pub fn deduplication_id(&self) -> String {
        let Self { partner, vendor, pull, nonce } = self;
        hex::encode(Sha256::digest(format!("{partner}\n{}\n{pull}\n{nonce}", vendor.as_str())))
    }
}

/// Sends messages about pulls, and nothing else.
#[async_trait]
pub trait SendPulls: Send + Sync {
    /// Sends every message, or fails. After a failure some may have been sent; sending all again is harmless.
    async fn send_pulls(&self, pulls: &[PullMessage]) -> Result<(), QueueError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_told_from_others_about_its_source() {
        let asked = PullMessage::asks(&"msp".parse().unwrap(), Vendor::Huntress, Timestamp::UNIX_EPOCH);
        let others = [
            PullMessage { nonce: "0.1".into(), ..asked.clone() },
            PullMessage { vendor: Vendor::Pax8, ..asked.clone() },
            PullMessage { partner: "other".parse().unwrap(), ..asked.clone() },
            PullMessage { pull: Timestamp::from_second(1).unwrap(), ..asked.clone() },
        ];
        for other in &others {
            assert_ne!(asked.deduplication_id(), other.deduplication_id(), "{other:?}");
        }
        assert_eq!(asked.lane(), others[0].lane());
        assert_ne!(asked.lane(), others[1].lane());
        assert_ne!(asked.lane(), others[2].lane());
    }
}
