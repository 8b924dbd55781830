//! A connection that is switched off: nothing of it is written, whoever asks, and everything about it can be set up.

use fan_out::{FanOutError, Invocation, Request};
use integration::msp::{Customer, Msp, Setup};
use integration::{PARTNER, credentials};
use jiff::SignedDuration;
use jiff::civil::date;
use reqwest::Method;
use serde_json::{Value, json};
use shared::store::runs::Mode;
use simulators::autotask::ContractSpec;

/// Syncs daily at two in Berlin; a change of two units waits to be written.
async fn msp() -> Msp {
    let msp = Setup::of([Customer::named("acme").line("edr", 40)]).start().await;
    msp.push(&[("acme", "edr", 42)]).await;
    msp
}

fn path(msp: &Msp, rest: &str) -> String {
    format!("/v1/connections/{}{rest}", msp.connection)
}

async fn switch(msp: &Msp, enabled: bool) {
    msp.patch(json!({ "enabled": enabled })).await;
}

#[tokio::test]
async fn the_schedule_starts_nothing_and_the_missed_syncs_are_not_made_up_for() {
    let msp = msp().await;
    switch(&msp, false).await;
    for _ in 0..3 {
        msp.clock.advance(SignedDuration::from_hours(24));
        assert_eq!(msp.parts.fan_out.tick().await.unwrap().started, 0);
    }
    assert_eq!((msp.parts.wire.asked_for(), msp.psa.request_count()), (0, 0));
    // Switched on, its next sync is the schedule's next one.
    switch(&msp, true).await;
    assert_eq!(msp.parts.fan_out.tick().await.unwrap().started, 0);
    msp.clock.advance(SignedDuration::from_hours(24));
    assert_eq!(msp.parts.fan_out.tick().await.unwrap().started, 1);
    msp.drain().await;
    assert_eq!(msp.units("acme", "edr"), 42);
}

#[tokio::test]
async fn a_run_that_waits_for_its_planning_fails_and_asks_nothing_of_the_psa() {
    let msp = msp().await;
    let run = msp.ask("apply").await;
    switch(&msp, false).await;
    msp.drain().await;
    let run = msp.see(&run).await;
    assert_eq!((run.status(), run.view["code"].as_str()), ("failed", Some("connection_off")), "{}", run.view);
    assert_eq!(run.view["fix"], "Switch the connection on, then sync again.");
    assert_eq!((msp.psa.request_count(), msp.units("acme", "edr")), (0, 40));
}

#[tokio::test]
async fn a_sync_that_the_tick_began_is_stopped_before_its_planning_and_before_each_job() {
    let msp = msp().await;
    let tick = async || {
        msp.clock.advance(SignedDuration::from_hours(24));
        assert_eq!(msp.parts.fan_out.tick().await.unwrap().started, 1);
    };
    tick().await;
    switch(&msp, false).await;
    msp.drain().await;
    assert_eq!(msp.psa.request_count(), 0);
    switch(&msp, true).await;
    tick().await;
    msp.plan().await;
    switch(&msp, false).await;
    msp.psa.reset_counts();
    let jobs = msp.jobs();
    assert_eq!(jobs.len(), 1);
    for job in &jobs {
        msp.work(job).await.unwrap();
        let run = msp.see(job.run.as_str()).await;
        assert_eq!(run.result("acme", "edr"), "skipped connection_off");
    }
    assert_eq!((msp.psa.request_count(), msp.units("acme", "edr")), (0, 40));
}

#[tokio::test]
async fn a_run_that_would_write_is_refused_however_it_is_asked_for() {
    let msp = msp().await;
    let preview = msp.run("preview").await;
    let applied = msp.run("apply").await;
    msp.push(&[("acme", "edr", 44)]).await;
    let later = msp.run("preview").await;
    switch(&msp, false).await;
    msp.psa.reset_counts();
    for (target, body) in [
        (path(&msp, "/runs"), json!({"mode": "apply"})),
        (path(&msp, "/runs"), json!({"mode": "apply", "companies": ["acme"]})),
        (format!("/v1/runs/{}/approve", preview.id), json!({})),
        (format!("/v1/runs/{}/approve", later.id), json!({"lines": [msp.line_id("acme", "edr")]})),
        (format!("/v1/runs/{}/reverse", applied.id), json!({})),
    ] {
        let answer = msp.call(Method::POST, &target, Some(body)).await;
        assert_eq!((answer.status, answer.json["code"].as_str()), (409, Some("connection_off")), "{target}");
        assert!(!answer.json["fix"].as_str().unwrap().is_empty());
    }
    let (partner_id, connection_id) = (PARTNER.parse().unwrap(), msp.connection.parse().unwrap());
    let invocation = Request::Invoke(Invocation { partner_id, connection_id, mode: Mode::Apply });
    let refused = msp.parts.fan_out.handle(invocation).await;
    assert!(matches!(refused, Err(FanOutError::Refused(_))), "{refused:?}");
    assert_eq!((msp.parts.wire.asked_for(), msp.psa.request_count(), msp.units("acme", "edr")), (0, 0, 42));
}

#[tokio::test]
async fn everything_can_be_set_up_and_seen_while_it_is_off() {
    let other = ContractSpec::recurring("Other").id(29_690_000);
    let msp = Setup::of([
        Customer::named("acme").line("edr", 40).beside(other, &[]),
        Customer::named("beta").line("edr", 3).unmapped(),
    ])
    .start()
    .await;
    msp.push(&[("acme", "edr", 42), ("beta", "edr", 4)]).await;
    switch(&msp, false).await;
    let put = async |rest: &str, body: Value| msp.done(Method::PUT, &path(&msp, rest), Some(body)).await;
    // Mappings, with everything that may differ.
    put("/products/sat", json!({"service_id": msp.service("edr").to_string(), "rule": {"minimum": 2}})).await;
    msp.done(Method::DELETE, &path(&msp, "/products/sat"), None).await;
    let changed = put(
        "/companies/acme",
        json!({
            "account_id": msp.account("acme").to_string(),
            "contract_id": msp.contract("acme").to_string(),
            "overrides": {"edr": {"opening_units": 40, "rule": {"minimum": 3}}, "itdr": {"contract_id": "29690000", "excluded": true}},
            "when_absent": "hold",
        }),
    );
    assert_eq!(changed.await["openings"]["edr"]["units"], 40);
    msp.map_company(&msp.connection, "beta", json!({})).await;
    // The connection itself.
    msp.patch(json!({
        "name": "Renamed",
        "time_zone": "America/New_York",
        "schedule": {"frequency": "weekly", "hour": 3, "weekday": "sunday"},
        "invoice": {"frequency": "monthly", "day": 1},
        "policy": {"drift": "overwrite", "guards": {"fall_units": 9}},
    }))
    .await;
    put("/credentials", json!({"credentials": credentials()})).await;
    assert_eq!(msp.done(Method::POST, &path(&msp, "/test"), Some(json!({}))).await["ok"], true);
    for rest in ["/catalog/accounts", "/catalog/services", "/catalog/contracts", "/companies", "/products", "/findings"]
    {
        msp.done(Method::GET, &path(&msp, rest), None).await;
    }
    let look = msp.done(Method::GET, &path(&msp, "/preflight"), None).await;
    let of =
        |check: &str| look["items"].as_array().unwrap().iter().find(|item| item["check"] == check).unwrap().clone();
    assert_eq!((&of("credentials")["status"], &of("enabled")["code"]), (&json!("ok"), &json!("connection_off")));
    assert_eq!(of("invoice_day")["code"], "sync_too_early_for_invoices");
    // And what all that would do.
    let preview = msp.run("preview").await;
    assert_eq!(json!(preview.results()), json!({"acme/edr": "planned", "beta/edr": "planned"}));
    let after = msp.done(Method::GET, &path(&msp, ""), None).await;
    assert_eq!((&after["enabled"], &after["next_due_at"]), (&json!(false), &Value::Null), "something switched it on");
    assert_eq!((msp.write_requests(), msp.units("acme", "edr"), msp.units("beta", "edr")), (0, 40, 3));
    // Switched on, it does just that.
    switch(&msp, true).await;
    let run = msp.run("apply").await;
    assert_eq!(json!(run.results()), json!({"acme/edr": "updated", "beta/edr": "updated"}));
}

#[tokio::test]
async fn a_weekly_schedule_syncs_once_a_week_on_its_day_in_the_partners_zone() {
    let acme = Customer::named("acme").line("edr", 40).runs(date(2026, 1, 1), date(2027, 12, 31));
    let msp = Setup::of([acme]).start().await;
    msp.clock.set("2027-03-20T12:00:00Z");
    msp.patch(json!({"schedule": {"frequency": "weekly", "hour": 1, "weekday": "monday"}})).await;
    msp.push(&[("acme", "edr", 42)]).await;
    // Monday, one o'clock in Berlin, before and after the clocks change on Sunday the 28th.
    for (early, due) in [
        ("2027-03-21T23:45:00Z", "2027-03-22T00:00:00Z"),
        ("2027-03-28T22:45:00Z", "2027-03-28T23:00:00Z"),
        ("2027-04-04T22:45:00Z", "2027-04-04T23:00:00Z"),
    ] {
        let mut started = Vec::new();
        for at in [early, due, due] {
            msp.clock.set(at);
            started.push(msp.parts.fan_out.tick().await.unwrap().started);
        }
        assert_eq!(started, [0, 1, 0], "{due}");
        msp.drain().await;
    }
    assert_eq!(msp.units("acme", "edr"), 42);
    assert_eq!(msp.done(Method::GET, &path(&msp, ""), None).await["next_due_at"], "2027-04-11T23:00:00Z");
}
