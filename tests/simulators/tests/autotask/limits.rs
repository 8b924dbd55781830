//! The hourly threshold and the thread limit.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::json;
use simulators::autotask::{ApiUser, Autotask, Entity, Excess, Limits};
use simulators::clock::Clock;

use crate::support::*;

const TOO_MANY_THREADS: &str = "The Autotask API thread threshold of 3 threads has been exceeded.";

async fn statuses(sim: &Autotask, calls: &[(&ApiUser, &str)]) -> Vec<u16> {
    let started: Vec<_> =
        calls.iter().map(|(user, path)| tokio::spawn(call(sim, user, Method::GET, path).send())).collect();
    let mut found = Vec::new();
    for request in started {
        found.push(request.await.unwrap().unwrap().status().as_u16());
    }
    found.sort_unstable();
    found
}

#[tokio::test]
async fn a_fourth_thread_on_one_entity_is_refused_whoever_shares_the_code() {
    let first = ApiUser::full();
    let second = first.clone().named("second", "s");
    let stranger = ApiUser::new("third", "s", "ANOTHERCODE");
    let sim = setup(tenant()).user(first.clone()).user(second.clone()).user(stranger.clone()).start().await.unwrap();
    sim.set_delay(Duration::from_millis(50));
    let contracts = "/Contracts/42";
    let same =
        [(&first, contracts), (&second, contracts), (&first, contracts), (&first, "/Contracts/entityInformation")];
    assert_eq!(statuses(&sim, &same).await, [200, 200, 200, 429]);
    assert_eq!(sim.max_in_flight(Entity::Contracts), 3);
    sim.reset_counts();
    let apart = [
        (&first, contracts),
        (&first, contracts),
        (&second, contracts),
        (&stranger, contracts),
        (&first, "/Services/5"),
    ];
    assert_eq!(statuses(&sim, &apart).await, [200; 5]);
    assert_eq!(sim.max_in_flight(Entity::Contracts), 4);
    assert_eq!(sim.max_in_flight(Entity::Services), 1);
}

#[tokio::test]
async fn the_refusal_of_a_thread_may_come_as_a_500_with_its_text() {
    let sim = start(tenant()).await;
    sim.switch(|switches| switches.over_threads = Excess::ServerError);
    sim.set_limits(Limits { threads: 0, ..Limits::default() });
    let text = TOO_MANY_THREADS.replace('3', "0");
    assert_eq!(get(&sim, "/Contracts/42").await, (500, errors(&text)));
}

#[tokio::test]
async fn threshold_information_counts_itself_and_zone_information_nothing() {
    let sim = start(tenant()).await;
    sim.use_threshold(100);
    let zone = format!("{}/atservicesrest/v1.0/zoneInformation?user={}", sim.base(), sim.users()[0].username());
    http().get(zone).send().await.unwrap();
    get(&sim, "/Companies/1001").await;
    let expected = json!({"externalRequestThreshold": 10_000, "requestThresholdTimeframe": 60, "currentTimeframeRequestCount": 102});
    assert_eq!(get(&sim, "/ThresholdInformation").await, (200, expected));
}

#[tokio::test]
async fn over_the_threshold_the_whole_tenant_waits_until_the_hour_has_rolled_on() {
    let (clock, hand) = Clock::by_hand(Timestamp::UNIX_EPOCH);
    let sim = setup(tenant()).clock(clock).start().await.unwrap();
    sim.use_threshold(9_999);
    assert_eq!(get(&sim, "/Companies/1001").await.0, 200);
    let refused = call(&sim, &sim.users()[0], Method::GET, "/Companies/1001").send().await.unwrap();
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &"60".parse().unwrap()));
    sim.switch(|switches| switches.over_threshold = Excess::ServerError);
    assert_eq!(get(&sim, "/Companies/1001").await.0, 500);
    hand.advance(SignedDuration::from_mins(59));
    assert_eq!(get(&sim, "/Companies/1001").await.0, 500);
    hand.advance(SignedDuration::from_mins(1));
    assert_eq!(get(&sim, "/Companies/1001").await.0, 200);
}
