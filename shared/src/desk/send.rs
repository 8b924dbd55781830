//! One request to a PSA: stored as sent, sent once, and its answer stored.

use super::DeskError;
use super::people::Halt;
use super::visit::{Session, Visit};
use crate::clock::fresh_id;
use crate::domain::alert::{Alert, End, Place, Said, What, Write};
use crate::domain::ids::TicketId;
use crate::domain::reason::Code;
use crate::faults::Struck;
use crate::psa::{Kind, PsaError, WriteError};
use crate::sync::STORED_WITHIN;

impl Visit<'_> {
    /// Stores that a request is about to leave, on top of the row by which it was decided. `None`: somebody else was first;
    /// nothing may be sent.
    pub async fn leaving(&self, alert: &Alert, what: What, place: Place) -> Result<Option<Alert>, DeskError> {
        let now = self.parts.clock.now();
        let sending = alert.sending(what, place, &fresh_id("call"), now);
        let stored = self.parts.alerts.replace(self.partner, Some(alert), sending, now).await?;
        // When it can be on its way no more is reckoned from what was stored: one that leaves much later might outlive it.
        if self.parts.clock.now().duration_since(now) > STORED_WITHIN {
            return Err(DeskError::Slow);
        }
        Ok(stored)
    }

    /// Sends it.
    pub async fn write<T>(
        &self,
        effect: &str,
        request: impl Future<Output = Result<T, WriteError>>,
    ) -> Result<Result<T, WriteError>, Struck> {
        self.parts.faults.before(|| format!("psa.{effect}"))?;
        let said = request.await;
        self.parts.faults.after(|| format!("psa.{effect}"))?;
        Ok(said)
    }

    /// Stores what was answered to the open request of `alert`. What the PSA refuses for its content waits for a person; all
    /// else is tried again by itself.
    pub async fn answered(
        &self,
        session: &Session,
        alert: &Alert,
        said: Result<Option<TicketId>, WriteError>,
    ) -> Result<Alert, DeskError> {
        let Some(Write { what, call, .. }) = &alert.open else { return Err(DeskError::Busy) };
        let (error, was_sent) = match said {
            Ok(id) => return self.change(alert, |alert| alert.answered(call, Said::Made(id.clone()))).await,
            Err(WriteError::Unknown(error)) => {
                tracing::warn!(%error, "the answer to a request was lost");
                return self.change(alert, |alert| alert.answered(call, Said::Lost)).await;
            }
            Err(WriteError::NotSent(error)) => (error, false),
            Err(WriteError::Rejected(error)) => (error, true),
        };
        if is_of_the_moment(&error, was_sent) {
            self.change(alert, |alert| alert.not_made(call)).await?;
            return Err(error.into());
        }
        let connection = &session.connection;
        let on = Some(connection);
        match what {
            What::Ticket { .. } => {
                let halt = Halt::refused(alert, on, "the ticket", &error);
                self.halt(alert, halt, |alert| alert.not_made(call)).await
            }
            What::Note { .. } => {
                let halt = Halt::refused(alert, on, "a note on the ticket", &error).or_forget();
                self.halt(alert, halt, |alert| alert.not_made(call)).await
            }
            What::Completion => {
                let halt = Halt::status_not_taken(alert, connection, Code::TicketNotCompleted, &error.explanation);
                self.halt(alert, halt, |alert| alert.not_made(call).ended(End::NotTaken)).await
            }
            What::Reopening => {
                let halt = Halt::status_not_taken(alert, connection, Code::TicketNotReopened, &error.explanation);
                self.halt(alert, halt, |alert| alert.not_made(call).ended(End::Open)).await
            }
        }
    }
}

/// Whether the same request may go well later without anybody changing the ticket mapping or what the user may do: a log-in
/// that is turned away is the whole connection's trouble, which says so itself, and where nothing was sent an answer that is none
/// was one to a look-up before.
fn is_of_the_moment(error: &PsaError, was_sent: bool) -> bool {
    match error.kind {
        Kind::Auth => error.refuses_log_in(),
        Kind::Protocol => !was_sent,
        Kind::RateLimited | Kind::Unavailable => true,
        Kind::NotFound | Kind::Validation => false,
    }
}
