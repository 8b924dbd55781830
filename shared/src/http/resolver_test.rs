//! Where a name leads is filtered in the look-up of each connection.

use reqwest::Method;
use reqwest::dns::Resolve as _;

use super::address::is_public;
use super::resolver::Filtered;
use super::spy::{LOOPBACK, Manner, Names, PATIENT, Spy, client};
use super::{Answer, Client, HttpError};

const TYPED: &str = "api.bms.kaseya.com";

/// On a connection of its own.
async fn call(client: &Client) -> Result<Answer, HttpError> {
    client.write(Method::GET, &client.check(TYPED).unwrap(), "/").send().await
}

#[tokio::test]
async fn a_name_that_leads_to_this_network_is_not_connected_to() {
    let spy = Spy::listen(Manner::Silent).await;
    for inward in ["127.0.0.1", "::ffff:127.0.0.1", "::1", "10.0.0.7", "169.254.169.254", "64:ff9b::7f00:1"] {
        let names = Names::answering(vec![vec![inward.parse().unwrap()]]);
        let client = client(("http", &spy), is_public, &names, PATIENT);
        assert_eq!(call(&client).await.unwrap_err(), HttpError::AddressNotAllowed, "{inward}");
        assert_eq!(names.looked_up(), [TYPED]);
    }
    assert_eq!(spy.connections(), 0);
}

#[tokio::test]
async fn of_several_addresses_only_the_public_ones_reach_the_connection() {
    let several = ["169.254.169.254", "8.8.8.8", "10.0.0.7", "::1", "2606:4700::1111", "::ffff:127.0.0.1", "127.0.0.1"];
    let names = Names::answering(vec![several.map(|text| text.parse().unwrap()).to_vec()]);
    let filtered = Filtered { lookup: names, permits: is_public };
    let connected = filtered.resolve(TYPED.parse().unwrap()).await.ok().unwrap();
    let connected: Vec<String> = connected.map(|address| address.to_string()).collect();
    assert_eq!(connected, ["8.8.8.8:0", "[2606:4700::1111]:0"]);
}

#[tokio::test]
async fn a_name_that_changes_after_the_check_is_filtered_at_each_connection() {
    let spy = Spy::listen(Manner::Keeps).await;
    let names = Names::answering(vec![vec![LOOPBACK], vec!["10.0.0.7".parse().unwrap()]]);
    let client = client(("http", &spy), |address| address == LOOPBACK, &names, PATIENT);
    assert_eq!(call(&client).await.unwrap().status, 204);
    // One look-up a connection: there is no second answer that a connection could be made to.
    assert_eq!(names.looked_up().len(), 1);
    assert_eq!(call(&client).await.unwrap_err(), HttpError::AddressNotAllowed);
    assert_eq!(spy.connections(), 1);
}
