//! One look at one alert: step after step, until it rests.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::{DeskError, DeskParts};
use crate::domain::alert::{Alert, AlertKey, Next};
use crate::domain::ids::{ConnectionId, PartnerId};
use crate::psa::Connector;
use crate::store::connections::{Connection, Status};
use crate::store::{Read, StoreError};

/// So many steps are made at once; what is left then has a message of its own, behind what has come meanwhile.
const MOST_STEPS: usize = 24;

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
        if let Some(reason) = gone.as_ref().err().and_then(DeskError::told) {
            let now = self.parts.clock.now();
            self.edit(key, |alert| alert.delayed(&reason, now)).await?;
        }
        gone
    }

    async fn steps(&mut self, key: &AlertKey) -> Result<(), DeskError> {
        let Some(mut alert) = self.begin(key).await? else { return Ok(()) };
        for _ in 0..MOST_STEPS {
            alert = match alert.next(self.parts.clock.now()) {
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

/// Whether tickets may be made over it. Shadow mode is about bills.
pub(super) fn is_on(connection: &Connection) -> bool {
    connection.enabled && connection.status != Status::Revoked && connection.not_understood().is_none()
}
