//! The hourly limit, by BMS's count and by our own, and how much is under way at once.

use jiff::SignedDuration;
use shared::psa::kaseya_bms::Template;
use shared::psa::{Connector as _, Kind};
use simulators::kaseya_bms::{Limits, Route, Switches};

use crate::{Stage, all, ids, one_line};

#[tokio::test]
async fn throttling_is_rate_limiting_however_it_is_told_once_the_right_has_shown() {
    for (throttled_status, retry_after_s) in [(429, None), (429, Some(120)), (403, None), (403, Some(120))] {
        let switches = Switches { throttled_status, retry_after_s, ..Switches::default() };
        let stage = Stage::with(one_line(), switches, Limits::default()).await;
        let connector = stage.open();
        connector.accounts(&all()).await.unwrap();
        stage.simulator.use_requests(Route::AccountsSummary, 1_499);
        let error = connector.accounts(&all()).await.unwrap_err();
        assert_eq!((error.kind, error.code.as_str()), (Kind::RateLimited, "psa_rate_limited"), "{throttled_status}");
        assert_eq!(error.retry_after_s, retry_after_s);
        assert_eq!(stage.simulator.count(Route::AccountsSummary), 2, "it is not asked again");
        connector.services(&all()).await.unwrap();
        stage.later(SignedDuration::from_hours(1));
        connector.accounts(&all()).await.unwrap();
    }
}

#[tokio::test]
async fn a_403_to_the_first_request_names_both_its_meanings_unless_a_wait_is_named() {
    for (retry_after_s, kind) in [(None, Kind::Auth), (Some(60), Kind::RateLimited)] {
        let switches = Switches { throttled_status: 403, retry_after_s, ..Switches::default() };
        let stage = Stage::with(one_line(), switches, Limits::default()).await;
        stage.simulator.use_requests(Route::AccountsSummary, 1_500);
        let error = stage.open().accounts(&all()).await.unwrap_err();
        assert_eq!((error.kind, error.refuses_log_in()), (kind, false));
        assert!(error.explanation.contains("hourly"), "{error}");
    }
}

#[tokio::test]
async fn requests_are_counted_by_connector_and_endpoint_and_the_tightest_is_the_allowance() {
    let stage = Stage::of(one_line()).await;
    let (first, second) = (stage.open(), stage.open());
    for _ in 0..3 {
        first.accounts(&all()).await.unwrap();
    }
    second.services(&all()).await.unwrap();
    assert_eq!((first.requests_made(), second.requests_made()), (4, 1));
    assert_eq!(first.clone().requests_by_template()[&Template::AccountsSummary], 3);
    let allowance = first.allowance().await.unwrap();
    assert_eq!((allowance.limit, allowance.used, allowance.window_minutes), (1_500, 3, 60));
    stage.later(SignedDuration::from_hours(1));
    assert_eq!((first.allowance().await.unwrap().used, first.requests_made()), (0, 4));
}

#[tokio::test]
async fn no_more_than_three_requests_are_under_way_at_once() {
    let stage = Stage::of(one_line()).await;
    let connector = stage.open();
    connector.accounts(&all()).await.unwrap();
    stage.simulator.set_delay(std::time::Duration::from_millis(10));
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..9 {
        let connector = connector.clone();
        calls.spawn(async move { connector.contracts_by_id(&ids([29])).await.is_ok() });
    }
    let mut most = 0;
    while !calls.is_empty() {
        most = most.max(stage.simulator.in_flight());
        while let Some(done) = calls.try_join_next() {
            assert!(done.unwrap());
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(most, 3);
}
