//! The source against hosts that speak as Microsoft's documentation has it.

use axum::response::{IntoResponse as _, Response};

use super::*;
use crate::sources::test_host::{self, Asked, told, unread, wanted};

/// Three customers, the last on a page of its own.
const FIRST: &str = r#"{"totalCount": 2, "items": [{"id": "acme", "companyProfile": {"companyName": "Acme"}}, {"id": "beta"}],
    "links": {"next": {"uri": "https://elsewhere.example/", "method": "GET",
        "headers": [{"key": "MS-ContinuationToken", "value": "more"}]}}}"#;
const LAST: &str = r#"{"totalCount": 1, "items": [{"id": "gamma"}], "links": {}}"#;
const SUBSCRIPTIONS: &str = r#"{"totalCount": 1, "items": [{"id": "s", "offerId": "P:1:A", "quantity": 4,
    "unitType": "Licenses", "status": "active"}]}"#;
const SKUS: &str =
    r#"{"value": [{"skuId": "1", "skuPartNumber": "SPE_E3", "consumedUnits": 3, "prepaidUnits": {"enabled": 4}}]}"#;
const ALL: [&str; 2] = ["licenses:P/1", "assigned:SPE_E3"];

/// Answers all that begins with the path `refused` with `status`, and everything else as it should be. A token names the tenant
/// that it is of, and Graph is asked with such a one.
fn answer(asked: &Asked, refused: &str, status: u16) -> Response {
    let path = asked.uri.path();
    if path.starts_with(refused) {
        return test_host::status(status);
    }
    if let Some(tenant) = path.strip_suffix("/oauth2/v2.0/token") {
        let tenant = tenant.trim_start_matches('/');
        return format!(r#"{{"access_token": "of-{tenant}", "expires_in": 3599}}"#).into_response();
    }
    if path == "/v1.0/subscribedSkus" {
        let theirs = asked.authorization != "Bearer of-partner";
        return if theirs { SKUS.into_response() } else { test_host::status(403) };
    }
    if asked.authorization != "Bearer of-partner" {
        return test_host::status(401);
    }
    if path.ends_with("/subscriptions") {
        return SUBSCRIPTIONS.into_response();
    }
    let is_further = asked.headers.get(wire::CONTINUATION).is_some_and(|token| token == "more");
    // As Partner Center does, with a byte order mark.
    format!("\u{feff}{}", if is_further { LAST } else { FIRST }).into_response()
}

async fn serve(refused: &'static str, status: u16) -> Arc<dyn Source> {
    let microsoft: Microsoft = test_host::serve(move |asked| answer(asked, refused, status)).await;
    let credentials = MicrosoftCredentials {
        tenant_id: "partner".to_owned(),
        client_id: "app".to_owned(),
        client_secret: "secret".into(),
        refresh_token: Some("refresh".into()),
    };
    microsoft.opened(&credentials).unwrap()
}

fn metrics<const N: usize>(names: [&str; N]) -> BTreeSet<Metric> {
    names.map(Metric::from).into()
}

#[tokio::test]
async fn every_customer_is_listed_and_each_one_is_asked_with_the_right_of_its_tenant() {
    let source = serve("/nothing", 500).await;
    let pulled = source.pull(&wanted(&ALL, None)).await;
    assert_eq!((pulled.stopped.clone(), pulled.pages, pulled.total), (None, 8, None));
    let names: Vec<_> = pulled.customers.iter().map(|customer| customer.name.as_str()).collect();
    assert_eq!(names, ["Acme", "beta", "gamma"]);
    let bought = ["acme licenses:P/1 4", "beta licenses:P/1 4", "gamma licenses:P/1 4"];
    let assigned = ["acme assigned:SPE_E3 3", "beta assigned:SPE_E3 3", "gamma assigned:SPE_E3 3"];
    assert_eq!(told(&pulled), [bought, assigned].concat());
    assert_eq!(pulled.whole, metrics(ALL));
    assert!(ALL.iter().all(|metric| source.asks_each(&metrics([*metric]))) && !source.asks_each(&metrics(["agents"])));
}

#[tokio::test]
async fn those_that_are_wanted_are_asked_alone_and_none_of_a_thing_is_told_as_zero() {
    let source = serve("/v1/customers/acme", 500).await;
    let pulled = source.pull(&wanted(&["licenses:P/1", "licenses:Q/1"], Some(&["beta"]))).await;
    assert_eq!(told(&pulled), ["beta licenses:P/1 4", "beta licenses:Q/1 0"]);
    assert_eq!((pulled.whole.len(), pulled.unread.len(), pulled.customers.len()), (2, 0, 3));
}

#[tokio::test]
async fn a_customer_that_can_not_be_read_keeps_nobody_from_reading_the_others() {
    for (status, why) in [(403, "source_permission_missing"), (404, "source_not_found"), (500, "source_unavailable")] {
        let source = serve("/v1/customers/acme", status).await;
        let pulled = source.pull(&wanted(&ALL, None)).await;
        assert_eq!(unread(&pulled), [format!("acme {why}")]);
        assert_eq!((pulled.rows.len(), pulled.stopped), (5, None));
        assert_eq!(pulled.whole, metrics(["assigned:SPE_E3"]));
    }
}

#[tokio::test]
async fn a_tenant_that_lets_nobody_in_is_its_customers_affair() {
    for status in [400, 401, 403] {
        let source = serve("/beta/oauth2", status).await;
        let pulled = source.pull(&wanted(&ALL, None)).await;
        assert_eq!(unread(&pulled), ["beta source_permission_missing"], "{status}");
        assert!(pulled.unread[0].1.fix.contains("Organization.Read.All"));
        assert_eq!((pulled.rows.len(), pulled.whole, pulled.stopped), (5, metrics(["licenses:P/1"]), None));
    }
    let source = serve("/v1.0/subscribedSkus", 401).await;
    let pulled = source.pull(&wanted(&ALL, None)).await;
    assert_eq!((pulled.unread.len(), pulled.rows.len(), pulled.stopped), (3, 3, None));
}

#[tokio::test]
async fn what_is_refused_to_the_partner_or_is_too_much_ends_the_pull() {
    for (refused, status, why, rows) in [
        ("/v1/customers", 401, "source_credentials_rejected", 0),
        ("/v1/customers", 403, "source_permission_missing", 0),
        ("/partner/oauth2", 400, "source_token_refused", 0),
        ("/v1/customers/beta", 401, "source_credentials_rejected", 1),
        ("/v1/customers/beta", 429, "source_rate_limited", 1),
        ("/beta/oauth2", 429, "source_rate_limited", 4),
    ] {
        let source = serve(refused, status).await;
        let pulled = source.pull(&wanted(&ALL, None)).await;
        assert_eq!(pulled.stopped.map(|error| error.code), Some(why.to_owned()), "{refused} {status}");
        assert_eq!((pulled.rows.len(), pulled.unread.len()), (rows, 0), "{refused} {status}");
        assert_eq!(pulled.whole.contains(&Metric::from(ALL[0])), rows > 3, "{refused} {status}");
    }
}

#[tokio::test]
async fn a_test_reads_what_a_count_needs() {
    assert_eq!(serve("/nothing", 500).await.test().await, Ok(Seen { customers: None }));
    let error = serve("/v1/customers/acme", 403).await.test().await.unwrap_err();
    assert_eq!(error.code, "source_permission_missing");
}
