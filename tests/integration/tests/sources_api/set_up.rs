//! Setting a source up and changing it: what is asked of the vendor, and what is stored.

use integration::Answer;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;

use super::bench::{BLIND, HUNTRESS, KEY, SECRET, body, credentials, is_going, kept, set_up, start};

#[tokio::test]
async fn a_source_is_set_up_once_the_vendor_lets_us_read() {
    let (h, huntress) = start().await;
    insta::assert_json_snapshot!(set_up(&h).await, @r#"
    {
      "created_at": "2026-11-21T12:00:00Z",
      "filters": {},
      "going": null,
      "last_pull": null,
      "metrics": [
        "agents",
        "billable_agents",
        "billable_identities",
        "ispm_identities",
        "log_sources",
        "sat_learners"
      ],
      "next_due_at": "2026-11-21T12:00:00Z",
      "products": {
        "agents": "edr"
      },
      "schedule": null,
      "source": "huntress",
      "time_zone": "UTC",
      "updated_at": "2026-11-21T12:00:00Z"
    }
    "#);
    assert_eq!(huntress.requests().len(), 1);
    assert_eq!(kept(&h).await, Some(json!({ "source": "huntress", "key": KEY, "secret": SECRET })));
    assert_eq!(h.get(HUNTRESS).await.json, h.get("/v1/sources").await.json["items"][0]);
}

#[tokio::test]
async fn nothing_is_stored_of_credentials_that_the_vendor_refuses() {
    let (h, _huntress) = start().await;
    let refused =
        h.put(HUNTRESS, json!({ "credentials": credentials("wrong"), "products": { "agents": "edr" } })).await;
    insta::assert_json_snapshot!(refused.problem(), @r#"
    {
      "code": "source_credentials_rejected",
      "detail": "Huntress does not accept these credentials.",
      "errors": [],
      "fix": "Check them for a typing error; else make new ones with the vendor. Send them with PUT /v1/sources/{source}.",
      "request_id": "[request]",
      "status": 422,
      "title": "Source credentials rejected",
      "type": "/problems/source_credentials_rejected"
    }
    "#);
    // The log-in works, and what is counted can't be read with it.
    let blind = h.put(HUNTRESS, json!({ "credentials": credentials(BLIND), "products": { "agents": "edr" } })).await;
    assert_eq!((blind.status, blind.problem()["code"].as_str()), (422, Some("source_permission_missing")));
    assert_eq!((h.get(HUNTRESS).await.status, kept(&h).await), (404, None));
}

#[tokio::test]
async fn refused_credentials_leave_those_and_the_setting_as_they_were() {
    let (h, _huntress) = start().await;
    let before = set_up(&h).await;
    h.clock.advance(SignedDuration::from_hours(1));
    let refused =
        h.put(HUNTRESS, json!({ "credentials": credentials("wrong"), "products": { "agents": "m365" } })).await;
    assert_eq!(refused.status, 422);
    assert_eq!(h.get(HUNTRESS).await.json, before);
    assert_eq!(kept(&h).await.unwrap()["key"], KEY);
}

#[tokio::test]
async fn a_vendor_that_does_not_answer_is_told_apart_from_one_that_refuses() {
    let (h, huntress) = start().await;
    huntress.refuse_connections(true).await;
    let answer = h.put(HUNTRESS, body()).await;
    assert_eq!(answer.header("retry-after"), "30");
    insta::assert_json_snapshot!(answer.problem(), @r#"
    {
      "code": "source_unreachable",
      "detail": "Huntress does not answer.",
      "errors": [],
      "fix": "Nothing was changed. Send it again in a while; if it stays, look at the vendor's status page.",
      "request_id": "[request]",
      "status": 503,
      "title": "Source unreachable",
      "type": "/problems/source_unreachable"
    }
    "#);
    assert_eq!((h.get(HUNTRESS).await.status, kept(&h).await), (404, None));
}

#[tokio::test]
async fn the_same_again_changes_nothing_and_asks_nobody() {
    let (h, huntress) = start().await;
    let before = set_up(&h).await;
    huntress.reset_counts();
    h.clock.advance(SignedDuration::from_hours(1));
    let again = h.put(HUNTRESS, json!({ "products": { "agents": "edr" } })).await;
    assert_eq!((again.status, again.json), (200, before));
    assert_eq!(huntress.requests().len(), 0);
}

#[tokio::test]
async fn what_is_changed_is_pulled_at_once_with_the_credentials_that_are_there() {
    let (h, huntress) = start().await;
    set_up(&h).await;
    is_going(&h, h.clock.time()).await;
    huntress.reset_counts();
    h.clock.advance(SignedDuration::from_hours(1));
    let change = json!({
        "products": { "agents": "edr", "sat_learners": "training" },
        "filters": { "nfr_company": "9" },
        "schedule": { "frequency": "weekly", "hour": 5, "weekday": "monday" },
        "time_zone": "europe/berlin",
    });
    let changed = h.put(HUNTRESS, change.clone()).await;
    assert_eq!((changed.status, huntress.requests().len()), (200, 0));
    for field in ["products", "filters", "schedule"] {
        assert_eq!(changed.json[field], change[field]);
    }
    assert_eq!(changed.json["time_zone"], "Europe/Berlin");
    assert_eq!(changed.json["next_due_at"], "2026-11-21T13:00:00Z");
    assert_eq!((&changed.json["updated_at"], &changed.json["going"]), (&changed.json["next_due_at"], &Value::Null));
    assert_eq!(changed.json["created_at"], "2026-11-21T12:00:00Z");
    assert_eq!(kept(&h).await.unwrap()["key"], KEY);
    // What is left out is as usual again.
    let usual = h.put(HUNTRESS, json!({ "products": { "agents": "edr" }, "schedule": null })).await.json;
    assert_eq!((&usual["filters"], &usual["schedule"], &usual["time_zone"]), (&json!({}), &Value::Null, &json!("UTC")));
}

#[tokio::test]
async fn new_credentials_are_tried_and_pulled_with_at_once() {
    let (h, huntress) = start().await;
    set_up(&h).await;
    huntress.reset_counts();
    h.clock.advance(SignedDuration::from_hours(1));
    let answer = h.put(HUNTRESS, body()).await;
    assert_eq!((answer.status, huntress.requests().len()), (200, 1));
    assert_eq!(answer.json["next_due_at"], "2026-11-21T13:00:00Z");
}

#[tokio::test]
async fn a_product_that_was_counted_otherwise_is_taken_over_on_purpose_alone() {
    let (h, _huntress) = start().await;
    let record = json!({ "company": "acme", "company_name": "Acme", "product": "edr", "quantity": 5 });
    let pushed = json!({ "as_of": "2026-11-21T11:00:00Z", "complete": true, "records": [record] });
    assert_eq!(h.put("/v1/usage/snapshots/s1", pushed).await.status, 201);
    insta::assert_json_snapshot!(h.put(HUNTRESS, body()).await.problem(), @r#"
    {
      "code": "product_counted_otherwise",
      "detail": "edr was counted by the snapshot s1 of 2026-11-21T11:00:00Z, and a product is counted in one way.",
      "errors": [
        {
          "detail": "edr was counted by the snapshot s1 of 2026-11-21T11:00:00Z",
          "pointer": "/products/agents"
        }
      ],
      "fix": "Map the metric to a product of its own. Or stop what counts it now, remove the mappings of its companies, and send \"take_over\": true.",
      "request_id": "[request]",
      "status": 409,
      "title": "Product counted otherwise",
      "type": "/problems/product_counted_otherwise"
    }
    "#);
    let mut taken_over = body();
    taken_over["take_over"] = json!(true);
    assert_eq!(h.put(HUNTRESS, taken_over).await.status, 201);
    // What is the source's already needs no second word.
    assert_eq!(h.put(HUNTRESS, body()).await.status, 200);
}

#[tokio::test]
async fn what_counts_the_same_twice_and_whoever_is_misnamed_is_refused() {
    let (h, _huntress) = start().await;
    let mut twice = body();
    twice["products"] = json!({ "agents": "edr", "billable_agents": "edr", "sat_learners": "edr" });
    twice["filters"] = json!({ "nfr_company": "huntress:7" });
    let faults = h.put(HUNTRESS, twice).await.problem();
    insta::assert_json_snapshot!(faults["errors"], @r#"
    [
      {
        "detail": "counts some of what agents counts, and both are edr: they would be added",
        "pointer": "/products/billable_agents"
      },
      {
        "detail": "is the vendor's own id: 7, and not huntress:7",
        "pointer": "/filters/nfr_company"
      }
    ]
    "#);
}

#[tokio::test]
async fn a_product_has_one_source() {
    let (h, _huntress) = start().await;
    set_up(&h).await;
    let credentials = json!({ "client_id": "c", "client_secret": "s" });
    let pax8 =
        |product| json!({ "credentials": credentials, "products": { "quantity:a/b": product, "quantity:c": "m365" } });
    insta::assert_json_snapshot!(h.put("/v1/sources/pax8", pax8("edr")).await.problem(), @r#"
    {
      "code": "product_of_another_source",
      "detail": "A product has one source, and edr is fed by the source huntress.",
      "errors": [
        {
          "detail": "edr is fed by the source huntress",
          "pointer": "/products/quantity:a~1b"
        }
      ],
      "fix": "Map the metric to a product of its own, or take the product out of the other source first.",
      "request_id": "[request]",
      "status": 409,
      "title": "Product of another source",
      "type": "/problems/product_of_another_source"
    }
    "#);
    // Of another partner it may be another's; nobody answers there.
    let other = h.request(Method::PUT, "/v1/sources/pax8").bearer_auth(h.token("somebody", &[Scope::Write]));
    assert_eq!(Answer::to(other.json(&pax8("edr"))).await.status, 503);
}
