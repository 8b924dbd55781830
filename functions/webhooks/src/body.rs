//! What a webhook is made of, checked whole.

use std::collections::BTreeSet;

use serde::Deserialize;
use shared::api::{Fault, Faults, Problem, present};
use shared::domain::ids::{ConnectionId, PartnerId};
use shared::events::EventKind;
use shared::http::CheckedUrl;
use shared::store::Read;
use utoipa::ToSchema;

use crate::Deps;

/// A webhook may name at most so many connections.
const MOST_CONNECTIONS: usize = 50;

/// A webhook's content.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookContent)]
pub(crate) struct Body {
    /// An https address of a public host, at port 443.
    #[schema(example = "https://hooks.example.com/tallyline", max_length = 2048)]
    url: String,
    /// What it is told of; at least one.
    #[schema(min_items = 1)]
    events: BTreeSet<EventKind>,
    /// Only events of these connections, and those of none (`UsageStale`, `Digest`). All where it is left out.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>, min_items = 1, max_items = 50)]
    connections: Option<BTreeSet<ConnectionId>>,
    /// Whether it is sent anything; true where it is left out.
    #[serde(default, deserialize_with = "present")]
    enabled: Option<bool>,
}

/// What was checked.
pub(crate) struct Content {
    pub url: CheckedUrl,
    pub events: BTreeSet<EventKind>,
    pub connections: BTreeSet<ConnectionId>,
    pub enabled: bool,
}

impl Body {
    /// Finds every fault at once.
    pub async fn checked(self, deps: &Deps, partner: &PartnerId) -> Result<Content, Problem> {
        let mut faults = Faults::none();
        let url = deps.sender.outward().check(&self.url);
        let url = faults.take(url.map_err(|fault| Fault::new("/url", fault.detail())));
        if self.events.is_empty() {
            faults.add(Fault::new("/events", "must name at least one event"));
        }
        match &self.connections {
            Some(connections) if !(1..=MOST_CONNECTIONS).contains(&connections.len()) => {
                faults.add(Fault::new("/connections", "must name 1 to 50 connections, or be left out"));
            }
            Some(connections) => {
                for connection in connections {
                    if deps.connections.get(partner, connection, Read::Eventual).await?.is_none() {
                        faults.add(Fault::new("/connections", "must name connections that there are"));
                        break;
                    }
                }
            }
            None => {}
        }
        let Some(url) = url else { return Err(faults.refused()) };
        faults.refuse()?;
        let connections = self.connections.unwrap_or_default();
        Ok(Content { url, events: self.events, connections, enabled: self.enabled.unwrap_or(true) })
    }
}
