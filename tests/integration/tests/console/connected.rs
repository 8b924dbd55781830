//! The service with its console and a simulated Autotask, people who are signed in, and the API beside them.

use std::net::Ipv4Addr;
use std::sync::Arc;

use integration::{Answer, BEGINNING, PARTNER, TestClock, connection_body, logs};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use local::app::{App, AppOptions, Place};
use local::tokens::Subject;
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;
use shared::psa::Psa;
use simulators::autotask::seed::{Provider, Seeded};
use simulators::autotask::{ApiUser, Autotask};
use tokio::net::TcpListener;

use crate::browser::{Browser, Seen};

/// Who must not see anything of [`PARTNER`].
pub const STRANGER: &str = "suedwind";

pub struct Connected {
    pub app: App,
    pub clock: TestClock,
    pub seeded: Seeded,
    base: String,
    client: reqwest::Client,
    _psa: Autotask,
}

impl Connected {
    pub async fn start() -> Self {
        Self::with(ApiUser::full(), |options| options).await
    }

    /// With this user in the PSA, and the service opened otherwise.
    pub async fn with(user: ApiUser, options: impl FnOnce(AppOptions) -> AppOptions) -> Self {
        logs::keep();
        let clock = TestClock::at(BEGINNING);
        let today = clock.time().to_zoned(TimeZone::UTC).date();
        let (world, seeded) = Provider { companies: 3, seed: 1, today }.build().unwrap();
        let psa = Autotask::setup(world).user(user).clock(clock.simulated()).start().await.unwrap();
        let at = AppOptions::at(Place::Memory).psa(Psa::Autotask, psa.base().parse().unwrap());
        let app = App::open(options(at.clock(Arc::new(clock.clone())))).await.unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = app.router();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { app, clock, seeded, base, client, _psa: psa }
    }

    /// Somebody who is signed in and may change everything of [`PARTNER`].
    pub async fn anna(&self) -> Browser {
        self.person(PARTNER, &[Scope::Read, Scope::Write]).await
    }

    /// Somebody who is signed in.
    pub async fn person(&self, partner: &str, scopes: &[Scope]) -> Browser {
        let subject: Subject = "anna".parse().unwrap();
        let link = self.app.tokens().link(&subject, &partner.parse().unwrap(), scopes).unwrap();
        let mut browser = Browser::at(&self.base);
        assert_eq!(browser.post(&link, &[]).await.status, 303);
        browser
    }

    /// What the API answers [`PARTNER`].
    pub async fn api(&self, method: Method, path: &str, body: Value) -> Answer {
        let token = self.app.tokens().mint(
            Some(&PARTNER.parse().unwrap()),
            &[Scope::Read, Scope::Write, Scope::Usage],
            SignedDuration::from_hours(1),
        );
        let request = self.client.request(method, format!("{}{path}", self.base)).bearer_auth(token.unwrap());
        Answer::to(if body.is_null() { request } else { request.json(&body) }).await
    }

    /// As [`Connected::api`], where it must succeed.
    pub async fn done(&self, method: Method, path: &str, body: Value) -> Value {
        let answer = self.api(method.clone(), path, body).await;
        assert!((200..300).contains(&answer.status), "{method} {path}: {}", answer.text);
        answer.json
    }

    /// What stands there.
    pub async fn see(&self, path: &str) -> Value {
        self.done(Method::GET, path, Value::Null).await
    }

    /// Connects the PSA and answers the connection's id.
    pub async fn connect(&self) -> String {
        let made = self.done(Method::POST, "/v1/connections", connection_body()).await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// Maps `edr` and the first customer, called `acme`, to its line, whose units are answered.
    pub async fn map(&self, connection: &str) -> i64 {
        let customer = &self.seeded.companies[0];
        let line = &customer.lines[0];
        let of = format!("/v1/connections/{connection}");
        let product = json!({ "service_id": line.service_id.to_string() });
        self.done(Method::PUT, &format!("{of}/products/edr"), product).await;
        let (account, contract) = (customer.id.to_string(), customer.contract_id.to_string());
        let company = json!({ "account_id": account, "contract_id": contract });
        self.done(Method::PUT, &format!("{of}/companies/acme"), company).await;
        line.units
    }

    /// Counts `edr` of `acme` anew, and syncs.
    pub async fn sync(&self, connection: &str, units: i64) {
        self.clock.advance(SignedDuration::from_secs(1));
        let at = self.clock.time();
        let record = json!({ "company": "acme", "company_name": "Acme <b>", "product": "edr", "quantity": units });
        let snapshot = json!({ "as_of": at.to_string(), "complete": true, "records": [record] });
        self.done(Method::PUT, &format!("/v1/usage/snapshots/s{}", at.as_second()), snapshot).await;
        self.done(Method::POST, &format!("/v1/connections/{connection}/runs"), json!({ "mode": "apply" })).await;
        self.app.drain().await.unwrap();
    }
}

/// Fills in the form at `page` and sends it to `to`, with the token and the key that stand in it.
pub async fn fill(browser: &mut Browser, page: &str, to: &str, fields: &[(&str, &str)]) -> Seen {
    let seen = browser.get(page).await;
    assert_eq!(seen.status, 200, "{page}: {}", seen.text);
    let (_, form) =
        seen.text.split_once(&format!("action=\"{to}\"")).unwrap_or_else(|| panic!("no form to {to}: {}", seen.text));
    let form = form.split("</form>").next().unwrap();
    let hidden: Vec<_> = form.split("<input type=\"hidden\" name=\"").skip(1).map(hidden_field).collect();
    let hidden = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let all: Vec<_> = hidden.chain(fields.iter().copied()).collect();
    browser.post(to, &all).await
}

fn hidden_field(from: &str) -> (String, String) {
    let (name, rest) = from.split_once('"').unwrap();
    let value = rest.strip_prefix(" value=\"").unwrap().split('"').next().unwrap();
    (name.to_owned(), value.to_owned())
}
