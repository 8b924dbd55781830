//! Alerts of an MSP: sent in over HTTP, delivered to the desk, and what stands of them in the PSA.

mod autotask;
pub mod flood;
mod kaseya_bms;
mod lane;
pub mod told;

use reqwest::Method;
use serde_json::{Value, json};

use super::{Fixture, Mishap, Msp};
use crate::Answer;
pub use lane::Lane;

/// A simulated PSA with a service desk.
pub trait ServiceDesk: Fixture {
    /// What fills its form of tickets.
    fn filled() -> Value;

    /// The field that [`Mishap::Refused`] complains of.
    const REQUIRED: &'static str;

    /// The tickets that it holds, the oldest first.
    fn desk_tickets(&self) -> Vec<DeskTicket>;

    /// Requests to make a ticket, taken or not.
    fn ticket_requests(&self) -> usize;

    /// Shows no ticket over its API for a while, or shows them again.
    fn hide_tickets(&self, hidden: bool);

    /// Something goes wrong with the nth request to make a ticket.
    fn strike_ticket(&self, nth: usize, mishap: Mishap);

    /// Something goes wrong with the nth request to add a note.
    fn strike_note(&self, nth: usize, mishap: Mishap);

    /// Something goes wrong with the search that follows the next request to make a ticket.
    fn strike_search(&self, mishap: Mishap);

    /// A technician completes every ticket.
    fn technician_completes(&self);

    /// Something goes wrong with the nth request to change a ticket.
    fn strike_change(&self, nth: usize, mishap: Mishap);

    /// Answers nothing but 503 from now on, or is there again.
    fn is_away(&self, away: bool);

    /// Turns the log-in away from now on, or lets it in again.
    fn turns_log_in_away(&self, away: bool);
}

/// A ticket in a simulated PSA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskTicket {
    /// Its id.
    pub id: i64,
    /// What people call it.
    pub number: String,
    /// The account.
    pub account: i64,
    /// Its title.
    pub title: String,
    /// Its text.
    pub text: String,
    /// The work is done.
    pub completed: bool,
    /// The texts of its notes, the oldest first.
    pub notes: Vec<String>,
}

/// An alert of a company, of the kind and severity that most tests need.
#[must_use]
pub fn alert(key: &str, company: &str) -> Value {
    json!({
        "dedupe_key": key, "company": company, "kind": "malware", "severity": "high",
        "title": format!("Malware at {company}"), "details": "It was removed.",
    })
}

impl<P: ServiceDesk> Msp<P> {
    /// Maps tickets of the connection, with `more` of the mapping's fields.
    pub async fn map_tickets(&self, more: Value) {
        let mut body = json!({ "defaults": P::filled() });
        for (field, value) in more.as_object().into_iter().flatten() {
            body[field] = value.clone();
        }
        let path = format!("/v1/connections/{}/ticket-mapping", self.connection);
        self.done(Method::PUT, &path, Some(body)).await;
    }

    /// Sends an alert in and answers what it was told.
    pub async fn alert(&self, body: Value) -> Value {
        self.done(Method::POST, "/v1/alerts", Some(body)).await
    }

    /// Says that an alert is over.
    pub async fn resolve(&self, key: &str) -> Value {
        self.done(Method::POST, &format!("/v1/alerts/{}/resolve", encoded(key)), None).await
    }

    /// Says that what was sent for an alert is not in the PSA.
    pub async fn forget(&self, key: &str) -> Answer {
        self.call(Method::POST, "/v1/alerts/retry", Some(json!({"dedupe_key": key, "forget": true}))).await
    }

    /// Has every alert tried again that is halted; answers how many.
    pub async fn retry_alerts(&self) -> u64 {
        self.done(Method::POST, "/v1/alerts/retry", None).await["queued"].as_u64().expect("a number")
    }

    /// An alert as the API shows it.
    pub async fn alert_now(&self, key: &str) -> Value {
        self.done(Method::GET, &format!("/v1/alerts/{}", encoded(key)), None).await
    }

    /// `status`, or `status code`, of an alert.
    pub async fn standing(&self, key: &str) -> String {
        let alert = self.alert_now(key).await;
        let text = |field: &str| alert[field].as_str().unwrap_or_default().to_owned();
        format!("{} {}", text("status"), text("code")).trim().to_owned()
    }

    /// The connection's open findings.
    pub async fn open_findings(&self) -> Vec<Value> {
        let path = format!("/v1/connections/{}/findings", self.connection);
        self.done(Method::GET, &path, None).await["items"].as_array().expect("items").clone()
    }

    /// Their codes.
    pub async fn alert_findings(&self) -> Vec<String> {
        let codes = |finding: &Value| finding["code"].as_str().expect("a code").to_owned();
        self.open_findings().await.iter().map(codes).collect()
    }

    /// A POST without a body.
    pub async fn post(&self, path: &str) -> Answer {
        self.call(Method::POST, path, None).await
    }
}

/// A key as it stands in an address.
#[must_use]
pub fn encoded(key: &str) -> String {
    key.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Makes a test of each function for every PSA with a service desk: `async fn name<P: ServiceDesk>()`, or without `async`
/// after `#[test]`.
#[macro_export]
macro_rules! on_every_desk {
    (#[test] $($name:ident),+ $(,)?) => {
        $crate::on_every_desk!(@each {} {#[test]} {} $($name)+);
    };
    ($($name:ident),+ $(,)?) => {
        $crate::on_every_desk!(@each {async} {#[tokio::test]} {.await} $($name)+);
    };
    (@each $async:tt $test:tt $await:tt $($name:ident)+) => {
        mod autotask {
            $($crate::on_every_desk!(@one $async $test $await $name simulators::autotask::Autotask);)+
        }
        mod kaseya_bms {
            $($crate::on_every_desk!(@one $async $test $await $name simulators::kaseya_bms::KaseyaBms);)+
        }
    };
    (@one {$($async:ident)?} {$($test:tt)+} {$($await:tt)*} $name:ident $psa:path) => {
        $($test)+
        $($async)? fn $name() {
            super::$name::<$psa>()$($await)*;
        }
    };
}
