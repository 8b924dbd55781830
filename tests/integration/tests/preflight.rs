//! The invoice day of a connection, and what a look at the connection before its syncs tells.

use integration::{Answer, Harness, PARTNER};
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;
use shared::store::connections::{Connection, Connections, Status};
use shared::store::journal::By;
use simulators::autotask::{Entity, Fault, When};

/// A harness on a Saturday in Berlin, and the path of its one connection, which syncs daily at two.
async fn connected() -> (Harness, String) {
    let h = Harness::start().await;
    let path = format!("/v1/connections/{}", h.connect().await);
    // It was made long enough ago that the syncs of its schedule in the last weeks were made, and its next one is ahead.
    h.clock.set("2027-01-23T12:00:00Z");
    for enabled in [false, true] {
        change(&h, &path, json!({ "enabled": enabled })).await;
    }
    (h, path)
}

async fn change(h: &Harness, path: &str, body: Value) -> Value {
    let answer = h.patch(path, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json
}

async fn preflight(h: &Harness, path: &str) -> Value {
    let answer = h.get(&format!("{path}/preflight")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json
}

async fn check(h: &Harness, path: &str, check: &str) -> Value {
    let all = preflight(h, path).await;
    all["items"].as_array().unwrap().iter().find(|item| item["check"] == check).unwrap().clone()
}

/// `status code` of a check.
async fn brief(h: &Harness, path: &str, name: &str) -> String {
    let item = check(h, path, name).await;
    format!("{} {}", item["status"].as_str().unwrap(), item["code"].as_str().unwrap()).trim().to_owned()
}

#[tokio::test]
async fn an_invoice_day_is_stated_shown_changed_and_taken_away() {
    let (h, path) = connected().await;
    assert_eq!(h.get(&path).await.json["invoice"], Value::Null);
    let due = h.get(&path).await.json["next_due_at"].clone();
    for (sent, shown) in [
        (json!({"frequency": "monthly", "day": 31}), json!({"frequency": "monthly", "hour": 0, "day": 31})),
        (
            json!({"frequency": "weekly", "weekday": "monday", "hour": 8}),
            json!({"frequency": "weekly", "hour": 8, "weekday": "monday"}),
        ),
        (Value::Null, Value::Null),
    ] {
        let changed = change(&h, &path, json!({ "invoice": sent })).await;
        assert_eq!(changed["invoice"], shown);
        assert_eq!(changed["next_due_at"], due, "a due sync was moved");
        assert_eq!(h.get(&path).await.json["invoice"], shown);
        assert_eq!(h.get("/v1/connections").await.json["items"][0]["invoice"], shown);
        // Another change leaves it as it is.
        assert_eq!(change(&h, &path, json!({"name": shown.to_string()})).await["invoice"], shown);
    }
}

#[tokio::test]
async fn an_invoice_day_that_is_none_is_refused_and_the_one_before_it_stays() {
    let (h, path) = connected().await;
    let before = change(&h, &path, json!({"invoice": {"frequency": "monthly", "day": 1}})).await;
    for (invoice, pointer) in [
        (json!("monthly"), "/invoice"),
        (json!({"frequency": "daily"}), "/invoice/frequency"),
        (json!({"frequency": "monthly"}), "/invoice"),
        (json!({"frequency": "monthly", "day": 0}), "/invoice"),
        (json!({"frequency": "monthly", "day": 32}), "/invoice"),
        (json!({"frequency": "monthly", "day": 1, "hour": 24}), "/invoice"),
        (json!({"frequency": "monthly", "day": 1, "weekday": "monday"}), "/invoice"),
        (json!({"frequency": "weekly", "day": 1}), "/invoice"),
        (json!({"frequency": "weekly", "weekday": "someday"}), "/invoice/weekday"),
        (json!({"frequency": "monthly", "day": 1, "minute": 5}), "/invoice/minute"),
    ] {
        let problem = h.patch(&path, json!({"invoice": invoice, "name": "Renamed"})).await.problem();
        assert_eq!(
            (&problem["status"], problem["errors"][0]["pointer"].as_str()),
            (&json!(422), Some(pointer)),
            "{invoice}"
        );
    }
    assert_eq!(h.get(&path).await.json, before);
}

#[tokio::test]
async fn a_new_connection_is_told_all_that_is_known_without_a_request_to_the_psa() {
    let (h, path) = connected().await;
    h.psa.reset_counts();
    insta::assert_json_snapshot!(preflight(&h, &path).await, @r#"
    {
      "items": [
        {
          "check": "credentials",
          "code": "",
          "explanation": "As far as is known the PSA takes the credentials.",
          "fix": "",
          "status": "ok"
        },
        {
          "check": "enabled",
          "code": "",
          "explanation": "The connection is switched on.",
          "fix": "",
          "status": "ok"
        },
        {
          "check": "policy",
          "code": "",
          "explanation": "Changes within the guards are written without anybody's word; larger ones wait for approval.",
          "fix": "",
          "status": "ok"
        },
        {
          "check": "circuit",
          "code": "",
          "explanation": "Requests go out to the PSA.",
          "fix": "",
          "status": "ok"
        },
        {
          "check": "schedule",
          "code": "",
          "explanation": "The next sync is at 2027-01-24 02:00 (Europe/Berlin).",
          "fix": "",
          "status": "ok"
        },
        {
          "check": "invoice_day",
          "code": "invoice_day_not_stated",
          "explanation": "It is not known when you make invoices in the PSA. State it as the connection's `invoice`, and whether syncs come close enough before them is checked here.",
          "fix": "",
          "status": "ok"
        }
      ]
    }
    "#);
    assert_eq!(h.psa.request_count(), 0);
}

#[tokio::test]
async fn syncs_that_come_too_early_for_the_invoices_are_told_with_both_days() {
    let (h, path) = connected().await;
    let schedule = json!({"frequency": "monthly", "hour": 2, "day": 5});
    change(&h, &path, json!({"schedule": schedule, "invoice": {"frequency": "monthly", "day": 1}})).await;
    insta::assert_json_snapshot!(check(&h, &path, "invoice_day").await, @r#"
    {
      "check": "invoice_day",
      "code": "sync_too_early_for_invoices",
      "explanation": "The next invoices are made at 2027-02-01 00:00 (Europe/Berlin); the last sync before that is at 2027-01-05 02:00. What is not synced by then reaches the PSA at 2027-02-05 02:00, when the invoices have been made.",
      "fix": "Sync every day, or choose a day and hour for the sync within the 24 hours before the invoices.",
      "status": "warning"
    }
    "#);
    change(&h, &path, json!({"schedule": {"frequency": "weekly", "hour": 2, "weekday": "friday"}})).await;
    insta::assert_json_snapshot!(check(&h, &path, "invoice_day").await, @r#"
    {
      "check": "invoice_day",
      "code": "sync_too_early_for_invoices",
      "explanation": "The next invoices are made at 2027-02-01 00:00 (Europe/Berlin); the last sync before that is at 2027-01-29 02:00. What is not synced by then reaches the PSA at 2027-02-05 02:00, when the invoices have been made.",
      "fix": "Sync every day, or choose a day and hour for the sync within the 24 hours before the invoices.",
      "status": "warning"
    }
    "#);
    change(&h, &path, json!({"schedule": {"frequency": "daily", "hour": 2}})).await;
    insta::assert_json_snapshot!(check(&h, &path, "invoice_day").await, @r#"
    {
      "check": "invoice_day",
      "code": "",
      "explanation": "The next invoices are made at 2027-02-01 00:00 (Europe/Berlin); the last sync before that is at 2027-01-31 02:00.",
      "fix": "",
      "status": "ok"
    }
    "#);
}

#[tokio::test]
async fn syncs_that_are_close_this_month_and_not_in_the_next_are_told_as_well() {
    let (h, path) = connected().await;
    // The last day of February is no later than the 28th; that of March is.
    h.clock.set("2027-02-23T12:00:00Z");
    let schedule = json!({"frequency": "monthly", "hour": 2, "day": 28});
    change(&h, &path, json!({"schedule": schedule, "invoice": {"frequency": "monthly", "day": 1}})).await;
    insta::assert_json_snapshot!(check(&h, &path, "invoice_day").await, @r#"
    {
      "check": "invoice_day",
      "code": "sync_too_early_for_invoices",
      "explanation": "The next invoices are made at 2027-03-01 00:00 (Europe/Berlin); the last sync before that is at 2027-02-28 02:00. But before the invoices of 2027-04-01 00:00 the last sync is at 2027-03-28 03:00. What is not synced by then reaches the PSA at 2027-04-28 02:00, when the invoices have been made.",
      "fix": "Sync every day, or choose a day and hour for the sync within the 24 hours before the invoices.",
      "status": "warning"
    }
    "#);
    let schedule = json!({"frequency": "monthly", "hour": 2, "day": 31});
    change(&h, &path, json!({ "schedule": schedule })).await;
    assert_eq!(brief(&h, &path, "invoice_day").await, "ok");
}

#[tokio::test]
async fn the_partners_midnight_and_not_that_of_utc_begins_the_invoice_day() {
    let (h, path) = connected().await;
    let invoice = json!({"frequency": "monthly", "day": 1});
    let schedule = json!({"frequency": "monthly", "hour": 23, "day": 31});
    for (zone, at) in [("Pacific/Apia", "2027-02-01 00:00 (Pacific/Apia)"), ("America/New_York", "2027-02-01 00:00 (")]
    {
        change(&h, &path, json!({"time_zone": zone, "invoice": invoice, "schedule": schedule})).await;
        let item = check(&h, &path, "invoice_day").await;
        let explanation = item["explanation"].as_str().unwrap();
        assert_eq!(item["status"], "ok");
        assert!(explanation.contains(at) && explanation.contains("at 2027-01-31 23:00"), "{explanation}");
    }
    // Half an hour past midnight on the 1st in Apia, still the 31st in UTC: these invoices are made.
    change(&h, &path, json!({"time_zone": "Pacific/Apia"})).await;
    h.clock.set("2027-01-31T11:30:00Z");
    let item = check(&h, &path, "invoice_day").await;
    assert!(item["explanation"].as_str().unwrap().contains("2027-03-01 00:00"), "{item}");
}

#[tokio::test]
async fn a_connection_that_was_made_after_the_last_sync_before_the_invoices_is_warned() {
    let h = Harness::start().await;
    h.clock.set("2026-11-30T12:00:00Z");
    let path = format!("/v1/connections/{}", h.connect().await);
    change(&h, &path, json!({"invoice": {"frequency": "monthly", "day": 1}})).await;
    insta::assert_json_snapshot!(check(&h, &path, "invoice_day").await, @r#"
    {
      "check": "invoice_day",
      "code": "no_sync_before_invoices",
      "explanation": "The next invoices are made at 2026-12-01 00:00 (Europe/Berlin), and no sync is scheduled before that. What is not synced by then reaches the PSA at 2026-12-01 02:00, when the invoices have been made.",
      "fix": "Sync once by hand before you make them.",
      "status": "warning"
    }
    "#);
    change(&h, &path, json!({"schedule": {"frequency": "daily", "hour": 20}})).await;
    assert_eq!(brief(&h, &path, "invoice_day").await, "ok");
    // Where the schedule is no good either, that is what is to be put right.
    change(&h, &path, json!({"schedule": {"frequency": "monthly", "hour": 2, "day": 5}})).await;
    insta::assert_json_snapshot!(check(&h, &path, "invoice_day").await, @r#"
    {
      "check": "invoice_day",
      "code": "sync_too_early_for_invoices",
      "explanation": "The next invoices are made at 2026-12-01 00:00 (Europe/Berlin), and no sync is scheduled before that. What is not synced by then reaches the PSA at 2026-12-05 02:00, when the invoices have been made.",
      "fix": "Sync every day, or choose a day and hour for the sync within the 24 hours before the invoices.",
      "status": "warning"
    }
    "#);
}

#[tokio::test]
async fn a_sync_that_is_overdue_is_told_as_such() {
    let (h, path) = connected().await;
    h.clock.set("2027-01-24T01:05:00Z");
    let item = check(&h, &path, "schedule").await;
    let explanation =
        "A sync has been due since 2027-01-24 02:00 (Europe/Berlin); it starts within a quarter of an hour.";
    assert_eq!((&item["status"], &item["explanation"]), (&json!("ok"), &json!(explanation)));
}

#[tokio::test]
async fn a_connection_that_is_off_is_warned_and_told_when_it_would_sync() {
    let (h, path) = connected().await;
    change(&h, &path, json!({"enabled": false})).await;
    insta::assert_json_snapshot!(json!([check(&h, &path, "enabled").await, check(&h, &path, "schedule").await]), @r#"
    [
      {
        "check": "enabled",
        "code": "connection_off",
        "explanation": "The connection is switched off: nothing is written to the PSA. Everything can be set up and previewed.",
        "fix": "Switch it on when a preview shows what you expect.",
        "status": "warning"
      },
      {
        "check": "schedule",
        "code": "",
        "explanation": "No sync is scheduled while the connection is off; its schedule comes next at 2027-01-24 02:00 (Europe/Berlin).",
        "fix": "",
        "status": "ok"
      }
    ]
    "#);
    change(&h, &path, json!({"enabled": true})).await;
    assert_eq!(brief(&h, &path, "enabled").await, "ok");
}

#[tokio::test]
async fn a_policy_under_which_nothing_is_written_is_never_told_as_all_is_well() {
    let (h, path) = connected().await;
    for (sent, status) in [
        (json!({"approval": "always"}), "warning approval_always"),
        (json!({"approval": "first_run"}), "warning first_run_not_approved"),
        // What is written by none of them, and whatever the approval.
        (json!({"shadow": true}), "warning shadow"),
        (json!({"approval": "none"}), "warning shadow"),
        (json!({"shadow": false}), "ok"),
    ] {
        change(&h, &path, json!({ "policy": sent })).await;
        assert_eq!(brief(&h, &path, "policy").await, status, "{sent}");
        let item = check(&h, &path, "policy").await;
        let said = item["explanation"].as_str().unwrap();
        assert_eq!(said.contains("nothing"), status != "ok", "{said}");
        assert_eq!(item["fix"] == "", status == "ok");
    }
    change(&h, &path, json!({"policy": {"approval": "first_run"}})).await;
    // One of which it was not kept when.
    let connections = Connections::new(h.table.clone());
    let (partner, id) = (PARTNER.parse().unwrap(), path.rsplit('/').next().unwrap().parse().unwrap());
    let passed = |row: &mut shared::store::connections::Bookkeeping| {
        row.first_run_approved = true;
        true
    };
    assert!(connections.note(&partner, &id, passed).await.unwrap());
    insta::assert_json_snapshot!(check(&h, &path, "policy").await, @r#"
    {
      "check": "policy",
      "code": "",
      "explanation": "The first run was approved. Changes within the guards are written without anybody's word; larger ones wait for approval.",
      "fix": "",
      "status": "ok"
    }
    "#);
}

#[tokio::test]
async fn refused_credentials_fail_the_look() {
    let (h, path) = connected().await;
    let connections = Connections::new(h.table.clone());
    let (partner, id) = (PARTNER.parse().unwrap(), path.rsplit('/').next().unwrap().parse().unwrap());
    let change = |row: &mut Connection| {
        row.status = Status::CredentialsRejected;
        true
    };
    connections.edit(&partner, &id, &By::system(h.clock.time()), change).await.unwrap().unwrap();
    insta::assert_json_snapshot!(check(&h, &path, "credentials").await, @r#"
    {
      "check": "credentials",
      "code": "credentials_rejected",
      "explanation": "The PSA refused the credentials, or a right was missing, when they were used last.",
      "fix": "Test the connection to see what is missing. Repair the user in the PSA, or send new credentials.",
      "status": "failed"
    }
    "#);
    assert_eq!(h.post(&format!("{path}/test"), json!({})).await.json["ok"], true);
    assert_eq!(brief(&h, &path, "credentials").await, "ok");
}

#[tokio::test]
async fn an_open_circuit_is_told_with_what_opened_it() {
    let (h, path) = connected().await;
    assert_eq!(brief(&h, &path, "circuit").await, "ok");
    h.psa.plan_fault(When::EveryRequest(Entity::Companies), Fault::ResetBefore);
    for _ in 0..20 {
        h.get(&format!("{path}/catalog/accounts")).await;
    }
    let circuit = h.get(&path).await.json["circuit"].clone();
    h.psa.reset_counts();
    let item = check(&h, &path, "circuit").await;
    assert_eq!((&item["status"], &item["code"]), (&json!("warning"), &circuit["code"]));
    assert_eq!(item["explanation"], circuit["explanation"]);
    assert!(!item["fix"].as_str().unwrap().is_empty());
    assert_eq!(h.psa.request_count(), 0);
}

#[tokio::test]
async fn another_partner_a_revoked_connection_and_a_token_without_the_scope_are_told_nothing() {
    let (h, path) = connected().await;
    let preflight = format!("{path}/preflight");
    let ask = async |token: String| Answer::to(h.request(Method::GET, &preflight).bearer_auth(token)).await;
    assert_eq!(ask(h.token("another", &[Scope::Read, Scope::Write])).await.problem()["code"], "not_found");
    assert_eq!(ask(h.token(PARTNER, &[Scope::Usage])).await.problem()["code"], "scope_missing");
    assert_eq!(ask(h.token(PARTNER, &[Scope::Read])).await.status, 200);
    h.delete(&path).await;
    assert_eq!(h.get(&preflight).await.problem()["code"], "connection_revoked");
}
