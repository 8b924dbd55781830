//! Usage is pushed, repeated, corrected, sent in parts, cut short and completed, and read back.

use std::collections::BTreeSet;
use std::time::Instant;

use integration::{Answer, Harness, PARTNER};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::{PARTNER as PARTNER_HEADER, Scope};
use shared::domain::ids::{PartnerId, SnapshotId};
use shared::store::usage::{Feed, Month, UsageBook, UsageReader};
use shared::store::{Condition, Key, Page, Read, schema};

const NOON: &str = "2026-11-20T12:00:00Z";

fn record(company: &str, product: &str, quantity: u32) -> Value {
    json!({"company": company, "company_name": company.to_uppercase(), "product": product, "quantity": quantity})
}

fn snapshot(as_of: &str, complete: bool, records: &[(&str, &str, u32)]) -> Value {
    let records: Vec<_> =
        records.iter().map(|(company, product, quantity)| record(company, product, *quantity)).collect();
    json!({"as_of": as_of, "complete": complete, "records": records})
}

async fn push(h: &Harness, id: &str, body: Value) -> Answer {
    h.put(&format!("/v1/usage/snapshots/{id}"), body).await
}

fn partner() -> PartnerId {
    PARTNER.parse().unwrap()
}

/// Everything of October to December, as the sync loads it.
async fn book(h: &Harness) -> UsageBook {
    let month = |at: &str| Month::of(at.parse().unwrap());
    let months = month("2026-10-01T00:00:00Z")..=month("2026-12-01T00:00:00Z");
    UsageReader::new(h.table.clone()).load(&partner(), months).await.unwrap()
}

/// The counts of a feed as text: `12:00 42 complete s1`.
fn counts(book: &UsageBook, company: &str, product: &str) -> Vec<String> {
    let feed = Feed { company: company.parse().unwrap(), product: product.parse().unwrap() };
    let Some(usage) = book.feeds.get(&feed) else { return Vec::new() };
    let text = |recorded: &shared::store::usage::RecordedCount| {
        let count = &recorded.count;
        let time = count.as_of.strftime("%H:%M");
        format!("{time} {} {} {}", count.units, if count.complete { "complete" } else { "incomplete" }, count.snapshot)
    };
    usage.counts.iter().map(text).collect()
}

/// The newest complete snapshot of a product.
fn newest(book: &UsageBook, product: &str) -> Option<String> {
    book.newest_complete.get(&product.parse().unwrap()).map(|newest| newest.snapshot.to_string())
}

#[tokio::test]
async fn a_snapshot_is_stored_and_the_same_again_answers_the_same() {
    let h = Harness::start().await;
    let body = snapshot(NOON, true, &[("acme", "edr", 42), ("bolt", "edr", 7), ("acme", "m365", 10)]);
    let first = push(&h, "s1", body).await;
    assert_eq!(first.status, 201, "{}", first.text);
    insta::assert_json_snapshot!(first.json, @r#"
    {
      "as_of": "2026-11-20T12:00:00Z",
      "companies": 2,
      "complete": true,
      "products": [
        "edr",
        "m365"
      ],
      "received_at": "2026-11-21T12:00:00Z",
      "records": 3,
      "snapshot_id": "s1",
      "state": "applied"
    }
    "#);
    h.clock.advance(SignedDuration::from_mins(10));
    let reordered =
        snapshot("2026-11-20T13:00:00.5+01:00", true, &[("acme", "m365", 10), ("bolt", "edr", 7), ("acme", "edr", 42)]);
    let again = push(&h, "s1", reordered).await;
    assert_eq!((again.status, &again.json), (200, &first.json));
    assert_eq!(h.get("/v1/usage/snapshots/s1").await.json, first.json);
    assert_eq!(h.get("/v1/usage/snapshots/s2").await.problem()["code"], "not_found");
    let book = book(&h).await;
    assert_eq!(counts(&book, "acme", "edr"), ["12:00 42 complete s1"]);
    assert_eq!((newest(&book, "edr"), newest(&book, "m365")), (Some("s1".into()), Some("s1".into())));
}

#[tokio::test]
async fn an_id_never_stands_for_two_contents() {
    let h = Harness::start().await;
    push(&h, "s1", snapshot(NOON, true, &[("acme", "edr", 42)])).await;
    for other in [
        snapshot(NOON, true, &[("acme", "edr", 43)]),
        snapshot(NOON, false, &[("acme", "edr", 42)]),
        snapshot("2026-11-20T12:00:01Z", true, &[("acme", "edr", 42)]),
        snapshot(NOON, true, &[]),
    ] {
        let problem = push(&h, "s1", other).await.problem();
        insta::allow_duplicates! {
            insta::assert_json_snapshot!(problem, @r#"
            {
              "code": "snapshot_differs",
              "detail": "Something else was received under this id.",
              "errors": [],
              "fix": "A snapshot never changes: send what is new under a new id.",
              "request_id": "[request]",
              "status": 409,
              "title": "Snapshot differs",
              "type": "/problems/snapshot_differs"
            }
            "#);
        }
    }
    assert_eq!(counts(&book(&h).await, "acme", "edr"), ["12:00 42 complete s1"]);
}

#[tokio::test]
async fn an_older_as_of_never_overwrites_a_newer_one() {
    let h = Harness::start().await;
    push(&h, "new", snapshot("2026-11-20T12:58:00Z", true, &[("acme", "edr", 5)])).await;
    let mut older = snapshot("2026-11-20T12:48:00Z", true, &[("acme", "edr", 9), ("bolt", "edr", 1)]);
    older["records"][0]["company_name"] = "Former name".into();
    assert_eq!(push(&h, "old", older).await.status, 201);
    assert_eq!(push(&h, "older", snapshot("2026-11-20T11:20:00Z", true, &[("acme", "edr", 8)])).await.status, 201);
    let book = book(&h).await;
    assert_eq!(counts(&book, "acme", "edr"), ["11:20 8 complete older", "12:58 5 complete new"]);
    assert_eq!(counts(&book, "bolt", "edr"), ["12:48 1 complete old"]);
    assert_eq!(newest(&book, "edr").as_deref(), Some("new"));
    let acme = Feed { company: "acme".parse().unwrap(), product: "edr".parse().unwrap() };
    assert_eq!(book.feeds[&acme].company_name.as_deref(), Some("ACME"));
}

#[tokio::test]
async fn of_two_snapshots_as_of_one_instant_the_one_received_later_counts_for_good() {
    let h = Harness::start().await;
    let wrong = snapshot(NOON, true, &[("acme", "edr", 50)]);
    push(&h, "wrong", wrong.clone()).await;
    h.clock.advance(SignedDuration::from_secs(1));
    push(&h, "right", snapshot(NOON, true, &[("acme", "edr", 40)])).await;
    assert_eq!(counts(&book(&h).await, "acme", "edr"), ["12:00 40 complete right"]);
    // A retry of the first one that was cut short does not bring its count back.
    set_state(&h, &schema::snapshot(&partner(), &"wrong".parse().unwrap()), "received").await;
    assert_eq!(push(&h, "wrong", wrong).await.status, 200);
    let book = book(&h).await;
    assert_eq!(counts(&book, "acme", "edr"), ["12:00 40 complete right"]);
    assert_eq!(newest(&book, "edr").as_deref(), Some("right"));
}

#[tokio::test]
async fn incomplete_snapshots_keep_the_highest_count_of_the_quarter_hour_beside_the_complete_one() {
    let h = Harness::start().await;
    push(&h, "c", snapshot("2026-11-20T12:10:00Z", true, &[("acme", "edr", 5)])).await;
    push(&h, "i1", snapshot("2026-11-20T12:20:00Z", false, &[("acme", "edr", 9)])).await;
    push(&h, "i2", snapshot("2026-11-20T12:25:00Z", false, &[("acme", "edr", 7)])).await;
    let book = book(&h).await;
    assert_eq!(counts(&book, "acme", "edr"), ["12:10 5 complete c", "12:20 9 incomplete i1"]);
    assert_eq!(newest(&book, "edr").as_deref(), Some("c"));
}

#[tokio::test]
async fn a_complete_snapshot_speaks_only_of_the_products_in_it() {
    let h = Harness::start().await;
    push(&h, "both", snapshot(NOON, true, &[("acme", "edr", 1), ("acme", "m365", 2)])).await;
    push(&h, "edr", snapshot("2026-11-20T18:00:00Z", true, &[("bolt", "edr", 1)])).await;
    push(&h, "empty", snapshot("2026-11-20T19:00:00Z", true, &[])).await;
    let book = book(&h).await;
    assert_eq!((newest(&book, "edr").as_deref(), newest(&book, "m365").as_deref()), (Some("edr"), Some("both")));
    assert_eq!(book.newest_complete.len(), 2);
}

/// Sets a header back to what it was while its counts were on their way in.
async fn set_state(h: &Harness, key: &Key, state: &str) {
    let update = Condition::new("SET #state = :state").bind(":state", state).unwrap();
    assert!(h.table.amend(key, &update, &Condition::present()).await.unwrap());
}

async fn forget(h: &Harness, key: &Key) {
    assert!(h.table.delete(key, &Condition::present()).await.unwrap());
}

#[tokio::test]
async fn a_snapshot_that_was_cut_short_is_completed_by_sending_it_again() {
    let h = Harness::start().await;
    let body = snapshot(NOON, true, &[("acme", "edr", 42), ("bolt", "edr", 7), ("core", "m365", 9)]);
    let id: SnapshotId = "s1".parse().unwrap();
    let first = push(&h, "s1", body.clone()).await.json;
    let whole = book(&h).await;
    let header = schema::snapshot(&partner(), &id);
    let newest_edr = schema::newest_complete(&partner(), &"edr".parse().unwrap());
    let count = schema::counts(&partner(), "2026-11", &"bolt".parse().unwrap(), &"edr".parse().unwrap());
    let chunk = schema::snapshot_chunk(&partner(), &id, 0, 0);
    // The process may have died at any step; each loses what came after it.
    for lost in [vec![], vec![&newest_edr], vec![&newest_edr, &count], vec![&newest_edr, &count, &chunk]] {
        set_state(&h, &header, "received").await;
        for key in &lost {
            forget(&h, key).await;
        }
        if lost.contains(&&newest_edr) {
            assert_eq!(newest(&book(&h).await, "edr"), None, "absence is not concluded from half a snapshot");
        }
        assert_eq!(h.get("/v1/usage/snapshots/s1").await.json["state"], "received");
        let again = push(&h, "s1", body.clone()).await;
        assert_eq!((again.status, &again.json), (200, &first), "{lost:?}");
        assert_eq!(book(&h).await, whole, "{lost:?}");
        assert!(h.table.get::<Value>(&chunk, Read::Consistent).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn the_newest_account_that_a_source_names_stays_when_another_source_names_none() {
    let h = Harness::start().await;
    let account = async || h.get("/v1/usage?limit=1").await.json["items"][0]["account_id"].clone();
    let mut body = snapshot("2026-11-20T10:00:00Z", true, &[("acme", "edr", 1)]);
    push(&h, "s0", body.clone()).await;
    assert_eq!(account().await, Value::Null);
    body["as_of"] = "2026-11-20T11:00:00Z".into();
    body["records"][0]["account_id"] = "1001".into();
    push(&h, "s1", body.clone()).await;
    assert_eq!(account().await, "1001");
    push(&h, "s2", snapshot(NOON, true, &[("acme", "edr", 3)])).await;
    assert_eq!(account().await, "1001");
    // One that is older than the newest count says nothing any more.
    body["as_of"] = "2026-11-20T09:00:00Z".into();
    body["records"][0]["account_id"] = "1002".into();
    push(&h, "s3", body).await;
    assert_eq!(account().await, "1001");
}

#[tokio::test]
async fn the_records_of_a_snapshot_are_kept_as_they_came_for_more_than_400_days() {
    let h = Harness::start().await;
    let mut body = snapshot(NOON, true, &[("acme", "edr", 42)]);
    body["records"][0]["unit_cost"] = "1.10".into();
    push(&h, "s1", body.clone()).await;
    let id = "s1".parse().unwrap();
    for key in [schema::snapshot(&partner(), &id), schema::snapshot_chunk(&partner(), &id, 0, 0)] {
        let row: Value = h.table.get(&key, Read::Consistent).await.unwrap().unwrap();
        let kept = row["expires"].as_i64().unwrap() - h.clock.time().as_second();
        assert!(kept > 400 * 86_400, "{kept}");
        if let Some(records) = row["records"].as_array() {
            assert_eq!(records, body["records"].as_array().unwrap());
        }
    }
}

#[tokio::test]
async fn a_partner_sees_only_its_own_usage() {
    let h = Harness::start().await;
    push(&h, "s1", snapshot(NOON, true, &[("acme", "edr", 42)])).await;
    let token = h.token("another", &[Scope::Read, Scope::Usage]);
    let ask = async |method: Method, path: &str, body: Value| {
        let request = h.request(method.clone(), path).bearer_auth(&token);
        Answer::to(if method == Method::GET { request } else { request.json(&body) }).await
    };
    assert_eq!(ask(Method::GET, "/v1/usage", Value::Null).await.json["items"], json!([]));
    assert_eq!(ask(Method::GET, "/v1/usage/snapshots/s1", Value::Null).await.status, 404);
    assert_eq!(
        ask(Method::POST, "/v1/usage/snapshots/s1/seal", json!({"parts": 1, "complete": true})).await.status,
        404
    );
    // The same id is free for it, and changes nothing for the other.
    let theirs = ask(Method::PUT, "/v1/usage/snapshots/s1", snapshot(NOON, true, &[("acme", "edr", 1)])).await;
    assert_eq!(theirs.status, 201);
    assert_eq!(counts(&book(&h).await, "acme", "edr"), ["12:00 42 complete s1"]);
}

#[tokio::test]
async fn the_vendor_pushes_for_two_partners_with_one_token() {
    let h = Harness::start().await;
    let token = h.vendor_token(&[Scope::Usage]);
    for (name, quantity) in [("north", 1), ("south", 2)] {
        let request =
            h.request(Method::PUT, "/v1/usage/snapshots/nightly").bearer_auth(&token).header(PARTNER_HEADER, name);
        assert_eq!(Answer::to(request.json(&snapshot(NOON, true, &[("acme", "edr", quantity)]))).await.status, 201);
    }
    for (name, quantity) in [("north", 1), ("south", 2)] {
        let request = h.request(Method::GET, "/v1/usage").bearer_auth(h.token(name, &[Scope::Read]));
        let items = Answer::to(request).await.json["items"].clone();
        assert_eq!((items.as_array().unwrap().len(), &items[0]["quantity"]), (1, &json!(quantity)), "{name}");
    }
}

#[tokio::test]
async fn usage_is_pushed_with_its_own_scope_and_read_with_that_or_read() {
    let h = Harness::start().await;
    let with = async |scope: Scope, method: Method, path: &str, body: Value| {
        let request = h.request(method.clone(), path).bearer_auth(h.token(PARTNER, &[scope]));
        Answer::to(if method == Method::GET { request } else { request.json(&body) }).await.status
    };
    let body = snapshot(NOON, true, &[("acme", "edr", 1)]);
    let part = json!({"as_of": NOON, "records": []});
    for (scope, pushes) in [(Scope::Usage, true), (Scope::Read, false), (Scope::Write, false)] {
        let wanted = |status| if pushes { status } else { 403 };
        assert_eq!(with(scope, Method::PUT, "/v1/usage/snapshots/s1", body.clone()).await, wanted(201));
        assert_eq!(with(scope, Method::PUT, "/v1/usage/snapshots/s2/parts/1", part.clone()).await, wanted(201));
        assert_eq!(
            with(scope, Method::POST, "/v1/usage/snapshots/s2/seal", json!({"parts": 1, "complete": true})).await,
            wanted(200)
        );
        assert_eq!(with(scope, Method::GET, "/v1/usage", Value::Null).await, 200);
        assert_eq!(with(scope, Method::GET, "/v1/usage/snapshots/s1", Value::Null).await, 200);
    }
}

async fn push_part(h: &Harness, id: &str, part: u32, records: &[(&str, &str, u32)]) -> Answer {
    let records = &snapshot(NOON, true, records)["records"];
    h.put(&format!("/v1/usage/snapshots/{id}/parts/{part}"), json!({"as_of": NOON, "records": records})).await
}

async fn seal(h: &Harness, id: &str, parts: u32, complete: bool) -> Answer {
    h.post(&format!("/v1/usage/snapshots/{id}/seal"), json!({"parts": parts, "complete": complete})).await
}

#[tokio::test]
async fn parts_come_in_any_order_and_are_incomplete_until_sealed() {
    let h = Harness::start().await;
    push(&h, "before", snapshot("2026-11-19T12:00:00Z", true, &[("acme", "edr", 50)])).await;
    let second = push_part(&h, "big", 2, &[("bolt", "edr", 7), ("acme", "m365", 3)]).await;
    assert_eq!(second.status, 201, "{}", second.text);
    insta::assert_json_snapshot!(second.json, @r#"
    {
      "part": 2,
      "received_at": "2026-11-21T12:00:00Z",
      "records": 2,
      "state": "applied"
    }
    "#);
    assert_eq!(push_part(&h, "big", 1, &[("acme", "edr", 42)]).await.status, 201);
    insta::assert_json_snapshot!(h.get("/v1/usage/snapshots/big").await.json, @r#"
    {
      "as_of": "2026-11-20T12:00:00Z",
      "companies": 0,
      "complete": false,
      "parts": [
        {
          "part": 1,
          "received_at": "2026-11-21T12:00:00Z",
          "records": 1,
          "state": "applied"
        },
        {
          "part": 2,
          "received_at": "2026-11-21T12:00:00Z",
          "records": 2,
          "state": "applied"
        }
      ],
      "products": [],
      "received_at": "2026-11-21T12:00:00Z",
      "records": 3,
      "snapshot_id": "big",
      "state": "open"
    }
    "#);
    let open = book(&h).await;
    assert_eq!(counts(&open, "bolt", "edr"), ["12:00 7 incomplete big"]);
    assert_eq!((newest(&open, "edr").as_deref(), newest(&open, "m365")), (Some("before"), None));

    let sealed = seal(&h, "big", 2, true).await;
    assert_eq!(sealed.status, 200, "{}", sealed.text);
    insta::assert_json_snapshot!(sealed.json, @r#"
    {
      "as_of": "2026-11-20T12:00:00Z",
      "companies": 2,
      "complete": true,
      "parts": [
        {
          "part": 1,
          "received_at": "2026-11-21T12:00:00Z",
          "records": 1,
          "state": "applied"
        },
        {
          "part": 2,
          "received_at": "2026-11-21T12:00:00Z",
          "records": 2,
          "state": "applied"
        }
      ],
      "products": [
        "edr",
        "m365"
      ],
      "received_at": "2026-11-21T12:00:00Z",
      "records": 3,
      "snapshot_id": "big",
      "state": "applied"
    }
    "#);
    assert_eq!(h.get("/v1/usage/snapshots/big").await.json, sealed.json);
    let done = book(&h).await;
    assert_eq!(counts(&done, "acme", "edr"), ["12:00 50 complete before", "12:00 42 complete big"]);
    assert_eq!(counts(&done, "bolt", "edr"), ["12:00 7 complete big"]);
    assert_eq!((newest(&done, "edr").as_deref(), newest(&done, "m365").as_deref()), (Some("big"), Some("big")));
}

#[tokio::test]
async fn a_seal_is_repeated_at_will_and_never_changed() {
    let h = Harness::start().await;
    push_part(&h, "big", 1, &[("acme", "edr", 42)]).await;
    push_part(&h, "big", 2, &[("bolt", "edr", 7)]).await;
    let first = seal(&h, "big", 2, true).await;
    let again = seal(&h, "big", 2, true).await;
    assert_eq!((again.status, again.json), (200, first.json));
    insta::assert_json_snapshot!(seal(&h, "big", 2, false).await.problem(), @r#"
    {
      "code": "snapshot_differs",
      "detail": "This snapshot is sealed, with other parts or otherwise complete.",
      "errors": [],
      "fix": "A snapshot never changes: send what is new under a new id.",
      "request_id": "[request]",
      "status": 409,
      "title": "Snapshot differs",
      "type": "/problems/snapshot_differs"
    }
    "#);
    assert_eq!(seal(&h, "big", 1, true).await.problem()["code"], "snapshot_differs");
    // A part that was received may be repeated; a new one comes too late.
    assert_eq!(push_part(&h, "big", 2, &[("bolt", "edr", 7)]).await.status, 200);
    assert_eq!(push_part(&h, "big", 3, &[("core", "edr", 7)]).await.problem()["code"], "snapshot_differs");
    assert_eq!(counts(&book(&h).await, "core", "edr"), [""; 0]);
}

#[tokio::test]
async fn a_snapshot_sealed_as_incomplete_never_speaks_of_absence() {
    let h = Harness::start().await;
    push_part(&h, "big", 1, &[("acme", "edr", 42)]).await;
    assert_eq!(seal(&h, "big", 1, false).await.json["complete"], false);
    let book = book(&h).await;
    assert_eq!(counts(&book, "acme", "edr"), ["12:00 42 incomplete big"]);
    assert_eq!(newest(&book, "edr"), None);
}

#[tokio::test]
async fn a_seal_needs_exactly_the_parts_it_names() {
    let h = Harness::start().await;
    assert_eq!(seal(&h, "big", 1, true).await.problem()["code"], "not_found");
    push_part(&h, "big", 1, &[("acme", "edr", 42)]).await;
    push_part(&h, "big", 4, &[("bolt", "edr", 7)]).await;
    insta::assert_json_snapshot!(seal(&h, "big", 5, true).await.problem(), @r#"
    {
      "code": "parts_missing",
      "detail": "Not received, or not to the end: 2, 3, 5.",
      "errors": [],
      "fix": "Send these parts again, then the seal.",
      "request_id": "[request]",
      "status": 409,
      "title": "Parts missing",
      "type": "/problems/parts_missing"
    }
    "#);
    insta::assert_json_snapshot!(seal(&h, "big", 1, true).await.problem(), @r#"
    {
      "code": "parts_beyond",
      "detail": "Parts beyond that number were received: 4.",
      "errors": [],
      "fix": "Seal with the number of parts that were sent.",
      "request_id": "[request]",
      "status": 409,
      "title": "Parts beyond",
      "type": "/problems/parts_beyond"
    }
    "#);
    push_part(&h, "big", 2, &[]).await;
    push_part(&h, "big", 3, &[]).await;
    // A part whose counts are not all in is not there yet.
    let second = schema::snapshot_part(&partner(), &"big".parse().unwrap(), 2);
    set_state(&h, &second, "received").await;
    assert_eq!(seal(&h, "big", 4, true).await.problem()["code"], "parts_missing");
    assert_eq!(push_part(&h, "big", 2, &[]).await.json["state"], "applied");
    assert_eq!(seal(&h, "big", 4, true).await.json["records"], 2);
}

#[tokio::test]
async fn what_is_in_two_parts_cannot_be_sealed() {
    let h = Harness::start().await;
    push_part(&h, "big", 1, &[("acme", "edr", 42), ("bolt", "edr", 7)]).await;
    push_part(&h, "big", 2, &[("bolt", "edr", 8), ("bolt", "m365", 7)]).await;
    insta::assert_json_snapshot!(seal(&h, "big", 2, true).await.problem(), @r#"
    {
      "code": "invalid_request",
      "detail": "The request is not valid: /parts: part 1 and part 2 both count product edr of company bolt.",
      "errors": [
        {
          "detail": "part 1 and part 2 both count product edr of company bolt",
          "pointer": "/parts"
        }
      ],
      "fix": "A part never changes: send the snapshot under a new id, each company and product once.",
      "request_id": "[request]",
      "status": 422,
      "title": "Invalid request",
      "type": "/problems/invalid_request"
    }
    "#);
    assert_eq!(h.get("/v1/usage/snapshots/big").await.json["state"], "open");
    assert_eq!(newest(&book(&h).await, "edr"), None);
}

#[tokio::test]
async fn a_part_never_changes_and_never_mixes_with_a_whole_snapshot() {
    let h = Harness::start().await;
    push(&h, "whole", snapshot(NOON, true, &[("acme", "edr", 1)])).await;
    push_part(&h, "big", 1, &[("acme", "edr", 42)]).await;
    let told = |answer: Answer| answer.problem()["detail"].as_str().unwrap().to_owned();
    assert_eq!(
        told(push_part(&h, "whole", 1, &[("acme", "edr", 1)]).await),
        "This snapshot was received in one piece."
    );
    assert_eq!(told(seal(&h, "whole", 1, true).await), "This snapshot was received in one piece.");
    assert_eq!(
        told(push(&h, "big", snapshot(NOON, true, &[("acme", "edr", 42)])).await),
        "This snapshot was begun in parts."
    );
    assert_eq!(
        told(push_part(&h, "big", 1, &[("acme", "edr", 43)]).await),
        "Something else was received under this id."
    );
    let other = json!({"as_of": "2026-11-20T13:00:00Z", "records": []});
    let other = h.put("/v1/usage/snapshots/big/parts/2", other).await;
    assert_eq!(told(other), "The parts before are as of another instant.");
    assert_eq!(counts(&book(&h).await, "acme", "edr"), ["12:00 1 complete whole", "12:00 42 incomplete big"]);
}

#[tokio::test]
async fn a_seal_that_was_cut_short_is_completed_by_sending_it_again() {
    let h = Harness::start().await;
    push_part(&h, "big", 1, &[("acme", "edr", 42)]).await;
    push_part(&h, "big", 2, &[("bolt", "edr", 7)]).await;
    let first = seal(&h, "big", 2, true).await.json;
    let whole = book(&h).await;
    set_state(&h, &schema::snapshot(&partner(), &"big".parse().unwrap()), "received").await;
    forget(&h, &schema::newest_complete(&partner(), &"edr".parse().unwrap())).await;
    forget(&h, &schema::counts(&partner(), "2026-11", &"bolt".parse().unwrap(), &"edr".parse().unwrap())).await;
    assert_eq!(seal(&h, "big", 2, false).await.problem()["code"], "snapshot_differs");
    assert_eq!(seal(&h, "big", 2, true).await.json, first);
    assert_eq!(book(&h).await, whole);
}

async fn list_all(h: &Harness, query: &str) -> (Vec<Value>, usize) {
    let (mut items, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = h.get(&format!("/v1/usage?{query}{cursor}")).await;
        assert_eq!(page.status, 200, "{}", page.text);
        items.extend(page.json["items"].as_array().unwrap().iter().cloned());
        pages += 1;
        assert!(pages < 500, "the list does not end");
        match page.json["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (items, pages),
        }
    }
}

#[tokio::test]
async fn counts_are_listed_by_page_each_exactly_once() {
    let h = Harness::start().await;
    for (n, hour) in
        ["2026-10-30T10", "2026-10-31T23", "2026-11-01T00", "2026-11-19T10", "2026-11-19T11"].into_iter().enumerate()
    {
        let records: Vec<_> =
            ["acme", "bolt", "core"].iter().flat_map(|c| ["edr", "edr2"].map(|p| (*c, p, 10))).collect();
        push(&h, &format!("c{n}"), snapshot(&format!("{hour}:00:00Z"), true, &records)).await;
        push(&h, &format!("i{n}"), snapshot(&format!("{hour}:00:00Z"), false, &records)).await;
    }
    let all = "from=2026-10-01&to=2026-11-30";
    let (once, pages) = list_all(&h, &format!("{all}&limit=100")).await;
    assert_eq!((once.len(), pages), (60, 1));
    insta::assert_json_snapshot!(once[0], @r#"
    {
      "as_of": "2026-10-30T10:00:00Z",
      "company": "acme",
      "company_name": "ACME",
      "complete": true,
      "product": "edr",
      "quantity": 10,
      "snapshot_id": "c0"
    }
    "#);
    for limit in [1, 7, 59, 60] {
        let (again, _) = list_all(&h, &format!("{all}&limit={limit}")).await;
        assert_eq!(again, once, "{limit}");
    }
    let distinct: BTreeSet<_> = once.iter().map(Value::to_string).collect();
    assert_eq!(distinct.len(), 60);

    for (query, expected) in [
        ("company=acme", 20),
        ("product=edr", 30),
        ("company=acme&product=edr", 10),
        ("company=acm", 0),
        ("company=nobody", 0),
    ] {
        assert_eq!(list_all(&h, &format!("{all}&{query}&limit=4")).await.0.len(), expected, "{query}");
    }
    for (query, expected) in [
        ("from=2026-10-31&to=2026-11-01", 24),
        ("from=2026-10-31T23:00:00Z&to=2026-10-31T23:00:00Z", 12),
        ("from=2026-10-31T23:00:01Z&to=2026-11-01T00:00:00Z", 12),
        ("from=1926-01-01", 60),
        // The last 31 days, from 12:00 on the 21st.
        ("", 60),
        ("to=2026-11-18", 36),
    ] {
        assert_eq!(list_all(&h, &format!("{query}&limit=100")).await.0.len(), expected, "{query}");
    }
}

#[tokio::test]
async fn a_list_that_is_filtered_down_to_little_still_ends() {
    let h = Harness::start().await;
    let records: Vec<_> =
        (0..1_100).map(|n| record(&format!("c{n:04}"), if n == 1_050 { "rare" } else { "edr" }, 1)).collect();
    push(&h, "s1", json!({"as_of": NOON, "complete": true, "records": records})).await;
    let (items, pages) = list_all(&h, "product=rare&limit=100").await;
    assert_eq!(items.len(), 1);
    assert!(pages <= 3, "{pages}");
}

#[tokio::test]
async fn the_feeds_of_a_product_are_given_whole_month_by_month_side_by_side_as_far_as_may_be_read() {
    let h = Harness::start().await;
    let company = |number: usize| format!("c{number:04}");
    let october: Vec<_> = (0..350).step_by(3).map(|number| record(&company(number), "edr", 1)).collect();
    push(&h, "s1", json!({"as_of": "2026-10-20T12:00:00Z", "complete": true, "records": october})).await;
    let november: Vec<_> =
        (0..350).flat_map(|number| ["edr", "sat"].map(|product| record(&company(number), product, 2))).collect();
    push(&h, "s2", json!({"as_of": NOON, "complete": true, "records": november})).await;

    let (book, edr) = (book(&h).await, "edr".parse().unwrap());
    let expected: Vec<_> =
        book.feeds.into_iter().filter(|(feed, _)| feed.product == edr).map(|(_, usage)| usage.counts).collect();
    assert_eq!((expected.len(), expected[0].len(), expected[1].len()), (350, 2, 1));
    let months = Month::of("2026-10-01T00:00:00Z".parse().unwrap())..=Month::of(NOON.parse().unwrap());
    let reader = UsageReader::new(h.table.clone());
    // One query of October, and three of the 700 rows of November.
    for (queries, all) in [(4, true), (3, false), (0, false)] {
        let mut feeds = reader.feeds_of(&partner(), &edr, months.clone(), queries);
        let mut given = Vec::new();
        while let Some(counts) = feeds.next().await.unwrap() {
            given.push(counts);
        }
        assert_eq!((feeds.are_all_given(), given.len() == expected.len()), (all, all), "{queries}");
        assert!(expected.starts_with(&given) && (given.len() > 100 || queries == 0), "{queries}: {}", given.len());
    }
}

#[tokio::test]
async fn three_thousand_records_are_stored_in_one_request() {
    let h = Harness::on_disk().await;
    let records: Vec<_> =
        (0..3_000).map(|n| record(&format!("company-{:04}", n / 3), ["edr", "itdr", "sat"][n % 3], 7)).collect();
    let body = json!({"as_of": NOON, "complete": true, "records": records});
    let began = Instant::now();
    let answer = push(&h, "s1", body).await;
    println!("3,000 records over HTTP into the store on disk: {:?}", began.elapsed());
    assert_eq!((answer.status, &answer.json["records"]), (201, &json!(3_000)));
    let began = Instant::now();
    let book = book(&h).await;
    println!("3,000 feeds loaded: {:?}", began.elapsed());
    assert_eq!(book.feeds.len(), 3_000);
    // In rows that each stay well below the store's limit.
    let chunks = format!("P#{PARTNER}#SNAP#s1");
    let rows =
        h.table.page::<Value>(&chunks, &Page { prefix: "PART#", ..Page::default() }, Read::Consistent).await.unwrap();
    assert_eq!(rows.items.len(), 10);
    assert!(rows.items.iter().all(|(_, row)| row.to_string().len() < 300_000));
}
