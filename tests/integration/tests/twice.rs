//! Whatever is done twice is done once: the second time no row of the store changes, and the PSA is not asked again.

use std::collections::BTreeMap;

use fan_out::Request;
use integration::msp::{Customer, Fixture, Msp, On, Written};
use integration::{Answer, PARTNER, on_every_psa};
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;
use shared::events::RunRef;
use shared::queue::CompanyJob;
use shared::sync::{Done, SyncError};

/// Everything that a second time could change: every row of the store but none left out, what the PSA was asked and took,
/// and what was told to whoever listens.
#[derive(Debug, PartialEq)]
struct State {
    rows: BTreeMap<String, Value>,
    psa_requests: usize,
    written: Vec<Written>,
    notices: Vec<String>,
}

on_every_psa!(
    a_tick,
    a_sync_request,
    a_job,
    a_job_that_two_workers_have_at_once,
    an_approval_under_one_idempotency_key,
    a_snapshot
);

async fn state<P: Fixture>(msp: &Msp<P>) -> State {
    State {
        rows: msp.parts.rows().await,
        psa_requests: msp.psa.requests(),
        written: msp.psa.written(),
        notices: msp.parts.wire.notices(),
    }
}

/// Says which rows differ, and not all that are the same.
fn assert_same(before: &State, after: &State) {
    for (key, row) in &after.rows {
        assert_eq!(before.rows.get(key), Some(row), "{key}");
    }
    assert_eq!(before, after);
}

async fn msp<P: Fixture>(on: On<P>) -> Msp<P> {
    let acme = Customer::named("acme").line("edr", 40).line("m365", 10);
    let msp = on.of([acme, Customer::named("beta").line("edr", 100)]).start().await;
    msp.push(&[("acme", "edr", 42), ("acme", "m365", 10), ("beta", "edr", 20)]).await;
    msp
}

fn run_ref(job: &CompanyJob) -> RunRef {
    RunRef { partner: job.partner.clone(), connection: job.connection.clone(), run: job.run.clone() }
}

/// A run whose one job waits.
async fn planned<P: Fixture>(msp: &Msp<P>) -> CompanyJob {
    msp.ask("apply").await;
    msp.plan().await;
    let mut jobs = msp.jobs();
    assert_eq!(jobs.len(), 1);
    jobs.pop_front().unwrap()
}

async fn a_tick<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    msp.clock.set("2026-11-22T01:00:00Z");
    assert_eq!(msp.parts.fan_out.tick().await.unwrap().started, 1);
    let once = state(&msp).await;
    let again = msp.parts.fan_out.tick().await.unwrap();
    assert_eq!(again.started, 0);
    assert_same(&once, &state(&msp).await);
    assert_eq!(msp.parts.wire.asked_for(), 1);
    msp.drain().await;
    let done = state(&msp).await;
    assert_eq!(msp.parts.fan_out.tick().await.unwrap().started, 0);
    assert_same(&done, &state(&msp).await);
}

async fn a_sync_request<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    let job = planned(&msp).await;
    let planned = state(&msp).await;
    let again = || msp.parts.fan_out.handle(Request::Sync(run_ref(&job)));
    again().await.unwrap();
    assert!(msp.jobs().is_empty(), "its jobs were sent again");
    assert_same(&planned, &state(&msp).await);
    msp.work(&job).await.unwrap();
    let done = state(&msp).await;
    again().await.unwrap();
    assert!(msp.jobs().is_empty());
    assert_same(&done, &state(&msp).await);
}

async fn a_job<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    let job = planned(&msp).await;
    assert_eq!(msp.work(&job).await.unwrap(), Done::Now);
    let once = state(&msp).await;
    assert_eq!(once.written.len(), on.first_writes());
    assert_eq!(msp.work(&job).await.unwrap(), Done::Before);
    assert_eq!(msp.parts.another_worker(false).work(&job).await.unwrap(), Done::Before);
    msp.parts.worker.give_up(&job).await.unwrap();
    assert_same(&once, &state(&msp).await);
}

async fn a_job_that_two_workers_have_at_once<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    let job = planned(&msp).await;
    let other = msp.parts.another_worker(false);
    let (one, two) = tokio::join!(msp.work(&job), other.work(&job));
    for done in [&one, &two] {
        assert!(matches!(done, Ok(_) | Err(SyncError::Busy)), "{done:?}");
    }
    let once = state(&msp).await;
    // As one worker alone would have left it: one change, and one look before and one after it.
    let writes = on.first_writes();
    assert_eq!((once.written.len(), msp.write_requests(), msp.units("acme", "edr")), (writes, writes, 42));
    assert!(msp.states("acme", "edr").await.split(' ').all(|state| state == "applied"));
    // The other company's fall is held: told once, by the planner.
    assert_eq!(once.notices, ["FindingOpened", "RunSucceeded"]);
    let run = msp.see(job.run.as_str()).await;
    assert_eq!(run.writes(), u64::try_from(writes).unwrap());
    assert_eq!(run.view["psa_requests"].as_u64(), Some(once.psa_requests.try_into().unwrap()));
    let (one, two) = tokio::join!(msp.work(&job), other.work(&job));
    assert_eq!((one.unwrap(), two.unwrap()), (Done::Before, Done::Before));
    assert_same(&once, &state(&msp).await);
}

async fn an_approval_under_one_idempotency_key<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    let run = msp.run("apply").await;
    assert_eq!(run.result("beta", "edr"), "held fall_guard");
    let approve = async || {
        let token = msp.parts.token(PARTNER, &[Scope::Read, Scope::Write]);
        let request = msp.parts.request(Method::POST, &format!("/v1/runs/{}/approve", run.id)).bearer_auth(token);
        Answer::to(request.header("idempotency-key", "approval-1").json(&json!({}))).await
    };
    let first = approve().await;
    assert_eq!(first.status, 202, "{}", first.text);
    let once = state(&msp).await;
    let second = approve().await;
    assert_eq!((second.status, &second.json), (202, &first.json));
    assert_same(&once, &state(&msp).await);
    assert_eq!(msp.parts.wire.asked_for(), 1);
    msp.drain().await;
    let done = state(&msp).await;
    assert_eq!((done.written.len(), msp.units("beta", "edr")), (on.first_writes() + 1, 20));
    assert_eq!(approve().await.json, first.json);
    assert_eq!(msp.parts.wire.asked_for(), 0);
    assert_same(&done, &state(&msp).await);
}

async fn a_snapshot<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    let records = json!([{"company": "acme", "company_name": "Acme", "product": "edr", "quantity": 43}]);
    let body = json!({"as_of": msp.clock.time().to_string(), "complete": false, "records": records});
    let push = || msp.call(Method::PUT, "/v1/usage/snapshots/twice", Some(body.clone()));
    let first = push().await;
    assert!((200..300).contains(&first.status), "{}", first.text);
    let once = state(&msp).await;
    let second = push().await;
    assert!((200..300).contains(&second.status), "{}", second.text);
    assert_same(&once, &state(&msp).await);
    msp.run("apply").await;
    let done = state(&msp).await;
    push().await;
    assert_same(&done, &state(&msp).await);
    // Later too, when another instant is now.
    msp.clock.advance(jiff::SignedDuration::from_hours(1));
    push().await;
    assert_same(&done, &state(&msp).await);
}
