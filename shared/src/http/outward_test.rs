//! Addresses that users name: which are refused, and that those which are called are called within the same limits as hosts.

use std::time::Duration;

use url::Url;

use super::address::is_public;
use super::hostile_test::HOSTILE;
use super::policy::{Place, Policy};
use super::spy::{LOOPBACK, Manner, Names, PATIENT, Spy};
use super::{AllowList, Client, HttpError, Outward, Settings};

const RECEIVER: &str = "https://hooks.partner.dev/tallyline";

/// The shipped client, but for the scheme, the port and the addresses that are permitted.
fn outward(spy: &Spy, permits: fn(std::net::IpAddr) -> bool, names: &std::sync::Arc<Names>) -> Outward {
    let place = Place::Named { scheme: "http", port: spy.port };
    let policy = Policy { allowed: AllowList::any_public(), permits, place };
    Outward::of(Client::with(policy, names.clone(), PATIENT).unwrap())
}

const HOSTILE_URLS: [&str; 44] = [
    // not https
    "http://hooks.partner.dev/",
    "ftp://hooks.partner.dev/",
    "file:///etc/passwd",
    "gopher://hooks.partner.dev/",
    "//hooks.partner.dev/",
    "hooks.partner.dev",
    "https:/hooks.partner.dev/",
    "https:hooks.partner.dev",
    "javascript:alert(1)",
    "",
    // a user, a port, a fragment
    "https://user@hooks.partner.dev/",
    "https://user:pass@hooks.partner.dev/",
    "https://hooks.partner.dev@169.254.169.254/",
    "https://169.254.169.254@hooks.partner.dev/",
    "https://hooks.partner.dev:8443/",
    "https://hooks.partner.dev:80/",
    "https://hooks.partner.dev:/",
    "https://hooks.partner.dev:443:443/",
    "https://hooks.partner.dev:0443/",
    "https://hooks.partner.dev/#top",
    // addresses, in every spelling
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://8.8.8.8/",
    "https://[::1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[fd00:ec2::254]/",
    "https://[64:ff9b::7f00:1]:443/",
    "https://\u{ff11}\u{ff12}\u{ff17}.0.0.1/",
    "https://127\u{3002}0\u{3002}0\u{3002}1/",
    // names of this machine and of this network
    "https://localhost/",
    "https://metadata.google.internal/computeMetadata/v1/",
    "https://ip-10-0-0-1.ec2.internal/",
    "https://printer.local/",
    "https://hooks/",
    "https://hooks.partner.dev./",
    // what is read in two ways
    "https://hooks.partner.dev\\@169.254.169.254/",
    "https://169.254.169.254\\.hooks.partner.dev/",
    "https://hooks.partner%2edev/",
    "https://hooks.partner.dev\t/",
    "https://hooks.partner.dev/\r\nX-Evil: 1",
];

#[tokio::test]
async fn hostile_addresses_are_refused_before_a_byte_is_sent() {
    let spy = Spy::listen(Manner::Says(b"HTTP/1.1 200 OK\r\n\r\n".to_vec())).await;
    let names = Names::answering(vec![vec![LOOPBACK]]);
    let outward = outward(&spy, |_| true, &names);
    // Hosts that are refused for what they are, and not because a vendor has others, are refused within an address too.
    let vendors = ["kaseya", "k\u{0430}seya", "autotask.net", "nip.io", "attacker.net", "xn--kseya"];
    let of_hosts = HOSTILE.iter().flat_map(|(_, hosts)| hosts.iter());
    let of_hosts =
        of_hosts.filter(|host| !vendors.iter().any(|vendor| host.contains(vendor)) && **host != "example.com");
    let of_hosts: Vec<String> = of_hosts.map(|host| format!("https://{host}/hook")).collect();
    assert!(of_hosts.len() > 40);
    let long = format!("{RECEIVER}?{}", "x".repeat(2048));
    let all = HOSTILE_URLS.iter().copied().chain(of_hosts.iter().map(String::as_str)).chain([long.as_str()]);
    let mut taken = Vec::new();
    for typed in all {
        if let Ok(url) = outward.check(typed) {
            taken.push((typed.to_owned(), url));
        }
    }
    assert!(taken.is_empty(), "{taken:#?}");
    assert_eq!((names.looked_up().len(), spy.connections()), (0, 0));
}

#[test]
fn an_address_has_one_spelling_and_its_debug_shows_no_path() {
    let outward = Outward::new().unwrap();
    for typed in ["https://hooks.partner.dev/a?b=c", "HTTPS://Hooks.Partner.dev:443/a?b=c"] {
        let url = outward.check(typed).unwrap();
        assert_eq!(url.as_str(), "https://hooks.partner.dev/a?b=c");
        assert!(!format!("{url:?}").contains("b=c"));
    }
    assert_eq!(outward.check("https://b\u{fc}cher.de").unwrap().as_str(), "https://xn--bcher-kva.de/");
    assert!(outward.check("https://example.com/x%20y/z@w:1").is_ok(), "what follows the host is the partner's own");
}

#[tokio::test]
async fn a_name_that_leads_to_this_network_is_not_connected_to() {
    let spy = Spy::listen(Manner::Silent).await;
    for inward in ["127.0.0.1", "::ffff:127.0.0.1", "10.0.0.7", "100.64.0.1", "169.254.169.254", "2002:7f00:1::", "::1"]
    {
        let names = Names::answering(vec![vec![inward.parse().unwrap()]]);
        let outward = outward(&spy, is_public, &names);
        let url = outward.check(RECEIVER).unwrap();
        assert_eq!(outward.post(&url).send_for_status().await.unwrap_err(), HttpError::AddressNotAllowed, "{inward}");
        assert_eq!(names.looked_up(), ["hooks.partner.dev"]);
    }
    assert_eq!(spy.connections(), 0);
}

#[test]
fn what_is_shipped_speaks_https_to_public_addresses_within_its_limits() {
    let shown = format!("{:?}", Outward::new().unwrap());
    for part in [r#"scheme: "https", port: 443"#, "request_timeout: 10s", "longest_answer: 65536", "excepted: None"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

async fn status_of(manner: Manner, settings: Settings) -> (Result<u16, HttpError>, Spy) {
    let spy = Spy::listen(manner).await;
    let base = Url::parse(&format!("http://127.0.0.1:{}/", spy.port)).unwrap();
    let outward = Outward::new().unwrap().except(&base, settings).unwrap();
    let url = outward.check(&format!("{base}hook")).unwrap();
    (outward.post(&url).written_json(b"{}".to_vec()).send_for_status().await, spy)
}

#[tokio::test]
async fn the_status_counts_and_the_body_does_not() {
    let says = |text: String| Manner::Says(text.into_bytes());
    let short = Settings { request_timeout: Duration::from_millis(300), longest_answer: 1024, ..PATIENT };
    for status in [200, 204, 301, 308, 400, 410, 500] {
        let target = format!("HTTP/1.1 {status} X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
        let (answer, spy) = status_of(says(target), PATIENT).await;
        assert_eq!((answer, spy.connections()), (Ok(status), 1));
    }
    let hanging = says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx".into());
    assert_eq!(status_of(hanging, short).await.0, Ok(200));
    let (answer, spy) = status_of(Manner::SaysOn("HTTP/1.1 200 OK\r\n\r\n"), short).await;
    assert_eq!(answer, Ok(200));
    spy.hung_up().await;
    let silent = Settings { request_timeout: Duration::from_millis(40), ..PATIENT };
    assert_eq!(status_of(Manner::Silent, silent).await.0, Err(HttpError::TimedOut));
}

#[test]
fn an_exception_holds_for_its_base_and_nothing_else() {
    let base = Url::parse("http://127.0.0.1:9400/in/").unwrap();
    let outward = Outward::new().unwrap().except(&base, PATIENT).unwrap();
    assert!(outward.check("http://127.0.0.1:9400/in/hook").is_ok());
    for typed in [
        "http://127.0.0.1:9401/in/hook",
        "http://127.0.0.1:9400/out",
        "http://localhost:9400/in/",
        "https://127.0.0.1/in/",
    ] {
        assert!(outward.check(typed).is_err(), "{typed}");
    }
}
