//! Queues of SQS. Company jobs go over a FIFO one with the connection as message group, so that its jobs are done one after the
//! other, alerts over another with the partner as group, and pulls over a third with the source as group; notices for webhooks over one without an order.

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use aws_sdk_sqs::types::builders::SendMessageBatchRequestEntryBuilder;
use jiff::SignedDuration;
use serde::Serialize;

use super::batch::Postpone;
use super::{AlertMessage, CompanyJob, PullMessage, QueueError, SendAlerts, SendJobs, SendPulls};
use crate::webhooks::{Dispatch, SendDispatches};

/// SQS takes at most so many messages in one request.
const MESSAGES_A_BATCH: usize = 10;
/// What a batch did not take is sent again so often.
const ATTEMPTS: usize = 4;

/// A queue.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    /// The queue at `url`.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// Sends messages over a FIFO queue. `names` says the group that a message keeps its order in, and its deduplication id.
    async fn send_in_order<M: Serialize>(
        &self,
        messages: &[M],
        names: impl Fn(&M) -> (String, String),
    ) -> Result<(), QueueError> {
        for batch in messages.chunks(MESSAGES_A_BATCH) {
            let entry = |(index, message): (usize, &M)| {
                let (group, id) = names(message);
                built(entry(index, message)?.message_group_id(group).message_deduplication_id(id))
            };
            let entries = batch.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
            self.send_batch(entries).await?;
        }
        Ok(())
    }

    /// Sends one batch, and again what of it was not taken: those entries and no others.
    async fn send_batch(&self, mut entries: Vec<SendMessageBatchRequestEntry>) -> Result<(), QueueError> {
        for _ in 0..ATTEMPTS {
            let request = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries.clone()));
            let answer = request.send().await.map_err(|e| QueueError(e.to_string()))?;
            entries.retain(|entry| answer.failed().iter().any(|failed| failed.id() == entry.id()));
            if entries.is_empty() {
                return Ok(());
            }
        }
        Err(QueueError(format!("{} of a batch's messages were not taken", entries.len())))
    }
}

#[async_trait]
impl SendJobs for Queue {
    async fn send(&self, jobs: &[CompanyJob]) -> Result<(), QueueError> {
        let group = |job: &CompanyJob| (job.connection.to_string(), job.deduplication_id());
        self.send_in_order(jobs, group).await
    }
}

#[async_trait]
impl SendAlerts for Queue {
    async fn send_alerts(&self, alerts: &[AlertMessage]) -> Result<(), QueueError> {
        let group = |alert: &AlertMessage| (alert.partner.to_string(), alert.deduplication_id());
        self.send_in_order(alerts, group).await
    }
}

#[async_trait]
impl SendPulls for Queue {
    async fn send_pulls(&self, pulls: &[PullMessage]) -> Result<(), QueueError> {
        let group = |pull: &PullMessage| (pull.lane(), pull.deduplication_id());
        self.send_in_order(pulls, group).await
    }
}

/// Over a queue that is no FIFO: each dispatch waits for itself.
#[async_trait]
impl SendDispatches for Queue {
    async fn send_on(&self, dispatches: &[Dispatch]) -> Result<(), QueueError> {
        for batch in dispatches.chunks(MESSAGES_A_BATCH) {
            let entry = |(index, dispatch)| built(entry(index, dispatch)?);
            let entries = batch.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
            self.send_batch(entries).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Postpone for Queue {
    async fn postpone(&self, receipt_handle: &str, pause: SignedDuration) -> Result<(), QueueError> {
        let seconds = i32::try_from(pause.as_secs()).map_err(|e| QueueError(e.to_string()))?;
        let request = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(receipt_handle);
        request.visibility_timeout(seconds).send().await.map(drop).map_err(|e| QueueError(e.to_string()))
    }
}

/// The entry of a message, its place within the batch being its id.
fn entry<M: Serialize>(index: usize, message: &M) -> Result<SendMessageBatchRequestEntryBuilder, QueueError> {
    let body = serde_json::to_string(message).map_err(|e| QueueError(e.to_string()))?;
    Ok(SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(body))
}

fn built(entry: SendMessageBatchRequestEntryBuilder) -> Result<SendMessageBatchRequestEntry, QueueError> {
    entry.build().map_err(|e| QueueError(e.to_string()))
}
