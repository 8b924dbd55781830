//! Dropsuite: rows of log-ins in several shapes, each with a token that is alive.

use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use simulators::Dropsuite;
use simulators::dropsuite::{
    Api, LogIn, ORGANIZATIONS_TOKEN, Organization, Route, SAMPLE_ACCESS_TOKEN, SAMPLE_RESELLER_TOKEN, Shape,
};
use url::Url;

use crate::support::{Walker, address, read, texts};

struct ByNumber;

impl Walker for ByNumber {
    type Api = Api;
    const LIST: Route = Route::Users;
    const SKIPS: bool = true;

    async fn enter(_http: &Client, _base: &str) -> Self {
        Self
    }

    fn page(&self, http: &Client, base: &str, rows: Option<&str>, next: Option<&str>) -> RequestBuilder {
        get(http, address(base, "/api/users", &[("per_page", rows), ("page", next)]), SAMPLE_ACCESS_TOKEN)
    }

    fn ids(page: &Value) -> Vec<String> {
        texts(page, "organization_id")
    }

    /// Nothing says which page is the last: it is the one without rows.
    fn next(page: &Value, pages: usize, _rows: usize) -> Option<String> {
        (!page.as_array().unwrap().is_empty()).then(|| (pages + 1).to_string())
    }
}

keeps_the_contract!(ByNumber);

fn get(http: &Client, address: Url, access_token: &str) -> RequestBuilder {
    let request = http.get(address);
    request.header("x-reseller-token", SAMPLE_RESELLER_TOKEN).header("x-access-token", access_token)
}

async fn started() -> Dropsuite {
    let first = LogIn { active_seats: 11, ..LogIn::new("200-1-300-1", 12) };
    let second = LogIn { number: 2, ..LogIn::new("200-1-301-1", 5) };
    Dropsuite::start([Organization::new(10_001, "Acme", [first, second])]).await.unwrap()
}

async fn told(sim: &Dropsuite, path: &str) -> (u16, Value) {
    read(get(&Client::new(), address(&sim.base(), path, &[]), SAMPLE_ACCESS_TOKEN)).await
}

#[tokio::test]
async fn an_organization_has_a_row_for_each_of_its_log_ins_and_a_live_token_in_each() {
    let sim = started().await;
    let (_, rows) = told(&sim, "/api/users").await;
    assert_eq!(
        (texts(&rows, "id"), texts(&rows, "seats_used")),
        (vec!["100001-1".to_owned(), "100001-2".to_owned()], vec!["12".to_owned(), "5".to_owned()],)
    );
    assert_eq!((&rows[0]["organization_id"], &rows[1]["organization_id"]), (&json!(10_001), &json!(10_001)));
    assert!(texts(&rows, "authentication_token").iter().all(|token| token.starts_with(ORGANIZATIONS_TOKEN)));
    assert_eq!(rows[0].get("deactivated_seats"), None);
    let (_, row) = told(&sim, "/api/users/100001-1").await;
    assert_eq!((&row["active_seats"], &row["deactivated_seats"]), (&json!(11), &json!(1)));
    assert_eq!(told(&sim, "/api/users/100001-3").await.0, 404);
}

#[tokio::test]
async fn a_page_comes_in_each_shape_that_was_seen_and_its_end_in_two() {
    let sim = started().await;
    let (_, bare) = told(&sim, "/api/users").await;
    sim.switch(|switches| switches.own.shape = Shape::ResultSet);
    assert_eq!(told(&sim, "/api/users").await.1, json!({ "result_set": bare }));
    sim.switch(|switches| switches.own.shape = Shape::ResultSetInArray);
    assert_eq!(told(&sim, "/api/users").await.1, json!([{ "result_set": bare }]));
    assert_eq!(told(&sim, "/api/users?page=2").await, (200, json!([{ "result_set": [] }])));
    sim.switch(|switches| switches.own.ends_with_404 = true);
    assert_eq!(told(&sim, "/api/users?page=2").await.0, 404);
}

#[tokio::test]
async fn rows_may_say_nothing_of_seats() {
    let sim = started().await;
    sim.switch(|switches| switches.own.leaves_seats_out = true);
    let (_, rows) = told(&sim, "/api/users").await;
    assert_eq!((rows[0].get("seats_used"), rows[0].get("active_seats")), (None, None));
    assert_eq!(rows[0]["plan_id"], "200-1-300-1");
}

#[tokio::test]
async fn the_resellers_token_alone_opens_the_status_and_no_list() {
    let sim = started().await;
    let http = Client::new();
    let with =
        async |path: &str, access_token: &str| read(get(&http, address(&sim.base(), path, &[]), access_token)).await.0;
    assert_eq!(with("/api/status", "another").await, 200);
    assert_eq!(with("/api/users", "another").await, 401);
    assert_eq!(with("/api/users", &format!("{ORGANIZATIONS_TOKEN}10001")).await, 401);
    assert_eq!(read(http.get(format!("{}/api/status", sim.base()))).await.0, 401);
    assert!(!format!("{sim:?}").contains(SAMPLE_ACCESS_TOKEN));
}
