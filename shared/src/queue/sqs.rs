//! Company jobs over SQS FIFO: the connection is the message group, so its jobs are done one after the other.

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;

use super::{CompanyJob, QueueError, SendJobs};

/// SQS takes at most so many messages in one request.
const MESSAGES_A_BATCH: usize = 10;
/// What a batch did not take is sent again so often.
const ATTEMPTS: usize = 4;

/// A FIFO queue of jobs.
#[derive(Debug, Clone)]
pub struct JobQueue {
    client: Client,
    url: String,
}

impl JobQueue {
    /// The queue at `url`.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
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
impl SendJobs for JobQueue {
    async fn send(&self, jobs: &[CompanyJob]) -> Result<(), QueueError> {
        for batch in jobs.chunks(MESSAGES_A_BATCH) {
            let entries = batch.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
            self.send_batch(entries).await?;
        }
        Ok(())
    }
}

fn entry((index, job): (usize, &CompanyJob)) -> Result<SendMessageBatchRequestEntry, QueueError> {
    let body = serde_json::to_string(job).map_err(|e| QueueError(e.to_string()))?;
    SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(body)
        .message_group_id(job.connection.as_str())
        .message_deduplication_id(job.deduplication_id())
        .build()
        .map_err(|e| QueueError(e.to_string()))
}
