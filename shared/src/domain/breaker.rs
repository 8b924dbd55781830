//! The circuit breaker of one connection: when its PSA is asked nothing any more, and when it is asked again.
//!
//! It opens at once where the log-in is turned away, so that none is hammered; after several failures in a row where the
//! PSA is not there; and for as long as the PSA wishes where it has no room. When its time is over one read is let through
//! as a probe, and what that comes to closes it or opens it for longer. A write goes out only while it is closed. Whoever
//! has written may read back what came of it, unless the log-in was turned away. Keeping it is the store's business, asking it the
//! connector's guard's; nothing here tells the time.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::reason::Reason;

/// How long a refused log-in is not repeated. PSAs lock a user after a few refusals (Autotask's count is not published),
/// and a person has to act before it can succeed.
pub const REFUSED_FIRST: SignedDuration = SignedDuration::from_mins(15);
/// The longest: a secret that was put right in the PSA by hand is found within a quarter of a day.
pub const REFUSED_LONGEST: SignedDuration = SignedDuration::from_hours(6);
/// Failures in a row that open it: one lost answer or one slow page is no outage.
pub const FAILURES: u32 = 5;
/// The first pause of a PSA that is not there: most outages are a restart.
pub const UNAVAILABLE_FIRST: SignedDuration = SignedDuration::from_mins(1);
/// The longest: an outage that ends is noticed within half an hour.
pub const UNAVAILABLE_LONGEST: SignedDuration = SignedDuration::from_mins(30);
/// How long a PSA that has no room is left alone where it names no time.
pub const NO_ROOM: SignedDuration = SignedDuration::from_mins(1);
/// The longest that a PSA's wish is followed: its allowance is counted by the hour.
pub const NO_ROOM_LONGEST: SignedDuration = SignedDuration::from_hours(1);
/// How long a probe is waited for: longer than one request may take. After it the prober is taken for dead.
pub const PROBE: SignedDuration = SignedDuration::from_mins(2);
/// How often a person may have refused credentials tried again.
pub const IN_PERSON: SignedDuration = SignedDuration::from_mins(1);
/// For so long after a log-in was proved, a function may still hold the credentials before it in memory: a refusal then
/// says nothing about the new ones, and is waited out only until every function has them.
pub const STALE: SignedDuration = SignedDuration::from_secs(300);

/// The circuit of one connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Breaker {
    /// Requests go out.
    Closed {
        /// Failures since the last answer.
        failures: u32,
        /// When a person last proved the log-in with new credentials.
        verified_at: Option<Timestamp>,
    },
    /// None goes out until its time is over.
    Open(Trip),
    /// One read is under way; nothing else goes out.
    HalfOpen {
        /// Why it was open.
        trip: Trip,
        /// After this instant another read may be tried. It also names the probe: no two have the same.
        until: Timestamp,
    },
}

/// Why and for how long a circuit is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trip {
    /// Which of the three.
    pub cause: Cause,
    /// What the PSA's failure was, in words for the partner.
    pub why: Reason,
    /// When it first opened for this cause.
    pub since: Timestamp,
    /// When the PSA was last tried.
    pub tried_at: Timestamp,
    /// From then on a probe may be made.
    pub until: Timestamp,
    /// Probes that failed since it opened.
    pub probes: u32,
    /// When a person last proved the log-in with new credentials.
    #[serde(default)]
    pub verified_at: Option<Timestamp>,
}

/// What opens a circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The log-in was turned away.
    Refused,
    /// No answer, time and again.
    Unavailable,
    /// Too many requests.
    NoRoom,
}

/// What a call to the PSA came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// It answered: with what was asked for, or with a refusal of the content.
    Answered,
    /// It turned the log-in away.
    Refused(Reason),
    /// It did not answer, or could not.
    Unavailable(Reason),
    /// It has no room, perhaps for so many seconds.
    NoRoom(Reason, Option<u32>),
    /// Nothing was sent after all.
    Nothing,
}

/// Who wants to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// A read.
    Read,
    /// A read whose answer a person waits for, to see whether the connection works.
    InPerson,
    /// A write.
    Write,
    /// A read of somebody who has written: without it nobody knows what the acknowledged writes came to.
    ReadBack,
}

/// Whether a call may go out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pass {
    /// It may.
    Free,
    /// It may as the probe, named by this instant, once [`Breaker::probing`] is stored and nobody was first.
    Probe(Timestamp),
    /// It may not.
    No,
    /// It may not, because a person had refused credentials tried a moment ago; at this instant it may.
    TooSoon(Timestamp),
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Closed { failures: 0, verified_at: None }
    }
}

impl Breaker {
    /// Closed by a person who proved at `now` that the log-in works.
    #[must_use]
    pub fn verified(now: Timestamp) -> Self {
        Self::Closed { failures: 0, verified_at: Some(now) }
    }

    /// Whether `call` may go out at `now`.
    #[must_use]
    pub fn ask(&self, call: Call, now: Timestamp) -> Pass {
        let (trip, until, may_be_early) = match self {
            Self::Closed { .. } => return Pass::Free,
            Self::Open(trip) => (trip, trip.until, true),
            Self::HalfOpen { trip, until } => (trip, *until, false),
        };
        let probe = Pass::Probe(later(now, PROBE));
        match call {
            Call::Write => Pass::No,
            // Beside the circuit: the PSA may be there, and one read more costs less than writes that nobody can tell of.
            Call::ReadBack if trip.cause != Cause::Refused => Pass::Free,
            Call::Read | Call::ReadBack | Call::InPerson if now >= until => probe,
            Call::Read | Call::ReadBack => Pass::No,
            Call::InPerson if trip.cause == Cause::Refused => {
                let next = if may_be_early { later(trip.tried_at, IN_PERSON) } else { until };
                if now >= next { probe } else { Pass::TooSoon(next) }
            }
            Call::InPerson if may_be_early => probe,
            Call::InPerson => Pass::No,
        }
    }

    /// With the probe named `until` under way.
    #[must_use]
    pub fn probing(&self, until: Timestamp) -> Self {
        match self {
            Self::Closed { .. } => self.clone(),
            Self::Open(trip) | Self::HalfOpen { trip, .. } => Self::HalfOpen { trip: trip.clone(), until },
        }
    }

    /// What it is after a call came to `heard` at `now`. `probe` names the probe that the call was, if it was one.
    ///
    /// A call that was let out before the circuit opened or beside it, or a prober that was taken for dead, can't close
    /// it: only the probe that it waits for does. Nor can such a call make it longer; but a log-in that is turned away
    /// counts, whoever met it.
    #[must_use]
    pub fn after(&self, heard: &Heard, probe: Option<Timestamp>, now: Timestamp) -> Self {
        match self {
            Self::Closed { failures, verified_at } => closed_after(*failures, *verified_at, heard, now),
            Self::HalfOpen { trip, until } if probe == Some(*until) => match heard {
                Heard::Answered => Self::Closed { failures: 0, verified_at: trip.verified_at },
                Heard::Nothing => Self::Open(trip.clone()),
                Heard::Refused(why) => Self::Open(trip.again(Cause::Refused, why, None, now)),
                Heard::Unavailable(why) => Self::Open(trip.again(Cause::Unavailable, why, None, now)),
                Heard::NoRoom(why, wait_s) => Self::Open(trip.again(Cause::NoRoom, why, *wait_s, now)),
            },
            Self::Open(trip) | Self::HalfOpen { trip, .. } => match heard {
                // The graver cause counts, whoever met it.
                Heard::Refused(why) if trip.cause != Cause::Refused => {
                    Self::Open(Trip::new(Cause::Refused, why, None, trip.verified_at, now))
                }
                _ => self.clone(),
            },
        }
    }

    /// Whether new credentials were proved so lately that a function may still hold those before them: a refusal at `now`
    /// says nothing about the new ones.
    #[must_use]
    pub fn verified_lately(&self, now: Timestamp) -> bool {
        let verified_at = match self {
            Self::Closed { verified_at, .. } => *verified_at,
            Self::Open(trip) | Self::HalfOpen { trip, .. } => trip.verified_at,
        };
        stale(verified_at, now).is_some()
    }

    /// Why it is not closed.
    #[must_use]
    pub fn trip(&self) -> Option<&Trip> {
        match self {
            Self::Closed { .. } => None,
            Self::Open(trip) | Self::HalfOpen { trip, .. } => Some(trip),
        }
    }

    /// Until when nothing goes out, where it is not closed.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Closed { .. } => None,
            Self::Open(trip) => Some(trip.until),
            Self::HalfOpen { until, .. } => Some(*until),
        }
    }

    /// Whether one read is let through at `now`, or is under way.
    #[must_use]
    pub fn is_half_open(&self, now: Timestamp) -> bool {
        match self {
            Self::Closed { .. } => false,
            Self::Open(trip) => now >= trip.until,
            Self::HalfOpen { .. } => true,
        }
    }

    /// Since when, why, and when it is tried again: a text for the partner. Empty while it is closed.
    #[must_use]
    pub fn explanation(&self) -> String {
        let Some((trip, until)) = self.trip().zip(self.until()) else { return String::new() };
        let (since, until) = (whole(trip.since), whole(until));
        let then = match self {
            Self::HalfOpen { .. } => {
                format!("One request is under way to try it again; it is waited for until {until}.")
            }
            _ => format!("One request tries it again from {until} on."),
        };
        format!("The PSA has been left alone since {since}: {} {then}", trip.why.explanation)
    }
}

fn closed_after(failures: u32, verified_at: Option<Timestamp>, heard: &Heard, now: Timestamp) -> Breaker {
    let open = |cause, why: &Reason, wait_s| Breaker::Open(Trip::new(cause, why, wait_s, verified_at, now));
    match heard {
        Heard::Nothing => Breaker::Closed { failures, verified_at },
        Heard::Answered => Breaker::Closed { failures: 0, verified_at },
        Heard::Refused(why) => open(Cause::Refused, why, None),
        Heard::Unavailable(why) if failures + 1 >= FAILURES => open(Cause::Unavailable, why, None),
        Heard::Unavailable(_) => Breaker::Closed { failures: failures + 1, verified_at },
        Heard::NoRoom(why, wait_s) => open(Cause::NoRoom, why, *wait_s),
    }
}

impl Trip {
    fn new(cause: Cause, why: &Reason, wait_s: Option<u32>, verified_at: Option<Timestamp>, now: Timestamp) -> Self {
        let until = later(now, wait(cause, 0, wait_s, stale(verified_at, now)));
        Self { cause, why: why.clone(), since: now, tried_at: now, until, probes: 0, verified_at }
    }

    /// After a probe that failed as well. Another cause begins anew.
    fn again(&self, cause: Cause, why: &Reason, wait_s: Option<u32>, now: Timestamp) -> Self {
        let anew = Self::new(cause, why, wait_s, self.verified_at, now);
        if self.cause != cause {
            return anew;
        }
        let probes = self.probes.saturating_add(1);
        let until = later(now, wait(cause, probes, wait_s, stale(self.verified_at, now)));
        Self { since: self.since, probes, until, ..anew }
    }
}

/// How long it is open: doubling with each probe that failed, or as long as the PSA asks, or until no function holds
/// credentials from before the newest (`stale`).
fn wait(cause: Cause, probes: u32, wait_s: Option<u32>, stale: Option<SignedDuration>) -> SignedDuration {
    let doubled = |first: SignedDuration, longest: SignedDuration| {
        // 2^16 of the shortest is far beyond the longest.
        first.checked_mul(1 << probes.min(16)).map_or(longest, |wait| wait.min(longest))
    };
    match (cause, stale) {
        (Cause::Refused, Some(left)) => left.max(IN_PERSON),
        (Cause::Refused, None) => doubled(REFUSED_FIRST, REFUSED_LONGEST),
        (Cause::Unavailable, _) => doubled(UNAVAILABLE_FIRST, UNAVAILABLE_LONGEST),
        (Cause::NoRoom, _) => {
            wait_s.map_or(NO_ROOM, |s| SignedDuration::from_secs(s.max(1).into()).min(NO_ROOM_LONGEST))
        }
    }
}

/// How long a function may still hold credentials from before those that were proved at `verified_at`, if it may.
fn stale(verified_at: Option<Timestamp>, now: Timestamp) -> Option<SignedDuration> {
    verified_at.map(|at| later(at, STALE).duration_since(now)).filter(SignedDuration::is_positive)
}

/// `now` and `wait`; the end of time where there is no such instant.
fn later(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// Without the fraction of a second.
fn whole(instant: Timestamp) -> Timestamp {
    Timestamp::from_second(instant.as_second()).unwrap_or(instant)
}

#[cfg(test)]
#[path = "breaker_test.rs"]
mod tests;
