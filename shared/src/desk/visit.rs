//! One look at one alert: step after step, until it rests.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::people::Halt;
use super::{DeskError, DeskParts};
use crate::domain::alert::{Alert, AlertKey, MOST_IN_VAIN, Next, Standstill};
use crate::domain::ids::{ConnectionId, PartnerId};
use crate::psa::{Connector, Kind, PsaError};
use crate::store::connections::{Connection, Status};
use crate::store::{Read, StoreError};

/// So many steps are made at once; what is left then has a message of its own, behind what has come meanwhile.
const MOST_STEPS: usize = 24;

/// For so long an answer that makes no sense may be something that passes.
const GARBLED_FOR: SignedDuration = SignedDuration::from_hours(1);

/// A connection that is open for a visit.
pub(super) struct Session {
    /// The row.
    pub connection: Connection,
    /// Holds the credentials.
    pub psa: Arc<dyn Connector>,
}

impl Session {
    /// The partner's time zone. It was checked when it was stored.
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.connection.time_zone).unwrap_or(TimeZone::UTC)
    }
}

/// A look at alerts of one partner.
pub(super) struct Visit<'a> {
    pub parts: &'a DeskParts,
    pub partner: &'a PartnerId,
    session: Option<Arc<Session>>,
}

impl<'a> Visit<'a> {
    pub fn of(parts: &'a DeskParts, partner: &'a PartnerId) -> Self {
        Self { parts, partner, session: None }
    }

    /// Goes on with an alert until it rests. What the PSA or the credentials hold up is told in its row.
    pub async fn go_on(&mut self, key: &AlertKey) -> Result<(), DeskError> {
        let gone = self.steps(key).await;
        let Some(reason) = gone.as_ref().err().and_then(DeskError::told) else { return gone };
        let now = self.parts.clock.now();
        let delayed = self.edit(key, |alert| alert.delayed(&reason, now)).await?;
        match (&gone, delayed) {
            (Err(DeskError::Psa(error)), Some(alert)) if stays(error, &alert, now) => {
                let connection = self.session.as_ref().map(|session| &session.connection);
                let halt = Halt::refused(&alert, connection, "a look-up for the ticket", error);
                self.halt(&alert, halt, Alert::clone).await.map(drop)
            }
            _ => gone,
        }
    }

    async fn steps(&mut self, key: &AlertKey) -> Result<(), DeskError> {
        let Some(mut alert) = self.begin(key).await? else { return Ok(()) };
        for _ in 0..MOST_STEPS {
            let next = alert.next(self.parts.clock.now());
            if alert.in_vain >= MOST_IN_VAIN && next.writes() {
                return self.stop_trying(&alert).await;
            }
            alert = match next {
                Next::Rest => return self.leave(&alert).await,
                Next::AskForDigest => return self.ask_for_digest_of(&alert).await,
                Next::LookBack => self.look_back(&alert).await?,
                Next::Open => self.open(&alert).await?,
                Next::TellAlerts => self.tell_alerts(&alert).await?,
                Next::Reopen => self.reopen(&alert).await?,
                Next::Note => self.note(&alert).await?,
                Next::End => self.end(&alert).await?,
            };
        }
        self.ask_for(&alert).await
    }

    /// What was sent again and again, and never showed, is a person's now.
    async fn stop_trying(&mut self, alert: &Alert) -> Result<(), DeskError> {
        let session = match &alert.place {
            Some(place) => self.session(&place.connection).await?,
            None => None,
        };
        let halt = Halt::unanswered(alert, session.as_ref().map(|session| &session.connection));
        self.halt(alert, halt, |alert| Alert { in_vain: 0, ..alert.clone() }).await.map(drop)
    }

    /// The alert; a digest notes that the message which was to have it worked has come.
    async fn begin(&self, key: &AlertKey) -> Result<Option<Alert>, DeskError> {
        if !key.is_digest() {
            return Ok(self.parts.alerts.get(self.partner, key).await?);
        }
        self.edit(key, Alert::unasked).await
    }

    /// Changes the row as it stands, by whatever `change` makes of it.
    pub async fn edit(&self, key: &AlertKey, change: impl Fn(&Alert) -> Alert) -> Result<Option<Alert>, DeskError> {
        let now = self.parts.clock.now();
        let changed = |found: Option<&Alert>| Ok::<_, StoreError>(found.map(&change));
        Ok(self.parts.alerts.edit(self.partner, key, now, changed).await?)
    }

    /// As [`Visit::edit`], for an alert that is there: none is ever removed while it is worked on.
    pub async fn change(&self, alert: &Alert, change: impl Fn(&Alert) -> Alert) -> Result<Alert, DeskError> {
        self.edit(&alert.key, change).await?.ok_or(DeskError::Busy)
    }

    /// The alert as somebody else has left it.
    pub async fn again(&self, alert: &Alert) -> Result<Alert, DeskError> {
        self.parts.alerts.get(self.partner, &alert.key).await?.ok_or(DeskError::Busy)
    }

    /// The connection, opened; `None` where it is off, or has settings that this version does not understand.
    pub async fn session(&mut self, connection: &ConnectionId) -> Result<Option<Arc<Session>>, DeskError> {
        if let Some(session) = self.session.as_ref().filter(|session| session.connection.id == *connection) {
            return Ok(Some(session.clone()));
        }
        let found = self.parts.connections.get(self.partner, connection, Read::Consistent).await?;
        let Some(connection) = found.filter(is_on) else { return Ok(None) };
        let psa = self.parts.opener.connector(&connection).await?;
        let session = Arc::new(Session { connection, psa });
        self.session = Some(session.clone());
        Ok(Some(session))
    }
}

/// Whether what a look-up was answered stays so until a person does something. An answer that is none may be a proxy's, for a
/// while.
fn stays(error: &PsaError, alert: &Alert, now: Timestamp) -> bool {
    match error.kind {
        Kind::Auth => !error.refuses_log_in(),
        Kind::RateLimited | Kind::Unavailable => false,
        Kind::NotFound | Kind::Validation => true,
        Kind::Protocol => alert.trouble.as_ref().is_some_and(|trouble| {
            trouble.kind == Standstill::Delayed && now.duration_since(trouble.at) >= GARBLED_FOR
        }),
    }
}

/// Whether tickets may be made over it. Shadow mode is about bills.
pub(super) fn is_on(connection: &Connection) -> bool {
    connection.enabled && connection.status != Status::Revoked && connection.not_understood().is_none()
}
