//! A simulated vendor with customers, a clock that moves only while somebody waits, and the vendor's source.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use integration::{BEGINNING, TestClock};
use jiff::SignedDuration;
use serde_json::Value;
use shared::pause::Pause;
use shared::sources::registry::{Places, Registry};
use shared::sources::{Filters, Metric, Pulled, Source, SourceCredentials, Wanted};
use simulators::vendor::{Customer as _, Seed, Simulator};

use crate::known::Known;

/// Waiting moves the clock of the test and of the vendor.
#[derive(Clone)]
pub struct Waits(pub TestClock);

#[async_trait]
impl Pause for Waits {
    async fn pause(&self, length: Duration) {
        self.0.advance(SignedDuration::try_from(length).expect("a pause"));
    }
}

/// A vendor.
pub struct World<V: Known> {
    pub vendor: Simulator<V>,
    pub clock: TestClock,
}

impl<V: Known> World<V> {
    /// With so many customers.
    pub async fn of(companies: usize) -> Self {
        integration::logs::keep();
        let clock = TestClock::at(BEGINNING);
        let customers = Seed { companies, seed: 7, now: clock.time() }.build::<V>();
        let vendor = Simulator::<V>::setup(customers).clock(clock.simulated()).start().await.expect("it starts");
        Self { vendor, clock }
    }

    /// What opens sources of this vendor.
    pub fn registry(&self) -> Registry {
        let bases = [(V::SOURCE, self.vendor.base().parse().expect("an address"))].into();
        let (clock, pause) = (Arc::new(self.clock.clone()), Arc::new(Waits(self.clock.clone())));
        Registry::new(&Places { bases, allowed_hosts: String::new(), clock, pause }).expect("clients")
    }

    /// The vendor's source.
    pub fn source(&self) -> Arc<dyn Source> {
        self.opened(V::credentials())
    }

    /// The source that other credentials open.
    pub fn opened(&self, credentials: Value) -> Arc<dyn Source> {
        let credentials = SourceCredentials::parse(V::SOURCE, "/credentials", credentials).expect("credentials");
        self.registry().open(&credentials).expect("a source")
    }

    /// Reads the metric that the suite knows best, of every customer.
    pub async fn pull(&self) -> Pulled {
        self.source().pull(&wanted(&[V::METRIC])).await
    }

    /// The ids of the customers that are there.
    pub fn ids(&self) -> BTreeSet<String> {
        self.vendor.customers().iter().map(|customer| customer.id().to_string()).collect()
    }
}

/// These metrics of every customer.
pub fn wanted(metrics: &[&str]) -> Wanted {
    let metrics: BTreeSet<Metric> = metrics.iter().copied().map(Metric::from).collect();
    Wanted { metrics, companies: None, filters: Filters::default() }
}
