//! Tokens: gained once, shared, renewed before they end, renewed once where BMS turns one away.

use jiff::SignedDuration;
use shared::psa::{Connector as _, Kind};
use simulators::kaseya_bms::{BmsUser, Fault, Limits, Route, Switches, When, security_error};

use crate::{Stage, all, credentials_of, one_line};

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

#[tokio::test]
async fn one_log_in_serves_all_calls_at_once_and_all_connectors_of_the_credentials() {
    let stage = Stage::of(one_line()).await;
    stage.simulator.set_delay(std::time::Duration::from_millis(20));
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let connector = stage.open();
        let clone = connector.clone();
        calls.spawn(async move { connector.accounts(&all()).await.map(|page| page.items.len()) });
        calls.spawn(async move { clone.services(&all()).await.map(|page| page.items.len()) });
    }
    for answer in calls.join_all().await {
        assert_eq!(answer.unwrap(), 1);
    }
    assert_eq!(stage.simulator.count(Route::Authenticate), 1);
    assert_eq!(stage.simulator.count(Route::RefreshToken), 0);
}

#[tokio::test]
async fn a_token_is_refreshed_before_it_ends_and_the_password_is_not_sent_again() {
    let stage = Stage::of(one_line()).await;
    let connector = stage.open();
    for (wait, refreshed) in [(0, 0), (57, 0), (1, 1), (57, 1), (1, 2)] {
        stage.later(minutes(wait));
        connector.accounts(&all()).await.unwrap();
        assert_eq!(stage.simulator.count(Route::RefreshToken), refreshed, "{wait}");
    }
    assert_eq!(stage.simulator.count(Route::Authenticate), 1);
    assert!(stage.simulator.requests().iter().all(|asked| asked.status == Some(200)), "no token was ever turned away");
}

#[tokio::test]
async fn a_token_whose_end_is_told_by_another_clock_is_used_all_the_same() {
    for stamp_offset_minutes in [-600, -60, -59, 0, 60, 600] {
        let switches = Switches { stamp_offset_minutes, ..Switches::default() };
        let stage = Stage::with(one_line(), switches, Limits::default()).await;
        let connector = stage.open();
        for _ in 0..12 {
            for _ in 0..2 {
                connector.accounts(&all()).await.unwrap();
            }
            stage.later(minutes(15));
        }
        // Every 15 minutes at most, and never by password: refreshing works.
        assert_eq!(stage.simulator.count(Route::Authenticate), 1, "{stamp_offset_minutes}");
        assert!(stage.simulator.count(Route::RefreshToken) <= 11, "{stamp_offset_minutes}");
    }
}

#[tokio::test]
async fn where_refreshing_is_refused_the_password_is_sent_once() {
    let stage = Stage::of(one_line()).await;
    let connector = stage.open();
    connector.accounts(&all()).await.unwrap();
    // The refresh token has ended too.
    stage.later(minutes(24 * 60));
    connector.accounts(&all()).await.unwrap();
    assert_eq!((stage.simulator.count(Route::Authenticate), stage.simulator.count(Route::RefreshToken)), (2, 0));

    stage.simulator.plan_fault(When::EveryRequest(Route::RefreshToken), security_error());
    stage.later(minutes(59));
    connector.accounts(&all()).await.unwrap();
    assert_eq!((stage.simulator.count(Route::Authenticate), stage.simulator.count(Route::RefreshToken)), (3, 1));
}

#[tokio::test]
async fn while_bms_can_not_renew_a_token_that_is_still_good_goes_on() {
    let stage = Stage::of(one_line()).await;
    let connector = stage.open();
    connector.accounts(&all()).await.unwrap();
    for route in [Route::RefreshToken, Route::Authenticate] {
        stage.simulator.plan_fault(When::EveryRequest(route), Fault::answer(503, ""));
    }
    stage.later(minutes(58));
    for _ in 0..8 {
        connector.accounts(&all()).await.unwrap();
    }
    // The first, and no more than three since.
    assert_eq!(stage.simulator.count(Route::Authenticate), 4);
    stage.later(minutes(2));
    assert_eq!(connector.accounts(&all()).await.unwrap_err().kind, Kind::Unavailable);
}

#[tokio::test]
async fn a_token_turned_away_is_renewed_once_for_all_who_met_it() {
    let stage = Stage::of(one_line()).await;
    let connector = stage.open();
    connector.accounts(&all()).await.unwrap();
    stage.simulator.expire_tokens();
    stage.simulator.reset_counts();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let connector = connector.clone();
        calls.spawn(async move { connector.accounts(&all()).await.is_ok() });
    }
    assert_eq!(calls.join_all().await, [true; 3]);
    assert_eq!((stage.simulator.count(Route::Authenticate), stage.simulator.count(Route::RefreshToken)), (0, 1));
}

#[tokio::test]
async fn a_call_that_is_turned_away_again_is_not_made_a_third_time() {
    let stage = Stage::of(one_line()).await;
    stage.simulator.plan_fault(When::EveryRequest(Route::AccountsSummary), security_error());
    let connector = stage.open();
    let error = connector.accounts(&all()).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (Kind::Auth, "psa_permission_missing"));
    assert!(!error.refuses_log_in(), "the log-in itself was taken a moment ago");
    assert_eq!(stage.simulator.count(Route::AccountsSummary), 2);
    assert_eq!((stage.simulator.count(Route::Authenticate), stage.simulator.count(Route::RefreshToken)), (1, 1));
}

#[tokio::test]
async fn a_password_that_changed_while_the_token_was_good_is_refused_once_it_ends() {
    let stage = Stage::of(one_line()).await;
    let connector = stage.open();
    connector.accounts(&all()).await.unwrap();
    stage.simulator.change_password("tallyline.api", "another");
    stage.simulator.plan_fault(When::EveryRequest(Route::RefreshToken), security_error());
    stage.simulator.expire_tokens();
    for _ in 0..6 {
        assert!(connector.accounts(&all()).await.unwrap_err().refuses_log_in());
    }
    assert_eq!(stage.simulator.standing("tallyline.api").failures_in_a_row, 1);
}

async fn employee(switches: Switches) -> (Stage, shared::psa::kaseya_bms::KaseyaBmsConnector) {
    let stage = Stage::with(one_line(), switches, Limits::default()).await;
    let credentials = credentials_of(&stage.simulator, &BmsUser::employee());
    let connector = stage.open_as(credentials);
    (stage, connector)
}

#[tokio::test]
async fn a_user_with_an_authenticator_sends_its_code_and_each_code_once() {
    let (stage, connector) = employee(Switches { refuses_reused_codes: true, ..Switches::default() }).await;
    connector.accounts(&all()).await.unwrap();
    stage.simulator.plan_fault(When::EveryRequest(Route::RefreshToken), security_error());
    stage.simulator.expire_tokens();
    let error = connector.accounts(&all()).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (Kind::Unavailable, "psa_one_time_code_used"));
    assert_eq!(error.retry_after_s, Some(30));
    assert_eq!(stage.simulator.login_attempts().len(), 1);
    stage.later(SignedDuration::from_secs(30));
    connector.accounts(&all()).await.unwrap();
    assert!(stage.simulator.login_attempts().iter().all(|attempt| attempt.succeeded));
}

#[tokio::test]
async fn an_employee_without_the_authenticators_secret_is_refused_once() {
    let stage = Stage::of(one_line()).await;
    let mut credentials = credentials_of(&stage.simulator, &BmsUser::employee());
    credentials.totp_secret = None;
    for _ in 0..6 {
        assert!(stage.open_as(credentials.clone()).accounts(&all()).await.unwrap_err().refuses_log_in());
    }
    assert_eq!(stage.simulator.login_attempts().len(), 1);
}

#[tokio::test]
async fn discovery_names_region_and_tenant() {
    let stage = Stage::of(one_line()).await;
    for (hostname, tenant, base_url) in [
        ("bms.kaseya.com", "api.bms.kaseya.com:4711", "https://api.bms.kaseya.com"),
        ("https://bmsemea.kaseya.com/", "api.bmsemea.kaseya.com:4711", "https://api.bmsemea.kaseya.com"),
        ("api.bms.kaseya.com", "api.bms.kaseya.com:4711", "https://api.bms.kaseya.com"),
        ("vorexlogin.com", "api.vorexlogin.com:4711", "https://api.vorexlogin.com"),
        ("vorexlogin.kaseya.com", "api.vorexlogin.com:4711", "https://api.vorexlogin.kaseya.com"),
    ] {
        let mut credentials = stage.credentials();
        credentials.hostname = hostname.into();
        let endpoint = stage.bms.discover(&credentials).await.unwrap();
        assert_eq!((endpoint.tenant.as_str(), endpoint.base_url.as_str()), (tenant, base_url));
    }
}
