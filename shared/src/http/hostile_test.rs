//! What must never be called, whoever types it. Every name leads to a host that counts, so that
//! one which slips through shows as a look-up or a connection.

use reqwest::Method;
use secrecy::SecretString;

use super::spy::{LOOPBACK, Manner, Names, PATIENT, Spy, client};
use super::{AllowList, Answer, Client, HttpError};

const MALFORMED: &str = "host_malformed";
const NOT_ALLOWED: &str = "host_not_allowed";

pub(super) const HOSTILE: &[(&str, &[&str])] = &[
    // names that only look like the vendor's
    (
        NOT_ALLOWED,
        &[
            "evilkaseya.com",
            "kaseya.com.evil.example.org",
            "kaseya.co",
            "kaseya.com.br",
            "kaseyacom.net",
            "bms-kaseya.com",
            "api.bms.kaseya.com.attacker.net",
            "k\u{0430}seya.com",
            "bms.k\u{0430}seya.com",
            "xn--kseya-4ve.com",
            "kaseya.com\u{3002}attacker.net",
            "kaseya.com\u{ff0e}attacker.net",
            "autotask.net",
            "example.com",
            "127.0.0.1.nip.io",
        ],
    ),
    // addresses, in every spelling
    (
        NOT_ALLOWED,
        &[
            "127.0.0.1",
            "8.8.8.8",
            "169.254.169.254",
            "127.1",
            "0",
            "0.0.0.0",
            "2130706433",
            "0x7f000001",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "017700000001",
            "127.0.0.1.",
            "0xa9fea9fe",
            "2852039166",
            "[::1]",
            "::1",
            "[::ffff:127.0.0.1]",
            "::ffff:169.254.169.254",
            "[fe80::1%eth0]",
            "[64:ff9b::7f00:1]",
            "[fd00:ec2::254]",
            "https://127.0.0.1/",
            "\u{ff11}\u{ff12}\u{ff17}.\u{ff10}.\u{ff10}.\u{ff11}",
            "\u{2460}\u{2461}\u{2466}.0.0.1",
            "127\u{3002}0\u{3002}0\u{3002}1",
            "\u{ff10}\u{ff58}7f.1",
        ],
    ),
    // names of this machine and of this network
    (
        NOT_ALLOWED,
        &[
            "localhost",
            "LOCALHOST",
            "bms.localhost",
            "printer.local",
            "metadata.google.internal",
            "router.home.arpa",
            "ip-10-0-0-1.ec2.internal",
            "host.docker.internal",
            "kaseya.lan",
            "1.0.0.127.in-addr.arpa",
            "bms.kaseya.com.local",
        ],
    ),
    // more than a name
    (
        MALFORMED,
        &[
            "http://bms.kaseya.com",
            "http://bms.kaseya.com/",
            "ftp://bms.kaseya.com",
            "//bms.kaseya.com",
            "file:///etc/passwd",
            "https:/bms.kaseya.com",
            "https:bms.kaseya.com",
            "https://https://bms.kaseya.com",
            "https://bms.kaseya.com//",
            "bms.kaseya.com:443",
            "bms.kaseya.com:8443",
            "bms.kaseya.com:",
            "user@bms.kaseya.com",
            "user:pass@bms.kaseya.com",
            "bms.kaseya.com@attacker.net",
            "attacker.net@bms.kaseya.com",
            "https://bms.kaseya.com@attacker.net/",
            "https://attacker.net#.kaseya.com",
            "attacker.net/.kaseya.com",
            "attacker.net?.kaseya.com",
            "attacker.net#bms.kaseya.com",
            "attacker.net\\.kaseya.com",
            "https://bms.kaseya.com/api2",
            "bms.kaseya.com/",
            "bms.kaseya.com/../..",
            "bms.kaseya.com bms.kaseya.com",
            "attacker.net%2ekaseya.com",
            "attacker.net%00.kaseya.com",
            "%6b%61seya.com",
            "bms.kaseya.com%0d%0aHost:x",
            "fe80::1%eth0",
            "127.0.0.1:80",
        ],
    ),
    // what no host name is
    (
        MALFORMED,
        &[
            "",
            " ",
            "https://",
            "https:///",
            ".",
            "..",
            ".kaseya.com",
            "bms..kaseya.com",
            "bms.kaseya.com.",
            "kaseya.com.",
            "kaseya.com\u{3002}",
            "-bms.kaseya.com",
            "bms-.kaseya.com",
            "_bms.kaseya.com",
            "*.kaseya.com",
            "bms,kaseya.com",
            "kaseya",
            "com",
            "b$ms.kaseya.com",
            "${jndi:ldap}.kaseya.com",
            "bms.kaseya.com\u{ff0f}x",
            "attacker.net\u{2100}.kaseya.com",
            "attacker.net\u{ff03}.kaseya.com",
            "bms\u{202e}.kaseya.com",
            "256.256.256.256",
            "1.2.3.4.5",
            "0x100000000",
            "xn--.kaseya.com",
        ],
    ),
    // control characters
    (
        MALFORMED,
        &[
            "bms.kaseya.com\r\nX-Evil: 1",
            "bms.kaseya.com\n",
            "\tbms.kaseya.com",
            "bms.kas\u{0}eya.com",
            "attacker.net\0.kaseya.com",
            "bms.kaseya.com\u{7f}",
            "bms.kaseya.com\u{85}",
        ],
    ),
];

async fn visit(client: &Client, typed: &str) -> Result<Answer, HttpError> {
    let host = client.check(typed)?;
    let secret = SecretString::from("hunter2");
    client.write(Method::POST, &host, "/v2/security/authenticate").bearer(&secret).send().await
}

#[tokio::test]
async fn hostile_hosts_are_refused_before_a_byte_is_sent() {
    let spy = Spy::listen(Manner::Says(b"HTTP/1.1 200 OK\r\n\r\n".to_vec())).await;
    let names = Names::answering(vec![vec![LOOPBACK]]);
    let client = client(("http", &spy), |_| true, &names, PATIENT);
    let long =
        [format!("{}.kaseya.com", "a".repeat(64)), format!("{}kaseya.com", "a.".repeat(122)), "9".repeat(10_000)];
    let listed = HOSTILE.iter().flat_map(|(code, inputs)| inputs.iter().map(|typed| (*code, *typed)));
    let (mut refused, mut taken) = (0, Vec::new());
    for (code, typed) in listed.chain(long.iter().map(|typed| (MALFORMED, typed.as_str()))) {
        match visit(&client, typed).await {
            Err(error) if error.code() == code => refused += 1,
            other => taken.push((typed, other)),
        }
    }
    assert!(taken.is_empty(), "{taken:#?}");
    assert!(refused >= 40);
    assert_eq!(names.looked_up(), [""; 0]);
    assert_eq!(spy.connections(), 0);
    println!("{refused} hostile hosts refused: no look-up, no connection");

    // One that is allowed shows that the others would have been seen.
    assert_eq!(visit(&client, "bms.kaseya.com").await.unwrap().status, 200);
    assert_eq!(names.looked_up(), ["bms.kaseya.com"]);
    assert_eq!(spy.connections(), 1);
}

#[tokio::test]
async fn a_host_checked_for_one_vendor_is_not_called_by_the_client_of_another() {
    let spy = Spy::listen(Manner::Silent).await;
    let names = Names::answering(vec![vec![LOOPBACK]]);
    let client = client(("http", &spy), |_| true, &names, PATIENT);
    let theirs = AllowList::new(["dropsuite.us"]).unwrap().check("app.dropsuite.us").unwrap();
    let answer = client.read(Method::GET, &theirs, "/").send().await;
    assert_eq!(answer.unwrap_err().code(), NOT_ALLOWED);
    assert_eq!((names.looked_up().len(), spy.connections()), (0, 0));
}
