//! Autotask's two limits: requests per hour for the whole tenant, and threads per integration code and entity.
//!
//! Owns the numbers and the counting of threads. Whether an excess is 429 or 500 is a switch, and the answers are `errors`';
//! the rolling hour is `crate::window`'s. A thread is a request that is in progress right now.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::entity::Entity;

/// The limits themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Requests in the rolling window, all integrations together. Autotask's: 10,000.
    pub requests: u32,
    /// The window in minutes. Autotask's: 60.
    pub window_minutes: u32,
    /// Requests at once per integration code and entity. Autotask's: 3.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { requests: 10_000, window_minutes: 60, threads: 3 }
    }
}

impl Limits {
    /// How long a request counts.
    pub(crate) fn window(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.window_minutes))
    }
}

/// Requests in progress, by integration code and entity.
#[derive(Clone, Default)]
pub(crate) struct Gauge(Arc<Mutex<Readings>>);

#[derive(Default)]
struct Readings {
    threads: HashMap<(String, Entity), usize>,
    in_flight: HashMap<Entity, usize>,
    highest: HashMap<Entity, usize>,
}

/// One request in progress. Dropping it ends it, also when the client goes away first.
pub(crate) struct Thread {
    gauge: Gauge,
    code: String,
    entity: Entity,
}

impl Gauge {
    /// Enters a request. None if the limit for its integration code and entity is reached.
    pub(crate) fn enter(&self, code: &str, entity: Entity, limit: usize) -> Option<Thread> {
        let mut readings = self.read();
        let threads = readings.threads.entry((code.to_owned(), entity)).or_default();
        if *threads >= limit {
            return None;
        }
        *threads += 1;
        let in_flight = readings.in_flight.entry(entity).or_default();
        *in_flight += 1;
        let in_flight = *in_flight;
        let highest = readings.highest.entry(entity).or_default();
        *highest = in_flight.max(*highest);
        Some(Thread { gauge: self.clone(), code: code.to_owned(), entity })
    }

    /// All requests in progress.
    pub(crate) fn in_flight(&self) -> usize {
        self.read().in_flight.values().sum()
    }

    /// The most requests of an entity at once.
    pub(crate) fn highest(&self, entity: Entity) -> usize {
        self.read().highest.get(&entity).copied().unwrap_or_default()
    }

    pub(crate) fn reset_highest(&self) {
        let mut readings = self.read();
        readings.highest = readings.in_flight.clone();
    }

    fn read(&self) -> MutexGuard<'_, Readings> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Gauge {
    /// Without the integration codes, which are credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gauge").field("in_flight", &self.read().in_flight).finish_non_exhaustive()
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        let mut readings = self.gauge.read();
        if let Some(threads) = readings.threads.get_mut(&(self.code.clone(), self.entity)) {
            *threads = threads.saturating_sub(1);
        }
        if let Some(in_flight) = readings.in_flight.get_mut(&self.entity) {
            *in_flight = in_flight.saturating_sub(1);
        }
    }
}

/// How much later an answer comes: by use of the hourly threshold (from half +0.5 s, from three quarters +1 s) and by
/// concurrency (from 3 at once +0.25 s, from 10 +1 s), as Autotask publishes.
pub(crate) fn latency(limits: &Limits, used: usize, in_flight: usize) -> Duration {
    let limit = usize::try_from(limits.requests).unwrap_or(usize::MAX);
    let by_use = match used.saturating_mul(4) {
        quarters if quarters >= limit.saturating_mul(3) => 1_000,
        quarters if quarters >= limit.saturating_mul(2) => 500,
        _ => 0,
    };
    let by_concurrency = match in_flight {
        10.. => 1_000,
        3.. => 250,
        _ => 0,
    };
    Duration::from_millis(by_use + by_concurrency)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_counted_per_code_and_entity_and_freed_on_drop() {
        let gauge = Gauge::default();
        let first = gauge.enter("a", Entity::Contracts, 1);
        assert!(first.is_some());
        assert!(gauge.enter("a", Entity::Contracts, 1).is_none());
        let other_entity = gauge.enter("a", Entity::Services, 1);
        let other_code = gauge.enter("b", Entity::Contracts, 1);
        assert!(other_entity.is_some() && other_code.is_some());
        assert_eq!(gauge.highest(Entity::Contracts), 2);
        drop(first);
        assert!(gauge.enter("a", Entity::Contracts, 1).is_some());
    }

    #[test]
    fn latency_grows_with_use_and_concurrency() {
        let limits = Limits::default();
        let ms = |used, in_flight| latency(&limits, used, in_flight).as_millis();
        assert_eq!([ms(4_999, 1), ms(5_000, 1), ms(7_500, 1), ms(0, 3), ms(5_000, 10)], [0, 500, 1000, 250, 1500]);
    }
}
