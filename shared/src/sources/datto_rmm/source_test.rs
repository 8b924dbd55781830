//! The source against a host that speaks as Datto RMM's description has it.

use std::sync::Mutex;

use axum::response::{IntoResponse as _, Response};
use url::form_urlencoded;

use super::*;
use crate::sources::Filters;
use crate::sources::test_host::{self, Asked, told, unread, wanted};

/// Sites by page; the devices of any site.
struct Host {
    sites: Vec<&'static str>,
    devices: &'static str,
    /// Sites whose devices are not shown, and the status instead.
    refused: Vec<(&'static str, u16)>,
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
    fn answer(&self, Asked { uri, authorization, body, .. }: &Asked) -> Response {
        let mut asked = self.asked.lock().unwrap();
        asked.push(uri.to_string());
        let tokens = asked.iter().filter(|uri| *uri == TOKEN).count();
        if uri.path() == TOKEN {
            let right = authorization == CLIENT && body == "grant_type=password&username=key&password=its+secret";
            if !right {
                return test_host::status(400);
            }
            return format!(r#"{{"access_token": "token-{tokens}", "expires_in": 360000}}"#).into_response();
        }
        if tokens <= self.stale || *authorization != format!("Bearer token-{tokens}") {
            return test_host::status(401);
        }
        if let Some(site) = uri.path().strip_suffix("/devices") {
            let refused = self.refused.iter().find(|(refused, _)| site.ends_with(refused));
            return refused.map_or_else(|| self.devices.into_response(), |(_, status)| test_host::status(*status));
        }
        let mut query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let page: usize = query.find(|(name, _)| name == "page").map_or(0, |(_, page)| page.parse().unwrap());
        self.sites.get(page).map_or_else(|| test_host::status(404), |page| page.into_response())
    }
}

fn credentials(secret: &str) -> DattoRmmCredentials {
    DattoRmmCredentials {
        host: "concord-api.centrastage.net".to_owned(),
        api_key: "key".into(),
        api_secret: secret.into(),
    }
}

async fn serve(host: Host) -> (Arc<dyn Source>, Arc<Host>) {
    let host = Arc::new(host);
    let answers = Arc::clone(&host);
    let datto: DattoRmm = test_host::serve(move |asked| answers.answer(asked)).await;
    (datto.opened(&credentials("its secret")).unwrap(), host)
}

fn host() -> Host {
    Host { sites: TWO_PAGES.to_vec(), devices: DEVICES, refused: Vec::new(), stale: 0, asked: Mutex::default() }
}

fn metrics<const N: usize>(names: [&str; N]) -> BTreeSet<Metric> {
    names.map(Metric::from).into()
}

#[tokio::test]
async fn every_site_is_read_and_no_address_of_an_answer_is_called() {
    let (source, host) = serve(host()).await;
    let pulled = source.pull(&wanted(&["devices", "on_demand_devices"], None)).await;
    assert_eq!((pulled.stopped.as_ref(), pulled.pages, pulled.total), (None, 2, Some(3)));
    assert_eq!(told(&pulled), ["a devices 37", "b on_demand_devices 4", "c devices 0"]);
    assert_eq!(pulled.whole, metrics(["devices", "on_demand_devices"]));
    let accounts: Vec<_> = pulled.customers.iter().map(|customer| customer.account.clone()).collect();
    assert_eq!(accounts, [Some((Psa::Autotask, "29683502".parse().unwrap())), None, None]);
    let asked = host.asked.lock().unwrap().clone();
    assert_eq!(asked, [TOKEN, "/api/v2/account/sites?max=250", "/api/v2/account/sites?max=250&page=1"]);
}

#[tokio::test]
async fn devices_are_counted_for_the_managed_sites_that_are_wanted_alone() {
    let (source, host) = serve(host()).await;
    let pulled = source.pull(&wanted(&["servers"], Some(&["a", "b"]))).await;
    assert_eq!((told(&pulled), pulled.stopped.clone()), (vec!["a servers 1".to_owned()], None));
    assert_eq!(pulled.whole, metrics(["servers"]), "all that were asked about have told");
    assert_eq!(host.asked.lock().unwrap().last().unwrap(), "/api/v2/site/a/devices?max=250");
    let pulled = source.pull(&wanted(&["servers"], None)).await;
    assert_eq!(told(&pulled), ["a servers 1", "c servers 1"]);
    assert!(source.asks_each(&metrics(["devices", "servers"])) && !source.asks_each(&metrics(["devices"])));
}

#[tokio::test]
async fn a_site_that_can_not_be_read_keeps_nobody_from_reading_the_others() {
    for (status, why) in [(403, "source_permission_missing"), (404, "source_not_found"), (500, "source_unavailable")] {
        let (source, _host) = serve(Host { refused: vec![("a", status)], ..host() }).await;
        let pulled = source.pull(&wanted(&["devices", "servers"], None)).await;
        assert_eq!(unread(&pulled), [format!("a {why}")]);
        assert_eq!(
            (told(&pulled), pulled.stopped),
            (vec!["a devices 37".into(), "c devices 0".into(), "c servers 1".into()], None)
        );
        assert_eq!(pulled.whole, metrics(["devices"]));
    }
}

#[tokio::test]
async fn a_vendor_that_asks_to_wait_is_not_asked_about_anybody_else() {
    let (source, host) = serve(Host { refused: vec![("a", 429)], ..host() }).await;
    let pulled = source.pull(&wanted(&["servers"], None)).await;
    assert_eq!(pulled.stopped.map(|error| error.code), Some("source_rate_limited".to_owned()));
    assert_eq!((pulled.rows.len(), pulled.whole.len(), pulled.unread.len()), (0, 0, 0));
    assert!(!host.asked.lock().unwrap().iter().any(|uri| uri.contains("/c/")));
}

#[tokio::test]
async fn a_site_without_a_number_is_listed_and_leaves_the_metric_open() {
    let silent = r#"{"pageDetails": {"totalCount": 2}, "sites": [{"uid": "a", "name": "Acme"},
        {"uid": "b", "name": "Beta", "devicesStatus": {"numberOfDevices": 3}}]}"#;
    let (source, _host) = serve(Host { sites: vec![silent], ..host() }).await;
    let pulled = source.pull(&wanted(&["devices", "on_demand_devices"], None)).await;
    assert_eq!((told(&pulled), pulled.customers.len()), (vec!["b devices 3".to_owned()], 2));
    assert_eq!((pulled.whole, pulled.stopped), (metrics(["on_demand_devices"]), None));
}

#[tokio::test]
async fn suspended_devices_count_where_they_are_asked_for() {
    let devices = r#"{"pageDetails": {"totalCount": 1}, "devices": [{"uid": "1", "deviceType": {"category": "Server"}, "suspended": true}]}"#;
    let (source, _host) = serve(Host { devices, ..host() }).await;
    for (suspended, servers) in [(None, 0), (Some(false), 0), (Some(true), 1)] {
        let filters = Filters { suspended, ..Filters::default() };
        let pulled = source.pull(&Wanted { filters, ..wanted(&["servers"], Some(&["a"])) }).await;
        assert_eq!(told(&pulled), [format!("a servers {servers}")], "{suspended:?}");
    }
}

#[tokio::test]
async fn a_list_that_ends_short_of_its_total_is_not_whole() {
    let (source, _host) = serve(Host { sites: vec![TWO_PAGES[1]], ..host() }).await;
    let pulled = source.pull(&wanted(&["devices"], None)).await;
    assert_eq!(pulled.stopped.map(|error| error.code), Some("source_total_differs".to_owned()));
    assert!(pulled.whole.is_empty());
}

#[tokio::test]
async fn a_device_that_does_not_say_what_it_is_leaves_the_metric_open() {
    let devices = r#"{"pageDetails": {"totalCount": 1}, "devices": [{"uid": "1", "deviceClass": "device"}]}"#;
    let (source, _host) = serve(Host { devices, ..host() }).await;
    let pulled = source.pull(&wanted(&["servers"], None)).await;
    assert_eq!((told(&pulled), pulled.whole.len(), pulled.stopped), (Vec::new(), 0, None));
}

#[tokio::test]
async fn devices_of_another_site_are_not_this_ones() {
    let devices = r#"{"pageDetails": {"totalCount": 1}, "devices": [{"uid": "1", "siteUid": "z"}]}"#;
    let (source, _host) = serve(Host { devices, ..host() }).await;
    let pulled = source.pull(&wanted(&["servers"], None)).await;
    assert_eq!(unread(&pulled), ["a source_unexpected_answer", "c source_unexpected_answer"]);
    assert_eq!((pulled.rows.len(), pulled.whole.len(), pulled.stopped), (0, 0, None));
}

#[tokio::test]
async fn a_token_that_is_taken_no_more_is_replaced_once() {
    let (source, _host) = serve(Host { stale: 1, ..host() }).await;
    let seen = source.test().await;
    assert_eq!(seen, Ok(Seen { customers: Some(3) }));
    let (source, _host) = serve(Host { stale: 9, ..host() }).await;
    let error = source.test().await.unwrap_err();
    assert_eq!(error.code, "source_credentials_rejected");
}

#[tokio::test]
async fn a_wrong_secret_is_told_as_what_it_is_and_shown_nowhere() {
    let host = Arc::new(host());
    let datto: DattoRmm = test_host::serve(move |asked| host.answer(asked)).await;
    let wrong = credentials("another-secret");
    let error = datto.opened(&wrong).unwrap().test().await.unwrap_err();
    assert_eq!(error.code, "source_token_refused");
    assert!(!format!("{error:?} {wrong:?}").contains("another-secret"));
}

#[test]
fn credentials_go_to_no_host_but_the_vendors() {
    let datto: DattoRmm = test_host::at("http://127.0.0.1:1");
    for host in ["centrastage.net.evil.com", "evilcentrastage.net", "127.0.0.1", "", "api.centrastage.net/x"] {
        let refused = datto.opened(&DattoRmmCredentials { host: host.to_owned(), ..credentials("its secret") });
        assert!(refused.is_err_and(|error| error.code.starts_with("source_host_")), "{host}");
    }
}
