//! A job that panics fails alone: its message comes again, its neighbour's line is right, and nothing is written twice.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use company_sync::Jobs;
use integration::PARTNER;
use integration::msp::{Customer, Msp, Setup};
use jiff::SignedDuration;
use local::queue::{Drained, Handle, Message, Queue, drain};
use reqwest::Method;
use serde_json::{Value, json};
use shared::faults::{Hook, Point, Struck};
use shared::queue::batch::{Batch, Postpone, work_off};
use shared::queue::{CompanyJob, QueueError, SendJobs as _};

/// The other partner. It reaches the same PSA with a connection of its own.
const NEIGHBOUR: &str = "seaside";

/// Longer than the term of any lease, and than the settle delay.
const LATER: SignedDuration = SignedDuration::from_mins(17);

/// Panics the first time that its point is passed.
#[derive(Default)]
struct Panics(Mutex<Option<String>>);

impl Panics {
    fn at(&self, point: &str) {
        *self.0.lock().unwrap() = Some(point.to_owned());
    }

    fn is_over(&self) -> bool {
        self.0.lock().unwrap().is_none()
    }
}

impl Hook for Panics {
    fn pass(&self, point: &Point) -> Result<(), Struck> {
        let mut at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if at.as_deref() == Some(point.to_string().as_str()) {
            *at = None;
            drop(at);
            panic!("as the test wants it: {point}");
        }
        Ok(())
    }
}

/// Two partners with a changed account each. Answers with their jobs, the first partner's first.
async fn two_partners(panics: &Arc<Panics>) -> (Msp, [CompanyJob; 2]) {
    let customers = [Customer::named("acme").line("edr", 40), Customer::named("beta").line("edr", 10).unmapped()];
    let msp = Setup::of(customers).faults(panics.clone()).start().await;
    msp.push(&[("acme", "edr", 42)]).await;
    msp.ask("apply").await;

    let body = json!({
        "psa": "autotask", "name": "Seaside", "time_zone": "Europe/Berlin", "credentials": integration::credentials(),
    });
    let connection = call(&msp, Method::POST, "/v1/connections", body).await["id"].as_str().unwrap().to_owned();
    let below = format!("/v1/connections/{connection}");
    let product = json!({"service_id": msp.service("edr").to_string()});
    call(&msp, Method::PUT, &format!("{below}/products/edr"), product).await;
    let company = json!({
        "account_id": msp.account("beta").to_string(), "contract_id": msp.contract("beta").to_string(),
    });
    call(&msp, Method::PUT, &format!("{below}/companies/beta"), company).await;
    let record = json!({"company": "beta", "company_name": "Beta", "product": "edr", "quantity": 13});
    let usage = json!({"as_of": msp.clock.time().to_string(), "complete": true, "records": [record]});
    call(&msp, Method::PUT, "/v1/usage/snapshots/seaside-1", usage).await;
    call(&msp, Method::POST, &format!("{below}/runs"), json!({"mode": "apply"})).await;

    msp.plan().await;
    let [first, second] = Vec::from(msp.jobs()).try_into().expect("one job each");
    assert_eq!((first.partner.as_str(), second.partner.as_str()), (PARTNER, NEIGHBOUR));
    (msp, [first, second])
}

async fn call(msp: &Msp, method: Method, path: &str, body: Value) -> Value {
    let answer = msp.call_as(NEIGHBOUR, method, path, Some(body)).await;
    assert!((200..300).contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
    answer.json
}

/// Nobody reads when a message comes again: the test delivers it when it likes.
struct Patient;

#[async_trait]
impl Postpone for Patient {
    async fn postpone(&self, _: &str, _: SignedDuration) -> Result<(), QueueError> {
        Ok(())
    }
}

/// Delivers messages as SQS does, for the `delivery`th time. Answers with the ids of those that come again.
async fn deliver(msp: &Msp, messages: &[(&str, &CompanyJob)], delivery: u32) -> Value {
    let record = |(id, job): &(&str, &CompanyJob)| {
        json!({
            "messageId": id,
            "receiptHandle": format!("receipt-{id}-{delivery}"),
            "body": json!(job).to_string(),
            "attributes": {
                "ApproximateReceiveCount": delivery.to_string(),
                "SentTimestamp": msp.clock.time().as_millisecond().to_string(),
                "SequenceNumber": "18849496460467696128",
                "MessageGroupId": job.connection,
                "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                "MessageDeduplicationId": job.deduplication_id(),
                "ApproximateFirstReceiveTimestamp": msp.clock.time().as_millisecond().to_string(),
            },
            "messageAttributes": {},
            "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:jobs.fifo",
            "awsRegion": "eu-central-1",
        })
    };
    let event = json!({"Records": messages.iter().map(record).collect::<Vec<_>>()});
    let batch: Batch = serde_json::from_str(&event.to_string()).unwrap();
    json!(work_off(&Jobs(msp.parts.worker.clone()), &Patient, batch).await)
}

fn again(ids: &[&str]) -> Value {
    json!({"batchItemFailures": ids.iter().map(|id| json!({"itemIdentifier": id})).collect::<Vec<_>>()})
}

/// Where a job dies: before and after what it stores, and on both sides of the request to the PSA.
const POINTS: [&str; 7] = [
    "store.transact INTENT+LINE+SENT before",
    "store.transact INTENT+LINE+SENT after",
    "store.update INTENT after",
    "psa.write before",
    "psa.write after",
    "psa.read_back after",
    "store.transact LINES+RUN before",
];

#[tokio::test]
async fn of_a_batch_only_the_message_whose_job_panics_comes_again_and_its_change_is_made_once() {
    for point in POINTS {
        let panics = Arc::new(Panics::default());
        let (msp, [first, second]) = two_partners(&panics).await;
        panics.at(point);
        let failed = deliver(&msp, &[("m1", &first), ("m2", &second)], 1).await;
        assert!(panics.is_over(), "{point} was not passed");
        assert_eq!(failed, again(&["m1"]), "{point}");
        assert_eq!(msp.units("beta", "edr"), 13, "{point}: the neighbour's line");

        msp.clock.advance(LATER);
        assert_eq!(deliver(&msp, &[("m1", &first)], 2).await, again(&[]), "{point}");
        assert_eq!((msp.units("acme", "edr"), msp.units("beta", "edr")), (42, 13), "{point}");
        let changes: Vec<i64> = msp.changes().into_iter().map(|(_, units)| units).collect();
        assert_eq!(changes.iter().filter(|units| **units == 2).count(), 1, "{point}: {changes:?}");
        assert_eq!(changes.len(), 2, "{point}: {changes:?}");
        let applied = msp.states("acme", "edr").await.matches("applied").count();
        assert_eq!(applied, 1, "{point}: one effective write, one applied intent");
        // Both were done: once more changes nothing.
        assert_eq!(deliver(&msp, &[("m1", &first), ("m2", &second)], 3).await, again(&[]), "{point}");
        assert_eq!(msp.changes().len(), 2, "{point}");
    }
}

/// Hands jobs on to the worker, as the program for one machine does.
struct Hands(shared::sync::Worker);

#[async_trait]
impl Handle for Hands {
    async fn handle(&self, message: &Message) -> Result<(), String> {
        let Message::Job(job) = message else { return Err(format!("{message} is no job")) };
        self.0.work(job).await.map(drop).map_err(|error| error.to_string())
    }

    async fn give_up(&self, message: &Message) -> Result<(), String> {
        Err(format!("{message} was given up"))
    }
}

#[tokio::test]
async fn on_one_machine_a_job_that_panics_comes_again_and_its_neighbour_is_done() {
    let panics = Arc::new(Panics::default());
    let (msp, jobs) = two_partners(&panics).await;
    let queue = Queue::new(msp.parts.table.clone(), Arc::new(msp.clock.clone()));
    queue.send(&jobs).await.unwrap();
    let hands: Arc<dyn Handle> = Arc::new(Hands(msp.parts.worker.clone()));
    panics.at("psa.write after");
    assert_eq!(drain(&queue, &hands).await.unwrap(), Drained { done: 1, failed: 1 });
    assert!(panics.is_over());
    assert_eq!(msp.units("beta", "edr"), 13);

    msp.clock.advance(LATER);
    assert_eq!(drain(&queue, &hands).await.unwrap(), Drained { done: 1, failed: 0 });
    assert_eq!((msp.units("acme", "edr"), msp.units("beta", "edr")), (42, 13));
    assert_eq!(msp.changes().len(), 2, "each change once: {:?}", msp.changes());
    assert_eq!(msp.states("acme", "edr").await, "applied");
}
