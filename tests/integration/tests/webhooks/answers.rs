//! What each kind of answer comes to, how often it is tried, and when no more.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::bench::Bench;
use super::receiver::Manner;

async fn delivery(bench: &Bench, manner: Manner, id: &str) -> (Value, Value) {
    bench.webhook(id, &["UsageStale"]).await;
    bench.receiver.answers(manner);
    bench.happens().await;
    bench.app.notify().await.unwrap();
    let made = bench.deliveries(id).await;
    assert_eq!((made.len(), &made[0]["attempt"]), (1, &json!(1)), "{manner:?}");
    let webhook = bench.get(&format!("/v1/webhooks/{id}")).await;
    bench.done("DELETE", &format!("/v1/webhooks/{id}"), Value::Null).await;
    (made[0].clone(), webhook)
}

#[tokio::test]
async fn each_kind_of_answer_is_taken_tried_again_or_the_end() {
    let bench = Bench::start().await;
    let cases = [
        (Manner::Says(200), "delivered", None),
        (Manner::Says(202), "delivered", None),
        (Manner::Says(204), "delivered", None),
        (Manner::Floods, "delivered", None),
        (Manner::Redirects(301), "retrying", Some("webhook_redirects")),
        (Manner::Redirects(302), "retrying", Some("webhook_redirects")),
        (Manner::Redirects(307), "retrying", Some("webhook_redirects")),
        (Manner::Redirects(308), "retrying", Some("webhook_redirects")),
        (Manner::Says(400), "retrying", Some("webhook_refused")),
        (Manner::Says(401), "retrying", Some("webhook_refused")),
        (Manner::Says(404), "retrying", Some("webhook_refused")),
        (Manner::Says(410), "given_up", Some("webhook_gone")),
        (Manner::Says(429), "retrying", Some("webhook_refused")),
        (Manner::Says(500), "retrying", Some("webhook_refused")),
        (Manner::Says(503), "retrying", Some("webhook_refused")),
    ];
    for (place, (manner, status, code)) in cases.into_iter().enumerate() {
        let (made, webhook) = delivery(&bench, manner, &format!("hook-{place}")).await;
        assert_eq!((&made["status"], &made["code"]), (&json!(status), &json!(code)), "{manner:?}");
        let expected = match manner {
            Manner::Says(status) | Manner::Redirects(status) => status,
            _ => 200,
        };
        assert_eq!(made["http_status"], expected, "{manner:?}");
        assert_eq!(made["next_try_at"].is_string(), status == "retrying", "{manner:?}");
        let off = webhook["switched_off"]["code"].as_str();
        assert_eq!(off, (status == "given_up").then_some("webhook_gone"), "{manner:?}");
        assert_eq!(webhook["enabled"], off.is_none(), "{manner:?}");
        assert_eq!(webhook["failing_since"].is_string(), status == "retrying", "{manner:?}");
    }
    assert!(bench.receiver.heard().iter().all(|heard| heard.path != "/elsewhere"), "no redirect is followed");
}

#[tokio::test]
async fn a_receiver_that_never_answers_is_tried_again_and_one_whose_body_hangs_has_taken_it() {
    let bench = Bench::impatient(Duration::from_millis(50)).await;
    let (made, _) = delivery(&bench, Manner::Silent, "silent").await;
    assert_eq!(
        (&made["status"], &made["code"], &made["http_status"]),
        (&json!("retrying"), &json!("timed_out"), &Value::Null)
    );
    let patient = Bench::impatient(Duration::from_secs(2)).await;
    let (made, _) = delivery(&patient, Manner::Hangs, "hangs").await;
    assert_eq!((&made["status"], &made["http_status"]), (&json!("delivered"), &json!(200)));
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_tried_again() {
    let bench = Bench::start().await;
    bench.webhook("gone", &["UsageStale"]).await;
    // Nothing listens below the base that tests may use, and the address is stored as it is.
    let (status, problem) =
        bench.ask("PUT", "/v1/webhooks/gone", &json!({"url": "https://127.0.0.1:1/", "events": ["UsageStale"]})).await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/url")));
    let tested = bench.done("POST", "/v1/webhooks/gone/test", Value::Null).await;
    assert_eq!((&tested["delivered"], &tested["http_status"]), (&json!(true), &json!(204)));
    bench.receiver.answers(Manner::Says(500));
    let tested = bench.done("POST", "/v1/webhooks/gone/test", Value::Null).await;
    assert_eq!((&tested["delivered"], &tested["code"]), (&json!(false), &json!("webhook_refused")));
    assert_eq!(
        bench.get("/v1/webhooks/gone").await["failing_since"],
        Value::Null,
        "a test means nothing for the webhook"
    );
}

#[tokio::test]
async fn it_is_tried_ten_times_within_a_day_with_one_id_and_then_given_up() {
    let bench = Bench::start().await;
    let secret = bench.webhook("desk", &["UsageStale"]).await;
    bench.receiver.answers(Manner::Says(503));
    bench.happens().await;
    let began = bench.clock.time();
    for attempt in 1..=10 {
        bench.app.notify().await.unwrap();
        let made = bench.deliveries("desk").await.remove(0);
        assert_eq!(made["attempt"], attempt);
        let Some(next) = made["next_try_at"].as_str() else { break };
        let next: Timestamp = next.parse().unwrap();
        // Not a moment before.
        bench.clock.advance(next.duration_since(bench.clock.time()) - SignedDuration::from_secs(1));
        bench.app.notify().await.unwrap();
        assert_eq!(bench.receiver.heard().len(), usize::try_from(attempt).unwrap());
        bench.clock.advance(SignedDuration::from_secs(1));
    }
    let made = bench.deliveries("desk").await.remove(0);
    assert_eq!(
        (&made["status"], &made["attempt"], &made["code"]),
        (&json!("given_up"), &json!(10), &json!("webhook_refused"))
    );
    let took = bench.clock.time().duration_since(began);
    assert!((23..=25).contains(&took.as_hours()), "{took}");
    bench.clock.advance(SignedDuration::from_hours(48));
    bench.app.notify().await.unwrap();
    let heard = bench.receiver.heard();
    assert_eq!(heard.len(), 10);
    assert_eq!(heard.iter().map(|heard| (&heard.id, &heard.body)).collect::<BTreeSet<_>>().len(), 1);
    assert_eq!(
        heard.iter().map(|heard| heard.at_s).collect::<BTreeSet<_>>().len(),
        10,
        "each attempt has its own time"
    );
    assert!(heard.iter().all(|heard| heard.is_signed_with(&secret)));
    assert_eq!(made["event_id"], heard[0].id);
}

#[tokio::test]
async fn a_webhook_that_fails_for_three_days_is_switched_off_and_says_so_until_it_is_put_again() {
    let bench = Bench::start().await;
    bench.webhook("desk", &["UsageStale"]).await;
    bench.receiver.answers(Manner::Says(500));
    bench.happens().await;
    bench.app.notify().await.unwrap();
    bench.clock.advance(SignedDuration::from_hours(72));
    bench.happens().await;
    bench.app.notify().await.unwrap();
    let webhook = bench.get("/v1/webhooks/desk").await;
    assert_eq!((&webhook["enabled"], &webhook["switched_off"]["code"]), (&json!(false), &json!("webhook_failing")));
    assert!(webhook["switched_off"]["fix"].as_str().unwrap().contains("deliveries"));
    let heard = bench.receiver.heard().len();
    bench.happens().await;
    bench.clock.advance(SignedDuration::from_hours(12));
    bench.app.notify().await.unwrap();
    assert_eq!(bench.receiver.heard().len(), heard, "it is sent nothing more");
    assert!(
        bench.deliveries("desk").await.iter().any(|made| made["status"] == "dropped" && made["code"] == "not_wanted")
    );

    bench.receiver.answers(Manner::Says(200));
    let body = json!({ "url": format!("{}desk", bench.receiver.base), "events": ["UsageStale"] });
    let webhook = bench.done("PUT", "/v1/webhooks/desk", body).await;
    assert_eq!(
        (&webhook["enabled"], &webhook["switched_off"], &webhook["failing_since"]),
        (&json!(true), &Value::Null, &Value::Null)
    );
    assert!(webhook.get("secret").is_none());
    bench.happens().await;
    bench.app.notify().await.unwrap();
    assert_eq!(bench.deliveries("desk").await[0]["status"], "delivered");
}

#[tokio::test]
async fn one_success_ends_the_reckoning_of_failures() {
    let bench = Bench::start().await;
    bench.webhook("desk", &["UsageStale"]).await;
    bench.receiver.answers(Manner::Says(500));
    bench.happens().await;
    bench.app.notify().await.unwrap();
    assert!(bench.get("/v1/webhooks/desk").await["failing_since"].is_string());
    bench.receiver.answers(Manner::Says(200));
    bench.clock.advance(SignedDuration::from_secs(5));
    bench.app.notify().await.unwrap();
    assert_eq!(bench.get("/v1/webhooks/desk").await["failing_since"], Value::Null);
    let made = bench.deliveries("desk").await.remove(0);
    assert_eq!((&made["status"], &made["attempt"], &made["code"]), (&json!("delivered"), &json!(2), &Value::Null));
}
