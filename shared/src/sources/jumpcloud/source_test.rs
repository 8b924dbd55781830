//! The source against a host that speaks as JumpCloud's descriptions have it.

use std::sync::{Arc, Mutex};

use axum::response::{IntoResponse as _, Response};

use super::{JumpCloud, JumpCloudCredentials, Region};
use crate::sources::registry::Offered as _;
use crate::sources::test_host::{Asked, serve, status, told, unread, wanted};
use crate::sources::{Filters, Seen, Source, Wanted};

/// Two pages of one organization each.
const FIRST: &str = r#"{"results": [{"id": "a", "name": "Acme Inc", "maxSystemUsers": 0}], "totalCount": 2}"#;
const SECOND: &str = r#"{"results": [{"id": "b", "name": null}], "totalCount": 2}"#;

/// What the host was asked: path, query and the organization that was meant.
type Journal = Arc<Mutex<Vec<String>>>;

/// The source of a host that answers so; where that says nothing it hands out the list, and 42 of whatever is counted.
async fn source(answers: fn(&str) -> Option<Response>) -> (Arc<dyn Source>, Journal) {
    let journal = Journal::default();
    let seen = journal.clone();
    let jumpcloud: JumpCloud = serve(move |asked: &Asked| {
        let header = |name: &str| asked.headers.get(name).map_or("", |value| value.to_str().unwrap());
        assert_eq!(header("x-api-key"), "its secret");
        let asked = format!("{} {}{}", asked.uri, header("x-org-id"), asked.body);
        seen.lock().unwrap().push(asked.clone());
        answers(&asked).unwrap_or_else(|| usual(&asked))
    })
    .await;
    let credentials =
        JumpCloudCredentials { api_key: "its secret".into(), provider_id: "provider".to_owned(), region: Region::Us };
    (jumpcloud.opened(&credentials).unwrap(), journal)
}

fn usual(asked: &str) -> Response {
    match asked {
        list if list.starts_with("/api/v2/providers/provider/organizations") => {
            if list.contains("skip=0&") {
                FIRST.into_response()
            } else {
                SECOND.into_response()
            }
        }
        _ => r#"{"results": [], "totalCount": 42}"#.into_response(),
    }
}

#[tokio::test]
async fn every_organization_is_listed_and_asked_about_by_its_id() {
    let (source, journal) = source(|_| None).await;
    let pulled = source.pull(&wanted(&["users", "systems"], None)).await;
    assert_eq!(told(&pulled), ["a users 42", "a systems 42", "b users 42", "b systems 42"]);
    assert_eq!((pulled.pages, pulled.total, pulled.stopped), (6, Some(2), None));
    assert_eq!(pulled.whole, ["users".into(), "systems".into()].into());
    let names: Vec<_> = pulled.customers.iter().map(|customer| customer.name.as_str()).collect();
    assert_eq!(names, ["Acme Inc", "b"]);
    let asked = journal.lock().unwrap().clone();
    assert_eq!(
        asked[..2].join(""),
        ["0", "1"]
            .map(|skip| { format!("/api/v2/providers/provider/organizations?limit=100&skip={skip}&sort=name ") })
            .concat()
    );
    assert_eq!(asked[2..4], ["/api/systemusers?limit=1 a", "/api/systems?limit=1 a"]);
}

#[tokio::test]
async fn a_test_reads_the_users_of_an_organization() {
    let (working, _) = source(|_| None).await;
    assert_eq!(working.test().await, Ok(Seen { customers: Some(2) }));
    let (shut_out, _) = source(|asked| asked.starts_with("/api/systemusers").then(|| status(403))).await;
    assert_eq!(shut_out.test().await.unwrap_err().code, "source_permission_missing");
}

#[tokio::test]
async fn what_those_who_are_wanted_have_told_is_whole() {
    let (source, journal) = source(|_| None).await;
    let pulled = source.pull(&wanted(&["systems"], Some(&["b"]))).await;
    assert_eq!((told(&pulled), pulled.whole), (vec!["b systems 42".to_owned()], ["systems".into()].into()));
    assert_eq!(journal.lock().unwrap().len(), 3);
    let asks_each = |metric: &str| source.asks_each(&[metric.into()].into());
    assert_eq!(["users", "systems", "agents"].map(asks_each), [true, true, false]);
}

#[tokio::test]
async fn who_is_suspended_is_searched_out_where_they_do_not_count() {
    let (source, journal) = source(|asked| {
        asked.starts_with("/api/search/systemusers ").then(|| r#"{"results": [], "totalCount": 40}"#.into_response())
    })
    .await;
    let filters = Filters { suspended: Some(false), ..Filters::default() };
    let pulled = source.pull(&Wanted { filters, ..wanted(&["users"], Some(&["a"])) }).await;
    assert_eq!(told(&pulled), ["a users 40"]);
    let searched = journal.lock().unwrap().last().unwrap().clone();
    let body = searched.strip_prefix("/api/search/systemusers a").unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((&body["filter"], &body["limit"]), (&serde_json::json!({"and": [{"suspended": false}]}), &1.into()));
}

#[tokio::test]
async fn an_organization_that_can_not_be_read_is_noted_once_and_the_others_are_read() {
    for answers in [
        (|asked| asked.ends_with(" a").then(|| status(403))) as fn(&str) -> Option<Response>,
        |asked| asked.ends_with(" a").then(|| status(404)),
        |asked| asked.ends_with(" a").then(|| status(500)),
        |asked| asked.ends_with(" a").then(|| r#"{"results": [], "totalCount": -1}"#.into_response()),
    ] {
        let pulled = source(answers).await.0.pull(&wanted(&["users", "systems"], None)).await;
        assert_eq!(told(&pulled), ["b users 42", "b systems 42"]);
        assert_eq!((pulled.unread.len(), pulled.unread[0].0.as_str()), (1, "a"));
        assert_eq!((pulled.whole.len(), pulled.stopped), (0, None));
    }
}

#[tokio::test]
async fn a_key_that_may_not_read_devices_still_tells_users() {
    let (source, _) = source(|asked| asked.starts_with("/api/systems?").then(|| status(403))).await;
    let pulled = source.pull(&wanted(&["users", "systems"], None)).await;
    assert_eq!(told(&pulled), ["a users 42", "b users 42"]);
    assert_eq!(unread(&pulled), ["a source_permission_missing", "b source_permission_missing"]);
}

#[tokio::test]
async fn a_total_that_is_missing_of_one_leaves_that_metric_open() {
    let (source, _) =
        source(|asked| (asked == "/api/systems?limit=1 a").then(|| r#"{"results": []}"#.into_response())).await;
    let pulled = source.pull(&wanted(&["users", "systems"], None)).await;
    assert_eq!(told(&pulled), ["a users 42", "b users 42", "b systems 42"]);
    assert_eq!((pulled.whole, pulled.unread.len()), (["users".into()].into(), 0));
}

#[tokio::test]
async fn what_keeps_all_from_being_read_ends_the_pull() {
    for answers in [
        (|asked| asked.ends_with(" b").then(|| status(401))) as fn(&str) -> Option<Response>,
        |asked| asked.ends_with(" b").then(|| status(429)),
        |asked| asked.contains("skip=1&").then(|| FIRST.into_response()),
    ] {
        let pulled = source(answers).await.0.pull(&wanted(&["users"], None)).await;
        assert!(pulled.stopped.is_some() && pulled.whole.is_empty() && pulled.unread.is_empty(), "{pulled:?}");
    }
}

#[tokio::test]
async fn a_provider_without_organizations_is_told_as_that() {
    let (source, _) = source(|_| Some(r#"{"results": [], "totalCount": 0}"#.into_response())).await;
    let pulled = source.pull(&wanted(&["users"], None)).await;
    assert_eq!((pulled.customers.len(), pulled.total, pulled.stopped), (0, Some(0), None));
    assert_eq!(pulled.whole, ["users".into()].into());
}
