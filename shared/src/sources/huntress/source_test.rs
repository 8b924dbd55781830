//! The source against a host that speaks as Huntress's description has it.

use std::sync::{Arc, Mutex};

use axum::http::HeaderValue;
use axum::response::{IntoResponse as _, Response};

use super::{Huntress, HuntressCredentials};
use crate::sources::registry::Offered as _;
use crate::sources::test_host::{Asked, serve, status, told, unread, wanted};
use crate::sources::{Filters, Seen, Source, Wanted};

/// Two pages of one organization each.
const FIRST: &str = r#"{"organizations": [{"id": 1, "name": "Own", "agents_count": 42, "sat_learner_count": 3}],
    "pagination": {"next_page_token": "second", "next_page_url": "http://elsewhere.example/v1/organizations?page_token=second"}}"#;
const SECOND: &str = r#"{"organizations": [{"id": 2, "name": "Umbrella", "agents_count": 0, "sat_learner_count": null}],
    "pagination": {"next_page_token": ""}}"#;
const ACCOUNT: &str = include_str!("samples/account.json");

/// What the host was asked: path and query.
type Journal = Arc<Mutex<Vec<String>>>;

/// The source of a host that answers so; where that says nothing it hands out the list and the account, and each
/// organization with the billable agents of its list's count.
async fn source(answers: fn(&str) -> Option<Response>) -> (Arc<dyn Source>, Journal) {
    let journal = Journal::default();
    let seen = journal.clone();
    let huntress: Huntress = serve(move |asked: &Asked| {
        // "key:its secret" in base 64.
        assert_eq!(asked.headers.get("authorization"), Some(&HeaderValue::from_static("Basic a2V5Oml0cyBzZWNyZXQ=")));
        let asked = asked.uri.to_string();
        seen.lock().unwrap().push(asked.clone());
        answers(&asked).unwrap_or_else(|| usual(&asked))
    })
    .await;
    let credentials = HuntressCredentials { key: "key".into(), secret: "its secret".into() };
    (huntress.opened(&credentials).unwrap(), journal)
}

fn usual(asked: &str) -> Response {
    match asked {
        "/v1/account" => ACCOUNT.into_response(),
        "/v1/organizations/1" => one(1, 42),
        "/v1/organizations/2" => one(2, 7),
        list if list.ends_with("page_token=second") => SECOND.into_response(),
        list if list.starts_with("/v1/organizations?") => FIRST.into_response(),
        _ => status(404),
    }
}

fn one(id: u32, billable: u32) -> Response {
    let usages = format!(r#"{{"edr": {{"billable_agents_count": {billable}}}}}"#);
    format!(r#"{{"organization": {{"id": {id}, "name": "Acme", "actual_usages": {usages}}}}}"#).into_response()
}

/// With the organization 1 as the partner.
fn with_own(wanted: Wanted) -> Wanted {
    Wanted { filters: Filters { nfr_company: Some("1".parse().unwrap()), ..Filters::default() }, ..wanted }
}

#[tokio::test]
async fn every_page_is_read_and_what_the_list_tells_costs_no_other_request() {
    let (source, journal) = source(|_| None).await;
    assert_eq!(source.test().await, Ok(Seen { customers: None }));
    let pulled = source.pull(&wanted(&["agents", "sat_learners"], None)).await;
    assert_eq!((told(&pulled).join(", ").as_str(), pulled.pages), ("1 agents 42, 1 sat_learners 3, 2 agents 0", 2));
    assert_eq!((pulled.whole, pulled.stopped), (["agents".into()].into(), None), "2 was silent about learners");
    let list = "/v1/organizations?limit=500&sort_field=id&sort_direction=asc";
    let second = format!("{list}&page_token=second");
    assert_eq!(*journal.lock().unwrap(), ["/v1/organizations?limit=1", list, &second]);
}

#[tokio::test]
async fn a_detail_is_whole_when_everyone_who_is_wanted_has_told_it() {
    let (source, journal) = source(|_| None).await;
    let pulled = source.pull(&wanted(&["agents", "billable_agents"], Some(&["2"]))).await;
    assert_eq!(told(&pulled), ["1 agents 42", "2 agents 0", "2 billable_agents 7"]);
    assert_eq!(pulled.whole, ["agents".into(), "billable_agents".into()].into());
    assert_eq!(journal.lock().unwrap().last().unwrap(), "/v1/organizations/2");
    let asks_each = |metric: &str| source.asks_each(&[metric.into()].into());
    assert_eq!(["agents", "billable_agents", "ispm_identities", "devices"].map(asks_each), [false, true, true, false]);
}

#[tokio::test]
async fn an_organization_that_can_not_be_read_is_noted_and_the_others_are_read() {
    for answers in [
        (|asked| (asked == "/v1/organizations/1").then(|| status(403))) as fn(&str) -> Option<Response>,
        |asked| (asked == "/v1/organizations/1").then(|| status(404)),
        |asked| (asked == "/v1/organizations/1").then(|| status(500)),
        |asked| (asked == "/v1/organizations/1").then(|| "no JSON".into_response()),
        |asked| (asked == "/v1/organizations/1").then(|| one(2, 7)),
    ] {
        let pulled = source(answers).await.0.pull(&wanted(&["agents", "billable_agents"], None)).await;
        assert_eq!(told(&pulled), ["1 agents 42", "2 agents 0", "2 billable_agents 7"]);
        assert_eq!((pulled.unread.len(), pulled.unread[0].0.as_str(), pulled.stopped), (1, "1", None));
        assert_eq!(pulled.whole, ["agents".into()].into(), "its billable agents are not known");
    }
}

#[tokio::test]
async fn what_keeps_all_from_being_read_ends_the_pull() {
    for (refusal, code) in [(401, "source_credentials_rejected"), (429, "source_rate_limited")] {
        let answers: fn(&str) -> Option<Response> = match refusal {
            401 => |asked| (asked == "/v1/organizations/1").then(|| status(401)),
            _ => |asked| (asked == "/v1/organizations/1").then(|| status(429)),
        };
        let pulled = source(answers).await.0.pull(&wanted(&["agents", "billable_agents"], None)).await;
        assert_eq!(told(&pulled), ["1 agents 42", "2 agents 0"]);
        assert_eq!(pulled.stopped.unwrap().code, code);
        assert_eq!((pulled.whole, pulled.unread.len()), (["agents".into()].into(), 0));
    }
}

#[tokio::test]
async fn a_list_that_ends_before_its_end_tells_what_it_has_told_and_is_not_whole() {
    let answers: fn(&str) -> Option<Response> = |asked| asked.ends_with("page_token=second").then(|| status(503));
    let pulled = source(answers).await.0.pull(&wanted(&["agents", "billable_agents"], None)).await;
    assert_eq!((told(&pulled), pulled.whole.len()), (vec!["1 agents 42".to_owned()], 0));
    assert_eq!(pulled.stopped.unwrap().code, "source_unavailable");
}

#[tokio::test]
async fn an_account_without_organizations_is_told_as_that() {
    let (source, _) = source(|_| Some(r#"{"organizations": [], "pagination": {}}"#.into_response())).await;
    let pulled = source.pull(&wanted(&["agents", "billable_agents"], None)).await;
    assert_eq!((pulled.customers.len(), pulled.whole.len(), pulled.stopped), (0, 2, None));
}

#[tokio::test]
async fn the_partners_own_seats_come_off_its_organizations_counts_alone() {
    let (source, _) = source(|_| None).await;
    let pulled = source.pull(&with_own(wanted(&["agents", "billable_agents", "sat_learners"], None))).await;
    assert_eq!(
        told(&pulled),
        ["1 agents 32", "1 sat_learners 0", "2 agents 0", "1 billable_agents 32", "2 billable_agents 7"]
    );
}

#[tokio::test]
async fn nothing_is_told_of_the_partners_organization_when_its_seats_can_not_be_read() {
    let answers: fn(&str) -> Option<Response> = |asked| (asked == "/v1/account").then(|| status(403));
    let (source, journal) = source(answers).await;
    let pulled = source.pull(&with_own(wanted(&["agents", "billable_agents"], None))).await;
    assert_eq!(told(&pulled), ["2 agents 0", "2 billable_agents 7"]);
    assert_eq!((unread(&pulled), pulled.whole.len()), (vec!["1 source_own_seats_untold".to_owned()], 0));
    assert_eq!(pulled.customers.len(), 2, "it is there all the same");
    assert!(!journal.lock().unwrap().contains(&"/v1/organizations/1".to_owned()), "its details are of no use");
}

#[tokio::test]
async fn nobody_reads_the_account_where_nothing_of_it_is_wanted() {
    let (source, journal) = source(|_| None).await;
    source.pull(&with_own(wanted(&["of another vendor"], None))).await;
    source.pull(&wanted(&["agents"], None)).await;
    assert!(!journal.lock().unwrap().contains(&"/v1/account".to_owned()));
}
