//! The source against a host that speaks as Datto RMM's description has it.

use std::sync::Mutex;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use url::form_urlencoded;

use super::*;
use crate::clock::SystemClock;

/// Sites by page; the devices of any site.
struct Host {
    sites: Vec<&'static str>,
    devices: &'static str,
    /// Tokens that are given out and not taken afterwards.
    stale: usize,
    asked: Mutex<Vec<String>>,
}

const TWO_PAGES: [&str; 2] = [
    r#"{"pageDetails": {"count": 2, "totalCount": 3, "nextPageUrl": "http://elsewhere.example/api/v2/account/sites?max=250&page=1"},
        "sites": [{"uid": "a", "name": "Acme", "onDemand": false, "autotaskCompanyId": "29683502", "devicesStatus": {"numberOfDevices": 37}},
                  {"uid": "b", "name": "Beta", "onDemand": true, "devicesStatus": {"numberOfDevices": 4}}]}"#,
    r#"{"pageDetails": {"count": 1, "totalCount": 3, "prevPageUrl": "http://elsewhere.example/?page=0", "nextPageUrl": null},
        "sites": [{"uid": "c", "name": "Gamma", "devicesStatus": {"numberOfDevices": 0}}]}"#,
];
const DEVICES: &str = r#"{"pageDetails": {"count": 2, "totalCount": 2, "nextPageUrl": null},
    "devices": [{"uid": "1", "deviceClass": "device", "deviceType": {"category": "Server"}},
                {"uid": "2", "deviceClass": "device", "deviceType": {"category": "Laptop"}}]}"#;

impl Host {
    fn answer(&self, uri: &Uri, authorization: &str, body: &str) -> Response {
        let mut asked = self.asked.lock().unwrap();
        asked.push(uri.to_string());
        let tokens = asked.iter().filter(|uri| *uri == TOKEN).count();
        if uri.path() == TOKEN {
            let right = authorization == CLIENT && body == "grant_type=password&username=key&password=its+secret";
            if !right {
                return StatusCode::BAD_REQUEST.into_response();
            }
            return format!(r#"{{"access_token": "token-{tokens}", "expires_in": 360000}}"#).into_response();
        }
        if tokens <= self.stale || authorization != format!("Bearer token-{tokens}") {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        if uri.path().ends_with("/devices") {
            return self.devices.into_response();
        }
        let mut query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let page: usize = query.find(|(name, _)| name == "page").map_or(0, |(_, page)| page.parse().unwrap());
        self.sites.get(page).map_or_else(|| StatusCode::NOT_FOUND.into_response(), |page| page.into_response())
    }
}

/// No test waits.
struct NoPause;

#[async_trait]
impl Pause for NoPause {
    async fn pause(&self, _: Duration) {}
}

fn credentials(secret: &str) -> DattoRmmCredentials {
    DattoRmmCredentials {
        host: "concord-api.centrastage.net".to_owned(),
        api_key: SecretString::from("key".to_owned()),
        api_secret: SecretString::from(secret.to_owned()),
    }
}

fn opener(base: &str) -> DattoRmm {
    DattoRmm::new(Some(&base.parse().unwrap()), Arc::new(SystemClock), Arc::new(NoPause)).unwrap()
}

async fn answer(State(host): State<Arc<Host>>, uri: Uri, headers: HeaderMap, body: String) -> Response {
    let authorization = headers.get(AUTHORIZATION).map_or("", |value| value.to_str().unwrap());
    host.answer(&uri, authorization, &body)
}

async fn serve(host: Host) -> (DattoRmm, Arc<Host>) {
    let host = Arc::new(host);
    let router = Router::new().fallback(answer).with_state(Arc::clone(&host));
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", socket.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(socket, router).await });
    (opener(&base), host)
}

fn host() -> Host {
    Host { sites: TWO_PAGES.to_vec(), devices: DEVICES, stale: 0, asked: Mutex::default() }
}

fn wanted(metrics: &[&str], companies: Option<&[&str]>) -> Wanted {
    let companies = companies.map(|companies| companies.iter().map(|id| id.parse().unwrap()).collect());
    Wanted { metrics: metrics.iter().map(|metric| Metric::from(*metric)).collect(), companies }
}

fn told(pulled: &Pulled) -> Vec<String> {
    pulled.rows.iter().map(|row| format!("{} {} {}", row.company, row.metric, row.quantity)).collect()
}

#[tokio::test]
async fn every_site_is_read_and_no_address_of_an_answer_is_called() {
    let (datto, host) = serve(host()).await;
    let source = datto.open(&credentials("its secret")).unwrap();
    let pulled = source.pull(&wanted(&["devices", "on_demand_devices"], None)).await;
    assert_eq!((pulled.stopped.as_ref(), pulled.pages), (None, 2));
    assert_eq!(told(&pulled), ["a devices 37", "b on_demand_devices 4", "c devices 0"]);
    assert_eq!(pulled.whole, wanted(&["devices", "on_demand_devices"], None).metrics);
    let accounts: Vec<_> = pulled.customers.iter().map(|customer| customer.account_id.clone()).collect();
    assert_eq!(accounts, [Some("29683502".parse().unwrap()), None, None]);
    let asked = host.asked.lock().unwrap().clone();
    assert_eq!(asked, [TOKEN, "/api/v2/account/sites?max=250", "/api/v2/account/sites?max=250&page=1"]);
}

#[tokio::test]
async fn devices_are_counted_for_the_managed_sites_that_are_wanted_alone() {
    let (datto, host) = serve(host()).await;
    let source = datto.open(&credentials("its secret")).unwrap();
    let pulled = source.pull(&wanted(&["servers"], Some(&["a", "b"]))).await;
    assert_eq!((told(&pulled), pulled.stopped.clone()), (vec!["a servers 1".to_owned()], None));
    assert!(pulled.whole.is_empty(), "nobody asked about the others");
    assert_eq!(host.asked.lock().unwrap().last().unwrap(), "/api/v2/site/a/devices?max=250");
    let pulled = source.pull(&wanted(&["servers"], None)).await;
    assert_eq!(told(&pulled), ["a servers 1", "c servers 1"]);
    assert_eq!(pulled.whole, wanted(&["servers"], None).metrics);
}

#[tokio::test]
async fn a_list_that_ends_short_of_its_total_is_not_whole() {
    let (datto, _host) = serve(Host { sites: vec![TWO_PAGES[1]], ..host() }).await;
    let pulled = datto.open(&credentials("its secret")).unwrap().pull(&wanted(&["devices"], None)).await;
    assert_eq!(pulled.stopped.map(|error| error.code), Some("source_total_differs".to_owned()));
    assert!(pulled.whole.is_empty());
}

#[tokio::test]
async fn a_device_that_does_not_say_what_it_is_leaves_the_metric_open() {
    let devices = r#"{"pageDetails": {"totalCount": 1}, "devices": [{"uid": "1", "deviceClass": "device"}]}"#;
    let (datto, _host) = serve(Host { devices, ..host() }).await;
    let pulled = datto.open(&credentials("its secret")).unwrap().pull(&wanted(&["servers"], None)).await;
    assert_eq!((told(&pulled), pulled.whole.len(), pulled.stopped), (Vec::new(), 0, None));
}

#[tokio::test]
async fn devices_of_another_site_are_not_this_ones() {
    let devices = r#"{"pageDetails": {"totalCount": 1}, "devices": [{"uid": "1", "siteUid": "z"}]}"#;
    let (datto, _host) = serve(Host { devices, ..host() }).await;
    let pulled = datto.open(&credentials("its secret")).unwrap().pull(&wanted(&["servers"], None)).await;
    assert_eq!(pulled.stopped.map(|error| error.code), Some("source_unexpected_answer".to_owned()));
}

#[tokio::test]
async fn a_token_that_is_taken_no_more_is_replaced_once() {
    let (datto, _host) = serve(Host { stale: 1, ..host() }).await;
    let seen = datto.open(&credentials("its secret")).unwrap().test().await;
    assert_eq!(seen, Ok(Seen { customers: Some(3) }));
    let (datto, _host) = serve(Host { stale: 9, ..host() }).await;
    let error = datto.open(&credentials("its secret")).unwrap().test().await.unwrap_err();
    assert_eq!(error.code, "source_credentials_rejected");
}

#[tokio::test]
async fn a_wrong_secret_is_told_as_what_it_is_and_shown_nowhere() {
    let (datto, _host) = serve(host()).await;
    let wrong = credentials("another-secret");
    let error = datto.open(&wrong).unwrap().test().await.unwrap_err();
    assert_eq!(error.code, "source_token_refused");
    assert!(!format!("{error:?} {wrong:?}").contains("another-secret"));
}

#[test]
fn credentials_go_to_no_host_but_the_vendors() {
    let datto = opener("http://127.0.0.1:1");
    for host in ["centrastage.net.evil.com", "evilcentrastage.net", "127.0.0.1", "", "api.centrastage.net/x"] {
        let refused = datto.open(&DattoRmmCredentials { host: host.to_owned(), ..credentials("its secret") });
        assert!(refused.is_err_and(|error| error.code.starts_with("source_host_")), "{host}");
    }
}
