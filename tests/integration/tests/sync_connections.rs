//! Connections and their PSA: two on one tenant, credentials that end, the partner's rights.

use integration::msp::{Customer, Msp, Setup};
use integration::{PARTNER, credentials};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use shared::secrets::{SecretName, WriteSecrets as _};
use simulators::autotask::{Fault, When};

async fn msp() -> Msp {
    Setup::of([Customer::named("acme").line("edr", 40).line("itdr", 7)]).start().await
}

/// A second connection to the same tenant, mapped the same.
async fn second(msp: &Msp) -> String {
    let second = msp.connect("Europe/Berlin").await;
    for product in ["edr", "itdr"] {
        msp.map_product(&second, product, json!({"service_id": msp.service(product).to_string()})).await;
    }
    msp.map_company(&second, "acme", json!({})).await;
    second
}

async fn status(msp: &Msp) -> Value {
    msp.done(Method::GET, &format!("/v1/connections/{}", msp.connection), None).await["status"].clone()
}

#[tokio::test]
async fn a_line_has_one_writer_and_the_second_connection_takes_over_when_the_first_is_revoked() {
    let mut msp = msp().await;
    msp.push(&[("acme", "edr", 42), ("acme", "itdr", 7)]).await;
    assert_eq!(msp.run("apply").await.status(), "succeeded");
    let first = msp.connection.clone();
    msp.connection = second(&msp).await;
    msp.push(&[("acme", "edr", 43), ("acme", "itdr", 8)]).await;
    msp.psa.reset_counts();
    let run = msp.run("apply").await;
    assert_eq!(
        json!(run.results()),
        json!({"acme/edr": "failed line_of_another_connection", "acme/itdr": "failed line_of_another_connection"})
    );
    assert!(run.line("acme", "edr")["explanation"].as_str().unwrap().contains(&first));
    assert_eq!((msp.write_requests(), msp.units("acme", "edr")), (0, 42));
    msp.done(Method::DELETE, &format!("/v1/connections/{first}"), None).await;
    let run = msp.run("apply").await;
    assert_eq!(json!(run.results()), json!({"acme/edr": "updated", "acme/itdr": "updated"}));
    assert_eq!((msp.units("acme", "edr"), msp.units("acme", "itdr")), (43, 8));
    assert_eq!(json!(msp.history("acme", "edr").await.writer), json!(msp.connection));
}

#[tokio::test]
async fn two_connections_that_are_planned_side_by_side_write_a_line_once() {
    let mut msp = msp().await;
    let first = msp.connection.clone();
    msp.push(&[("acme", "edr", 42), ("acme", "itdr", 7)]).await;
    let second = second(&msp).await;
    msp.psa.reset_counts();
    let one = msp.ask("apply").await;
    msp.connection = second;
    let two = msp.ask("apply").await;
    msp.plan().await;
    let jobs = msp.jobs();
    assert_eq!(jobs.len(), 2);
    for job in &jobs {
        msp.work(job).await.unwrap();
    }
    let (one, two) = (msp.see(&one).await, msp.see(&two).await);
    assert_eq!(one.result("acme", "edr"), "updated");
    assert_eq!(two.result("acme", "edr"), "failed line_of_another_connection");
    assert_eq!((msp.write_requests(), msp.units("acme", "edr")), (1, 42));
    assert_eq!(json!(msp.history("acme", "edr").await.writer), json!(first));
}

#[tokio::test]
async fn two_runs_that_are_planned_side_by_side_write_once() {
    let msp = msp().await;
    msp.push(&[("acme", "edr", 42), ("acme", "itdr", 9)]).await;
    let (one, two) = (msp.ask("apply").await, msp.ask("apply").await);
    msp.plan().await;
    let jobs = msp.jobs();
    assert_eq!(jobs.len(), 2);
    for job in &jobs {
        msp.work(job).await.unwrap();
    }
    assert_eq!(msp.see(&one).await.view["lines"]["skipped"], 2, "the newer run took over");
    assert_eq!(msp.see(&two).await.view["lines"]["updated"], 2);
    assert_eq!((msp.write_requests(), msp.units("acme", "edr"), msp.units("acme", "itdr")), (2, 42, 9));
}

/// Gives the connection a secret that the PSA does not take any more.
async fn rotate(msp: &Msp, secret: &str) {
    let name = SecretName::of(&PARTNER.parse().unwrap(), &msp.connection.parse().unwrap());
    let mut stored = credentials();
    stored["secret"] = secret.into();
    stored["psa"] = "autotask".into();
    msp.parts.secrets.put(&name, &stored.to_string().into()).await.unwrap();
}

#[tokio::test]
async fn a_secret_that_was_rotated_in_the_psa_fails_the_run_after_one_request() {
    let msp = msp().await;
    msp.push(&[("acme", "edr", 42), ("acme", "itdr", 7)]).await;
    rotate(&msp, "an-older-secret").await;
    let run = msp.run("apply").await;
    assert_eq!((run.status(), run.view["code"].as_str()), ("failed", Some("psa_credentials_rejected")), "{}", run.view);
    assert!(!run.view["fix"].as_str().unwrap().is_empty());
    assert_eq!((msp.psa.request_count(), run.view["psa_requests"].as_u64()), (1, Some(1)));
    assert_eq!(status(&msp).await, "credentials_rejected");
    assert_eq!(msp.parts.wire.notices(), ["CredentialsRejected", "RunFailed"]);
    // New credentials put it right.
    let path = format!("/v1/connections/{}/credentials", msp.connection);
    msp.done(Method::PUT, &path, Some(json!({"credentials": credentials()}))).await;
    assert_eq!(status(&msp).await, "active");
    assert_eq!(msp.run("apply").await.status(), "succeeded");
    assert_eq!(msp.units("acme", "edr"), 42);
}

#[tokio::test]
async fn a_secret_that_is_rotated_between_plan_and_job_sends_one_request_and_writes_nothing() {
    let msp = msp().await;
    msp.push(&[("acme", "edr", 42), ("acme", "itdr", 8)]).await;
    let run = msp.ask("apply").await;
    msp.plan().await;
    rotate(&msp, "an-older-secret").await;
    msp.psa.reset_counts();
    for job in msp.jobs() {
        msp.work(&job).await.unwrap();
    }
    let run = msp.see(&run).await;
    assert_eq!(
        json!(run.results()),
        json!({"acme/edr": "failed psa_credentials_rejected", "acme/itdr": "failed psa_credentials_rejected"})
    );
    assert_eq!((msp.psa.request_count(), msp.write_requests()), (1, 0));
    assert_eq!(status(&msp).await, "credentials_rejected");
}

#[tokio::test]
async fn a_write_that_is_refused_for_lack_of_rights_ends_the_accounts_writes() {
    let msp = msp().await;
    let said =
        r#"{"errors":["The logged in Resource does not have the adequate permissions to create this entity type."]}"#;
    msp.psa.plan_fault(When::EveryWrite, Fault::answer(500, said));
    msp.push(&[("acme", "edr", 42), ("acme", "itdr", 8)]).await;
    let run = msp.run("apply").await;
    assert_eq!(
        json!(run.results()),
        json!({"acme/edr": "failed psa_permission_missing", "acme/itdr": "skipped stopped"})
    );
    assert_eq!(msp.write_requests(), 1);
    assert_eq!(status(&msp).await, "credentials_rejected");
    // The right was given back in the PSA: the next sync shows that the connection works again.
    msp.psa.clear_faults();
    let run = msp.run("apply").await;
    assert_eq!(json!(run.results()), json!({"acme/edr": "updated", "acme/itdr": "updated"}));
    assert_eq!(status(&msp).await, "active");
}

#[tokio::test]
async fn after_one_refused_log_in_the_runs_other_jobs_try_none() {
    let names = ["a", "b", "c"];
    let msp = Setup::of(names.map(|name| Customer::named(name).line("edr", 1))).start().await;
    msp.push(&names.map(|name| (name, "edr", 2))).await;
    let run = msp.ask("apply").await;
    msp.plan().await;
    rotate(&msp, "an-older-secret").await;
    msp.psa.reset_counts();
    for job in msp.jobs() {
        msp.work(&job).await.unwrap();
    }
    let run = msp.see(&run).await;
    assert_eq!(
        json!(run.results()),
        json!({"a/edr": "failed psa_credentials_rejected", "b/edr": "skipped stopped", "c/edr": "skipped stopped"})
    );
    assert_eq!(msp.psa.request_count(), 1);
}

#[tokio::test]
async fn a_secret_that_is_gone_fails_the_run_without_a_request() {
    let msp = msp().await;
    msp.push(&[("acme", "edr", 42), ("acme", "itdr", 7)]).await;
    let name = SecretName::of(&PARTNER.parse().unwrap(), &msp.connection.parse().unwrap());
    msp.parts.secrets.delete(&name).await.unwrap();
    let run = msp.run("apply").await;
    assert_eq!((run.status(), run.view["code"].as_str()), ("failed", Some("credentials_missing")));
    assert_eq!(msp.psa.request_count(), 0);
}

#[tokio::test]
async fn a_connection_that_is_revoked_between_plan_and_job_is_not_written_for() {
    let msp = msp().await;
    msp.push(&[("acme", "edr", 42), ("acme", "itdr", 8)]).await;
    let run = msp.ask("apply").await;
    msp.plan().await;
    msp.done(Method::DELETE, &format!("/v1/connections/{}", msp.connection), None).await;
    msp.psa.reset_counts();
    for job in msp.jobs() {
        msp.work(&job).await.unwrap();
    }
    let run = msp.see(&run).await;
    assert!(run.results().values().all(|result| result == "skipped connection_off"), "{:?}", run.results());
    assert_eq!(msp.psa.request_count(), 0);
}

#[tokio::test]
async fn the_schedule_syncs_by_itself_and_only_what_is_switched_on() {
    let msp = msp().await;
    msp.push(&[("acme", "edr", 42), ("acme", "itdr", 7)]).await;
    msp.patch(json!({"schedule": {"frequency": "daily", "hour": 5}})).await;
    msp.clock.set("2026-11-22T03:59:00Z");
    assert_eq!(msp.parts.fan_out.tick().await.unwrap().started, 0);
    msp.clock.set("2026-11-22T04:00:00Z");
    assert_eq!(msp.parts.fan_out.tick().await.unwrap().started, 1);
    msp.drain().await;
    assert_eq!(msp.units("acme", "edr"), 42);
    msp.patch(json!({"enabled": false})).await;
    msp.clock.advance(SignedDuration::from_hours(48));
    assert_eq!(msp.parts.fan_out.tick().await.unwrap().started, 0);
}

#[tokio::test]
async fn a_job_that_comes_after_a_newer_runs_job_does_not_write_its_older_count() {
    let msp = msp().await;
    msp.push(&[("acme", "edr", 42), ("acme", "itdr", 7)]).await;
    let older = msp.ask("apply").await;
    msp.plan().await;
    let late = msp.jobs().pop_front().unwrap();
    msp.push(&[("acme", "edr", 45), ("acme", "itdr", 7)]).await;
    assert_eq!(msp.run("apply").await.numbers("acme", "edr"), (40, 45, 45));
    msp.work(&late).await.unwrap();
    let older = msp.see(&older).await;
    assert_eq!((older.result("acme", "edr").as_str(), older.status()), ("skipped superseded", "succeeded"));
    assert_eq!((msp.units("acme", "edr"), msp.write_requests()), (45, 1));
}
