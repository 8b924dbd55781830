//! Huntress: tokens, keys with and without a right, usages that are told of one organization at a time.

use jiff::Timestamp;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use simulators::Huntress;
use simulators::huntress::{Api, ApiKey, Counts, Organization, Route, SAMPLE_KEY, SAMPLE_SECRET};
use simulators::vendor::Change;
use url::Url;

use crate::support::{Walker, address, read, texts};

struct ByToken;

impl Walker for ByToken {
    type Api = Api;
    const LIST: Route = Route::Organizations;
    const SKIPS: bool = false;

    async fn enter(_http: &Client, _base: &str) -> Self {
        Self
    }

    fn page(&self, http: &Client, base: &str, rows: Option<&str>, next: Option<&str>) -> RequestBuilder {
        get(http, address(base, "/v1/organizations", &[("limit", rows), ("page_token", next)]), SAMPLE_SECRET)
    }

    fn ids(page: &Value) -> Vec<String> {
        texts(&page["organizations"], "id")
    }

    fn next(page: &Value, _pages: usize, _rows: usize) -> Option<String> {
        page["pagination"]["next_page_token"].as_str().map(str::to_owned)
    }
}

keeps_the_contract!(ByToken);

fn get(http: &Client, address: Url, secret: &str) -> RequestBuilder {
    http.get(address).basic_auth(SAMPLE_KEY, Some(secret))
}

/// Ids rise and names fall.
fn organizations(number: i64) -> impl Iterator<Item = Organization> {
    (1..=number).map(|id| Organization::new(id, format!("Customer {}", 100 - id)))
}

async fn told(huntress: &Huntress, path: &str) -> (u16, Value) {
    read(get(&Client::new(), address(&huntress.base(), path, &[]), SAMPLE_SECRET)).await
}

fn ids(page: &Value) -> Vec<i64> {
    page["organizations"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

fn token(page: &Value) -> &str {
    page["pagination"]["next_page_token"].as_str().unwrap()
}

#[tokio::test]
async fn the_newest_come_first_unless_another_order_is_asked_for() {
    let huntress = Huntress::start(organizations(25)).await.unwrap();
    let (_, first) = told(&huntress, "/v1/organizations").await;
    assert_eq!(ids(&first), (16..=25).rev().collect::<Vec<_>>());
    assert!(first["pagination"]["next_page_url"].as_str().unwrap().ends_with("&limit=10"));
    for field in ["id", "created_at", "updated_at", "name", "key"] {
        for direction in ["asc", "desc"] {
            let list = format!("/v1/organizations?limit=20&sort_field={field}&sort_direction={direction}");
            let (_, first) = told(&huntress, &list).await;
            let (_, last) = told(&huntress, &format!("{list}&page_token={}", token(&first))).await;
            assert_eq!(last["pagination"], json!({}), "{list}");
            let mut found = [ids(&first), ids(&last)].concat();
            assert_eq!(found[0] < found[1], (direction == "asc") != (field == "name"), "{list}: {found:?}");
            found.sort_unstable();
            assert_eq!(found, (1..=25).collect::<Vec<_>>(), "{list}");
        }
    }
}

#[tokio::test]
async fn what_no_request_can_mean_is_refused() {
    let huntress = Huntress::start(organizations(25)).await.unwrap();
    let (_, first) = told(&huntress, "/v1/organizations").await;
    let in_another_order = format!("page_token={}&sort_direction=asc", token(&first));
    for query in [
        "limit=0",
        "limit=501",
        "limit=many",
        "sort_field=agents_count",
        "sort_direction=up",
        "page_token=2",
        &in_another_order,
    ] {
        assert_eq!(told(&huntress, &format!("/v1/organizations?{query}")).await.0, 400, "{query}");
    }
    assert_eq!(told(&huntress, "/v1/organizations/acme").await.0, 400);
    assert_eq!(told(&huntress, "/v1/organizations/7/agents").await.0, 404);
    assert_eq!(read(Client::new().delete(format!("{}/v1/organizations/7", huntress.base()))).await.0, 405);
}

#[tokio::test]
async fn a_wrong_secret_opens_nothing_and_a_key_without_the_right_the_account_alone() {
    let api = Api::of([ApiKey::sample().without_organizations()]);
    let huntress = Huntress::setup(organizations(1)).api(api).start().await.unwrap();
    assert_eq!(told(&huntress, "/v1/account").await.0, 200);
    assert_eq!(told(&huntress, "/v1/organizations").await.0, 403);
    assert_eq!(told(&huntress, "/v1/organizations/1").await.0, 403);
    let stranger = get(&Client::new(), address(&huntress.base(), "/v1/account", &[]), "another");
    assert_eq!(read(stranger).await.0, 401);
    assert!(!format!("{huntress:?}").contains(SAMPLE_SECRET));
}

#[tokio::test]
async fn the_sixty_first_request_of_the_account_is_one_too_many() {
    let huntress = Huntress::setup(organizations(1)).clock(simulators::Clock::stopped(Timestamp::UNIX_EPOCH));
    let huntress = huntress.start().await.unwrap();
    for _ in 0..30 {
        assert_eq!(told(&huntress, "/v1/account").await.0, 200);
        assert_eq!(told(&huntress, "/v1/organizations").await.0, 200);
    }
    assert_eq!(told(&huntress, "/v1/organizations/1").await.0, 429);
    assert_eq!(huntress.requests().last().unwrap().status, Some(429));
}

#[tokio::test]
async fn the_usages_of_an_organization_can_be_left_out_and_one_that_is_gone_is_not_found() {
    let huntress = Huntress::start(organizations(2)).await.unwrap();
    let counts = Counts { agents: 4, billable_agents: 3, ..Counts::default() };
    huntress.change(Change::Count { id: 1, counts }).unwrap();
    let (_, detail) = told(&huntress, "/v1/organizations/1").await;
    assert_eq!(detail["organization"]["agents_count"], 4);
    assert_eq!(detail["organization"]["actual_usages"]["edr"]["billable_agents_count"], 3);
    huntress.switch(|switches| switches.own.leaves_usages_out = true);
    let (_, detail) = told(&huntress, "/v1/organizations/1").await;
    assert_eq!((&detail["organization"]["id"], detail["organization"].get("actual_usages")), (&json!(1), None));
    huntress.change(Change::Delete(1)).unwrap();
    assert_eq!(told(&huntress, "/v1/organizations/1").await.0, 404);
    assert!(huntress.change(Change::Delete(1)).is_err());
}
