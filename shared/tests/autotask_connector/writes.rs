//! The one write: what is sent, and what each failure says about money.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use jiff::civil::date;
use serde_json::json;
use shared::domain::units::Units;
use shared::psa::{Connector as _, UnitsChange, WriteError};

use crate::responder::{Broken, Responder, broken, ok, status};
use crate::{QUICK, open, open_with, user};

pub fn change() -> UnitsChange {
    let (before, target): (Units, Units) = (45.try_into().unwrap(), 42.try_into().unwrap());
    UnitsChange {
        contract: "29".parse().unwrap(),
        service: "7".parse().unwrap(),
        contract_service: "9001".parse().unwrap(),
        effective: date(2026, 11, 1),
        before,
        target,
        delta: before.delta_to(target),
        prices: None,
    }
}

#[tokio::test]
async fn a_change_names_the_service_on_the_contract_the_day_the_delta_and_nothing_else() {
    let psa = Responder::start(|_| ok(&json!({"itemId": null}))).await;
    let connector = open(&psa.base);
    connector.change_units(&change()).await.unwrap();

    let [seen] = &psa.seen()[..] else { panic!("one request") };
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("POST", "/v1.0/ContractServiceAdjustments"));
    assert_eq!(seen.body, json!({"contractServiceID": 9001, "effectiveDate": "2026-11-01T00:00:00", "unitChange": -3}));
    assert_eq!(seen.headers["username"], user().username);
    assert_eq!(
        (&seen.headers["secret"], &seen.headers["apiintegrationcode"]),
        (&"canary-secret".parse().unwrap(), &"CANARYCODE".parse().unwrap())
    );
    assert_eq!(seen.headers["content-type"], "application/json");
    assert_eq!(connector.requests_made(), 1);
}

#[tokio::test]
async fn where_no_connection_comes_about_nothing_was_sent() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let plain = Responder::start(|_| ok(&json!({}))).await;
    for base in [format!("http://{unused}"), plain.base.replace("http:", "https:")] {
        let Err(WriteError::NotSent(error)) = open(&base).change_units(&change()).await else { panic!("{base}") };
        assert_eq!(error.code, "psa_unreachable");
    }
    assert!(plain.seen().is_empty());
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_unknown_and_is_not_sent_again() {
    for (how, code) in [
        (Broken::Closes, "psa_connection_lost"),
        (Broken::ReadsAndCloses, "psa_connection_lost"),
        (Broken::Hangs, "psa_timed_out"),
        (Broken::AnswersHalf, "psa_connection_lost"),
    ] {
        let (base, taken) = broken(how);
        let settings = if matches!(how, Broken::Hangs) { QUICK } else { Default::default() };
        let result = open_with(&base, settings).change_units(&change()).await;
        let Err(WriteError::Unknown(error)) = result else { panic!("{how:?}: {result:?}") };
        assert_eq!((error.code.as_str(), taken.load(Ordering::SeqCst)), (code, 1), "{how:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Responder::start(|_| ok(&json!({"itemId": 1}))).await;
    let target = elsewhere.base.clone();
    for code in [301, 302, 303, 307, 308] {
        let target = target.clone();
        let psa = Responder::start(move |_| (code, vec![("location", target.clone())], String::new())).await;
        let Err(WriteError::Rejected(error)) = open(&psa.base).change_units(&change()).await else { panic!("{code}") };
        assert_eq!((error.code.as_str(), psa.seen().len()), ("psa_redirected", 1));
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_refusal_is_explained_and_a_doubt_is_kept() {
    let refused = r#"{"errors":["Attempt to insert duplicate data into contract_service_period"]}"#;
    for (code, body, unknown, name) in [
        (500, refused, false, "effective_date_already_adjusted"),
        (401, "", false, "psa_credentials_rejected"),
        (429, "", false, "psa_rate_limited"),
        (500, r#"{"errors":["Something happened."]}"#, true, "psa_error_unrecognised"),
        (503, "<html>", true, "psa_unavailable"),
        (200, "<html>", true, "psa_write_answer_unreadable"),
    ] {
        let psa = Responder::start(move |_| status(code, body)).await;
        let error = open(&psa.base).change_units(&change()).await.unwrap_err();
        assert_eq!(matches!(error, WriteError::Unknown(_)), unknown, "{code} {body}");
        assert_eq!(matches!(error, WriteError::Rejected(_)), !unknown, "{code} {body}");
        assert_eq!((error.error().code.as_str(), psa.seen().len()), (name, 1));
    }
}

#[tokio::test]
async fn a_success_longer_than_any_answer_is_unknown() {
    let psa = Responder::start(|_| status(200, &" ".repeat(17 * 1024 * 1024))).await;
    assert!(matches!(open(&psa.base).change_units(&change()).await, Err(WriteError::Unknown(_))));
}

#[tokio::test]
async fn writes_go_one_at_a_time_and_each_over_a_connection_of_its_own() {
    let psa = Responder::start(|_| ok(&json!({"itemId": null}))).await;
    let connector = open(&psa.base);
    let change = change();
    let send = || connector.change_units(&change);
    let results = tokio::join!(send(), send(), send(), send());
    assert!(matches!(results, (Ok(()), Ok(()), Ok(()), Ok(()))));
    let connections: BTreeSet<_> = psa.seen().iter().map(|seen| seen.peer).collect();
    assert_eq!((psa.seen().len(), psa.at_once(), connections.len()), (4, 1, 4));
}

#[tokio::test]
async fn a_service_that_autotask_can_not_have_is_refused_here() {
    let psa = Responder::start(|_| ok(&json!({"itemId": null}))).await;
    let change = UnitsChange { contract_service: "abc".parse().unwrap(), ..change() };
    assert!(matches!(open(&psa.base).change_units(&change).await, Err(WriteError::Rejected(_))));
    assert!(psa.seen().is_empty());
}
