//! What comes next for an alert, by its row alone.

use jiff::{SignedDuration, Timestamp};

use super::{Alert, End, Matter, Standstill};

/// An alert that was refused and keeps happening is tried again after so long.
pub const LOOKS_AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(1);

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

impl Alert {
    /// What comes next at `now`.
    #[must_use]
    pub fn next(&self, now: Timestamp) -> Next {
        if !self.may_go_on(now) {
            return Next::Rest;
        }
        if self.open.is_some() {
            return Next::LookBack;
        }
        let Some(ticket) = &self.ticket else {
            return if self.digest.is_some() { Next::AskForDigest } else { Next::Open };
        };
        match &self.matter {
            // What happens to it later is told by its row alone: the digest's ticket is not about it.
            Matter::Incident(_) if self.digest.is_some() => Next::Rest,
            Matter::Digest(bundle) if bundle.told < self.noted.count => Next::TellAlerts,
            Matter::Incident(_) if self.resolved_at.is_none() && ticket.end == End::Completed => Next::Reopen,
            _ if !self.is_told() => Next::Note,
            _ if self.resolved_at.is_some() && ticket.end == End::Open => Next::End,
            _ => Next::Rest,
        }
    }

    /// Whether nobody waits for it.
    #[must_use]
    pub fn rests(&self, now: Timestamp) -> bool {
        matches!(self.next(now), Next::Rest | Next::AskForDigest)
    }

    /// Whether nothing halts it; or something new has happened since, and it may be otherwise now. What the PSA refused is
    /// not sent again with each repeat.
    fn may_go_on(&self, now: Timestamp) -> bool {
        let Some(trouble) = self.trouble.as_ref().filter(|trouble| trouble.halts()) else { return true };
        let is_new = self.count > trouble.count || self.resolved_at != trouble.resolved_at;
        let patient = trouble.kind != Standstill::Refused || now.duration_since(trouble.at) >= LOOKS_AGAIN_AFTER;
        is_new && patient
    }
}
