//! The registry of a service whose calls to one PSA go to its simulator.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use shared::clock::Clock;
use shared::psa::registry::{Places, Registry, Timeouts};

use crate::TestClock;

/// Calls to the PSA that the API calls `psa` go to `base`, and are awaited for so long where a test is in a hurry.
///
/// # Panics
/// When there is no such PSA, or no client.
#[must_use]
pub fn registry(psa: &str, base: &str, patience: Option<Duration>, clock: &TestClock) -> Registry {
    let psa = serde_json::from_value(Value::from(psa)).expect("a PSA");
    let places = Places {
        bases: [(psa, base.parse().expect("an address"))].into(),
        timeouts: patience.map(|request| Timeouts { connect: request, request }),
        ..Places::default()
    };
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    Registry::new(&places, &clock).expect("a client")
}
