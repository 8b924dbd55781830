//! The app on one machine, a simulated PSA, a receiver and a clock that the test sets.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use integration::{TestClock, credentials, logs};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use local::app::{App, AppOptions, Place};
use serde_json::{Value, json};
use shared::api::auth::Scope;
use shared::events::{Event, Publish as _, StaleProduct, UsageStale};
use shared::http::{Outward, Settings};
use shared::psa::Psa;
use simulators::autotask::Autotask;
use simulators::autotask::seed::{Provider, Seeded};
use tower::ServiceExt as _;

use super::receiver::Receiver;

pub const PARTNER: &str = "nordwind";

pub struct Bench {
    pub app: App,
    pub clock: TestClock,
    pub receiver: Receiver,
    _psa: Autotask,
    pub seeded: Seeded,
}

impl Bench {
    pub async fn start() -> Self {
        Self::with(Outward::settings()).await
    }

    /// With requests that are given up after `limit`.
    pub async fn impatient(limit: Duration) -> Self {
        Self::with(Settings { request_timeout: limit, ..Outward::settings() }).await
    }

    async fn with(settings: Settings) -> Self {
        logs::keep();
        let (clock, receiver) = (TestClock::at("2026-11-21T12:00:00Z"), Receiver::start().await);
        let today = clock.time().to_zoned(TimeZone::UTC).date();
        let (world, seeded) = Provider { companies: 3, seed: 1, today }.build().unwrap();
        let psa = Autotask::setup(world).clock(clock.simulated()).start().await.unwrap();
        let options = AppOptions::at(Place::Memory).psa(Psa::Autotask, psa.base().parse().unwrap());
        let mut options = options.clock(Arc::new(clock.clone()));
        options.receiver = Some((receiver.base.parse().unwrap(), settings));
        Self { app: App::open(options).await.unwrap(), clock, receiver, _psa: psa, seeded }
    }

    pub async fn ask_as(&self, partner: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let scopes = [Scope::Read, Scope::Write, Scope::Usage];
        let token = self.app.tokens().mint(Some(&partner.parse().unwrap()), &scopes, SignedDuration::from_hours(1));
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.unwrap()));
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let answer = self.app.router().oneshot(request.body(Body::from(body.to_string())).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let bytes = axum::body::to_bytes(answer.into_body(), 1 << 22).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    pub async fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.ask_as(PARTNER, method, path, body).await
    }

    pub async fn done(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask(method, path, &body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    pub async fn get(&self, path: &str) -> Value {
        self.done("GET", path, Value::Null).await
    }

    /// Makes a webhook of the receiver's and answers its secret.
    pub async fn webhook(&self, id: &str, events: &[&str]) -> String {
        let body = json!({ "url": format!("{}{id}", self.receiver.base), "events": events });
        self.done("PUT", &format!("/v1/webhooks/{id}"), body).await["secret"].as_str().unwrap().to_owned()
    }

    pub async fn deliveries(&self, id: &str) -> Vec<Value> {
        self.get(&format!("/v1/webhooks/{id}/deliveries")).await["items"].as_array().unwrap().clone()
    }

    /// Something happens at this moment.
    pub async fn happens(&self) {
        let at = self.clock.time();
        let product = StaleProduct { product: "edr".parse().unwrap(), newest_as_of: at, stale_since: at, hours: 1 };
        let stale = UsageStale { partner: PARTNER.parse().unwrap(), products: vec![product] };
        self.app.bus().publish(&[Event::UsageStale(Box::new(stale))]).await.unwrap();
    }

    /// Connects, maps and pushes usage: one unit more for each company, but none at all for the first.
    pub async fn prepare(&self) -> String {
        let body = json!({ "psa": "autotask", "name": "Nordwind", "time_zone": "Europe/Berlin", "credentials": credentials() });
        let connection = self.done("POST", "/v1/connections", body).await["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/connections/{connection}");
        let guarded = json!({ "policy": { "guards": { "fall_percent": 1, "fall_units": 0 } } });
        self.done("PATCH", &path, guarded).await;
        let service = self.seeded.services[0].id.to_string();
        self.done("PUT", &format!("{path}/products/edr"), json!({ "service_id": service })).await;
        let mut records = Vec::new();
        for (place, company) in self.seeded.companies.iter().enumerate() {
            let body = json!({ "account_id": company.id.to_string(), "contract_id": company.contract_id.to_string() });
            self.done("PUT", &format!("{path}/companies/{}", company.id), body).await;
            let quantity = if place == 0 { 0 } else { company.lines[0].units + 1 };
            records.push(json!({ "company": company.id.to_string(), "company_name": company.name, "product": "edr", "quantity": quantity }));
        }
        let body = json!({ "as_of": self.clock.time().to_string(), "complete": true, "records": records });
        self.done("PUT", "/v1/usage/snapshots/today", body).await;
        connection
    }

    /// Syncs, and answers the run's id.
    pub async fn sync(&self, connection: &str) -> String {
        let path = format!("/v1/connections/{connection}/runs");
        let run = self.done("POST", &path, json!({ "mode": "apply" })).await["run_id"].as_str().unwrap().to_owned();
        self.app.drain().await.unwrap();
        run
    }
}
