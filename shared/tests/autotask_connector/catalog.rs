//! Listing and looking up.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::domain::period::PeriodType;
use shared::psa::{CatalogQuery, Connector as _, Kind};

use crate::responder::{Responder, last_page, ok, status};
use crate::{QUICK, open, open_with};

fn conditions(body: &Value) -> Vec<String> {
    let items = body["Filter"][0]["items"].as_array().unwrap();
    items.iter().map(|c| format!("{} {} {}", c["field"], c["op"], c["value"]).replace('"', "")).collect()
}

fn contract(id: i64, kind: i64, status: i64) -> Value {
    json!({"id": id, "companyID": 174, "contractName": "Managed care", "contractType": kind, "contractPeriodType": 2,
        "status": status, "startDate": "2026-01-01T00:00:00Z", "endDate": "2026-12-31T00:00:00Z"})
}

#[tokio::test]
async fn only_active_recurring_contracts_are_offered() {
    let psa = Responder::start(|_| last_page(&json!([contract(31, 7, 1)]))).await;
    let asked = CatalogQuery {
        search: Some(" care ".to_owned()),
        account: Some("174".parse().unwrap()),
        after: Some("30".to_owned()),
        limit: 25,
        ..CatalogQuery::default()
    };
    let page = open(&psa.base).contracts(&asked).await.unwrap();
    assert_eq!(
        (page.items[0].id.as_str(), page.items[0].recurring, page.next),
        ("31", Some(PeriodType::Monthly), None)
    );

    let body = &psa.seen()[0].body;
    assert_eq!(body["MaxRecords"], 25);
    assert_eq!(
        conditions(body),
        ["id gt 30", "contractType eq 7", "status eq 1", "companyID eq 174", "contractName contains care"]
    );
}

#[tokio::test]
async fn a_page_is_never_longer_than_autotask_gives() {
    for (asked, sent) in [(0, 1), (100, 100), (500, 500), (501, 500)] {
        let psa = Responder::start(|_| last_page(&json!([]))).await;
        open(&psa.base).accounts(&CatalogQuery { limit: asked, ..CatalogQuery::default() }).await.unwrap();
        assert_eq!(psa.seen()[0].body["MaxRecords"], sent, "{asked} rows");
    }
}

#[tokio::test]
async fn a_listing_goes_on_where_it_ended() {
    let next = json!({"items": [{"id": 0, "companyName": "Own", "isActive": true}, {"id": 9, "companyName": null, "companyNumber": 17, "isActive": "true"}],
        "pageDetails": {"nextPageUrl": "https://next.example/"}});
    let psa = Responder::start(move |_| ok(&next)).await;
    let connector = open(&psa.base);
    let page = connector.accounts(&CatalogQuery { limit: 2, ..CatalogQuery::default() }).await.unwrap();
    assert_eq!(page.next.as_deref(), Some("9"));
    assert_eq!(
        (page.items[1].name.as_str(), page.items[1].number.as_deref(), page.items[1].active),
        ("", Some("17"), true)
    );
    assert_eq!(conditions(&psa.seen()[0].body), ["id gte 0", "isActive eq true"]);

    let bad = CatalogQuery { after: Some("x".to_owned()), limit: 2, ..CatalogQuery::default() };
    assert_eq!(connector.accounts(&bad).await.unwrap_err().kind, Kind::Validation);
}

#[tokio::test]
async fn services_and_lines_are_listed() {
    let psa = Responder::start(|seen| {
        let services = seen.path.contains("/Services/");
        last_page(&if services {
            json!([{"id": 7, "name": "EDR", "isActive": true}])
        } else {
            json!([{"id": 70, "contractID": 29, "serviceID": 7}])
        })
    })
    .await;
    let connector = open(&psa.base);
    let named = CatalogQuery { search: Some("ED".to_owned()), limit: 10, ..CatalogQuery::default() };
    assert_eq!(connector.services(&named).await.unwrap().items[0].name, "EDR");
    let on_it = CatalogQuery { contract: Some("29".parse().unwrap()), limit: 10, ..CatalogQuery::default() };
    assert_eq!(connector.lines(&on_it).await.unwrap().items[0].contract_service.as_str(), "70");
    assert_eq!(connector.lines(&named).await.unwrap_err().code, "contract_id_missing");
    assert_eq!(conditions(&psa.seen()[0].body), ["id gte 0", "isActive eq true", "name contains ED"]);
    assert_eq!(conditions(&psa.seen()[1].body), ["id gte 0", "contractID eq 29"]);
}

#[tokio::test]
async fn contracts_are_looked_up_by_five_hundred_whatever_their_kind() {
    let psa = Responder::start(|seen| {
        let ids = seen.body["Filter"][0]["items"][1]["value"].as_array().unwrap();
        let rows: Vec<_> =
            ids.iter().map(|id| contract(id.as_i64().unwrap(), 1 + 6 * (id.as_i64().unwrap() % 2), 0)).collect();
        last_page(&json!(rows))
    })
    .await;
    let ids: BTreeSet<_> =
        (1..=1_000).map(|n| n.to_string().parse().unwrap()).chain(["not-a-number".parse().unwrap()]).collect();
    let found = open(&psa.base).contracts_by_id(&ids).await.unwrap();
    assert_eq!((found.len(), psa.seen().len()), (1_000, 2));
    assert_eq!(found.iter().filter(|contract| contract.recurring.is_some()).count(), 500);
    assert!(found.iter().all(|contract| !contract.active));
}

#[tokio::test]
async fn what_may_follow_a_contract_is_asked_for_500_accounts_at_once() {
    let psa = Responder::start(|_| last_page(&json!([]))).await;
    let accounts: BTreeSet<_> = (1..=501).map(|n| n.to_string().parse().unwrap()).collect();
    assert!(open(&psa.base).contracts_of(&accounts, jiff::civil::date(2026, 11, 10)).await.unwrap().is_empty());
    let seen = psa.seen();
    assert_eq!(seen.len(), 2);
    let asked = &seen[1].body;
    assert_eq!(asked["IncludeFields"].as_array().unwrap().last().unwrap(), "renewedContractID");
    assert_eq!(
        asked["Filter"][0]["items"],
        json!([
            {"op": "gte", "field": "id", "value": 0},
            {"op": "eq", "field": "contractType", "value": 7},
            {"op": "in", "field": "companyID", "value": [501]},
            {"op": "gte", "field": "endDate", "value": "2026-11-10T00:00:00"},
        ])
    );
}

#[tokio::test]
async fn a_contract_of_an_account_that_was_not_asked_for_is_an_error() {
    let psa = Responder::start(|_| last_page(&json!([contract(2, 7, 1)]))).await;
    let accounts = BTreeSet::from(["1".parse().unwrap()]);
    let error = open(&psa.base).contracts_of(&accounts, jiff::civil::date(2026, 11, 10)).await.unwrap_err();
    assert!(error.explanation.contains("contract 2 is of an account that was not asked for"), "{error}");
}

#[tokio::test]
async fn a_contract_that_was_not_asked_for_is_an_error() {
    let psa = Responder::start(|_| last_page(&json!([contract(2, 7, 1)]))).await;
    let error = open(&psa.base).contracts_by_id(&BTreeSet::from(["1".parse().unwrap()])).await.unwrap_err();
    assert!(error.explanation.contains("contract 2 was not asked for"), "{error}");
}

#[tokio::test]
async fn a_read_that_fails_is_explained_and_not_repeated() {
    for (code, body, kind, name) in [
        (401, "", Kind::Auth, "psa_credentials_rejected"),
        (500, r#"{"errors":["IntegrationCode is invalid"]}"#, Kind::Auth, "psa_integration_code_rejected"),
        (404, r#"{"Message":"No HTTP resource was found."}"#, Kind::Protocol, "psa_address_unknown"),
        (500, "", Kind::Unavailable, "psa_unavailable"),
        (200, "<html>", Kind::Protocol, "psa_answer_unreadable"),
        (200, r#"{"errors":["Something."]}"#, Kind::Validation, "psa_error_unrecognised"),
        (200, r#"{"items":[],"errors":["Something."]}"#, Kind::Validation, "psa_error_unrecognised"),
    ] {
        let psa = Responder::start(move |_| status(code, body)).await;
        let error = open(&psa.base).accounts(&CatalogQuery::default()).await.unwrap_err();
        assert_eq!((error.kind, error.code.as_str(), psa.seen().len()), (kind, name, 1), "{code} {body}");
    }
}

#[tokio::test]
async fn a_read_that_takes_too_long_or_finds_nobody_is_unavailable() {
    let (silent, _) = crate::responder::broken(crate::responder::Broken::Hangs);
    let error = open_with(&silent, QUICK).accounts(&CatalogQuery::default()).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (Kind::Unavailable, "psa_timed_out"));
    let error = open("http://127.0.0.1:1").accounts(&CatalogQuery::default()).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (Kind::Unavailable, "psa_unreachable"));
}

#[tokio::test]
async fn no_more_than_two_requests_for_an_entity_are_under_way() {
    let psa = Responder::start(|_| last_page(&json!([]))).await;
    let connector = open(&psa.base);
    let asked = CatalogQuery::default();
    let list = || connector.accounts(&asked);
    let results = tokio::join!(list(), list(), list(), list(), list(), list());
    assert!(results.0.is_ok() && results.5.is_ok());
    assert_eq!((psa.seen().len(), psa.at_once()), (6, 2));
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let psa = Responder::start(|_| status(200, &format!("{{\"items\":[]{}}}", " ".repeat(17 * 1024 * 1024)))).await;
    let error = open(&psa.base).accounts(&CatalogQuery::default()).await.unwrap_err();
    assert_eq!(error.code, "psa_answer_unreadable");
}
