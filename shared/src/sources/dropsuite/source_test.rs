//! The source against a host that speaks as public clients of Dropsuite understand it.

use std::sync::{Arc, Mutex};

use axum::response::{IntoResponse as _, Response};

use super::{Dropsuite, DropsuiteCredentials};
use crate::sources::registry::Offered as _;
use crate::sources::test_host::{Asked, serve, status, told, wanted};
use crate::sources::{Seen, Source};

/// Two pages of one log-in each.
const FIRST: &str = r#"[{"id": "1-1", "organization_id": 7, "plan_id": "mail", "seats_used": 12}]"#;
const SECOND: &str = r#"{"result_set": [{"id": "2-1", "organization_id": 8, "plan_id": "mail", "seats_used": 0}]}"#;

/// What the host was asked: path and query.
type Journal = Arc<Mutex<Vec<String>>>;

/// The source of a host that answers the request of such a number so; where that says nothing it hands out the list.
async fn source(answers: fn(usize, &str) -> Option<Response>) -> (Arc<dyn Source>, Journal) {
    let journal = Journal::default();
    let seen = journal.clone();
    let dropsuite: Dropsuite = serve(move |asked: &Asked| {
        let header = |name: &str| asked.headers.get(name).map_or("", |value| value.to_str().unwrap());
        assert_eq!((header("x-reseller-token"), header("x-access-token")), ("reseller's", "access"));
        let asked = asked.uri.to_string();
        let mut seen = seen.lock().unwrap();
        seen.push(asked.clone());
        answers(seen.len(), &asked).unwrap_or_else(|| usual(&asked))
    })
    .await;
    let host = "https://dropsuite.us/api".to_owned();
    let credentials = DropsuiteCredentials { host, reseller_token: "reseller's".into(), access_token: "access".into() };
    (dropsuite.opened(&credentials).unwrap(), journal)
}

fn usual(asked: &str) -> Response {
    match asked {
        "/api/users?page=1&per_page=100" => FIRST.into_response(),
        "/api/users?page=2&per_page=100" => SECOND.into_response(),
        _ => "[]".into_response(),
    }
}

#[tokio::test]
async fn the_list_is_read_twice_to_its_empty_page_and_then_told() {
    let (source, journal) = source(|_, _| None).await;
    let pulled = source.pull(&wanted(&["seats_used", "seats_used:mail"], None)).await;
    assert_eq!(told(&pulled), ["7 seats_used 12", "7 seats_used:mail 12", "8 seats_used 0", "8 seats_used:mail 0"]);
    assert_eq!((pulled.pages, pulled.whole.len(), pulled.total, pulled.stopped), (6, 2, None, None));
    let once = ["1", "2", "3"].map(|page| format!("/api/users?page={page}&per_page=100"));
    assert_eq!(*journal.lock().unwrap(), [once.clone(), once].concat());
    assert!(!source.asks_each(&["seats_used".into()].into()));
}

#[tokio::test]
async fn a_list_that_loses_a_row_between_its_reads_tells_nothing() {
    let (source, _) = source(|request, _| (request == 5).then(|| "[]".into_response())).await;
    let pulled = source.pull(&wanted(&["seats_used"], None)).await;
    assert_eq!(pulled.stopped.unwrap().code, "source_list_moved");
    assert!(pulled.rows.is_empty() && pulled.whole.is_empty() && pulled.customers.is_empty());
}

#[tokio::test]
async fn a_page_that_comes_for_ever_ends_the_pull() {
    let (source, _) = source(|_, _| Some(FIRST.into_response())).await;
    assert_eq!(source.pull(&wanted(&["seats_used"], None)).await.stopped.unwrap().code, "source_list_moved");
}

#[tokio::test]
async fn a_test_reads_the_list_itself() {
    let (working, journal) = source(|_, _| None).await;
    assert_eq!(working.test().await, Ok(Seen { customers: None }));
    assert_eq!(*journal.lock().unwrap(), ["/api/users?page=1&per_page=1"]);
    let (refused, _) = source(|_, _| Some(status(401))).await;
    assert_eq!(refused.test().await.unwrap_err().code, "source_credentials_rejected");
}

#[tokio::test]
async fn a_reseller_without_organizations_is_told_as_that() {
    let (source, _) = source(|_, _| Some("[]".into_response())).await;
    let pulled = source.pull(&wanted(&["seats_used"], None)).await;
    assert_eq!((pulled.customers.len(), pulled.whole.len(), pulled.stopped), (0, 1, None));
}
