//! What a receiver hears of a sync, and how often.

use std::sync::Arc;

use notify::Notify;
use serde_json::json;
use shared::faults::{Faults, Hook, Point, Side, Struck};
use shared::http::Outward;
use shared::secrets::WriteSecrets as _;
use shared::store::webhooks::Webhooks;
use shared::webhooks::{Dispatch, Sender, body_of};

use super::bench::{Bench, PARTNER};
use super::receiver::Manner;

#[tokio::test]
async fn a_partner_hears_of_its_run_and_of_what_was_found_with_good_signatures() {
    let bench = Bench::start().await;
    let connection = bench.prepare().await;
    let secret = bench.webhook("desk", &["RunSucceeded", "FindingOpened"]).await;
    let run = bench.sync(&connection).await;
    assert!(bench.receiver.heard().is_empty(), "no run waits for a receiver");
    bench.app.notify().await.unwrap();
    let heard = bench.receiver.heard();
    assert!(heard.iter().all(|heard| heard.is_signed_with(&secret) && heard.path == "/desk"));
    let mut kinds: Vec<String> = heard.iter().map(super::receiver::Heard::kind).collect();
    kinds.sort();
    assert_eq!(kinds, ["FindingOpened", "RunSucceeded"]);
    let of = |kind: &str| heard.iter().find(|heard| heard.kind() == kind).unwrap().json();

    let ended = of("RunSucceeded")["data"].clone();
    let seen = bench.get(&format!("/v1/runs/{run}")).await;
    assert_eq!(
        (&ended["partner"], &ended["connection"], &ended["run"]),
        (&json!(PARTNER), &json!(connection), &json!(run))
    );
    for field in ["mode", "trigger", "lines", "writes", "finished_at"] {
        assert_eq!(ended[field], seen[field], "{field}");
    }
    assert_eq!((&ended["lines"]["held"], &ended["writes"]), (&json!(1), &json!(2)));

    let opened = of("FindingOpened")["data"].clone();
    let finding = bench.get(&format!("/v1/connections/{connection}/findings")).await["items"][0].clone();
    assert_eq!((&opened["finding_id"], &opened["run"]), (&finding["id"], &finding["run_id"]));
    for field in [
        "code",
        "explanation",
        "fix",
        "line_id",
        "contract_id",
        "company",
        "company_name",
        "product",
        "before",
        "target",
        "opened_at",
    ] {
        assert!(!opened[field].is_null(), "{field}");
        assert_eq!(opened[field], finding[field], "{field}");
    }

    // What stays as it is, is not told again.
    bench.sync(&connection).await;
    bench.app.notify().await.unwrap();
    let again: Vec<String> = bench.receiver.heard()[2..].iter().map(super::receiver::Heard::kind).collect();
    assert_eq!(again, ["RunSucceeded"]);
}

#[tokio::test]
async fn each_webhook_hears_what_it_asks_for_and_one_that_fails_holds_back_no_other() {
    let bench = Bench::start().await;
    let connection = bench.prepare().await;
    bench.webhook("runs", &["RunSucceeded"]).await;
    bench.webhook("findings", &["FindingOpened"]).await;
    bench.webhook("stale", &["UsageStale"]).await;
    let put = async |id: &str, more: serde_json::Value| {
        let mut body = json!({ "url": format!("{}{id}", bench.receiver.base), "events": ["RunSucceeded"] });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        bench.done("PUT", &format!("/v1/webhooks/{id}"), body).await;
    };
    put("off", json!({ "enabled": false })).await;
    put("of-it", json!({ "connections": [connection] })).await;
    let nowhere = json!({ "url": format!("{}nowhere", bench.receiver.base), "events": ["RunSucceeded"] });
    bench.done("PUT", "/v1/webhooks/aaa-first", nowhere).await;
    bench.sync(&connection).await;
    bench.app.notify().await.unwrap();
    let mut paths: Vec<String> = bench.receiver.heard().into_iter().map(|heard| heard.path).collect();
    paths.sort();
    assert_eq!(paths, ["/findings", "/nowhere", "/of-it", "/runs"]);
    assert!(bench.deliveries("off").await.is_empty());

    // One that fails is tried again; the others are not told twice.
    bench.receiver.answers(Manner::Says(500));
    bench.happens().await;
    bench.app.notify().await.unwrap();
    bench.receiver.answers(Manner::Says(200));
    bench.sync(&connection).await;
    let before = bench.receiver.heard().len();
    bench.app.notify().await.unwrap();
    let now: Vec<String> = bench.receiver.heard()[before..].iter().map(|heard| heard.path.clone()).collect();
    assert!(now.contains(&"/runs".to_owned()) && !now.contains(&"/stale".to_owned()), "{now:?}");
}

/// Loses the note of what became of a delivery.
struct Forgetful;

impl Hook for Forgetful {
    fn pass(&self, point: &Point) -> Result<(), Struck> {
        if point.effect == "store.put DELIVERY" && point.side == Side::Before { Err(Struck) } else { Ok(()) }
    }
}

#[tokio::test]
async fn a_crash_after_delivery_repeats_it_with_the_same_id_and_what_is_noted_is_not_repeated() {
    let bench = Bench::start().await;
    bench.webhook("desk", &["UsageStale"]).await;
    let data = tempfile::tempdir().unwrap();
    let secrets = Arc::new(local::sealed_secrets::SealedSecrets::open(data.path()).unwrap());
    let name = shared::secrets::SecretName::of_webhook(&PARTNER.parse().unwrap(), &"desk".parse().unwrap());
    let key = shared::webhooks::SigningKey::fresh().unwrap();
    secrets.put(&name, &shared::webhooks::Keys::of(key).stored()).await.unwrap();
    let base = bench.receiver.base.parse().unwrap();
    let outward = Outward::new().unwrap().except(&base, Outward::settings()).unwrap();
    let worker = |faults: Faults| Notify {
        webhooks: Webhooks::new(bench.app.table().with_faults(faults)),
        sender: Sender::new(outward.clone(), secrets.clone(), Arc::new(bench.clock.clone())),
        onward: Arc::new(local::queue::Queue::of_notices(bench.app.table(), Arc::new(bench.clock.clone()))),
        clock: Arc::new(bench.clock.clone()),
    };
    let notice = json!({ "id": "e-1", "detail-type": "UsageStale", "time": "2026-11-21T12:00:00Z", "detail": { "partner": PARTNER } });
    let dispatch = Dispatch { webhook: "desk".parse().unwrap(), notice: serde_json::from_value(notice).unwrap() };
    worker(Faults::with(Arc::new(Forgetful))).deliver(&dispatch).await.unwrap_err();
    worker(Faults::default()).deliver(&dispatch).await.unwrap();
    worker(Faults::default()).deliver(&dispatch).await.unwrap();
    let heard = bench.receiver.heard();
    let ids: Vec<&str> = heard.iter().map(|heard| heard.id.as_str()).collect();
    assert_eq!(ids, ["e-1", "e-1"]);
    assert!(heard.iter().all(|heard| heard.body == body_of(&dispatch.notice)));
    assert_eq!(bench.deliveries("desk").await[0]["status"], "delivered");
}
