//! Webhooks on their pages: the secret is shown once, and a name that is taken changes nothing.

use std::net::Ipv4Addr;

use axum::http::StatusCode;
use integration::PARTNER;
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;
use simulators::autotask::ApiUser;
use tokio::net::TcpListener;

use crate::connected::{Connected, STRANGER, fill};
use crate::filling::filled;

const NEW: &str = "/console/settings/new-webhook";
const TO: &str = "/console/settings/webhooks";
const DESK: &str = "/console/settings/webhooks/desk";
const URL: &str = "https://hooks.example.com/tallyline";

fn typed<'a>(name: &'a str, url: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("name", name), ("url", url), ("events", "RunFailed"), ("events", "Digest"), ("enabled", "on")]
}

/// The secret on a page.
fn secret(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("<code>whsec_")?;
    Some(rest.split('<').next()?.to_owned()).filter(|secret| !secret.is_empty())
}

#[tokio::test]
async fn a_webhook_is_made_and_its_secret_is_shown_once() {
    let c = Connected::start().await;
    let mut anna = c.anna().await;
    let made = fill(&mut anna, NEW, TO, &typed("desk", URL)).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let first = secret(&made.text).expect("a secret");
    assert_eq!(made.header("cache-control"), "no-store");
    let told = c.see("/v1/webhooks/desk").await;
    assert_eq!(
        (&told["url"], &told["events"], &told["enabled"]),
        (&json!(URL), &json!(["RunFailed", "Digest"]), &json!(true))
    );
    for at in ["/console/settings", DESK, &format!("{DESK}/change"), &format!("{DESK}/secret")] {
        let seen = anna.get(at).await;
        assert_eq!((seen.status, seen.text.contains(&first)), (200, false), "{at}");
    }
    let to = format!("{DESK}/secret");
    let form = filled(&anna.get(&to).await, &to);
    let form: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let rotated = anna.post(&to, &form).await;
    let second = secret(&rotated.text).expect("another secret");
    assert_ne!(first, second);
    // The answer loaded anew is the form sent anew: the secret that receivers go by does not end.
    let again = anna.post(&to, &form).await;
    assert_eq!((again.status, secret(&again.text)), (400, None), "{}", again.text);
}

#[tokio::test]
async fn a_name_that_is_taken_changes_nothing_and_what_was_typed_stays() {
    let c = Connected::start().await;
    let mut anna = c.anna().await;
    assert_eq!(fill(&mut anna, NEW, TO, &typed("desk", URL)).await.status, 200);
    let before = c.see("/v1/webhooks/desk").await;
    let refused = fill(&mut anna, NEW, TO, &typed("desk", "https://other.example.com/x")).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains(r#"<p class="fault">Name is taken"#), "{}", refused.text);
    assert!(refused.text.contains(r#"value="https://other.example.com/x""#), "{}", refused.text);
    assert_eq!(c.see("/v1/webhooks/desk").await, before);

    let refused = fill(&mut anna, NEW, TO, &typed("night", "http://127.0.0.1/x")).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text.contains(r#"<p class="fault">Address "#), "{}", refused.text);
    assert!(
        refused.text.contains(r#"value="Digest" checked"#) && !refused.text.contains(r#"value="RunPartial" checked"#)
    );
    assert_eq!(fill(&mut anna, NEW, TO, &[("name", "night"), ("url", URL)]).await.status, 422, "it is told of nothing");
    assert_eq!(fill(&mut anna, NEW, TO, &typed("", URL)).await.status, 422);
    assert_eq!(c.see("/v1/webhooks").await["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_webhook_is_changed_tested_and_removed() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let receiver = axum::Router::new().fallback(async || StatusCode::NO_CONTENT);
    tokio::spawn(async move { axum::serve(listener, receiver).await.unwrap() });
    let allowed = base.parse().unwrap();
    let c = Connected::with(ApiUser::full(), |options| options.webhooks_at(allowed)).await;
    let connection = c.connect().await;
    let mut anna = c.anna().await;
    assert_eq!(fill(&mut anna, NEW, TO, &typed("desk", URL)).await.status, 200);

    let (change, url) = (format!("{DESK}/change"), format!("{base}/in"));
    let changed = [("url", url.as_str()), ("events", "FindingOpened"), ("connections", &connection), ("enabled", "on")];
    assert_eq!(fill(&mut anna, &change, &change, &changed).await.status, 303);
    let told = c.see("/v1/webhooks/desk").await;
    assert_eq!((&told["url"], &told["connections"]), (&json!(url), &json!([connection])));
    let form = anna.get(&change).await;
    assert!(form.text.contains(&format!(r#"value="{connection}" checked"#)), "{}", form.text);

    let untested = anna.get(DESK).await;
    let body = format!("csrf={}", untested.after(r#"name="csrf" value=""#));
    let to = format!("{DESK}/test");
    let part = anna.send(Method::POST, &to, |request| {
        request.header("hx-request", "true").header("content-type", "application/x-www-form-urlencoded").body(body)
    });
    let part = part.await.text;
    assert!(part.starts_with("<section id=\"test\"") && part.contains("hx-swap-oob=\"true\""), "{part}");
    assert!(untested.text.contains("Nothing yet.") && !part.contains("Nothing yet."), "{part}");

    let tested = fill(&mut anna, DESK, &to, &[]).await;
    assert!(tested.text.contains("The receiver took it: it answered 204"), "{}", tested.text);
    let seen = anna.get(DESK).await;
    let event = c.see("/v1/webhooks/desk/deliveries").await["items"][0]["event_id"].as_str().unwrap().to_owned();
    assert!(seen.text.contains(&event), "{}", seen.text);

    let remove = format!("{DESK}/remove");
    assert!(anna.get(&remove).await.text.contains("is told of nothing any more"));
    assert_eq!(c.see("/v1/webhooks/desk").await["id"], "desk", "looking removes nothing");
    assert_eq!(fill(&mut anna, &remove, &remove, &[]).await.status, 303);
    assert_eq!(c.api(Method::GET, "/v1/webhooks/desk", Value::Null).await.status, 404);
}

#[tokio::test]
async fn webhooks_are_their_partners_alone_and_forms_of_others_are_refused() {
    let c = Connected::start().await;
    let mut anna = c.anna().await;
    assert_eq!(fill(&mut anna, NEW, TO, &typed("desk", URL)).await.status, 200);
    let before = c.see("/v1/webhooks/desk").await;
    let forms = ["/change", "/test", "/secret", "/remove"];
    let mut stranger = c.person(STRANGER, &[Scope::Read, Scope::Write]).await;
    let csrf = stranger.get(NEW).await.after(r#"name="csrf" value=""#).to_owned();
    assert!(!stranger.get("/console/settings").await.text.contains("desk"));
    assert_eq!(stranger.get(DESK).await.status, 404);
    for end in forms {
        assert_eq!(stranger.post(&format!("{DESK}{end}"), &[("csrf", csrf.as_str())]).await.status, 404, "{end}");
        assert_eq!(anna.post(&format!("{DESK}{end}"), &[("csrf", csrf.as_str())]).await.status, 400, "{end}");
    }
    assert_eq!(anna.post(TO, &typed("night", URL)).await.status, 400);
    let mut reader = c.person(PARTNER, &[Scope::Read]).await;
    let csrf = reader.get(DESK).await.after(r#"name="csrf" value=""#).to_owned();
    for end in forms {
        assert_eq!(reader.post(&format!("{DESK}{end}"), &[("csrf", csrf.as_str())]).await.status, 403, "{end}");
    }
    assert_eq!(c.see("/v1/webhooks/desk").await, before);
}
