//! JumpCloud: offsets, and counts that are the totals of each organization's lists.

use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use simulators::JumpCloud;
use simulators::jumpcloud::{Api, Counts, Organization, Route, SAMPLE_API_KEY, SAMPLE_PROVIDER};
use url::Url;

use crate::support::{Walker, address, read, texts};

struct ByOffset;

impl Walker for ByOffset {
    type Api = Api;
    const LIST: Route = Route::Organizations;
    const SKIPS: bool = true;

    async fn enter(_http: &Client, _base: &str) -> Self {
        Self
    }

    fn page(&self, http: &Client, base: &str, rows: Option<&str>, next: Option<&str>) -> RequestBuilder {
        get(http, address(base, &list(SAMPLE_PROVIDER), &[("sort", Some("name")), ("limit", rows), ("skip", next)]))
    }

    fn ids(page: &Value) -> Vec<String> {
        texts(&page["results"], "id")
    }

    fn next(page: &Value, _pages: usize, rows: usize) -> Option<String> {
        let total = usize::try_from(page["totalCount"].as_u64().unwrap()).unwrap();
        (rows < total).then(|| rows.to_string())
    }
}

keeps_the_contract!(ByOffset);

fn list(provider: &str) -> String {
    format!("/api/v2/providers/{provider}/organizations")
}

fn get(http: &Client, address: Url) -> RequestBuilder {
    http.get(address).header("x-api-key", SAMPLE_API_KEY)
}

fn organization() -> Organization {
    Organization::new(7, "Acme", Counts { users: 42, systems: 30 })
}

async fn started() -> JumpCloud {
    JumpCloud::start([organization(), Organization::new(8, "Nordwind", Counts::default())]).await.unwrap()
}

/// What is told of an organization, by its id.
async fn told(sim: &JumpCloud, path: &str, organization: &str) -> (u16, Value) {
    read(get(&Client::new(), address(&sim.base(), path, &[])).header("x-org-id", organization)).await
}

#[tokio::test]
async fn the_count_of_an_organization_is_the_total_of_its_list() {
    let (sim, acme) = (started().await, organization());
    let (_, users) = told(&sim, "/api/systemusers?limit=1", &acme.id).await;
    assert_eq!((&users["totalCount"], users["results"].as_array().unwrap().len()), (&json!(42), 1));
    assert_eq!(users["results"][0]["organization"], acme.id);
    let (_, rest) = told(&sim, "/api/systemusers?limit=1000&skip=40", &acme.id).await;
    assert_eq!(texts(&rest["results"], "username"), ["user.40", "user.41"]);
    let (_, systems) = told(&sim, "/api/systems", &acme.id).await;
    assert_eq!((&systems["totalCount"], systems["results"].as_array().unwrap().len()), (&json!(30), 10));
    sim.switch(|switches| switches.own.leaves_totals_out = true);
    let (status, users) = told(&sim, "/api/systemusers", &acme.id).await;
    assert_eq!((status, users.get("totalCount")), (200, None));
}

#[tokio::test]
async fn a_request_has_to_say_which_organization_it_means() {
    let sim = started().await;
    let unnamed = read(get(&Client::new(), address(&sim.base(), "/api/systemusers", &[]))).await;
    assert_eq!(unnamed.0, 401);
    assert_eq!(told(&sim, "/api/systemusers", "acme").await.0, 400);
    assert_eq!(told(&sim, "/api/systems", "624d9eae0000000000000009").await.0, 404);
    let (_, none) = told(&sim, "/api/systems", "624d9eae0000000000000008").await;
    assert_eq!(none, json!({ "results": [], "totalCount": 0 }));
}

#[tokio::test]
async fn a_page_holds_a_hundred_at_most_and_another_provider_has_none() {
    let many = (1..=120).map(|number| Organization::new(number, format!("Customer {number:03}"), Counts::default()));
    let sim = JumpCloud::start(many).await.unwrap();
    let http = Client::new();
    let list =
        |provider: &str| address(&sim.base(), &list(provider), &[("limit", Some("500")), ("sort", Some("-name"))]);
    let (_, page) = read(get(&http, list(SAMPLE_PROVIDER))).await;
    let names = texts(&page["results"], "name");
    assert_eq!((names.len(), names[0].as_str(), &page["totalCount"]), (100, "Customer 120", &json!(120)));
    assert_eq!(read(get(&http, list("another"))).await.0, 404);
    let stranger = http.get(list(SAMPLE_PROVIDER)).header("x-api-key", "another");
    assert_eq!(read(stranger).await.0, 401);
    assert!(!format!("{sim:?}").contains(SAMPLE_API_KEY));
}
