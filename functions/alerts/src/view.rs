//! An alert as callers see it.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::alert::{Alert, AlertStatus, Matter};
use utoipa::ToSchema;

/// What a digest of alerts is called where other alerts have a kind.
const DIGEST: &str = "digest";

/// An alert: what happens under a dedupe key until it is over, and the ticket that it has.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Alert)]
pub(crate) struct AlertView {
    /// Its name.
    dedupe_key: String,
    /// How it stands.
    status: AlertStatus,
    /// How often it happened; of a digest, how many alerts are in it.
    count: u32,
    /// The how manieth episode of its key: each has a ticket of its own.
    episode: u32,
    /// The company; null for a digest.
    company: Option<String>,
    /// What kind of alert it is; `digest` for a digest of alerts.
    kind: String,
    /// How bad it is; null for a digest.
    severity: Option<String>,
    /// Its title; empty for a digest.
    title: String,
    /// When it happened first.
    #[schema(value_type = String, format = DateTime)]
    first_at: Timestamp,
    /// When it happened last.
    #[schema(value_type = String, format = DateTime)]
    last_at: Timestamp,
    /// When it was said to be over, while it is.
    #[schema(value_type = Option<String>, format = DateTime)]
    resolved_at: Option<Timestamp>,
    /// Its ticket, once the PSA has shown it.
    ticket: Option<TicketView>,
    /// The key of the digest in which it is told, or will be: what is in that one's way is in its own. Null where it has a
    /// ticket of its own.
    digest_key: Option<String>,
    /// What is in its way; null where nothing is.
    code: Option<String>,
    /// The same in words.
    explanation: Option<String>,
    /// What to do about it.
    fix: Option<String>,
}

/// A ticket in the PSA.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AlertTicket)]
pub(crate) struct TicketView {
    /// The connection that it was made over.
    connection_id: String,
    /// The PSA account that it is on.
    account_id: String,
    /// The PSA's id of it.
    id: String,
    /// What people call it.
    number: String,
    /// It is the ticket of a digest, in which other alerts are told as well.
    digest: bool,
}

impl From<Alert> for AlertView {
    fn from(alert: Alert) -> Self {
        let status = alert.status();
        let digest = alert.digest.is_some() || alert.key.is_digest();
        let digest_key = alert.digest.map(|key| key.to_string());
        let place = alert.place;
        let ticket = alert.ticket.zip(place).map(|(ticket, place)| TicketView {
            connection_id: place.connection.to_string(),
            account_id: ticket.account.to_string(),
            id: ticket.id.to_string(),
            number: ticket.number,
            digest,
        });
        let (company, kind, severity, title) = match alert.matter {
            Matter::Incident(of) => {
                (Some(of.company.to_string()), of.kind.to_string(), Some(of.severity.to_string()), of.title)
            }
            Matter::Digest(_) => (None, DIGEST.to_owned(), None, String::new()),
        };
        let reason = alert.trouble.map(|trouble| trouble.reason);
        let (code, explanation, fix) = match reason {
            Some(reason) => (Some(reason.code), Some(reason.explanation), Some(reason.fix)),
            None => (None, None, None),
        };
        Self {
            dedupe_key: alert.key.to_string(),
            status,
            count: alert.count,
            episode: alert.episode,
            company,
            kind,
            severity,
            title,
            first_at: alert.first_at,
            last_at: alert.last_at,
            resolved_at: alert.resolved_at,
            ticket,
            digest_key,
            code,
            explanation,
            fix,
        }
    }
}
