//! What comes onto a ticket after it was opened: notes, its end, and that there is work on it again.

use super::DeskError;
use super::choose::fields_of;
use super::open::ROOM;
use super::visit::{Session, Visit};
use crate::domain::alert::{Alert, DigestHour, End, Place, Story, Ticket, What};
use crate::domain::ticketing::{OnResolve, TicketMapping};
use crate::psa::NewNote;
use crate::store::alerts::Counted;

/// An hour may have so many notes for each ticket that it may have.
const NOTES_A_TICKET: u32 = 5;
/// And never more than this: runs need the PSA's allowance as well.
const MOST_NOTES: u32 = 500;

impl Visit<'_> {
    /// Adds a note that tells what has happened since the last one, where the partner's hour has room for one more. What goes
    /// on though people have completed its ticket is opened again first.
    pub async fn note(&mut self, alert: &Alert) -> Result<Alert, DeskError> {
        let (ticket, place) = on_ticket(alert)?;
        let Some(session) = self.session(&place.connection).await? else {
            return self.halt_off(alert, place).await;
        };
        let number = alert.noted.notes.saturating_add(1);
        let reference = place.note(number);
        let entries = self.entries(alert, alert.noted.count).await?;
        let Story { title, text, count } = Story::of_note(alert, &entries, &session.zone(), ROOM);
        let what = What::Note { number, count, resolved_at: alert.resolved_at };
        if alert.has_tried(&what) {
            let found = session.psa.find_notes(&ticket.id, &[reference.clone()].into()).await?;
            if !found.is_empty() {
                let now = self.parts.clock.now();
                return self
                    .change(alert, |alert| if alert.has_tried(&what) { alert.noted(now) } else { alert.clone() })
                    .await;
            }
        } else if let Some(otherwise) = self.before_note(&session, alert, (ticket, place)).await? {
            return Ok(otherwise);
        }
        let note = NewNote { reference, title, text };
        let Some(alert) = self.leaving(alert, what, place.clone()).await? else { return self.again(alert).await };
        let said = self.write("note", session.psa.add_note(&ticket.id, &note)).await?;
        self.answered(&session, &alert, said.map(|()| None)).await
    }

    /// What the alert becomes instead of being noted at once; `None`: the note may be made.
    async fn before_note(
        &self,
        session: &Session,
        alert: &Alert,
        (ticket, place): (&Ticket, &Place),
    ) -> Result<Option<Alert>, DeskError> {
        if alert.key.is_digest() {
            return Ok(None);
        }
        let reopened = alert.completed_by_people();
        if reopened != *alert && self.is_completed(session, ticket).await? == Some(true) {
            return self.change(alert, Alert::completed_by_people).await.map(Some);
        }
        let hour = DigestHour::of(self.parts.clock.now());
        let most = self.mapping_of(place).await?.tickets_per_hour.saturating_mul(NOTES_A_TICKET).min(MOST_NOTES);
        if self.parts.alerts.count(self.partner, hour, Counted::Notes, most).await? {
            return Ok(None);
        }
        self.change(alert, |alert| alert.without_room_before(hour.ends())).await.map(Some)
    }

    /// Makes of the ticket of an alert that is over what the mapping says.
    pub async fn end(&mut self, alert: &Alert) -> Result<Alert, DeskError> {
        let (ticket, place) = on_ticket(alert)?;
        if self.mapping_of(place).await?.on_resolve == OnResolve::Note {
            return self.change(alert, |alert| alert.left()).await;
        }
        let Some(session) = self.session(&place.connection).await? else {
            return self.halt_off(alert, place).await;
        };
        if alert.has_tried(&What::Completion) && self.is_completed(&session, ticket).await? == Some(true) {
            return self.change(alert, |alert| alert.tried_to_end(End::Completed)).await;
        }
        let Some(alert) = self.leaving(alert, What::Completion, place.clone()).await? else {
            return self.again(alert).await;
        };
        let said = self.write("end", session.psa.complete_ticket(&ticket.id)).await?;
        self.answered(&session, &alert, said.map(|()| None)).await
    }

    /// Gives the ticket of an alert that has come back the status of new ones.
    pub async fn reopen(&mut self, alert: &Alert) -> Result<Alert, DeskError> {
        let (ticket, place) = on_ticket(alert)?;
        let fields = fields_of(alert, &self.mapping_of(place).await?);
        let Some(session) = self.session(&place.connection).await? else {
            return self.halt_off(alert, place).await;
        };
        if alert.has_tried(&What::Reopening) && self.is_completed(&session, ticket).await? == Some(false) {
            return self.change(alert, |alert| alert.tried_to_end(End::Open)).await;
        }
        let Some(alert) = self.leaving(alert, What::Reopening, place.clone()).await? else {
            return self.again(alert).await;
        };
        let said = self.write("end", session.psa.reopen_ticket(&ticket.id, &fields)).await?;
        self.answered(&session, &alert, said.map(|()| None)).await
    }

    /// Whether the PSA shows a ticket as completed, if it shows it.
    async fn is_completed(&self, session: &Session, ticket: &Ticket) -> Result<Option<bool>, DeskError> {
        Ok(session.psa.ticket(&ticket.id).await?.map(|ticket| ticket.completed))
    }

    /// The ticket mapping of a place; the usual one where it was taken away since.
    async fn mapping_of(&self, place: &Place) -> Result<TicketMapping, DeskError> {
        let stored = self.ticket_mapping(&place.connection).await?;
        Ok(stored.map(|stored| stored.mapping).unwrap_or_default())
    }
}

fn on_ticket(alert: &Alert) -> Result<(&Ticket, &Place), DeskError> {
    alert.ticket.as_ref().zip(alert.place.as_ref()).ok_or(DeskError::Busy)
}
