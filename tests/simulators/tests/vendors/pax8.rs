//! Pax8: a token for an audience, pages by their number, subscriptions of all companies in one list.

use std::collections::BTreeSet;

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use simulators::Clock;
use simulators::pax8::{Api, Company, Pax8, Product, Route, SAMPLE_CLIENT_ID, SAMPLE_CLIENT_SECRET, Subscription};
use simulators::vendor::{Change, MANY};

use crate::support::{Visit, Walker, address, read, texts};

const COMPANIES: &str = "/v1/companies";
const SUBSCRIPTIONS: &str = "/v1/subscriptions";

struct ByNumber {
    token: String,
}

impl Walker for ByNumber {
    type Api = Api;
    const LIST: Route = Route::Companies;
    const SKIPS: bool = true;

    async fn enter(_http: &Client, base: &str) -> Self {
        Self { token: token(base).await }
    }

    fn page(&self, http: &Client, base: &str, rows: Option<&str>, next: Option<&str>) -> RequestBuilder {
        http.get(address(base, COMPANIES, &[("size", rows), ("page", next)])).bearer_auth(&self.token)
    }

    fn ids(page: &Value) -> Vec<String> {
        texts(&page["content"], "id")
    }

    fn next(page: &Value, _pages: usize, _rows: usize) -> Option<String> {
        let next = page["page"]["number"].as_u64().unwrap() + 1;
        (next < page["page"]["totalPages"].as_u64().unwrap()).then(|| next.to_string())
    }
}

keeps_the_contract!(ByNumber);

/// Asks for a token with some members in place of the right ones.
fn log_in(base: &str, wrong: Value) -> RequestBuilder {
    let mut body = json!({
        "client_id": SAMPLE_CLIENT_ID,
        "client_secret": SAMPLE_CLIENT_SECRET,
        "audience": "https://api.pax8.com",
        "grant_type": "client_credentials",
    });
    body.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
    Client::new().post(format!("{base}/v1/token")).json(&body)
}

async fn token(base: &str) -> String {
    let (_, told) = read(log_in(base, json!({}))).await;
    assert_eq!(told["expires_in"], 86_400);
    told["access_token"].as_str().unwrap().to_owned()
}

async fn told_to(token: &str, pax8: &Pax8, path: &str) -> (u16, Value) {
    read(Client::new().get(address(&pax8.base(), path, &[])).bearer_auth(token)).await
}

async fn told(pax8: &Pax8, path: &str) -> (u16, Value) {
    told_to(&token(&pax8.base()).await, pax8, path).await
}

fn companies(many: i64) -> Vec<Company> {
    (1..=many).map(|number| Company::new(format!("c{number}"), format!("Customer {number}"))).collect()
}

fn office(id: &str, quantity: u32) -> Subscription {
    let name = "Microsoft 365 Business Standard".to_owned();
    Subscription::new(id, Product { id: "office".to_owned(), name, vendor_sku_id: None }, quantity)
}

#[tokio::test]
async fn a_page_says_what_it_is_and_one_that_can_be_none_is_refused() {
    let pax8 = Pax8::start(companies(12)).await.unwrap();
    let (_, page) = told(&pax8, &format!("{COMPANIES}?page=1")).await;
    assert_eq!(page["page"], json!({ "size": 10, "totalElements": 12, "totalPages": 2, "number": 1 }));
    for query in ["size=0", "size=201", "size=many", "page=-1", "sort=quantity,asc"] {
        let (status, told) = told(&pax8, &format!("{COMPANIES}?{query}")).await;
        assert_eq!((status, &told["status"]), (400, &400.into()), "{query}");
    }
}

#[tokio::test]
async fn the_subscriptions_of_all_companies_are_one_list() {
    let visit = Visit::<ByNumber>::to(MANY).await;
    let (mut ids, mut number) = (BTreeSet::new(), Some("0".to_owned()));
    while let Some(asked) = number {
        let (_, page) = told(&visit.sim, &format!("{SUBSCRIPTIONS}?size=200&page={asked}")).await;
        ids.extend(texts(&page["content"], "id"));
        number = ByNumber::next(&page, 0, 0);
    }
    let held = visit.sim.customers();
    let held: BTreeSet<_> = held.iter().flat_map(|company| &company.subscriptions).map(|one| one.id.clone()).collect();
    assert_eq!(ids, held);
    assert!(held.len() > MANY);
}

#[tokio::test]
async fn a_deleted_company_takes_its_subscriptions_along() {
    let mut companies = companies(2);
    companies[0].subscriptions.push(office("s1", 5));
    companies[1].subscriptions.push(office("s2", 7));
    let pax8 = Pax8::start(companies).await.unwrap();
    pax8.change(Change::Delete("c1".to_owned())).unwrap();
    assert_eq!(texts(&told(&pax8, SUBSCRIPTIONS).await.1["content"], "companyId"), ["c2"]);
}

#[tokio::test]
async fn subscriptions_are_picked_and_put_in_the_order_that_is_asked_for() {
    let mut companies = companies(2);
    let trial = Subscription { status: "Trial".to_owned(), start: date(2026, 3, 1), ..office("s2", 9) };
    companies[0].subscriptions = vec![office("s1", 5), trial];
    companies[1].subscriptions = vec![Subscription { start: date(2026, 2, 1), ..office("s3", 7) }];
    let pax8 = Pax8::start(companies).await.unwrap();
    for (query, ids) in [
        ("", &["s2", "s3", "s1"][..]),
        ("?sort=createdDate,asc", &["s1", "s3", "s2"]),
        ("?sort=quantity,desc", &["s2", "s3", "s1"]),
        ("?companyId=c2", &["s3"]),
        ("?status=Active&sort=quantity,asc", &["s1", "s3"]),
        ("?productId=another", &[]),
    ] {
        assert_eq!(texts(&told(&pax8, &format!("{SUBSCRIPTIONS}{query}")).await.1["content"], "id"), ids, "{query}");
    }
    assert_eq!(told(&pax8, &format!("{SUBSCRIPTIONS}?sort=status,asc")).await.0, 400);
}

#[tokio::test]
async fn who_says_a_wrong_thing_gets_no_token_and_without_one_nothing_is_told() {
    let pax8 = Pax8::start(companies(1)).await.unwrap();
    for (wrong, status) in [
        (json!({ "client_secret": "another" }), 401),
        (json!({ "client_id": "another" }), 401),
        (json!({ "audience": "https://another.example" }), 403),
        (json!({ "audience": null }), 400),
        (json!({ "grant_type": "password" }), 400),
    ] {
        assert_eq!(read(log_in(&pax8.base(), wrong.clone())).await.0, status, "{wrong}");
    }
    for path in [COMPANIES, SUBSCRIPTIONS] {
        assert_eq!(told_to("another", &pax8, path).await.0, 401);
        assert_eq!(read(Client::new().get(format!("{}{path}", pax8.base()))).await.0, 401);
        assert_eq!(told(&pax8, path).await.0, 200);
    }
    assert!(!format!("{pax8:?}").contains(SAMPLE_CLIENT_SECRET));
}

#[tokio::test]
async fn a_token_is_good_for_a_day() {
    let (clock, hand) = Clock::by_hand(Timestamp::UNIX_EPOCH);
    let pax8 = Pax8::setup(companies(1)).clock(clock).start().await.unwrap();
    let token = token(&pax8.base()).await;
    hand.advance(SignedDuration::from_secs(86_399));
    assert_eq!(told_to(&token, &pax8, COMPANIES).await.0, 200);
    hand.advance(SignedDuration::from_secs(1));
    assert_eq!(told_to(&token, &pax8, COMPANIES).await.0, 401);
}
