//! Rows that a newer version has stored: lists go on, what is understood is shown, and nothing that money depends on is
//! guessed.

use integration::PARTNER;
use integration::msp::{Customer, Msp, Setup};
use reqwest::Method;
use serde_json::{Value, json};
use shared::domain::ids::{ConnectionId, PartnerId};
use shared::store::schema::{self, Key};
use shared::store::{Condition, Read};

async fn msp() -> Msp {
    let msp =
        Setup::of([Customer::named("acme").line("edr", 40), Customer::named("beta").line("edr", 10)]).start().await;
    msp.push(&[("acme", "edr", 42), ("beta", "edr", 12)]).await;
    msp
}

fn ids(msp: &Msp) -> (PartnerId, ConnectionId) {
    (PARTNER.parse().unwrap(), msp.connection.parse().unwrap())
}

/// Changes a stored row as a newer version would have stored it.
async fn store(msp: &Msp, key: &Key, change: impl FnOnce(&mut Value)) {
    let mut row: Value = msp.parts.table.get(key, Read::Consistent).await.unwrap().unwrap();
    change(&mut row);
    assert!(msp.parts.table.put(key, &row, &Condition::present()).await.unwrap());
}

async fn get(msp: &Msp, path: &str) -> Value {
    msp.done(Method::GET, &format!("/v1/connections/{}{path}", msp.connection), None).await
}

#[tokio::test]
async fn a_policy_of_a_newer_version_is_shown_kept_and_not_synced_under_until_it_is_said_anew() {
    let msp = msp().await;
    let (partner, connection) = ids(&msp);
    let key = schema::connection(&partner, &connection);
    store(&msp, &key, |row| {
        row["policy"]["ceiling"] = json!({"per_day": 3});
        row["policy"]["drift"] = json!("ask");
        row["colour"] = json!("blue");
    })
    .await;

    let listed = msp.done(Method::GET, "/v1/connections", None).await;
    assert_eq!(listed["items"][0]["not_understood"], json!(["policy.ceiling", "policy.drift"]));
    assert_eq!(listed["items"][0]["policy"]["guards"]["fall_percent"], 30, "what is understood is as it was");
    assert_eq!(listed.get("unreadable"), None);

    let run = msp.run("apply").await;
    assert_eq!((run.status(), run.view["code"].as_str()), ("failed", Some("settings_not_understood")));
    assert!(run.view["explanation"].as_str().unwrap().ends_with("understand: policy.ceiling, policy.drift."));
    assert_eq!((msp.write_requests(), msp.units("acme", "edr")), (0, 40));

    // Whatever else is changed, it is written back as it stands.
    msp.patch(json!({"name": "Renamed"})).await;
    let stored: Value = msp.parts.table.get(&key, Read::Consistent).await.unwrap().unwrap();
    assert_eq!((&stored["policy"]["ceiling"], &stored["policy"]["drift"]), (&json!({"per_day": 3}), &json!("ask")));

    let unknown = json!({"policy": {"ceiling": {"per_day": 5}}});
    let path = format!("/v1/connections/{connection}");
    let refused = msp.call(Method::PATCH, &path, Some(unknown)).await;
    assert_eq!((refused.status, &refused.json["errors"][0]["pointer"]), (422, &json!("/policy/ceiling")));
    store(&msp, &key, |row| drop(row["policy"].as_object_mut().unwrap().remove("ceiling"))).await;
    msp.policy(json!({"drift": "hold"})).await;
    assert_eq!(msp.run("apply").await.status(), "succeeded");
    assert_eq!(msp.units("acme", "edr"), 42);
}

#[tokio::test]
async fn an_invoice_day_of_a_newer_version_stops_nothing() {
    let msp = msp().await;
    let (partner, connection) = ids(&msp);
    store(&msp, &schema::connection(&partner, &connection), |row| row["invoice"] = json!({"every": "quarter"})).await;
    assert_eq!(get(&msp, "").await["not_understood"], json!(["invoice", "invoice.every"]));
    assert_eq!(msp.run("apply").await.status(), "succeeded");
}

#[tokio::test]
async fn a_rule_of_a_newer_version_refuses_its_lines_and_no_other() {
    let setup = Setup::of([Customer::named("acme").line("edr", 40).line("m365", 5)]);
    let msp = setup.start().await;
    msp.push(&[("acme", "edr", 42), ("acme", "m365", 6)]).await;
    let (partner, connection) = ids(&msp);
    store(&msp, &schema::product(&partner, &connection, &"edr".parse().unwrap()), |row| {
        row["rule"]["counting"] = json!("percentile");
        row["rule"]["share"] = json!("50");
    })
    .await;

    let listed = get(&msp, "/products").await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    assert_eq!(listed["items"][0]["rule"]["counting"], "percentile", "it is shown as it stands");

    let looked = get(&msp, "/preflight/mappings").await;
    let refused = |product: &str| {
        let of_it = looked["items"].as_array().unwrap().iter().find(|item| item["product"] == product).unwrap();
        of_it["checks"].as_array().unwrap().iter().any(|check| check["code"] == "mapping_not_understood")
    };
    assert_eq!((refused("edr"), refused("m365")), (true, false), "{looked:#}");

    let run = msp.run("apply").await;
    assert_eq!(run.result("acme", "edr"), "failed mapping_not_understood");
    assert!(run.line("acme", "edr")["explanation"].as_str().unwrap().ends_with("of edr: rule.counting, rule.share."));
    assert_eq!(run.result("acme", "m365"), "updated");
    assert_eq!((msp.units("acme", "edr"), msp.units("acme", "m365")), (40, 6));

    let file = msp.call(Method::GET, &format!("/v1/connections/{connection}/mappings.csv"), None).await;
    assert_eq!((file.status, &file.json["code"]), (409, &json!("mapping_not_understood")));
}

#[tokio::test]
async fn a_company_whose_absence_means_something_new_refuses_the_lines_of_its_account() {
    let msp = msp().await;
    let (partner, connection) = ids(&msp);
    let acme = "acme".parse().unwrap();
    store(&msp, &schema::company(&partner, &connection, &acme), |row| {
        row["when_absent"] = json!("average");
        row["overrides"] = json!({"edr": {"split": ["501", "502"]}});
    })
    .await;
    assert_eq!(get(&msp, "/companies").await["items"][0]["when_absent"], "average");
    let run = msp.run("apply").await;
    assert_eq!(run.result("acme", "edr"), "failed mapping_not_understood");
    assert_eq!(run.result("beta", "edr"), "updated");
    assert_eq!(msp.units("acme", "edr"), 40);

    // Saying it anew replaces it.
    let path = format!("/v1/connections/{connection}/companies/acme");
    let stored = msp.done(Method::GET, &path, None).await;
    let body = json!({"account_id": stored["account_id"], "contract_id": stored["contract_id"]});
    msp.done(Method::PUT, &path, Some(body)).await;
    assert_eq!(msp.run("apply").await.result("acme", "edr"), "updated");
}

#[tokio::test]
async fn a_row_that_can_not_be_read_at_all_takes_no_list_down_and_is_refused_by_name() {
    let msp = msp().await;
    let (partner, connection) = ids(&msp);
    let acme = "acme".parse().unwrap();
    store(&msp, &schema::company(&partner, &connection, &acme), |row| row["account_id"] = json!(7)).await;

    let first = get(&msp, "/companies?limit=1").await;
    assert_eq!((&first["items"], &first["unreadable"][0]["row"]), (&json!([]), &json!("COMPANY#acme")));
    assert_eq!(first["unreadable"][0]["field"], "account_id");
    let rest = get(&msp, &format!("/companies?limit=1&cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!((&rest["items"][0]["company"], &rest["next_cursor"]), (&json!("beta"), &Value::Null));

    let alone = msp.call(Method::GET, &format!("/v1/connections/{connection}/companies/acme"), None).await;
    assert_eq!((alone.status, &alone.json["code"]), (500, &json!("row_unreadable")));
    assert!(alone.json["detail"].as_str().unwrap().contains("row COMPANY#acme, field account_id"));
}

#[tokio::test]
async fn a_connection_and_a_finding_that_can_not_be_read_take_no_list_down() {
    let msp = msp().await;
    let (partner, connection) = ids(&msp);
    msp.push(&[("acme", "edr", 4), ("beta", "edr", 1)]).await;
    msp.run("apply").await;
    let findings = get(&msp, "/findings").await;
    assert_eq!(findings["items"].as_array().unwrap().len(), 2);
    let id = findings["items"][0]["id"].as_str().unwrap();
    let fingerprint = id.rsplit('.').next().unwrap();
    let key = schema::finding(&partner, &connection, fingerprint);
    store(&msp, &key, |row| row["noticed"]["subject"] = json!({"site": "17"})).await;
    let findings = get(&msp, "/findings").await;
    assert_eq!(findings["items"].as_array().unwrap().len(), 1);
    assert_eq!(findings["unreadable"][0]["field"], "noticed.subject");
    assert_ne!(msp.run("apply").await.status(), "failed", "a run goes on beside it");
    let stored: Value = msp.parts.table.get(&key, Read::Consistent).await.unwrap().unwrap();
    assert_eq!(stored["noticed"]["subject"], json!({"site": "17"}), "and leaves it as it is");

    store(&msp, &schema::connection(&partner, &connection), |row| row["status"] = json!("paused")).await;
    let listed = msp.done(Method::GET, "/v1/connections", None).await;
    assert_eq!((&listed["items"], &listed["unreadable"][0]["field"]), (&json!([]), &json!("status")));
}
