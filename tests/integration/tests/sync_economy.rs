//! What a sync costs the PSA: requests, requests at once, and what it leaves to other integrations.

use integration::msp::{Customer, Msp, Setup};
use jiff::SignedDuration;
use serde_json::json;
use simulators::autotask::{Entity, Kind};

const PRODUCTS: [&str; 3] = ["edr", "itdr", "sat"];

async fn msp_of(companies: u32) -> (Msp, Vec<String>) {
    let names: Vec<String> = (0..companies).map(|number| format!("c{number:04}")).collect();
    let customer =
        |name: &String| PRODUCTS.iter().fold(Customer::named(name), |customer, product| customer.line(product, 5));
    (Setup::of(names.iter().map(customer)).start().await, names)
}

fn counts(names: &[String], quantity: u32) -> Vec<(&str, &str, u32)> {
    names.iter().flat_map(|name| PRODUCTS.map(|product| (name.as_str(), product, quantity))).collect()
}

#[tokio::test]
async fn an_unchanged_sync_of_1000_companies_with_3_lines_each_makes_at_most_60_psa_requests() {
    let (msp, names) = msp_of(1_000).await;
    msp.push(&counts(&names, 5)).await;
    for name in ["first", "second"] {
        msp.psa.reset_counts();
        let run = msp.run("apply").await;
        assert_eq!((run.status(), run.lines.len(), run.writes()), ("succeeded", 3_000, 0));
        assert_eq!(run.view["lines"]["unchanged"], 3_000);
        assert_eq!(run.view["psa_requests"], msp.psa.request_count());
        println!(
            "{name} unchanged sync of 1,000 companies with 3 lines each: {} PSA requests",
            msp.psa.request_count()
        );
        assert!(msp.psa.request_count() <= 60, "{}", msp.psa.request_count());
    }
    for entity in Entity::ALL {
        let at_once = msp.psa.max_in_flight(entity);
        assert!(at_once <= 2, "{entity}: {at_once} at once");
    }
}

#[tokio::test]
async fn a_company_job_for_an_account_with_3_changed_lines_makes_at_most_5_psa_requests() {
    let (msp, names) = msp_of(2).await;
    msp.push(&counts(&names, 6)).await;
    msp.ask("apply").await;
    msp.plan().await;
    let jobs = msp.jobs();
    assert_eq!(jobs.len(), 2, "one job an account");
    for job in &jobs {
        msp.psa.reset_counts();
        msp.work(job).await.unwrap();
        println!("a company job with 3 changed lines: {} PSA requests", msp.psa.request_count());
        let of = |entity, kind| msp.psa.count(entity, kind);
        assert_eq!(of(Entity::ContractServiceUnits, Kind::Query), 2, "a read and a read-back");
        assert_eq!(of(Entity::ContractServiceAdjustments, Kind::Create), 3);
        assert!(msp.psa.request_count() <= 5, "{}", msp.psa.request_count());
    }
}

#[tokio::test]
async fn writes_go_out_one_at_a_time_and_reads_at_most_two() {
    let (msp, names) = msp_of(12).await;
    // Long enough for the requests of two jobs to meet.
    msp.psa.set_delay(std::time::Duration::from_millis(2));
    msp.push(&counts(&names, 6)).await;
    let run = msp.run("apply").await;
    assert_eq!(run.view["lines"]["updated"], 36);
    let at_once = Entity::ALL.map(|entity| (entity, msp.psa.max_in_flight(entity)));
    println!("{at_once:?}");
    for (entity, at_once) in at_once {
        let most = if entity == Entity::ContractServiceAdjustments { 1 } else { 2 };
        assert!(at_once <= most, "{entity}: {at_once} at once");
    }
}

#[tokio::test]
async fn a_run_stops_before_the_hours_requests_are_used_up_and_says_so() {
    let (msp, names) = msp_of(3).await;
    msp.push(&counts(&names, 6)).await;
    msp.clock.advance(SignedDuration::from_mins(61));
    // 80 % of 10,000 are ours to use: 9 are left, so the reads and one account's job of 5 fit.
    msp.psa.use_threshold(8_000 - 9);
    let run = msp.run("apply").await;
    assert_eq!((run.status(), run.view["code"].as_str()), ("partial", Some("budget_exhausted")));
    assert!(run.view["explanation"].as_str().unwrap().contains("80 %"), "{}", run.view);
    assert_eq!((run.view["lines"]["updated"].as_u64(), run.view["lines"]["skipped"].as_u64()), (Some(3), Some(6)));
    assert_eq!(run.result("c0000", "edr"), "updated");
    assert_eq!(run.result("c0002", "edr"), "skipped budget_exhausted");
    assert!(msp.psa.request_count() <= 9, "{}", msp.psa.request_count());
    // The hour is over: nothing was lost.
    msp.clock.advance(SignedDuration::from_mins(61));
    let next = msp.run("apply").await;
    assert_eq!((next.status(), next.writes()), ("succeeded", 6));
    assert!(names.iter().all(|name| PRODUCTS.iter().all(|product| msp.units(name, product) == 6)));
    assert_eq!(msp.changes().len(), 9);
}

#[tokio::test]
async fn a_run_with_no_requests_left_asks_for_the_allowance_alone() {
    let (msp, names) = msp_of(1).await;
    msp.push(&counts(&names, 6)).await;
    msp.psa.use_threshold(8_000);
    msp.psa.reset_counts();
    let run = msp.run("apply").await;
    assert_eq!((run.status(), run.view["code"].as_str(), run.lines.len()), ("failed", Some("budget_exhausted"), 0));
    assert_eq!(msp.psa.request_count(), 1);
}

#[tokio::test]
async fn the_share_of_the_hours_requests_is_the_connections_own() {
    let (msp, names) = msp_of(1).await;
    msp.policy(json!({"budget_percent": 10})).await;
    msp.push(&counts(&names, 6)).await;
    msp.psa.use_threshold(1_000);
    assert_eq!(msp.run("apply").await.status(), "failed");
    msp.policy(json!({"budget_percent": 90})).await;
    assert_eq!(msp.run("apply").await.status(), "succeeded");
}
