//! The circuit breaker and the budget of a connection: what reaches the PSA while it refuses, is away, or has no room.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use fan_out::{FanOut, Request};
use integration::msp::{Customer, Msp, Setup};
use integration::registry::registry;
use integration::{PARTNER, credentials};
use jiff::SignedDuration;
use local::sealed_secrets::SealedSecrets;
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::domain::money::Money;
use shared::domain::period::PeriodType;
use shared::domain::units::Units;
use shared::faults::{Hook, Point, Side, Struck};
use shared::psa::open::{Opened, Opener};
use shared::psa::{BillingCodeKind, CatalogQuery, Kind, NewCharge, NewService, UnitsChange, WriteError};
use shared::secrets::{Cached, ReadSecrets, SecretName, SecretsError, WriteSecrets as _};
use shared::store::{Condition, Read, schema};
use shared::sync::{Planner, PlannerParts};
use simulators::autotask::{Entity, Fault, Kind as Asked, When};

const OLD: &str = "an-older-secret";
const JUST_CHANGED: &str = "psa_credentials_just_changed";

async fn msp() -> Msp {
    let msp = Setup::of([Customer::named("acme").line("edr", 40)]).start().await;
    msp.push(&[("acme", "edr", 42)]).await;
    msp
}

/// Gives the connection another secret, behind the service's back. `None`: the right one.
async fn rotate(msp: &Msp, secret: Option<&str>) {
    let name = SecretName::of(&PARTNER.parse().unwrap(), &msp.connection.parse().unwrap());
    let mut stored = credentials();
    if let Some(secret) = secret {
        stored["secret"] = secret.into();
    }
    stored["psa"] = "autotask".into();
    msp.parts.secrets.put(&name, &stored.to_string().into()).await.unwrap();
}

async fn connection(msp: &Msp) -> Value {
    msp.done(Method::GET, &format!("/v1/connections/{}", msp.connection), None).await
}

/// Requests that a run makes, and how it ends: its status or its code.
async fn run(msp: &Msp) -> (usize, String) {
    let before = msp.psa.request_count();
    let run = msp.run("apply").await;
    let end = run.view["code"].as_str().unwrap_or(run.status()).to_owned();
    (msp.psa.request_count() - before, end)
}

async fn runs(msp: &Msp, times: usize) -> Vec<(usize, String)> {
    let mut all = vec![];
    for _ in 0..times {
        all.push(run(msp).await);
    }
    all
}

fn stopped() -> (usize, String) {
    (0, "psa_circuit_open".to_owned())
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

/// Looks into the catalogue, which the PSA does not answer for, until the circuit is open.
async fn open_by_outage(msp: &Msp) {
    msp.psa.plan_fault(When::EveryRequest(Entity::Companies), Fault::answer(503, ""));
    let path = format!("/v1/connections/{}/catalog/accounts", msp.connection);
    for code in ["psa_unavailable"; 5].into_iter().chain(["psa_circuit_open"; 2]) {
        let answer = msp.call(Method::GET, &path, None).await;
        assert_eq!((answer.status, answer.json["code"].as_str()), (503, Some(code)));
    }
}

/// A connector for the connection, as its functions get one.
async fn opened(msp: &Msp) -> Opened {
    msp.parts.worker_parts.opener.open(&PARTNER.parse().unwrap(), &msp.connection.parse().unwrap()).await.unwrap()
}

/// What keeps a change of one unit from being sent, if anything does.
async fn not_sent(msp: &Msp, by: &Opened) -> Option<String> {
    let (before, target) = (Units::try_from(40).unwrap(), Units::try_from(41).unwrap());
    let change = UnitsChange {
        contract: msp.contract("acme").to_string().parse().unwrap(),
        service: msp.service("edr").to_string().parse().unwrap(),
        contract_service: "1".parse().unwrap(),
        effective: "2026-11-01".parse().unwrap(),
        before,
        target,
        delta: before.delta_to(target),
        prices: None,
    };
    match by.connector.change_units(&change).await {
        Err(WriteError::NotSent(error)) => Some(error.code),
        _ => None,
    }
}

#[tokio::test]
async fn a_refused_log_in_is_tried_once_and_then_once_each_time_its_wait_is_over() {
    let msp = msp().await;
    rotate(&msp, Some(OLD)).await;
    msp.psa.reset_counts();
    assert_eq!(run(&msp).await, (1, "psa_credentials_rejected".to_owned()));
    assert_eq!(runs(&msp, 4).await, vec![stopped(); 4]);
    for wait in [15, 30, 60, 120, 240, 360, 360] {
        msp.clock.advance(minutes(wait) - SignedDuration::from_secs(1));
        assert_eq!(run(&msp).await, stopped(), "a second before {wait} minutes");
        msp.clock.advance(SignedDuration::from_secs(1));
        assert_eq!(run(&msp).await, (1, "psa_credentials_rejected".to_owned()), "after {wait} minutes");
        assert_eq!(run(&msp).await, stopped());
    }
    println!("refused credentials: 26 runs over 20 hours, {} log-ins tried", msp.psa.request_count());
    assert_eq!(msp.psa.request_count(), 8);
}

#[tokio::test]
async fn the_run_whose_probe_is_answered_closes_the_circuit_and_writes() {
    let msp = msp().await;
    rotate(&msp, Some(OLD)).await;
    run(&msp).await;
    let seen = connection(&msp).await;
    assert_eq!(seen["status"], "credentials_rejected");
    assert_eq!(
        (&seen["circuit"]["state"], &seen["circuit"]["code"]),
        (&json!("open"), &json!("psa_credentials_rejected"))
    );
    assert_eq!(seen["circuit"]["until"], "2026-11-21T12:15:01Z");
    let explained = seen["circuit"]["explanation"].as_str().unwrap();
    assert!(
        explained.contains("since 2026-11-21T12:00:01Z") && explained.contains("from 2026-11-21T12:15:01Z"),
        "{explained}"
    );
    let told = msp.run("apply").await.view;
    assert_eq!(told["explanation"], explained);
    assert!(told["fix"].as_str().unwrap().contains("test of the connection"), "{told}");

    rotate(&msp, None).await;
    msp.clock.advance(minutes(15));
    assert_eq!(connection(&msp).await["circuit"]["state"], "half_open");
    let recovered = msp.run("apply").await;
    assert_eq!((recovered.status(), recovered.result("acme", "edr").as_str()), ("succeeded", "updated"));
    let seen = connection(&msp).await;
    assert_eq!((&seen["circuit"], &seen["status"]), (&Value::Null, &json!("active")));
    assert_eq!(msp.units("acme", "edr"), 42);
}

#[tokio::test]
async fn a_psa_that_is_away_is_asked_five_times_and_then_once_each_time_its_wait_is_over() {
    let msp = msp().await;
    msp.psa.plan_fault(When::EveryRequest(Entity::ThresholdInformation), Fault::answer(503, ""));
    msp.psa.reset_counts();
    let away = || (1, "psa_unavailable".to_owned());
    assert_eq!(runs(&msp, 5).await, vec![away(); 5]);
    assert_eq!(runs(&msp, 3).await, vec![stopped(); 3]);
    for wait in [1, 2, 4, 8, 16, 30, 30] {
        msp.clock.advance(minutes(wait) - SignedDuration::from_secs(1));
        assert_eq!(run(&msp).await, stopped(), "a second before {wait} minutes");
        msp.clock.advance(SignedDuration::from_secs(1));
        assert_eq!(run(&msp).await, away(), "after {wait} minutes");
    }
    println!("an outage: 22 runs over 91 minutes, {} requests", msp.psa.request_count());
    assert_eq!(msp.psa.request_count(), 12);
    msp.psa.clear_faults();
    msp.clock.advance(minutes(30));
    assert_eq!(run(&msp).await.1, "succeeded");
    assert_eq!(msp.units("acme", "edr"), 42);
}

#[tokio::test]
async fn answers_between_failures_keep_the_circuit_closed() {
    let msp = msp().await;
    for _ in 0..3 {
        msp.psa.plan_fault(When::EveryRequest(Entity::ThresholdInformation), Fault::ResetBefore);
        assert!(runs(&msp, 4).await.iter().all(|(requests, _)| *requests == 1));
        msp.psa.clear_faults();
        assert_eq!(run(&msp).await.1, "succeeded");
    }
    assert_eq!(connection(&msp).await["circuit"], Value::Null);
}

#[tokio::test]
async fn of_two_workers_that_find_the_wait_over_one_asks_and_nothing_else_goes_out() {
    let names = ["a", "b"];
    let msp = Setup::of(names.map(|name| Customer::named(name).line("edr", 1))).start().await;
    msp.push(&names.map(|name| (name, "edr", 2))).await;
    let run = msp.ask("apply").await;
    msp.plan().await;
    open_by_outage(&msp).await;
    msp.clock.advance(minutes(1));
    msp.psa.plan_fault(When::EveryRequest(Entity::ContractServiceUnits), Fault::answer(503, ""));
    msp.psa.set_delay(Duration::from_millis(10));
    msp.psa.reset_counts();
    let jobs = msp.jobs();
    let (first, second) = (msp.parts.another_worker(false), msp.parts.another_worker(false));
    let (one, two) = tokio::join!(first.work(&jobs[0]), second.work(&jobs[1]));
    one.unwrap();
    two.unwrap();
    println!("half open, two workers at once: {} request", msp.psa.request_count());
    assert_eq!((msp.psa.request_count(), msp.write_requests()), (1, 0));
    let mut results: Vec<String> = msp.see(&run).await.results().into_values().collect();
    results.sort();
    assert_eq!(results, ["failed psa_unavailable", "skipped psa_circuit_open"]);
}

#[tokio::test]
async fn a_write_goes_out_only_while_the_circuit_is_closed() {
    let msp = Setup::of([Customer::named("acme").line("edr", 40)]).patience(Duration::from_millis(300)).start().await;
    open_by_outage(&msp).await;
    let refused = || Some("psa_circuit_open".to_owned());
    msp.psa.reset_counts();
    assert_eq!(not_sent(&msp, &opened(&msp).await).await, refused(), "open");
    msp.clock.advance(minutes(1));
    assert_eq!(not_sent(&msp, &opened(&msp).await).await, refused(), "its wait is over");
    assert_eq!(msp.psa.request_count(), 0);

    // A probe is under way and gets no answer.
    msp.psa.clear_faults();
    msp.psa.plan_fault(When::EveryRequest(Entity::Services), Fault::HangBefore);
    let prober = opened(&msp).await;
    let probing = tokio::spawn(async move { prober.connector.services(&one_row()).await });
    while msp.psa.request_count() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(connection(&msp).await["circuit"]["state"], "half_open");
    let other = opened(&msp).await;
    assert_eq!(not_sent(&msp, &other).await, refused(), "half open");
    assert_eq!(other.connector.accounts(&one_row()).await.unwrap_err().code, "psa_circuit_open", "one read at a time");
    assert_eq!(probing.await.unwrap().unwrap_err().code, "psa_timed_out");
    assert_eq!((msp.psa.request_count(), msp.write_requests()), (1, 0));

    // The next probe is answered: the same connector may write.
    msp.clock.advance(minutes(2));
    let next = opened(&msp).await;
    assert_eq!(not_sent(&msp, &next).await, refused(), "a write is no probe");
    next.connector.accounts(&one_row()).await.unwrap();
    assert_eq!(not_sent(&msp, &next).await, None);
    assert_eq!(msp.write_requests(), 1);
}

#[tokio::test]
async fn charges_and_services_that_are_made_go_out_only_while_the_circuit_is_closed() {
    let msp = msp().await;
    open_by_outage(&msp).await;
    msp.psa.reset_counts();
    let psa = opened(&msp).await.connector;
    let contract = msp.contract("acme").to_string().parse().unwrap();
    let (service, charge_id) = (msp.service("edr").to_string().parse().unwrap(), "1".parse().unwrap());
    let price = Money::new("1.25".parse().unwrap());
    let charge = NewCharge {
        contract,
        reference: "TL-1".into(),
        name: "Storage".into(),
        description: String::new(),
        date: "2026-11-01".parse().unwrap(),
        cost: price,
        price,
        billing_code: "29683279".parse().unwrap(),
    };
    let made = NewService {
        name: "MDR".into(),
        vendor: None,
        billing_code: "29683278".parse().unwrap(),
        period: PeriodType::Monthly,
        unit_cost: None,
        unit_price: price,
        description: String::new(),
    };
    let references = BTreeSet::from(["TL-1".to_owned()]);
    let writes = [
        psa.create_charge(&charge).await.map(drop),
        psa.change_charge(&charge_id, &charge).await,
        psa.delete_charge(&charge.contract, &charge_id).await,
        psa.create_service(&made).await.map(drop),
        psa.add_service(&charge.contract, &service, None, None).await.map(drop),
    ];
    let reads = [
        psa.charges(&BTreeSet::new(), &references).await.map(drop),
        psa.billing_codes(BillingCodeKind::Material).await.map(drop),
        psa.vendor("Vendor").await.map(drop),
        psa.find_services("MDR").await.map(drop),
    ];
    for write in writes {
        assert!(matches!(&write, Err(WriteError::NotSent(error)) if error.code == "psa_circuit_open"), "{write:?}");
    }
    for read in reads {
        assert_eq!(read.unwrap_err().code, "psa_circuit_open");
    }
    assert_eq!(msp.psa.request_count(), 0);

    // Once it is closed again a charge goes out, and what became of it is read though the circuit is open.
    msp.clock.advance(minutes(2));
    msp.psa.clear_faults();
    psa.accounts(&one_row()).await.unwrap();
    msp.psa.plan_fault(When::Write(1), Fault::ResetAfter);
    assert!(matches!(psa.create_charge(&charge).await, Err(WriteError::Unknown(_))));
    msp.done(Method::GET, &format!("/v1/connections/{}/catalog/accounts", msp.connection), None).await;
    open_by_outage(&msp).await;
    assert_eq!(psa.charges(&BTreeSet::new(), &references).await.unwrap().len(), 1);
}

fn one_row() -> CatalogQuery {
    CatalogQuery { limit: 1, ..CatalogQuery::default() }
}

#[tokio::test]
async fn a_log_in_that_is_refused_at_a_write_opens_the_circuit_for_reads_too() {
    let msp = Setup::of([Customer::named("acme").line("a", 1).line("b", 1)]).start().await;
    msp.push(&[("acme", "a", 2), ("acme", "b", 2)]).await;
    msp.psa.plan_fault(When::Write(1), Fault::answer(401, ""));
    let first = msp.run("apply").await;
    assert_eq!(
        json!(first.results()),
        json!({"acme/a": "failed psa_credentials_rejected", "acme/b": "skipped stopped"})
    );
    assert_eq!(msp.write_requests(), 1);
    assert_eq!(run(&msp).await, stopped());
    msp.clock.advance(minutes(15));
    assert_eq!(run(&msp).await.1, "succeeded");
    assert_eq!((msp.write_requests(), msp.units("acme", "a"), msp.units("acme", "b")), (3, 2, 2));
}

fn three_lines() -> Setup {
    Setup::of([Customer::named("acme").line("a", 1).line("b", 1).line("c", 1)])
}

const MORE_OF_EACH: [(&str, &str, u32); 3] = [("acme", "a", 2), ("acme", "b", 2), ("acme", "c", 2)];

#[tokio::test]
async fn what_was_acknowledged_before_a_429_is_read_back_though_the_circuit_is_open() {
    let msp = three_lines().start().await;
    msp.push(&MORE_OF_EACH).await;
    msp.psa.plan_fault(When::Write(3), Fault::too_many_requests(Some(120)));
    let first = msp.run("apply").await;
    assert_eq!(
        json!(first.results()),
        json!({"acme/a": "updated", "acme/b": "updated", "acme/c": "failed psa_rate_limited"})
    );
    assert_eq!(connection(&msp).await["circuit"]["code"], "psa_rate_limited", "a read-back closes nothing");
    assert_eq!(run(&msp).await, stopped());
    msp.clock.advance(SignedDuration::from_secs(120));
    assert_eq!(run(&msp).await.1, "succeeded");
    assert_eq!((msp.write_requests(), msp.units("acme", "c")), (4, 2));
}

#[tokio::test]
async fn a_log_in_that_was_turned_away_is_not_repeated_to_read_back() {
    let msp = three_lines().start().await;
    msp.push(&MORE_OF_EACH).await;
    msp.psa.plan_fault(When::Write(3), Fault::answer(401, ""));
    let before = msp.psa.request_count();
    let first = msp.run("apply").await;
    assert_eq!(
        json!(first.results()),
        json!({"acme/a": "unknown write_unsettled", "acme/b": "unknown write_unsettled", "acme/c": "failed psa_credentials_rejected"})
    );
    // Five to plan, of them two for prices; one to observe, three writes.
    assert_eq!(msp.psa.request_count() - before, 9);
}

#[tokio::test]
async fn a_connector_from_before_the_circuit_opened_looks_again_before_it_writes() {
    let msp = msp().await;
    let (one, other) = (opened(&msp).await, opened(&msp).await);
    open_by_outage(&msp).await;
    msp.clock.advance(SignedDuration::from_secs(5));
    msp.psa.reset_counts();
    let refused = || Some("psa_circuit_open".to_owned());
    assert_eq!(not_sent(&msp, &one).await, refused(), "open");
    msp.clock.advance(minutes(1));
    assert_eq!(not_sent(&msp, &other).await, refused(), "its wait is over, and a write is no probe");
    assert_eq!(msp.psa.request_count(), 0);
}

#[tokio::test]
async fn nothing_is_written_where_the_store_does_not_say_whether_the_circuit_is_closed() {
    let msp = msp().await;
    let writer = opened(&msp).await;
    let key = schema::breaker(&PARTNER.parse().unwrap(), &msp.connection.parse().unwrap());
    assert!(msp.parts.table.put(&key, &json!({"breaker": "unreadable"}), &Condition::absent()).await.unwrap());
    msp.clock.advance(SignedDuration::from_secs(5));
    assert_eq!(not_sent(&msp, &writer).await.as_deref(), Some("psa_circuit_open"));
    assert_eq!(msp.write_requests(), 0);
}

#[tokio::test]
async fn a_psa_that_asks_to_wait_is_left_alone_for_so_long() {
    for (asked, seconds) in [(Some(120), 120), (None, 60), (Some(90_000), 3_600)] {
        let msp = msp().await;
        msp.psa.plan_fault(When::Request(Entity::ThresholdInformation, 1), Fault::too_many_requests(asked));
        assert_eq!(run(&msp).await, (1, "psa_rate_limited".to_owned()));
        let answer = msp.call(Method::GET, &format!("/v1/connections/{}/catalog/services", msp.connection), None).await;
        assert_eq!((answer.status, answer.json["code"].as_str()), (503, Some("psa_circuit_open")));
        assert_eq!(answer.header("retry-after"), seconds.to_string());
        msp.clock.advance(SignedDuration::from_secs(seconds - 1));
        assert_eq!(run(&msp).await, stopped(), "{asked:?}");
        msp.clock.advance(SignedDuration::from_secs(1));
        assert_eq!(run(&msp).await.1, "succeeded", "{asked:?}");
    }
}

#[tokio::test]
async fn a_person_may_test_refused_credentials_once_a_minute_and_a_good_test_closes_the_circuit() {
    let msp = msp().await;
    rotate(&msp, Some(OLD)).await;
    run(&msp).await;
    msp.psa.reset_counts();
    let path = format!("/v1/connections/{}/test", msp.connection);
    let test = || msp.call(Method::POST, &path, None);
    let early = test().await;
    assert_eq!((early.status, early.json["code"].as_str()), (429, Some("psa_log_in_tried_lately")), "{}", early.text);
    assert_eq!((early.header("retry-after"), msp.psa.request_count()), ("60", 0));
    msp.clock.advance(minutes(1));
    let failed = test().await;
    assert_eq!((failed.status, &failed.json["ok"]), (200, &json!(false)));
    assert_eq!((&failed.json["code"], msp.psa.request_count()), (&json!("psa_credentials_rejected"), 1));
    assert_eq!((test().await.status, msp.psa.request_count()), (429, 1));
    rotate(&msp, None).await;
    assert_eq!(run(&msp).await, stopped(), "only a person is let through");
    msp.clock.advance(minutes(1));
    assert_eq!(test().await.json["ok"], true);
    assert_eq!(connection(&msp).await["circuit"], Value::Null);
    assert_eq!(run(&msp).await.1, "succeeded");
}

#[tokio::test]
async fn a_person_may_test_a_psa_that_was_away_at_once() {
    let msp = msp().await;
    open_by_outage(&msp).await;
    msp.psa.clear_faults();
    let path = format!("/v1/connections/{}/test", msp.connection);
    assert_eq!(msp.call(Method::POST, &path, None).await.json["ok"], true);
    assert_eq!(run(&msp).await.1, "succeeded");
}

#[tokio::test]
async fn new_credentials_that_work_close_the_circuit_and_a_late_refusal_of_the_old_ones_does_not_last() {
    let msp = msp().await;
    rotate(&msp, Some(OLD)).await;
    let holds_the_old_ones = opened(&msp).await;
    run(&msp).await;
    let path = format!("/v1/connections/{}/credentials", msp.connection);
    let wrong = msp
        .call(
            Method::PUT,
            &path,
            Some(json!({"credentials": {"username": "nobody@example.com", "secret": "x", "integration_code": "y"}})),
        )
        .await;
    assert_eq!((wrong.status, run(&msp).await), (422, stopped()));
    msp.done(Method::PUT, &path, Some(json!({"credentials": credentials()}))).await;
    assert_eq!(connection(&msp).await["circuit"], Value::Null);
    msp.clock.advance(minutes(1));
    // A function that still has the old secret in memory opens it anew, until every function has the new one.
    let late = holds_the_old_ones.connector.allowance().await.unwrap_err();
    assert_eq!((late.kind, late.code.as_str()), (Kind::Unavailable, JUST_CHANGED));
    assert_eq!(connection(&msp).await["circuit"]["code"], JUST_CHANGED);
    assert_eq!(run(&msp).await, stopped());
    msp.clock.advance(minutes(4));
    assert_eq!(run(&msp).await.1, "succeeded");
}

/// The secrets as another function holds them, which shares only the store behind its memory.
struct Elsewhere(Arc<SealedSecrets>);

#[async_trait]
impl ReadSecrets for Elsewhere {
    async fn read(&self, name: &SecretName) -> Result<Option<SecretString>, SecretsError> {
        self.0.read(name).await
    }
}

#[tokio::test]
async fn a_planner_that_holds_the_credentials_before_the_newest_marks_nothing_and_asks_once() {
    let msp = msp().await;
    let clock: Arc<dyn Clock> = Arc::new(msp.clock.clone());
    let secrets = Arc::new(Cached::new(Elsewhere(msp.parts.secrets.clone()), clock.clone()));
    let parts = &msp.parts;
    let psas = registry("autotask", &msp.psa.base(), None, &msp.clock);
    let opener = Opener::new(&parts.table, secrets.clone(), psas, clock);
    let planner = Planner::new(PlannerParts { opener, ..parts.planner_parts.clone() });
    let elsewhere = FanOut { planner, ..parts.fan_out.clone() };
    let plan = async || {
        let asked = msp.ask("apply").await;
        for run in msp.parts.wire.take_runs() {
            elsewhere.handle(Request::Sync(run)).await.unwrap();
        }
        asked
    };

    rotate(&msp, Some(OLD)).await;
    let name = SecretName::of(&PARTNER.parse().unwrap(), &msp.connection.parse().unwrap());
    secrets.read(&name).await.unwrap();
    let path = format!("/v1/connections/{}/credentials", msp.connection);
    msp.done(Method::PUT, &path, Some(json!({"credentials": credentials()}))).await;
    msp.clock.advance(SignedDuration::from_secs(10));
    msp.psa.reset_counts();
    let refused = msp.see(&plan().await).await;
    assert_eq!((refused.status(), refused.view["code"].as_str()), ("failed", Some(JUST_CHANGED)), "{}", refused.view);
    assert!(refused.view["explanation"].as_str().unwrap().contains("up to five minutes"), "{}", refused.view);
    assert_eq!(connection(&msp).await["status"], "active");
    assert!(!msp.parts.wire.notices().iter().any(|notice| notice == "CredentialsRejected"));
    let stopped = msp.see(&plan().await).await;
    assert_eq!((stopped.view["code"].as_str(), msp.psa.request_count()), (Some("psa_circuit_open"), 1));

    msp.clock.advance(minutes(5));
    let recovered = plan().await;
    for job in msp.jobs() {
        msp.work(&job).await.unwrap();
    }
    assert_eq!(msp.see(&recovered).await.result("acme", "edr"), "updated");
}

#[tokio::test]
async fn a_missing_right_is_an_answer_and_leaves_the_circuit_closed() {
    let msp = msp().await;
    let said =
        r#"{"errors":["The logged in Resource does not have the adequate permissions to query this entity type."]}"#;
    msp.psa.plan_fault(When::EveryRequest(Entity::Contracts), Fault::answer(500, said));
    assert!(runs(&msp, 6).await.iter().all(|(requests, code)| *requests == 2 && code == "psa_permission_missing"));
    assert_eq!(connection(&msp).await["circuit"], Value::Null);
}

#[tokio::test]
async fn a_healthy_connection_has_no_row_of_its_circuit() {
    let msp = msp().await;
    assert_eq!(run(&msp).await.1, "succeeded");
    let key = schema::breaker(&PARTNER.parse().unwrap(), &msp.connection.parse().unwrap());
    let row = || msp.parts.table.get::<Value>(&key, Read::Consistent);
    assert_eq!(row().await.unwrap(), None);
    msp.psa.plan_fault(When::Request(Entity::ThresholdInformation, 1), Fault::ResetBefore);
    msp.psa.reset_counts();
    run(&msp).await;
    let failed = row().await.unwrap().unwrap();
    run(&msp).await;
    let answered = row().await.unwrap().unwrap();
    assert_eq!((&failed["version"], &answered["version"]), (&json!(1), &json!(2)));
    run(&msp).await;
    assert_eq!(row().await.unwrap().unwrap(), answered, "a second success writes nothing");
}

/// Fails what the store is told of circuits, while it is told to.
#[derive(Default)]
struct Deaf(AtomicBool);

impl Hook for Deaf {
    fn pass(&self, point: &Point) -> Result<(), Struck> {
        let struck = self.0.load(Ordering::SeqCst) && point.effect == "store.put BREAKER" && point.side == Side::Before;
        if struck { Err(Struck) } else { Ok(()) }
    }
}

#[tokio::test]
async fn a_probe_that_can_not_be_claimed_is_not_made_and_an_outcome_that_can_not_be_noted_stops_nothing() {
    let deaf = Arc::new(Deaf::default());
    let msp = Setup::of([Customer::named("acme").line("edr", 40)]).faults(deaf.clone()).start().await;
    msp.push(&[("acme", "edr", 42)]).await;
    deaf.0.store(true, Ordering::SeqCst);
    msp.psa.plan_fault(When::EveryRequest(Entity::ThresholdInformation), Fault::answer(503, ""));
    assert_eq!(runs(&msp, 6).await, vec![(1, "psa_unavailable".to_owned()); 6]);
    deaf.0.store(false, Ordering::SeqCst);
    assert_eq!(runs(&msp, 6).await.last(), Some(&stopped()));
    msp.clock.advance(minutes(1));
    deaf.0.store(true, Ordering::SeqCst);
    assert_eq!(run(&msp).await, stopped(), "not without a claim");
    deaf.0.store(false, Ordering::SeqCst);
    msp.psa.clear_faults();
    assert_eq!(run(&msp).await.1, "succeeded");
}

// The budget.

const PRODUCTS: [&str; 3] = ["edr", "itdr", "sat"];

/// Asks for a run of one company and plans it; its job waits.
async fn planned(msp: &Msp, company: &str) -> String {
    let path = format!("/v1/connections/{}/runs", msp.connection);
    let body = json!({"mode": "apply", "companies": [company]});
    let run = msp.done(Method::POST, &path, Some(body)).await;
    msp.plan().await;
    run["run_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_runs_of_one_hour_never_pass_the_budget_together() {
    let names = ["a", "b", "c"];
    let customer =
        |name: &str| PRODUCTS.iter().fold(Customer::named(name), |customer, product| customer.line(product, 5));
    let msp = Setup::of(names.map(customer)).start().await;
    let counts: Vec<_> = names.iter().flat_map(|name| PRODUCTS.map(|product| (*name, product, 6))).collect();
    msp.push(&counts).await;
    msp.clock.advance(minutes(61));
    // 80 % of 10,000 are ours: 20 are left. Each planning makes 3 requests, each job takes 5: two jobs, not three.
    msp.psa.use_threshold(8_000 - 20);
    msp.psa.reset_counts();
    let mut runs = vec![];
    for name in names {
        runs.push(planned(&msp, name).await);
    }
    let reads = msp.psa.request_count();
    let jobs = msp.jobs();
    assert_eq!(jobs.len(), 3, "each alone had room");
    for job in &jobs {
        msp.work(job).await.unwrap();
    }
    println!("three runs, 20 requests left: {reads} to plan, {} in all", msp.psa.request_count());
    assert!(msp.psa.request_count() <= 20, "{}", msp.psa.request_count());
    let [a, b, c] = [msp.see(&runs[0]).await, msp.see(&runs[1]).await, msp.see(&runs[2]).await];
    assert_eq!((a.view["lines"]["updated"].as_u64(), b.view["lines"]["updated"].as_u64()), (Some(3), Some(3)));
    assert!(c.results().values().all(|result| result == "skipped budget_exhausted"), "{:?}", c.results());
    assert_eq!((c.status(), c.view["code"].as_str()), ("partial", Some("budget_exhausted")), "{}", c.view);
    assert_eq!(msp.write_requests(), 6);
    // Later in the hour there is still nothing left; after it the work is done.
    assert_eq!(msp.see(&planned(&msp, "c").await).await.view["code"], "budget_exhausted");
    msp.clock.advance(minutes(61));
    let last = msp.run("apply").await;
    assert_eq!((last.status(), last.writes()), ("succeeded", 3));
}

#[tokio::test]
async fn a_job_with_an_unsettled_write_and_no_requests_left_keeps_its_line_unknown() {
    let msp = Setup::of([Customer::named("acme").line("a", 1).line("b", 1)])
        .patience(Duration::from_millis(300))
        .start()
        .await;
    msp.push(&[("acme", "a", 2), ("acme", "b", 1)]).await;
    msp.psa.plan_fault(When::Write(1), Fault::HangBefore);
    assert_eq!(msp.run("apply").await.result("acme", "a"), "unknown write_unsettled");
    msp.push(&[("acme", "a", 2), ("acme", "b", 2)]).await;
    msp.clock.advance(minutes(61));
    // 3 to plan and 4 for one job of two lines; another planning comes between.
    msp.psa.use_threshold(8_000 - 8);
    let run = planned(&msp, "acme").await;
    let job = msp.jobs().pop_front().unwrap();
    planned(&msp, "acme").await;
    msp.psa.reset_counts();
    msp.work(&job).await.unwrap();
    let run = msp.see(&run).await;
    assert_eq!(
        json!(run.results()),
        json!({"acme/a": "unknown write_unsettled", "acme/b": "skipped budget_exhausted"})
    );
    assert_eq!(msp.psa.request_count(), 0);
}

#[tokio::test]
async fn a_job_that_comes_after_its_window_begins_another_and_leaves_others_their_share() {
    let msp = msp().await;
    msp.psa.use_threshold(1_000);
    let key = schema::budget(&PARTNER.parse().unwrap(), &msp.connection.parse().unwrap());
    let row = async || {
        let row = msp.parts.table.get::<Value>(&key, Read::Consistent).await.unwrap().unwrap();
        ["left", "taken"].map(|name| row[name].as_u64().unwrap())
    };
    let run = msp.ask("apply").await;
    msp.plan().await;
    let [left, taken] = row().await;
    let of_others = 8_000 - left - taken;
    assert!(of_others > 900, "{of_others}");
    msp.clock.advance(minutes(61));
    for job in msp.jobs() {
        msp.work(&job).await.unwrap();
    }
    assert_eq!(msp.see(&run).await.result("acme", "edr"), "updated");
    assert_eq!(row().await, [8_000 - of_others - 3, 3]);
}

#[tokio::test]
async fn prices_that_the_psa_has_no_room_for_stop_neither_the_run_nor_the_ones_after_it() {
    for mode in ["preview", "apply"] {
        let msp = msp().await;
        msp.push(&[("acme", "edr", 42), ("loose", "edr", 5)]).await;
        for entity in [Entity::Services, Entity::Currencies] {
            msp.psa.plan_fault(When::EveryRequest(entity), Fault::too_many_requests(Some(600)));
        }
        let run = msp.run(mode).await;
        assert_eq!((run.status(), &run.line("acme", "edr")["money"]), ("succeeded", &Value::Null), "{mode}");
        assert_eq!(connection(&msp).await["circuit"], Value::Null, "{mode}");
        // The first of them ends all of them.
        let asked = [Entity::Services, Entity::Currencies].map(|entity| msp.psa.count(entity, Asked::Query));
        assert_eq!(asked, [1, 0], "{mode}");
        assert_eq!(msp.run("apply").await.status(), "succeeded");
        assert_eq!(msp.units("acme", "edr"), 42);
    }
}

#[tokio::test]
async fn the_day_of_a_held_line_that_the_psa_has_no_room_for_stops_no_job_of_the_run() {
    let held = Customer::named("beta").line("edr", 100);
    let msp = Setup::of([Customer::named("acme").line("edr", 40), held]).start().await;
    msp.push(&[("acme", "edr", 42), ("beta", "edr", 10)]).await;
    // Only all of its rows show from when its change would count.
    msp.psa.post_period(msp.contract("beta"), msp.today());
    let second = When::Request(Entity::ContractServiceUnits, 2);
    msp.psa.plan_fault(second, Fault::too_many_requests(Some(600)));
    let run = msp.run("apply").await;
    assert_eq!(run.result("beta", "edr"), "held fall_guard");
    assert_eq!(run.line("beta", "edr")["effective_date"], Value::Null, "its day was not read");
    assert_eq!(run.result("acme", "edr"), "updated", "{:#}", run.line("acme", "edr"));
    assert_eq!(connection(&msp).await["circuit"], Value::Null);
}
