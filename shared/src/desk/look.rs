//! What became of a request, by what the PSA shows.

use std::collections::BTreeSet;

use super::DeskError;
use super::people::Halt;
use super::visit::{Session, Visit};
use crate::domain::alert::{Alert, End, Judged, Place, Said, Ticket, What, Write, judge};
use crate::domain::reason::Code;
use crate::psa::PsaTicket;

impl Visit<'_> {
    /// Looks for the open request of an alert, and stores what became of it.
    pub async fn look_back(&mut self, alert: &Alert) -> Result<Alert, DeskError> {
        let (Some(write), Some(place)) = (&alert.open, &alert.place) else { return Err(DeskError::Busy) };
        let Some(session) = self.session(&place.connection).await? else {
            return self.halt_off(alert, place).await;
        };
        match (&write.what, &alert.ticket) {
            (What::Ticket { .. }, _) => self.look_for_ticket(&session, alert, (write, place)).await,
            (What::Note { number, .. }, Some(ticket)) => {
                self.look_for_note(&session, alert, write, (ticket, place.note(*number))).await
            }
            (What::Completion, Some(ticket)) => self.look_at_status(&session, alert, write, (ticket, true)).await,
            (What::Reopening, Some(ticket)) => self.look_at_status(&session, alert, write, (ticket, false)).await,
            (_, None) => self.change(alert, |alert| alert.not_found(&write.call)).await,
        }
    }

    async fn look_for_ticket(
        &self,
        session: &Session,
        alert: &Alert,
        (write, place): (&Write, &Place),
    ) -> Result<Alert, DeskError> {
        let looked_at = self.parts.clock.now();
        self.parts.faults.before(|| "psa.look_back".to_owned())?;
        let by_id = match &write.said {
            Said::Made(Some(id)) => session.psa.ticket(id).await?,
            Said::Made(None) | Said::Nothing | Said::Lost => None,
        };
        let found = match by_id {
            Some(ticket) => Some(ticket),
            None => self.search(session, place).await?,
        };
        self.parts.faults.after(|| "psa.look_back".to_owned())?;
        match (judge(write, found.is_some(), looked_at, self.parts.settle), found) {
            (Judged::Made, Some(found)) => {
                let made =
                    |alert: &Alert| if is_same(alert, write) { alert.shown(shown(&found)) } else { alert.clone() };
                self.change(alert, made).await
            }
            (Judged::NotShown, _) => self.halt(alert, Halt::not_shown(alert, &session.connection), Alert::clone).await,
            (Judged::NotMade, _) => self.change(alert, |alert| alert.not_found(&write.call)).await,
            (Judged::TooEarly | Judged::Made, _) => Err(DeskError::Unsettled),
        }
    }

    /// The ticket by our own name of it.
    pub async fn search(&self, session: &Session, place: &Place) -> Result<Option<PsaTicket>, DeskError> {
        let references = BTreeSet::from([place.reference.to_string()]);
        let mut found = session.psa.find_tickets(&place.account, &references).await?;
        if found.len() > 1 {
            tracing::error!(reference = %place.reference, "several tickets bear one reference: somebody has copied one");
        }
        found.sort_by(|one, other| one.number.cmp(&other.number));
        Ok(found.into_iter().next())
    }

    /// A note that was answered as made is believed: the PSA gives no id by which to read it back.
    async fn look_for_note(
        &self,
        session: &Session,
        alert: &Alert,
        write: &Write,
        (ticket, reference): (&Ticket, String),
    ) -> Result<Alert, DeskError> {
        let looked_at = self.parts.clock.now();
        let there = match &write.said {
            Said::Made(_) => true,
            Said::Nothing | Said::Lost => {
                self.parts.faults.before(|| "psa.look_back".to_owned())?;
                let found = session.psa.find_notes(&ticket.id, &BTreeSet::from([reference])).await?;
                self.parts.faults.after(|| "psa.look_back".to_owned())?;
                !found.is_empty()
            }
        };
        match judge(write, there, looked_at, self.parts.settle) {
            Judged::Made => {
                let now = self.parts.clock.now();
                self.change(alert, |alert| if is_same(alert, write) { alert.noted(now) } else { alert.clone() }).await
            }
            Judged::NotMade | Judged::NotShown => self.change(alert, |alert| alert.not_found(&write.call)).await,
            Judged::TooEarly => Err(DeskError::Unsettled),
        }
    }

    /// A status that was answered as taken and does not show was undone by a workflow of the PSA: a person has to look.
    async fn look_at_status(
        &self,
        session: &Session,
        alert: &Alert,
        write: &Write,
        (ticket, completed): (&Ticket, bool),
    ) -> Result<Alert, DeskError> {
        let looked_at = self.parts.clock.now();
        self.parts.faults.before(|| "psa.look_back".to_owned())?;
        let found = session.psa.ticket(&ticket.id).await?;
        self.parts.faults.after(|| "psa.look_back".to_owned())?;
        let taken = found.is_some_and(|found| found.completed == completed);
        let (end, otherwise, code) = if completed {
            (End::Completed, End::NotTaken, Code::TicketNotCompleted)
        } else {
            (End::Open, End::Open, Code::TicketNotReopened)
        };
        let ended = |end| move |alert: &Alert| if is_same(alert, write) { alert.ended(end) } else { alert.clone() };
        match (&write.said, judge(write, taken, looked_at, self.parts.settle)) {
            (_, Judged::Made) => self.change(alert, ended(end)).await,
            (Said::Made(_), _) => {
                let why = "the PSA answered that its status is changed, and shows it as it was.";
                let halt = Halt::status_not_taken(alert, &session.connection, code, why);
                self.halt(alert, halt, ended(otherwise)).await
            }
            (_, Judged::TooEarly) => Err(DeskError::Unsettled),
            (_, Judged::NotMade | Judged::NotShown) => self.change(alert, |alert| alert.not_found(&write.call)).await,
        }
    }
}

/// Whether the request that was looked for is still the open one.
fn is_same(alert: &Alert, write: &Write) -> bool {
    alert.open.as_ref().is_some_and(|open| open.call == write.call)
}

/// A ticket of the PSA as the row has it.
pub(super) fn shown(found: &PsaTicket) -> Ticket {
    let PsaTicket { id, number, account, .. } = found;
    Ticket { id: id.clone(), number: number.clone(), account: account.clone(), told: 0, end: End::Open }
}
