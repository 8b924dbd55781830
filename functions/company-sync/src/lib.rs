//! Event: company jobs from the queue, one PSA account each.
//!
//! What a job does stands in `shared::sync`. Here a batch of messages is taken apart, so that one that fails is delivered
//! again and its neighbours are not. Within a connection the queue keeps its order: once one of its messages has failed, the
//! later ones are handed back untouched.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use shared::queue::CompanyJob;
use shared::sync::Worker;

/// A batch as SQS delivers it; what is not read here is left out.
#[derive(Debug, Clone, Deserialize)]
pub struct Batch {
    /// The messages.
    #[serde(rename = "Records")]
    pub records: Vec<Message>,
}

/// One message.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// SQS's name for it.
    pub message_id: String,
    /// A [`CompanyJob`] as JSON.
    pub body: String,
}

/// The messages to deliver again, in the form that SQS reads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failures {
    /// One entry a message.
    pub batch_item_failures: Vec<Failure>,
}

/// A message to deliver again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The message's id.
    pub item_identifier: String,
}

/// Works a batch off, one message after the other.
pub async fn work_off(worker: &Worker, batch: Batch) -> Failures {
    let mut failures = Failures::default();
    let mut blocked = BTreeSet::new();
    for message in batch.records {
        let fail = Failure { item_identifier: message.message_id };
        let job: CompanyJob = match serde_json::from_str(&message.body) {
            Ok(job) => job,
            Err(error) => {
                // It will never be readable: after its deliveries it lies in the dead-letter queue for a person.
                tracing::error!(%error, message = %fail.item_identifier, "a message is no company job");
                failures.batch_item_failures.push(fail);
                continue;
            }
        };
        if blocked.contains(&job.connection) {
            failures.batch_item_failures.push(fail);
            continue;
        }
        // In a task of its own, a job that panics fails alone.
        let (worker, connection) = (worker.clone(), job.connection.clone());
        let worked = tokio::spawn(async move { worker.work(&job).await }).await;
        let error = match worked {
            Ok(Ok(_)) => continue,
            Ok(Err(error)) => error.to_string(),
            Err(panicked) => panicked.to_string(),
        };
        tracing::warn!(%error, %connection, "a company job failed and will be delivered again");
        blocked.insert(connection);
        failures.batch_item_failures.push(fail);
    }
    failures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_batch_is_understood() {
        let batch: Batch = serde_json::from_str(include_str!("../../../events/company-sync/sqs-fifo.json")).unwrap();
        let job: CompanyJob = serde_json::from_str(&batch.records[0].body).unwrap();
        assert_eq!(job.page, "29683456.9f86d081884c");
    }

    #[test]
    fn failures_are_named_as_sqs_reads_them() {
        let failures = Failures { batch_item_failures: vec![Failure { item_identifier: "m1".into() }] };
        assert_eq!(serde_json::json!(failures).to_string(), r#"{"batchItemFailures":[{"itemIdentifier":"m1"}]}"#);
    }
}
