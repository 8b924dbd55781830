//! Whose sources there are, who may do what with them, and what could be one.

use integration::{Answer, PARTNER};
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;
use shared::sources::Vendor;

use super::bench::{HUNTRESS, kept, set_up, start};

#[tokio::test]
async fn another_partners_source_is_not_there() {
    let (h, _huntress) = start().await;
    let before = set_up(&h).await;
    let ask = async |method: Method, path: &str| {
        let request = h.request(method, path).bearer_auth(h.token("somebody", &[Scope::Read, Scope::Write]));
        Answer::to(request.json(&json!({ "products": { "agents": "edr" } }))).await
    };
    for (method, path) in [
        (Method::GET, HUNTRESS.to_owned()),
        (Method::DELETE, HUNTRESS.to_owned()),
        (Method::POST, format!("{HUNTRESS}/pull")),
    ] {
        assert_eq!(ask(method.clone(), &path).await.problem()["code"], "not_found", "{method}");
    }
    // It would be a new one, and there are no credentials for it.
    assert_eq!(ask(Method::PUT, HUNTRESS).await.problem()["errors"][0]["pointer"], "/credentials");
    assert_eq!(ask(Method::GET, "/v1/sources").await.json["items"], json!([]));
    assert_eq!((h.get(HUNTRESS).await.json, h.wire.take_pulls().len()), (before, 0));
    assert!(kept(&h).await.is_some());
}

#[tokio::test]
async fn each_route_asks_for_its_scope() {
    let (h, _huntress) = start().await;
    set_up(&h).await;
    let pull = format!("{HUNTRESS}/pull");
    for (method, path, needed) in [
        (Method::GET, "/v1/sources", Scope::Read),
        (Method::GET, HUNTRESS, Scope::Read),
        (Method::PUT, HUNTRESS, Scope::Write),
        (Method::POST, &pull, Scope::Write),
        (Method::DELETE, HUNTRESS, Scope::Write),
    ] {
        for held in [Scope::Read, Scope::Usage, Scope::Write] {
            let request = h.request(method.clone(), path).bearer_auth(h.token(PARTNER, &[held]));
            let status = Answer::to(request.json(&json!({ "products": { "agents": "edr" } }))).await.status;
            let may = held == needed || held == Scope::Write;
            assert_eq!(status != 403, may, "{method} {path} with {held:?}: {status}");
        }
    }
}

#[tokio::test]
async fn vendors_that_are_not_set_up_are_named_with_what_they_take() {
    let (h, _huntress) = start().await;
    let named = |list: &Value| -> Vec<String> {
        list["available"].as_array().unwrap().iter().map(|one| one["source"].as_str().unwrap().to_owned()).collect()
    };
    let before = h.get("/v1/sources").await.json;
    assert_eq!(named(&before), Vendor::ALL.iter().map(|vendor| vendor.as_str()).collect::<Vec<_>>());
    insta::assert_json_snapshot!(before["available"][0], @"");
    assert!(before["available"].as_array().unwrap().iter().all(|one| one["credentials"] != json!([])), "{before}");
    set_up(&h).await;
    let after = h.get("/v1/sources?limit=1").await.json;
    assert_eq!((named(&after), &after["next_cursor"]), (named(&before)[1..].to_vec(), &Value::Null));
}

#[test]
fn every_metric_and_filter_is_in_the_document() {
    let document =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/usage-sources.md")).unwrap();
    for vendor in Vendor::ALL {
        let filters = vendor.filters().iter().map(|filter| filter.as_str());
        for name in vendor.metrics().iter().copied().chain(filters).chain([vendor.as_str()]) {
            assert!(document.contains(&format!("`{name}`")), "{name} of {vendor:?} is not in docs/usage-sources.md");
        }
    }
}
