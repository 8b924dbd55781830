//! Batches that AWS takes in part: what was refused is sent again, and nothing else. The clients speak to a server on
//! loopback that notes what it is sent and answers as the test says.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{Response, header};
use serde_json::{Value, json};
use shared::events::event_bridge::Bus;
use shared::events::{Event, Publish as _, RunRef};
use shared::queue::sqs::Queue;
use shared::queue::{CompanyJob, SendJobs as _};

/// Attempts at one batch before it counts as failed.
const ATTEMPTS: usize = 4;

/// A server of AWS's JSON protocols. It ends with the test's runtime.
struct Cloud {
    base: String,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl Cloud {
    /// Answers the nth request (from 0) with what `answer` makes of it and of its body.
    async fn start(answer: impl Fn(usize, &Value) -> Value + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Value>>> = Arc::default();
        let (noted, answer) = (asked.clone(), Arc::new(answer));
        let router = axum::Router::new().fallback(move |request: Request| {
            let (noted, answer) = (noted.clone(), answer.clone());
            async move {
                let body: Value =
                    serde_json::from_slice(&to_bytes(request.into_body(), usize::MAX).await.unwrap()).unwrap();
                let mut noted = noted.lock().unwrap();
                let answer = answer(noted.len(), &body);
                noted.push(body);
                let response = Response::builder().header(header::CONTENT_TYPE, "application/x-amz-json-1.0");
                response.body(Body::from(answer.to_string())).unwrap()
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, asked }
    }

    fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().clone()
    }

    fn queue(&self) -> Queue {
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(behaviour())
            .region(Region::from_static("eu-central-1"))
            .credentials_provider(credentials())
            .endpoint_url(&self.base)
            .build();
        Queue::new(aws_sdk_sqs::Client::from_conf(config), format!("{}/jobs.fifo", self.base))
    }

    fn bus(&self) -> Bus {
        let config = aws_sdk_eventbridge::Config::builder()
            .behavior_version(behaviour())
            .region(Region::from_static("eu-central-1"))
            .credentials_provider(credentials())
            .endpoint_url(&self.base)
            .build();
        Bus::new(aws_sdk_eventbridge::Client::from_conf(config), "tallyline")
    }
}

/// Reads no proxy from the environment, which must not get between a test and loopback.
#[expect(deprecated, reason = "the last behaviour version that reads no proxy from the environment")]
fn behaviour() -> BehaviorVersion {
    BehaviorVersion::v2025_01_17()
}

fn credentials() -> Credentials {
    Credentials::new("test", "test", None, None, "test")
}

fn job(number: usize) -> CompanyJob {
    CompanyJob {
        partner: "nordwind".parse().unwrap(),
        connection: "c1".parse().unwrap(),
        run: "r1".parse().unwrap(),
        page: format!("{number}.page"),
    }
}

fn event(number: usize) -> Event {
    let run = format!("r{number}").parse().unwrap();
    Event::SyncRequested(RunRef { partner: "nordwind".parse().unwrap(), connection: "c1".parse().unwrap(), run })
}

/// SQS's answer to a batch of which the messages with ids in `refused` are not taken.
fn sqs(body: &Value, refused: &[&str]) -> Value {
    let (mut taken, mut failed) = (Vec::new(), Vec::new());
    for entry in body["Entries"].as_array().unwrap() {
        let id = entry["Id"].as_str().unwrap();
        if refused.contains(&id) {
            failed.push(json!({"Id": id, "SenderFault": false, "Code": "InternalError"}));
        } else {
            taken.push(json!({"Id": id, "MessageId": id, "MD5OfMessageBody": "0"}));
        }
    }
    json!({"Successful": taken, "Failed": failed})
}

/// EventBridge's answer to a batch of which the events at `refused` places are not taken.
fn event_bridge(body: &Value, refused: &[usize]) -> Value {
    let entries = body["Entries"].as_array().unwrap();
    let result = |place: usize| {
        if refused.contains(&place) { json!({"ErrorCode": "ThrottlingException"}) } else { json!({"EventId": "e"}) }
    };
    let results: Vec<Value> = (0..entries.len()).map(result).collect();
    json!({"FailedEntryCount": refused.len(), "Entries": results})
}

/// The pages that a request to SQS names, in its order.
fn pages(body: &Value) -> Vec<String> {
    let page = |entry: &Value| {
        let job: CompanyJob = serde_json::from_str(entry["MessageBody"].as_str().unwrap()).unwrap();
        assert_eq!(entry["MessageDeduplicationId"], job.deduplication_id());
        assert_eq!(entry["MessageGroupId"], job.connection.as_str());
        job.page
    };
    body["Entries"].as_array().unwrap().iter().map(page).collect()
}

/// The runs that a request to EventBridge names, in its order.
fn runs(body: &Value) -> Vec<String> {
    let run = |entry: &Value| {
        assert_eq!((&entry["Source"], &entry["DetailType"]), (&json!("tallyline"), &json!("SyncRequested")));
        let run: RunRef = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
        run.run.to_string()
    };
    body["Entries"].as_array().unwrap().iter().map(run).collect()
}

fn names(numbers: impl IntoIterator<Item = usize>, name: impl Fn(usize) -> String) -> Vec<String> {
    numbers.into_iter().map(name).collect()
}

#[tokio::test]
async fn messages_that_a_batch_did_not_take_are_sent_again_and_no_others() {
    let cloud = Cloud::start(|nth, body| sqs(body, if nth == 0 { &["1", "4"] } else { &[] })).await;
    let jobs: Vec<CompanyJob> = (0..6).map(job).collect();
    cloud.queue().send(&jobs).await.unwrap();
    let asked: Vec<Vec<String>> = cloud.asked().iter().map(pages).collect();
    let page = |number| format!("{number}.page");
    assert_eq!(asked, [names(0..6, page), names([1, 4], page)]);
}

#[tokio::test]
async fn a_batch_that_is_never_taken_whole_fails_after_a_few_attempts() {
    let cloud = Cloud::start(|_, body| sqs(body, &["1"])).await;
    let jobs: Vec<CompanyJob> = (0..3).map(job).collect();
    let error = cloud.queue().send(&jobs).await.unwrap_err();
    assert_eq!(error.to_string(), "the queue is unavailable: 1 of a batch's messages were not taken");
    let asked: Vec<Vec<String>> = cloud.asked().iter().map(pages).collect();
    assert_eq!(asked.len(), ATTEMPTS);
    assert!(asked[1..].iter().all(|again| again == &["1.page"]), "{asked:?}");
}

#[tokio::test]
async fn more_messages_than_one_batch_holds_go_in_several_and_each_is_made_good_by_itself() {
    let cloud = Cloud::start(|nth, body| sqs(body, if nth == 0 { &["9"] } else { &[] })).await;
    let jobs: Vec<CompanyJob> = (0..23).map(job).collect();
    cloud.queue().send(&jobs).await.unwrap();
    let asked: Vec<Vec<String>> = cloud.asked().iter().map(pages).collect();
    let page = |number| format!("{number}.page");
    assert_eq!(asked, [names(0..10, page), names([9], page), names(10..20, page), names(20..23, page)]);
}

#[tokio::test]
async fn events_that_a_batch_did_not_take_are_published_again_and_no_others() {
    let cloud = Cloud::start(|nth, body| event_bridge(body, if nth == 0 { &[1, 4] } else { &[] })).await;
    let events: Vec<Event> = (0..6).map(event).collect();
    cloud.bus().publish(&events).await.unwrap();
    let asked: Vec<Vec<String>> = cloud.asked().iter().map(runs).collect();
    let run = |number| format!("r{number}");
    assert_eq!(asked, [names(0..6, run), names([1, 4], run)]);
}

#[tokio::test]
async fn events_that_are_never_taken_fail_after_a_few_attempts() {
    let cloud = Cloud::start(|nth, body| event_bridge(body, if nth == 0 { &[0, 2] } else { &[0] })).await;
    let events: Vec<Event> = (0..3).map(event).collect();
    let error = cloud.bus().publish(&events).await.unwrap_err();
    assert_eq!(error.to_string(), "the event bus is unavailable: 1 of a batch's events were not taken");
    let asked: Vec<Vec<String>> = cloud.asked().iter().map(runs).collect();
    assert_eq!(asked, [vec!["r0", "r1", "r2"], vec!["r0", "r2"], vec!["r0"], vec!["r0"]]);
    assert_eq!(asked.len(), ATTEMPTS);
}
