//! Many alerts over HTTP: lists in pages, all that are halted tried again, and rows that a newer version has stored among them.

use integration::PARTNER;
use integration::msp::alerts::{alert, encoded};
use integration::msp::{Customer, Lane, Msp, Setup};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use shared::domain::alert::{Alert, AlertKey, Incident, Report, Reported, Standstill};
use shared::domain::ids::PartnerId;
use shared::domain::reason::Reason;
use shared::store::alerts::Alerts;
use shared::store::schema::{self, Key};
use shared::store::{Condition, Read};

async fn msp() -> Msp {
    Setup::of([Customer::named("acme").line("edr", 40)]).start().await
}

/// Stores `number` alerts that wait, the first of which began first.
async fn store_halted(msp: &Msp, number: usize) -> Vec<AlertKey> {
    let (partner, alerts) = (partner(), Alerts::new(msp.parts.table.clone()));
    let mut keys = Vec::new();
    for number in 0..number {
        let key = AlertKey::sent(&format!("acme/{:04}", 9_999 - number)).unwrap();
        let at = msp.clock.time() + SignedDuration::from_secs(i64::try_from(number).unwrap());
        let label = || "x".parse().unwrap();
        let incident = Incident {
            company: "acme".parse().unwrap(),
            kind: label(),
            severity: label(),
            title: "x".into(),
            details: String::new(),
        };
        let report = Report { id: "r".into(), incident, at };
        let Reported::Is(alert) = Alert::reported(None, &key, report, SignedDuration::ZERO, at) else { panic!("new") };
        let reason = Reason { code: "x".into(), explanation: "It is so.".into(), fix: "Do something.".into() };
        let alert = alert.in_trouble(Standstill::Waiting, reason, at);
        assert!(alerts.replace(&partner, None, alert, at).await.unwrap().is_some());
        keys.push(key);
    }
    keys
}

fn partner() -> PartnerId {
    PARTNER.parse().unwrap()
}

#[tokio::test]
async fn a_retry_says_whether_there_is_more_and_goes_in_the_order_in_which_alerts_began() {
    let msp = msp().await;
    let keys = store_halted(&msp, 502).await;
    let retry = async || msp.done(Method::POST, "/v1/alerts/retry", Some(json!({}))).await;
    assert_eq!(retry().await, json!({"queued": 500, "more": true}));
    assert_eq!(retry().await, json!({"queued": 2, "more": false}));
    assert_eq!(retry().await, json!({"queued": 0, "more": false}));
    let sent: Vec<_> = msp.parts.wire.take_alerts().into_iter().map(|message| message.key).collect();
    assert_eq!(sent, keys.iter().map(ToString::to_string).collect::<Vec<_>>());
}

/// Changes a stored row as a newer version would have stored it.
async fn store(msp: &Msp, key: &Key, change: impl FnOnce(&mut Value)) {
    let mut row: Value = msp.parts.table.get(key, Read::Consistent).await.unwrap().unwrap();
    change(&mut row);
    assert!(msp.parts.table.put(key, &row, &Condition::present()).await.unwrap());
}

#[tokio::test]
async fn an_alert_of_a_newer_version_keeps_no_other_from_being_tried_again() {
    let msp = msp().await;
    let keys = store_halted(&msp, 4).await;
    let began = msp.clock.time().as_second();
    store(&msp, &schema::alert(&partner(), &keys[0]), |row| row["alert"]["trouble"]["kind"] = json!("paused")).await;
    store(&msp, &schema::halted_alert(&partner(), began + 1, &keys[1]), |row| row["status"] = json!("paused")).await;
    let key = keys[0].as_str();

    let listed = msp.done(Method::GET, "/v1/alerts?status=waiting", None).await;
    assert_eq!((listed["items"].as_array().unwrap().len(), listed["unreadable"].as_array().unwrap().len()), (2, 2));
    let alone = msp.done(Method::GET, &format!("/v1/alerts?dedupe_key={}", encoded(key)), None).await;
    assert_eq!((&alone["items"], &alone["unreadable"][0]["field"]), (&json!([]), &json!("alert.trouble.kind")));
    let retried = msp.done(Method::POST, "/v1/alerts/retry", None).await;
    assert_eq!((&retried["queued"], &retried["more"]), (&json!(2), &json!(false)));
    let fields: Vec<_> = retried["unreadable"].as_array().unwrap().iter().map(|row| &row["field"]).collect();
    assert_eq!(fields, ["status", "alert.trouble.kind"]);
    let one = msp.post(&format!("/v1/alerts/{}/retry", encoded(key))).await;
    assert_eq!((one.status, &one.json["code"]), (500, &json!("row_unreadable")));
}

#[tokio::test]
async fn an_alert_whose_row_is_gone_keeps_no_other_from_being_tried_again() {
    let msp = msp().await;
    let keys = store_halted(&msp, 2).await;
    assert!(msp.parts.table.delete(&schema::alert(&partner(), &keys[0]), &Condition::none()).await.unwrap());
    assert_eq!(msp.done(Method::POST, "/v1/alerts/retry", None).await, json!({"queued": 1, "more": false}));
}

/// The keys of all pages of a list.
async fn paged(msp: &Msp, filter: &str) -> (Vec<String>, usize) {
    let (mut keys, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = msp.done(Method::GET, &format!("/v1/alerts?limit=2{filter}{cursor}"), None).await;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        keys.extend(items.iter().map(|item| item["dedupe_key"].as_str().unwrap().to_owned()));
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (keys, pages),
        }
    }
}

#[tokio::test]
async fn lists_of_alerts_page_through_all_and_through_those_of_a_status() {
    let msp = msp().await;
    store_halted(&msp, 5).await;
    msp.map_tickets(json!({})).await;
    for number in 1..=3 {
        msp.alert(alert(&format!("open/{number}"), "acme")).await;
    }
    Lane::of(&msp).work_off().await;
    msp.alert(alert("queued/1", "acme")).await;
    let sorted = |mut keys: Vec<String>| {
        keys.sort();
        keys
    };
    let (waiting, pages) = paged(&msp, "&status=waiting").await;
    assert_eq!((waiting, pages), ((0..5).map(|number| format!("acme/{}", 9_999 - number)).collect(), 3));
    let (open, pages) = paged(&msp, "&status=open").await;
    assert_eq!((sorted(open), pages), (vec!["open/1".into(), "open/2".into(), "open/3".into()], 2));
    assert_eq!(paged(&msp, "&status=queued").await.0, ["queued/1"]);
    assert_eq!(paged(&msp, "&status=given_up").await.0, [""; 0]);
    let (all, _) = paged(&msp, "").await;
    assert_eq!((all.len(), sorted(all)[8].as_str()), (9, "queued/1"));

    let first = msp.done(Method::GET, "/v1/alerts?limit=2&status=waiting", None).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    for query in [
        format!("cursor={cursor}"),
        format!("status=open&cursor={cursor}"),
        format!("dedupe_key=open%2F1&cursor={cursor}"),
        "dedupe_key=open%2F1&status=open".to_owned(),
        "status=closed".to_owned(),
        "limit=0".to_owned(),
        "key=open%2F1".to_owned(),
    ] {
        let answer = msp.call(Method::GET, &format!("/v1/alerts?{query}"), None).await;
        assert_eq!((answer.status, &answer.problem()["code"]), (400, &json!("invalid_query")), "{query}");
    }
}
