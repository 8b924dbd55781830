//! What a client meets on the wire.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;

fn account(organizations: i64) -> Account {
    Account::of("Nordwind IT", (1..=organizations).map(|id| Organization::new(id, format!("Customer {id}"))))
}

/// A client with the secret of `key`.
struct Caller {
    http: reqwest::Client,
    base: String,
    secret: &'static str,
}

impl Caller {
    fn of(huntress: &Huntress) -> Self {
        Self { http: reqwest::Client::new(), base: huntress.base(), secret: SAMPLE_SECRET }
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let request = self.http.get(format!("{}{path}", self.base)).basic_auth(SAMPLE_KEY, Some(self.secret));
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }
}

#[tokio::test]
async fn every_organization_of_a_large_account_is_reached_by_tokens() {
    let clock = Clock::stopped(Timestamp::UNIX_EPOCH);
    let seed = seed::Seed { companies: seed::MANY, seed: 1, now: clock.now() };
    let huntress = Huntress::setup(seed.build()).clock(clock).start().await.unwrap();
    let (caller, mut names, mut token) = (Caller::of(&huntress), BTreeSet::new(), String::new());
    loop {
        let (status, page) = caller.get(&format!("/v1/organizations?limit=500&page_token={token}")).await;
        assert_eq!(status, 200);
        names.extend(page["organizations"].as_array().unwrap().iter().map(|row| row["name"].to_string()));
        let Some(next) = page["pagination"]["next_page_token"].as_str() else { break };
        next.clone_into(&mut token);
    }
    assert_eq!((names.len(), huntress.count(Route::Organizations)), (seed::MANY, 3));
}

#[tokio::test]
async fn the_sixty_first_request_of_a_minute_is_turned_away_until_the_first_is_a_minute_old() {
    let (clock, hand) = Clock::by_hand(Timestamp::UNIX_EPOCH);
    let huntress = Huntress::setup(account(1)).clock(clock).start().await.unwrap();
    huntress.switch(|switches| switches.retry_after_s = Some(5));
    let caller = Caller::of(&huntress);
    assert_eq!(caller.get("/v1/account").await.0, 200);
    hand.advance(SignedDuration::from_secs(30));
    huntress.use_requests(59);
    assert_eq!(caller.get("/v1/organizations").await.0, 429);
    hand.advance(SignedDuration::from_secs(29));
    assert_eq!(caller.get("/v1/organizations").await.0, 429);
    hand.advance(SignedDuration::from_secs(1));
    assert_eq!(caller.get("/v1/organizations").await.0, 200);
    assert_eq!(caller.get("/v1/organizations").await.0, 429);
    let answered: Vec<_> = huntress.requests().iter().map(|asked| asked.status).collect();
    assert_eq!(answered, [200, 429, 429, 200, 429].map(Some));
}

#[tokio::test]
async fn a_wrong_secret_opens_nothing_and_a_key_without_the_right_the_account_alone() {
    let key = ApiKey::sample().without_organizations();
    let huntress = Huntress::setup(account(1)).key(key).start().await.unwrap();
    let caller = Caller::of(&huntress);
    assert_eq!(caller.get("/v1/account").await.0, 200);
    assert_eq!(caller.get("/v1/organizations").await.0, 403);
    assert_eq!(caller.get("/v1/organizations/1").await.0, 403);
    let stranger = Caller { secret: "another", ..caller };
    assert_eq!(stranger.get("/v1/account").await.0, 401);
    assert!(!format!("{huntress:?}").contains(SAMPLE_SECRET));
}

#[tokio::test]
async fn a_fault_strikes_the_request_that_it_was_planned_for() {
    let huntress = Huntress::start(account(3)).await.unwrap();
    huntress.plan_fault(When::Request(Route::Organizations, 2), Fault::answer(503, ""));
    let caller = Caller::of(&huntress);
    let mut answered = Vec::new();
    for _ in 0..3 {
        answered.push(caller.get("/v1/organizations").await.0);
        assert_eq!(caller.get("/v1/organizations/2").await.0, 200);
    }
    assert_eq!(answered, [200, 503, 200]);
}

#[tokio::test]
async fn the_usages_of_an_organization_can_be_left_out_and_one_that_is_gone_is_not_found() {
    let huntress = Huntress::start(account(2)).await.unwrap();
    let caller = Caller::of(&huntress);
    let (_, told) = caller.get("/v1/organizations/1").await;
    assert_eq!(told["organization"]["actual_usages"]["edr"]["billable_agents_count"], 0);
    huntress.switch(|switches| switches.leaves_usages_out = true);
    let (_, told) = caller.get("/v1/organizations/1").await;
    assert_eq!(told["organization"].get("actual_usages"), None);
    huntress.change(Change::Delete(1)).unwrap();
    assert_eq!(caller.get("/v1/organizations/1").await.0, 404);
    assert_eq!(huntress.change(Change::Delete(1)), Err(NoSuchOrganization(1)));
}

#[tokio::test]
async fn another_process_can_do_what_the_handle_can() {
    let huntress = Huntress::start(account(2)).await.unwrap();
    let caller = Caller::of(&huntress);
    let post = async |path: &str, body: Value| {
        let request = caller.http.post(format!("{}/__sim/{path}", caller.base)).body(body.to_string());
        request.send().await.unwrap().status().as_u16()
    };
    let added = json!({ "change": { "add": { "id": 9, "name": "Ninth", "counts": { "agents": 4 } } } });
    assert_eq!(post("changes", added).await, 204);
    assert_eq!(post("changes", json!({ "change": { "delete": 77 } })).await, 400);
    assert_eq!(post("changes", json!({ "change": { "delete": 2 }, "after_page": 1 })).await, 204);
    assert_eq!(post("used", json!({ "requests": 58 })).await, 204);
    assert_eq!(caller.get("/v1/organizations/9").await.1["organization"]["agents_count"], 4);
    assert_eq!(caller.get("/v1/organizations").await.1["organizations"].as_array().unwrap().len(), 3);
    assert_eq!(caller.get("/v1/organizations").await.0, 429);
    let ids: Vec<_> = huntress.organizations().iter().map(|organization| organization.id).collect();
    assert_eq!(ids, [1, 9]);
    let (_, counts) = caller.get("/__sim/counts").await;
    assert_eq!(counts[1], json!({ "route": "organizations", "requests": 2 }));
}
