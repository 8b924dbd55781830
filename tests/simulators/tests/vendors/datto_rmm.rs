//! Datto RMM: a key that is exchanged for a token, pages that lead on by addresses, the devices of a site.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use simulators::Clock;
use simulators::datto_rmm::{Api, DattoRmm, Devices, Route, SAMPLE_KEY, SAMPLE_SECRET, Site};
use simulators::vendor::{Customer as _, MANY};

use crate::support::{Visit, Walker, address, form, read, texts};

const SITES: &str = "/api/v2/account/sites";
const CLIENT: (&str, &str) = ("public-client", "public");

struct ByAddress {
    token: String,
}

impl Walker for ByAddress {
    type Api = Api;
    const LIST: Route = Route::Sites;
    const SKIPS: bool = true;

    async fn enter(_http: &Client, base: &str) -> Self {
        Self { token: token(base).await }
    }

    fn page(&self, http: &Client, base: &str, rows: Option<&str>, next: Option<&str>) -> RequestBuilder {
        http.get(address(base, SITES, &[("max", rows), ("page", next)])).bearer_auth(&self.token)
    }

    fn ids(page: &Value) -> Vec<String> {
        texts(&page["sites"], "uid")
    }

    fn next(page: &Value, _pages: usize, _rows: usize) -> Option<String> {
        let next = page["pageDetails"]["nextPageUrl"].as_str()?;
        Some(next.rsplit_once("&page=").unwrap().1.to_owned())
    }
}

keeps_the_contract!(ByAddress);

fn log_in(base: &str, client: (&str, &str), grant: &str, secret: &str) -> RequestBuilder {
    let request = Client::new().post(format!("{base}/auth/oauth/token")).basic_auth(client.0, Some(client.1));
    form(request, &[("grant_type", grant), ("username", SAMPLE_KEY), ("password", secret)])
}

async fn token(base: &str) -> String {
    let (_, told) = read(log_in(base, CLIENT, "password", SAMPLE_SECRET)).await;
    told["access_token"].as_str().unwrap().to_owned()
}

async fn told_to(token: &str, datto: &DattoRmm, path: &str) -> (u16, Value) {
    read(Client::new().get(address(&datto.base(), path, &[])).bearer_auth(token)).await
}

async fn told(datto: &DattoRmm, path: &str) -> (u16, Value) {
    told_to(&token(&datto.base()).await, datto, path).await
}

#[tokio::test]
async fn pages_are_counted_from_0_and_each_tells_the_total_and_its_neighbours() {
    let visit = Visit::<ByAddress>::to(MANY).await;
    let (_, first) = told(&visit.sim, &format!("{SITES}?max=1000")).await;
    let next = "https://concord-api.centrastage.net/api/v2/account/sites?max=250&page=1";
    assert_eq!((&first["pageDetails"]["count"], &first["pageDetails"]["totalCount"]), (&250.into(), &MANY.into()));
    assert_eq!(
        (&first["pageDetails"]["prevPageUrl"], &first["pageDetails"]["nextPageUrl"]),
        (&Value::Null, &next.into())
    );
    let (_, last) = told(&visit.sim, &format!("{SITES}?page=4")).await;
    assert_eq!(last["pageDetails"]["prevPageUrl"], next.replace("page=1", "page=3"));
    assert_eq!((&last["pageDetails"]["count"], &last["pageDetails"]["nextPageUrl"]), (&230.into(), &Value::Null));
    for query in ["max=0", "max=many", "page=-1"] {
        assert_eq!(told(&visit.sim, &format!("{SITES}?{query}")).await.0, 400, "{query}");
    }
}

#[tokio::test]
async fn a_site_names_its_company_in_autotask_where_it_is_connected_with_one() {
    let connected = Site { autotask_company_id: Some(1_001), ..Site::new(1, "Acme") };
    let datto = DattoRmm::start([connected, Site::new(2, "Beta")]).await.unwrap();
    let (_, page) = told(&datto, SITES).await;
    assert_eq!(texts(&page["sites"], "autotaskCompanyId"), ["1001", "null"]);
}

#[tokio::test]
async fn who_says_a_wrong_thing_gets_no_token_and_without_one_nothing_is_told() {
    let datto = DattoRmm::start([Site::new(1, "Acme")]).await.unwrap();
    for (client, grant, secret, status, error) in [
        (CLIENT, "password", "another", 400, "invalid_grant"),
        (CLIENT, "client_credentials", SAMPLE_SECRET, 400, "unsupported_grant_type"),
        (("another", "public"), "password", SAMPLE_SECRET, 401, "invalid_client"),
    ] {
        let (answered, body) = read(log_in(&datto.base(), client, grant, secret)).await;
        assert_eq!((answered, &body["error"]), (status, &error.into()));
    }
    assert_eq!(told_to("another", &datto, SITES).await.0, 401);
    assert_eq!(read(Client::new().get(format!("{}{SITES}", datto.base()))).await.0, 401);
    assert_eq!(told(&datto, SITES).await.0, 200);
    assert!(!format!("{datto:?}").contains(SAMPLE_SECRET));
}

#[tokio::test]
async fn a_token_is_good_for_a_hundred_hours() {
    let (clock, hand) = Clock::by_hand(Timestamp::UNIX_EPOCH);
    let datto = DattoRmm::setup([Site::new(1, "Acme")]).clock(clock).start().await.unwrap();
    let token = token(&datto.base()).await;
    hand.advance(SignedDuration::from_hours(100) - SignedDuration::from_secs(1));
    assert_eq!(told_to(&token, &datto, SITES).await.0, 200);
    hand.advance(SignedDuration::from_secs(1));
    assert_eq!(told_to(&token, &datto, SITES).await.0, 401);
}

#[tokio::test]
async fn a_token_takes_nothing_of_what_may_be_read_in_a_minute() {
    let datto = DattoRmm::setup([Site::new(1, "Acme")]).clock(Clock::stopped(Timestamp::UNIX_EPOCH));
    let datto = datto.start().await.unwrap();
    datto.use_requests(599);
    assert_eq!((told(&datto, SITES).await.0, told(&datto, SITES).await.0), (200, 429));
}

#[tokio::test]
async fn the_devices_of_a_site_are_listed_in_pages_of_their_own() {
    let devices = Devices { desktops: 250, servers: 1, deleted: 1, ..Devices::default() };
    let site = Site { devices, ..Site::new(1, "Acme") };
    let path = format!("/api/v2/site/{}/devices", site.id());
    let datto = DattoRmm::start([site]).await.unwrap();
    let (_, first) = told(&datto, &path).await;
    assert_eq!((&first["pageDetails"]["count"], &first["pageDetails"]["totalCount"]), (&250.into(), &252.into()));
    let (_, last) = told(&datto, &format!("{path}?page=1")).await;
    assert_eq!(last["pageDetails"]["nextPageUrl"], Value::Null);
    let uids: BTreeSet<_> = [first, last].iter().flat_map(|page| texts(&page["devices"], "uid")).collect();
    assert_eq!(uids.len(), 252);
    assert_eq!(told(&datto, SITES).await.1["sites"][0]["devicesStatus"]["numberOfDevices"], 251);
    assert_eq!(told(&datto, "/api/v2/site/another/devices").await.0, 404);
}
