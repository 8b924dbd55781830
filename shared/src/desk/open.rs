//! Opening an alert's ticket.

use jiff::SignedDuration;

use super::DeskError;
use super::choose::{Chosen, fields_of};
use super::look::shown;
use super::visit::Visit;
use crate::domain::alert::{Alert, DigestHour, Story, What};
use crate::psa::NewTicket;
use crate::psa::tickets::{LONGEST_TICKET_TEXT, LONGEST_TICKET_TITLE};
use crate::store::alerts::Counted;

/// So many digests an hour may have, which is one an account: runs need the PSA's allowance as well.
const MOST_DIGESTS: u32 = 500;

/// What of a text is left for the line with our reference.
const FOR_REFERENCE: usize = 100;

/// What titles and texts may take.
pub(super) const ROOM: (usize, usize) = (LONGEST_TICKET_TITLE, LONGEST_TICKET_TEXT - FOR_REFERENCE);

impl Visit<'_> {
    /// Opens the ticket of an alert: on the first try at once; before any further one it is searched. Where the hour has had
    /// tickets enough, the alert goes into a digest.
    pub async fn open(&mut self, alert: &Alert) -> Result<Alert, DeskError> {
        let Chosen { place, mapping } = match self.choose(alert).await? {
            Ok(chosen) => chosen,
            Err(halt) => return self.halt(alert, halt, Alert::clone).await,
        };
        let Some(session) = self.session(&place.connection).await? else {
            return self.halt_off(alert, &place).await;
        };
        let now = self.parts.clock.now();
        if alert.tried.is_some() {
            if let Some(found) = self.search(&session, &place).await? {
                let placed = |alert: &Alert| Alert { place: Some(place.clone()), ..alert.shown(shown(&found)) };
                return self.change(alert, placed).await;
            }
        } else if !self.has_room(alert, mapping.tickets_per_hour).await? {
            if alert.key.is_digest() {
                return self.change(alert, |alert| alert.without_room_before(DigestHour::of(now).ends())).await;
            }
            return self.join_digest(&session, alert, (place, &mapping)).await;
        }
        let entries = self.entries(alert, 0).await?;
        let story = Story::of_ticket(alert, &entries, &session.zone(), ROOM);
        let ticket = NewTicket {
            account: place.account.clone(),
            reference: place.reference.to_string(),
            title: story.title,
            text: story.text,
            opened: alert.first_at,
            due: now.saturating_add(SignedDuration::from_hours(i64::from(mapping.due_hours))).unwrap_or(now),
            fields: fields_of(alert, &mapping),
        };
        let Some(alert) = self.leaving(alert, What::Ticket { count: story.count }, place).await? else {
            return self.again(alert).await;
        };
        let said = self.write("ticket", session.psa.open_ticket(&ticket)).await?;
        self.answered(&session, &alert, said).await
    }

    /// Whether the hour may have one ticket more; it is counted then. Digests are what is left when it may not: they have a
    /// limit of their own.
    async fn has_room(&self, alert: &Alert, most: u32) -> Result<bool, DeskError> {
        let hour = DigestHour::of(self.parts.clock.now());
        let (what, most) =
            if alert.key.is_digest() { (Counted::Digests, MOST_DIGESTS) } else { (Counted::Tickets, most) };
        Ok(self.parts.alerts.count(self.partner, hour, what, most).await?)
    }
}
