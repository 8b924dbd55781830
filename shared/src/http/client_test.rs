//! The client against a host on loopback: what it follows and repeats, its limits, and what its errors tell.

use std::process::Command;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderName;
use secrecy::SecretString;
use url::Url;

use super::policy::Policy;
use super::spy::{LOOPBACK, Manner, Names, PATIENT, Spy, client, client_of};
use super::{AllowList, Answer, Client, HttpError, KASEYA_BMS, Settings};

const TYPED: &str = "api.bms.kaseya.com";

async fn get(client: &Client) -> Result<Answer, HttpError> {
    client.read(Method::GET, &client.check(TYPED).unwrap(), "/v2/x").send().await
}

fn says(text: &str) -> Manner {
    Manner::Says(text.as_bytes().to_vec())
}

fn of_length(length: usize, head: &str) -> Manner {
    Manner::Says([format!("HTTP/1.1 200 OK\r\n{head}\r\n").into_bytes(), vec![b'x'; length]].concat())
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let target = Spy::listen(says("HTTP/1.1 204 No Content\r\n\r\n")).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("HTTP/1.1 {status} Moved\r\nLocation: http://{TYPED}:{}/\r\n\r\n", target.port);
        let spy = Spy::listen(says(&location)).await;
        assert_eq!(get(&client_of(&spy)).await.unwrap().status, status);
        assert_eq!(spy.connections(), 1);
    }
    assert_eq!(target.connections(), 0);
}

#[test]
fn no_proxy_is_taken_from_the_environment() {
    // Nothing listens there, so with a proxy the test that is run again would fail.
    let proxies = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let again = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "http::client_test::a_redirect_is_an_answer_and_is_not_followed"])
        .envs(proxies.map(|name| (name, "http://127.0.0.1:1")))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&again.stdout);
    assert!(again.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
async fn an_answer_of_one_mebibyte_is_read_and_a_longer_one_is_not() {
    let longest = Settings::default().longest_answer;
    assert_eq!(longest, 1024 * 1024);
    let spy = Spy::listen(of_length(longest, "")).await;
    assert_eq!(get(&client_of(&spy)).await.unwrap().body.len(), longest);
    let spy = Spy::listen(of_length(longest + 1, "")).await;
    assert_eq!(get(&client_of(&spy)).await.unwrap_err(), HttpError::AnswerTooLarge);
    // Announced as longer: refused at the announcement, for no more than ten bytes ever come.
    let spy = Spy::listen(of_length(10, "Content-Length: 1048577\r\n")).await;
    assert_eq!(get(&client_of(&spy)).await.unwrap_err(), HttpError::AnswerTooLarge);
}

#[tokio::test]
async fn an_endless_answer_is_hung_up_on() {
    let spy = Spy::listen(Manner::SaysOn("HTTP/1.1 200 OK\r\n\r\n")).await;
    assert_eq!(get(&client_of(&spy)).await.unwrap_err(), HttpError::AnswerTooLarge);
    spy.hung_up().await;
    assert_eq!(spy.connections(), 1);
}

#[tokio::test]
async fn a_silent_host_is_given_up_and_not_asked_again() {
    let spy = Spy::listen(Manner::Silent).await;
    let names = Names::answering(vec![vec![LOOPBACK]]);
    let short = Settings { request_timeout: Duration::from_millis(40), ..PATIENT };
    let error = get(&client(("http", &spy), |_| true, &names, short)).await.unwrap_err();
    assert_eq!(error, HttpError::TimedOut);
    assert!(!error.surely_not_sent());
    assert!(spy.connections() <= 1 && names.looked_up().len() == 1);
}

#[tokio::test]
async fn nothing_of_what_the_host_says_shows_in_an_error() {
    let leaks = "hunter2 in <html>";
    let head = format!("HTTP/1.1 200 {leaks}\r\nX-Token: {leaks}\r\n");
    let lost = format!("{head}Content-Length: 500\r\n\r\n{leaks}");
    let too_long = format!("{head}Content-Length: 9999999\r\n\r\n{leaks}");
    let broken = format!("{head}Transfer-Encoding: chunked\r\n\r\n{leaks}\r\n");
    for (said, scheme, code) in [
        (lost.as_str(), "http", "connection_lost"),
        (leaks, "http", "connection_lost"),
        (broken.as_str(), "http", "connection_lost"),
        (too_long.as_str(), "http", "answer_too_large"),
        (leaks, "https", "tls_failed"),
        ("", "https", "tls_failed"),
    ] {
        let spy = Spy::listen(says(said)).await;
        let names = Names::answering(vec![vec![LOOPBACK]]);
        let error = get(&client((scheme, &spy), |_| true, &names, PATIENT)).await.unwrap_err();
        assert_eq!(error.code(), code, "{said}");
        let shown = format!("{error} {error:?} {} {}", error.explanation(), error.fix());
        assert!(!shown.contains("hunter2") && !shown.contains("html"), "{shown}");
        assert_eq!(spy.connections(), 1);
    }
    let spy = Spy::listen(says(&format!("HTTP/1.1 401 {leaks}\r\nRetry-After: 7\r\n\r\n\"{leaks}\""))).await;
    let answer = get(&client_of(&spy)).await.unwrap();
    assert_eq!((answer.status, answer.retry_after_s, answer.succeeded()), (401, Some(7), false));
    assert_eq!((answer.parse::<String>().as_deref(), answer.parse::<u32>()), (Some(leaks), None));
    assert!(!format!("{answer:?}").contains("hunter2"));
}

#[tokio::test]
async fn what_surely_was_not_sent_is_told_from_what_may_have_been() {
    let spy = Spy::listen(Manner::Silent).await;
    let no_such_name = client(("http", &spy), |_| true, &Names::answering(vec![]), PATIENT);
    let no_address = client(("http", &spy), |_| true, &Names::answering(vec![vec![]]), PATIENT);
    for nowhere in [no_such_name, no_address] {
        let error = get(&nowhere).await.unwrap_err();
        assert_eq!((error, error.surely_not_sent()), (HttpError::Unreachable, true));
    }
    assert!(HttpError::TlsFailed.surely_not_sent() && HttpError::AddressNotAllowed.surely_not_sent());
    assert!(!HttpError::ConnectionLost.surely_not_sent() && !HttpError::AnswerTooLarge.surely_not_sent());
    assert_eq!(spy.connections(), 0);
}

#[tokio::test]
async fn what_a_caller_hands_over_stays_data() {
    let spy = Spy::listen(says("HTTP/1.1 200 OK\r\n\r\n")).await;
    let client = client_of(&spy);
    let host = client.check(TYPED).unwrap();
    let call = || client.write(Method::POST, &host, "/v2/contracts");
    let token = SecretString::from("t0ken");
    let sent = call().segment("1/../2?x#y").segment("services").query("Filter.Name", "a&b=c");
    sent.bearer(&token).form(&[("UserName", "a&GrantType=x"), ("Tenant", "My MSP")]).send().await.unwrap();
    let request = spy.requests().remove(0);
    assert!(request.starts_with("POST /v2/contracts/1%2F..%2F2%3Fx%23y/services?Filter.Name=a%26b%3Dc HTTP/1.1\r\n"));
    assert!(request.contains("authorization: Bearer t0ken\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\nUserName=a%26GrantType%3Dx&Tenant=My+MSP"), "{request}");

    let split = SecretString::from("t0ken\r\nX-Evil: 1");
    for bad in [call().segment(".."), call().segment("."), call().segment(""), call().bearer(&split)] {
        assert_eq!(bad.json(&[1]).send().await.unwrap_err(), HttpError::RequestMalformed);
    }
    let named = call().credential(HeaderName::from_static("x-access-token"), &split);
    assert_eq!(named.send().await.unwrap_err(), HttpError::RequestMalformed);
    assert_eq!(spy.requests().len(), 1);
}

#[tokio::test]
async fn a_write_has_a_connection_of_its_own() {
    let spy = Spy::listen(Manner::Keeps).await;
    let client = client_of(&spy);
    let host = client.check(TYPED).unwrap();
    for _ in 0..3 {
        client.write(Method::POST, &host, "/").json(&[1]).send().await.unwrap();
    }
    assert_eq!(spy.connections(), 3);
}

#[tokio::test]
async fn a_simulator_is_called_at_its_base_whatever_the_host_but_hosts_are_checked_as_ever() {
    let spy = Spy::listen(says("HTTP/1.1 200 OK\r\n\r\n")).await;
    let base = Url::parse(&format!("http://127.0.0.1:{}/simulated/", spy.port)).unwrap();
    let client = Client::at(&base, AllowList::new(KASEYA_BMS).unwrap(), PATIENT).unwrap();
    assert_eq!(get(&client).await.unwrap().status, 200);
    assert!(spy.requests()[0].starts_with("GET /simulated/v2/x HTTP/1.1\r\n"));
    assert_eq!(client.check("127.0.0.1").unwrap_err().code(), "host_not_allowed");
}

#[test]
fn the_shipped_client_speaks_https_to_port_443_of_public_addresses() {
    let client = Client::new(AllowList::new(KASEYA_BMS).unwrap(), Settings::default()).unwrap();
    let shown = format!("{client:?}");
    assert!(shown.contains(r#"Named { scheme: "https", port: 443 }"#), "{shown}");
    let policy = Policy::guarded(AllowList::new(KASEYA_BMS).unwrap());
    assert!(policy.https_only() && !(policy.permits)(LOOPBACK));
    let host = client.check(TYPED).unwrap();
    assert_eq!(policy.address(&host, "/v2/x").unwrap().as_str(), "https://api.bms.kaseya.com/v2/x");
}
