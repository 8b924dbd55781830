//! Whoever changes a mapping may say what they have read: over anything else nothing is changed.

use integration::msp::{Customer, Fixture, Msp, On, Setup};
use integration::{Answer, PARTNER};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use shared::api::auth::Scope;
use simulators::kaseya_bms::KaseyaBms;

const FRESH: (&str, &str) = ("if-none-match", "*");

async fn msp() -> Msp {
    Setup::of([Customer::named("acme").line("edr", 40)]).start().await
}

fn company(msp: &Msp, changes: Value) -> Value {
    let mut body =
        json!({"account_id": msp.account("acme").to_string(), "contract_id": msp.contract("acme").to_string()});
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    body
}

fn request<P: Fixture>(msp: &Msp<P>, end: &str, headers: &[(&str, &str)], body: &Value) -> RequestBuilder {
    let token = msp.parts.token(PARTNER, &[Scope::Read, Scope::Write]);
    let request =
        msp.parts.request(Method::PUT, &format!("/v1/connections/{}/{end}", msp.connection)).bearer_auth(token);
    headers.iter().fold(request.json(body), |request, (name, value)| request.header(*name, *value))
}

async fn put<P: Fixture>(msp: &Msp<P>, end: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    Answer::to(request(msp, end, headers, body)).await
}

async fn get<P: Fixture>(msp: &Msp<P>, end: &str) -> Answer {
    msp.call(Method::GET, &format!("/v1/connections/{}/{end}", msp.connection), None).await
}

#[tokio::test]
async fn what_is_to_be_new_replaces_nothing_that_somebody_has_set_up_meanwhile() {
    let msp = msp().await;
    let configured = company(&msp, json!({"overrides": {"edr": {"excluded": true}}, "when_absent": "zero"}));
    assert_eq!(put(&msp, "companies/new", &[FRESH], &configured).await.status, 201);
    let stands = get(&msp, "companies/new").await.json;
    let plain = put(&msp, "companies/new", &[FRESH], &company(&msp, json!({}))).await;
    assert_eq!(plain.status, 412);
    insta::assert_json_snapshot!(plain.problem(), @r#"
    {
      "code": "already_mapped",
      "detail": "It was mapped meanwhile: there is a mapping here already.",
      "errors": [],
      "fix": "Look at what stands now and send it again.",
      "request_id": "[request]",
      "status": 412,
      "title": "Already mapped",
      "type": "/problems/already_mapped"
    }
    "#);
    let same = put(&msp, "companies/new", &[FRESH], &configured).await;
    assert_eq!(same.status, 412, "what is to be new is not, whatever it says");
    assert_eq!(get(&msp, "companies/new").await.json, stands);
}

#[tokio::test]
async fn a_change_of_a_version_that_was_replaced_or_removed_is_refused() {
    let msp = msp().await;
    let read = get(&msp, "companies/acme").await;
    assert_eq!((read.header("etag"), &read.json["version"]), ("\"1\"", &json!(1)));
    let hers = company(&msp, json!({"when_absent": "hold"}));
    let changed = put(&msp, "companies/acme", &[("if-match", "\"1\"")], &hers).await;
    assert_eq!((changed.status, changed.header("etag")), (200, "\"2\""));
    let again = put(&msp, "companies/acme", &[("if-match", "\"1\"")], &hers).await;
    assert_eq!((again.status, &again.json["version"]), (200, &json!(2)), "what stands already is no conflict");

    let his = company(&msp, json!({"when_absent": "zero"}));
    let late = put(&msp, "companies/acme", &[("if-match", "\"1\"")], &his).await;
    assert_eq!(late.status, 412);
    insta::assert_json_snapshot!(late.problem(), @r#"
    {
      "code": "changed_meanwhile",
      "detail": "This mapping was changed meanwhile: another version of it stands, or none.",
      "errors": [],
      "fix": "Look at what stands now and send it again.",
      "request_id": "[request]",
      "status": 412,
      "title": "Changed meanwhile",
      "type": "/problems/changed_meanwhile"
    }
    "#);
    msp.done(Method::DELETE, &format!("/v1/connections/{}/companies/acme", msp.connection), None).await;
    assert_eq!(put(&msp, "companies/acme", &[("if-match", "\"2\"")], &his).await.status, 412);
    // A mapping that is made anew goes on counting: what was read before is not what stands.
    assert_eq!(put(&msp, "companies/acme", &[FRESH], &hers).await.json["version"], 4);
    assert_eq!(put(&msp, "companies/acme", &[("if-match", "\"2\"")], &his).await.status, 412);
    assert_eq!(
        put(&msp, "companies/acme", &[], &his).await.json["version"],
        5,
        "without a word of it all is as before"
    );
}

#[tokio::test]
async fn of_many_who_have_read_the_same_version_one_changes_it() {
    let msp = msp().await;
    let sent: Vec<_> = (1..=6)
        .map(|minimum| {
            let body = company(&msp, json!({"overrides": {"edr": {"rule": {"minimum": minimum}}}}));
            tokio::spawn(Answer::to(request(&msp, "companies/acme", &[("if-match", "\"1\"")], &body)))
        })
        .collect();
    let mut told = Vec::new();
    for answer in sent {
        told.push(answer.await.unwrap().status);
    }
    told.sort_unstable();
    assert_eq!(told, [200, 412, 412, 412, 412, 412]);
    assert_eq!(get(&msp, "companies/acme").await.json["version"], 2);
}

#[tokio::test]
async fn products_and_their_charges_are_held_to_it_as_companies_are() {
    let msp = msp().await;
    let service = get(&msp, "products/edr").await.json["service_id"].clone();
    let product = |minimum: u32| json!({"service_id": service, "rule": {"minimum": minimum}});
    let charges = |markup: u32| json!({"mode": "itemised", "billing_code": "Metered usage", "from": "2026-11-01", "markup_percent": markup.to_string()});
    for (end, body) in [("products/new", &product as &dyn Fn(u32) -> Value), ("charges/new", &charges)] {
        let made = put(&msp, end, &[FRESH], &body(1)).await;
        assert_eq!((made.status, made.header("etag")), (201, "\"1\""), "{end}: {}", made.text);
        assert_eq!(put(&msp, end, &[FRESH], &body(2)).await.problem()["code"], "already_mapped");
        assert_eq!(put(&msp, end, &[("if-match", "\"1\"")], &body(3)).await.status, 200);
        assert_eq!(put(&msp, end, &[("if-match", "\"1\"")], &body(4)).await.problem()["code"], "changed_meanwhile");
        assert_eq!(get(&msp, end).await.header("etag"), "\"2\"");
        let unclear = put(&msp, end, &[("if-match", "2")], &body(5)).await;
        assert_eq!((unclear.status, &unclear.problem()["code"]), (400, &json!("invalid_precondition")));
    }
}

#[tokio::test]
async fn the_mapping_of_tickets_is_held_to_it_too() {
    let msp = On::<KaseyaBms>::adding().of([Customer::named("acme").line("edr", 40)]).start().await;
    let defaults = json!({"StatusId": "51", "PriorityId": "63", "TypeId": "92", "SourceId": "5", "QueueId": "73"});
    let body = |hours: u32| json!({"defaults": defaults, "due_hours": hours});
    let end = "ticket-mapping";
    assert_eq!(put(&msp, end, &[FRESH], &body(1)).await.header("etag"), "\"1\"");
    assert_eq!(put(&msp, end, &[FRESH], &body(2)).await.problem()["code"], "already_mapped");
    assert_eq!(put(&msp, end, &[("if-match", "\"1\"")], &body(3)).await.status, 200);
    assert_eq!(put(&msp, end, &[("if-match", "\"1\"")], &body(4)).await.problem()["code"], "changed_meanwhile");
    assert_eq!(get(&msp, end).await.header("etag"), "\"2\"");
}
