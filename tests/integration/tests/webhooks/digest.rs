//! The daily digest: in the partner's morning, once, and only where something needs a person.

use serde_json::{Value, json};
use shared::events::Event;

use super::bench::Bench;

fn digests(bench: &Bench) -> Vec<Value> {
    let told = bench.app.bus().recent().into_iter();
    told.filter(|event| matches!(event, Event::Digest(_))).map(|event| event.detail().unwrap()).collect()
}

/// The first scheduled sync, at two in the morning: from then on a digest is awaited.
async fn first_night(bench: &Bench) {
    bench.clock.set("2026-11-22T01:00:00Z");
    assert_eq!(bench.app.tick().await.unwrap().started, 1);
    bench.app.drain().await.unwrap();
}

#[tokio::test]
async fn what_needs_a_person_is_told_once_in_the_partners_morning() {
    let bench = Bench::start().await;
    let connection = bench.prepare().await;
    let secret = bench.webhook("desk", &["Digest"]).await;
    first_night(&bench).await;
    bench.clock.set("2026-11-22T05:59:59Z");
    assert_eq!(bench.app.tick().await.unwrap().digests, 0, "a second before seven in Berlin");
    bench.clock.set("2026-11-22T06:00:00Z");
    assert_eq!(bench.app.tick().await.unwrap().digests, 1);
    assert_eq!(bench.app.tick().await.unwrap().digests, 0, "a repeated tick makes none twice");
    bench.app.notify().await.unwrap();
    let heard = bench.receiver.heard();
    assert_eq!(heard.len(), 1);
    assert!(heard[0].is_signed_with(&secret));
    let digest = heard[0].json()["data"].clone();
    assert_eq!((&digest["day"], &digest["stale_usage"]), (&json!("2026-11-22"), &json!([])));
    let of_connection = &digest["connections"][0];
    assert_eq!((&of_connection["connection"], &of_connection["name"]), (&json!(connection), &json!("Nordwind")));
    assert_eq!(of_connection["open_findings"], json!([{ "code": "fall_guard", "count": 1 }]));
    assert_eq!(of_connection["waiting_for_approval"], 1);
    assert_eq!(of_connection["credentials_rejected"], false);
    assert_eq!(of_connection["last_run"]["status"], "succeeded");

    // The next day says how old the usage has become.
    bench.clock.set("2026-11-25T06:00:00Z");
    assert_eq!(bench.app.tick().await.unwrap().digests, 1);
    let stale = digests(&bench).pop().unwrap()["stale_usage"].clone();
    assert_eq!(stale[0]["product"], "edr");
    assert_eq!((&stale[0]["stale_since"], &stale[0]["hours"]), (&json!("2026-11-24T12:00:00Z"), &json!(90)));
}

#[tokio::test]
async fn where_nothing_needs_a_person_there_is_no_digest_but_the_day_moves_on() {
    let bench = Bench::start().await;
    let connection = bench.prepare().await;
    first_night(&bench).await;
    // A run of the same millisecond might sort before the one of the schedule.
    bench.clock.set("2026-11-22T01:30:00Z");
    // A person approves the change that was held: it is made, and nothing is left.
    let runs = bench.get(&format!("/v1/connections/{connection}/runs")).await;
    let run = runs["items"][0]["id"].as_str().unwrap();
    bench.done("POST", &format!("/v1/runs/{run}/approve"), json!({})).await;
    bench.app.drain().await.unwrap();
    let open = bench.get(&format!("/v1/connections/{connection}/findings")).await;
    assert_eq!(open["items"], json!([]));
    bench.clock.set("2026-11-22T06:00:00Z");
    let ticked = bench.app.tick().await.unwrap();
    assert_eq!((ticked.digests, digests(&bench)), (0, Vec::new()));
    let row = bench.app.table();
    let key = shared::store::schema::digest(&"nordwind".parse().unwrap());
    let due: Value = row.get(&key, shared::store::Read::Consistent).await.unwrap().unwrap();
    assert_eq!(due["due_at"], "2026-11-23T06:00:00Z");
}

#[tokio::test]
async fn a_partner_without_connections_is_told_nothing_more() {
    let bench = Bench::start().await;
    let connection = bench.prepare().await;
    first_night(&bench).await;
    bench.done("DELETE", &format!("/v1/connections/{connection}"), Value::Null).await;
    bench.clock.set("2026-11-22T06:00:00Z");
    assert_eq!(bench.app.tick().await.unwrap().digests, 0);
    let key = shared::store::schema::digest(&"nordwind".parse().unwrap());
    let gone: Option<Value> = bench.app.table().get(&key, shared::store::Read::Consistent).await.unwrap();
    assert_eq!(gone, None, "nobody is awaited any more");
}
