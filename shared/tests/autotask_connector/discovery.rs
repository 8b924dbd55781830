//! Finding a tenant's zone.

use std::sync::Arc;

use serde_json::json;
use shared::psa::Kind;
use shared::psa::autotask::{Autotask, Settings};
use shared::psa::notebook::NoNotebook;
use url::Url;

use crate::responder::{Reply, Responder, ok, status};
use crate::user;

async fn discover(
    reply: impl Fn() -> Reply + Send + Sync + 'static,
) -> (Responder, Result<shared::psa::Endpoint, shared::psa::PsaError>) {
    let zones = Responder::start(move |_| reply()).await;
    let base = Url::parse(&zones.base).unwrap();
    let found = Autotask::at(&base, Settings::default()).unwrap().discover(&user()).await;
    (zones, found)
}

#[tokio::test]
async fn a_zone_is_found_by_the_user_name_and_without_the_secret() {
    let zone =
        || ok(&json!({"zoneName": "DE", "url": "http://127.0.0.1:9/ATServicesRest/", "webUrl": "x", "ci": 123_456}));
    let (zones, found) = discover(zone).await;
    let found = found.unwrap();
    assert_eq!((found.tenant.as_str(), found.base_url.as_str()), ("123456", "http://127.0.0.1:9/ATServicesRest"));

    let [seen] = &zones.seen()[..] else { panic!("one request") };
    assert_eq!(seen.path, "/atservicesrest/v1.0/zoneInformation?user=api-user%40example.com");
    assert!(["username", "secret", "apiintegrationcode"].iter().all(|name| !seen.headers.contains_key(*name)));
}

#[tokio::test]
async fn an_unknown_user_is_told_what_to_do() {
    let (_, found) = discover(|| status(500, r#"{"errors":["Zone information could not be determined"]}"#)).await;
    let error = found.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (Kind::Auth, "psa_user_unknown"));
}

#[tokio::test]
async fn an_answer_that_names_no_database_or_no_usable_address_is_refused() {
    for body in
        [json!({"url": "http://127.0.0.1:9/", "ci": null}), json!({"ci": 1}), json!([]), json!({"url": "", "ci": 1})]
    {
        let (_, found) = discover(move || ok(&body)).await;
        assert_eq!(found.unwrap_err().code, "psa_answer_unreadable");
    }
    let (_, found) = discover(|| ok(&json!({"url": "ftp://127.0.0.1/", "ci": 1}))).await;
    assert_eq!(found.unwrap_err().code, "psa_zone_untrusted");
}

#[tokio::test]
async fn a_stored_endpoint_elsewhere_is_never_called() {
    use shared::psa::{Connector as _, WriteError};

    let elsewhere = Responder::start(|_| ok(&json!({}))).await;
    let connector = Autotask::new(Settings::default()).unwrap().open(
        &crate::endpoint(&elsewhere.base),
        user(),
        Arc::new(NoNotebook),
    );
    assert_eq!(connector.allowance().await.unwrap_err().code, "psa_zone_untrusted");
    let Err(WriteError::NotSent(error)) = connector.change_units(&crate::writes::change()).await else {
        panic!("sent")
    };
    assert_eq!(error.code, "psa_zone_untrusted");
    assert!(elsewhere.seen().is_empty());
    assert_eq!(connector.requests_made(), 0);
}
