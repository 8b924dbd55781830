//! The time a simulator believes it is.
//!
//! Owns "now" and "today" for rolling limits, stamps and seeded dates. It leaves waiting to tokio: a delay or a hang is real
//! time, because a client's own time-outs are.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A source of the current time, cheap to clone.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

/// Moves a clock that was made by [`Clock::by_hand`].
#[derive(Clone)]
pub struct ClockHand(Arc<Mutex<Timestamp>>);

impl Clock {
    /// The machine's own clock.
    #[must_use]
    pub fn system() -> Self {
        Self::from_fn(Timestamp::now)
    }

    /// A clock that always shows `at`.
    #[must_use]
    pub fn stopped(at: Timestamp) -> Self {
        Self::from_fn(move || at)
    }

    /// A clock stopped at noon UTC of `day`.
    #[must_use]
    pub fn on(day: Date) -> Self {
        Self::stopped(noon(day))
    }

    /// A clock that only moves when its hand is moved.
    #[must_use]
    pub fn by_hand(at: Timestamp) -> (Self, ClockHand) {
        let now = Arc::new(Mutex::new(at));
        let hand = ClockHand(Arc::clone(&now));
        (Self::from_fn(move || *now.lock().unwrap_or_else(PoisonError::into_inner)), hand)
    }

    /// A clock that asks a closure.
    #[must_use]
    pub fn from_fn(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The current instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }

    /// The current day in UTC, which is the day the simulated systems reckon in.
    #[must_use]
    pub fn today(&self) -> Date {
        self.now().to_zoned(TimeZone::UTC).date()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

impl ClockHand {
    /// Shows `at` from now on.
    pub fn set(&self, at: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    /// Moves the clock on. A sum outside the range of time leaves it where it is.
    pub fn advance(&self, by: SignedDuration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(later) = now.checked_add(by) {
            *now = later;
        }
    }
}

fn noon(day: Date) -> Timestamp {
    day.at(12, 0, 0, 0).to_zoned(TimeZone::UTC).map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
}
