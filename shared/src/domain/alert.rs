//! Alerts: what a vendor's product says went wrong at a company, and the one ticket that it has in the PSA.
//!
//! Whoever sends alerts names each by a dedupe key. What happens under a key from the first alert until it is over is an
//! [`Alert`], one row with one ticket: repeats are counted, and told in notes. Here is what becomes of such a row: by what is
//! sent in (`reported`), by what was written to the PSA (`written`) or is said not to be there (`forgotten`), and what comes
//! next (`next`). Doing it is `desk`'s, and
//! which fields a ticket has is `ticketing`'s.

mod digest;
mod forgotten;
mod key;
mod next;
mod place;
mod reported;
mod standing;
mod story;
mod text;
mod written;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{AccountId, CompanyId, ConnectionId, TicketId};
use super::reference::Reference;
pub use digest::{Bundle, DigestHour, Entry, Fitted, listed};
pub use forgotten::Forgotten;
pub use key::{AlertKey, InvalidKey, LONGEST_KEY};
pub use next::{BETWEEN_NOTES, LOOKS_AGAIN_AFTER, NOTES_AT_ONCE, Next};
pub use place::{Candidate, Choice, choose};
pub use reported::{Report, Reported};
pub use standing::{AlertStatus, FindingName, Standstill, Trouble};
pub use story::Story;
pub use text::{LONGEST_LABEL, Label, cut, lines, one_line};
pub use written::{Judged, MOST_IN_VAIN, Said, Tried, What, Write, judge};

/// What happens under a dedupe key: one episode, with one ticket. A later episode takes its place once it is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Its name.
    pub key: AlertKey,
    /// What it is about.
    pub matter: Matter,
    /// The how manieth of its key, from 1.
    pub episode: u32,
    /// When it was taken in.
    pub began_at: Timestamp,
    /// When it happened first, and last.
    pub first_at: Timestamp,
    /// See `first_at`.
    pub last_at: Timestamp,
    /// How often it happened; of a digest, how many alerts are in it.
    pub count: u32,
    /// When it was said to be over, while it is.
    #[serde(default)]
    pub resolved_at: Option<Timestamp>,
    /// The latest instant of which anybody has said that it is over by then; messages may overtake each other.
    #[serde(default)]
    pub over_until: Option<Timestamp>,
    /// Where its ticket belongs: fixed with the first request that may have reached a PSA.
    #[serde(default)]
    pub place: Option<Place>,
    /// Its ticket, once the PSA has shown it.
    #[serde(default)]
    pub ticket: Option<Ticket>,
    /// What of all that stands on the ticket.
    #[serde(default)]
    pub noted: Noted,
    /// The one request whose outcome is not on record.
    #[serde(default)]
    pub open: Option<Write>,
    /// What was tried last, until something is made.
    #[serde(default)]
    pub tried: Option<Tried>,
    /// Nobody has ever known what became of some request for the ticket: it may only be looked for where it was sent.
    #[serde(default)]
    pub doubted: bool,
    /// How often in a row a request was sent of which the PSA never showed anything.
    #[serde(default)]
    pub in_vain: u32,
    /// The digest in whose ticket it is told, because its hour had tickets enough.
    #[serde(default)]
    pub digest: Option<AlertKey>,
    /// What keeps it from going on, or did not go as it should.
    #[serde(default)]
    pub trouble: Option<Trouble>,
    /// By which finding people hear of that.
    #[serde(default)]
    pub finding: Option<FindingName>,
    /// The request that was taken in last, so that one which is sent twice counts once.
    #[serde(default)]
    pub last_report: String,
    /// Raised by every write.
    pub version: u64,
}

/// What an alert is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matter {
    /// Something that happened at a company.
    Incident(Incident),
    /// Alerts beyond the hour's number of tickets.
    Digest(Bundle),
}

/// Something that happened at a company, in the vendor's words; all of them cleaned and cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// The company.
    pub company: CompanyId,
    /// What kind of alert it is, as the vendor calls it.
    pub kind: Label,
    /// How bad it is, as the vendor calls it.
    pub severity: Label,
    /// On one line.
    pub title: String,
    /// May be empty.
    pub details: String,
}

/// Where a ticket belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The connection.
    pub connection: ConnectionId,
    /// The PSA account.
    pub account: AccountId,
    /// Our own name of the ticket.
    pub reference: Reference,
}

/// A ticket that the PSA has shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The PSA's id.
    pub id: TicketId,
    /// What people call it.
    pub number: String,
    /// Whose it is; a person may have moved it.
    pub account: AccountId,
    /// How often the alert had happened when it was opened.
    pub told: u32,
    /// What we made of its status.
    pub end: End,
}

/// What we made of a ticket's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Nothing: it is as the PSA made it, or people have it.
    Open,
    /// The alert is over, and by the mapping that changes nothing.
    Left,
    /// We completed it.
    Completed,
    /// We were to complete it, and the PSA did not take it.
    NotTaken,
}

/// What stands on the ticket.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Noted {
    /// How often it happened, as the ticket tells it.
    pub count: u32,
    /// That it was over, and when.
    pub resolved_at: Option<Timestamp>,
    /// Notes so far.
    pub notes: u32,
    /// When the last of them was made.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// The partner's notes, or digests, were too many when the next one was to be made: it is not made before.
    #[serde(default)]
    pub no_room_before: Option<Timestamp>,
}

impl Alert {
    /// The incident, where it is one.
    #[must_use]
    pub fn incident(&self) -> Option<&Incident> {
        match &self.matter {
            Matter::Incident(incident) => Some(incident),
            Matter::Digest(_) => None,
        }
    }

    /// Whether the ticket tells all that happened.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.noted.count >= self.count && (self.resolved_at.is_none() || self.noted.resolved_at == self.resolved_at)
    }

    /// Whether an alert after this may be another episode: nothing of it may be under way, or lost.
    fn is_over(&self) -> bool {
        let rests = self.is_told() || self.digest.is_some() || self.trouble.as_ref().is_some_and(Trouble::halts);
        self.ticket.is_some() && self.open.is_none() && rests
    }
}

#[cfg(test)]
#[path = "alert_test.rs"]
mod tests;
