//! What a caller may get wrong: never a 5xx, always a problem that helps, and nothing stored is lost.

use integration::{Answer, Harness, connection_body, credentials};
use reqwest::Method;
use serde_json::{Value, json};

/// A harness with one connection, to see that it survives.
async fn with_connection() -> (Harness, String, Value) {
    let h = Harness::start().await;
    let path = format!("/v1/connections/{}", h.connect().await);
    let before = h.get(&path).await.json;
    (h, path, before)
}

/// Refused, and all is as it was.
async fn refused(h: &Harness, path: &str, before: &Value, answer: &Answer) -> Value {
    assert!((400..500).contains(&answer.status), "{answer:?}");
    assert_eq!(&h.get(path).await.json, before);
    assert_eq!(h.get("/v1/connections").await.json["items"].as_array().unwrap().len(), 1);
    assert_eq!(std::fs::read_dir(h.data().join("secrets")).unwrap().count(), 1);
    answer.problem()
}

fn with(pointer: &str, value: Value) -> Value {
    let mut body = connection_body();
    *body.pointer_mut(pointer).unwrap() = value;
    body
}

#[tokio::test]
async fn a_wrong_secret() {
    let (h, path, before) = with_connection().await;
    let answer = h.post("/v1/connections", with("/credentials/secret", "wrong".into())).await;
    insta::assert_json_snapshot!(refused(&h, &path, &before, &answer).await, @r#"
        {
          "code": "psa_credentials_rejected",
          "detail": "Autotask refuses the API user's name and secret.",
          "errors": [],
          "fix": "Check in Autotask that the API user is active and not locked and that its secret has not expired; make a new secret if in doubt, and send the credentials again.",
          "request_id": "[request]",
          "status": 422,
          "title": "PSA credentials rejected",
          "type": "/problems/psa_credentials_rejected"
        }
        "#);
}

#[tokio::test]
async fn an_unknown_user() {
    let (h, path, before) = with_connection().await;
    let answer = h.post("/v1/connections", with("/credentials/username", "nobody@nordwind.example".into())).await;
    insta::assert_json_snapshot!(refused(&h, &path, &before, &answer).await, @r#"
        {
          "code": "psa_user_unknown",
          "detail": "Autotask knows no API user of this name. It said: \"Zone information could not be determined\"",
          "errors": [],
          "fix": "Copy the user name from the API user's page in Autotask (it looks like an e-mail address) and send the credentials again.",
          "request_id": "[request]",
          "status": 422,
          "title": "PSA user unknown",
          "type": "/problems/psa_user_unknown"
        }
        "#);
}

#[tokio::test]
async fn a_wrong_integration_code() {
    let (h, path, before) = with_connection().await;
    let answer = h.post("/v1/connections", with("/credentials/integration_code", "WRONG".into())).await;
    insta::assert_json_snapshot!(refused(&h, &path, &before, &answer).await, @r#"
        {
          "code": "psa_integration_code_rejected",
          "detail": "Autotask does not accept the tracking identifier. It said: \"IntegrationCode is invalid\"",
          "errors": [],
          "fix": "Copy the tracking identifier from the API user's page in Autotask and send the credentials again.",
          "request_id": "[request]",
          "status": 422,
          "title": "PSA integration code rejected",
          "type": "/problems/psa_integration_code_rejected"
        }
        "#);
}

#[tokio::test]
async fn credentials_that_no_header_can_carry() {
    let (h, path, before) = with_connection().await;
    for (field, value) in
        [("secret", "a\nb"), ("secret", "a\r\nx-admin: 1"), ("username", "ä\u{0}"), ("integration_code", "ü\n")]
    {
        let answer = h.post("/v1/connections", with(&format!("/credentials/{field}"), value.into())).await;
        assert_eq!(refused(&h, &path, &before, &answer).await["status"], 422, "{field} {value:?}");
    }
}

#[tokio::test]
async fn unknown_and_missing_fields_are_named_all_at_once() {
    let (h, path, before) = with_connection().await;
    let body = json!({"psa": "autotask", "name": "", "time_zone": "Europe/Atlantis", "credentials": {"username": 7, "password": "x"}});
    let answer = h.post("/v1/connections", body).await;
    insta::assert_json_snapshot!(refused(&h, &path, &before, &answer).await, @r#"
        {
          "code": "invalid_request",
          "detail": "The request is not valid in 6 places.",
          "errors": [
            {
              "detail": "must be 1 to 200 characters on one line",
              "pointer": "/name"
            },
            {
              "detail": "must be the IANA name of a time zone, such as Europe/Berlin",
              "pointer": "/time_zone"
            },
            {
              "detail": "is not a field here",
              "pointer": "/credentials/password"
            },
            {
              "detail": "must be a string",
              "pointer": "/credentials/username"
            },
            {
              "detail": "is required",
              "pointer": "/credentials/secret"
            },
            {
              "detail": "is required",
              "pointer": "/credentials/integration_code"
            }
          ],
          "request_id": "[request]",
          "status": 422,
          "title": "Invalid request",
          "type": "/problems/invalid_request"
        }
        "#);
    let mut body = connection_body();
    body["schedule"] = json!({});
    let answer = h.post("/v1/connections", body).await;
    insta::assert_json_snapshot!(refused(&h, &path, &before, &answer).await, @r#"
        {
          "code": "invalid_request",
          "detail": "The request is not valid: /schedule: is not a field here.",
          "errors": [
            {
              "detail": "is not a field here",
              "pointer": "/schedule"
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
async fn a_body_of_ten_megabytes() {
    let (h, path, before) = with_connection().await;
    let answer = h.post("/v1/connections", with("/name", "x".repeat(10 * 1024 * 1024).into())).await;
    insta::assert_json_snapshot!(refused(&h, &path, &before, &answer).await, @r#"
        {
          "code": "body_too_large",
          "detail": "A body may have 5 MB.",
          "errors": [],
          "request_id": "[request]",
          "status": 413,
          "title": "Body too large",
          "type": "/problems/body_too_large"
        }
        "#);
}

#[tokio::test]
async fn a_body_that_is_no_json() {
    let (h, path, before) = with_connection().await;
    let send = async |kind: &str, body: &'static str| {
        Answer::to(h.signed(Method::POST, "/v1/connections").header("content-type", kind).body(body)).await
    };
    let answer = send("application/json", "{\"psa\":\n  \"autotask\",,}").await;
    insta::assert_json_snapshot!(refused(&h, &path, &before, &answer).await, @r#"
        {
          "code": "malformed_json",
          "detail": "The body is not JSON: see line 2, column 14.",
          "errors": [],
          "request_id": "[request]",
          "status": 400,
          "title": "Malformed JSON",
          "type": "/problems/malformed_json"
        }
        "#);
    let answer = send("text/plain", "{}").await;
    insta::assert_json_snapshot!(refused(&h, &path, &before, &answer).await, @r#"
        {
          "code": "not_json",
          "detail": "Send the body as application/json.",
          "errors": [],
          "request_id": "[request]",
          "status": 415,
          "title": "Not JSON",
          "type": "/problems/not_json"
        }
        "#);
    for (body, status) in [
        ("", 400),
        ("{}{}", 400),
        ("\u{feff}{}", 400),
        ("[]", 422),
        ("null", 422),
        ("\"x\"", 422),
        ("{\"psa\":1,\"psa\":1}", 422),
    ] {
        let answer = send("application/json", body).await;
        assert_eq!(refused(&h, &path, &before, &answer).await["status"], status, "{body}");
    }
    let deep: &'static str = Box::leak("[".repeat(100_000).into_boxed_str());
    assert_eq!(refused(&h, &path, &before, &send("application/json", deep).await).await["status"], 400);
}

#[tokio::test]
async fn a_time_zone_that_does_not_exist() {
    let (h, path, before) = with_connection().await;
    let answer = h.patch(&path, json!({"time_zone": "Europe/Atlantis"})).await;
    insta::assert_json_snapshot!(refused(&h, &path, &before, &answer).await, @r#"
        {
          "code": "invalid_request",
          "detail": "The request is not valid: /time_zone: must be the IANA name of a time zone, such as Europe/Berlin.",
          "errors": [
            {
              "detail": "must be the IANA name of a time zone, such as Europe/Berlin",
              "pointer": "/time_zone"
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
async fn a_schedule_that_does_not_exist() {
    let (h, path, before) = with_connection().await;
    let answer = h.patch(&path, json!({"schedule": {"frequency": "weekly", "hour": 2}})).await;
    insta::assert_json_snapshot!(refused(&h, &path, &before, &answer).await, @r#"
        {
          "code": "invalid_request",
          "detail": "The request is not valid: /schedule: a weekly schedule has a weekday and no day.",
          "errors": [
            {
              "detail": "a weekly schedule has a weekday and no day",
              "pointer": "/schedule"
            }
          ],
          "request_id": "[request]",
          "status": 422,
          "title": "Invalid request",
          "type": "/problems/invalid_request"
        }
        "#);
    for (schedule, pointer) in [
        (json!({"frequency": "daily", "hour": 24}), "/schedule"),
        (json!({"frequency": "daily", "hour": -1}), "/schedule"),
        (json!({"frequency": "daily", "hour": 2, "day": 1}), "/schedule"),
        (json!({"frequency": "monthly", "hour": 2, "day": 0}), "/schedule"),
        (json!({"frequency": "monthly", "hour": 2, "day": 32}), "/schedule"),
        (json!({"frequency": "hourly", "hour": 2}), "/schedule/frequency"),
        (json!({"frequency": "weekly", "hour": 2, "weekday": "funday"}), "/schedule/weekday"),
        (json!({"frequency": "daily", "hour": 2.5}), "/schedule/hour"),
        (json!({"frequency": "daily", "hour": 4096}), "/schedule/hour"),
        (json!({"frequency": "daily"}), "/schedule/hour"),
        (json!({"frequency": "daily", "hour": 2, "minute": 3}), "/schedule/minute"),
        (json!(null), "/schedule"),
        (json!("daily"), "/schedule"),
    ] {
        let answer = h.patch(&path, json!({"schedule": schedule})).await;
        assert_eq!(refused(&h, &path, &before, &answer).await["errors"][0]["pointer"], pointer, "{schedule}");
    }
}

#[tokio::test]
async fn a_policy_that_does_not_exist() {
    let (h, path, before) = with_connection().await;
    let body = json!({
        "enabled": "yes",
        "name": null,
        "policy": {"drift": "ignore", "guards": {"fall_percent": -1, "rise": 2}, "budget_percent": 0},
    });
    let answer = h.patch(&path, body).await;
    insta::assert_json_snapshot!(refused(&h, &path, &before, &answer).await, @r#"
        {
          "code": "invalid_request",
          "detail": "The request is not valid in 6 places.",
          "errors": [
            {
              "detail": "must be a boolean",
              "pointer": "/enabled"
            },
            {
              "detail": "must not be null",
              "pointer": "/name"
            },
            {
              "detail": "must be a whole number from 1 to 100",
              "pointer": "/policy/budget_percent"
            },
            {
              "detail": "must be `hold` or `overwrite`",
              "pointer": "/policy/drift"
            },
            {
              "detail": "must be a whole number from 0 to 4294967295",
              "pointer": "/policy/guards/fall_percent"
            },
            {
              "detail": "is not a field here",
              "pointer": "/policy/guards/rise"
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
async fn one_fault_refuses_the_whole_change() {
    let (h, path, before) = with_connection().await;
    let answer = h.patch(&path, json!({"name": "Renamed", "enabled": false, "policy": {"drift": "ignore"}})).await;
    assert_eq!(refused(&h, &path, &before, &answer).await["status"], 422);
    let answer = h.patch(&path, json!({"name": "Renamed", "status": "active"})).await;
    assert_eq!(refused(&h, &path, &before, &answer).await["errors"][0]["pointer"], "/status");
}

#[tokio::test]
async fn a_cursor_and_a_limit_that_this_list_never_gave() {
    let (h, path, before) = with_connection().await;
    let answer = h.get("/v1/connections?cursor=nonsense").await;
    insta::assert_json_snapshot!(refused(&h, &path, &before, &answer).await, @r#"
        {
          "code": "invalid_query",
          "detail": "The query is not valid: cursor must be the next_cursor of the same list with the same filters.",
          "errors": [
            {
              "detail": "must be the next_cursor of the same list with the same filters",
              "pointer": "?cursor"
            }
          ],
          "request_id": "[request]",
          "status": 400,
          "title": "Invalid query",
          "type": "/problems/invalid_query"
        }
        "#);
    for (query, pointer) in [
        ("limit=0", "?limit"),
        ("limit=101", "?limit"),
        ("limit=-1", "?limit"),
        ("limit=ten", "?limit"),
        ("cursor=", "?cursor"),
        ("page=2", "?page"),
    ] {
        let answer = h.get(&format!("/v1/connections?{query}")).await;
        let problem = refused(&h, &path, &before, &answer).await;
        assert_eq!((&problem["status"], &problem["errors"][0]["pointer"]), (&json!(400), &json!(pointer)), "{query}");
    }
    let answer = h.get(&format!("{path}/catalog/lines")).await;
    insta::assert_json_snapshot!(refused(&h, &path, &before, &answer).await, @r#"
        {
          "code": "invalid_query",
          "detail": "The query is not valid: contract_id is required.",
          "errors": [
            {
              "detail": "is required",
              "pointer": "?contract_id"
            }
          ],
          "request_id": "[request]",
          "status": 400,
          "title": "Invalid query",
          "type": "/problems/invalid_query"
        }
        "#);
    let answer = h.get(&format!("{path}/catalog/contracts?account_id=a%23b")).await;
    assert_eq!(refused(&h, &path, &before, &answer).await["errors"][0]["pointer"], "?account_id");
}

#[tokio::test]
async fn an_address_or_a_method_that_is_not_there() {
    let (h, path, before) = with_connection().await;
    let answer = h.get("/v1/nothing").await;
    insta::assert_json_snapshot!(refused(&h, &path, &before, &answer).await, @r#"
        {
          "code": "no_such_route",
          "detail": "There is nothing at this address.",
          "errors": [],
          "fix": "Every address begins with /v1. GET /openapi.json describes them all where the service runs on one machine; the README shows the usual ones.",
          "request_id": "[request]",
          "status": 404,
          "title": "No such route",
          "type": "/problems/no_such_route"
        }
        "#);
    let answer = h.put(&path, json!({})).await;
    assert!(answer.header("allow").contains("PATCH"));
    insta::assert_json_snapshot!(refused(&h, &path, &before, &answer).await, @r#"
        {
          "code": "method_not_allowed",
          "detail": "This address does not take this method.",
          "errors": [],
          "request_id": "[request]",
          "status": 405,
          "title": "Method not allowed",
          "type": "/problems/method_not_allowed"
        }
        "#);
    for id in ["%00", "a%23b", "..%2f..", &"x".repeat(500), "%F0%28"] {
        let answer = h.get(&format!("/v1/connections/{id}")).await;
        assert_eq!(refused(&h, &path, &before, &answer).await["status"], 404, "{id}");
    }
}

#[tokio::test]
async fn credentials_that_are_sent_wrongly_leave_the_old_ones() {
    let (h, path, before) = with_connection().await;
    let url = format!("{path}/credentials");
    for body in [
        json!({}),
        json!({"credentials": null}),
        json!({"credentials": {}}),
        json!({"credential": credentials()}),
        json!(credentials()),
    ] {
        let answer = h.put(&url, body.clone()).await;
        assert_eq!(refused(&h, &path, &before, &answer).await["status"], 422, "{body}");
    }
    assert_eq!(h.post(&format!("{path}/test"), json!({})).await.json["ok"], true);
}

#[tokio::test]
async fn an_idempotency_key_that_is_none() {
    let (h, path, before) = with_connection().await;
    for key in ["", " ", "a b", &"k".repeat(256)] {
        let request = h.signed(Method::POST, "/v1/connections").header("idempotency-key", key).json(&connection_body());
        let answer = Answer::to(request).await;
        assert_eq!(refused(&h, &path, &before, &answer).await["code"], "invalid_idempotency_key", "{key:?}");
    }
}
