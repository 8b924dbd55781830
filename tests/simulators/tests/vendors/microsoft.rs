//! Microsoft: tokens for a tenant and a host, continuation tokens in a header, a byte order mark, consent.

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use simulators::Clock;
use simulators::microsoft::{
    Api, Application, Customer, Licenses, Microsoft, Route, SAMPLE_CLIENT_ID, SAMPLE_CLIENT_SECRET,
    SAMPLE_REFRESH_TOKEN, SAMPLE_TENANT_ID, Sku, Subscription,
};
use simulators::vendor::{Change, MANY};

use crate::support::{Visit, Walker, address, form, read, texts};

const CUSTOMERS: &str = "/v1/customers";
const SKUS: &str = "/v1.0/subscribedSkus";
const PARTNER_CENTER: &str = "https://api.partnercenter.microsoft.com/.default";
const GRAPH: &str = "https://graph.microsoft.com/.default";
const CONTINUATION: &str = "MS-ContinuationToken";

struct ByContinuation {
    token: String,
}

impl Walker for ByContinuation {
    type Api = Api;
    const LIST: Route = Route::Customers;
    const SKIPS: bool = false;

    async fn enter(_http: &Client, base: &str) -> Self {
        Self { token: token(base, SAMPLE_TENANT_ID, PARTNER_CENTER).await }
    }

    fn page(&self, http: &Client, base: &str, rows: Option<&str>, next: Option<&str>) -> RequestBuilder {
        let seek = next.map(|_| "Next");
        let request = http.get(address(base, CUSTOMERS, &[("size", rows), ("seekOperation", seek)]));
        let request = request.bearer_auth(&self.token);
        match next {
            Some(next) => request.header(CONTINUATION, next),
            None => request,
        }
    }

    fn ids(page: &Value) -> Vec<String> {
        texts(&page["items"], "id")
    }

    fn next(page: &Value, _pages: usize, _rows: usize) -> Option<String> {
        let headers = page["links"].get("next")?["headers"].as_array().unwrap();
        assert_eq!(headers[0]["key"], CONTINUATION);
        Some(headers[0]["value"].as_str().unwrap().to_owned())
    }
}

keeps_the_contract!(ByContinuation);

/// Asks for a token with some fields in place of the right ones.
fn log_in(base: &str, tenant: &str, scope: &str, wrong: &[(&str, &str)]) -> RequestBuilder {
    let right = [
        ("client_id", SAMPLE_CLIENT_ID),
        ("client_secret", SAMPLE_CLIENT_SECRET),
        ("grant_type", "client_credentials"),
        ("scope", scope),
    ];
    // Of two fields with one name the first counts.
    form(Client::new().post(format!("{base}/{tenant}/oauth2/v2.0/token")), &[wrong, &right].concat())
}

async fn token(base: &str, tenant: &str, scope: &str) -> String {
    let (_, told) = read(log_in(base, tenant, scope, &[])).await;
    told["access_token"].as_str().unwrap_or_else(|| panic!("{told}")).to_owned()
}

async fn told_to(token: &str, microsoft: &Microsoft, path: &str) -> (u16, Value) {
    read(Client::new().get(address(&microsoft.base(), path, &[])).bearer_auth(token)).await
}

/// What Partner Center tells the partner.
async fn told(microsoft: &Microsoft, path: &str) -> (u16, Value) {
    told_to(&token(&microsoft.base(), SAMPLE_TENANT_ID, PARTNER_CENTER).await, microsoft, path).await
}

/// What Graph tells of a tenant.
async fn skus(microsoft: &Microsoft, tenant: &str) -> (u16, Value) {
    told_to(&token(&microsoft.base(), tenant, GRAPH).await, microsoft, SKUS).await
}

fn acme() -> Customer {
    let e3 = Subscription::new("s1", "CFQ7TTC0LFLX:0001:CFQ7TTC0K9GJ", "Microsoft 365 E3", 25);
    let trial =
        Subscription { is_trial: true, ..Subscription::new("s2", "CFQ7TTC0LFLX:0001:CFQ7TTC0KTRI", "Trial", 5) };
    let sku = Sku { sku_id: "05e9a617".to_owned(), part_number: "SPE_E3".to_owned(), consumed: 22, enabled: 25 };
    let licenses = Licenses { subscriptions: vec![e3.bound("P1Y", date(2027, 1, 9)), trial], skus: vec![sku] };
    Customer { licenses, ..Customer::new("acme", "Acme") }
}

fn closed() -> Customer {
    Customer { consents: false, ..Customer::new("closed", "Closed") }
}

#[tokio::test]
async fn partner_center_begins_with_a_byte_order_mark_and_counts_the_rows_of_the_page() {
    let visit = Visit::<ByContinuation>::to(MANY).await;
    let answer = visit.page(Some(500), None).send().await.unwrap().bytes().await.unwrap();
    assert!(answer.starts_with(b"\xEF\xBB\xBF{"));
    let (_, page) = told(&visit.sim, &format!("{CUSTOMERS}?size=500")).await;
    assert_eq!(page["totalCount"], 500);
    assert_eq!(page["links"]["next"]["uri"], "/customers?size=500&seekOperation=Next");
}

#[tokio::test]
async fn a_continuation_token_counts_beside_its_operation_alone() {
    let microsoft = Microsoft::start([acme(), closed()]).await.unwrap();
    let (_, first) = told(&microsoft, &format!("{CUSTOMERS}?size=1")).await;
    let next = ByContinuation::next(&first, 1, 1).unwrap();
    let token = token(&microsoft.base(), SAMPLE_TENANT_ID, PARTNER_CENTER).await;
    let asked = |query: &str| {
        let address = address(&microsoft.base(), &format!("{CUSTOMERS}?{query}"), &[]);
        Client::new().get(address).bearer_auth(&token)
    };
    assert_eq!(read(asked("size=1").header(CONTINUATION, &next)).await.1, first);
    let second = read(asked("size=1&seekOperation=Next").header(CONTINUATION, &next)).await.1;
    assert_eq!(texts(&second["items"], "id"), ["closed"]);
    assert_eq!(read(asked("seekOperation=Next")).await.0, 400);
    assert_eq!(read(asked("seekOperation=Next").header(CONTINUATION, "!")).await.0, 400);
    assert_eq!(read(asked("seekOperation=Last")).await.0, 400);
    assert_eq!(read(asked("size=0")).await.0, 400);
}

#[tokio::test]
async fn the_subscriptions_of_a_customer_are_one_page_and_those_of_nobody_are_refused() {
    let microsoft = Microsoft::start([acme(), closed()]).await.unwrap();
    let (_, all) = told(&microsoft, "/v1/customers/acme/subscriptions").await;
    assert_eq!((&all["totalCount"], texts(&all["items"], "isTrial").join(" ").as_str()), (&2.into(), "false true"));
    assert_eq!(all["items"][0]["commitmentEndDate"], "2027-01-09T00:00:00Z");
    assert_eq!(told(&microsoft, "/v1/customers/closed/subscriptions").await.1["items"], json!([]));
    microsoft.change(Change::Delete("acme".to_owned())).unwrap();
    let (status, refused) = told(&microsoft, "/v1/customers/acme/subscriptions").await;
    assert_eq!((status, &refused["code"], &refused["source"]), (403, &"20002".into(), &"PartnerCenter".into()));
}

#[tokio::test]
async fn graph_tells_of_the_tenant_of_the_token_where_that_consents() {
    let microsoft = Microsoft::start([acme(), closed()]).await.unwrap();
    let (status, of_acme) = skus(&microsoft, "acme").await;
    assert_eq!((status, &of_acme["value"][0]["consumedUnits"]), (200, &22.into()));
    assert_eq!(skus(&microsoft, SAMPLE_TENANT_ID).await.1["value"], json!([]));
    let (status, refused) = skus(&microsoft, "closed").await;
    assert_eq!((status, &refused["error"]["code"]), (403, &"Authorization_RequestDenied".into()));
    microsoft.switch(|switches| switches.own.gives_no_token_without_consent = true);
    let (status, refused) = read(log_in(&microsoft.base(), "closed", GRAPH, &[])).await;
    assert_eq!((status, &refused["error"]), (400, &"unauthorized_client".into()));
    assert_eq!(skus(&microsoft, "acme").await.0, 200);
}

#[tokio::test]
async fn a_token_opens_the_host_and_the_tenant_that_it_was_given_for() {
    let microsoft = Microsoft::start([acme()]).await.unwrap();
    for (tenant, scope, path, status) in [
        (SAMPLE_TENANT_ID, PARTNER_CENTER, CUSTOMERS, 200),
        (SAMPLE_TENANT_ID, PARTNER_CENTER, SKUS, 401),
        (SAMPLE_TENANT_ID, GRAPH, CUSTOMERS, 401),
        ("acme", PARTNER_CENTER, CUSTOMERS, 401),
        ("acme", GRAPH, "/v1/customers/acme/subscriptions", 401),
        ("acme", GRAPH, SKUS, 200),
    ] {
        let token = token(&microsoft.base(), tenant, scope).await;
        assert_eq!(told_to(&token, &microsoft, path).await.0, status, "{tenant} {scope} {path}");
    }
    assert_eq!(told_to("another", &microsoft, CUSTOMERS).await.0, 401);
    assert_eq!(read(Client::new().get(format!("{}{SKUS}", microsoft.base()))).await.0, 401);
}

#[tokio::test]
async fn who_says_a_wrong_thing_gets_no_token() {
    let microsoft = Microsoft::start([acme()]).await.unwrap();
    let base = microsoft.base();
    let as_user = ("grant_type", "refresh_token");
    for (tenant, scope, wrong, status, error) in [
        ("acme", GRAPH, &[("client_secret", "another")][..], 401, "invalid_client"),
        ("acme", GRAPH, &[("client_id", "another")], 400, "unauthorized_client"),
        ("acme", GRAPH, &[("grant_type", "password")], 400, "unsupported_grant_type"),
        ("acme", GRAPH, &[as_user, ("refresh_token", "another")], 400, "invalid_grant"),
        ("acme", "https://another.example/.default", &[], 400, "invalid_scope"),
        ("nobody", GRAPH, &[], 400, "invalid_request"),
    ] {
        let (answered, body) = read(log_in(&base, tenant, scope, wrong)).await;
        assert_eq!((answered, &body["error"]), (status, &error.into()));
    }
    assert_eq!(read(log_in(&base, "acme", GRAPH, &[])).await.1.get("refresh_token"), None);
    let (_, given) = read(log_in(&base, "acme", GRAPH, &[as_user, ("refresh_token", SAMPLE_REFRESH_TOKEN)])).await;
    assert_eq!(given["refresh_token"], SAMPLE_REFRESH_TOKEN);
    assert_eq!(told_to(given["access_token"].as_str().unwrap(), &microsoft, SKUS).await.0, 200);
    let shown = format!("{microsoft:?}");
    assert!(!shown.contains(SAMPLE_CLIENT_SECRET) && !shown.contains(SAMPLE_REFRESH_TOKEN));
}

#[tokio::test]
async fn another_application_is_let_in_by_what_is_its_own() {
    let application = Application { client_secret: "of its own".into(), ..Application::default() };
    let microsoft = Microsoft::setup([acme()]).api(Api::opened_by(application)).start().await.unwrap();
    assert_eq!(read(log_in(&microsoft.base(), "acme", GRAPH, &[])).await.0, 401);
    assert_eq!(read(log_in(&microsoft.base(), "acme", GRAPH, &[("client_secret", "of its own")])).await.0, 200);
}

#[tokio::test]
async fn a_token_is_good_for_not_quite_an_hour() {
    let (clock, hand) = Clock::by_hand(Timestamp::UNIX_EPOCH);
    let microsoft = Microsoft::setup([acme()]).clock(clock).start().await.unwrap();
    let token = token(&microsoft.base(), "acme", GRAPH).await;
    hand.advance(SignedDuration::from_secs(3_598));
    assert_eq!(told_to(&token, &microsoft, SKUS).await.0, 200);
    hand.advance(SignedDuration::from_secs(1));
    assert_eq!(told_to(&token, &microsoft, SKUS).await.0, 401);
}

#[tokio::test]
async fn what_may_be_read_in_a_minute_is_partner_centers_alone() {
    let microsoft = Microsoft::setup([acme()]).clock(Clock::stopped(Timestamp::UNIX_EPOCH)).start().await.unwrap();
    microsoft.use_requests(499);
    assert_eq!(skus(&microsoft, "acme").await.0, 200);
    assert_eq!(told(&microsoft, CUSTOMERS).await.0, 200);
    assert_eq!(told(&microsoft, "/v1/customers/acme/subscriptions").await.0, 429);
    assert_eq!(skus(&microsoft, "acme").await.0, 200);
}
