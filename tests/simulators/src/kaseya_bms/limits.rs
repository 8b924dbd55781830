//! The numbers of Kaseya BMS: how much, how long, how often.
//!
//! Owns the values and their defaults; counting is done where each applies. Only the hourly limit and the lock-out are the
//! vendor's own figures, the rest are assumed.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// The limits themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Requests an hour for each endpoint template. The vendor's: 1,500.
    pub requests_per_hour: u32,
    /// Rows a page at most. Assumed.
    pub max_page_size: usize,
    /// Rows a page when no size is sent. Assumed.
    pub default_page_size: usize,
    /// Seconds an access token lives. Assumed.
    pub token_life_s: u32,
    /// Seconds a refresh token lives. Assumed.
    pub refresh_life_s: u32,
    /// Failed log-ins in a row that lock a user. The vendor's: 5.
    pub lock_after: u32,
    /// Minutes a user stays locked. The vendor's: 30.
    pub lock_minutes: u32,
    /// How often a bulk update's job says that it is processing before it takes effect. Assumed.
    pub job_polls: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_hour: 1_500,
            max_page_size: 100,
            default_page_size: 10,
            token_life_s: 3_600,
            refresh_life_s: 86_400,
            lock_after: 5,
            lock_minutes: 30,
            job_polls: 1,
        }
    }
}

impl Limits {
    /// How long a request counts.
    pub(crate) fn hour(&self) -> SignedDuration {
        SignedDuration::from_hours(1)
    }

    pub(crate) fn token_life(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.token_life_s))
    }

    pub(crate) fn refresh_life(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.refresh_life_s))
    }

    pub(crate) fn lock(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.lock_minutes))
    }
}
