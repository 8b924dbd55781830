//! The control surface that all vendors have, at one of them.

use reqwest::{Client, Method};
use serde_json::{Value, json};
use simulators::Huntress;
use simulators::huntress::{Organization, SAMPLE_KEY, SAMPLE_SECRET};

use crate::support::read;

async fn started() -> Huntress {
    Huntress::start((1..=2).map(|id| Organization::new(id, format!("Customer {id}")))).await.unwrap()
}

async fn control(sim: &Huntress, method: Method, path: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/__sim/{path}", sim.base());
    read(Client::new().request(method, url).body(body.to_string())).await
}

async fn told(sim: &Huntress, path: &str) -> (u16, Value) {
    read(Client::new().get(format!("{}{path}", sim.base())).basic_auth(SAMPLE_KEY, Some(SAMPLE_SECRET))).await
}

#[tokio::test]
async fn another_process_can_change_customers_and_use_up_the_limit() {
    let sim = started().await;
    let post = async |path: &str, body: Value| control(&sim, Method::POST, path, body).await.0;
    let added = json!({ "change": { "add": { "id": 9, "name": "Ninth", "counts": { "agents": 4 } } } });
    assert_eq!(post("changes", added).await, 204);
    let counted = json!({ "change": { "count": { "id": 9, "counts": { "agents": 5 } } } });
    assert_eq!(post("changes", counted).await, 204);
    assert_eq!(post("changes", json!({ "change": { "delete": 77 } })).await, 400);
    assert_eq!(post("changes", json!({ "change": { "delete": 2 }, "after_page": 1 })).await, 204);
    assert_eq!(post("used", json!({ "requests": 58 })).await, 204);
    assert_eq!(told(&sim, "/v1/organizations/9").await.1["organization"]["agents_count"], 5);
    assert_eq!(told(&sim, "/v1/organizations").await.1["organizations"].as_array().unwrap().len(), 3);
    assert_eq!(told(&sim, "/v1/organizations").await.0, 429);
    let (_, customers) = control(&sim, Method::GET, "customers", Value::Null).await;
    let names: Vec<_> = customers.as_array().unwrap().iter().map(|customer| &customer["name"]).collect();
    assert_eq!(names, ["Customer 1", "Ninth"]);
}

#[tokio::test]
async fn another_process_can_plan_faults_and_read_what_was_asked() {
    let sim = started().await;
    let planned = json!({ "on": { "request": ["account", 2] }, "fault": { "answer": { "status": 503 } } });
    assert_eq!(control(&sim, Method::POST, "faults", planned.clone()).await.0, 204);
    assert_eq!(control(&sim, Method::GET, "faults", Value::Null).await.1[0]["on"], planned["on"]);
    assert_eq!((told(&sim, "/v1/account").await.0, told(&sim, "/v1/account").await.0), (200, 503));
    assert_eq!(told(&sim, "/nowhere").await.0, 404);
    let (_, requests) = control(&sim, Method::GET, "requests", Value::Null).await;
    let seen = |nth: usize| [&requests[nth]["number"], &requests[nth]["route"], &requests[nth]["status"]];
    assert_eq!(seen(1), [&json!(2), &json!("account"), &json!(503)]);
    assert_eq!(seen(2), [&json!(3), &Value::Null, &json!(404)]);
    assert!(!requests.to_string().contains(SAMPLE_SECRET));
    assert_eq!(control(&sim, Method::POST, "reset", Value::Null).await.0, 204);
    assert!(sim.requests().is_empty());
}

#[tokio::test]
async fn one_setting_can_be_changed_alone_and_one_that_is_none_is_refused() {
    let sim = started().await;
    let (_, switches) = control(&sim, Method::PATCH, "switches", json!({ "leaves_usages_out": true })).await;
    let expected = json!({ "repeats_token": false, "retry_after_s": null, "leaves_usages_out": true });
    assert_eq!(switches, expected);
    assert_eq!(control(&sim, Method::PATCH, "switches", json!({ "levaes_usages_out": true })).await.0, 400);
    let (_, limits) = control(&sim, Method::PATCH, "limits", json!({ "requests": null })).await;
    assert_eq!(limits, json!({ "requests": null, "window_s": 60, "default_page": 10, "largest_page": 500 }));
    sim.use_requests(100);
    assert_eq!(told(&sim, "/v1/account").await.0, 200);
    assert_eq!(control(&sim, Method::GET, "secrets", Value::Null).await.0, 404);
}
