//! The samples in `events/`: each is taken by the function it is for, framed as it is deployed, and leads to something.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::to_bytes;
use company_sync::Jobs;
use fan_out::{Handled, Invoked, Request};
use integration::msp::{Customer, Msp, Setup};
use integration::registry::sources;
use integration::{PARTNER, credentials};
use jiff::SignedDuration;
use lambda_http::request;
use notify::Notify;
use reqwest::Method;
use serde_json::{Value, json};
use shared::aws::behind_gateway;
use shared::desk::Desk;
use shared::domain::ids::{ConnectionId, PartnerId};
use shared::events::{Event, EventKind, Notice};
use shared::http::Outward;
use shared::pulling::{Puller, PullerParts};
use shared::queue::batch::{Batch, Postpone, work_off};
use shared::queue::{AlertMessage, CompanyJob, PullMessage, QueueError};
use shared::secrets::{SecretName, WriteSecrets as _};
use shared::sources::Filters;
use shared::store::Read;
use shared::store::connections::Connections;
use shared::store::journal::By;
use shared::store::runs::{Mode, Run, RunState, Runs, Trigger};
use shared::store::sources::{Setting, UsageSource};
use shared::store::webhooks::Webhooks;
use shared::sync::NewRun;
use shared::webhooks::{Dispatch, SendDispatches, Sender};
use tower::ServiceExt as _;

/// The samples, by function and kind.
const SAMPLES: [(&str, &str); 21] = [
    ("alerts", "http"),
    ("bus", "credentials-rejected"),
    ("bus", "digest"),
    ("bus", "finding-opened"),
    ("bus", "run-failed"),
    ("bus", "run-partial"),
    ("bus", "run-succeeded"),
    ("bus", "usage-stale"),
    ("company-sync", "sqs-fifo"),
    ("connections", "http"),
    ("fan-out", "invoke"),
    ("fan-out", "sqs"),
    ("fan-out", "sync-requested"),
    ("fan-out", "tick"),
    ("mappings", "http"),
    ("notify", "sqs"),
    ("runs", "http"),
    ("source-pull", "sqs-fifo"),
    ("tickets", "sqs-fifo"),
    ("usage", "http"),
    ("webhooks", "http"),
];

fn sample(function: &str, kind: &str) -> String {
    let path = format!("{}/../../events/{function}/{kind}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn parsed<T: serde::de::DeserializeOwned>(function: &str, kind: &str) -> T {
    serde_json::from_str(&sample(function, kind)).unwrap()
}

/// Whom the samples speak of.
fn named() -> (PartnerId, ConnectionId) {
    let invocation: Value = parsed("fan-out", "invoke");
    let id = |name: &str| invocation[name].as_str().unwrap().to_owned();
    (id("partner_id").parse().unwrap(), id("connection_id").parse().unwrap())
}

/// An MSP in whose store the partner and the connection of the samples are, to the same PSA.
async fn seeded() -> Msp {
    let msp = Setup::of([Customer::named("acme").line("edr", 40)]).start().await;
    let connections = Connections::new(msp.parts.table.clone());
    let (partner, connection) = named();
    let own = (PARTNER.parse().unwrap(), msp.connection.parse().unwrap());
    let mut copy = connections.get(&own.0, &own.1, Read::Consistent).await.unwrap().unwrap();
    (copy.partner, copy.id) = (partner.clone(), connection.clone());
    assert!(connections.create(&copy, &By::system(copy.created_at)).await.unwrap());
    let mut secret = credentials();
    secret["psa"] = "autotask".into();
    msp.parts.secrets.put(&SecretName::of(&partner, &connection), &secret.to_string().into()).await.unwrap();
    msp
}

/// What the function answers to its HTTP sample, as it is deployed.
async fn answer(msp: &Msp, function: &str) -> (u16, Value) {
    let event = sample(function, "http");
    let request = request::from_str(&event).expect("an HTTP API event");
    assert_eq!(request.uri().path(), json_of(&event)["rawPath"].as_str().unwrap());
    let router = behind_gateway(msp.parts.routers[function].clone());
    let response = router.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 1_000_000).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn every_sample_is_used_here_and_every_function_has_one() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events");
    let mut found = Vec::new();
    for folder in std::fs::read_dir(root).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir()) {
        for file in std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
            let name = |path: std::ffi::OsString| path.into_string().unwrap();
            found.push((name(folder.file_name()), name(file.file_name()).replace(".json", "")));
        }
    }
    found.sort_unstable();
    let expected = SAMPLES.map(|(function, kind)| (function.to_owned(), kind.to_owned()));
    assert_eq!(found, expected);
    let readme = std::fs::read_to_string(format!("{root}/README.md")).unwrap();
    for (function, kind) in SAMPLES {
        assert!(readme.contains(&format!("{function}/{kind}.json")), "{function}/{kind} is not in the README");
    }
}

#[tokio::test]
async fn the_http_samples_are_answered_with_what_they_ask_for() {
    let msp = seeded().await;
    let (status, connection) = answer(&msp, "connections").await;
    assert_eq!((status, &connection["status"]), (201, &json!("active")), "{connection}");
    let (status, mapping) = answer(&msp, "mappings").await;
    assert_eq!((status, &mapping["service_id"]), (201, &json!("501")), "{mapping}");
    let (status, snapshot) = answer(&msp, "usage").await;
    assert_eq!((status, &snapshot["complete"]), (201, &json!(true)), "{snapshot}");
    let (status, run) = answer(&msp, "runs").await;
    assert_eq!(status, 202, "{run}");
    let (status, alert) = answer(&msp, "alerts").await;
    assert_eq!((status, &alert["status"]), (202, &json!("queued")), "{alert}");
    let (status, webhook) = answer(&msp, "webhooks").await;
    assert_eq!((status, webhook["secret"].is_string()), (201, true), "{webhook}");
    let of_partner = |path: String| {
        let msp = &msp;
        async move { msp.call_as("msp-1", Method::GET, &path, None).await }
    };
    let seen = of_partner(format!("/v1/runs/{}", run["run_id"].as_str().unwrap())).await;
    assert_eq!((seen.status, &seen.json["mode"]), (200, &json!("preview")), "{}", seen.text);
    // Nothing came into another partner's sight.
    assert_eq!(msp.call(Method::GET, &format!("/v1/runs/{}", run["run_id"].as_str().unwrap()), None).await.status, 404);
}

#[tokio::test]
async fn an_http_sample_without_the_gateways_claims_is_turned_away() {
    let msp = seeded().await;
    for function in ["connections", "mappings", "usage", "runs", "alerts", "webhooks"] {
        let mut event = json_of(&sample(function, "http"));
        event["requestContext"].as_object_mut().unwrap().remove("authorizer");
        let request = request::from_str(&event.to_string()).unwrap();
        let response = behind_gateway(msp.parts.routers[function].clone()).oneshot(request).await.unwrap();
        assert_eq!(response.status().as_u16(), 401, "{function}");
    }
}

/// The run that the samples name, as it waits for its planning.
async fn queued(msp: &Msp) -> Run {
    let event: Value = parsed("fan-out", "sync-requested");
    let (partner, connection) = named();
    let connections = Connections::new(msp.parts.table.clone());
    let connection = connections.get(&partner, &connection, Read::Consistent).await.unwrap().unwrap();
    let new = NewRun {
        mode: Mode::Apply,
        trigger: Trigger::Manual,
        actor: "sample".into(),
        companies: Vec::new(),
        approved: Vec::new(),
        approved_charges: Vec::new(),
        approves: None,
        reverses: None,
    };
    let id = event["detail"]["run"].as_str().unwrap().parse().unwrap();
    let run = new.queued(id, &connection, msp.clock.time());
    assert!(Runs::new(msp.parts.table.clone()).create(&run).await.unwrap());
    run
}

async fn state(msp: &Msp, run: &Run) -> RunState {
    Runs::new(msp.parts.table.clone()).get(&run.partner, &run.id).await.unwrap().unwrap().state
}

#[tokio::test]
async fn the_samples_of_the_fan_out_tick_and_plan() {
    let msp = seeded().await;
    let handle = async |kind: &str| match parsed::<Invoked>("fan-out", kind) {
        Invoked::Request(request) => msp.parts.fan_out.handle(request).await.unwrap(),
        Invoked::Messages(_) => panic!("{kind} is one request"),
    };
    let Handled::Ticked(ticked) = handle("tick").await else { panic!("no tick") };
    assert_eq!(ticked.started, 0, "nothing is due at this hour");
    let run = queued(&msp).await;
    assert_eq!(handle("sync-requested").await, Handled::Planned { run_id: run.id.to_string() });
    assert_eq!(state(&msp, &run).await, RunState::Succeeded);
    let Handled::Queued { run_id } = handle("invoke").await else { panic!("not queued") };
    assert_ne!(run_id, run.id.as_str(), "a run of its own");
}

/// Nobody reads when a message comes again.
struct Patient;

#[async_trait]
impl Postpone for Patient {
    async fn postpone(&self, _: &str, _: SignedDuration) -> Result<(), QueueError> {
        Ok(())
    }
}

#[tokio::test]
async fn the_sample_of_the_planning_queue_plans_its_run() {
    let msp = seeded().await;
    let run = queued(&msp).await;
    let Invoked::Messages(batch) = parsed("fan-out", "sqs") else { panic!("messages") };
    let asked: Request = serde_json::from_str(&batch.records[0].body).unwrap();
    assert_eq!(asked, parsed("fan-out", "sync-requested"), "the queue carries the bus's event as it is");
    let failures = work_off(&msp.parts.fan_out, &Patient, batch).await;
    assert_eq!(json!(failures), json!({"batchItemFailures": []}));
    assert_eq!(state(&msp, &run).await, RunState::Succeeded);
}

#[tokio::test]
async fn the_sample_of_a_company_job_is_worked_off() {
    let msp = seeded().await;
    // A job as planning makes it, put under the names of the sample.
    msp.push(&[("acme", "edr", 42)]).await;
    msp.ask("apply").await;
    msp.plan().await;
    let planned: CompanyJob = msp.jobs().pop_front().unwrap();
    let runs = Runs::new(msp.parts.table.clone());
    let page = runs.job(&planned).await.unwrap().page.unwrap();
    let run = queued(&msp).await;
    let batch: Batch = parsed("company-sync", "sqs-fifo");
    let job: CompanyJob = serde_json::from_str(&batch.records[0].body).unwrap();
    assert_eq!((&job.partner, &job.connection, &job.run), (&run.partner, &run.connection, &run.id));
    runs.put_jobs(&run, &[(job.page.clone(), page)]).await.unwrap();

    let failures = work_off(&Jobs(msp.parts.worker.clone()), &Patient, batch).await;
    assert_eq!(json!(failures), json!({"batchItemFailures": []}));
    assert_eq!(msp.units("acme", "edr"), 42);
    assert!(runs.job(&job).await.unwrap().page.unwrap().done);
}

#[tokio::test]
async fn the_sample_of_the_queue_of_alerts_is_what_the_sample_of_an_alert_sends_and_is_worked_off() {
    let msp = seeded().await;
    let (status, _) = answer(&msp, "alerts").await;
    assert_eq!(status, 202);
    let batch: Batch = parsed("tickets", "sqs-fifo");
    let message: AlertMessage = serde_json::from_str(&batch.records[0].body).unwrap();
    assert_eq!(Vec::from(msp.parts.wire.take_alerts()), [message]);
    let failures = work_off(&Desk::new(msp.parts.desk_parts.clone()), &Patient, batch).await;
    assert_eq!(json!(failures), json!({"batchItemFailures": []}));
    let alert = msp.call_as("msp-1", Method::GET, "/v1/alerts/edr-0f2c%2Fhost-17", None).await;
    assert_eq!((&alert.json["status"], &alert.json["code"]), (&json!("waiting"), &json!("tickets_not_mapped")));
}

#[tokio::test]
async fn the_sample_of_the_queue_of_pulls_is_worked_off() {
    let msp = seeded().await;
    let batch: Batch = parsed("source-pull", "sqs-fifo");
    let message: PullMessage = serde_json::from_str(&batch.records[0].body).unwrap();
    let clock = Arc::new(msp.clock.clone());
    let (secrets, queue) = (msp.parts.secrets.clone(), msp.parts.wire.clone());
    let parts = PullerParts::new(&msp.parts.table, sources(&[], &msp.clock), secrets, queue, clock);
    let setting = Setting {
        products: [("agents".into(), "edr".parse().unwrap())].into(),
        filters: Filters::default(),
        schedule: None,
        time_zone: "UTC".to_owned(),
    };
    let source = UsageSource::new(message.partner.clone(), message.vendor, setting, message.pull);
    assert!(parts.sources.create(&source).await.unwrap());

    let failures = work_off(&Puller::new(parts.clone()), &Patient, batch).await;
    assert_eq!(json!(failures), json!({"batchItemFailures": []}));
    let source = parts.sources.get(&message.partner, message.vendor, Read::Consistent).await.unwrap().unwrap();
    let last = source.last.unwrap();
    // Whoever uses the sample puts credentials there first.
    assert_eq!((last.pull, last.tally.fault.unwrap().code.as_str()), (message.pull, "source_credentials_missing"));
}

#[test]
fn the_samples_of_the_bus_are_events_as_they_are_published_and_every_kind_has_one() {
    let mut kinds = Vec::new();
    for (_, kind) in SAMPLES.into_iter().filter(|(folder, _)| *folder == "bus") {
        let notice: Notice = parsed("bus", kind);
        let event: Event = parsed("bus", kind);
        assert_eq!(
            event.detail().unwrap(),
            notice.detail,
            "{kind}: a field that nobody publishes, or one that is missing"
        );
        assert_eq!((event.kind(), event.partner()), (notice.kind.as_str(), &notice.partner().unwrap()));
        kinds.push(notice.kind);
    }
    let mut all: Vec<&str> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    kinds.sort_unstable();
    all.sort_unstable();
    assert_eq!(kinds, all);
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/events.md")).unwrap();
    for kind in all {
        assert!(docs.contains(&format!("`{kind}`")), "{kind} is not in docs/events.md");
    }
}

/// Nobody is sent anything on.
struct Nobody;

#[async_trait]
impl SendDispatches for Nobody {
    async fn send_on(&self, dispatches: &[Dispatch]) -> Result<(), QueueError> {
        panic!("nobody asked for {dispatches:?}")
    }
}

#[tokio::test]
async fn the_sample_of_the_queue_of_notices_is_worked_off() {
    let msp = seeded().await;
    let clock = Arc::new(msp.clock.clone());
    let notify = Notify {
        webhooks: Webhooks::new(msp.parts.table.clone()),
        sender: Sender::new(Outward::new().unwrap(), msp.parts.secrets.clone(), clock.clone()),
        onward: Arc::new(Nobody),
        clock,
    };
    let failures = work_off(&notify, &Patient, parsed("notify", "sqs")).await;
    assert_eq!(json!(failures), json!({"batchItemFailures": []}));
}
