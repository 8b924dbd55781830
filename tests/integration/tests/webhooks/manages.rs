//! Making, changing and removing webhooks, and whose they are.

use serde_json::{Value, json};

use super::bench::Bench;

#[tokio::test]
async fn another_partners_webhook_is_not_there() {
    let bench = Bench::start().await;
    bench.webhook("desk", &["Digest"]).await;
    for (method, path) in
        [("GET", ""), ("DELETE", ""), ("POST", "/test"), ("POST", "/rotate-secret"), ("GET", "/deliveries")]
    {
        let (status, problem) =
            bench.ask_as("somebody", method, &format!("/v1/webhooks/desk{path}"), &Value::Null).await;
        assert_eq!((status, &problem["code"]), (404, &json!("not_found")), "{method} {path}");
    }
    let (status, list) = bench.ask_as("somebody", "GET", "/v1/webhooks", &Value::Null).await;
    assert_eq!((status, &list["items"]), (200, &json!([])));
    // One of the same name is theirs, and changes nothing here.
    let theirs = json!({ "url": "https://hooks.somebody.dev/", "events": ["Digest"] });
    assert_eq!(bench.ask_as("somebody", "PUT", "/v1/webhooks/desk", &theirs).await.0, 201);
    assert!(bench.get("/v1/webhooks/desk").await["url"].as_str().unwrap().starts_with(&bench.receiver.base));
    assert_eq!(bench.done("POST", "/v1/webhooks/desk/test", Value::Null).await["delivered"], true);
}

#[tokio::test]
async fn what_is_wrong_is_told_at_once_and_nothing_is_made() {
    let bench = Bench::start().await;
    let refused = async |body: Value| -> Vec<String> {
        let (status, problem) = bench.ask("PUT", "/v1/webhooks/desk", &body).await;
        assert_eq!(status, 422, "{body}: {problem}");
        let errors = problem["errors"].as_array().unwrap().iter();
        errors.map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
    };
    let good = "https://hooks.partner.dev/in";
    for (body, pointers) in [
        (
            json!({"url": "http://hooks.partner.dev/", "events": [], "connections": ["conn_1"]}),
            vec!["/url", "/events", "/connections"],
        ),
        (json!({"url": "https://169.254.169.254/", "events": ["Digest"]}), vec!["/url"]),
        (json!({"url": good, "events": ["SyncRequested"]}), vec!["/events/0"]),
        (json!({"url": good, "events": ["Digest"], "connections": []}), vec!["/connections"]),
        (json!({"url": good, "events": ["Digest"], "secret": "whsec_mine"}), vec!["/secret"]),
        (json!({"url": good, "events": ["Digest"], "enabled": null}), vec!["/enabled"]),
        (json!({"events": ["Digest"]}), vec!["/url"]),
    ] {
        assert_eq!(refused(body.clone()).await, pointers, "{body}");
    }
    assert_eq!(bench.get("/v1/webhooks").await["items"], json!([]));
}

#[tokio::test]
async fn a_partner_has_ten_webhooks_at_most_and_lists_them_in_pages() {
    let bench = Bench::start().await;
    for number in 0..10 {
        bench.webhook(&format!("hook-{number}"), &["Digest"]).await;
    }
    let body = json!({ "url": "https://hooks.partner.dev/", "events": ["Digest"] });
    let (status, problem) = bench.ask("PUT", "/v1/webhooks/hook-x", &body).await;
    assert_eq!((status, &problem["code"]), (409, &json!("webhooks_full")));
    // One that is there may still be changed.
    let changed = bench.done("PUT", "/v1/webhooks/hook-3", body).await;
    assert_eq!(changed["url"], "https://hooks.partner.dev/");
    let first = bench.get("/v1/webhooks?limit=7").await;
    assert_eq!((first["items"].as_array().unwrap().len(), &first["items"][3]), (7, &changed));
    let rest = bench.get(&format!("/v1/webhooks?limit=7&cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next_cursor"]), (3, &Value::Null));
    bench.done("DELETE", "/v1/webhooks/hook-3", Value::Null).await;
    assert_eq!(bench.ask("DELETE", "/v1/webhooks/hook-3", &Value::Null).await.0, 404);
    bench.webhook("hook-x", &["Digest"]).await;
}

#[tokio::test]
async fn what_happened_before_a_webhook_was_made_anew_is_not_sent_to_it() {
    let bench = Bench::start().await;
    bench.webhook("desk", &["UsageStale"]).await;
    bench.happens().await;
    bench.done("DELETE", "/v1/webhooks/desk", Value::Null).await;
    bench.clock.advance(jiff::SignedDuration::from_secs(1));
    bench.webhook("desk", &["UsageStale"]).await;
    bench.app.notify().await.unwrap();
    assert!(bench.receiver.heard().is_empty());
}
