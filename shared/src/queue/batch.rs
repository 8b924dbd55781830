//! A batch of messages as SQS hands it to a function, worked off so that each message succeeds or fails alone.
//!
//! A message that fails is delivered again after a pause that grows, one that was delivered too often is given up and goes to
//! the dead letters for a person. What a message asks for is the function's own.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tracing::Instrument as _;

use super::{MOST_DELIVERIES, QueueError, pause_after};

/// A batch; what is not read here is left out.
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
    /// Names this delivery of it.
    #[serde(default)]
    pub receipt_handle: String,
    /// What it asks for, as JSON.
    pub body: String,
    /// What SQS knows of it.
    #[serde(default)]
    pub attributes: Attributes,
}

/// What SQS knows of a message, as text; what is not read here is left out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Attributes {
    /// When it was sent, in milliseconds since 1970.
    pub sent_timestamp: Option<String>,
    /// How often it was delivered, this time included.
    pub approximate_receive_count: Option<String>,
}

impl Batch {
    /// Seconds for which the oldest message had waited at `now`; `None` where SQS does not say.
    #[must_use]
    pub fn age_s(&self, now: Timestamp) -> Option<u64> {
        let sent = |message: &Message| message.attributes.sent_timestamp.as_ref()?.parse::<i64>().ok();
        let oldest = self.records.iter().filter_map(sent).min()?;
        u64::try_from(now.as_millisecond().saturating_sub(oldest) / 1_000).ok()
    }
}

impl Message {
    fn deliveries(&self) -> u32 {
        self.attributes.approximate_receive_count.as_ref().and_then(|count| count.parse().ok()).unwrap_or(1)
    }
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

/// Why a message was not done.
#[derive(Debug, thiserror::Error)]
#[error("{kind}: {what}")]
pub struct Failed {
    /// In one word that alarms can tell apart.
    pub kind: &'static str,
    /// In a sentence.
    pub what: String,
}

/// Does what messages ask for. It may be asked twice for the same.
#[async_trait]
pub trait Work: Clone + Send + Sync + 'static {
    /// What a message's body says. One that says something else is nobody's.
    type Task: serde::de::DeserializeOwned + Send + Sync + 'static;

    /// A message is given up after so many deliveries. Its queue must not take it away before.
    const MOST_DELIVERIES: u32 = MOST_DELIVERIES;

    /// Messages of one lane keep their order: behind one that failed, the others wait.
    fn lane(task: &Self::Task) -> String;

    /// The ids that every line of the log within it bears.
    fn span(task: &Self::Task) -> tracing::Span;

    /// Does it, or says why it must be tried again.
    async fn work(&self, task: &Self::Task) -> Result<(), Failed>;

    /// Ends what waits for a message that was delivered too often.
    async fn give_up(&self, task: &Self::Task) -> Result<(), Failed>;

    /// How long a task waits after its `deliveries`th delivery failed: as every other, where its worker has no reason for
    /// another measure.
    fn pause_after(_: &Self::Task, deliveries: u32) -> SignedDuration {
        pause_after(deliveries)
    }
}

/// Decides when a message that failed is delivered again, and nothing else.
#[async_trait]
pub trait Postpone: Send + Sync {
    /// The message of this delivery comes again after `pause`. Without it, it comes when its visibility time-out is over.
    async fn postpone(&self, receipt_handle: &str, pause: SignedDuration) -> Result<(), QueueError>;
}

/// Works a batch off, one message after the other.
pub async fn work_off<W: Work>(worker: &W, queue: &dyn Postpone, batch: Batch) -> Failures {
    let mut failures = Failures::default();
    let mut blocked = BTreeSet::new();
    for message in batch.records {
        let pause = match serde_json::from_str::<W::Task>(&message.body) {
            Ok(task) if blocked.contains(&W::lane(&task)) => Some(pause_after(1)),
            Ok(task) => {
                let lane = W::lane(&task);
                let pause = deliver(worker, task, message.deliveries()).await;
                if pause.is_some() {
                    blocked.insert(lane);
                }
                pause
            }
            Err(error) => {
                // Where functions are being replaced, a newer one may understand it; otherwise it ends in the dead letters.
                tracing::error!(%error, message = %message.message_id, "a message asks for nothing that is known");
                Some(pause_after(message.deliveries()))
            }
        };
        if let Some(pause) = pause {
            if let Err(error) = queue.postpone(&message.receipt_handle, pause).await {
                tracing::warn!(%error, "a failed message comes again only when its visibility time-out is over");
            }
            failures.batch_item_failures.push(Failure { item_identifier: message.message_id });
        }
    }
    failures
}

/// One delivery. How long to wait for the next; `None`: it is done.
async fn deliver<W: Work>(worker: &W, task: W::Task, deliveries: u32) -> Option<SignedDuration> {
    let span = W::span(&task);
    if deliveries > W::MOST_DELIVERIES {
        let given_up = worker.give_up(&task).instrument(span.clone()).await;
        span.in_scope(|| match given_up {
            Ok(()) => tracing::error!("given up after {} deliveries", W::MOST_DELIVERIES),
            Err(error) => tracing::error!(%error, "what waits for a message that was given up can't be ended"),
        });
        return Some(SignedDuration::ZERO);
    }
    // In a task of its own, one that panics fails alone.
    let (own, pause) = (worker.clone(), W::pause_after(&task, deliveries));
    let worked = tokio::spawn(async move { own.work(&task).await }.instrument(span.clone())).await;
    let Failed { kind, what } = match worked {
        Ok(Ok(())) => return None,
        Ok(Err(failed)) => failed,
        Err(panicked) => Failed { kind: "Panic", what: panicked.to_string() },
    };
    span.in_scope(|| {
        tracing::warn!(kind, error = what, pause_s = pause.as_secs(), "failed; it will be delivered again")
    });
    Some(pause)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Tasks say themselves how they end.
    #[derive(Clone, Default)]
    struct Told(Arc<Mutex<Vec<String>>>);

    #[derive(Deserialize)]
    struct Order {
        lane: String,
        end: String,
    }

    #[async_trait]
    impl Work for Told {
        type Task = Order;

        fn lane(task: &Order) -> String {
            task.lane.clone()
        }

        fn span(task: &Order) -> tracing::Span {
            tracing::info_span!("order", lane = task.lane)
        }

        async fn work(&self, task: &Order) -> Result<(), Failed> {
            self.0.lock().unwrap().push(format!("{} {}", task.lane, task.end));
            match task.end.as_str() {
                "well" => Ok(()),
                "panic" => panic!("as it was told"),
                _ => Err(Failed { kind: "Store", what: "away".into() }),
            }
        }

        async fn give_up(&self, task: &Order) -> Result<(), Failed> {
            self.0.lock().unwrap().push(format!("{} given up", task.lane));
            Ok(())
        }
    }

    #[async_trait]
    impl Postpone for Told {
        async fn postpone(&self, receipt_handle: &str, pause: SignedDuration) -> Result<(), QueueError> {
            self.0.lock().unwrap().push(format!("{receipt_handle} after {} s", pause.as_secs()));
            Ok(())
        }
    }

    fn message(id: &str, body: &str, deliveries: u32) -> Message {
        let attributes =
            Attributes { approximate_receive_count: Some(deliveries.to_string()), ..Attributes::default() };
        Message { message_id: id.into(), receipt_handle: format!("receipt-{id}"), body: body.into(), attributes }
    }

    async fn played(records: Vec<Message>) -> (Vec<String>, Vec<String>) {
        let told = Told::default();
        let failures = work_off(&told, &told, Batch { records }).await.batch_item_failures;
        let seen = told.0.lock().unwrap().clone();
        (failures.into_iter().map(|failure| failure.item_identifier).collect(), seen)
    }

    #[tokio::test]
    async fn a_message_that_panics_or_fails_holds_back_its_own_lane_and_no_other() {
        let (failed, seen) = played(vec![
            message("1", r#"{"lane":"a","end":"panic"}"#, 1),
            message("2", r#"{"lane":"b","end":"well"}"#, 1),
            message("3", r#"{"lane":"a","end":"well"}"#, 1),
            message("4", r#"{"lane":"c","end":"fail"}"#, 3),
        ])
        .await;
        assert_eq!(failed, ["1", "3", "4"]);
        assert_eq!(
            seen,
            ["a panic", "receipt-1 after 5 s", "b well", "receipt-3 after 5 s", "c fail", "receipt-4 after 20 s"]
        );
    }

    #[tokio::test]
    async fn what_was_delivered_too_often_is_given_up_and_goes_to_the_dead_letters() {
        let (failed, seen) = played(vec![message("1", r#"{"lane":"a","end":"well"}"#, MOST_DELIVERIES + 1)]).await;
        assert_eq!(failed, ["1"]);
        assert_eq!(seen, ["a given up", "receipt-1 after 0 s"]);
    }

    /// As [`Told`], with more patience.
    #[derive(Clone, Default)]
    struct Patient(Told);

    #[async_trait]
    impl Work for Patient {
        type Task = Order;

        const MOST_DELIVERIES: u32 = 100;

        fn lane(task: &Order) -> String {
            Told::lane(task)
        }

        fn span(task: &Order) -> tracing::Span {
            Told::span(task)
        }

        async fn work(&self, task: &Order) -> Result<(), Failed> {
            self.0.work(task).await
        }

        async fn give_up(&self, task: &Order) -> Result<(), Failed> {
            self.0.give_up(task).await
        }
    }

    #[tokio::test]
    async fn a_worker_says_itself_how_many_deliveries_are_too_many() {
        let patient = Patient::default();
        for (delivery, told) in [(100, "a well"), (101, "a given up")] {
            let records = vec![message("1", r#"{"lane":"a","end":"well"}"#, delivery)];
            work_off(&patient, &patient.0, Batch { records }).await;
            let seen = std::mem::take(&mut *patient.0.0.lock().unwrap());
            assert_eq!(seen[0], told);
        }
    }

    #[tokio::test]
    async fn what_nobody_understands_fails_and_holds_back_nothing() {
        let (failed, seen) =
            played(vec![message("1", "no task", 1), message("2", r#"{"lane":"a","end":"well"}"#, 1)]).await;
        assert_eq!(failed, ["1"]);
        assert_eq!(seen, ["receipt-1 after 5 s", "a well"]);
    }

    #[test]
    fn failures_are_named_as_sqs_reads_them() {
        let failures = Failures { batch_item_failures: vec![Failure { item_identifier: "m1".into() }] };
        assert_eq!(serde_json::json!(failures).to_string(), r#"{"batchItemFailures":[{"itemIdentifier":"m1"}]}"#);
    }
}
