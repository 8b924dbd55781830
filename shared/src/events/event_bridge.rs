//! Events over an EventBridge bus.

use async_trait::async_trait;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;

use super::{Event, Publish, PublishError};

/// Source of every event, by which rules know them.
pub const SOURCE: &str = "tallyline";

/// EventBridge takes at most so many events in one request.
const EVENTS_A_BATCH: usize = 10;
/// What a batch did not take is published again so often.
const ATTEMPTS: usize = 4;

/// A bus.
#[derive(Debug, Clone)]
pub struct Bus {
    client: Client,
    name: String,
}

impl Bus {
    /// The bus called `name`.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }

    /// Publishes one batch, and again what of it was not taken: those entries and no others.
    async fn put(&self, mut entries: Vec<PutEventsRequestEntry>) -> Result<(), PublishError> {
        for _ in 0..ATTEMPTS {
            let request = self.client.put_events().set_entries(Some(entries.clone()));
            let answer = request.send().await.map_err(|e| PublishError(e.to_string()))?;
            // Results stand in the order of the entries.
            let mut results = answer.entries().iter();
            entries.retain(|_| results.next().is_none_or(|result| result.error_code().is_some()));
            if entries.is_empty() {
                return Ok(());
            }
        }
        Err(PublishError(format!("{} of a batch's events were not taken", entries.len())))
    }
}

#[async_trait]
impl Publish for Bus {
    async fn publish(&self, events: &[Event]) -> Result<(), PublishError> {
        for batch in events.chunks(EVENTS_A_BATCH) {
            let entry = |event: &Event| {
                let detail = event.detail().map_err(|e| PublishError(e.to_string()))?.to_string();
                let entry = PutEventsRequestEntry::builder().event_bus_name(&self.name).source(SOURCE);
                Ok(entry.detail_type(event.kind()).detail(detail).build())
            };
            self.put(batch.iter().map(entry).collect::<Result<_, PublishError>>()?).await?;
        }
        Ok(())
    }
}
