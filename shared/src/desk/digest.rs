//! Alerts that share a ticket because their hour has had tickets enough.
//!
//! A digest is worked by a message of its own, behind whatever waits when it is sent, so that what comes in a flood is told in
//! few notes. One such message is on its way at a time.

use super::DeskError;
use super::visit::{Session, Visit};
use crate::domain::alert::{Alert, AlertKey, Bundle, DigestHour, Entry, Matter, Place, Ticket};
use crate::domain::ticketing::TicketMapping;
use crate::queue::AlertMessage;

/// More alerts than this fit into no text.
const MOST_LISTED: u16 = 200;
/// So many alerts of a digest are told of its ticket at once.
const TOLD_AT_ONCE: u16 = 50;

impl Visit<'_> {
    /// Puts an alert into the digest of its account's hour; of the catch-all account's, where there is one, so that a flood at
    /// many customers is one ticket and none of them sees another's alerts.
    pub async fn join_digest(
        &self,
        session: &Session,
        alert: &Alert,
        (place, mapping): (Place, &TicketMapping),
    ) -> Result<Alert, DeskError> {
        let Some(incident) = alert.incident() else { return Err(DeskError::Busy) };
        let now = self.parts.clock.now();
        let account = mapping.catch_all_account_id.clone().unwrap_or(place.account);
        let key = AlertKey::of_digest(&place.connection, &account, DigestHour::of(now));
        let of = &session.connection;
        let fresh = Alert::digest(key, alert.first_at, now);
        let own = Place::of(&fresh, (self.partner, of.psa.as_str(), &of.endpoint.tenant), of.id.clone(), account);
        let fresh = Alert { place: Some(own), ..fresh };
        let entry = Entry::of(alert, incident);
        match self.parts.alerts.join(self.partner, alert, fresh, &entry, now).await? {
            Some(joined) => Ok(joined),
            None => self.again(alert).await,
        }
    }

    /// Has the digest worked that an alert is in.
    pub async fn ask_for_digest_of(&self, alert: &Alert) -> Result<(), DeskError> {
        let Some(digest) = &alert.digest else { return Ok(()) };
        match self.parts.alerts.get(self.partner, digest).await? {
            Some(digest) => self.ask_for(&digest).await,
            None => Ok(()),
        }
    }

    /// Sends a message that has an alert looked at, behind those that wait; of a digest, only where none is on its way. It is
    /// sent before that is noted: one too many is harmless, one too few is not.
    pub async fn ask_for(&self, alert: &Alert) -> Result<(), DeskError> {
        if matches!(&alert.matter, Matter::Digest(Bundle { asked: true, .. })) {
            return Ok(());
        }
        let message = AlertMessage::about(self.partner, alert);
        self.parts.queue.send_alerts(&[message]).await?;
        self.change(alert, |alert| alert.bundled(|bundle| Bundle { asked: true, ..bundle })).await.map(drop)
    }

    /// The alerts of a digest after the first `after`; none of any other alert.
    pub async fn entries(&self, alert: &Alert, after: u32) -> Result<Vec<Entry>, DeskError> {
        match &alert.matter {
            Matter::Incident(_) => Ok(Vec::new()),
            Matter::Digest(_) => Ok(self.parts.alerts.entries(self.partner, &alert.key, after, MOST_LISTED).await?),
        }
    }

    /// Tells alerts of a digest which ticket they are in.
    pub async fn tell_alerts(&self, digest: &Alert) -> Result<Alert, DeskError> {
        let (Matter::Digest(bundle), Some(ticket)) = (&digest.matter, &digest.ticket) else {
            return Err(DeskError::Busy);
        };
        let mut told = bundle.told;
        let entries = self.parts.alerts.entries(self.partner, &digest.key, told, TOLD_AT_ONCE).await?;
        for entry in entries {
            if told == digest.noted.count {
                break;
            }
            let in_ticket = |alert: &Alert| match &alert.digest {
                Some(key) if *key == digest.key && !is_in(alert, ticket) => {
                    Alert { ticket: Some(ticket.clone()), place: digest.place.clone(), trouble: None, ..alert.clone() }
                }
                _ => alert.clone(),
            };
            if let Some(alert) = self.edit(&entry.key, in_ticket).await? {
                self.leave(&alert).await?;
            }
            told += 1;
        }
        self.change(digest, |digest| digest.bundled(|bundle| Bundle { told: told.max(bundle.told), ..bundle })).await
    }
}

/// Whether an alert knows that it is told in `ticket`.
fn is_in(alert: &Alert, ticket: &Ticket) -> bool {
    alert.ticket.as_ref().is_some_and(|known| known.id == ticket.id)
}
