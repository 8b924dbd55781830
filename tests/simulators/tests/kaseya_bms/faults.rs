//! Faults as a client meets them.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use simulators::KaseyaBms;
use simulators::kaseya_bms::{Fault, Route, When, failure_in_200, security_error};
use tokio::time::timeout;

use crate::support::*;

fn write(sim: &KaseyaBms, token: &str) -> reqwest::RequestBuilder {
    call(sim, token, Method::POST, &services_path()).json(&json!([item(1, "2026-11-10")]))
}

#[tokio::test]
async fn a_reset_comes_before_or_after_the_write_takes_effect() {
    let sim = start(tenant()).await;
    let token = token(&sim).await;
    sim.plan_fault(When::Write(1), Fault::ResetBefore);
    sim.plan_fault(When::Write(2), Fault::ResetAfter);
    for writes in [0, 1] {
        assert!(write(&sim, &token).send().await.is_err());
        assert_eq!(sim.writes().len(), writes);
    }
    assert_eq!(write(&sim, &token).send().await.unwrap().status(), 200, "a numbered fault strikes once");
    let statuses: Vec<_> = sim.requests().iter().map(|asked| asked.status).collect();
    assert_eq!(statuses, [Some(200), None, None, Some(200)]);
}

#[tokio::test]
async fn a_hang_lasts_until_the_client_gives_up() {
    let sim = start(tenant()).await;
    let token = token(&sim).await;
    sim.plan_fault(When::Write(1), Fault::HangBefore);
    sim.plan_fault(When::Write(2), Fault::HangAfter);
    for writes in [0, 1] {
        // Each with its own client, so that giving up closes the connection.
        assert!(timeout(Duration::from_millis(40), write(&sim, &token).send()).await.is_err());
        for _ in 0..1_000 {
            if sim.in_flight() == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!((sim.writes().len(), sim.in_flight()), (writes, 0));
    }
}

#[tokio::test]
async fn another_answer_comes_instead_applied_or_not() {
    let sim = start(tenant()).await;
    let token = token(&sim).await;
    let cases = [
        (Fault::redirect(301, "http://127.0.0.1:1/"), 301, 0),
        (Fault::redirect(307, "http://127.0.0.1:1/"), 307, 0),
        (Fault::answer(408, ""), 408, 0),
        (Fault::too_many_requests(Some(7)), 429, 0),
        (Fault::error_before(), 500, 0),
        (Fault::error_after(), 500, 1),
        (Fault::unparsable_after(), 200, 1),
        (failure_in_200(), 200, 0),
        (failure_in_200().after(), 200, 1),
        (security_error(), 401, 0),
        (Fault::Delay { ms: 1 }, 200, 1),
    ];
    for (fault, status, applied) in cases {
        sim.reset_counts();
        sim.plan_fault(When::Write(1), fault.clone());
        let response = write(&sim, &token).send().await.unwrap();
        assert_eq!(response.status(), status, "{fault:?}");
        if status == 429 {
            assert_eq!(response.headers()["retry-after"], "7");
        }
        assert_eq!(sim.writes().len(), applied, "{fault:?}");
        assert_eq!(sim.requests()[0].status, Some(status));
    }
}

#[tokio::test]
async fn a_failure_inside_200_reads_as_one() {
    let sim = start(tenant()).await;
    sim.plan_fault(When::EveryWrite, failure_in_200());
    let (status, body) = post_units(&sim, 1, "2026-11-10").await;
    assert_eq!((status, &body["success"], &body["result"]), (200, &json!(false), &json!(null)));
}

#[tokio::test]
async fn an_answer_can_be_larger_than_anyone_reads() {
    let sim = start(tenant()).await;
    sim.plan_fault(When::Request(Route::AccountsLookup, 1), Fault::oversized(3_000_000));
    let token = token(&sim).await;
    let response = call(&sim, &token, Method::GET, "/v2/crm/accounts/lookup").send().await.unwrap();
    let body = response.bytes().await.unwrap();
    assert_eq!(body.len(), 3_000_000);
    assert!(serde_json::from_slice::<serde_json::Value>(&body).is_ok());
}

#[tokio::test]
async fn faults_strike_the_nth_request_of_an_endpoint_or_every_one() {
    let sim = start(tenant()).await;
    sim.plan_fault(When::Request(Route::ContractsLookup, 2), Fault::answer(503, ""));
    sim.plan_fault(When::EveryRequest(Route::Service), Fault::answer(502, ""));
    let mut statuses = Vec::new();
    for path in ["/v2/finance/contracts/lookup", "/v2/admin/finance/services/5"].repeat(3) {
        statuses.push(get(&sim, path).await.0);
    }
    assert_eq!(statuses, [200, 502, 503, 502, 200, 502]);
    sim.clear_faults();
    assert_eq!(get(&sim, "/v2/admin/finance/services/5").await.0, 200);
    sim.plan_fault(When::EveryRequest(Route::Authenticate), Fault::answer(500, ""));
    assert_eq!(log_in_as(&sim, "x", "y").await.0, 500);
}

#[tokio::test]
async fn a_delay_holds_every_request_back_and_a_closed_port_refuses_new_ones() {
    let sim = start(tenant()).await;
    let token = token(&sim).await;
    let url = "/v2/crm/accounts/lookup";
    sim.set_delay(Duration::from_millis(40));
    assert!(timeout(Duration::from_millis(5), call(&sim, &token, Method::GET, url).send()).await.is_err());
    sim.set_delay(Duration::ZERO);
    assert_eq!(call(&sim, &token, Method::GET, url).send().await.unwrap().status(), 200);
    sim.refuse_connections(true).await;
    assert!(call(&sim, &token, Method::GET, url).send().await.unwrap_err().is_connect());
    sim.refuse_connections(false).await;
    assert_eq!(call(&sim, &token, Method::GET, url).send().await.unwrap().status(), 200);
}
