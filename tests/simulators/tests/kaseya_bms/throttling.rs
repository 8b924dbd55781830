//! The hourly limit of each endpoint.

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use simulators::clock::Clock;
use simulators::kaseya_bms::{Limits, Route};

use crate::support::*;

#[tokio::test]
async fn each_endpoint_has_its_own_hour() {
    let (clock, hand) = Clock::by_hand(Timestamp::UNIX_EPOCH);
    let sim = setup(tenant()).clock(clock).limits(Limits { token_life_s: 86_400, ..Limits::default() });
    let sim = sim.start().await.unwrap();
    let token = token(&sim).await;
    let ask = async |path: &str| call(&sim, &token, Method::GET, path).send().await.unwrap();
    sim.use_requests(Route::Service, 1_499);
    assert_eq!(ask("/v2/admin/finance/services/5").await.status(), 200);
    let refused = ask("/v2/admin/finance/services/6").await;
    assert_eq!((refused.status().as_u16(), refused.headers().get("retry-after")), (429, None));
    assert_eq!(ask("/v2/admin/finance/services/lookup").await.status(), 200, "another template");
    sim.switch(|switches| (switches.throttled_status, switches.retry_after_s) = (403, Some(7)));
    let refused = ask("/v2/admin/finance/services/5").await;
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (403, &"7".parse().unwrap()));
    hand.advance(SignedDuration::from_mins(60));
    assert_eq!(ask("/v2/admin/finance/services/5").await.status(), 200);
    assert_eq!(sim.count(Route::Service), 4);
}

#[tokio::test]
async fn the_limit_can_be_set_and_holds_for_log_ins_too() {
    let sim = setup(tenant()).limits(Limits { requests_per_hour: 1, ..Limits::default() }).start().await.unwrap();
    token(&sim).await;
    let (status, body) = log_in_as(&sim, "x", "y").await;
    assert_eq!((status, &body["success"]), (429, &false.into()));
    assert_eq!(sim.login_attempts().len(), 1);
}
