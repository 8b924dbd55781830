//! Time and fresh ids, injected so that tests decide them.

use std::sync::Arc;

use jiff::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The instant now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

impl<T: Clock + ?Sized> Clock for Arc<T> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}

/// A fresh id that sorts after every id made earlier: `prefix` and a version 7 UUID.
///
/// Only names things (a run, a connection). Nothing that must be the same twice, such as an intent's key, is made here.
#[must_use]
pub fn fresh_id(prefix: &str) -> String {
    format!("{prefix}_{}", uuid::Uuid::now_v7().simple())
}

/// As [`fresh_id`], made at `now`: it sorts by that instant, and behind what this process made before at the same one.
#[must_use]
pub fn fresh_id_at(prefix: &str, now: Timestamp) -> String {
    format!("{prefix}_{:012x}{}", now.as_millisecond(), uuid::Uuid::now_v7().simple())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_the_instant_they_are_made_at_and_then_by_their_making() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let later = fresh_id_at("run", at("2026-11-21T01:00:00Z"));
        let earlier = [(); 3].map(|()| fresh_id_at("run", at("2026-11-21T00:59:59Z")));
        assert!(earlier.is_sorted_by(|one, other| one < other), "{earlier:?}");
        assert!(earlier.iter().all(|id| *id < later), "{earlier:?} {later}");
    }
}
