//! What becomes of an alert of which a person says: I have looked into the PSA, and what was sent is not there, or is of no
//! use, because its connection is gone or somebody has deleted the ticket.
//!
//! Nothing else lets go of a request that the PSA called made, or of a ticket that it has shown. So no key ends for good.

use jiff::{SignedDuration, Timestamp};

use super::{Alert, Bundle, Noted, Place};

/// What it means for an alert to forget what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forgotten {
    /// The row as it is from now on.
    Is(Box<Alert>),
    /// Nothing halts it, so that there is nothing to forget.
    NotHalted,
    /// A request may be on its way until then: whoever has looked could not have seen it.
    TooEarly(Timestamp),
}

impl Alert {
    /// The same without what was sent for it. `settle` is how long a PSA may still be working on a request.
    #[must_use]
    pub fn forgotten(&self, now: Timestamp, settle: SignedDuration) -> Forgotten {
        let halted = self.trouble.as_ref().is_some_and(super::Trouble::halts);
        let is_told_elsewhere = self.digest.is_some() && self.ticket.is_some();
        if !halted || is_told_elsewhere {
            return Forgotten::NotHalted;
        }
        let settled = self.open.as_ref().map(|write| write.sent_at.saturating_add(settle).unwrap_or(write.sent_at));
        if let Some(settled) = settled.filter(|settled| now < *settled) {
            return Forgotten::TooEarly(settled);
        }
        Forgotten::Is(Box::new(if self.ticket.is_some() { self.with_another_ticket() } else { self.sought_again() }))
    }

    /// That it was tried stays on record: before anything is sent, the PSA is searched by the same name, so that a ticket which
    /// shows late is the alert's.
    fn sought_again(&self) -> Self {
        // A digest is of its account.
        let place = self.place.clone().filter(|_| self.key.is_digest());
        Self { open: None, doubted: false, in_vain: 0, place, trouble: None, ..self.clone() }
    }

    /// Another episode of the same that has happened, whose ticket tells all of it. The finding by which people heard of its
    /// trouble stays its own until it rests.
    fn with_another_ticket(&self) -> Self {
        let place = self.place.as_ref().filter(|_| self.key.is_digest()).map(Place::anew);
        Self {
            episode: self.episode.saturating_add(1),
            ticket: None,
            noted: Noted::default(),
            tried: None,
            place,
            ..self.sought_again().bundled(|bundle| Bundle { told: 0, ..bundle })
        }
    }
}
