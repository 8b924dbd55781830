//! The life of a connection: made, read, changed, tested, rotated, revoked; and how it becomes due.

use integration::{Answer, Harness, PARTNER, connection_body, credentials, logs};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use shared::domain::ids::PartnerId;
use shared::store::Read;
use shared::store::connections::{Connection, Connections, shard};
use shared::store::idempotency::{Claim, Idempotency};
use shared::store::journal::By;
use shared::store::schema::DUE_SHARDS;
use simulators::autotask::{ApiUser, Entity, Fault, Right, When};

fn partner() -> PartnerId {
    PARTNER.parse().unwrap()
}

async fn stored(h: &Harness, id: &str) -> Connection {
    let found = Connections::new(h.table.clone()).get(&partner(), &id.parse().unwrap(), Read::Consistent).await;
    found.unwrap().unwrap()
}

async fn due(h: &Harness) -> Vec<Connection> {
    let mut found = Vec::new();
    for shard in 0..DUE_SHARDS {
        found.extend(Connections::new(h.table.clone()).due(shard, h.clock.time(), 100, None).await.unwrap().0);
    }
    found
}

#[tokio::test]
async fn a_connection_begins_switched_on_and_due_at_two_in_the_partners_night() {
    let h = Harness::start().await;
    let answer = h.post("/v1/connections", connection_body()).await;
    assert_eq!(answer.status, 201);
    let mut made = answer.json.clone();
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.header("location"), format!("/v1/connections/{id}"));
    assert_eq!(h.get(&format!("/v1/connections/{id}")).await.json, made);
    made["id"] = "[id]".into();
    insta::assert_json_snapshot!(made, @r#"
        {
          "circuit": null,
          "created_at": "2026-11-21T12:00:00Z",
          "current_run": null,
          "enabled": true,
          "first_run_approved_at": null,
          "id": "[id]",
          "invoice": null,
          "name": "Nordwind",
          "next_due_at": "2026-11-22T01:00:00Z",
          "policy": {
            "approval": "none",
            "billing_day": 1,
            "budget_percent": 80,
            "currency": null,
            "drift": "hold",
            "effective_date": {
              "falls": "period_start",
              "rises": "period_start"
            },
            "guards": {
              "charge_amount": 500,
              "charge_percent": 50,
              "fall_percent": 30,
              "fall_units": 5,
              "price_percent": 50,
              "rise_percent": 200,
              "rise_units": 20
            },
            "markup": {
              "products": null,
              "services": null
            },
            "provision_services": false,
            "shadow": false,
            "stale_after_hours": 72
          },
          "psa": "autotask",
          "revoked_at": null,
          "schedule": {
            "frequency": "daily",
            "hour": 2
          },
          "status": "active",
          "tenant": "123456",
          "time_zone": "Europe/Berlin",
          "updated_at": "2026-11-21T12:00:00Z"
        }
        "#);
}

#[tokio::test]
async fn connecting_writes_nothing_in_the_psa() {
    let h = Harness::start().await;
    let id = h.connect().await;
    h.post(&format!("/v1/connections/{id}/test"), json!({})).await;
    assert!(h.psa.request_count() > 0);
    assert!(h.psa.writes().is_empty());
}

#[tokio::test]
async fn the_same_key_makes_one_connection_and_replays_its_answer() {
    let h = Harness::start().await;
    let send = async |key: &str, body: Value| {
        Answer::to(h.signed(Method::POST, "/v1/connections").header("idempotency-key", key).json(&body)).await
    };
    let first = send("k-1", connection_body()).await;
    let asked = h.psa.request_count();
    let second = send("k-1", connection_body()).await;
    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(first.text, second.text);
    assert_eq!(first.header("location"), second.header("location"));
    assert_eq!(h.psa.request_count(), asked, "the work was done again");
    let other =
        send("k-1", json!({"psa": "autotask", "name": "Other", "time_zone": "UTC", "credentials": credentials()}))
            .await;
    insta::assert_json_snapshot!(other.problem(), @r#"
        {
          "code": "idempotency_key_reused",
          "detail": "This Idempotency-Key was used for another request.",
          "errors": [],
          "fix": "Send a new key with every new request.",
          "request_id": "[request]",
          "status": 422,
          "title": "Idempotency key reused",
          "type": "/problems/idempotency_key_reused"
        }
        "#);
    assert_eq!(send("k-2", connection_body()).await.status, 201);
    assert_eq!(h.get("/v1/connections").await.json["items"].as_array().unwrap().len(), 2);
    // After a day the key is free again, whether or not the store has removed the row.
    h.clock.advance(SignedDuration::from_hours(24));
    assert_ne!(send("k-1", connection_body()).await.text, first.text);
}

#[tokio::test]
async fn a_request_that_died_halfway_is_taken_up_under_the_same_id() {
    let h = Harness::start().await;
    let remembered = Idempotency::new(h.table.clone());
    let claim =
        async |asked: &str, id: &str| remembered.claim(&partner(), "k", asked, id, h.clock.time()).await.unwrap();
    let first = Claim::Work { id: "conn_1".to_owned() };
    assert_eq!(claim("a", "conn_1").await, first);
    assert_eq!(claim("a", "conn_2").await, Claim::InProgress);
    assert_eq!(claim("b", "conn_2").await, Claim::Reused);
    h.clock.advance(SignedDuration::from_secs(60));
    assert_eq!(claim("a", "conn_3").await, first);
    remembered.suspend(&partner(), "k", "conn_1").await.unwrap();
    assert_eq!(claim("a", "conn_4").await, first);
    remembered.release(&partner(), "k", "conn_of_another").await.unwrap();
    assert_eq!(claim("a", "conn_5").await, Claim::InProgress);
    remembered.release(&partner(), "k", "conn_1").await.unwrap();
    assert_eq!(claim("b", "conn_6").await, Claim::Work { id: "conn_6".to_owned() });
}

#[tokio::test]
async fn requests_at_the_same_time_under_one_key_make_one_connection() {
    let h = Harness::start().await;
    let send = async || {
        Answer::to(h.signed(Method::POST, "/v1/connections").header("idempotency-key", "k").json(&connection_body()))
            .await
            .status
    };
    let mut answers = <[u16; 3]>::from(tokio::join!(send(), send(), send()));
    answers.sort_unstable();
    assert!(answers.starts_with(&[201]) && answers.iter().all(|status| [201, 409].contains(status)), "{answers:?}");
    assert_eq!(h.get("/v1/connections").await.json["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_creation_that_the_psa_kept_from_its_end_may_be_sent_again_at_once() {
    let h = Harness::start().await;
    let send = async || {
        Answer::to(h.signed(Method::POST, "/v1/connections").header("idempotency-key", "k").json(&connection_body()))
            .await
            .status
    };
    h.psa.plan_fault(When::Request(Entity::Companies, 1), Fault::ResetBefore);
    assert_eq!(send().await, 503);
    assert_eq!(send().await, 201);
    assert_eq!(h.get("/v1/connections").await.json["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_refused_creation_leaves_its_key_free() {
    let h = Harness::start().await;
    let send = async |body: Value| {
        Answer::to(h.signed(Method::POST, "/v1/connections").header("idempotency-key", "k").json(&body)).await.status
    };
    let mut wrong = connection_body();
    wrong["credentials"]["secret"] = "wrong".into();
    assert_eq!(send(wrong).await, 422);
    assert_eq!(send(connection_body()).await, 201);
}

#[tokio::test]
async fn a_list_is_read_in_pages_and_each_connection_once() {
    let h = Harness::start().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(h.connect().await);
    }
    let (mut seen, mut path) = (Vec::new(), "/v1/connections?limit=2".to_owned());
    loop {
        let page = h.get(&path).await.json;
        let items = page["items"].as_array().unwrap();
        assert!((1..=2).contains(&items.len()));
        seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/connections?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, made);
}

#[tokio::test]
async fn each_part_of_a_change_may_be_sent_alone() {
    let h = Harness::start().await;
    let one = format!("/v1/connections/{}", h.connect().await);
    let change = async |body: Value| {
        let answer = h.patch(&one, body).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        assert_eq!(h.get(&one).await.json, answer.json);
        answer.json
    };
    let before = change(json!({})).await;
    assert_eq!(before["updated_at"], before["created_at"]);
    h.clock.advance(SignedDuration::from_mins(5));

    assert_eq!(change(json!({"name": "Renamed"})).await["name"], "Renamed");
    let moved = change(json!({"time_zone": "America/New_York"})).await;
    assert_eq!(
        (moved["next_due_at"].as_str(), moved["updated_at"].as_str()),
        (Some("2026-11-22T07:00:00Z"), Some("2026-11-21T12:05:00Z"))
    );
    let weekly = change(json!({"schedule": {"frequency": "weekly", "hour": 5, "weekday": "monday"}})).await;
    assert_eq!(weekly["next_due_at"], "2026-11-23T10:00:00Z");
    let policy = change(json!({"policy": {"guards": {"fall_units": 7}}})).await["policy"].clone();
    assert_eq!((&policy["guards"]["fall_units"], &policy["guards"]["fall_percent"]), (&json!(7), &json!(30)));
    let policy = change(json!({"policy": {"approval": "first_run"}})).await["policy"].clone();
    assert_eq!((&policy["guards"]["fall_units"], &policy["approval"]), (&json!(7), &json!("first_run")));
    assert_eq!(change(json!({"enabled": false})).await["next_due_at"], Value::Null);
    assert_eq!(change(json!({"enabled": true})).await["next_due_at"], "2026-11-23T10:00:00Z");
}

#[tokio::test]
async fn a_connection_is_in_the_index_only_while_it_is_to_be_synced() {
    let h = Harness::start().await;
    let id = h.connect().await;
    let one = format!("/v1/connections/{id}");
    assert!(due(&h).await.is_empty());
    h.clock.set("2026-11-22T01:00:00Z");
    let found = due(&h).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id.as_str(), id);
    assert!(shard(&found[0].id) < DUE_SHARDS);

    h.patch(&one, json!({"enabled": false})).await;
    h.clock.advance(SignedDuration::from_hours(48));
    assert!(due(&h).await.is_empty());
    h.patch(&one, json!({"enabled": true})).await;
    h.clock.advance(SignedDuration::from_hours(48));
    assert_eq!(due(&h).await.len(), 1);
    // A change of the name does not make a waiting sync wait for another day.
    h.patch(&one, json!({"name": "Renamed"})).await;
    assert_eq!(due(&h).await.len(), 1);
    h.delete(&one).await;
    assert!(due(&h).await.is_empty());
}

#[tokio::test]
async fn a_due_connection_is_claimed_once() {
    let h = Harness::start().await;
    let id = h.connect().await;
    h.clock.set("2026-11-22T01:00:00Z");
    let connections = Connections::new(h.table.clone());
    let found = due(&h).await.pop().unwrap();
    let (expected, next) = (found.next_due_at.unwrap(), found.due_after(h.clock.time()).unwrap());
    assert!(connections.claim_due(&found, expected, next).await.unwrap());
    assert!(!connections.claim_due(&found, expected, next).await.unwrap());
    assert_eq!(stored(&h, &id).await.next_due_at, Some(next));
    assert!(due(&h).await.is_empty());
    // Somebody who read it before the claim has another version, and can't put the old instant back.
    assert_eq!(stored(&h, &id).await.version, found.version + 1);
    // One that was switched off in between is not claimed.
    h.clock.set("2026-11-23T01:00:00Z");
    let found = due(&h).await.pop().unwrap();
    h.patch(&format!("/v1/connections/{id}"), json!({"enabled": false})).await;
    assert!(!connections.claim_due(&found, next, next + SignedDuration::from_hours(24)).await.unwrap());
    assert_eq!(stored(&h, &id).await.next_due_at, None);
}

#[tokio::test]
async fn changes_at_the_same_time_are_all_kept() {
    let h = Harness::start().await;
    let one = format!("/v1/connections/{}", h.connect().await);
    let (name, zone, off) = tokio::join!(
        h.patch(&one, json!({"name": "Renamed"})),
        h.patch(&one, json!({"time_zone": "UTC"})),
        h.patch(&one, json!({"policy": {"shadow": true}})),
    );
    assert_eq!((name.status, zone.status, off.status), (200, 200, 200));
    let after = h.get(&one).await.json;
    assert_eq!(
        (&after["name"], &after["time_zone"], &after["policy"]["shadow"]),
        (&json!("Renamed"), &json!("UTC"), &json!(true))
    );
}

#[tokio::test]
async fn a_revoked_connection_stays_readable_and_its_secret_is_gone() {
    let h = Harness::start().await;
    let id = h.connect().await;
    let one = format!("/v1/connections/{id}");
    let sealed = || std::fs::read_dir(h.data().join("secrets")).unwrap().count();
    assert_eq!(sealed(), 1);
    for _ in 0..2 {
        let answer = h.delete(&one).await;
        assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    }
    assert_eq!(sealed(), 0);
    let after = h.get(&one).await.json;
    assert_eq!((&after["status"], &after["next_due_at"]), (&json!("revoked"), &Value::Null));
    assert_eq!(after["revoked_at"], "2026-11-21T12:00:00Z");
    assert_eq!(h.get("/v1/connections").await.json["items"][0]["status"], "revoked");
    for (method, rest, body) in [
        (Method::PATCH, "", json!({"enabled": true})),
        (Method::PUT, "/credentials", json!({"credentials": credentials()})),
        (Method::POST, "/test", json!({})),
        (Method::GET, "/catalog/accounts", json!({})),
    ] {
        let answer = Answer::to(h.signed(method.clone(), &format!("{one}{rest}")).json(&body)).await;
        assert_eq!(
            (answer.status, answer.problem()["code"].as_str()),
            (409, Some("connection_revoked")),
            "{method} {rest}"
        );
    }
    assert_eq!(h.get(&one).await.json, after);
    assert_eq!(sealed(), 0);
}

#[tokio::test]
async fn new_credentials_take_over_only_after_they_work() {
    let h = Harness::with(|psa| {
        psa.user(ApiUser::full()).user(ApiUser::full().named("second@nordwind.example", "second-secret"))
    })
    .await;
    let id = h.connect().await;
    let one = format!("/v1/connections/{id}");
    let put = async |username: &str, secret: &str| {
        let body = json!({"credentials": {"username": username, "secret": secret, "integration_code": credentials()["integration_code"]}});
        h.put(&format!("{one}/credentials"), body).await
    };
    let before = h.get(&one).await.json;
    assert_eq!(put("second@nordwind.example", "wrong").await.status, 422);
    assert_eq!(h.get(&one).await.json, before);
    assert_eq!(h.post(&format!("{one}/test"), json!({})).await.json["ok"], true, "the old secret was lost");
    let answer = put("second@nordwind.example", "second-secret").await;
    assert_eq!((answer.status, answer.json["status"].as_str()), (200, Some("active")));
    h.psa.reset_counts();
    assert_eq!(h.post(&format!("{one}/test"), json!({})).await.json["ok"], true);
    assert_eq!(std::fs::read_dir(h.data().join("secrets")).unwrap().count(), 1);
}

#[tokio::test]
async fn credentials_of_another_tenant_are_refused() {
    let h = Harness::start().await;
    let id = h.connect().await;
    // As if the connection had been made for another database.
    let connections = Connections::new(h.table.clone());
    let row = stored(&h, &id).await;
    let change = |row: &mut Connection| {
        row.endpoint.tenant = "777".parse().unwrap();
        true
    };
    connections.edit(&row.partner, &row.id, &By::system(h.clock.time()), change).await.unwrap().unwrap();
    let before = h.get(&format!("/v1/connections/{id}")).await.json;
    let answer = h.put(&format!("/v1/connections/{id}/credentials"), json!({"credentials": credentials()})).await;
    insta::assert_json_snapshot!(answer.problem(), @r#"
        {
          "code": "another_tenant",
          "detail": "These credentials lead to another tenant of the PSA than the one this connection was made for.",
          "errors": [
            {
              "detail": "lead to another tenant",
              "pointer": "/credentials"
            }
          ],
          "fix": "Send credentials of the same tenant, or make a new connection for the other one.",
          "request_id": "[request]",
          "status": 422,
          "title": "Another tenant",
          "type": "/problems/another_tenant"
        }
        "#);
    assert_eq!(h.get(&format!("/v1/connections/{id}")).await.json, before);
}

#[tokio::test]
async fn a_test_names_each_right_and_what_is_missing() {
    let h = Harness::start().await;
    let id = h.connect().await;
    let answer = h.post(&format!("/v1/connections/{id}/test"), json!({})).await;
    insta::assert_json_snapshot!(answer.json, @r#"
        {
          "ok": true,
          "rights": [
            {
              "held": true,
              "name": "read companies"
            },
            {
              "held": true,
              "name": "read contracts"
            },
            {
              "held": true,
              "name": "read services"
            },
            {
              "held": true,
              "name": "read the services of contracts"
            },
            {
              "held": true,
              "name": "read the units of contract services"
            },
            {
              "held": true,
              "name": "change the units of contract services"
            }
          ]
        }
        "#);
}

#[tokio::test]
async fn a_test_that_is_turned_away_is_an_answer_and_shows_in_the_status() {
    let users = |psa: simulators::autotask::Setup| {
        let second = ApiUser::full().named("second@nordwind.example", "second-secret");
        psa.user(ApiUser::full()).user(second.inactive())
    };
    let h = Harness::with(users).await;
    let id = h.connect().await;
    // The stored secret becomes one that the PSA refuses.
    let name = shared::secrets::SecretName::of(&partner(), &id.parse().unwrap());
    let refused = json!({"psa": "autotask", "username": "second@nordwind.example", "secret": "second-secret",
        "integration_code": credentials()["integration_code"]});
    let secrets = local::sealed_secrets::SealedSecrets::open(h.data()).unwrap();
    shared::secrets::WriteSecrets::put(&secrets, &name, &refused.to_string().into()).await.unwrap();
    let answer = h.post(&format!("/v1/connections/{id}/test"), json!({})).await;
    assert_eq!(answer.status, 200);
    insta::assert_json_snapshot!(answer.json, @r#"
        {
          "code": "psa_credentials_rejected",
          "explanation": "Autotask refuses the API user's name and secret.",
          "fix": "Check in Autotask that the API user is active and not locked and that its secret has not expired; make a new secret if in doubt, and send the credentials again.",
          "ok": false,
          "rights": []
        }
        "#);
    assert_eq!(h.get(&format!("/v1/connections/{id}")).await.json["status"], "credentials_rejected");
    let replaced = h.put(&format!("/v1/connections/{id}/credentials"), json!({"credentials": credentials()})).await;
    assert_eq!(replaced.json["status"], "active");
}

#[tokio::test]
async fn the_catalogue_is_listed_searched_and_paged() {
    let h = Harness::start().await;
    let catalog = format!("/v1/connections/{}/catalog", h.connect().await);
    let services = h.get(&format!("{catalog}/services")).await.json;
    assert_eq!(services["items"].as_array().unwrap().len(), 3);
    let found = h.get(&format!("{catalog}/services?search=ITDR")).await.json;
    insta::assert_json_snapshot!(found, @r#"
        {
          "items": [
            {
              "active": true,
              "id": "502",
              "name": "Managed ITDR (per identity)"
            }
          ],
          "next_cursor": null
        }
        "#);

    let first = h.get(&format!("{catalog}/accounts?limit=2")).await.json;
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = h.get(&format!("{catalog}/accounts?limit=2&cursor={cursor}")).await.json;
    assert_ne!(first["items"][0], second["items"][0]);
    // A cursor belongs to its list and its filters.
    for other in ["accounts?search=a&", "services?", "contracts?"] {
        let answer = h.get(&format!("{catalog}/{other}cursor={cursor}")).await;
        assert_eq!((answer.status, answer.problem()["code"].as_str()), (400, Some("invalid_query")), "{other}");
    }

    let account = &h.get(&format!("{catalog}/contracts")).await.json["items"][0]["account_id"];
    let contracts = h.get(&format!("{catalog}/contracts?account_id={}", account.as_str().unwrap())).await.json;
    let contracts = contracts["items"].as_array().unwrap();
    assert!(!contracts.is_empty() && contracts.iter().all(|contract| &contract["account_id"] == account));
    let contract = contracts[0]["id"].as_str().unwrap();
    let lines = h.get(&format!("{catalog}/lines?contract_id={contract}")).await.json;
    let lines = lines["items"].as_array().unwrap();
    assert!(!lines.is_empty() && lines.iter().all(|line| line["contract_id"] == contract));
    let names: Vec<_> = services["items"].as_array().unwrap().iter().map(|item| (&item["id"], &item["name"])).collect();
    assert!(lines.iter().all(|line| names.contains(&(&line["service_id"], &line["service_name"]))), "{lines:?}");

    // The names are shown beside the ids: a PSA that has no room for them is asked for the rest all the same.
    h.psa.plan_fault(When::EveryRequest(Entity::Services), Fault::too_many_requests(None));
    let nameless = h.get(&format!("{catalog}/lines?contract_id={contract}")).await.json;
    assert_eq!(nameless["items"][0]["service_name"], serde_json::Value::Null);
    assert_eq!(nameless["items"].as_array().unwrap().len(), lines.len());
}

#[tokio::test]
async fn a_contract_that_is_over_and_still_flagged_active_is_shown_so() {
    let h = Harness::start().await;
    let catalog = format!("/v1/connections/{}/catalog/contracts", h.connect().await);
    let contracts = h.get(&catalog).await.json;
    let contract = contracts["items"][0].clone();
    assert_eq!((&contract["active"], &contract["in_date"]), (&json!(true), &json!(true)));
    // The last day still belongs to it; in Berlin it is over before it is in UTC.
    let end = contract["end"].as_str().unwrap();
    for (time, in_date) in [("12:00", true), ("23:30", false)] {
        h.clock.set(&format!("{end}T{time}:00Z"));
        let shown = h.get(&catalog).await.json["items"][0].clone();
        assert_eq!((&shown["active"], &shown["in_date"]), (&json!(true), &json!(in_date)), "{time}");
    }
}

#[tokio::test]
async fn a_psa_that_does_not_answer_is_a_gateways_problem_and_stores_nothing() {
    let h = Harness::start().await;
    let id = h.connect().await;
    let before = h.get(&format!("/v1/connections/{id}")).await.json;
    h.psa.plan_fault(When::EveryRequest(Entity::Companies), Fault::ResetBefore);
    let answer = h.post("/v1/connections", connection_body()).await;
    insta::assert_json_snapshot!(answer.problem(), @r#"
        {
          "code": "psa_connection_lost",
          "detail": "The connection to Autotask broke off before the whole answer was read.",
          "errors": [],
          "fix": "Nothing: the next run tries again. If it stays, look at Autotask's status page.",
          "request_id": "[request]",
          "status": 503,
          "title": "PSA connection lost",
          "type": "/problems/psa_connection_lost"
        }
        "#);
    assert_eq!(h.post(&format!("/v1/connections/{id}/test"), json!({})).await.json["ok"], false);
    assert_eq!(h.get(&format!("/v1/connections/{id}")).await.json, before);
    assert_eq!(h.get("/v1/connections").await.json["items"].as_array().unwrap().len(), 1);
    assert_eq!(std::fs::read_dir(h.data().join("secrets")).unwrap().count(), 1);
}

#[tokio::test]
async fn a_secret_shows_in_no_answer_no_log_line_and_no_row() {
    const SECRET: &str = "canary-b5e1-secret";
    const CODE: &str = "canary-77aa-code";
    let h = Harness::on_disk().await;
    let mut answers = String::new();
    let mut ask = async |method: Method, path: String, body: Value| {
        let request = h.signed(method, &path).header("idempotency-key", "canary").json(&body);
        let answer = Answer::to(request).await;
        answers.push_str(&format!("{answer:?}\n"));
        answer
    };
    let given = |username: Value| json!({"username": username, "secret": SECRET, "integration_code": CODE});
    let body =
        |credentials: Value| json!({"psa": "autotask", "name": "N", "time_zone": "UTC", "credentials": credentials});
    // Refused by the PSA, and refused as input in every way in which serde would repeat a value.
    let user = simulators::autotask::SAMPLE_USERNAME;
    for credentials in
        [given(user.into()), given(json!([SECRET])), json!(SECRET), json!([SECRET]), json!({"secret": [SECRET]})]
    {
        assert_eq!(ask(Method::POST, "/v1/connections".into(), body(credentials)).await.status, 422);
    }
    let odd = json!({"psa": SECRET, "name": {"x": SECRET}, "time_zone": SECRET, "credentials": given(user.into())});
    assert_eq!(ask(Method::POST, "/v1/connections".into(), odd).await.status, 422);
    // Taken: the simulator's own credentials are the canary from here on.
    let made = ask(Method::POST, "/v1/connections".into(), connection_body()).await;
    let one = format!("/v1/connections/{}", made.json["id"].as_str().unwrap());
    for (method, rest) in [(Method::GET, ""), (Method::POST, "/test"), (Method::GET, "/catalog/accounts")] {
        ask(method, format!("{one}{rest}"), json!({})).await;
    }
    ask(Method::PUT, format!("{one}/credentials"), json!({"credentials": credentials()})).await;
    ask(Method::PUT, format!("{one}/credentials"), json!({"credentials": given(user.into())})).await;

    let canaries = [SECRET, CODE, simulators::autotask::SAMPLE_SECRET, simulators::autotask::SAMPLE_INTEGRATION_CODE];
    let mut searched =
        vec![("answers".to_owned(), answers.into_bytes()), ("logs".to_owned(), logs::text().into_bytes())];
    for folder in [h.data().to_owned(), h.data().join("secrets")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                searched.push((path.display().to_string(), std::fs::read(&path).unwrap()));
            }
        }
    }
    // What is searched is what was written: the name is in the rows, the route in the logs.
    assert!(searched.iter().any(|(place, bytes)| place.contains("store.sqlite") && contains(bytes, "Nordwind")));
    assert!(contains(&searched[1].1, "request_id"));
    for (place, bytes) in &searched {
        for canary in canaries {
            assert!(!contains(bytes, canary), "{canary} is in {place}");
        }
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn a_user_who_lacks_rights_is_told_each_of_them() {
    let user = ApiUser::full()
        .without(Entity::Contracts, Right::Query)
        .without(Entity::ContractServiceAdjustments, Right::Create);
    let h = Harness::with(|psa| psa.user(user)).await;
    let answer = h.post("/v1/connections", connection_body()).await;
    insta::assert_json_snapshot!(answer.problem(), @r#"
        {
          "code": "psa_rights_missing",
          "detail": "The log-in works, but the user may not: read contracts; change the units of contract services.",
          "errors": [
            {
              "detail": "may not read contracts: The API user may not read this.",
              "pointer": "/credentials"
            },
            {
              "detail": "may not change the units of contract services: The API user may not change the units of contract services.",
              "pointer": "/credentials"
            }
          ],
          "fix": "In Autotask, give the API user a security level that may see and edit contracts and their services (\"API User (system)\" may), then test the connection again.",
          "request_id": "[request]",
          "status": 422,
          "title": "PSA rights missing",
          "type": "/problems/psa_rights_missing"
        }
        "#);
    assert_eq!(h.get("/v1/connections").await.json["items"], json!([]));
    assert_eq!(std::fs::read_dir(h.data().join("secrets")).unwrap().count(), 0);
}
