//! Alerts over HTTP: who may do what, what is refused and why, and keys of every kind by path and by body.

use integration::msp::alerts::{alert, encoded};
use integration::msp::{Customer, Lane, Msp, Setup};
use integration::{Answer, PARTNER};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::{PARTNER as PARTNER_HEADER, Scope};

/// Tickets are not mapped: what is worked waits.
async fn msp() -> Msp {
    Setup::of([Customer::named("acme").line("edr", 40), Customer::named("zeta").line("edr", 5)]).start().await
}

/// Every route of one alert, as it is asked for by its key.
fn routes(key: &str) -> [(Method, String, Option<Value>, Scope); 6] {
    let path = encoded(key);
    let body = || Some(json!({ "dedupe_key": key }));
    [
        (Method::GET, format!("/v1/alerts/{path}"), None, Scope::Read),
        (Method::POST, format!("/v1/alerts/{path}/resolve"), None, Scope::Usage),
        (Method::POST, "/v1/alerts/resolve".to_owned(), body(), Scope::Usage),
        (Method::POST, format!("/v1/alerts/{path}/retry"), None, Scope::Write),
        (Method::POST, "/v1/alerts/retry".to_owned(), body(), Scope::Write),
        (Method::POST, format!("/v1/alerts/{path}/retry"), Some(json!({"forget": true})), Scope::Write),
    ]
}

/// The alerts that a list shows of a key.
async fn listed(msp: &Msp, partner: &str, key: &str) -> Vec<Value> {
    let list = msp.call_as(partner, Method::GET, &format!("/v1/alerts?dedupe_key={}", encoded(key)), None).await;
    assert_eq!((list.status, &list.json["next_cursor"]), (200, &Value::Null), "{}", list.text);
    list.json["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn every_route_asks_for_its_scope() {
    let msp = msp().await;
    msp.alert(alert("acme/1", "acme")).await;
    let all = routes("acme/1").into_iter().chain([
        (Method::POST, "/v1/alerts".to_owned(), Some(alert("acme/1", "acme")), Scope::Usage),
        (Method::GET, "/v1/alerts".to_owned(), None, Scope::Read),
        (Method::POST, "/v1/alerts/retry".to_owned(), None, Scope::Write),
    ]);
    for (method, path, body, needed) in all {
        let ask = async |token: Option<String>| {
            let request = msp.parts.request(method.clone(), &path);
            let request = token.into_iter().fold(request, |request, token| request.bearer_auth(token));
            Answer::to(body.iter().fold(request, |request, body| request.json(body))).await
        };
        assert_eq!(ask(None).await.problem()["code"], "token_missing", "{method} {path}");
        for scope in [Scope::Read, Scope::Write, Scope::Usage] {
            let answer = ask(Some(msp.parts.token(PARTNER, &[scope]))).await;
            let may = scope == needed || (scope, needed) == (Scope::Write, Scope::Read);
            let refused = answer.json["code"] == "scope_missing" && answer.status == 403;
            assert_eq!(refused, !may, "{method} {path} {scope:?}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn the_vendor_speaks_for_the_partner_whom_it_names() {
    let msp = msp().await;
    let ask = async |token: String, partner: Option<&str>| {
        let request = msp.parts.request(Method::POST, "/v1/alerts").bearer_auth(token).json(&alert("acme/1", "acme"));
        Answer::to(partner.into_iter().fold(request, |request, name| request.header(PARTNER_HEADER, name))).await
    };
    let vendor = || msp.parts.vendor_token(&[Scope::Usage]);
    assert_eq!(ask(vendor(), Some(PARTNER)).await.status, 202);
    assert_eq!(ask(vendor(), None).await.problem()["code"], "partner_header_needed");
    let own = msp.parts.token("another", &[Scope::Usage]);
    assert_eq!(ask(own, Some(PARTNER)).await.problem()["code"], "partner_header_refused");
    assert_eq!(msp.alert_now("acme/1").await["count"], 1);
}

#[tokio::test]
async fn no_partner_sees_or_changes_an_alert_of_another() {
    let msp = msp().await;
    msp.alert(alert("acme/1", "acme")).await;
    Lane::of(&msp).work_off().await;
    let before = msp.alert_now("acme/1").await;
    for (method, path, body, _) in routes("acme/1") {
        let theirs = msp.call_as("another", method.clone(), &path, body).await;
        assert_eq!((theirs.status, &theirs.problem()["code"]), (404, &json!("not_found")), "{method} {path}");
    }
    assert_eq!(listed(&msp, "another", "acme/1").await, [] as [Value; 0]);
    let all = msp.call_as("another", Method::GET, "/v1/alerts", None).await;
    assert_eq!(all.json["items"], json!([]));
    let retried = msp.call_as("another", Method::POST, "/v1/alerts/retry", None).await;
    assert_eq!(retried.json, json!({"queued": 0, "more": false}));
    let own = msp.call_as("another", Method::POST, "/v1/alerts", Some(alert("acme/1", "beta"))).await;
    assert_eq!((own.status, &own.json["count"]), (202, &json!(1)), "a key is the partner's own");
    assert_eq!(msp.alert_now("acme/1").await, before);
}

#[tokio::test]
async fn a_request_that_is_sent_twice_under_one_idempotency_key_counts_once() {
    let msp = msp().await;
    let ask = async |key: &str, body: &Value| {
        let token = msp.parts.token(PARTNER, &[Scope::Usage]);
        let request = msp.parts.request(Method::POST, "/v1/alerts").bearer_auth(token).header("idempotency-key", key);
        Answer::to(request.json(body)).await
    };
    let body = alert("acme/1", "acme");
    let (first, again) = (ask("k-1", &body).await, ask("k-1", &body).await);
    assert_eq!((first.status, &first.text), (202, &again.text));
    assert_eq!(msp.alert_now("acme/1").await["count"], 1);
    let other = ask("k-1", &alert("acme/2", "acme")).await;
    assert_eq!((other.status, &other.problem()["code"]), (422, &json!("idempotency_key_reused")));
    assert_eq!(ask("k-2", &body).await.json["count"], 2);
    msp.alert(body).await;
    assert_eq!(msp.alert_now("acme/1").await["count"], 3, "without a key every request counts");
}

#[tokio::test]
async fn every_fault_of_an_alert_is_told_at_once() {
    let msp = msp().await;
    let bad = json!({
        "dedupe_key": "a\nb", "company": "a#b", "kind": "", "severity": "x".repeat(65), "title": " \u{200b} ",
        "details": 7, "occurred_at": "yesterday",
    });
    let answer = msp.call(Method::POST, "/v1/alerts", Some(bad)).await;
    insta::assert_json_snapshot!(answer.problem(), @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid in 7 places.",
      "errors": [
        {
          "detail": "must be 1 to 200 characters, none of them a control character",
          "pointer": "/dedupe_key"
        },
        {
          "detail": "must be 1 to 128 printable ASCII characters without spaces at its ends and without '#'",
          "pointer": "/company"
        },
        {
          "detail": "must be 1 to 64 visible characters",
          "pointer": "/kind"
        },
        {
          "detail": "must be 1 to 64 visible characters",
          "pointer": "/severity"
        },
        {
          "detail": "must not be empty",
          "pointer": "/title"
        },
        {
          "detail": "must be a string",
          "pointer": "/details"
        },
        {
          "detail": "must be an instant such as 2026-11-20T23:59:00Z",
          "pointer": "/occurred_at"
        }
      ],
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
    assert_eq!(answer.status, 422);
    let nothing = msp.call(Method::POST, "/v1/alerts", Some(json!({}))).await;
    let pointers: Vec<_> = nothing.json["errors"].as_array().unwrap().iter().map(|fault| &fault["pointer"]).collect();
    assert_eq!(pointers, ["/dedupe_key", "/company", "/kind", "/severity", "/title"]);
    assert_eq!(msp.done(Method::GET, "/v1/alerts", None).await["items"], json!([]), "nothing of it was stored");
}

#[tokio::test]
async fn each_field_of_an_alert_has_its_own_words() {
    let msp = msp().await;
    let key = "must be 1 to 200 characters, none of them a control character";
    let ours = "must not be resolve or retry, nor begin with tallyline-digest:: these are names of Tallyline's own";
    let label = "must be 1 to 64 visible characters";
    let instant = "must be an instant such as 2026-11-20T23:59:00Z";
    for (field, value, told) in [
        ("dedupe_key", json!(""), key),
        ("dedupe_key", json!("x".repeat(201)), key),
        ("dedupe_key", json!("retry"), ours),
        ("dedupe_key", json!("resolve"), ours),
        ("dedupe_key", json!("tallyline-digest:1"), ours),
        ("dedupe_key", json!(7), "must be a string"),
        ("dedupe_key", Value::Null, "must not be null"),
        (
            "company",
            json!("x".repeat(129)),
            "must be 1 to 128 printable ASCII characters without spaces at its ends and without '#'",
        ),
        ("company", json!(["acme"]), "must be a string"),
        ("kind", json!("\u{7}"), label),
        ("severity", json!(1), "must be a string"),
        ("severity", json!(""), label),
        ("title", json!("\n"), "must not be empty"),
        ("details", json!({}), "must be a string"),
        ("occurred_at", json!(1_795_262_400), instant),
        ("occurred_at", json!("2026-11-21"), instant),
        ("occurred_at", json!("2026-11-21T13:00:01Z"), "must not be more than an hour ahead"),
        ("occurred_at", json!("2025-10-17T11:59:59Z"), "must not be more than 400 days ago"),
        ("colour", json!("red"), "is not a field here"),
    ] {
        let mut body = alert("acme/1", "acme");
        body[field] = value;
        let answer = msp.call(Method::POST, "/v1/alerts", Some(body.clone())).await;
        let fault = json!([{"pointer": format!("/{field}"), "detail": told}]);
        assert_eq!((answer.status, &answer.problem()["errors"]), (422, &fault), "{body}");
    }
    let mut late = alert("acme/1", "acme");
    (late["occurred_at"], late["details"]) = (json!("2026-11-21T13:00:00Z"), Value::Null);
    assert_eq!(msp.alert(late).await["last_at"], "2026-11-21T12:00:00Z", "a clock that is fast");
}

#[tokio::test]
async fn a_key_stands_for_one_company() {
    let msp = msp().await;
    msp.alert(alert("host-1", "acme")).await;
    let answer = msp.call(Method::POST, "/v1/alerts", Some(alert("host-1", "zeta"))).await;
    insta::assert_json_snapshot!(answer.problem(), @r#"
    {
      "code": "dedupe_key_of_another_company",
      "detail": "The dedupe key stands for an alert of another company.",
      "errors": [
        {
          "detail": "stands for an alert of another company",
          "pointer": "/dedupe_key"
        }
      ],
      "fix": "Begin dedupe keys with the company, so that no two companies share one.",
      "request_id": "[request]",
      "status": 409,
      "title": "Dedupe key of another company",
      "type": "/problems/dedupe_key_of_another_company"
    }
    "#);
    assert_eq!(msp.alert_now("host-1").await["count"], 1);
}

#[tokio::test]
async fn a_key_that_nobody_knows_is_not_found_by_any_route() {
    let msp = msp().await;
    msp.alert(alert("acme/1", "acme")).await;
    for key in ["acme/2", "ACME/1", "acme/10"] {
        for (method, path, body, _) in routes(key) {
            let answer = msp.call(method.clone(), &path, body).await;
            assert_eq!((answer.status, &answer.problem()["code"]), (404, &json!("not_found")), "{method} {path}");
        }
        assert_eq!(listed(&msp, PARTNER, key).await, [] as [Value; 0]);
    }
    assert_eq!(listed(&msp, PARTNER, &"x".repeat(300)).await, [] as [Value; 0], "what can't be a key is none");
}

#[tokio::test]
async fn a_key_of_any_characters_is_reached_by_path_and_by_body() {
    let msp = msp().await;
    let odd = ["a/b", "a?b=c&d", "a#b", "100%", "%2F", "a b+c", "ä/日本", ".a", "a//b/", "\\\"'<x>", "retry/retry"];
    for key in odd {
        assert_eq!(msp.alert(alert(key, "acme")).await["dedupe_key"], key);
        let found = listed(&msp, PARTNER, key).await;
        assert_eq!((found.len(), &found[0]["dedupe_key"]), (1, &json!(key)));
        let over = msp.done(Method::POST, "/v1/alerts/resolve", Some(json!({ "dedupe_key": key }))).await;
        assert_eq!((&over["dedupe_key"], over["resolved_at"].is_null()), (&json!(key), false));
        let again = msp.done(Method::POST, "/v1/alerts/retry", Some(json!({ "dedupe_key": key }))).await;
        assert_eq!(again["dedupe_key"], key);
    }
    for key in odd {
        assert_eq!(msp.alert_now(key).await["dedupe_key"], key);
        assert_eq!(msp.resolve(key).await["dedupe_key"], key);
        let again = msp.post(&format!("/v1/alerts/{}/retry", encoded(key))).await;
        assert_eq!((again.status, &again.json["dedupe_key"]), (202, &json!(key)));
    }
}

#[tokio::test]
async fn a_body_that_may_be_left_out_is_checked_where_it_is_sent() {
    let msp = msp().await;
    msp.alert(alert("acme/1", "acme")).await;
    let (resolve, retry) = ("/v1/alerts/acme%2F1/resolve", "/v1/alerts/acme%2F1/retry");
    let key = "must be 1 to 200 characters, none of them a control character";
    for (path, body, pointer, told) in [
        (resolve, json!({"at": 1}), "/at", "is not a field here"),
        (resolve, json!({"occurred_at": "now"}), "/occurred_at", "must be an instant such as 2026-11-20T23:59:00Z"),
        (retry, json!({"forget": "yes"}), "/forget", "must be a boolean"),
        (retry, json!({"dedupe_key": "acme/1"}), "/dedupe_key", "is not a field here"),
        ("/v1/alerts/resolve", json!({}), "/dedupe_key", "is required"),
        ("/v1/alerts/resolve", json!({"dedupe_key": ""}), "/dedupe_key", key),
        ("/v1/alerts/retry", json!({"dedupe_key": null}), "/dedupe_key", "must not be null"),
        ("/v1/alerts/retry", json!({"dedupe_key": ""}), "/dedupe_key", key),
        (
            "/v1/alerts/retry",
            json!({"forget": true}),
            "/forget",
            "is only for one alert, whose dedupe_key has to be named",
        ),
    ] {
        let answer = msp.call(Method::POST, path, Some(body.clone())).await;
        let fault = json!([{"pointer": pointer, "detail": told}]);
        assert_eq!((answer.status, &answer.problem()["errors"]), (422, &fault), "{path} {body}");
    }
    let raw = async |path: &str, kind: &str, body: &'static str| {
        let token = msp.parts.token(PARTNER, &[Scope::Usage, Scope::Write]);
        let request = msp.parts.request(Method::POST, path).bearer_auth(token).header("content-type", kind);
        Answer::to(request.body(body)).await.status
    };
    assert_eq!(raw(retry, "application/json", "").await, 202, "nothing is no body, whatever it is called");
    assert_eq!(raw(retry, "application/json", "{}").await, 202);
    assert_eq!(raw(retry, "text/plain", "{}").await, 415);
    assert_eq!(raw(resolve, "application/json", "{").await, 400);
    assert_eq!(msp.alert_now("acme/1").await["resolved_at"], Value::Null);
}

#[tokio::test]
async fn an_alert_is_over_as_of_what_is_said_and_not_if_it_has_happened_since() {
    let msp = msp().await;
    msp.alert(alert("acme/1", "acme")).await;
    msp.clock.advance(SignedDuration::from_hours(2));
    let over = async |at: &str| {
        let body = json!({"dedupe_key": "acme/1", "occurred_at": at});
        msp.done(Method::POST, "/v1/alerts/resolve", Some(body)).await["resolved_at"].clone()
    };
    assert_eq!(over("2026-11-21T11:59:59Z").await, Value::Null, "it happened at 12:00");
    let path = "/v1/alerts/acme%2F1/resolve";
    let body = json!({"occurred_at": "2026-11-21T13:00:00+00:00"});
    assert_eq!(msp.done(Method::POST, path, Some(body)).await["resolved_at"], "2026-11-21T13:00:00Z");
    assert_eq!(over("2026-11-21T13:30:00Z").await, json!("2026-11-21T13:00:00Z"), "said twice it is the same");
    let mut late = alert("acme/1", "acme");
    late["occurred_at"] = json!("2026-11-21T12:59:59Z");
    assert_eq!(msp.alert(late.clone()).await["count"], 1, "it was before the end");
    late["occurred_at"] = json!("2026-11-21T13:29:59Z");
    assert_eq!(msp.alert(late.clone()).await["count"], 1, "it was over by half past one as well");
    late["occurred_at"] = json!("2026-11-21T13:30:01Z");
    let back = msp.alert(late).await;
    assert_eq!((&back["count"], &back["resolved_at"]), (&json!(2), &Value::Null));
}

#[tokio::test]
async fn a_repeat_brings_its_words_and_the_ticket_keeps_its_own() {
    let msp = msp().await;
    msp.map_tickets(json!({})).await;
    msp.alert(alert("acme/1", "acme")).await;
    let mut lane = Lane::of(&msp);
    lane.work_off().await;
    let mut worse = alert("acme/1", "acme");
    (worse["severity"], worse["title"]) = (json!("critical"), json!("Malware spreads at acme"));
    let told = msp.alert(worse).await;
    lane.work_off().await;
    assert_eq!((&told["severity"], &told["title"]), (&json!("critical"), &json!("Malware spreads at acme")));
    assert_eq!(msp.psa.tickets()[0].title, "Malware at acme");
}
