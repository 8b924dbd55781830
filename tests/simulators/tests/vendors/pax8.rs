//! The simulated Pax8 seen from outside, over HTTP.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use simulators::pax8::{Company, Pax8, Product, Route, SAMPLE_CLIENT_ID, SAMPLE_CLIENT_SECRET, Subscription};
use simulators::vendor::{Change, Fault, MANY, Seed, When};
use simulators::{Clock, pax8};

use crate::caller::{Caller, each, read};

fn companies(many: i64) -> Vec<Company> {
    (1..=many).map(|number| Company::new(format!("c{number}"), format!("Customer {number}"))).collect()
}

fn office(id: &str, quantity: u32) -> Subscription {
    let name = "Microsoft 365 Business Standard".to_owned();
    Subscription::new(id, Product { id: "office".to_owned(), name, vendor_sku_id: None }, quantity)
}

fn log_in(pax8: &Pax8, change: Value) -> RequestBuilder {
    let mut body = json!({
        "client_id": SAMPLE_CLIENT_ID,
        "client_secret": SAMPLE_CLIENT_SECRET,
        "audience": "https://api.pax8.com",
        "grant_type": "client_credentials",
    });
    body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    let request = Client::new().post(format!("{}/v1/token", pax8.base()));
    request.header("content-type", "application/json").body(body.to_string())
}

async fn caller(pax8: &Pax8) -> Caller {
    Caller::let_in_by(pax8.base(), log_in(pax8, json!({}))).await
}

/// One member of all rows of a list, and how many pages it has.
async fn walk(caller: &Caller, list: &str, member: &str) -> (BTreeSet<String>, u64) {
    let (mut found, mut number) = (BTreeSet::new(), 0);
    loop {
        let (status, told) = caller.get(&format!("/v1/{list}?size=200&page={number}")).await;
        assert_eq!((status, &told["page"]["number"]), (200, &number.into()));
        found.extend(each(&told["content"], member).into_iter().map(str::to_owned));
        number += 1;
        if told["page"]["totalPages"] == number {
            return (found, number);
        }
    }
}

#[tokio::test]
async fn every_company_and_every_subscription_of_a_large_partner_is_reached() {
    let seed = Seed { companies: MANY, seed: 1, now: Timestamp::UNIX_EPOCH };
    let pax8 = Pax8::start(seed.build::<pax8::Api>()).await.unwrap();
    let caller = caller(&pax8).await;
    let (names, pages) = walk(&caller, "companies", "name").await;
    assert_eq!((names.len(), pages, pax8.count(Route::Companies)), (MANY, 7, 7));
    let (ids, _) = walk(&caller, "subscriptions", "id").await;
    let bought = pax8.customers().iter().map(|company| company.subscriptions.len()).sum::<usize>();
    assert_eq!(ids.len(), bought);
    assert!(bought > MANY);
}

#[tokio::test]
async fn nobody_who_asks_for_no_size_gets_more_than_ten_rows_and_nobody_more_than_200() {
    let pax8 = Pax8::start(companies(12)).await.unwrap();
    let caller = caller(&pax8).await;
    let (_, told) = caller.get("/v1/companies").await;
    assert_eq!(told["content"].as_array().unwrap().len(), 10);
    assert_eq!(told["page"], json!({ "size": 10, "totalElements": 12, "totalPages": 2, "number": 0 }));
    for query in ["size=0", "size=201", "size=many", "page=-1", "sort=quantity,asc"] {
        assert_eq!(caller.status(&format!("/v1/companies?{query}")).await, 400, "{query}");
    }
    assert_eq!(caller.status("/v1/companies?size=200").await, 200);
}

#[tokio::test]
async fn who_says_a_wrong_thing_gets_no_token_and_without_one_nothing_is_told() {
    let pax8 = Pax8::start(companies(1)).await.unwrap();
    for (change, status) in [
        (json!({ "client_secret": "another" }), 401),
        (json!({ "client_id": "another" }), 401),
        (json!({ "audience": "https://another.example" }), 403),
        (json!({ "audience": null }), 400),
        (json!({ "grant_type": "password" }), 400),
    ] {
        assert_eq!(read(log_in(&pax8, change.clone()).send().await.unwrap()).await.0, status, "{change}");
    }
    let stranger = Caller { http: Client::new(), base: pax8.base(), token: "simulated-token-1".to_owned() };
    assert_eq!(stranger.status("/v1/companies").await, 401);
    assert_eq!(stranger.status("/v1/subscriptions").await, 401);
    assert!(!format!("{pax8:?}").contains(SAMPLE_CLIENT_SECRET));
}

#[tokio::test]
async fn a_token_is_good_for_a_day() {
    let (clock, hand) = Clock::by_hand(Timestamp::UNIX_EPOCH);
    let pax8 = Pax8::setup(companies(1)).clock(clock).start().await.unwrap();
    let caller = caller(&pax8).await;
    hand.advance(SignedDuration::from_secs(86_399));
    assert_eq!(caller.status("/v1/companies").await, 200);
    hand.advance(SignedDuration::from_secs(1));
    assert_eq!(caller.status("/v1/companies").await, 401);
}

#[tokio::test]
async fn one_request_too_many_is_turned_away_without_a_word_of_when_to_come_again() {
    let pax8 = Pax8::setup(companies(1)).clock(Clock::stopped(Timestamp::UNIX_EPOCH)).start().await.unwrap();
    let caller = caller(&pax8).await;
    pax8.use_requests(999);
    assert_eq!(caller.status("/v1/companies").await, 200);
    let answer = caller.asking("/v1/subscriptions").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers().get("retry-after")), (429, None));
}

#[tokio::test]
async fn a_fault_strikes_the_third_page_and_that_page_is_there_when_asked_for_again() {
    let pax8 = Pax8::start(companies(5)).await.unwrap();
    pax8.plan_fault(When::Request(Route::Companies, 3), Fault::answer(500, ""));
    let (caller, mut answered) = (caller(&pax8).await, Vec::new());
    for page in [0, 1, 2, 2] {
        answered.push(caller.status(&format!("/v1/companies?size=2&page={page}")).await);
    }
    assert_eq!(answered, [200, 200, 500, 200]);
}

#[tokio::test]
async fn a_company_that_is_deleted_after_the_second_page_takes_its_subscriptions_along_and_hides_another() {
    let mut companies = companies(7);
    companies[0].subscriptions.push(office("s1", 5));
    let pax8 = Pax8::start(companies).await.unwrap();
    pax8.change_after_page(2, Change::Delete("c1".to_owned()));
    let (caller, mut ids) = (caller(&pax8).await, Vec::new());
    assert_eq!(caller.get("/v1/subscriptions").await.1["page"]["totalElements"], 1);
    for page in 0..4 {
        let (_, told) = caller.get(&format!("/v1/companies?size=2&page={page}")).await;
        ids.extend(each(&told["content"], "id").into_iter().map(str::to_owned));
    }
    assert_eq!(ids, ["c1", "c2", "c3", "c4", "c6", "c7"]);
    assert_eq!(caller.get("/v1/subscriptions").await.1["page"]["totalElements"], 0);
}

#[tokio::test]
async fn a_list_can_be_made_to_show_its_first_page_for_ever() {
    let pax8 = Pax8::start(companies(5)).await.unwrap();
    pax8.switch(|switches| switches.repeats_token = true);
    let caller = caller(&pax8).await;
    for page in 0..5 {
        let (_, told) = caller.get(&format!("/v1/companies?size=2&page={page}")).await;
        assert_eq!((each(&told["content"], "id"), &told["page"]["number"]), (vec!["c1", "c2"], &0.into()));
    }
}

#[tokio::test]
async fn subscriptions_are_picked_and_put_in_the_order_that_is_asked_for() {
    let mut companies = companies(2);
    let trial = Subscription { status: "Trial".to_owned(), start: jiff::civil::date(2026, 3, 1), ..office("s2", 9) };
    companies[0].subscriptions = vec![office("s1", 5), trial];
    let february = Subscription { start: jiff::civil::date(2026, 2, 1), ..office("s3", 7) };
    companies[1].subscriptions = vec![february];
    let pax8 = Pax8::start(companies).await.unwrap();
    let caller = caller(&pax8).await;
    for (query, ids) in [
        ("", &["s2", "s3", "s1"][..]),
        ("?sort=createdDate,asc", &["s1", "s3", "s2"]),
        ("?sort=quantity,desc", &["s2", "s3", "s1"]),
        ("?companyId=c2", &["s3"]),
        ("?status=Active&sort=quantity,asc", &["s1", "s3"]),
        ("?productId=another", &[]),
    ] {
        let (_, told) = caller.get(&format!("/v1/subscriptions{query}")).await;
        assert_eq!(each(&told["content"], "id"), ids, "{query}");
    }
    assert_eq!(caller.status("/v1/subscriptions?sort=status,asc").await, 400);
}
