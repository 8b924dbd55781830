//! The time as a test sets it, the same for the service and for simulators. Whoever waits by it moves it on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shared::clock::Clock;
use shared::pause::Pause;

/// A clock that only moves when it is told to. Clones show the same time.
#[derive(Debug, Clone)]
pub struct TestClock(Arc<Mutex<Timestamp>>);

impl TestClock {
    /// A clock that shows `time`, in RFC 3339.
    ///
    /// # Panics
    /// When it is no time.
    #[must_use]
    pub fn at(time: &str) -> Self {
        Self(Arc::new(Mutex::new(time.parse().expect("a time"))))
    }

    /// Shows `time` from now on.
    ///
    /// # Panics
    /// When it is no time.
    pub fn set(&self, time: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = time.parse().expect("a time");
    }

    /// Moves on.
    pub fn advance(&self, by: SignedDuration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }

    /// What it shows.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same clock for a simulator.
    #[must_use]
    pub fn simulated(&self) -> simulators::Clock {
        let own = self.clone();
        simulators::Clock::from_fn(move || own.time())
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.time()
    }
}

#[async_trait]
impl Pause for TestClock {
    async fn pause(&self, length: Duration) {
        self.advance(SignedDuration::try_from(length).expect("a length"));
    }
}
