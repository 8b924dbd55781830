//! Digests: what stands for further tickets once a partner's hour has had as many as it may have.
//!
//! A digest is an alert of our own, one an account and hour, that happens once for each alert in it. Its ticket lists them.

use std::fmt;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Unit};
use serde::{Deserialize, Serialize};

use super::text::width;
use super::{Alert, AlertKey, Incident, Matter, cut};
use crate::domain::ids::CompanyId;

/// The longest line of a digest.
const LONGEST_LINE: usize = 200;

/// What is particular to a digest's row.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bundle {
    /// A message that has it worked is on its way.
    pub asked: bool,
    /// So many of its alerts know its ticket.
    pub told: u32,
}

/// A clock hour, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DigestHour(Timestamp);

/// An alert in a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The alert.
    pub key: AlertKey,
    /// When it happened.
    pub at: Timestamp,
    /// The company.
    pub company: CompanyId,
    /// How bad it is.
    pub severity: String,
    /// Its title.
    pub title: String,
}

/// As much of a list as there was room for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fitted {
    /// A line for each.
    pub text: String,
    /// How many.
    pub count: u32,
}

impl DigestHour {
    /// The hour of an instant.
    #[must_use]
    pub fn of(instant: Timestamp) -> Self {
        let down = jiff::TimestampRound::new().smallest(Unit::Hour).mode(jiff::RoundMode::Trunc);
        Self(instant.round(down).unwrap_or(instant))
    }

    /// When the next one begins.
    #[must_use]
    pub fn ends(self) -> Timestamp {
        self.0.saturating_add(SignedDuration::from_hours(1)).unwrap_or(self.0)
    }

    /// When it begins.
    #[must_use]
    pub fn begins(self) -> Timestamp {
        self.0
    }
}

impl fmt::Display for DigestHour {
    /// `2026-11-21T12`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m-%dT%H"))
    }
}

impl Entry {
    /// An alert as a digest lists it.
    #[must_use]
    pub fn of(alert: &Alert, incident: &Incident) -> Self {
        let Incident { company, severity, title, .. } = incident;
        Self {
            key: alert.key.clone(),
            at: alert.first_at,
            company: company.clone(),
            severity: severity.to_string(),
            title: title.clone(),
        }
    }

    fn line(&self, zone: &TimeZone) -> String {
        let Self { at, company, severity, title, .. } = self;
        cut(&format!("{} {company} [{severity}] {title}", told(*at, zone)), LONGEST_LINE)
    }
}

/// Lists as many of `entries`, in their order, as `room` allows; the first in any case.
#[must_use]
pub fn listed(entries: &[Entry], zone: &TimeZone, room: usize) -> Fitted {
    let mut fitted = Fitted { text: String::new(), count: 0 };
    for entry in entries {
        let line = entry.line(zone);
        if fitted.count > 0 {
            if width(&fitted.text) + width(&line) + 1 > room {
                break;
            }
            fitted.text.push('\n');
        }
        fitted.text.push_str(&line);
        fitted.count += 1;
    }
    fitted
}

/// An instant as people of a time zone read it.
pub(super) fn told(instant: Timestamp, zone: &TimeZone) -> String {
    instant.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}

impl Alert {
    /// The digest of an hour, with one alert that happened at `at`.
    #[must_use]
    pub fn digest(key: AlertKey, at: Timestamp, now: Timestamp) -> Self {
        Self::fresh(key, Matter::Digest(Bundle::default()), at, now)
    }

    /// A digest with one alert more.
    #[must_use]
    pub fn joined(&self, at: Timestamp) -> Self {
        let (first_at, last_at) = (self.first_at.min(at), self.last_at.max(at));
        Self { first_at, last_at, count: self.count.saturating_add(1), ..self.clone() }
    }

    /// A digest of which no message is on its way any more.
    #[must_use]
    pub fn unasked(&self) -> Self {
        self.bundled(|bundle| Bundle { asked: false, ..bundle })
    }

    /// A digest with another account of itself.
    #[must_use]
    pub fn bundled(&self, change: impl FnOnce(Bundle) -> Bundle) -> Self {
        match &self.matter {
            Matter::Digest(bundle) => Self { matter: Matter::Digest(change(bundle.clone())), ..self.clone() },
            Matter::Incident(_) => self.clone(),
        }
    }
}
