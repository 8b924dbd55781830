//! What people hear of an alert that does not go on: its row says why, and a finding asks them to look.
//!
//! The finding is stored before the row, so that no alert is halted of which nobody has heard; saying it twice changes
//! nothing. It is over once the alert that spoke of it last goes on.

use sha2::{Digest as _, Sha256};

use super::DeskError;
use super::visit::Visit;
use crate::domain::alert::{Alert, FindingName, Incident, MOST_IN_VAIN, Place, Standstill, one_line};
use crate::domain::finding::{Noticed, Subject, Word};
use crate::domain::ids::{CompanyId, RunId};
use crate::domain::reason::{Code, Reason};
use crate::events::{Event, OpenedFinding, tell};
use crate::psa::PsaError;
use crate::store::connections::Connection;
use crate::store::{Read, StoreError};
use crate::sync::reason_of;

/// What is done once what the PSA says is put right.
const RETRY: &str = "Then POST /v1/alerts/retry.";

/// What is done where a ticket is gone.
const FORGET: &str = " If somebody has deleted the ticket, send the alert's dedupe_key with forget.";

/// Why an alert does not go on, or did not go as it should, and what people are told.
pub(super) struct Halt {
    kind: Standstill,
    /// What its row says.
    reason: Reason,
    finding: Option<(Connection, Noticed)>,
}

impl Halt {
    /// Something has to be mapped or switched on; nobody is told but those who ask for the alert.
    pub fn waiting(reason: Reason) -> Self {
        Self { kind: Standstill::Waiting, reason, finding: None }
    }

    /// The same, told to people as something about `connection`.
    pub fn told_on(self, connection: Option<&Connection>) -> Self {
        let about = self.reason.code.clone();
        let finding = connection.map(|connection| {
            let noticed = Noticed::of(Subject::Connection, self.reason.clone());
            (connection.clone(), Noticed { about: Some(about), ..noticed })
        });
        Self { finding, ..self }
    }

    /// No connection maps the company. While a person has seen that, further alerts of it are nothing new.
    pub fn company_not_mapped(connection: Option<&Connection>, company: &CompanyId) -> Self {
        let explanation = format!("There are alerts of {company}, which is mapped to no account.");
        let reason = Reason::new(Code::AlertCompanyNotMapped, explanation);
        let finding = connection.map(|connection| {
            let noticed = Noticed::of(Subject::Company(company.clone()), reason.clone());
            let about = Some(company.to_string());
            (connection.clone(), Noticed { about, company: Some(company.clone()), ..noticed })
        });
        Self { kind: Standstill::Waiting, reason, finding }
    }

    /// The connection that the alert is bound to is off.
    pub fn off(connection: Option<&Connection>) -> Self {
        let explanation = "The connection that the ticket belongs to is switched off or revoked.".to_owned();
        Self::waiting(Reason::new(Code::AlertConnectionOff, explanation)).told_on(connection)
    }

    /// The PSA neither confirms nor shows what is sent to it.
    pub fn unanswered(alert: &Alert, connection: Option<&Connection>) -> Self {
        let explanation = format!(
            "What was sent to the PSA for the alert {} was neither confirmed nor shown, {MOST_IN_VAIN} times in a row.",
            named(alert)
        );
        Self::of(Standstill::Refused, alert, connection, Reason::new(Code::TicketUnanswered, explanation))
    }

    /// The PSA refused `what`: the row has its own words.
    pub fn refused(alert: &Alert, connection: Option<&Connection>, what: &str, error: &PsaError) -> Self {
        let own = reason_of(error);
        let reason = Reason { fix: format!("{} {RETRY}", own.fix).trim().to_owned(), ..own };
        let explanation = format!("The PSA refused {what} of the alert {}: {}", named(alert), reason.explanation);
        let told = Reason { fix: reason.fix.clone(), ..Reason::new(Code::TicketRefused, explanation) };
        Self {
            kind: Standstill::Refused,
            reason,
            finding: connection.map(|connection| (connection.clone(), noticed(alert, told))),
        }
    }

    /// The same, where the ticket itself may be gone.
    pub fn or_forget(mut self) -> Self {
        let told = self.finding.as_mut().map(|(_, noticed)| &mut noticed.reason);
        for reason in std::iter::once(&mut self.reason).chain(told) {
            reason.fix.push_str(FORGET);
        }
        self
    }

    /// The PSA called the ticket made and does not show it.
    pub fn not_shown(alert: &Alert, connection: &Connection) -> Self {
        let explanation = format!(
            "The PSA answered that it has made the ticket of the alert {}, and does not show it.",
            named(alert)
        );
        Self::of(Standstill::NotShown, alert, Some(connection), Reason::new(Code::TicketNotShown, explanation))
    }

    /// It was tried for as long as anything is.
    pub fn given_up(alert: &Alert, connection: Option<&Connection>) -> Self {
        let last = alert.trouble.as_ref().map(|trouble| format!(" Last: {}", trouble.reason.explanation));
        let explanation = format!("The alert {} was tried for two days.{}", named(alert), last.unwrap_or_default());
        Self::of(Standstill::GivenUp, alert, connection, Reason::new(Code::AlertGivenUp, explanation))
    }

    /// A ticket's status is not what it was to be.
    pub fn status_not_taken(alert: &Alert, connection: &Connection, code: Code, why: &str) -> Self {
        let number = alert.ticket.as_ref().map_or("", |ticket| ticket.number.as_str());
        let explanation = format!("Ticket {number} of the alert {}: {why}", named(alert));
        Self::of(Standstill::EndNotTaken, alert, Some(connection), Reason::new(code, explanation))
    }

    fn of(kind: Standstill, alert: &Alert, connection: Option<&Connection>, reason: Reason) -> Self {
        let finding = connection.map(|connection| (connection.clone(), noticed(alert, reason.clone())));
        Self { kind, reason, finding }
    }
}

/// Vendors choose their keys; people read them.
fn named(alert: &Alert) -> String {
    one_line(alert.key.as_str())
}

fn noticed(alert: &Alert, reason: Reason) -> Noticed {
    let company = alert.incident().map(|Incident { company, .. }| company.clone());
    let subject = company.clone().map_or(Subject::Connection, Subject::Company);
    let account = alert.place.as_ref().map(|place| place.account.clone());
    Noticed { about: Some(alert.key.to_string()), account, company, ..Noticed::of(subject, reason) }
}

/// Stands where a finding names the run that noticed it.
fn as_run(alert: &Alert) -> Result<RunId, StoreError> {
    let digest = hex::encode(Sha256::digest(alert.key.as_str()));
    let id = format!("alert_{}_{}", digest.get(..16).unwrap_or(&digest), alert.episode);
    id.parse().map_err(|_| StoreError::Corrupt("an alert has no name as a run".to_owned()))
}

impl Visit<'_> {
    /// Tells people why an alert does not go on, then stores it in the row, on top of what `change` makes of that.
    pub async fn halt(&self, alert: &Alert, halt: Halt, change: impl Fn(&Alert) -> Alert) -> Result<Alert, DeskError> {
        let finding = match &halt.finding {
            Some((connection, noticed)) => Some(self.say(alert, connection, noticed).await?),
            None => None,
        };
        if let Some(before) = alert.finding.as_ref().filter(|before| Some(*before) != finding.as_ref()) {
            self.is_gone(alert, before).await?;
        }
        let now = self.parts.clock.now();
        let halted = |alert: &Alert| Alert {
            finding: finding.clone(),
            ..change(alert).in_trouble(halt.kind, halt.reason.clone(), now)
        };
        self.change(alert, halted).await
    }

    /// As [`Visit::halt`], because the connection that the alert is bound to is off.
    pub async fn halt_off(&self, alert: &Alert, place: &Place) -> Result<Alert, DeskError> {
        let connection = self.parts.connections.get(self.partner, &place.connection, Read::Consistent).await?;
        self.halt(alert, Halt::off(connection.as_ref()), Alert::clone).await
    }

    /// Leaves an alert that rests: what people were told of it is over, if nothing is in its way any more.
    pub async fn leave(&self, alert: &Alert) -> Result<(), DeskError> {
        if let Some(finding) = alert.finding.as_ref().filter(|_| alert.trouble.is_none()) {
            self.is_gone(alert, finding).await?;
            let cleared = |alert: &Alert| match &alert.trouble {
                None => Alert { finding: None, ..alert.clone() },
                Some(_) => alert.clone(),
            };
            self.change(alert, cleared).await?;
        }
        Ok(())
    }

    /// Ends what waits for an alert that was tried for too long. One that nothing waits for is left as it is.
    pub async fn give_up(&self, key: &crate::domain::alert::AlertKey) -> Result<(), DeskError> {
        let Some(alert) = self.edit(key, Alert::unasked).await? else { return Ok(()) };
        if alert.rests(self.parts.clock.now()) {
            return Ok(());
        }
        let connection = match &alert.place {
            Some(Place { connection, .. }) => {
                self.parts.connections.get(self.partner, connection, Read::Consistent).await?
            }
            None => self.parts.connections.all(self.partner).await?.into_iter().next(),
        };
        self.halt(&alert, Halt::given_up(&alert, connection.as_ref()), Alert::clone).await.map(drop)
    }

    async fn say(&self, alert: &Alert, connection: &Connection, noticed: &Noticed) -> Result<FindingName, DeskError> {
        let fingerprint = noticed.fingerprint();
        let found = self.parts.findings.get(connection, &fingerprint).await?;
        let word = Word::Noticed(Box::new(noticed.clone()));
        let by = (&as_run(alert)?, self.parts.clock.now());
        let opened = self.parts.findings.say(connection, (&fingerprint, &word), found, by).await?;
        if let Some(opened) = opened.filter(|opened| !opened.comes_in_crowds()) {
            let event = Event::FindingOpened(Box::new(OpenedFinding::of(connection, &opened)));
            tell(self.parts.events.as_ref(), &[event]).await;
        }
        let about = noticed.about.clone().unwrap_or_default();
        Ok(FindingName { connection: connection.id.clone(), fingerprint, about })
    }

    /// Says that a finding is gone, unless another alert has spoken of it since.
    async fn is_gone(&self, alert: &Alert, finding: &FindingName) -> Result<(), DeskError> {
        let FindingName { connection, fingerprint, about } = finding;
        let of = self.parts.connections.get(self.partner, connection, Read::Consistent).await?;
        let Some(connection) = of else { return Ok(()) };
        let found = self.parts.findings.get(&connection, fingerprint).await?;
        let Some(found) = found.filter(|found| found.noticed.about.as_ref() == Some(about)) else { return Ok(()) };
        let by = (&as_run(alert)?, self.parts.clock.now());
        self.parts.findings.say(&connection, (fingerprint, &Word::Gone), Some(found), by).await?;
        Ok(())
    }
}
