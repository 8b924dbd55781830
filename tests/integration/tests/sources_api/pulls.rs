//! Pulls that are asked for, and how they are shown; and what is left when a source is removed.

use jiff::SignedDuration;
use serde_json::json;
use shared::pulling::LOST_AFTER;

use super::bench::{HUNTRESS, is_going, kept, pull, set_up, start};

#[tokio::test]
async fn a_pull_is_asked_for_once_and_shown_as_it_ended() {
    let (h, huntress) = start().await;
    set_up(&h).await;
    h.clock.advance(SignedDuration::from_millis(1_400));
    let asked = h.post(&format!("{HUNTRESS}/pull"), json!({})).await;
    assert_eq!((asked.status, &asked.json), (202, &json!({ "pull": "2026-11-21T12:00:01Z" })));
    pull(&h, &huntress).await;
    insta::assert_json_snapshot!(h.get(HUNTRESS).await.json["last_pull"], @r#"
    {
      "as_of": "2026-11-21T12:00:01.4Z",
      "at": "2026-11-21T12:00:01.4Z",
      "code": null,
      "companies": 2,
      "complete": true,
      "counts": 2,
      "explanation": null,
      "fix": null,
      "not_asked": {
        "companies": 0,
        "first": [],
        "fix": null
      },
      "nothing_of": [],
      "pages": 1,
      "pull": "2026-11-21T12:00:01Z",
      "status": "succeeded",
      "total": null,
      "unread": 0
    }
    "#);
    let counts = h.get("/v1/usage").await.json;
    assert_eq!((&counts["items"][0]["company"], &counts["items"][0]["quantity"]), (&json!("huntress:7"), &json!(42)));
    // Within the same second: its snapshots must not have the names of the last one's.
    let next = h.post(&format!("{HUNTRESS}/pull"), json!({})).await;
    assert_eq!(next.json["pull"], "2026-11-21T12:00:02Z");
    assert_eq!(h.wire.take_pulls().len(), 1);
}

#[tokio::test]
async fn a_failed_pull_says_why_and_what_to_do() {
    let (h, huntress) = start().await;
    set_up(&h).await;
    huntress.refuse_connections(true).await;
    h.post(&format!("{HUNTRESS}/pull"), json!({})).await;
    pull(&h, &huntress).await;
    let last = &h.get(HUNTRESS).await.json["last_pull"];
    assert_eq!((&last["status"], &last["complete"], &last["pages"]), (&json!("failed"), &json!(false), &json!(0)));
    assert_eq!(last["code"], "source_unreachable");
    assert!(last["explanation"].is_string() && last["fix"].is_string(), "{last}");
}

#[tokio::test]
async fn while_a_pull_moves_no_other_is_asked_for() {
    let (h, _huntress) = start().await;
    set_up(&h).await;
    let going = is_going(&h, h.clock.time()).await;
    let shown = json!({ "pull": "2026-11-21T09:00:00Z", "since": "2026-11-21T09:00:30Z", "step": 2 });
    assert_eq!(h.get(HUNTRESS).await.json["going"], shown);
    h.clock.advance(LOST_AFTER - SignedDuration::from_secs(1));
    let asked = h.post(&format!("{HUNTRESS}/pull"), json!({})).await;
    assert_eq!((asked.status, &asked.json["pull"]), (202, &json!(going.to_string())));
    assert_eq!(h.wire.take_pulls().len(), 0);
    // It has lost its message: another one has it go on.
    h.clock.advance(SignedDuration::from_secs(1));
    let asked = h.post(&format!("{HUNTRESS}/pull"), json!({})).await;
    assert_eq!((asked.status, &asked.json["pull"]), (202, &json!(going.to_string())));
    assert_eq!(h.wire.take_pulls().len(), 1);
}

#[tokio::test]
async fn a_removed_source_leaves_its_counts_and_no_secret() {
    let (h, huntress) = start().await;
    set_up(&h).await;
    h.post(&format!("{HUNTRESS}/pull"), json!({})).await;
    pull(&h, &huntress).await;
    let counts = h.get("/v1/usage").await.json;
    let removed = h.delete(HUNTRESS).await;
    assert_eq!((removed.status, removed.text.as_str(), kept(&h).await), (204, "", None));
    assert_eq!((h.delete(HUNTRESS).await.status, h.get(HUNTRESS).await.status), (404, 404));
    assert_eq!(h.post(&format!("{HUNTRESS}/pull"), json!({})).await.status, 404);
    assert_eq!((h.wire.take_pulls().len(), h.get("/v1/usage").await.json), (0, counts));
    // The products are another source's to feed again, and this one is new.
    assert_eq!(h.put(HUNTRESS, json!({ "products": { "agents": "edr" } })).await.status, 422);
    set_up(&h).await;
}
