//! The simulated Datto RMM seen from outside, over HTTP.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, RequestBuilder};
use simulators::datto_rmm::{DattoRmm, Devices, Route, SAMPLE_KEY, SAMPLE_SECRET, Site};
use simulators::vendor::{Change, Customer as _, Fault, MANY, Seed, When};
use simulators::{Clock, datto_rmm};

use crate::caller::{Caller, Told, each, form, read};

const SITES: &str = "/api/v2/account/sites";

fn sites(many: i64) -> Vec<Site> {
    (1..=many).map(|id| Site::new(id, format!("Customer {id}"))).collect()
}

async fn large() -> DattoRmm {
    let seed = Seed { companies: MANY, seed: 1, now: Timestamp::UNIX_EPOCH };
    DattoRmm::start(seed.build::<datto_rmm::Api>()).await.unwrap()
}

fn log_in(datto: &DattoRmm, client: (&str, &str), grant: &str, secret: &str) -> RequestBuilder {
    let request = Client::new().post(format!("{}/auth/oauth/token", datto.base()));
    let fields = [("grant_type", grant), ("username", SAMPLE_KEY), ("password", secret)];
    form(request.basic_auth(client.0, Some(client.1)), &fields)
}

async fn caller(datto: &DattoRmm) -> Caller {
    Caller::let_in_by(datto.base(), log_in(datto, ("public-client", "public"), "password", SAMPLE_SECRET)).await
}

/// The path of the next page of a list, at whatever host it is said to be.
fn next(told: &Told) -> Option<String> {
    let address = told.1["pageDetails"]["nextPageUrl"].as_str()?;
    Some(address.strip_prefix("https://concord-api.centrastage.net").unwrap().to_owned())
}

#[tokio::test]
async fn every_site_of_a_large_account_is_reached_from_page_to_page() {
    let datto = large().await;
    let (caller, mut names, mut path) = (caller(&datto).await, BTreeSet::new(), SITES.to_owned());
    loop {
        let told = caller.get(&path).await;
        let (_, page) = &told;
        assert_eq!((told.0, &page["pageDetails"]["totalCount"]), (200, &MANY.into()));
        assert_eq!(page["pageDetails"]["prevPageUrl"].is_null(), path == SITES);
        names.extend(each(&page["sites"], "name").into_iter().map(str::to_owned));
        let Some(next) = next(&told) else { break };
        path = next;
    }
    assert_eq!((names.len(), datto.count(Route::Sites)), (MANY, 5));
    assert!(path.ends_with("page=4"), "pages are counted from 0: {path}");
}

#[tokio::test]
async fn a_page_is_no_larger_than_250_sites_and_a_site_names_its_company_in_autotask() {
    let datto = large().await;
    let (_, page) = caller(&datto).await.get(&format!("{SITES}?max=1000")).await;
    assert_eq!(page["pageDetails"]["count"], 250);
    assert_eq!(page["sites"][0]["autotaskCompanyId"], "1001");
    assert_eq!(caller(&datto).await.status(&format!("{SITES}?max=0")).await, 400);
}

#[tokio::test]
async fn who_says_a_wrong_thing_gets_no_token_and_without_one_nothing_is_told() {
    let datto = DattoRmm::start(sites(1)).await.unwrap();
    let public = ("public-client", "public");
    for (client, grant, secret, status, error) in [
        (public, "password", "another", 400, "invalid_grant"),
        (public, "client_credentials", SAMPLE_SECRET, 400, "unsupported_grant_type"),
        (("another", "public"), "password", SAMPLE_SECRET, 401, "invalid_client"),
    ] {
        let (told, body) = read(log_in(&datto, client, grant, secret).send().await.unwrap()).await;
        assert_eq!((told, &body["error"]), (status, &error.into()));
    }
    let stranger = Caller { token: "simulated-token-1".to_owned(), ..caller(&DattoRmm::start(sites(1)).await.unwrap()).await };
    let stranger = Caller { base: datto.base(), ..stranger };
    assert_eq!(stranger.status(SITES).await, 401);
    let answered: Vec<_> = datto.requests().iter().map(|asked| asked.status).collect();
    assert_eq!(answered, [400, 400, 401, 401].map(Some));
    assert!(!format!("{datto:?}").contains(SAMPLE_SECRET));
}

#[tokio::test]
async fn a_token_is_good_for_a_hundred_hours() {
    let (clock, hand) = Clock::by_hand(Timestamp::UNIX_EPOCH);
    let datto = DattoRmm::setup(sites(1)).clock(clock).start().await.unwrap();
    let caller = caller(&datto).await;
    hand.advance(SignedDuration::from_hours(100) - SignedDuration::from_secs(1));
    assert_eq!(caller.status(SITES).await, 200);
    hand.advance(SignedDuration::from_secs(1));
    assert_eq!(caller.status(SITES).await, 401);
}

#[tokio::test]
async fn the_601st_read_of_a_minute_is_turned_away_and_a_token_is_no_read() {
    let (clock, hand) = Clock::by_hand(Timestamp::UNIX_EPOCH);
    let datto = DattoRmm::setup(sites(1)).clock(clock).start().await.unwrap();
    let caller = caller(&datto).await;
    datto.use_requests(599);
    assert_eq!(caller.status(SITES).await, 200);
    assert_eq!(caller.status(SITES).await, 429);
    hand.advance(SignedDuration::from_secs(60));
    assert_eq!(caller.status(SITES).await, 200);
}

#[tokio::test]
async fn a_fault_strikes_the_third_page_and_that_page_is_there_when_asked_for_again() {
    let datto = DattoRmm::start(sites(5)).await.unwrap();
    datto.plan_fault(When::Request(Route::Sites, 3), Fault::answer(503, ""));
    let caller = caller(&datto).await;
    let mut answered = Vec::new();
    for page in [0, 1, 2, 2] {
        answered.push(caller.status(&format!("{SITES}?max=2&page={page}")).await);
    }
    assert_eq!(answered, [200, 200, 503, 200]);
}

#[tokio::test]
async fn a_site_that_is_deleted_after_the_second_page_hides_another_one() {
    let datto = DattoRmm::start(sites(7)).await.unwrap();
    datto.change_after_page(2, Change::Delete(Site::new(1, "").id()));
    let (caller, mut names) = (caller(&datto).await, Vec::new());
    let mut totals = Vec::new();
    for page in 0..4 {
        let (_, page) = caller.get(&format!("{SITES}?max=2&page={page}")).await;
        totals.push(page["pageDetails"]["totalCount"].as_i64().unwrap());
        names.extend(each(&page["sites"], "name").into_iter().map(|name| name.replace("Customer ", "")));
    }
    assert_eq!((names.join(" ").as_str(), &totals[..]), ("1 2 3 4 6 7", &[7, 7, 6, 6][..]));
}

#[tokio::test]
async fn a_list_can_be_made_to_lead_to_its_second_page_for_ever() {
    let datto = DattoRmm::start(sites(5)).await.unwrap();
    datto.switch(|switches| switches.repeats_token = true);
    let (caller, mut path) = (caller(&datto).await, format!("{SITES}?max=2"));
    for _ in 0..5 {
        let told = caller.get(&path).await;
        assert_eq!(each(&told.1["sites"], "name"), ["Customer 1", "Customer 2"]);
        path = next(&told).unwrap();
    }
    assert!(path.ends_with("page=1"), "{path}");
}

#[tokio::test]
async fn the_devices_of_a_site_are_listed_in_pages_of_their_own() {
    let devices = Devices { desktops: 250, servers: 1, deleted: 1, ..Devices::default() };
    let site = Site { devices, ..Site::new(1, "Acme") };
    let path = format!("/api/v2/site/{}/devices", site.id());
    let datto = DattoRmm::start([site]).await.unwrap();
    let caller = caller(&datto).await;
    let first = caller.get(&path).await;
    assert_eq!((&first.1["pageDetails"]["count"], &first.1["pageDetails"]["totalCount"]), (&250.into(), &252.into()));
    let second = caller.get(&next(&first).unwrap()).await;
    let uids: BTreeSet<_> = [&first, &second].into_iter().flat_map(|told| each(&told.1["devices"], "uid")).collect();
    assert_eq!((uids.len(), next(&second)), (252, None));
    assert_eq!(caller.get(SITES).await.1["sites"][0]["devicesStatus"]["numberOfDevices"], 251);
    assert_eq!(caller.status("/api/v2/site/another/devices").await, 404);
}
