//! Whether a user may do what a sync does.

use serde_json::json;
use shared::psa::{Allowance, Connector as _, Kind, Right};

use crate::open;
use crate::responder::{Reply, Responder, last_page, ok, status};

const NOT_PERMITTED: &str =
    r#"{"errors":["The logged in Resource does not have the adequate permissions to query this entity type."]}"#;

async fn rights(
    answer: impl Fn(&str) -> Option<Reply> + Send + Sync + 'static,
) -> (Responder, Result<Vec<Right>, shared::psa::PsaError>) {
    let psa = Responder::start(move |seen| {
        answer(&seen.path).unwrap_or_else(|| match seen.path.ends_with("/entityInformation") {
            true => {
                ok(&json!({"info": {"name": "ContractServiceAdjustment", "canCreate": true, "userAccessForCreate": 1}}))
            }
            false => last_page(&json!([{"id": 1}])),
        })
    })
    .await;
    let rights = open(&psa.base).rights().await;
    (psa, rights)
}

fn missing(rights: &[Right]) -> Vec<&str> {
    rights.iter().filter(|right| right.missing.is_some()).map(|right| right.name.as_str()).collect()
}

#[tokio::test]
async fn each_right_is_tried_once_in_turn_and_nothing_is_written() {
    let (psa, rights) = rights(|_| None).await;
    assert!(missing(&rights.unwrap()).is_empty());
    let paths: Vec<_> = psa.seen().iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect();
    assert_eq!(
        paths,
        [
            "POST /v1.0/Companies/query",
            "POST /v1.0/Contracts/query",
            "POST /v1.0/Services/query",
            "POST /v1.0/ContractServices/query",
            "POST /v1.0/ContractServiceUnits/query",
            "GET /v1.0/ContractServiceAdjustments/entityInformation",
        ]
    );
    assert!(psa.seen()[..5].iter().all(|seen| seen.body["MaxRecords"] == 1));
    assert_eq!(psa.at_once(), 1);
}

#[tokio::test]
async fn a_missing_right_is_named_and_the_others_are_still_tried() {
    let (_, rights) = rights(|path| path.contains("/ContractServiceUnits/").then(|| status(500, NOT_PERMITTED))).await;
    let rights = rights.unwrap();
    assert_eq!((rights.len(), missing(&rights)), (6, vec!["read the units of contract services"]));
    let said = rights[4].missing.as_ref().unwrap();
    assert_eq!((said.kind, said.code.as_str()), (Kind::Auth, "psa_permission_missing"));
}

#[tokio::test]
async fn a_user_who_may_not_adjust_is_told_before_the_first_write() {
    for info in [json!({"canCreate": false}), json!({"canCreate": true, "userAccessForCreate": 0})] {
        let (_, rights) =
            rights(move |path| path.ends_with("/entityInformation").then(|| ok(&json!({"info": info})))).await;
        assert_eq!(missing(&rights.unwrap()), ["change the units of contract services"]);
    }
    for code in [404, 405] {
        let (_, rights) = rights(move |path| path.ends_with("/entityInformation").then(|| status(code, ""))).await;
        assert!(missing(&rights.unwrap()).is_empty(), "a missing description is no missing right");
    }
}

#[tokio::test]
async fn a_refused_log_in_ends_it_at_once() {
    for (code, body, name) in [
        (401, "", "psa_credentials_rejected"),
        (500, r#"{"errors":["IntegrationCode is invalid"]}"#, "psa_integration_code_rejected"),
        (503, "", "psa_unavailable"),
    ] {
        let (psa, rights) = rights(move |_| Some(status(code, body))).await;
        assert_eq!((rights.unwrap_err().code.as_str(), psa.seen().len()), (name, 1));
    }
}

#[tokio::test]
async fn the_allowance_is_autotasks_own_count() {
    let psa = Responder::start(|_| ok(&json!({"externalRequestThreshold": 10000, "requestThresholdTimeframe": 60, "currentTimeframeRequestCount": 124}))).await;
    assert_eq!(open(&psa.base).allowance().await.unwrap(), Allowance { limit: 10_000, used: 124, window_minutes: 60 });
    assert_eq!((psa.seen()[0].method.as_str(), psa.seen()[0].path.as_str()), ("GET", "/v1.0/ThresholdInformation"));

    let psa = Responder::start(|_| ok(&json!({"externalRequestThreshold": null}))).await;
    assert_eq!(open(&psa.base).allowance().await.unwrap_err().kind, Kind::Protocol);
}
