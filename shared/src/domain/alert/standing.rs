//! How an alert stands, in one word; and what keeps it there.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Alert, Said};
use crate::domain::ids::ConnectionId;
use crate::domain::reason::Reason;

/// How an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertStatus {
    /// Its ticket is still to come.
    Queued,
    /// It has a ticket.
    Open,
    /// It has a ticket, and is over.
    Resolved,
    /// Something has to be mapped first.
    Waiting,
    /// The PSA refused what was to be written, and a person has to put something right.
    Refused,
    /// It is told in the ticket of a digest.
    Digested,
    /// Whether the PSA has made its ticket, or a note on it, is not known yet.
    Unknown,
    /// It was tried for two days.
    GivenUp,
}

/// What keeps an alert from going on, or did not go as it should.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Of which kind it is.
    pub kind: Standstill,
    /// Code, explanation and repair step.
    pub reason: Reason,
    /// When it was met.
    pub at: Timestamp,
    /// How often the alert had happened by then.
    pub count: u32,
    /// Whether it was over by then, and since when.
    pub resolved_at: Option<Timestamp>,
}

/// Kinds of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standstill {
    /// It is tried again by itself.
    Delayed,
    /// Something has to be mapped or switched on first.
    Waiting,
    /// The PSA refused it.
    Refused,
    /// The PSA called it made and does not show it.
    NotShown,
    /// It was tried for as long as anything is.
    GivenUp,
    /// The ticket is there, and its status is not what it was to be.
    EndNotTaken,
}

/// The finding by which people hear of an alert's trouble.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingName {
    /// The connection that it is among the findings of.
    pub connection: ConnectionId,
    /// Its name there.
    pub fingerprint: String,
    /// What it was about when this alert spoke of it: another may have spoken of it since.
    pub about: String,
}

impl Standstill {
    /// Whether nothing goes on by itself.
    #[must_use]
    pub fn halts(self) -> bool {
        match self {
            Self::Waiting | Self::Refused | Self::NotShown | Self::GivenUp => true,
            Self::Delayed | Self::EndNotTaken => false,
        }
    }
}

impl Trouble {
    /// See [`Standstill::halts`].
    #[must_use]
    pub fn halts(&self) -> bool {
        self.kind.halts()
    }
}

impl Alert {
    /// How it stands.
    #[must_use]
    pub fn status(&self) -> AlertStatus {
        match self.trouble.as_ref().map(|trouble| trouble.kind) {
            Some(Standstill::Waiting) => return AlertStatus::Waiting,
            Some(Standstill::Refused) => return AlertStatus::Refused,
            Some(Standstill::NotShown) => return AlertStatus::Unknown,
            Some(Standstill::GivenUp) => return AlertStatus::GivenUp,
            Some(Standstill::Delayed | Standstill::EndNotTaken) | None => {}
        }
        if self.open.as_ref().is_some_and(|write| write.said != Said::Nothing) {
            return AlertStatus::Unknown;
        }
        match (&self.ticket, &self.digest, self.resolved_at) {
            (None, _, _) => AlertStatus::Queued,
            (Some(_), Some(_), _) => AlertStatus::Digested,
            (Some(_), None, Some(_)) => AlertStatus::Resolved,
            (Some(_), None, None) => AlertStatus::Open,
        }
    }

    /// The same with a trouble that was met at `at`.
    #[must_use]
    pub fn in_trouble(&self, kind: Standstill, reason: Reason, at: Timestamp) -> Self {
        let trouble = Trouble { kind, reason, at, count: self.count, resolved_at: self.resolved_at };
        Self { trouble: Some(trouble), ..self.clone() }
    }

    /// The same, held up by something that passes; what is worse than that stays.
    #[must_use]
    pub fn delayed(&self, reason: &Reason, at: Timestamp) -> Self {
        match &self.trouble {
            Some(trouble) if trouble.kind != Standstill::Delayed || trouble.reason.code == reason.code => self.clone(),
            _ => self.in_trouble(Standstill::Delayed, reason.clone(), at),
        }
    }

    /// The same, to be tried again because somebody asks for it; `None` where nothing halts it.
    #[must_use]
    pub fn retried(&self) -> Option<Self> {
        self.trouble.as_ref().filter(|trouble| trouble.halts())?;
        Some(Self { trouble: None, in_vain: 0, ..self.clone() })
    }
}
