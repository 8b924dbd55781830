//! Counts become units: what is written, what is left alone, and what the results say of it.

use integration::Answer;
use integration::msp::{Customer, Msp, Setup};
use reqwest::Method;
use serde_json::json;
use shared::api::auth::Scope;

async fn msp() -> Msp {
    let acme = Customer::named("acme").line("edr", 40).line("m365", 10).line("itdr", 7);
    Setup::of([acme, Customer::named("beta").line("edr", 3)]).start().await
}

const COUNTS: [(&str, &str, u32); 4] = [("acme", "edr", 42), ("acme", "m365", 8), ("acme", "itdr", 7), ("beta", "edr", 3)];

#[tokio::test]
async fn counts_become_units_and_a_second_run_writes_nothing() {
    let msp = msp().await;
    msp.push(&COUNTS).await;
    let run = msp.run("apply").await;
    assert_eq!(run.status(), "succeeded");
    assert_eq!(json!(run.results()), json!({"acme/edr": "updated", "acme/itdr": "unchanged", "acme/m365": "updated", "beta/edr": "unchanged"}));
    assert_eq!(run.numbers("acme", "edr"), (40, 42, 42));
    assert_eq!(run.numbers("acme", "m365"), (10, 8, 8));
    assert_eq!((msp.units("acme", "edr"), msp.units("acme", "m365"), msp.units("acme", "itdr")), (42, 8, 7));
    assert_eq!((run.writes(), msp.write_requests()), (2, 2));
    let asked = msp.psa.request_count();
    assert_eq!(run.view["psa_requests"], asked, "the run's own count of requests");

    msp.psa.reset_counts();
    let again = msp.run("apply").await;
    assert_eq!((again.status(), again.writes(), msp.write_requests()), ("succeeded", 0, 0));
    assert!(again.results().values().all(|result| result == "unchanged"), "{:?}", again.results());
    assert_eq!(msp.states("acme", "edr").await, "applied");
    assert_eq!(msp.states("acme", "m365").await, "applied");
    assert_eq!(msp.states("acme", "itdr").await, "");
    assert!(msp.psa.auto_created().is_empty());
}
