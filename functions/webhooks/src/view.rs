//! A webhook as callers see it.

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use shared::events::EventKind;
use shared::store::webhooks::{SwitchedOff, Webhook};
use shared::webhooks::SigningKey;
use utoipa::ToSchema;

/// An address that is told of events.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Webhook)]
pub struct WebhookView {
    /// Its id.
    pub id: String,
    /// The address.
    pub url: String,
    /// What it is told of.
    pub events: Vec<EventKind>,
    /// Only events of these connections, and those of none; all where there are none here.
    pub connections: Vec<String>,
    /// Whether it is sent anything.
    pub enabled: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When a person last changed it.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// Since when every attempt has failed. After three days of that it is switched off.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<Timestamp>,
    /// Why it was switched off, where nobody did. Put it again to switch it on.
    pub switched_off: Option<SwitchedOffView>,
}

/// Why a webhook was switched off.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WebhookSwitchedOff)]
pub struct SwitchedOffView {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// `webhook_gone`, `webhook_failing`.
    pub code: String,
    /// The same in words.
    pub explanation: &'static str,
    /// What to do about it.
    pub fix: &'static str,
}

/// A webhook, and the secret that signs what it is sent, which is shown this once.
#[derive(Serialize, ToSchema)]
pub(crate) struct WithSecret {
    #[serde(flatten)]
    pub webhook: WebhookView,
    /// `whsec_` and the key in base64. Keep it: it can't be read again, only replaced. Left out where none was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl WithSecret {
    pub fn of(webhook: Webhook, key: Option<&SigningKey>) -> Self {
        Self { webhook: webhook.into(), secret: key.map(|key| key.reveal().expose_secret().to_owned()) }
    }
}

impl From<Webhook> for WebhookView {
    fn from(webhook: Webhook) -> Self {
        Self {
            id: webhook.id.to_string(),
            url: webhook.url,
            events: webhook.events.into_iter().collect(),
            connections: webhook.connections.into_iter().map(String::from).collect(),
            enabled: webhook.enabled,
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
            failing_since: webhook.failing_since,
            switched_off: webhook.switched_off.map(SwitchedOffView::from),
        }
    }
}

impl From<SwitchedOff> for SwitchedOffView {
    fn from(off: SwitchedOff) -> Self {
        let (explanation, fix) = match off.code.as_str() {
            "webhook_gone" => (
                "The receiver answered 410: it wants nothing any more.",
                "Put the webhook again with the address that is right, or delete it.",
            ),
            _ => (
                "Every attempt has failed for three days.",
                "Look at its deliveries, repair the receiver, and put the webhook again.",
            ),
        };
        Self { at: off.at, code: off.code, explanation, fix }
    }
}
