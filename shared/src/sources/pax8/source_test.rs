//! The source against a host that speaks as Pax8's OpenAPI has it.

use std::sync::Mutex;

use axum::response::{IntoResponse as _, Response};

use super::*;
use crate::sources::test_host::{self, Asked, told, unread, wanted};

/// Rows by page of the two lists, each of a page.
struct Host {
    companies: Vec<&'static str>,
    subscriptions: Vec<&'static str>,
    /// How many rows the lists have by their own count.
    totals: [u64; 2],
    asked: Mutex<Vec<String>>,
}

impl Host {
    fn answer(&self, Asked { uri, authorization, body, .. }: &Asked) -> Response {
        self.asked.lock().unwrap().push(uri.to_string());
        if uri.path() == "/v1/token" {
            let right = r#"{"audience":"https://api.pax8.com","client_id":"app","client_secret":"its secret","grant_type":"client_credentials"}"#;
            let token = r#"{"access_token": "token", "expires_in": 86400, "token_type": "Bearer"}"#;
            return if body == right { token.into_response() } else { test_host::status(401) };
        }
        if authorization != "Bearer token" {
            return test_host::status(401);
        }
        let (pages, total) = match uri.path() {
            "/v1/companies" => (&self.companies, self.totals[0]),
            "/v1/subscriptions" => (&self.subscriptions, self.totals[1]),
            _ => return test_host::status(404),
        };
        let query = uri.query().unwrap_or_default();
        let number = (0..pages.len()).find(|number| query.contains(&format!("page={number}&"))).unwrap();
        let page =
            format!(r#"{{"size": 200, "totalElements": {total}, "totalPages": {}, "number": {number}}}"#, pages.len());
        format!(r#"{{"content": [{}], "page": {page}}}"#, pages[number]).into_response()
    }
}

fn host() -> Host {
    Host {
        companies: vec![
            r#"{"id": "acme", "name": "Acme", "status": "Active"}, {"id": "beta", "name": "Beta"}"#,
            r#"{"id": "gone", "name": "Gone", "status": "Deleted"}"#,
        ],
        subscriptions: vec![
            r#"{"id": "1", "companyId": "acme", "productId": "p", "quantity": 5, "status": "Active"}"#,
            r#"{"id": "2", "companyId": "acme", "productId": "p", "quantity": 2, "status": "Active"}"#,
        ],
        totals: [3, 2],
        asked: Mutex::default(),
    }
}

async fn serve(host: Host) -> (Arc<dyn Source>, Arc<Host>) {
    let host = Arc::new(host);
    let answers = Arc::clone(&host);
    let pax8: Pax8 = test_host::serve(move |asked| answers.answer(asked)).await;
    let credentials = Pax8Credentials { client_id: "app".to_owned(), client_secret: "its secret".into() };
    (pax8.opened(&credentials).unwrap(), host)
}

#[tokio::test]
async fn all_companies_and_all_subscriptions_are_read_page_by_page() {
    let (source, host) = serve(host()).await;
    let pulled = source.pull(&wanted(&["quantity:p"], Some(&["beta"]))).await;
    assert_eq!((pulled.stopped.clone(), pulled.pages, pulled.total), (None, 4, Some(3)));
    let names: Vec<_> = pulled.customers.iter().map(|customer| customer.name.as_str()).collect();
    assert_eq!(names, ["Acme", "Beta"], "none that was deleted");
    assert_eq!((told(&pulled), pulled.whole), (vec!["acme quantity:p 7".to_owned()], ["quantity:p".into()].into()));
    let asked = host.asked.lock().unwrap().clone();
    assert_eq!(asked.last().unwrap(), "/v1/subscriptions?page=1&size=200&sort=createdDate%2Casc");
    assert!(!source.asks_each(&["quantity:p".into()].into()));
}

#[tokio::test]
async fn a_list_that_ends_short_of_its_total_says_nothing_of_any_count() {
    let (source, _host) = serve(Host { totals: [3, 9], ..host() }).await;
    let pulled = source.pull(&wanted(&["quantity:p"], None)).await;
    assert_eq!(pulled.stopped.map(|error| error.code), Some("source_total_differs".to_owned()));
    assert_eq!((pulled.rows.len(), pulled.whole.len(), pulled.customers.len()), (0, 0, 2));
}

#[tokio::test]
async fn a_company_that_can_not_be_counted_keeps_nobody_from_being_counted() {
    let subscriptions = vec![
        r#"{"id": "1", "companyId": "acme", "productId": "p", "quantity": -5, "status": "Active"}"#,
        r#"{"id": "2", "companyId": "beta", "productId": "p", "quantity": 2, "status": "Active"}"#,
    ];
    let (source, _host) = serve(Host { subscriptions, ..host() }).await;
    let pulled = source.pull(&wanted(&["quantity:p"], None)).await;
    assert_eq!(
        (told(&pulled), unread(&pulled)),
        (vec!["beta quantity:p 2".into()], vec!["acme source_unexpected_answer".into()])
    );
    assert_eq!((pulled.whole.len(), pulled.stopped), (0, None));
}

#[tokio::test]
async fn nothing_is_asked_about_subscriptions_where_nobody_wants_any() {
    let (source, host) = serve(host()).await;
    let pulled = source.pull(&wanted(&[], None)).await;
    assert_eq!((pulled.customers.len(), pulled.rows.len(), pulled.stopped), (2, 0, None));
    assert!(!host.asked.lock().unwrap().iter().any(|uri| uri.starts_with("/v1/subscriptions")));
}

#[tokio::test]
async fn a_test_reads_both_lists_and_tells_how_many_companies_there_are() {
    let (source, host) = serve(host()).await;
    assert_eq!(source.test().await, Ok(Seen { customers: Some(3) }));
    let asked = host.asked.lock().unwrap().clone();
    assert_eq!(asked, ["/v1/token", "/v1/subscriptions?page=0&size=1", "/v1/companies?page=0&size=1"]);
}
