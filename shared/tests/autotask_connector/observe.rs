//! Reading the units of many contracts.

use std::collections::BTreeSet;

use jiff::civil::date;
use serde_json::{Value, json};
use shared::domain::line::LineKey;
use shared::psa::{Asked, Connector as _, Kind, Observation, PsaError, Window};

use crate::open;
use crate::responder::{Responder, last_page, ok};

const NOVEMBER: Window = Window { from: date(2026, 11, 1), to: Some(date(2026, 11, 30)) };

/// A line of each contract.
fn lines(contracts: impl IntoIterator<Item = i64>) -> Asked {
    let line =
        |contract: i64| LineKey { contract: contract.to_string().parse().unwrap(), service: "7".parse().unwrap() };
    contracts.into_iter().map(|contract| (line(contract), None)).collect()
}

fn row(id: i64, contract: i64, service: i64, contract_service: i64, units: i64) -> Value {
    json!({"id": id, "contractID": contract, "serviceID": service, "contractServiceID": contract_service, "units": units,
        "startDate": "2026-11-01T00:00:00Z", "endDate": "2026-11-30T00:00:00Z", "approveAndPostDate": null})
}

async fn observed(rows: Value) -> Result<Observation, PsaError> {
    let psa = Responder::start(move |_| last_page(&rows)).await;
    open(&psa.base).observe(&lines([1, 2]), NOVEMBER).await
}

#[tokio::test]
async fn rows_become_one_timeline_a_line() {
    let mut later = row(12, 1, 7, 70, 44);
    later["startDate"] = json!("2026-12-01T13:00:00Z");
    later["endDate"] = json!("2026-12-31");
    let mut posted = row(13, 2, 7, 71, 9);
    posted["approveAndPostDate"] = json!("2026-11-20T08:00:00.2Z");
    let found = observed(json!([row(11, 1, 7, 70, 42), later, posted])).await.unwrap();

    assert_eq!((found.lines.len(), found.ambiguous.len()), (2, 0));
    let line = &found.lines[&("1".parse().unwrap(), "7".parse().unwrap())];
    assert_eq!(line.contract_service.as_str(), "70");
    assert_eq!(line.timeline.at(date(2026, 11, 21)).unwrap().get(), 42);
    assert_eq!(line.timeline.at(date(2026, 12, 31)).unwrap().get(), 44);
    assert_eq!(
        found.lines[&("2".parse().unwrap(), "7".parse().unwrap())].timeline.posted_through(),
        Some(date(2026, 11, 30))
    );
}

#[tokio::test]
async fn a_service_that_a_contract_carries_twice_is_ambiguous_and_its_neighbour_is_not() {
    let found = observed(json!([row(1, 1, 7, 70, 1), row(2, 1, 7, 71, 2), row(3, 1, 7, 70, 1), row(4, 1, 8, 72, 5)]))
        .await
        .unwrap();
    assert_eq!(found.ambiguous, BTreeSet::from([("1".parse().unwrap(), "7".parse().unwrap())]));
    assert_eq!(found.lines.keys().map(|(_, service)| service.as_str()).collect::<Vec<_>>(), ["8"]);
}

#[tokio::test]
async fn a_row_that_names_no_service_on_its_contract_can_not_be_written_to() {
    let mut nameless = row(1, 1, 7, 0, 1);
    nameless["contractServiceID"] = Value::Null;
    let found = observed(json!([nameless, row(2, 1, 7, 70, 1)])).await.unwrap();
    assert!(found.lines.is_empty());
    assert_eq!(found.ambiguous.len(), 1);
}

#[tokio::test]
async fn a_row_with_units_that_are_no_count_makes_its_line_unreadable_and_no_other() {
    let mut fraction = row(77, 1, 7, 70, 1);
    fraction["units"] = json!(1.5);
    for odd in [fraction, row(79, 1, 7, 70, -1)] {
        let seen = observed(json!([row(76, 1, 8, 80, 3), odd])).await.unwrap();
        let readable: Vec<_> = seen.lines.keys().map(|(_, service)| service.to_string()).collect();
        let unreadable: Vec<_> = seen.unreadable.keys().map(|(_, service)| service.to_string()).collect();
        assert_eq!((readable, unreadable), (vec!["8".to_owned()], vec!["7".to_owned()]));
    }
}

#[tokio::test]
async fn rows_that_can_not_be_believed_fail_the_observation() {
    let not_asked = row(78, 3, 7, 70, 1);
    let (unordered, again) =
        (json!([row(5, 1, 7, 70, 1), row(4, 1, 7, 70, 1)]), json!([row(5, 1, 7, 70, 1), row(5, 1, 7, 70, 1)]));
    for (rows, named) in [(json!([not_asked]), "units row 78"), (unordered, "order of id"), (again, "order of id")] {
        let error = observed(rows).await.unwrap_err();
        assert_eq!((error.kind, error.code.as_str()), (Kind::Protocol, "psa_answer_unreadable"));
        assert!(error.explanation.contains(named), "{error}");
    }
}

#[tokio::test]
async fn a_window_is_asked_for_by_whole_days_and_without_an_end_to_the_contracts_end() {
    let psa = Responder::start(|_| last_page(&json!([]))).await;
    let connector = open(&psa.base);
    connector.observe(&lines([2, 1]), NOVEMBER).await.unwrap();
    connector.observe(&lines([1]), Window { to: None, ..NOVEMBER }).await.unwrap();

    let seen = psa.seen();
    assert_eq!(seen[0].path, "/v1.0/ContractServiceUnits/query");
    assert_eq!(
        seen[0].body,
        json!({
            "MaxRecords": 500,
            "IncludeFields": ["id", "contractID", "contractServiceID", "serviceID", "units", "startDate", "endDate", "approveAndPostDate", "price", "cost"],
            "Filter": [{"op": "and", "items": [
                {"op": "gte", "field": "id", "value": 0},
                {"op": "in", "field": "contractID", "value": [1, 2]},
                {"op": "gte", "field": "endDate", "value": "2026-11-01T00:00:00"},
                {"op": "lte", "field": "startDate", "value": "2026-11-30T23:59:59"},
            ]}],
        })
    );
    assert_eq!(seen[1].body["Filter"][0]["items"].as_array().unwrap().len(), 3);
}

/// Answers a query over rows with ids `1..=total`, all of contract 1, by its `id` filter and its `MaxRecords`.
fn rows_by_id(body: &Value, total: i64, next_page_url: bool) -> Value {
    let most = body["MaxRecords"].as_i64().unwrap();
    let beyond = &body["Filter"][0]["items"][0];
    let first = beyond["value"].as_i64().unwrap() + i64::from(beyond["op"] == "gt");
    let ids = first.max(1)..(first.max(1) + most).min(total + 1);
    let more = next_page_url && ids.end <= total;
    let items: Vec<_> = ids.map(|id| row(id, 1, id, id, 1)).collect();
    json!({"items": items, "pageDetails": {"nextPageUrl": more.then_some("https://next.example/")}})
}

#[tokio::test]
async fn every_row_of_every_page_is_read_once() {
    for (rows, requests) in [(0, 1), (1, 1), (499, 1), (500, 1), (501, 2), (1_200, 3)] {
        let psa = Responder::start(move |seen| ok(&rows_by_id(&seen.body, rows, true))).await;
        let connector = open(&psa.base);
        let found = connector.observe(&lines([1]), NOVEMBER).await.unwrap();
        assert_eq!(i64::try_from(found.lines.len()).unwrap(), rows);
        assert_eq!(
            (psa.seen().len(), connector.requests_made()),
            (requests, u32::try_from(requests).unwrap()),
            "{rows} rows"
        );
        assert!(psa.seen().iter().all(|seen| seen.path == "/v1.0/ContractServiceUnits/query"));
    }
}

#[tokio::test]
async fn a_page_that_does_not_move_on_is_an_error_and_not_a_loop() {
    let rows: Vec<_> = (1..=500).map(|id| row(id, 1, id, id, 1)).collect();
    let psa = Responder::start(move |_| ok(&json!({"items": rows}))).await;
    let error = open(&psa.base).observe(&lines([1]), NOVEMBER).await.unwrap_err();
    assert_eq!((error.code.as_str(), psa.seen().len()), ("psa_answer_unreadable", 2));
}

#[tokio::test]
async fn a_thousand_contracts_are_asked_for_in_sets_of_five_hundred_two_at_a_time() {
    let psa = Responder::start(|_| last_page(&json!([]))).await;
    let connector = open(&psa.base);
    connector.observe(&lines(1..=1_501), NOVEMBER).await.unwrap();
    connector.observe(&lines([]), NOVEMBER).await.unwrap();
    let mut sets: Vec<_> =
        psa.seen().iter().map(|seen| seen.body["Filter"][0]["items"][1]["value"].as_array().unwrap().len()).collect();
    sets.sort_unstable();
    assert_eq!((sets, psa.at_once()), (vec![1, 500, 500, 500], 2));
}
