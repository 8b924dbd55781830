//! What comes next for an alert, by its row alone.

use jiff::{SignedDuration, Timestamp};

use super::{Alert, End, Matter, Noted, Standstill};

/// An alert that was refused and keeps happening is tried again after so long.
pub const LOOKS_AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(1);
/// So many notes come onto a ticket one after the other.
pub const NOTES_AT_ONCE: u32 = 3;
/// Between two of the notes after those lies so much time.
pub const BETWEEN_NOTES: SignedDuration = SignedDuration::from_hours(1);
/// An alert that has something to be done and of which nothing was stored for so long may have lost its message.
const LOST_AFTER: SignedDuration = SignedDuration::from_hours(6);

/// Before any instant that is asked for.
const AT_ONCE: Timestamp = Timestamp::MIN;

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing, until something happens.
    Rest,
    /// To look in the PSA what became of the open request.
    LookBack,
    /// To open its ticket.
    Open,
    /// Nothing for itself: the digest that it is in has to be worked.
    AskForDigest,
    /// To tell the alerts of a digest that its ticket tells of them.
    TellAlerts,
    /// To give its ticket back the status of one that has to be worked on.
    Reopen,
    /// To add a note to its ticket.
    Note,
    /// It is over: to make of its ticket what the mapping says.
    End,
}

impl Next {
    /// Whether it sends something to the PSA that changes it.
    #[must_use]
    pub fn writes(self) -> bool {
        match self {
            Self::Open | Self::Reopen | Self::Note | Self::End => true,
            Self::Rest | Self::LookBack | Self::AskForDigest | Self::TellAlerts => false,
        }
    }
}

impl Alert {
    /// What comes next at `now`.
    #[must_use]
    pub fn next(&self, now: Timestamp) -> Next {
        match self.ahead() {
            Some((next, from)) if from <= now => next,
            _ => Next::Rest,
        }
    }

    /// When it is to be looked at again though nothing is heard of it: what waits for its time then has come, or the message
    /// that was to have it worked on was lost. `None`: it rests until something happens.
    #[must_use]
    pub fn looked_at_again(&self, now: Timestamp) -> Option<Timestamp> {
        let (_, from) = self.ahead()?;
        let lost = || now.saturating_add(LOST_AFTER).unwrap_or(now);
        Some(if from > now { from } else { lost() })
    }

    /// Whether nobody waits for it.
    #[must_use]
    pub fn rests(&self, now: Timestamp) -> bool {
        matches!(self.next(now), Next::Rest | Next::AskForDigest)
    }

    /// What comes next, and from when on.
    fn ahead(&self) -> Option<(Next, Timestamp)> {
        let from = self.goes_on_from()?;
        if self.open.is_some() {
            return Some((Next::LookBack, from));
        }
        let Some(ticket) = &self.ticket else {
            let next = if self.digest.is_some() { Next::AskForDigest } else { Next::Open };
            return Some((next, from.max(self.noted.no_room_before.unwrap_or(AT_ONCE))));
        };
        let (next, not_before) = match &self.matter {
            // What happens to it later is told by its row alone: the digest's ticket is not about it.
            Matter::Incident(_) if self.digest.is_some() => return None,
            Matter::Digest(bundle) if bundle.told < self.noted.count => (Next::TellAlerts, from),
            Matter::Incident(_) if self.resolved_at.is_none() && ticket.end == End::Completed => (Next::Reopen, from),
            _ if !self.is_told() => (Next::Note, self.noted_from()),
            _ if self.resolved_at.is_some() && ticket.end == End::Open => (Next::End, from),
            _ => return None,
        };
        Some((next, from.max(not_before)))
    }

    /// From when on nothing halts it: at once, or where something new has happened since and it may be otherwise now. What
    /// the PSA refused is not sent again with each repeat, and what was given up only where a person asks: each of its tries holds
    /// others back.
    fn goes_on_from(&self) -> Option<Timestamp> {
        let Some(trouble) = self.trouble.as_ref().filter(|trouble| trouble.halts()) else { return Some(AT_ONCE) };
        let is_new = self.count > trouble.count || self.resolved_at != trouble.resolved_at;
        let from = match trouble.kind {
            Standstill::GivenUp => return None,
            Standstill::Refused => trouble.at.saturating_add(LOOKS_AGAIN_AFTER).unwrap_or(trouble.at),
            _ => AT_ONCE,
        };
        is_new.then_some(from)
    }

    /// From when on the ticket may have its next note. The first few come at once, as do the first word that it is over and a
    /// few more that it has come back, so that none of these is the last word for long; whatever happens all the time is told
    /// once in a while. A digest's notes list alerts, each of which is new.
    fn noted_from(&self) -> Timestamp {
        let Noted { notes, at, no_room_before, resolved_at, .. } = &self.noted;
        let is_first_end = self.resolved_at.is_some() && resolved_at.is_none();
        let is_back = self.resolved_at.is_none() && resolved_at.is_some() && *notes < 2 * NOTES_AT_ONCE;
        let at_once = *notes < NOTES_AT_ONCE || is_first_end || is_back || self.key.is_digest();
        let own = at.filter(|_| !at_once).map(|at| at.saturating_add(BETWEEN_NOTES).unwrap_or(at));
        own.max(*no_room_before).unwrap_or(AT_ONCE)
    }
}
