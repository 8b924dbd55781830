//! What whoever sets a usage source up may get wrong: never a 5xx, every fault at once, and no vendor is asked.

use integration::{Answer, Harness};
use reqwest::Method;
use serde_json::{Value, json};

const HUNTRESS: &str = "/v1/sources/huntress";

/// Refused, and nothing is set up. Vendors do not answer in here: had one been asked, it would be a 503.
async fn refused(h: &Harness, path: &str, body: &Value) -> Value {
    let answer = h.put(path, body.clone()).await;
    assert!((400..500).contains(&answer.status), "{body}: {answer:?}");
    assert_eq!(h.get("/v1/sources").await.json["items"], json!([]));
    answer.problem()
}

fn with(field: &str, value: Value) -> Value {
    let mut body = json!({ "credentials": { "key": "k", "secret": "s" }, "products": { "agents": "edr" } });
    body[field] = value;
    body
}

#[tokio::test]
async fn every_fault_is_told_at_once() {
    let h = Harness::start().await;
    let body = json!({
        "credentials": { "key": 7, "password": "x" },
        "products": { "agents": "a#b", "seats/used~": "edr" },
        "filters": { "colour": "red", "nfr_company": 9, "trials": true },
        "schedule": { "frequency": "weekly", "hour": 2 },
        "time_zone": "Berlin",
    });
    insta::assert_json_snapshot!(refused(&h, HUNTRESS, &body).await, @"");
}

#[tokio::test]
async fn a_source_that_nobody_knows() {
    let h = Harness::start().await;
    let problem = refused(&h, "/v1/sources/Huntress", &with("time_zone", json!("UTC"))).await;
    insta::assert_json_snapshot!(problem, @"");
    for (method, path) in [(Method::GET, "x"), (Method::DELETE, "x"), (Method::POST, "x/pull"), (Method::GET, "%ff")] {
        let answer = Answer::to(h.signed(method.clone(), &format!("/v1/sources/{path}")).json(&json!({}))).await;
        assert_eq!(answer.problem()["status"], 404, "{method} {path}");
    }
}

#[tokio::test]
async fn a_source_that_is_not_set_up() {
    let h = Harness::start().await;
    for (method, path) in [(Method::GET, ""), (Method::DELETE, ""), (Method::POST, "/pull")] {
        let answer = Answer::to(h.signed(method.clone(), &format!("{HUNTRESS}{path}"))).await;
        let problem = answer.problem();
        assert_eq!((&problem["code"], problem["fix"].as_str()), (&json!("not_found"), Some(NOT_SET_UP)), "{method}");
    }
}

const NOT_SET_UP: &str = "Set it up first: PUT /v1/sources/{source}.";

#[tokio::test]
async fn bodies_of_another_shape() {
    let h = Harness::start().await;
    let many: serde_json::Map<_, _> = (0..501).map(|n| (format!("quantity:{n}"), json!("edr"))).collect();
    for (path, body, pointer) in [
        (HUNTRESS, json!({ "products": { "agents": "edr" } }), "/credentials"),
        (HUNTRESS, json!({ "credentials": { "key": "k", "secret": "s" } }), "/products"),
        (HUNTRESS, with("credentials", json!(null)), "/credentials"),
        (HUNTRESS, with("credentials", json!("k:s")), "/credentials"),
        (HUNTRESS, with("credentials", json!({ "key": "k" })), "/credentials/secret"),
        (HUNTRESS, with("products", json!({})), "/products"),
        (HUNTRESS, with("products", json!(["agents"])), "/products"),
        (HUNTRESS, with("products", json!(null)), "/products"),
        (HUNTRESS, with("products", json!({ "": "edr" })), "/products/"),
        (HUNTRESS, with("products", json!({ "agents": null })), "/products/agents"),
        (HUNTRESS, with("products", json!({ "agents": "" })), "/products/agents"),
        (HUNTRESS, with("filters", json!([])), "/filters"),
        (HUNTRESS, with("filters", json!(null)), "/filters"),
        (HUNTRESS, with("filters", json!({ "suspended": true })), "/filters/suspended"),
        (HUNTRESS, with("schedule", json!("daily")), "/schedule"),
        (HUNTRESS, with("schedule", json!({ "frequency": "daily", "hour": 24 })), "/schedule"),
        (HUNTRESS, with("time_zone", json!(null)), "/time_zone"),
        (HUNTRESS, with("time_zone", json!(1)), "/time_zone"),
        (HUNTRESS, with("enabled", json!(true)), "/enabled"),
        (HUNTRESS, json!([]), ""),
        (
            "/v1/sources/pax8",
            json!({ "credentials": { "client_id": "c", "client_secret": "s" }, "products": many }),
            "/products",
        ),
        (
            "/v1/sources/microsoft",
            json!({ "credentials": {}, "products": { "licenses:CFQ7TTC0LFLX/0001": 7 } }),
            "/credentials/tenant_id",
        ),
        ("/v1/sources/microsoft", json!({ "products": { "licenses:": "m365" } }), "/credentials"),
    ] {
        let problem = refused(&h, path, &body).await;
        assert_eq!(
            (&problem["status"], problem["errors"][0]["pointer"].as_str()),
            (&json!(422), Some(pointer)),
            "{body}"
        );
    }
}

#[tokio::test]
async fn names_of_metrics_are_pointed_at_as_json_pointers_are_written() {
    let h = Harness::start().await;
    let body = json!({ "products": { "licenses:CFQ7TTC0LFLX/0001": 7, "seats:a~b": "m365" } });
    let problem = refused(&h, "/v1/sources/microsoft", &body).await;
    let errors = problem["errors"].as_array().unwrap().iter();
    let pointers: Vec<_> = errors.map(|fault| fault["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/credentials", "/products/licenses:CFQ7TTC0LFLX~10001", "/products/seats:a~0b"]);
}

#[tokio::test]
async fn queries_that_cannot_be_answered() {
    let h = Harness::start().await;
    for (query, pointer) in [("limit=0", "?limit"), ("cursor=abc", "?cursor"), ("since=1", "?since")] {
        let problem = h.get(&format!("/v1/sources?{query}")).await.problem();
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{query}: {problem}");
    }
}
