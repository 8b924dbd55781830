//! What whoever pushes usage may get wrong: never a 5xx, always a problem that helps, and nothing stored is lost.

use integration::{Answer, Harness};
use reqwest::Method;
use serde_json::{Value, json};

const NOON: &str = "2026-11-20T12:00:00Z";

fn record() -> Value {
    json!({"company": "acme", "company_name": "Acme", "product": "edr", "quantity": 42})
}

fn body(records: Vec<Value>) -> Value {
    json!({"as_of": NOON, "complete": true, "records": records})
}

/// A harness with one snapshot, to see that it survives.
async fn with_usage() -> (Harness, Value) {
    let h = Harness::start().await;
    let answer = h.put("/v1/usage/snapshots/before", body(vec![record()])).await;
    assert_eq!(answer.status, 201);
    let before = everything(&h).await;
    (h, before)
}

async fn everything(h: &Harness) -> Value {
    json!([h.get("/v1/usage").await.json, h.get("/v1/usage/snapshots/before").await.json])
}

/// Refused, and all is as it was.
async fn refused(h: &Harness, before: &Value, answer: Answer) -> Value {
    assert!((400..500).contains(&answer.status), "{answer:?}");
    assert_eq!(&everything(h).await, before);
    assert_eq!(h.get("/v1/usage/snapshots/s1").await.status, 404);
    answer.problem()
}

async fn push(h: &Harness, before: &Value, body: Value) -> Value {
    refused(h, before, h.put("/v1/usage/snapshots/s1", body).await).await
}

fn with(field: &str, value: Value) -> Value {
    let mut record = record();
    record[field] = value;
    body(vec![record])
}

#[tokio::test]
async fn a_negative_quantity() {
    let (h, before) = with_usage().await;
    insta::assert_json_snapshot!(push(&h, &before, with("quantity", json!(-1))).await, @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid: /records/0/quantity: must be a whole number from 0 to 10000000.",
      "errors": [
        {
          "detail": "must be a whole number from 0 to 10000000",
          "pointer": "/records/0/quantity"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
}

#[tokio::test]
async fn a_quantity_that_is_no_whole_number_or_absurd() {
    let (h, before) = with_usage().await;
    for bad in [
        json!(1.5),
        json!(42.0),
        json!("42"),
        json!(null),
        json!(true),
        json!([1]),
        json!(10_000_001),
        json!(1e30),
        json!(u64::MAX),
    ] {
        let problem = push(&h, &before, with("quantity", bad.clone())).await;
        assert_eq!(
            problem["errors"],
            json!([{"pointer": "/records/0/quantity", "detail": "must be a whole number from 0 to 10000000"}]),
            "{bad}"
        );
    }
    assert_eq!(h.put("/v1/usage/snapshots/most", with("quantity", json!(10_000_000))).await.status, 201);
}

#[tokio::test]
async fn every_offending_record_is_named() {
    let (h, before) = with_usage().await;
    let records = vec![
        record(),
        json!({"company": "a#b", "company_name": "", "product": "", "quantity": -1, "unit_cost": "1e3"}),
        json!({"company": "bolt", "quantity": 1}),
        json!({"company": "core", "company_name": "Core", "product": "edr", "quantity": 1, "unit_cost": 1.1, "seats": 4}),
        json!("dune"),
    ];
    insta::assert_json_snapshot!(push(&h, &before, body(records)).await, @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid in 10 places.",
      "errors": [
        {
          "detail": "must be 1 to 128 printable ASCII characters without spaces at its ends and without '#'",
          "pointer": "/records/1/company"
        },
        {
          "detail": "must be 1 to 200 characters without control characters",
          "pointer": "/records/1/company_name"
        },
        {
          "detail": "must be 1 to 128 printable ASCII characters without spaces at its ends and without '#'",
          "pointer": "/records/1/product"
        },
        {
          "detail": "must be a whole number from 0 to 10000000",
          "pointer": "/records/1/quantity"
        },
        {
          "detail": "must be a decimal text such as \"12.50\": not negative, at most 6 digits after the point",
          "pointer": "/records/1/unit_cost"
        },
        {
          "detail": "is required",
          "pointer": "/records/2/company_name"
        },
        {
          "detail": "is required",
          "pointer": "/records/2/product"
        },
        {
          "detail": "must be a decimal text such as \"12.50\": not negative, at most 6 digits after the point",
          "pointer": "/records/3/unit_cost"
        },
        {
          "detail": "is not a field here",
          "pointer": "/records/3/seats"
        },
        {
          "detail": "must be an object",
          "pointer": "/records/4"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
}

#[tokio::test]
async fn of_very_many_faults_a_hundred_are_named() {
    let (h, before) = with_usage().await;
    let records =
        (0..5_000).map(|n| json!({"company": format!("c{n}"), "company_name": "C", "product": "edr", "quantity": -1}));
    let problem = push(&h, &before, body(records.collect())).await;
    assert_eq!(problem["detail"], "The request is not valid in 5000 places; the first 100 are named.");
    assert_eq!(
        (problem["errors"].as_array().unwrap().len(), &problem["errors"][99]["pointer"]),
        (100, &json!("/records/99/quantity"))
    );
}

#[tokio::test]
async fn a_company_and_product_twice() {
    let (h, before) = with_usage().await;
    let mut other = record();
    other["product"] = "m365".into();
    insta::assert_json_snapshot!(push(&h, &before, body(vec![record(), other, record()])).await, @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid: /records/2: counts the same company and product as /records/0.",
      "errors": [
        {
          "detail": "counts the same company and product as /records/0",
          "pointer": "/records/2"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
}

#[tokio::test]
async fn an_instant_in_the_future_or_long_ago() {
    let (h, before) = with_usage().await;
    let at = |as_of: Value| json!({"as_of": as_of, "complete": true, "records": [record()]});
    insta::assert_json_snapshot!(push(&h, &before, at("2026-11-21T13:00:01Z".into())).await, @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid: /as_of: must not be more than an hour ahead.",
      "errors": [
        {
          "detail": "must not be more than an hour ahead",
          "pointer": "/as_of"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
    insta::assert_json_snapshot!(push(&h, &before, at("2025-10-17T11:59:59Z".into())).await, @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid: /as_of: must not be more than 400 days ago.",
      "errors": [
        {
          "detail": "must not be more than 400 days ago",
          "pointer": "/as_of"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
    insta::assert_json_snapshot!(push(&h, &before, at("2026-11-20".into())).await, @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid: /as_of: must be an instant such as 2026-11-20T23:59:00Z.",
      "errors": [
        {
          "detail": "must be an instant such as 2026-11-20T23:59:00Z",
          "pointer": "/as_of"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
    for bad in [
        json!(""),
        json!("2026-11-20T12:00:00"),
        json!("9999-12-31T23:59:59Z"),
        json!("-000001-01-01T00:00:00Z"),
        json!(1_763_640_000),
        json!(null),
    ] {
        assert_eq!(push(&h, &before, at(bad.clone())).await["errors"][0]["pointer"], "/as_of", "{bad}");
    }
    for good in ["2026-11-21T13:00:00Z", "2025-10-17T12:00:00Z"] {
        assert_eq!(
            h.put(&format!("/v1/usage/snapshots/at-{}", &good[..4]), at(good.into())).await.status,
            201,
            "{good}"
        );
    }
}

#[tokio::test]
async fn more_records_than_one_request_carries() {
    let (h, before) = with_usage().await;
    let records =
        (0..5_001).map(|n| json!({"company": format!("c{n}"), "company_name": "C", "product": "edr", "quantity": 1}));
    let records: Vec<_> = records.collect();
    insta::assert_json_snapshot!(push(&h, &before, body(records.clone())).await, @r#"
    {
      "code": "too_many_records",
      "detail": "A request carries at most 5000 records; this one has 5001.",
      "errors": [
        {
          "detail": "must have at most 5000 entries",
          "pointer": "/records"
        }
      ],
      "fix": "Send the snapshot in parts and seal it.",
      "request_id": "[request]",
      "status": 422,
      "title": "Too many records",
      "type": "/problems/too_many_records"
    }
    "#);
    let part = h.put("/v1/usage/snapshots/s1/parts/1", json!({"as_of": NOON, "records": records})).await;
    assert_eq!(refused(&h, &before, part).await["code"], "too_many_records");
}

#[tokio::test]
async fn bodies_of_another_shape() {
    let (h, before) = with_usage().await;
    for (body, pointer) in [
        (json!({"complete": true, "records": []}), "/as_of"),
        (json!({"as_of": NOON, "records": []}), "/complete"),
        (json!({"as_of": NOON, "complete": true}), "/records"),
        (json!({"as_of": NOON, "complete": "true", "records": []}), "/complete"),
        (json!({"as_of": NOON, "complete": true, "records": {}}), "/records"),
        (json!({"as_of": NOON, "complete": true, "records": [], "source": "x"}), "/source"),
        (json!([]), ""),
        (with("company_name", json!("\u{7}")), "/records/0/company_name"),
        (with("company_name", json!("x".repeat(201))), "/records/0/company_name"),
        (with("company", json!("x".repeat(129))), "/records/0/company"),
        (with("product", json!(7)), "/records/0/product"),
        (with("unit_cost", json!("-0.01")), "/records/0/unit_cost"),
        (with("unit_cost", json!("1.0000001")), "/records/0/unit_cost"),
        (with("unit_cost", json!("")), "/records/0/unit_cost"),
    ] {
        let problem = push(&h, &before, body.clone()).await;
        assert_eq!(
            (&problem["status"], problem["errors"][0]["pointer"].as_str()),
            (&json!(422), Some(pointer)),
            "{body}"
        );
    }
    let send = async |kind: &str, text: String| {
        let request = h.signed(Method::PUT, "/v1/usage/snapshots/s1").header("content-type", kind).body(text);
        refused(&h, &before, Answer::to(request).await).await["code"].clone()
    };
    assert_eq!(send("application/json", "{\"as_of\":".into()).await, "malformed_json");
    assert_eq!(send("text/csv", "company".into()).await, "not_json");
    assert_eq!(send("application/json", " ".repeat(6 * 1024 * 1024)).await, "body_too_large");
}

#[tokio::test]
async fn an_id_that_cannot_be_stored() {
    let (h, before) = with_usage().await;
    for id in ["a%23b", "%20a", "%C3%A4", &"x".repeat(129)] {
        let answer = h.put(&format!("/v1/usage/snapshots/{id}"), body(vec![record()])).await;
        let problem = refused(&h, &before, answer).await;
        insta::allow_duplicates! {
            insta::assert_json_snapshot!(problem, @r#"
            {
              "code": "invalid_request",
              "detail": "The request is not valid: path:snapshot_id: must be 1 to 128 printable ASCII characters without spaces at its ends and without '#'.",
              "errors": [
                {
                  "detail": "must be 1 to 128 printable ASCII characters without spaces at its ends and without '#'",
                  "pointer": "path:snapshot_id"
                }
              ],
              "request_id": "[request]",
              "status": 422,
              "title": "Invalid request",
              "type": "/problems/invalid_request"
            }
            "#);
        }
        assert_eq!(h.get(&format!("/v1/usage/snapshots/{id}")).await.problem()["status"], 404, "{id}");
    }
}

#[tokio::test]
async fn part_numbers_that_do_not_exist() {
    let (h, before) = with_usage().await;
    for number in ["0", "21", "-1", "one", "1.0", "99999999999"] {
        let answer = h
            .put(&format!("/v1/usage/snapshots/s1/parts/{number}"), json!({"as_of": NOON, "records": [record()]}))
            .await;
        assert_eq!(refused(&h, &before, answer).await["errors"][0]["pointer"], "path:part", "{number}");
    }
    for parts in [json!(0), json!(21), json!(-1), json!(1.5), json!("1"), json!(null)] {
        let answer = h.post("/v1/usage/snapshots/s1/seal", json!({"parts": parts, "complete": true})).await;
        assert_eq!(refused(&h, &before, answer).await["errors"][0]["pointer"], "/parts", "{parts}");
    }
    let answer = h.put("/v1/usage/snapshots/s1/parts/1", json!({"as_of": NOON, "complete": true, "records": []})).await;
    insta::assert_json_snapshot!(refused(&h, &before, answer).await, @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid: /complete: is not a field here.",
      "errors": [
        {
          "detail": "is not a field here",
          "pointer": "/complete"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
}

#[tokio::test]
async fn queries_that_cannot_be_answered() {
    let (h, before) = with_usage().await;
    for (query, pointer) in [
        ("limit=0", "?limit"),
        ("limit=101", "?limit"),
        ("limit=x", "?limit"),
        ("company=a%23b", "?company"),
        ("product=", "?product"),
        ("from=yesterday", "?from"),
        ("to=2026-13-01", "?to"),
        ("from=2026-11-20&to=2026-11-19", "?from"),
        ("cursor=abc", "?cursor"),
        ("since=1", "?since"),
    ] {
        let problem = refused(&h, &before, h.get(&format!("/v1/usage?{query}")).await).await;
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{query}: {problem}");
    }
    let page = h
        .put(
            "/v1/usage/snapshots/more",
            body(vec![json!({"company": "b", "company_name": "B", "product": "edr", "quantity": 1})]),
        )
        .await;
    assert_eq!(page.status, 201);
    let cursor = h.get("/v1/usage?limit=1").await.json["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(h.get(&format!("/v1/usage?company=acme&cursor={cursor}")).await.problem()["code"], "invalid_query");
}
