//! Charge records: pushed beside counts, repeated, corrected, in parts, as CSV, refused, and read back.

use integration::{Answer, Harness, PARTNER};
use jiff::SignedDuration;
use jiff::civil::date;
use reqwest::{Method, header};
use serde_json::{Value, json};
use shared::api::auth::Scope;
use shared::domain::charge::RecordKey;
use shared::domain::ids::PartnerId;
use shared::store::charges::ChargeFilter;
use shared::store::usage::{Month, UsageBook, UsageReader};
use shared::store::{Condition, schema};

const NOON: &str = "2026-11-20T12:00:00Z";

fn partner() -> PartnerId {
    PARTNER.parse().unwrap()
}

fn count(company: &str, product: &str, quantity: u32) -> Value {
    json!({"company": company, "company_name": company.to_uppercase(), "product": product, "quantity": quantity})
}

fn charge(company: &str, meter: &str, from: &str, amount: &str) -> Value {
    json!({
        "kind": "charge", "company": company, "company_name": company.to_uppercase(), "product": "cloud", "meter": meter,
        "description": format!("The {meter}"), "period": {"from": from, "to": "2026-11-30"}, "amount": amount, "currency": "EUR",
    })
}

fn snapshot(as_of: &str, complete: bool, records: Vec<Value>) -> Value {
    json!({"as_of": as_of, "complete": complete, "records": records})
}

async fn push(h: &Harness, id: &str, body: Value) -> Answer {
    h.put(&format!("/v1/usage/snapshots/{id}"), body).await
}

async fn pushed(h: &Harness, id: &str, body: Value) -> Value {
    let answer = push(h, id, body).await;
    assert!(answer.status == 200 || answer.status == 201, "{}", answer.text);
    answer.json
}

async fn push_part(h: &Harness, id: &str, part: u32, records: Vec<Value>) -> Answer {
    h.put(&format!("/v1/usage/snapshots/{id}/parts/{part}"), json!({"as_of": NOON, "records": records})).await
}

async fn seal(h: &Harness, id: &str, parts: u32) -> Answer {
    h.post(&format!("/v1/usage/snapshots/{id}/seal"), json!({"parts": parts, "complete": true})).await
}

/// What counts, as text: `acme gb 2026-11-01 12.50 s1`.
async fn standing(h: &Harness) -> Vec<String> {
    let filter = ChargeFilter { company: None, product: None, from: date(2025, 10, 1), to: date(2027, 12, 31) };
    let all = UsageReader::new(h.table.clone()).all_charges(&partner(), &filter).await.unwrap();
    all.into_iter()
        .map(|charge| {
            let RecordKey { company, meter, from, .. } = charge.record.key();
            format!("{company} {meter} {from} {} {}", charge.record.worth.exact().unwrap(), charge.snapshot)
        })
        .collect()
}

fn key(company: &str, meter: &str, from: &str) -> RecordKey {
    RecordKey {
        company: company.parse().unwrap(),
        product: "cloud".parse().unwrap(),
        meter: meter.parse().unwrap(),
        from: from.parse().unwrap(),
    }
}

async fn book(h: &Harness) -> UsageBook {
    let month = |at: &str| Month::of(at.parse().unwrap());
    let months = month("2026-10-01T00:00:00Z")..=month("2026-12-01T00:00:00Z");
    UsageReader::new(h.table.clone()).load(&partner(), months).await.unwrap()
}

#[tokio::test]
async fn counts_and_charges_come_in_one_snapshot_and_are_read_back_apart() {
    let h = Harness::start().await;
    let metered = json!({
        "kind": "charge", "company": "acme", "company_name": "Acme Inc.", "product": "cloud", "meter": "storage-gb",
        "description": "Storage", "period": {"from": "2026-11-01", "to": "2026-11-20"},
        "quantity": "1234.567", "unit_price": "0.0125", "currency": "eur",
    });
    let mut counted = count("acme", "edr", 42);
    counted["kind"] = "count".into();
    let body = snapshot(NOON, true, vec![counted, metered, charge("bolt", "support", "2026-11-01", "-3.10")]);
    let first = pushed(&h, "s1", body.clone()).await;
    insta::assert_json_snapshot!(first, @r#"
    {
      "as_of": "2026-11-20T12:00:00Z",
      "charges": 2,
      "companies": 2,
      "complete": true,
      "products": [
        "edr"
      ],
      "received_at": "2026-11-21T12:00:00Z",
      "records": 3,
      "snapshot_id": "s1",
      "state": "applied"
    }
    "#);
    assert_eq!(h.get("/v1/usage/snapshots/s1").await.json, first);
    insta::assert_json_snapshot!(h.get("/v1/usage/charges").await.json, @r#"
    {
      "items": [
        {
          "as_of": "2026-11-20T12:00:00Z",
          "company": "acme",
          "company_name": "Acme Inc.",
          "currency": "EUR",
          "description": "Storage",
          "meter": "storage-gb",
          "period": {
            "from": "2026-11-01",
            "to": "2026-11-20"
          },
          "product": "cloud",
          "quantity": "1234.567",
          "snapshot_id": "s1",
          "total": "15.4320875",
          "unit_price": "0.0125"
        },
        {
          "amount": "-3.10",
          "as_of": "2026-11-20T12:00:00Z",
          "company": "bolt",
          "company_name": "BOLT",
          "currency": "EUR",
          "description": "The support",
          "meter": "support",
          "period": {
            "from": "2026-11-01",
            "to": "2026-11-30"
          },
          "product": "cloud",
          "snapshot_id": "s1",
          "total": "-3.10"
        }
      ],
      "next_cursor": null
    }
    "#);
    assert_eq!(h.get("/v1/usage").await.json["items"].as_array().unwrap().len(), 1);
    // The same again, in another order and with other zeros.
    let mut again = body;
    again["records"].as_array_mut().unwrap().reverse();
    again["records"][1]["unit_price"] = "0.01250".into();
    h.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(push(&h, "s1", again).await.json, first);
}

#[tokio::test]
async fn every_field_of_a_charge_is_part_of_what_a_snapshot_stands_for() {
    let h = Harness::start().await;
    let body = |change: &dyn Fn(&mut Value)| {
        let mut record = charge("acme", "gb", "2026-11-01", "12.50");
        change(&mut record);
        snapshot(NOON, true, vec![record])
    };
    pushed(&h, "s1", body(&|_| ())).await;
    for (field, value) in [
        ("company", json!("bolt")),
        ("company_name", json!("Acme")),
        ("product", json!("backup")),
        ("meter", json!("gb2")),
        ("description", json!("Else")),
        ("period", json!({"from": "2026-11-02", "to": "2026-11-30"})),
        ("period", json!({"from": "2026-11-01", "to": "2026-11-29"})),
        ("amount", json!("12.51")),
        ("amount", json!("-12.50")),
        ("currency", json!("USD")),
    ] {
        let answer = push(&h, "s1", body(&|record| record[field] = value.clone())).await;
        assert_eq!((answer.status, &answer.json["code"]), (409, &json!("snapshot_differs")), "{field} {value}");
    }
    let split = |record: &mut Value| {
        record.as_object_mut().unwrap().remove("amount");
        record["quantity"] = "12.50".into();
        record["unit_price"] = "1".into();
    };
    assert_eq!(push(&h, "s1", body(&split)).await.status, 409);
    assert_eq!(push(&h, "s1", snapshot(NOON, true, vec![])).await.status, 409);
    assert_eq!(push(&h, "s1", body(&|_| ())).await.status, 200);
    assert_eq!(standing(&h).await, ["acme gb 2026-11-01 12.5 s1"]);
}

#[tokio::test]
async fn the_newest_as_of_counts_in_whatever_order_they_come() {
    let said = [
        ("a", "2026-11-18T12:00:00Z", vec![("acme", "gb", "2026-11-01", "1"), ("bolt", "gb", "2026-11-01", "7")]),
        ("b", "2026-11-20T12:00:00Z", vec![("acme", "gb", "2026-11-01", "3"), ("acme", "gb", "2026-10-01", "9")]),
        ("c", "2026-11-19T12:00:00Z", vec![("acme", "gb", "2026-11-01", "2"), ("acme", "gb", "2026-10-01", "8")]),
    ];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let h = Harness::start().await;
        // Twice: what comes again is no news.
        for index in order.into_iter().chain(order) {
            let (id, as_of, records) = &said[index];
            let records = records.iter().map(|(company, meter, from, amount)| charge(company, meter, from, amount));
            pushed(&h, id, snapshot(as_of, true, records.collect())).await;
        }
        let wanted = ["acme gb 2026-10-01 9 b", "acme gb 2026-11-01 3 b", "bolt gb 2026-11-01 7 a"];
        assert_eq!(standing(&h).await, wanted, "{order:?}");
    }
}

#[tokio::test]
async fn of_two_as_of_one_second_the_one_received_later_counts_for_good() {
    let h = Harness::start().await;
    let wrong = snapshot(NOON, true, vec![charge("acme", "gb", "2026-11-01", "5")]);
    pushed(&h, "wrong", wrong.clone()).await;
    h.clock.advance(SignedDuration::from_secs(1));
    pushed(&h, "right", snapshot(NOON, true, vec![charge("acme", "gb", "2026-11-01", "0")])).await;
    // A retry of the first one that was cut short does not bring its charge back.
    let update = Condition::new("SET #state = :state").bind(":state", "received").unwrap();
    let header = schema::snapshot(&partner(), &"wrong".parse().unwrap());
    assert!(h.table.amend(&header, &update, &Condition::present()).await.unwrap());
    assert_eq!(push(&h, "wrong", wrong).await.status, 200);
    assert_eq!(standing(&h).await, ["acme gb 2026-11-01 0 right"]);
}

#[tokio::test]
async fn of_two_of_one_instant_received_at_once_the_same_counts_in_whatever_order_they_came() {
    let h = Harness::start().await;
    for (meter, order) in [("gb", ["s1", "s2"]), ("seats", ["s4", "s3"])] {
        for id in order {
            let amount = &id[1..];
            pushed(&h, id, snapshot(NOON, true, vec![charge("acme", meter, "2026-11-01", amount)])).await;
        }
    }
    assert_eq!(standing(&h).await, ["acme gb 2026-11-01 2 s2", "acme seats 2026-11-01 4 s4"]);
}

#[tokio::test]
async fn a_snapshot_that_was_cut_short_is_completed_by_sending_it_again() {
    let h = Harness::start().await;
    let body = snapshot(NOON, true, vec![count("acme", "edr", 1), charge("acme", "gb", "2026-11-01", "5")]);
    let first = pushed(&h, "s1", body.clone()).await;
    let key = key("acme", "gb", "2026-11-01");
    let id = "s1".parse().unwrap();
    for lost in
        [vec![], vec![schema::charge(&partner(), "2026-11", &key), schema::snapshot_chunk(&partner(), &id, 0, 1)]]
    {
        let update = Condition::new("SET #state = :state").bind(":state", "received").unwrap();
        assert!(h.table.amend(&schema::snapshot(&partner(), &id), &update, &Condition::present()).await.unwrap());
        for key in &lost {
            assert!(h.table.delete(key, &Condition::present()).await.unwrap());
        }
        let again = push(&h, "s1", body.clone()).await;
        assert_eq!((again.status, &again.json), (200, &first));
        assert_eq!(standing(&h).await, ["acme gb 2026-11-01 5 s1"]);
    }
}

#[tokio::test]
async fn a_complete_snapshot_of_charges_makes_no_company_absent_and_takes_no_charge_back() {
    let h = Harness::start().await;
    let mut both = charge("acme", "gb", "2026-11-01", "5");
    both["product"] = "edr".into();
    pushed(
        &h,
        "counts",
        snapshot("2026-11-18T12:00:00Z", true, vec![count("acme", "edr", 42), count("bolt", "edr", 7)]),
    )
    .await;
    let before = book(&h).await;
    // Of a product that is counted, in a snapshot that says it is complete.
    let answer = pushed(&h, "charges", snapshot("2026-11-20T12:00:00Z", true, vec![both])).await;
    assert_eq!((&answer["products"], &answer["complete"]), (&json!([]), &json!(true)));
    assert_eq!(book(&h).await, before);
    assert_eq!(before.newest_complete[&"edr".parse().unwrap()].snapshot.as_str(), "counts");
    // Beside counts of another product it says nothing of this one either.
    let mixed = vec![count("acme", "m365", 1), {
        let mut other = charge("bolt", "gb", "2026-11-01", "6");
        other["product"] = "edr".into();
        other
    }];
    assert_eq!(pushed(&h, "mixed", snapshot("2026-11-20T13:00:00Z", true, mixed)).await["products"], json!(["m365"]));
    let after = book(&h).await;
    assert_eq!(after.newest_complete[&"edr".parse().unwrap()].snapshot.as_str(), "counts");
    assert_eq!(after.newest_complete.len(), 2);
    // In parts likewise.
    let mut part = charge("core", "gb", "2026-11-01", "7");
    part["product"] = "edr".into();
    assert_eq!(push_part(&h, "parts", 1, vec![part]).await.status, 201);
    assert_eq!(seal(&h, "parts", 1).await.json["products"], json!([]));
    assert_eq!(book(&h).await, after);
    pushed(&h, "empty", snapshot("2026-11-20T14:00:00Z", true, vec![])).await;
    assert_eq!(standing(&h).await.len(), 3);
}

#[tokio::test]
async fn charges_of_parts_count_from_the_seal_on() {
    let h = Harness::start().await;
    let part = push_part(&h, "big", 2, vec![charge("bolt", "gb", "2026-11-01", "7"), count("acme", "edr", 1)]).await;
    assert_eq!((part.status, &part.json["records"]), (201, &json!(2)), "{}", part.text);
    assert_eq!(push_part(&h, "big", 1, vec![charge("acme", "gb", "2026-11-01", "5")]).await.status, 201);
    assert_eq!(standing(&h).await, [""; 0]);
    let sealed = seal(&h, "big", 2).await;
    assert_eq!(sealed.status, 200, "{}", sealed.text);
    let Value::Object(told) = sealed.json else { panic!("no object") };
    let told: Vec<_> = ["records", "charges", "companies", "products"].map(|name| told[name].clone()).into();
    assert_eq!(told, [json!(3), json!(2), json!(2), json!(["edr"])]);
    assert_eq!(standing(&h).await, ["acme gb 2026-11-01 5 big", "bolt gb 2026-11-01 7 big"]);
    // A seal that was cut short is completed.
    let update = Condition::new("SET #state = :state").bind(":state", "received").unwrap();
    let header = schema::snapshot(&partner(), &"big".parse().unwrap());
    assert!(h.table.amend(&header, &update, &Condition::present()).await.unwrap());
    let key = key("bolt", "gb", "2026-11-01");
    assert!(h.table.delete(&schema::charge(&partner(), "2026-11", &key), &Condition::present()).await.unwrap());
    assert_eq!(seal(&h, "big", 2).await.status, 200);
    assert_eq!(standing(&h).await.len(), 2);
}

#[tokio::test]
async fn charges_of_parts_count_whether_or_not_their_seal_calls_the_snapshot_complete() {
    let h = Harness::start().await;
    for (id, complete, amount) in [("some", false, "5"), ("all", true, "6")] {
        push_part(&h, id, 1, vec![charge("acme", id, "2026-11-01", amount)]).await;
        let body = json!({"parts": 1, "complete": complete});
        assert_eq!(h.post(&format!("/v1/usage/snapshots/{id}/seal"), body).await.status, 200);
    }
    assert_eq!(standing(&h).await, ["acme all 2026-11-01 6 all", "acme some 2026-11-01 5 some"]);
}

#[tokio::test]
async fn a_charge_in_two_parts_is_named_and_none_counts() {
    let h = Harness::start().await;
    push_part(&h, "big", 1, vec![charge("acme", "gb", "2026-11-01", "5")]).await;
    push_part(&h, "big", 2, vec![charge("acme", "gb", "2026-11-01", "6"), charge("acme", "gb", "2026-11-02", "6")])
        .await;
    let problem = seal(&h, "big", 2).await.problem();
    let detail = "part 1 and part 2 both charge meter gb of product cloud of company acme from 2026-11-01 on";
    assert_eq!(problem["errors"], json!([{"pointer": "/parts", "detail": detail}]));
    assert_eq!(standing(&h).await, [""; 0]);
}

#[tokio::test]
async fn every_fault_of_every_charge_is_named() {
    let h = Harness::start().await;
    let sound = charge("acme", "gb", "2026-11-01", "5");
    let with = |changes: Value| {
        let mut record = sound.clone();
        for (name, value) in changes.as_object().unwrap() {
            record[name] = value.clone();
        }
        record
    };
    let records = vec![
        json!({"kind": "charge"}),
        with(json!({"meter": "a#b", "description": " ", "amount": 12.5, "currency": "EURO", "seats": 1})),
        with(json!({"quantity": "-1", "unit_price": "1e3"})),
        with(json!({"amount": null, "quantity": 5})),
        with(json!({"amount": null, "quantity": "1000000000", "unit_price": "-1000000"})),
        with(json!({"period": {"from": "2026-11-01T00:00:00", "to": "2026-02-30"}})),
        with(json!({"period": {"from": "2025-01-01", "to": "2024-12-31", "days": 1}})),
        with(json!({"period": {"from": "2026-01-01", "to": "2027-06-01"}})),
        with(json!({"period": "2026-11", "unit_cost": "1"})),
        with(json!({"kind": "credit", "meter": ""})),
        with(json!({"kind": "count"})),
        sound.clone(),
        with(json!({"amount": "6", "period": {"from": "2026-11-01", "to": "2026-11-02"}})),
    ];
    let problem = push(&h, "s1", snapshot(NOON, true, records)).await.problem();
    let told: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| format!("{}: {}", error["pointer"].as_str().unwrap(), error["detail"].as_str().unwrap()))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    /records/0/company: is required
    /records/0/company_name: is required
    /records/0/product: is required
    /records/0/meter: is required
    /records/0/description: is required
    /records/0/period: is required
    /records/0/amount: is required, or quantity and unit_price in its place
    /records/0/currency: is required
    /records/1/meter: must be 1 to 128 printable ASCII characters without spaces at its ends and without '#'
    /records/1/description: must be 1 to 200 characters without control characters
    /records/1/amount: must be a decimal text such as "12.50" or "-3.10": at most 6 digits after the point, up to 1000000000000
    /records/1/currency: must be three letters, such as EUR
    /records/1/seats: is not a field here
    /records/2/amount: is in place of quantity and unit_price: send one or the other
    /records/2/quantity: must be a decimal text such as "1234.567": not negative, at most 6 digits after the point, up to 1000000000000000
    /records/2/unit_price: must be a decimal text such as "0.0125" or "-0.5": at most 6 digits after the point, up to 1000000000
    /records/3/quantity: must be a decimal text such as "1234.567": not negative, at most 6 digits after the point, up to 1000000000000000
    /records/3/unit_price: is required
    /records/4/unit_price: with the quantity comes to more than 1000000000000
    /records/5/period/from: must be a date such as 2026-10-31
    /records/5/period/to: must be a date such as 2026-10-31
    /records/6/period/from: must be at most 400 days from today
    /records/6/period/to: must not be before from
    /records/6/period/days: is not a field here
    /records/7/period/to: must be at most 366 days after from
    /records/8/period: must be an object
    /records/8/unit_cost: is not a field here
    /records/9/kind: must be count or charge
    /records/10/quantity: is required
    /records/10/currency: is only for a record with unit_cost
    /records/10/amount: is not a field here
    /records/10/description: is not a field here
    /records/10/meter: is not a field here
    /records/10/period: is not a field here
    /records/12: charges the same company, product and meter from the same day on as /records/11
    "#);
    assert_eq!(h.get("/v1/usage/snapshots/s1").await.status, 404);
    assert_eq!(standing(&h).await, [""; 0]);
}

#[tokio::test]
async fn charges_are_listed_by_page_and_filter() {
    let h = Harness::start().await;
    let mut records: Vec<_> = (0..120).map(|n| charge("acme", &format!("m{n:03}"), "2026-11-01", "1")).collect();
    records.extend((0..3).map(|n| charge("bolt", &format!("m{n}"), "2026-10-05", "2")));
    let mut other = charge("acme", "m000", "2026-10-05", "3");
    other["product"] = "backup".into();
    records.push(other);
    pushed(&h, "s1", snapshot(NOON, false, records)).await;
    let all = async |query: &str| {
        let mut items: Vec<Value> = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = h.get(&format!("/v1/usage/charges?limit=7{query}{cursor}")).await;
            assert_eq!(page.status, 200, "{}", page.text);
            items.extend(page.json["items"].as_array().unwrap().iter().cloned());
            assert!(page.json["items"].as_array().unwrap().len() <= 7);
            match page.json["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let keys: std::collections::BTreeSet<_> = items
            .iter()
            .map(|item| item["meter"].to_string() + &item["period"].to_string() + &item["company"].to_string())
            .collect();
        assert_eq!(keys.len(), items.len(), "none twice");
        items.len()
    };
    for (query, number) in [
        ("", 124),
        ("&company=bolt", 3),
        ("&company=acme", 121),
        ("&company=acm", 0),
        ("&product=backup", 1),
        ("&company=acme&product=cloud", 120),
        ("&company=bolt&product=backup", 0),
        ("&from=2026-11-01&to=2026-11-01", 120),
        ("&from=2026-11-02", 0),
        ("&to=2026-10-31", 4),
        ("&from=2026-10-06&to=2026-10-31", 0),
        ("&from=0001-01-01&to=9999-12-31", 124),
    ] {
        assert_eq!(all(query).await, number, "{query}");
    }
    for (query, pointer) in
        [("from=2026-11", "?from"), ("to=2026-11-01T00:00:00Z", "?to"), ("from=2026-11-02&to=2026-11-01", "?from")]
    {
        let problem = h.get(&format!("/v1/usage/charges?{query}")).await.problem();
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{query}");
    }
    let next = h.get("/v1/usage/charges?limit=1").await.json["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(h.get(&format!("/v1/usage/charges?company=acme&cursor={next}")).await.status, 400);
    let token = h.token("another", &[Scope::Read]);
    let theirs = Answer::to(h.request(Method::GET, "/v1/usage/charges").bearer_auth(&token)).await;
    assert_eq!((theirs.status, &theirs.json["items"]), (200, &json!([])));
    let token = h.token(PARTNER, &[Scope::Write]);
    assert_eq!(Answer::to(h.request(Method::GET, "/v1/usage/charges").bearer_auth(&token)).await.status, 200);
}

#[tokio::test]
async fn a_charge_that_can_not_be_read_is_named_in_lists_and_keeps_charges_from_being_worked_out() {
    let h = Harness::start().await;
    pushed(&h, "s1", snapshot(NOON, true, vec![charge("acme", "gb", "2026-11-01", "5")])).await;
    let key = schema::charge(&partner(), "2026-11", &key("bolt", "gb", "2026-11-01"));
    assert!(
        h.table.put(&key, &json!({"record": {"company": "bolt", "tiers": []}}), &Condition::absent()).await.unwrap()
    );
    let listed = h.get("/v1/usage/charges").await.json;
    assert_eq!((listed["items"].as_array().unwrap().len(), &listed["unreadable"][0]["row"]), (1, &json!(key.sk)));
    let filter = ChargeFilter { company: None, product: None, from: date(2026, 11, 1), to: date(2026, 11, 30) };
    let reader = UsageReader::new(h.table.clone());
    assert!(reader.all_charges(&partner(), &filter).await.is_err());
    let acme = ChargeFilter { company: Some("acme".parse().unwrap()), ..filter };
    assert_eq!(reader.all_charges(&partner(), &acme).await.unwrap().len(), 1);
}

async fn upload(h: &Harness, id: &str, table: &str) -> Answer {
    let path = format!("/v1/usage/snapshots.csv?snapshot_id={id}&as_of={NOON}&complete=true");
    Answer::to(h.signed(Method::POST, &path).header(header::CONTENT_TYPE, "text/csv").body(table.to_owned())).await
}

#[tokio::test]
async fn charges_come_in_a_table_beside_counts() {
    let h = Harness::start().await;
    let table = "\
kind,company,company_name,product,quantity,unit_cost,meter,description,period_from,period_to,amount,unit_price,currency
count,acme,Acme,edr,42,1.10,,,,,,,EUR
,bolt,Bolt,edr,7,,,,,,,,
charge,acme,Acme,cloud,1234.567,,gb,Storage,2026-11-01,2026-11-30,,0.0125,EUR
charge,acme,Acme,cloud,,,support,Support plan,2026-11-01,2026-11-30,-49.00,,EUR
";
    let answer = upload(&h, "s1", table).await;
    assert_eq!((answer.status, &answer.json["charges"]), (201, &json!(2)), "{}", answer.text);
    assert_eq!(standing(&h).await, ["acme gb 2026-11-01 15.4320875 s1", "acme support 2026-11-01 -49 s1"]);
    // Charges alone need no column for quantities.
    let alone = "\
kind,company,company_name,product,meter,description,period_from,period_to,amount,currency
charge,core,Core,cloud,gb,Storage,2026-11-01,2026-11-30,5,EUR
";
    assert_eq!(upload(&h, "s2", alone).await.status, 201);
    let wrong = "\
kind,company,company_name,product,quantity,meter,description,period_from,period_to,amount,currency
count,acme,Acme,edr,42,gb,,,,,
charge,acme,Acme,cloud,,gb,Storage,2026-13-01,,,EUR
credit,acme,Acme,cloud,,gb,Storage,2026-11-01,2026-11-30,1,EUR
charge,dune,Dune,cloud,,gb,Storage,2026-11-01,2026-11-30,1,EUR
charge,dune,Dune,cloud,,gb,Storage,2026-11-01,2026-11-30,2,EUR
";
    let problem = upload(&h, "s3", wrong).await.problem();
    let told: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| format!("{}: {}", error["pointer"].as_str().unwrap(), error["detail"].as_str().unwrap()))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    /rows/2/meter: row 2, column meter: is only for a charge
    /rows/3/period_from: row 3, column period_from: must be a date such as 2026-10-31
    /rows/3/period_to: row 3, column period_to: is required
    /rows/3/amount: row 3, column amount: is required, or quantity and unit_price in its place
    /rows/4/kind: row 4, column kind: must be count or charge
    /rows/6: row 6: charges the same company, product and meter from the same day on as row 5
    "#);
}
