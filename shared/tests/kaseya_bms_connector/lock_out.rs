//! Five failed log-ins lock a user for 30 minutes: the connector never comes near.

use jiff::SignedDuration;
use shared::psa::{Connector as _, Kind};
use simulators::kaseya_bms::{BmsUser, Fault, Limits, Right, Route, Switches, When};

use crate::{Stage, all, credentials_of, one_line};

#[tokio::test]
async fn a_refused_log_in_is_never_sent_twice_however_it_is_refused_and_whoever_asks() {
    for refused_login_status in [200, 400, 401, 403] {
        let switches = Switches { refused_login_status, ..Switches::default() };
        let stage = Stage::with(one_line(), switches, Limits::default()).await;
        let mut wrong = stage.credentials();
        wrong.password = "wrong".into();
        for minutes in 0..20 {
            let connector = stage.open_as(wrong.clone());
            let error = connector.accounts(&all()).await.unwrap_err();
            assert_eq!((error.kind, error.code.as_str()), (Kind::Auth, "psa_credentials_rejected"));
            assert!(error.refuses_log_in());
            assert_eq!(connector.requests_made(), u32::from(minutes == 0));
            stage.later(SignedDuration::from_mins(minutes));
        }
        assert_eq!(stage.simulator.login_attempts().len(), 1, "{refused_login_status}");
        assert_eq!(stage.simulator.standing("tallyline.api").failures_in_a_row, 1);
    }
}

#[tokio::test]
async fn other_credentials_of_the_same_user_are_tried() {
    let stage = Stage::of(one_line()).await;
    let mut wrong = stage.credentials();
    wrong.password = "wrong".into();
    stage.open_as(wrong).accounts(&all()).await.unwrap_err();
    stage.open().accounts(&all()).await.unwrap();
    assert_eq!(stage.simulator.login_attempts().len(), 2);
}

#[tokio::test]
async fn a_user_without_api_access_is_refused_once() {
    let user = BmsUser::api_employee().without(Right::ApiAccess);
    let stage = Stage::with_users(one_line(), Switches::default(), Limits::default(), vec![user]).await;
    for _ in 0..3 {
        assert!(stage.open().accounts(&all()).await.unwrap_err().refuses_log_in());
    }
    assert_eq!(stage.simulator.login_attempts().len(), 1);
}

#[tokio::test]
async fn a_person_may_have_a_refusal_forgotten() {
    let stage = Stage::of(one_line()).await;
    let credentials = stage.credentials();
    let read = async || stage.open_as(credentials.clone()).accounts(&all()).await;
    stage.simulator.change_password("tallyline.api", "another");
    read().await.unwrap_err();
    stage.simulator.change_password("tallyline.api", simulators::kaseya_bms::SAMPLE_PASSWORD);
    read().await.unwrap_err();
    stage.open_as(credentials.clone()).asked_in_person().await;
    read().await.unwrap();
    assert_eq!(stage.simulator.login_attempts().len(), 2);
}

#[tokio::test]
async fn people_who_try_again_and_again_do_not_lock_the_user() {
    let stage = Stage::of(one_line()).await;
    let mut wrong = stage.credentials();
    wrong.password = "wrong".into();
    for _ in 0..9 {
        stage.bms.discover(&wrong).await.unwrap_err();
        stage.later(SignedDuration::from_mins(1));
    }
    assert_eq!(stage.simulator.login_attempts().len(), 3);
    assert_eq!(stage.bms.discover(&wrong).await.unwrap_err().code, "psa_log_in_paused");
}

#[tokio::test]
async fn log_ins_without_a_clear_answer_are_three_in_half_an_hour() {
    for fault in [
        Fault::answer(502, "<html>"),
        Fault::answer(200, "<html>maintenance"),
        Fault::answer(404, ""),
        Fault::answer(429, ""),
        Fault::redirect(302, "https://elsewhere.example/"),
        Fault::ResetBefore,
        Fault::ResetAfter,
        Fault::unparsable_after(),
    ] {
        let stage = Stage::of(one_line()).await;
        stage.simulator.plan_fault(When::EveryRequest(Route::Authenticate), fault.clone());
        let mut codes = vec![];
        for _ in 0..6 {
            let error = stage.open().accounts(&all()).await.unwrap_err();
            assert!(!error.refuses_log_in(), "{fault:?} {error}");
            codes.push((error.code, error.retry_after_s));
        }
        assert_eq!(stage.simulator.count(Route::Authenticate), 3, "{fault:?}");
        assert!(codes[..3].iter().all(|(code, _)| code != "psa_log_in_paused"), "{codes:?}");
        assert!(codes[3..].iter().all(|told| *told == ("psa_log_in_paused".into(), Some(1_801))), "{codes:?}");
        stage.simulator.clear_faults();
        stage.later(SignedDuration::from_mins(30));
        stage.open().accounts(&all()).await.unwrap();
    }
}

#[tokio::test]
async fn a_log_in_that_did_not_leave_does_not_count() {
    let stage = Stage::of(one_line()).await;
    stage.simulator.refuse_connections(true).await;
    for _ in 0..6 {
        assert_eq!(stage.open().accounts(&all()).await.unwrap_err().code, "host_unreachable");
    }
    stage.simulator.refuse_connections(false).await;
    stage.open().accounts(&all()).await.unwrap();
}

#[tokio::test]
async fn credentials_that_can_not_be_a_users_are_refused_without_a_request() {
    let stage = Stage::of(one_line()).await;
    let employee = credentials_of(&stage.simulator, &stage.simulator.users()[1]);
    let mut cases = vec![employee; 6];
    cases[0].username = " ".into();
    cases[1].password = "".into();
    cases[2].company_name = "\t".into();
    cases[3].totp_secret = Some("not base32!".into());
    cases[4].hostname = "bms.kaseya.com.evil.example".into();
    cases[5].hostname = "127.0.0.1".into();
    for (case, code) in cases.into_iter().zip([
        "psa_credentials_malformed",
        "psa_credentials_malformed",
        "psa_credentials_malformed",
        "psa_credentials_malformed",
        "host_not_allowed",
        "host_not_allowed",
    ]) {
        let connector = stage.open_as(case);
        assert_eq!(connector.accounts(&all()).await.unwrap_err().code, code);
        assert_eq!(connector.requests_made(), 0);
    }
    assert_eq!(stage.simulator.request_count(), 0);
}
