//! The registries of a service whose calls to one PSA, or to vendors of usage, go to simulators.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use shared::clock::Clock;
use shared::psa::registry::{Places, Registry, Timeouts};
use shared::sources::{Vendor, registry as sources};

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

/// Where nobody listens.
const NOBODY: &str = "http://127.0.0.1:9";

/// Calls to these vendors of usage go to these addresses, those to any other nowhere. Waiting moves the clock on.
///
/// # Panics
/// When there is no client.
#[must_use]
pub fn sources(simulated: &[(Vendor, &str)], clock: &TestClock) -> sources::Registry {
    let nobody = Vendor::ALL.iter().map(|vendor| (*vendor, NOBODY));
    let bases = nobody.chain(simulated.iter().copied());
    let places = sources::Places {
        bases: bases.map(|(vendor, base)| (vendor, base.parse().expect("an address"))).collect::<BTreeMap<_, _>>(),
        allowed_hosts: String::new(),
        clock: Arc::new(clock.clone()),
        pause: Arc::new(clock.clone()),
    };
    sources::Registry::new(&places).expect("a client")
}
