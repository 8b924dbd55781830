//! What a company's listing says of its newest sync, gathered from the runs' results.

use std::collections::BTreeMap;

use integration::PARTNER;
use integration::msp::{Customer, Msp, Run, Setup, by_operation};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use shared::store::runs::{ResultPage, Runs};
use simulators::autotask::{Entity, Fault, When};

async fn msp() -> Msp {
    let acme = Customer::named("acme").line("edr", 40).line("itdr", 7).line("sat", 100);
    Setup::of([acme, Customer::named("beta").line("edr", 5), Customer::named("idle").line("edr", 1)]).start().await
}

/// Everything of `acme` and `beta`; `idle` uses nothing.
const COUNTS: [(&str, &str, u32); 4] =
    [("acme", "edr", 42), ("acme", "itdr", 7), ("acme", "sat", 10), ("beta", "edr", 5)];

async fn item(msp: &Msp, company: &str) -> Value {
    let path = format!("/v1/connections/{}/companies", msp.connection);
    let listed = msp.done(Method::GET, &format!("{path}?limit=100"), None).await;
    let item = listed["items"].as_array().unwrap().iter().find(|item| item["company"] == company).unwrap().clone();
    assert_eq!(msp.done(Method::GET, &format!("{path}/{company}"), None).await, item, "the list says something else");
    item
}

async fn last_sync(msp: &Msp, company: &str) -> Value {
    item(msp, company).await["last_sync"].clone()
}

/// Each company's status and the run that it is from.
async fn all(msp: &Msp) -> BTreeMap<String, (String, String)> {
    let listed = msp.done(Method::GET, &format!("/v1/connections/{}/companies", msp.connection), None).await;
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let brief = |item: &Value| {
        let last = &item["last_sync"];
        (text(&item["company"]), (text(&last["status"]), text(&last["run_id"])))
    };
    listed["items"].as_array().unwrap().iter().map(brief).collect()
}

fn brief(status: &str, run: &Run) -> (String, String) {
    (status.to_owned(), run.id.clone())
}

fn none() -> (String, String) {
    ("-".to_owned(), "-".to_owned())
}

/// Syncs only these companies.
async fn run_of(msp: &Msp, companies: &[&str]) -> Run {
    // Run ids are ordered by the time of their making.
    msp.clock.advance(SignedDuration::from_secs(1));
    let path = format!("/v1/connections/{}/runs", msp.connection);
    let body = json!({"mode": "apply", "companies": companies});
    let started = msp.done(Method::POST, &path, Some(body)).await;
    msp.drain().await;
    msp.see(started["run_id"].as_str().unwrap()).await
}

async fn run(msp: &Msp, mode: &str) -> Run {
    msp.clock.advance(SignedDuration::from_secs(1));
    msp.run(mode).await
}

#[tokio::test]
async fn a_company_is_judged_by_its_worst_line_and_all_of_them_are_counted() {
    let msp = msp().await;
    assert_eq!(last_sync(&msp, "acme").await, Value::Null);
    msp.push(&COUNTS).await;
    let run = run(&msp, "apply").await;
    assert_eq!(
        json!(run.results()),
        json!({"acme/edr": "updated", "acme/itdr": "unchanged", "acme/sat": "held fall_guard", "beta/edr": "unchanged"})
    );
    let mut acme = last_sync(&msp, "acme").await;
    assert_eq!((&acme["run_id"], &acme["at"]), (&json!(run.id), &run.view["finished_at"]));
    acme["run_id"] = "[run]".into();
    insta::assert_json_snapshot!(acme, @r#"
    {
      "at": "2026-11-21T12:00:02Z",
      "lines": {
        "failed": 0,
        "held": 1,
        "planned": 0,
        "skipped": 0,
        "unchanged": 1,
        "unknown": 0,
        "updated": 1
      },
      "run_id": "[run]",
      "status": "held"
    }
    "#);
    let expected = [("acme", brief("held", &run)), ("beta", brief("unchanged", &run)), ("idle", none())];
    assert_eq!(all(&msp).await, expected.map(|(name, brief)| (name.to_owned(), brief)).into());
}

#[tokio::test]
async fn a_preview_and_a_run_that_has_not_ended_do_not_count() {
    let msp = msp().await;
    msp.push(&COUNTS).await;
    run(&msp, "preview").await;
    assert_eq!(last_sync(&msp, "acme").await, Value::Null);
    let first = run(&msp, "apply").await;
    msp.push(&[("acme", "edr", 43), ("acme", "itdr", 7), ("acme", "sat", 10), ("beta", "edr", 5)]).await;
    run(&msp, "preview").await;
    let going_on = msp.ask("apply").await;
    msp.plan().await;
    assert_eq!(last_sync(&msp, "acme").await["run_id"], first.id);
    for job in msp.jobs() {
        msp.work(&job).await.unwrap();
    }
    assert_eq!(last_sync(&msp, "acme").await["run_id"], going_on);
}

#[tokio::test]
async fn a_newer_run_of_one_company_speaks_for_it_and_the_older_run_for_the_others() {
    let msp = msp().await;
    msp.push(&COUNTS).await;
    let whole = run(&msp, "apply").await;
    msp.push(&[("acme", "edr", 42), ("acme", "itdr", 7), ("acme", "sat", 10), ("beta", "edr", 6)]).await;
    let beta = run_of(&msp, &["beta"]).await;
    let seen = all(&msp).await;
    assert_eq!((&seen["acme"], &seen["beta"]), (&brief("held", &whole), &brief("updated", &beta)));
    // What a person approved is a run of one line.
    msp.clock.advance(SignedDuration::from_secs(1));
    let approved = msp.approve(&whole, Some(&[&msp.line_id("acme", "sat")])).await;
    assert_eq!(all(&msp).await["acme"], brief("updated", &approved));
    let whole = run(&msp, "apply").await;
    let seen = all(&msp).await;
    assert_eq!((&seen["acme"], &seen["beta"]), (&brief("unchanged", &whole), &brief("unchanged", &whole)));
}

#[tokio::test]
async fn a_line_that_companies_share_counts_for_each_of_them() {
    let msp = Setup::of([
        Customer::named("acme").line("edr", 40),
        Customer::named("labs").joined_to("acme"),
        Customer::named("zeta").line("edr", 3),
    ])
    .start()
    .await;
    msp.push(&[("acme", "edr", 30), ("labs", "edr", 12), ("zeta", "edr", 3)]).await;
    let whole = run(&msp, "apply").await;
    assert_eq!(json!(whole.results()), json!({"acme/edr": "updated", "zeta/edr": "unchanged"}));
    let seen = all(&msp).await;
    assert_eq!((&seen["acme"], &seen["labs"]), (&brief("updated", &whole), &brief("updated", &whole)));
    assert_eq!(seen["zeta"], brief("unchanged", &whole));
    assert_eq!(last_sync(&msp, "labs").await["lines"]["updated"], 1);
    // A run of the one looks at the line of both.
    let one = run_of(&msp, &["labs"]).await;
    let seen = all(&msp).await;
    assert_eq!((&seen["acme"], &seen["labs"]), (&brief("unchanged", &one), &brief("unchanged", &one)));
    assert_eq!(seen["zeta"], brief("unchanged", &whole));
}

#[tokio::test]
async fn a_company_that_was_mapped_after_the_newest_run_has_none_even_where_an_older_run_had_it() {
    let msp = msp().await;
    msp.push(&COUNTS).await;
    run(&msp, "apply").await;
    let beta = format!("/v1/connections/{}/companies/beta", msp.connection);
    msp.done(Method::DELETE, &beta, None).await;
    run(&msp, "apply").await;
    msp.map_company(&msp.connection, "beta", json!({})).await;
    assert_eq!(last_sync(&msp, "beta").await, Value::Null);
    let next = run(&msp, "apply").await;
    assert_eq!(all(&msp).await["beta"], brief("unchanged", &next));
}

#[tokio::test]
async fn a_run_that_failed_before_it_came_to_any_line_says_nothing_of_any_company() {
    let msp = msp().await;
    msp.push(&COUNTS).await;
    let first = run(&msp, "apply").await;
    msp.psa.plan_fault(When::EveryRequest(Entity::Contracts), Fault::answer(500, "{}"));
    let failed = run(&msp, "apply").await;
    assert_eq!((failed.status(), failed.lines.len()), ("failed", 0), "{}", failed.view);
    assert_eq!(all(&msp).await["acme"], brief("held", &first));
}

#[tokio::test]
async fn listing_costs_few_requests_and_looks_at_ten_runs_at_most() {
    let msp = msp().await;
    msp.push(&COUNTS).await;
    let whole = run(&msp, "apply").await;
    let listing = async || {
        let _ = msp.parts.requests.take();
        let seen = all(&msp).await;
        let requests = msp.parts.requests.take();
        println!("{:?} {requests:#?}", by_operation(&requests));
        (seen, requests.len())
    };
    // The connection, the import gate, the companies, the list of runs, the newest one and its lines.
    let (seen, requests) = listing().await;
    assert_eq!((&seen["acme"], requests), (&brief("held", &whole), 6));
    // Runs of others come in between, and previews.
    for _ in 0..9 {
        run_of(&msp, &["beta"]).await;
        run(&msp, "preview").await;
    }
    let (seen, requests) = listing().await;
    assert_eq!(seen["acme"], brief("held", &whole), "nine runs of another company hid it");
    assert!(requests <= 4 + 2 * 10 + 9, "{requests} requests");
    run_of(&msp, &["beta"]).await;
    let (seen, requests) = listing().await;
    assert_eq!(seen["acme"], none(), "an eleventh run was read");
    assert!(requests <= 4 + 2 * 10 + 9, "{requests} requests");
    // No more runs are read than it takes to answer: the one company that is asked for is in the newest.
    let _ = msp.parts.requests.take();
    assert_eq!(
        msp.done(Method::GET, &format!("/v1/connections/{}/companies/beta", msp.connection), None).await["last_sync"]["status"],
        "unchanged"
    );
    assert_eq!(msp.parts.requests.take().len(), 5);
    // What nobody is mapped for costs nothing more.
    let empty = msp.connect("Europe/Berlin").await;
    let _ = msp.parts.requests.take();
    msp.done(Method::GET, &format!("/v1/connections/{empty}/companies"), None).await;
    assert_eq!(msp.parts.requests.take().len(), 3);
}

#[tokio::test]
async fn results_of_more_than_a_megabyte_are_read_to_their_end() {
    let msp = msp().await;
    msp.push(&COUNTS).await;
    let whole = run(&msp, "apply").await;
    let runs = Runs::new(msp.parts.table.clone());
    let (partner, id) = (PARTNER.parse().unwrap(), whole.id.parse().unwrap());
    let row = runs.get(&partner, &id).await.unwrap().unwrap();
    let beta = runs.lines(&partner, &id, None, 100).await.unwrap().items.into_iter();
    let mut beta = beta.flat_map(|(_, page)| page.lines).find(|line| line.company.as_str() == "beta").unwrap();
    beta.explanation = "x".repeat(150_000);
    for page in 900..912 {
        beta.line_id = format!("line-{page}");
        runs.put_decided(&row, page, &ResultPage::of_lines(vec![beta.clone()])).await.unwrap();
    }
    assert_eq!(last_sync(&msp, "beta").await["lines"]["unchanged"], 13);
}

#[tokio::test]
async fn an_approval_of_one_line_does_not_hide_what_is_held_on_another() {
    let acme = Customer::named("acme").line("edr", 100).line("sat", 100);
    let msp = Setup::of([acme]).start().await;
    msp.push(&[("acme", "edr", 10), ("acme", "sat", 10)]).await;
    let run = msp.run("apply").await;
    assert_eq!(last_sync(&msp, "acme").await["lines"]["held"], 2);
    msp.clock.advance(SignedDuration::from_secs(1));
    let approved = msp.approve(&run, Some(&[&msp.line_id("acme", "edr")])).await;
    assert_eq!(approved.result("acme", "edr"), "updated");
    let last = last_sync(&msp, "acme").await;
    assert_eq!((&last["status"], &last["run_id"]), (&json!("held"), &json!(approved.id)));
    assert_eq!((&last["lines"]["held"], &last["lines"]["updated"]), (&json!(1), &json!(1)));
}
