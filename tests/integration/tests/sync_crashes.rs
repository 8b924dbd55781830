//! Messages that come twice, workers that die, planners that are cut off: nothing is written twice, and nothing is lost.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use fan_out::Request;
use integration::msp::{Customer, Effect, Fixture, Mishap, Msp, On};
use integration::{PARTNER, TestClock, on_every_psa};
use jiff::SignedDuration;
use serde_json::json;
use shared::domain::intent::Meaning;
use shared::domain::line::LineResult;
use shared::events::RunRef;
use shared::faults::{Hook, Point, Side, Struck};
use shared::ledger::{Intent, Lease, Outcome};
use shared::queue::CompanyJob;
use shared::store::runs::Effort;
use shared::sync::{Done, Settings, SyncError, Worker};
use simulators::autotask::{Entity, Fault, When};

on_every_psa!(
    a_job_that_is_delivered_twice_is_done_once,
    a_jobs_page_is_closed_and_counted_once,
    two_workers_with_one_job_write_once,
    a_worker_that_dies_after_a_write_was_made_leaves_it_to_be_found,
    a_worker_that_dies_before_a_write_was_made_has_it_made_by_the_next,
    a_process_that_has_the_store_to_itself_takes_over_at_once_and_still_waits_for_the_write,
    a_run_that_is_planned_twice_sends_its_jobs_once,
    a_run_that_two_planners_take_up_is_planned_by_one,
    a_planner_that_can_not_send_its_jobs_is_followed_by_one_that_can,
    a_tick_that_comes_twice_starts_each_due_run_once,
    a_tick_that_can_not_ask_for_its_runs_is_made_good_by_the_next,
    a_job_that_waited_too_long_is_not_done,
    a_scheduled_job_that_waited_too_long_or_was_given_up_is_made_good_within_the_hour,
    an_intent_that_took_long_to_be_stored_as_sent_is_not_sent_and_its_change_is_made_after_the_settle_delay,
    a_job_of_a_connection_that_was_switched_off_meanwhile_writes_nothing,
    a_job_that_is_given_up_ends_its_run_and_the_next_run_does_its_work,
);

async fn msp<P: Fixture>(on: On<P>) -> Msp<P> {
    on.of([Customer::named("acme").line("edr", 40)]).start().await
}

/// The same with a connection that has made a change before.
async fn changed<P: Fixture>(on: On<P>) -> Msp<P> {
    on.of_one_more([Customer::named("acme").line("edr", 40)]).start_changed().await
}

/// A run whose one job waits.
async fn planned<P: Fixture>(msp: &Msp<P>) -> (String, CompanyJob) {
    msp.push(&[("acme", "edr", 42)]).await;
    let run = msp.ask("apply").await;
    msp.plan().await;
    let mut jobs = msp.jobs();
    assert_eq!(jobs.len(), 1);
    (run, jobs.pop_front().unwrap())
}

fn run_ref(job: &CompanyJob) -> RunRef {
    RunRef { partner: job.partner.clone(), connection: job.connection.clone(), run: job.run.clone() }
}

/// A worker that dies with its first write under way.
async fn die_while_writing<P: Fixture>(msp: &Msp<P>, worker: &Worker, job: &CompanyJob, effect: Effect) {
    msp.psa.strike(1, Mishap::Hang(effect));
    let (worker, job) = (worker.clone(), job.clone());
    let working = tokio::spawn(async move { worker.work(&job).await });
    while msp.write_requests() == 0 || (effect == Effect::Made && msp.psa.written().is_empty()) {
        assert!(!working.is_finished(), "it ended without a write");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    working.abort();
    assert!(working.await.unwrap_err().is_cancelled());
    assert_eq!(msp.states("acme", "edr").await, "sent");
}

async fn a_job_that_is_delivered_twice_is_done_once<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    let (run, job) = planned(&msp).await;
    assert_eq!(msp.work(&job).await.unwrap(), Done::Now);
    let first = msp.see(&run).await;
    assert_eq!(first.result("acme", "edr"), "updated");
    let asked = msp.psa.requests();
    assert_eq!(msp.work(&job).await.unwrap(), Done::Before);
    assert_eq!(msp.psa.requests(), asked, "the PSA was asked again");
    let second = msp.see(&run).await;
    assert_eq!((first.view, first.lines), (second.view, second.lines));
    assert_eq!(msp.states("acme", "edr").await, on.first_states());
    assert_eq!(msp.parts.wire.notices(), ["RunSucceeded"]);
}

async fn a_jobs_page_is_closed_and_counted_once<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    let (id, job) = planned(&msp).await;
    msp.work(&job).await.unwrap();
    let before = msp.see(&id).await;
    let runs = &msp.parts.worker_parts.runs;
    let run = runs.get(&job.partner, &job.run).await.unwrap().unwrap();
    let lines = before.lines.iter().map(|line| serde_json::from_value(line.clone()).unwrap());
    let lines: Vec<LineResult> = lines.collect();
    let late = Effort { psa_requests: 9, writes: 9 };
    assert!(!runs.close_job(&run, &job.page, &lines, late).await.unwrap());
    assert_eq!(msp.see(&id).await.view, before.view);
}

async fn two_workers_with_one_job_write_once<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    let (run, job) = planned(&msp).await;
    let (first, second) = (msp.parts.another_worker(false), msp.parts.another_worker(false));
    let (one, two) = tokio::join!(first.work(&job), second.work(&job));
    let busy = [&one, &two].iter().filter(|done| matches!(done, Err(SyncError::Busy))).count();
    let done = [&one, &two].iter().filter(|done| matches!(done, Ok(Done::Now))).count();
    assert!(done == 1 && busy <= 1, "{one:?} {two:?}");
    assert_eq!(msp.work(&job).await.unwrap(), Done::Before);
    assert_eq!((msp.write_requests(), msp.units("acme", "edr")), (on.first_writes(), 42));
    let run = msp.see(&run).await;
    assert_eq!((run.status(), run.writes()), ("succeeded", on.first_writes() as u64));
}

async fn a_worker_that_dies_after_a_write_was_made_leaves_it_to_be_found<P: Fixture>(on: On<P>) {
    let msp = changed(on).await;
    let (run, job) = planned(&msp).await;
    die_while_writing(&msp, &msp.parts.worker, &job, Effect::Made).await;
    assert_eq!(msp.see(&run).await.status(), "running");
    let other = msp.parts.another_worker(false);
    assert!(matches!(other.work(&job).await, Err(SyncError::Busy)), "the dead worker's lease still holds");
    msp.clock.advance(SignedDuration::from_mins(17));
    assert_eq!(other.work(&job).await.unwrap(), Done::Now);
    let run = msp.see(&run).await;
    assert_eq!((run.status(), run.result("acme", "edr").as_str()), ("succeeded", "updated"));
    assert_eq!(run.numbers("acme", "edr"), (40, 42, 42));
    assert_eq!((msp.write_requests(), msp.states("acme", "edr").await.as_str()), (1, "applied"));
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "unchanged");
    assert_eq!(msp.written("acme", "edr"), [42]);
}

async fn a_worker_that_dies_before_a_write_was_made_has_it_made_by_the_next<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    let (run, job) = planned(&msp).await;
    die_while_writing(&msp, &msp.parts.worker, &job, Effect::NotMade).await;
    msp.clock.advance(SignedDuration::from_mins(17));
    assert_eq!(msp.work(&job).await.unwrap(), Done::Now);
    let run = msp.see(&run).await;
    assert_eq!((run.status(), run.result("acme", "edr").as_str()), ("succeeded", "updated"));
    assert_eq!((msp.write_requests(), msp.units("acme", "edr")), (1 + on.first_writes(), 42));
    assert_eq!(msp.written("acme", "edr"), on.first_change(40, 42));
    assert_eq!(msp.states("acme", "edr").await, format!("rejected {}", on.first_states()));
}

async fn a_process_that_has_the_store_to_itself_takes_over_at_once_and_still_waits_for_the_write<P: Fixture>(
    on: On<P>,
) {
    let msp = on.of([Customer::named("acme").line("edr", 40)]).sole().start().await;
    let (run, job) = planned(&msp).await;
    die_while_writing(&msp, &msp.parts.worker, &job, Effect::NotMade).await;
    let restarted = msp.parts.another_worker(true);
    assert_eq!(restarted.work(&job).await.unwrap(), Done::Now);
    let run = msp.see(&run).await;
    assert_eq!((run.status(), run.result("acme", "edr").as_str()), ("partial", "unknown write_unsettled"));
    assert_eq!(msp.write_requests(), 1);
    msp.clock.advance(SignedDuration::from_mins(17));
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "updated");
    assert_eq!((msp.write_requests(), msp.units("acme", "edr")), (1 + on.first_writes(), 42));
    assert_eq!(msp.written("acme", "edr"), on.first_change(40, 42));
}

async fn a_run_that_is_planned_twice_sends_its_jobs_once<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    let (run, job) = planned(&msp).await;
    let before = msp.see(&run).await;
    let asked = msp.psa.requests();
    msp.parts.fan_out.handle(Request::Sync(run_ref(&job))).await.unwrap();
    assert!(msp.jobs().is_empty());
    assert_eq!((msp.psa.requests(), msp.see(&run).await.view), (asked, before.view));
    msp.work(&job).await.unwrap();
    let after = msp.see(&run).await;
    msp.parts.fan_out.handle(Request::Sync(run_ref(&job))).await.unwrap();
    assert_eq!((msp.see(&run).await.view, msp.write_requests()), (after.view, on.first_writes()));
}

async fn a_run_that_two_planners_take_up_is_planned_by_one<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    msp.push(&[("acme", "edr", 42)]).await;
    let run = msp.ask("apply").await;
    let wanted = msp.parts.wire.take_runs().pop_front().unwrap();
    let plan = || msp.parts.fan_out.handle(Request::Sync(wanted.clone()));
    let (one, two) = tokio::join!(plan(), plan());
    assert!(one.is_ok() || two.is_ok(), "{one:?} {two:?}");
    msp.drain().await;
    let run = msp.see(&run).await;
    assert_eq!((run.status(), run.lines.len(), run.view["jobs"].as_i64()), ("succeeded", 1, Some(1)));
    assert_eq!(msp.write_requests(), on.first_writes());
}

async fn a_planner_that_can_not_send_its_jobs_is_followed_by_one_that_can<P: Fixture>(on: On<P>) {
    let msp = on.of([Customer::named("acme").line("edr", 40), Customer::named("beta").line("edr", 1)]).start().await;
    msp.push(&[("acme", "edr", 42), ("beta", "edr", 1)]).await;
    let run = msp.ask("apply").await;
    let wanted = msp.parts.wire.take_runs().pop_front().unwrap();
    msp.parts.wire.breaks(true);
    assert!(msp.parts.fan_out.handle(Request::Sync(wanted.clone())).await.is_err());
    msp.parts.wire.breaks(false);
    assert_eq!(msp.see(&run).await.status(), "running");
    // Meanwhile the count moved: the job that is stored already is done as it was planned, and the next run goes on.
    msp.push(&[("acme", "edr", 43), ("beta", "edr", 1)]).await;
    msp.parts.fan_out.handle(Request::Sync(wanted)).await.unwrap();
    msp.drain().await;
    let run = msp.see(&run).await;
    assert_eq!(json!(run.results()), json!({"acme/edr": "updated", "beta/edr": "unchanged"}));
    assert_eq!(
        run.view["lines"],
        json!({"updated": 1, "unchanged": 1, "planned": 0, "held": 0, "skipped": 0, "failed": 0, "unknown": 0})
    );
    assert_eq!(
        (run.status(), run.view["jobs"].as_i64(), msp.write_requests()),
        ("succeeded", Some(1), on.first_writes())
    );
    assert_eq!(
        msp.run("apply").await.result("acme", "edr").split(' ').next(),
        Some(if msp.units("acme", "edr") == 43 { "updated" } else { "unchanged" })
    );
}

async fn a_tick_that_comes_twice_starts_each_due_run_once<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    msp.push(&[("acme", "edr", 42)]).await;
    // Due at two in Berlin's night.
    msp.clock.set("2026-11-22T01:00:00Z");
    let tick = || msp.parts.fan_out.tick();
    let (one, two) = tokio::join!(tick(), tick());
    let started = one.unwrap().started + two.unwrap().started;
    assert_eq!(started, 1);
    assert_eq!(tick().await.unwrap().started, 0);
    msp.drain().await;
    let path = format!("/v1/connections/{}/runs", msp.connection);
    let runs = msp.done(reqwest::Method::GET, &path, None).await;
    let runs = runs["items"].as_array().unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!((runs[0]["trigger"].as_str(), runs[0]["status"].as_str()), (Some("schedule"), Some("succeeded")));
    assert_eq!((msp.write_requests(), msp.units("acme", "edr")), (on.first_writes(), 42));
    let connection = msp.done(reqwest::Method::GET, &format!("/v1/connections/{}", msp.connection), None).await;
    assert_eq!(connection["next_due_at"], "2026-11-23T01:00:00Z");
}

async fn a_tick_that_can_not_ask_for_its_runs_is_made_good_by_the_next<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    msp.push(&[("acme", "edr", 42)]).await;
    msp.clock.set("2026-11-22T01:00:00Z");
    msp.parts.wire.breaks(true);
    let error = msp.parts.fan_out.tick().await.unwrap_err();
    assert_eq!(error.to_string(), "1 connections that are due were not started");
    msp.parts.wire.breaks(false);
    msp.clock.advance(SignedDuration::from_mins(15));
    assert_eq!(msp.parts.fan_out.tick().await.unwrap().started, 1);
    msp.drain().await;
    let runs = msp.done(reqwest::Method::GET, &format!("/v1/connections/{}/runs", msp.connection), None).await;
    assert_eq!(runs["items"].as_array().unwrap().len(), 1);
    assert_eq!(msp.units("acme", "edr"), 42);
}

async fn a_job_that_waited_too_long_is_not_done<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    let (run, job) = planned(&msp).await;
    msp.clock.advance(SignedDuration::from_hours(7));
    assert_eq!(msp.work(&job).await.unwrap(), Done::Now);
    let run = msp.see(&run).await;
    assert_eq!(run.result("acme", "edr"), "skipped job_too_old");
    assert_eq!((run.view["status"].as_str(), run.view["code"].as_str()), (Some("partial"), Some("job_too_old")));
    assert_eq!(msp.write_requests(), 0);
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "updated");
}

async fn a_scheduled_job_that_waited_too_long_or_was_given_up_is_made_good_within_the_hour<P: Fixture>(on: On<P>) {
    for given_up in [false, true] {
        let msp = msp(on).await;
        msp.patch(json!({"schedule": {"frequency": "monthly", "day": 22, "hour": 2}})).await;
        msp.push(&[("acme", "edr", 42)]).await;
        msp.clock.set("2026-11-22T01:00:00Z");
        assert_eq!(msp.parts.fan_out.tick().await.unwrap().started, 1);
        msp.plan().await;
        let job = msp.jobs().pop_front().unwrap();
        if given_up {
            msp.parts.worker.give_up(&job).await.unwrap();
        } else {
            msp.clock.advance(SignedDuration::from_hours(7));
            msp.work(&job).await.unwrap();
        }
        assert_eq!((msp.write_requests(), msp.units("acme", "edr")), (0, 40));
        msp.clock.advance(SignedDuration::from_hours(1));
        assert_eq!(msp.parts.fan_out.tick().await.unwrap().started, 1, "given up: {given_up}");
        msp.drain().await;
        assert_eq!((msp.write_requests(), msp.units("acme", "edr")), (on.first_writes(), 42));
    }
}

#[tokio::test]
async fn a_run_whose_planning_comes_to_nothing_leaves_the_jobs_of_the_run_before_it_to_be_done() {
    let msp = msp(On::autotask()).await;
    let (first, job) = planned(&msp).await;
    msp.psa.plan_fault(When::EveryRequest(Entity::Contracts), Fault::answer(500, "{}"));
    msp.clock.advance(SignedDuration::from_secs(1));
    let second = msp.ask("apply").await;
    msp.plan().await;
    assert_eq!(msp.see(&second).await.status(), "failed");
    msp.psa.clear_faults();
    msp.work(&job).await.unwrap();
    assert_eq!(msp.see(&first).await.result("acme", "edr"), "updated");
}

/// A store that takes half a minute to answer that an intent is stored as sent.
#[derive(Default)]
struct SlowStore(Mutex<Option<TestClock>>);

impl Hook for SlowStore {
    fn pass(&self, point: &Point) -> Result<(), Struck> {
        if point.side == Side::After
            && point.effect == "store.update INTENT"
            && let Some(clock) = self.0.lock().unwrap().take()
        {
            clock.advance(SignedDuration::from_secs(30));
        }
        Ok(())
    }
}

async fn an_intent_that_took_long_to_be_stored_as_sent_is_not_sent_and_its_change_is_made_after_the_settle_delay<
    P: Fixture,
>(
    on: On<P>,
) {
    let store = Arc::new(SlowStore::default());
    let msp = on.of([Customer::named("acme").line("edr", 40)]).faults(store.clone()).start().await;
    let (_, job) = planned(&msp).await;
    *store.0.lock().unwrap() = Some(msp.clock.clone());
    assert!(matches!(msp.work(&job).await, Err(SyncError::Slow)));
    assert_eq!((msp.write_requests(), msp.states("acme", "edr").await.as_str()), (0, "sent"));
    // A minute later it might still be on its way, for all that is stored.
    msp.clock.advance(SignedDuration::from_mins(1));
    msp.work(&job).await.unwrap();
    assert_eq!((msp.write_requests(), msp.units("acme", "edr")), (0, 40));
    msp.clock.advance(Settings::default().settle);
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "updated");
    assert_eq!((msp.write_requests(), msp.units("acme", "edr")), (on.first_writes(), 42));
}

async fn a_job_of_a_connection_that_was_switched_off_meanwhile_writes_nothing<P: Fixture>(on: On<P>) {
    for change in [json!({"enabled": false}), json!({"policy": {"shadow": true}})] {
        let msp = msp(on).await;
        let (run, job) = planned(&msp).await;
        let asked = msp.psa.requests();
        msp.patch(change.clone()).await;
        msp.work(&job).await.unwrap();
        let run = msp.see(&run).await;
        assert_eq!(msp.psa.requests(), asked, "{change}");
        assert!(["skipped connection_off", "planned shadow"].contains(&run.result("acme", "edr").as_str()), "{run:?}");
        assert_eq!(msp.states("acme", "edr").await, "", "{change}");
    }
}

// The ledger itself, without a worker in between.

async fn lease(msp: &Msp) -> Lease {
    let ledger = &msp.parts.worker_parts.ledger;
    let account = msp.account("acme").to_string().parse().unwrap();
    ledger.lease(&msp.tenancy(), &account, msp.clock.time()).await.unwrap().expect("the lease is free")
}

async fn intend(msp: &Msp, job: &CompanyJob, lease: &Lease) -> Option<Intent> {
    let history = msp.history("acme", "edr").await;
    let meaning = Meaning {
        partner: job.partner.clone(),
        tenant: msp.tenancy().tenant,
        line: msp.key("acme", "edr"),
        contract_service: "7001".parse().unwrap(),
        effective: "2026-11-01".parse().unwrap(),
        before: 40.try_into().unwrap(),
        target: 42.try_into().unwrap(),
        revision: history.revision,
        feeds: 1,
        feeds_before: None,
        reverses: None,
        prices: None,
        company: None,
        product: None,
    };
    let ledger = &msp.parts.worker_parts.ledger;
    let by = (&job.connection, &job.run);
    let stored = ledger.intend(&msp.tenancy(), lease, by, &[(meaning, history)], msp.clock.time()).await.unwrap();
    stored.map(|mut intents| intents.remove(0))
}

#[tokio::test]
async fn an_intent_that_was_never_sent_is_given_up_and_the_change_is_made() {
    let msp = msp(On::autotask()).await;
    let (run, job) = planned(&msp).await;
    let held = lease(&msp).await;
    intend(&msp, &job, &held).await.unwrap();
    msp.parts.worker_parts.ledger.release(&held).await.unwrap();
    assert_eq!(msp.states("acme", "edr").await, "intended");
    msp.work(&job).await.unwrap();
    assert_eq!(msp.see(&run).await.result("acme", "edr"), "updated");
    assert_eq!(msp.states("acme", "edr").await, "rejected applied");
    assert_eq!(msp.intents("acme", "edr").await[0].code.as_deref(), Some("never_sent"));
    assert_eq!(msp.write_requests(), 1);
}

#[tokio::test]
async fn a_line_takes_one_open_intent_and_an_intent_is_sent_once() {
    let msp = msp(On::autotask()).await;
    let (_, job) = planned(&msp).await;
    let ledger = &msp.parts.worker_parts.ledger;
    let held = lease(&msp).await;
    let intent = intend(&msp, &job, &held).await.unwrap();
    assert!(intend(&msp, &job, &held).await.is_none(), "the line has an open intent");
    let (of, now) = (msp.tenancy(), msp.clock.time());
    assert!(ledger.sent(&of, &held, &intent, now).await.unwrap());
    assert!(!ledger.sent(&of, &held, &intent, now).await.unwrap(), "it was sent before");
    let history = msp.history("acme", "edr").await;
    assert!(ledger.settle(&of, &held, &[((&intent, Outcome::Applied), &history)], now).await.unwrap());
    for late in [Outcome::Applied, Outcome::Rejected("late".into()), Outcome::Unknown("late".into())] {
        assert!(
            !ledger.settle(&of, &held, &[((&intent, late), &history)], now).await.unwrap(),
            "it was settled before"
        );
    }
    assert_eq!(msp.states("acme", "edr").await, "applied");
    let history = msp.history("acme", "edr").await;
    assert_eq!((history.revision, history.open), (1, None));
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_can_neither_send_nor_settle() {
    let msp = msp(On::autotask()).await;
    let (_, job) = planned(&msp).await;
    let ledger = &msp.parts.worker_parts.ledger;
    let late = lease(&msp).await;
    let intent = intend(&msp, &job, &late).await.unwrap();
    let account = msp.account("acme").to_string().parse().unwrap();
    assert!(ledger.lease(&msp.tenancy(), &account, msp.clock.time()).await.unwrap().is_none());
    msp.clock.advance(SignedDuration::from_mins(17));
    let newer = lease(&msp).await;
    assert!(newer.fence > late.fence);
    let (of, now) = (msp.tenancy(), msp.clock.time());
    let history = msp.history("acme", "edr").await;
    // The newer worker gives the intent up, as never sent.
    let given_up = Outcome::NeverSent("never_sent".into());
    assert!(ledger.settle(&of, &newer, &[((&intent, given_up), &history)], now).await.unwrap());
    assert!(!ledger.sent(&of, &late, &intent, now).await.unwrap());
    assert!(!ledger.settle(&of, &late, &[((&intent, Outcome::Applied), &history)], now).await.unwrap());
    assert!(intend(&msp, &job, &late).await.is_none(), "a stale lease stores nothing new");
    ledger.release(&late).await.unwrap();
    assert!(
        ledger.lease(&of, &account, now).await.unwrap().is_none(),
        "the newer lease is not the late worker's to end"
    );
    assert_eq!(msp.states("acme", "edr").await, "rejected");
}

#[tokio::test]
async fn a_write_that_is_open_while_its_contract_moves_to_another_account_can_still_be_settled() {
    let msp = msp(On::autotask()).await;
    let (_, job) = planned(&msp).await;
    let ledger = &msp.parts.worker_parts.ledger;
    for _ in 0..3 {
        ledger.release(&lease(&msp).await).await.unwrap();
    }
    let (of, now) = (msp.tenancy(), msp.clock.time());
    let before = lease(&msp).await;
    let intent = intend(&msp, &job, &before).await.unwrap();
    assert!(ledger.sent(&of, &before, &intent, now).await.unwrap());
    let elsewhere = ledger.lease(&of, &"4711".parse().unwrap(), now).await.unwrap().unwrap();
    assert!(elsewhere.fence < before.fence, "fences of two accounts say nothing about each other");
    let history = msp.history("acme", "edr").await;
    assert!(ledger.settle(&of, &elsewhere, &[((&intent, Outcome::Applied), &history)], now).await.unwrap());
    let late = Outcome::Rejected("late".into());
    assert!(!ledger.settle(&of, &before, &[((&intent, late), &history)], now).await.unwrap(), "it was settled before");
    assert_eq!(msp.states("acme", "edr").await, "applied");
}

async fn a_job_that_is_given_up_ends_its_run_and_the_next_run_does_its_work<P: Fixture>(on: On<P>) {
    let msp = msp(on).await;
    let (run, job) = planned(&msp).await;
    msp.parts.worker.give_up(&job).await.unwrap();
    let ended = msp.see(&run).await;
    assert_eq!((ended.result("acme", "edr").as_str(), ended.status()), ("failed given_up", "partial"));
    msp.work(&job).await.unwrap();
    msp.parts.worker.give_up(&job).await.unwrap();
    assert_eq!((msp.write_requests(), msp.see(&run).await.view["lines"]["failed"].as_i64()), (0, Some(1)));
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "updated");
    assert_eq!((msp.write_requests(), msp.units("acme", "edr")), (on.first_writes(), 42));
}

#[tokio::test]
async fn a_run_that_can_not_be_planned_at_any_try_ends_as_failed() {
    let msp = msp(On::autotask()).await;
    msp.push(&[("acme", "edr", 42)]).await;
    let run = msp.ask("apply").await;
    let (partner, id) = (PARTNER.parse().unwrap(), run.parse().unwrap());
    msp.parts.fan_out.planner.give_up(&partner, &id).await.unwrap();
    let ended = msp.see(&run).await;
    assert_eq!((ended.view["code"].as_str(), ended.status()), (Some("given_up"), "failed"));
    assert_eq!(msp.write_requests(), 0);
}
