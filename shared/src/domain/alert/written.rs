//! What was sent to the PSA for an alert, and what became of it.
//!
//! At most one request of an alert is open. It is stored with all that is needed to know it again before it leaves, by a name
//! of its own (`call`): whoever comes late finds another name and changes nothing. A request is called not made only where
//! the PSA said so, or where it shows nothing of it after the settle delay: until then it may still be on its way.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Alert, End, Noted, Place, Standstill, Ticket, Trouble};
use crate::domain::ids::TicketId;

/// After so many requests in a row of which the PSA shows nothing a person has to look.
pub const MOST_IN_VAIN: u32 = 3;

/// What is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The ticket, which tells how often it has happened.
    Ticket {
        /// So often.
        count: u32,
    },
    /// A note on it.
    Note {
        /// The how manieth, from 1.
        number: u32,
        /// How often it has happened, by this note.
        count: u32,
        /// That it is over, and since when.
        resolved_at: Option<Timestamp>,
    },
    /// That the work on it is done.
    Completion,
    /// That there is work on it again.
    Reopening,
}

/// A request whose outcome is not on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// What it writes.
    pub what: What,
    /// Names it among all requests.
    pub call: String,
    /// When it was stored as sent: it left within seconds of that, or never.
    pub sent_at: Timestamp,
    /// What is known of it.
    pub said: Said,
}

/// What is known of an open request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// Nothing: it may be on its way, or was never sent.
    Nothing,
    /// Its answer was lost.
    Lost,
    /// The PSA answered that it is made, some with its id.
    Made(Option<TicketId>),
}

/// What was tried last of what is to be written next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// What.
    pub what: What,
}

/// What an open request comes to, by what the PSA shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// It is made.
    Made,
    /// It may still be on its way: look again later.
    TooEarly,
    /// It was not made.
    NotMade,
    /// The PSA called it made and does not show it.
    NotShown,
}

/// Judges a request by whether the PSA showed it when it was looked for at `looked_at`.
#[must_use]
pub fn judge(write: &Write, shown: bool, looked_at: Timestamp, settle: SignedDuration) -> Judged {
    let settled = looked_at.duration_since(write.sent_at) >= settle;
    match (&write.said, shown) {
        (_, true) => Judged::Made,
        (_, false) if !settled => Judged::TooEarly,
        (Said::Made(_), false) => Judged::NotShown,
        (Said::Nothing | Said::Lost, false) => Judged::NotMade,
    }
}

impl What {
    fn count(&self) -> Option<u32> {
        match self {
            Self::Ticket { count } | Self::Note { count, .. } => Some(*count),
            Self::Completion | Self::Reopening => None,
        }
    }
}

impl Alert {
    /// The same with a request that is about to leave.
    #[must_use]
    pub fn sending(&self, what: What, place: Place, call: &str, now: Timestamp) -> Self {
        let tried = Some(Tried { what: what.clone() });
        let open = Some(Write { what, call: call.to_owned(), sent_at: now, said: Said::Nothing });
        let trouble = self.trouble.clone().filter(|trouble| !trouble.halts());
        Self { open, tried, trouble, place: Some(place), ..self.clone() }
    }

    /// The same with what was answered to the request `call`, while that is open.
    #[must_use]
    pub fn answered(&self, call: &str, said: Said) -> Self {
        let open = self.open.clone().map(|write| if write.call == call { Write { said, ..write } } else { write });
        Self { open, ..self.clone() }
    }

    /// The same once the request `call` is known not to have been made, because it never left or was refused.
    #[must_use]
    pub fn not_made(&self, call: &str) -> Self {
        if !self.is_open(call) {
            return self.clone();
        }
        // Nothing of it was ever anywhere, so it may go elsewhere. A digest is of its account.
        let stays = self.ticket.is_some() || self.doubted || self.key.is_digest();
        let place = self.place.clone().filter(|_| stays);
        Self { open: None, place, ..self.clone() }
    }

    /// The same once the request `call` was looked for long enough, in vain.
    #[must_use]
    pub fn not_found(&self, call: &str) -> Self {
        if !self.is_open(call) {
            return self.clone();
        }
        Self { open: None, doubted: true, in_vain: self.in_vain.saturating_add(1), ..self.clone() }
    }

    /// The same with its ticket, which the PSA shows.
    #[must_use]
    pub fn shown(&self, ticket: Ticket) -> Self {
        if self.ticket.is_some() {
            return self.clone();
        }
        let told = self.written().and_then(What::count).unwrap_or_default();
        let noted = Noted { count: told, ..Noted::default() };
        Self { ticket: Some(Ticket { told, ..ticket }), noted, ..self.well() }
    }

    /// The same with the note that was written last on its ticket, which was seen there at `now`.
    #[must_use]
    pub fn noted(&self, now: Timestamp) -> Self {
        let Some(&What::Note { number, count, resolved_at }) = self.written() else { return self.clone() };
        let resolved_at = resolved_at.or(self.noted.resolved_at);
        let noted = Noted { count, notes: number, resolved_at, at: Some(now), no_room_before: None };
        Self { noted, ..self.well() }
    }

    /// The same with `end` made of its ticket's status.
    #[must_use]
    pub fn ended(&self, end: End) -> Self {
        let ticket = self.ticket.clone().map(|ticket| Ticket { end, ..ticket });
        Self { ticket, trouble: None, ..self.well() }
    }

    /// The same where what was tried of its ticket's status has come to `end`, as the PSA shows; unless something else is open
    /// meanwhile.
    #[must_use]
    pub fn tried_to_end(&self, end: End) -> Self {
        if self.open.is_none() { self.ended(end) } else { self.clone() }
    }

    /// The same where people have completed its ticket though it goes on happening; unless that was tried to be undone in vain.
    #[must_use]
    pub fn completed_by_people(&self) -> Self {
        let is_of_the_moment = |trouble: &Trouble| trouble.kind == Standstill::Delayed;
        let tried = self.trouble.as_ref();
        let goes_on = self.open.is_none() && self.resolved_at.is_none() && tried.is_none_or(is_of_the_moment);
        let ticket = |ticket: Ticket| Ticket { end: if goes_on { End::Completed } else { ticket.end }, ..ticket };
        Self { ticket: self.ticket.clone().map(ticket), ..self.clone() }
    }

    /// The same, without a note, or the ticket of a digest, before the partner may have more of them.
    #[must_use]
    pub fn without_room_before(&self, from: Timestamp) -> Self {
        let noted = Noted { no_room_before: Some(from), ..self.noted.clone() };
        Self { noted, ..self.clone() }
    }

    /// The same with its ticket left as it is, while it is over.
    #[must_use]
    pub fn left(&self) -> Self {
        if self.resolved_at.is_some() && self.open.is_none() { self.ended(End::Left) } else { self.clone() }
    }

    /// What is open, or was tried last.
    #[must_use]
    pub fn written(&self) -> Option<&What> {
        let open = self.open.as_ref().map(|write| &write.what);
        open.or_else(|| self.tried.as_ref().map(|tried| &tried.what))
    }

    /// Whether something like `what` was tried before: the PSA is then asked for it first. (That read is also what a circuit
    /// that is open lets through when its time is over; it lets no write through before.)
    #[must_use]
    pub fn has_tried(&self, what: &What) -> bool {
        match (self.tried.as_ref().map(|tried| &tried.what), what) {
            (Some(What::Ticket { .. }), What::Ticket { .. })
            | (Some(What::Completion), What::Completion)
            | (Some(What::Reopening), What::Reopening) => true,
            (Some(What::Note { number: before, .. }), What::Note { number, .. }) => before == number,
            _ => false,
        }
    }

    fn is_open(&self, call: &str) -> bool {
        self.open.as_ref().is_some_and(|write| write.call == call)
    }

    /// What was written is made, and nothing is in its way. That the PSA did not take a status is not over by that.
    fn well(&self) -> Self {
        let trouble = self.trouble.clone().filter(|trouble| trouble.kind == Standstill::EndNotTaken);
        Self { open: None, tried: None, in_vain: 0, trouble, ..self.clone() }
    }
}
