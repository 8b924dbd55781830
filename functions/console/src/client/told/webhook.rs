//! Webhooks, and what became of what they were sent.

use jiff::Timestamp;
use serde::Deserialize;
use shared::events::EventKind;
use shared::store::webhooks::DeliveryStatus;

/// An address that is told of events.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Webhook {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) events: Vec<EventKind>,
    pub(crate) connections: Vec<String>,
    pub(crate) enabled: bool,
    pub(crate) failing_since: Option<Timestamp>,
    pub(crate) switched_off: Option<SwitchedOff>,
    /// Told once: when it was made.
    pub(crate) secret: Option<String>,
}

/// Why it is off where nobody switched it off.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct SwitchedOff {
    pub(crate) at: Timestamp,
    pub(crate) explanation: String,
    pub(crate) fix: String,
}

/// What came of a test.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Tested {
    pub(crate) delivered: bool,
    pub(crate) http_status: Option<u16>,
    pub(crate) code: Option<String>,
}

/// The newest deliveries.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Deliveries {
    pub(crate) items: Vec<Delivery>,
}

/// What became of one event.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) event_id: String,
    pub(crate) event: String,
    pub(crate) event_at: Timestamp,
    pub(crate) status: DeliveryStatus,
    pub(crate) attempt: u32,
    pub(crate) at: Timestamp,
    pub(crate) http_status: Option<u16>,
    pub(crate) code: Option<String>,
    pub(crate) next_try_at: Option<Timestamp>,
}
