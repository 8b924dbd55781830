//! One attempt: the body, the signature, one request, and what the answer means.
//!
//! 2xx is taken, 410 asks for no more, everything else is a failure. Of an answer nothing is kept but its status.

use std::sync::Arc;

use reqwest::header::HeaderName;
use serde_json::json;

use super::keys::{Keys, KeysError};
use crate::clock::Clock;
use crate::domain::ids::PartnerId;
use crate::events::Notice;
use crate::http::{HttpError, Outward};
use crate::secrets::{ReadSecrets, SecretName, SecretsError};
use crate::store::webhooks::Webhook;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// The status of a receiver that wants no more.
const GONE: u16 = 410;

/// What an attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Taken, with this status.
    Delivered(u16),
    /// The receiver wants nothing any more.
    Gone,
    /// Answered with this status, and not taken.
    Refused(u16),
    /// No answer.
    Unanswered(HttpError),
    /// Not sent: the webhook's secret is missing or can't be read.
    Unsigned,
}

impl Outcome {
    /// Status of the answer, where there was one.
    #[must_use]
    pub fn http_status(self) -> Option<u16> {
        match self {
            Self::Delivered(status) | Self::Refused(status) => Some(status),
            Self::Gone => Some(GONE),
            Self::Unanswered(_) | Self::Unsigned => None,
        }
    }

    /// What went wrong, in one stable word; `None` where nothing did.
    #[must_use]
    pub fn code(self) -> Option<&'static str> {
        match self {
            Self::Delivered(_) => None,
            Self::Gone => Some("webhook_gone"),
            Self::Refused(300..=399) => Some("webhook_redirects"),
            Self::Refused(_) => Some("webhook_refused"),
            Self::Unanswered(error) => Some(error.code()),
            Self::Unsigned => Some("webhook_secret_missing"),
        }
    }
}

/// Sends notices.
#[derive(Clone)]
pub struct Sender {
    outward: Outward,
    secrets: Arc<dyn ReadSecrets>,
    clock: Arc<dyn Clock>,
}

impl Sender {
    /// A sender that signs with what `secrets` holds.
    #[must_use]
    pub fn new(outward: Outward, secrets: Arc<dyn ReadSecrets>, clock: Arc<dyn Clock>) -> Self {
        Self { outward, secrets, clock }
    }

    /// Which addresses may be called.
    #[must_use]
    pub fn outward(&self) -> &Outward {
        &self.outward
    }

    /// Sends a notice to a webhook, once.
    ///
    /// # Errors
    /// The secret store is unavailable: nothing was sent.
    pub async fn send(&self, partner: &PartnerId, to: &Webhook, notice: &Notice) -> Result<Outcome, SecretsError> {
        let stored = self.secrets.read(&SecretName::of_webhook(partner, &to.id)).await?;
        let Some(Ok(keys)) = stored.map(|stored| Keys::read(&stored)) else { return Ok(Outcome::Unsigned) };
        Ok(self.send_signed(&keys, to, notice).await.unwrap_or(Outcome::Unsigned))
    }

    async fn send_signed(&self, keys: &Keys, to: &Webhook, notice: &Notice) -> Result<Outcome, KeysError> {
        let (now, body) = (self.clock.now(), body_of(notice));
        let signature = keys.signatures(&notice.id, now, &body)?;
        let url = match self.outward.check(&to.url) {
            Ok(url) => url,
            Err(fault) => return Ok(Outcome::Unanswered(fault.into())),
        };
        let call = self.outward.post(&url).header(ID, &notice.id).header(TIMESTAMP, &now.as_second().to_string());
        let answer = call.header(SIGNATURE, &signature).written_json(body).send_for_status().await;
        Ok(match answer {
            Ok(status @ 200..=299) => Outcome::Delivered(status),
            Ok(GONE) => Outcome::Gone,
            Ok(status) => Outcome::Refused(status),
            Err(error) => Outcome::Unanswered(error),
        })
    }
}

/// What a receiver gets: the same bytes at each attempt.
#[must_use]
pub fn body_of(notice: &Notice) -> Vec<u8> {
    let body = json!({ "type": notice.kind, "timestamp": notice.at.to_string(), "data": notice.detail });
    body.to_string().into_bytes()
}
