//! Secrets: shown once, replaced with a day's overlap, and in no row, log line or answer.

use integration::logs;
use jiff::SignedDuration;
use serde_json::Value;

use super::bench::{Bench, PARTNER};
use super::receiver::Manner;

#[tokio::test]
async fn a_replaced_secret_signs_beside_the_new_one_for_a_day() {
    let bench = Bench::start().await;
    let old = bench.webhook("desk", &["UsageStale"]).await;
    let rotated = bench.done("POST", "/v1/webhooks/desk/rotate-secret", Value::Null).await;
    let new = rotated["secret"].as_str().unwrap();
    assert_ne!(old, new);
    let signed = async || {
        bench.happens().await;
        bench.app.notify().await.unwrap();
        let last = bench.receiver.heard().pop().unwrap();
        (last.signatures.len(), last.is_signed_with(&old), last.is_signed_with(new))
    };
    bench.clock.advance(SignedDuration::from_hours(24) - SignedDuration::from_secs(1));
    assert_eq!(signed().await, (2, true, true));
    bench.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(signed().await, (1, false, true));
}

#[tokio::test]
async fn the_secret_is_in_no_log_line_row_or_later_answer() {
    let bench = Bench::start().await;
    let mut secrets = vec![bench.webhook("desk", &["UsageStale"]).await];
    let mut answers = vec![bench.done("POST", "/v1/webhooks/desk/test", Value::Null).await];
    let rotated = bench.done("POST", "/v1/webhooks/desk/rotate-secret", Value::Null).await;
    secrets.push(rotated["secret"].as_str().unwrap().to_owned());
    for manner in [Manner::Says(200), Manner::Says(500)] {
        bench.receiver.answers(manner);
        bench.happens().await;
        bench.app.notify().await.unwrap();
    }
    for path in ["/v1/webhooks", "/v1/webhooks/desk", "/v1/webhooks/desk/deliveries"] {
        answers.push(bench.get(path).await);
    }
    let rows = scanned(&bench).await;
    assert!(rows.contains(PARTNER) && rows.contains("desk"), "the rows are there");
    let logged = logs::text();
    assert!(logged.contains("a delivery is over"), "the log is there");
    let answers = Value::from(answers).to_string();
    let mut files = String::new();
    for file in std::fs::read_dir(bench.app.data().join("secrets")).unwrap().map(Result::unwrap) {
        files.push_str(&String::from_utf8_lossy(&std::fs::read(file.path()).unwrap()));
    }
    for secret in &secrets {
        let key = secret.strip_prefix("whsec_").unwrap();
        for (place, text) in [("log", &logged), ("rows", &rows), ("answers", &answers), ("files", &files)] {
            assert!(!text.contains(key), "a secret is in the {place}");
        }
    }
}

/// Every row of the store, as the engine shows it. There is no scan in the service.
async fn scanned(bench: &Bench) -> String {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.post(format!("http://{}/", bench.app.store().address()));
    let unsigned =
        "AWS4-HMAC-SHA256 Credential=t/20261121/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0";
    let request = request.header("x-amz-target", "DynamoDB_20120810.Scan").header("authorization", unsigned);
    let request = request.header("x-amz-date", "20261121T120000Z").header("content-type", "application/x-amz-json-1.0");
    let answer = request.body(r#"{"TableName":"tallyline"}"#).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    answer.text().await.unwrap()
}
