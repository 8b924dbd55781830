//! Faults as a client meets them, some through a raw socket.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use simulators::autotask::{Autotask, Entity, Fault, When};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::*;

fn body(day: &str) -> Value {
    json!({"contractServiceID": LINE, "unitChange": 1, "effectiveDate": day})
}

/// An adjustment as raw bytes, so that what happens to the socket itself can be seen.
async fn raw_adjustment(sim: &Autotask, day: &str) -> TcpStream {
    let user = &sim.users()[0];
    let body = body(day).to_string();
    let mut socket = TcpStream::connect(sim.address()).await.unwrap();
    let head = format!(
        "POST /atservicesrest/v1.0/ContractServiceAdjustments HTTP/1.1\r\nHost: {}\r\nApiIntegrationCode: {}\r\n\
         UserName: {}\r\nSecret: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        sim.address(),
        user.integration_code(),
        user.username(),
        user.secret(),
        body.len()
    );
    socket.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    socket
}

#[tokio::test]
async fn a_reset_is_a_real_one_and_not_an_end_of_stream() {
    let sim = start(tenant()).await;
    sim.plan_fault(When::Write(1), Fault::ResetBefore);
    sim.plan_fault(When::Write(2), Fault::ResetAfter);
    for (day, writes) in [("2026-11-10", 0), ("2026-11-11", 1)] {
        let mut socket = raw_adjustment(&sim, day).await;
        let error = socket.read(&mut [0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        assert_eq!(sim.writes().len(), writes, "{day}");
    }
    assert_eq!(sim.requests().iter().map(|asked| asked.status).collect::<Vec<_>>(), [None, None]);
}

#[tokio::test]
async fn a_lost_response_has_taken_effect() {
    let sim = start(tenant()).await;
    sim.plan_fault(When::Write(1), Fault::ResetAfter);
    let request = call(&sim, &sim.users()[0], Method::POST, "/ContractServiceAdjustments").json(&body("2026-11-10"));
    assert!(request.send().await.is_err());
    assert_eq!(sim.units(CONTRACT, SERVICE, TODAY), Some(11));
    assert_eq!(post(&sim, "/ContractServiceAdjustments", body("2026-11-11")).await.0, 200, "a fault strikes once");
}

#[tokio::test]
async fn a_hang_lasts_until_the_client_gives_up_and_then_frees_its_thread() {
    let sim = start(tenant()).await;
    sim.plan_fault(When::Write(1), Fault::HangBefore);
    sim.plan_fault(When::Write(2), Fault::HangAfter);
    for (day, writes) in [("2026-11-10", 0), ("2026-11-11", 1)] {
        let mut socket = raw_adjustment(&sim, day).await;
        let silence = timeout(Duration::from_millis(30), socket.read(&mut [0; 64])).await;
        assert!(silence.is_err(), "no answer may come");
        assert_eq!(sim.in_flight(), 1);
        assert_eq!(sim.writes().len(), writes, "{day}");
        drop(socket);
        for _ in 0..1_000 {
            if sim.in_flight() == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(sim.in_flight(), 0);
    }
}

#[tokio::test]
async fn stopping_cuts_a_hanging_request() {
    let sim = start(tenant()).await;
    sim.plan_fault(When::EveryWrite, Fault::HangBefore);
    let mut socket = raw_adjustment(&sim, "2026-11-10").await;
    for _ in 0..1_000 {
        if sim.in_flight() == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let address = sim.address();
    sim.stop();
    assert!(socket.read(&mut [0; 64]).await.is_err());
    tokio::task::yield_now().await;
    assert!(TcpStream::connect(address).await.is_err(), "the port is closed");
}

#[tokio::test]
async fn another_answer_comes_instead_applied_or_not() {
    let sim = start(tenant()).await;
    let cases = [
        (Fault::redirect(301, "http://127.0.0.1:1/"), 301, 0),
        (Fault::redirect(307, "http://127.0.0.1:1/"), 307, 0),
        (Fault::answer(408, ""), 408, 0),
        (Fault::too_many_requests(Some(7)), 429, 0),
        (Fault::error_before(), 500, 0),
        (Fault::errors_with_200(), 200, 0),
        (Fault::error_after(), 500, 1),
        (Fault::unparsable_after(), 200, 1),
    ];
    for (index, (fault, status, applied)) in cases.into_iter().enumerate() {
        sim.reset_counts();
        sim.plan_fault(When::Write(1), fault.clone());
        let body = body(&format!("2026-11-{:02}", 10 + index));
        let request = call(&sim, &sim.users()[0], Method::POST, "/ContractServiceAdjustments").json(&body);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{fault:?}");
        if status == 429 {
            assert_eq!(response.headers()["retry-after"], "7");
        }
        assert_eq!(sim.writes().len(), applied, "{fault:?}");
        assert_eq!(sim.requests()[0].status, Some(status));
    }
}

#[tokio::test]
async fn faults_strike_the_nth_request_of_an_entity_or_every_one() {
    let sim = start(tenant()).await;
    sim.plan_fault(When::Request(Entity::Contracts, 2), Fault::answer(503, ""));
    sim.plan_fault(When::EveryRequest(Entity::Services), Fault::answer(502, ""));
    let contract = format!("/Contracts/{CONTRACT}");
    let mut statuses = Vec::new();
    for path in [&contract, "/Companies/1001", &contract, &contract, "/Services/5", "/Services/5"] {
        statuses.push(get(&sim, path).await.0);
    }
    assert_eq!(statuses, [200, 200, 503, 200, 502, 502]);
    sim.clear_faults();
    assert_eq!(get(&sim, "/Services/5").await.0, 200);
}

#[tokio::test]
async fn zone_discovery_can_fail_too() {
    let sim = start(tenant()).await;
    sim.plan_fault(When::Request(Entity::ZoneInformation, 1), Fault::ResetBefore);
    let url = format!("{}/atservicesrest/v1.0/zoneInformation?user={}", sim.base(), sim.users()[0].username());
    assert!(http().get(&url).send().await.is_err());
    assert_eq!(http().get(&url).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn new_connections_are_refused_while_open_ones_go_on() {
    let sim = start(tenant()).await;
    let client = http();
    let ask = |client: &reqwest::Client| {
        let url = format!("{}/atservicesrest/v1.0/zoneInformation?user={}", sim.base(), sim.users()[0].username());
        client.get(url).send()
    };
    ask(&client).await.unwrap().bytes().await.unwrap();
    sim.refuse_connections(true).await;
    ask(&client).await.unwrap().bytes().await.unwrap();
    assert!(ask(&http()).await.unwrap_err().is_connect());
    sim.refuse_connections(false).await;
    ask(&http()).await.unwrap();
    assert_eq!(sim.request_count(), 3);
}

#[tokio::test]
async fn a_delay_holds_every_request_back() {
    let sim = start(tenant()).await;
    sim.set_delay(Duration::from_millis(40));
    let slow = timeout(Duration::from_millis(5), get(&sim, "/Companies/1001")).await;
    assert!(slow.is_err());
    sim.set_delay(Duration::ZERO);
    assert_eq!(get(&sim, "/Companies/1001").await.0, 200);
}
