//! The whole service in one process, for tests: the real routers over HTTP on loopback, the real store engine, sealed
//! secrets in a temporary folder, a simulated Autotask, and a clock that the test sets.
//!
//! A test speaks to it as a client does, and asks the simulator afterwards what it was asked. Nothing here is stubbed but
//! time and the PSA.

#![allow(clippy::expect_used, reason = "a test that can't start has failed")]

pub mod answer;
pub mod clock;
pub mod logs;
pub mod msp;
pub mod registry;

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use local::embedded::Embedded;
use local::sealed_secrets::SealedSecrets;
use local::tokens::Tokens;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use shared::api;
use shared::api::auth::Scope;
use shared::psa::open::Opener;
use shared::psa::registry::Registry;
use shared::sources::Vendor;
use shared::store::Table;
use shared::store::alerts::Alerts;
use shared::store::connections::Connections;
use shared::store::idempotency::Idempotency;
use shared::store::lines::Lines;
use shared::store::mappings::Mappings;
use shared::store::runs::Runs;
use shared::store::ticket_forms::TicketForms;
use shared::store::usage::UsageReader;
use simulators::autotask::seed::Provider;
use simulators::autotask::{Autotask, Setup};
use tempfile::TempDir;

use msp::Fixture;
use msp::parts::Wire;

pub use answer::Answer;
pub use clock::TestClock;

/// The partner that calls where a test names no other.
pub const PARTNER: &str = "nordwind";

/// When every test begins: a Saturday, 13:00 in Berlin.
pub const BEGINNING: &str = "2026-11-21T12:00:00Z";

/// The running whole.
pub struct Harness {
    /// The simulated PSA.
    pub psa: Autotask,
    /// The time.
    pub clock: TestClock,
    /// Where pulls of usage sources are asked for.
    pub wire: Arc<Wire>,
    /// Signs tokens.
    pub tokens: Tokens,
    /// The store.
    pub table: Table,
    /// Of the service.
    pub base: String,
    client: reqwest::Client,
    data: TempDir,
    _store: Embedded,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Harness {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Harness {
    /// Starts it with a small provider in the PSA and a store that forgets.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn start() -> Self {
        Self::with(|psa| psa).await
    }

    /// As [`Harness::start`], with a PSA set up otherwise: other users, limits, switches.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn with(setup: impl FnOnce(Setup) -> Setup) -> Self {
        let store = Embedded::in_memory().await.expect("the store starts");
        Self::on(store, TempDir::new().expect("a folder"), setup, &[]).await
    }

    /// As [`Harness::start`], with a store that keeps a file in [`Harness::data`].
    ///
    /// # Panics
    /// When something does not start.
    pub async fn on_disk() -> Self {
        let data = TempDir::new().expect("a folder");
        let store = Embedded::open(data.path()).await.expect("the store starts");
        Self::on(store, data, |psa| psa, &[]).await
    }

    /// As [`Harness::on_disk`], with these vendors of usage at these addresses.
    ///
    /// # Panics
    /// When something does not start.
    pub async fn reading(vendors: &[(Vendor, &str)]) -> Self {
        let data = TempDir::new().expect("a folder");
        let store = Embedded::open(data.path()).await.expect("the store starts");
        Self::on(store, data, |psa| psa, vendors).await
    }

    async fn on(
        store: Embedded,
        data: TempDir,
        setup: impl FnOnce(Setup) -> Setup,
        vendors: &[(Vendor, &str)],
    ) -> Self {
        logs::keep();
        let clock = TestClock::at(BEGINNING);
        let psa = setup(Autotask::setup(world(&clock)).clock(clock.simulated())).start().await.expect("the PSA starts");
        let psas = registry::registry(Autotask::NAME, &psa.base(), None, &clock);
        let tokens = || Tokens::open(data.path(), Arc::new(clock.clone())).expect("a key");
        let table = store.table();
        let wire = Arc::new(Wire::default());
        let secrets = Arc::new(SealedSecrets::open(data.path()).expect("a folder for secrets"));
        let sources = registry::sources(vendors, &clock);
        let usage = usage::Deps::new(&table, sources, secrets.clone(), wire.clone(), Arc::new(clock.clone()));
        let router = router(&table, secrets, psas, usage, &clock);
        let (base, serving) = serve(api::framed(router, Arc::new(tokens()))).await;
        Self {
            psa,
            tokens: tokens(),
            client: reqwest::Client::builder().no_proxy().build().expect("a client"),
            clock,
            wire,
            table,
            base,
            data,
            _store: store,
            serving,
        }
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// A token of `partner`, valid for an hour of the test's clock.
    ///
    /// # Panics
    /// Never: the key is there.
    #[must_use]
    pub fn token(&self, partner: &str, scopes: &[Scope]) -> String {
        let partner = partner.parse().expect("a partner");
        self.tokens.mint(Some(&partner), scopes, SignedDuration::from_hours(1)).expect("a token")
    }

    /// The vendor's own token, bound to no partner.
    ///
    /// # Panics
    /// Never: the key is there.
    #[must_use]
    pub fn vendor_token(&self, scopes: &[Scope]) -> String {
        let scopes: Vec<_> = scopes.iter().copied().chain([Scope::Vendor]).collect();
        self.tokens.mint(None, &scopes, SignedDuration::from_hours(1)).expect("a token")
    }

    /// A request without a token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// A request of [`PARTNER`], with every scope that a partner has.
    pub fn signed(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).bearer_auth(self.token(PARTNER, &[Scope::Read, Scope::Write, Scope::Usage]))
    }

    /// Sends a request of [`PARTNER`] and reads the answer.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::to(self.signed(Method::GET, path)).await
    }

    /// As [`Harness::get`].
    pub async fn delete(&self, path: &str) -> Answer {
        Answer::to(self.signed(Method::DELETE, path)).await
    }

    /// As [`Harness::get`], with a body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        Answer::to(self.signed(Method::POST, path).json(&body)).await
    }

    /// As [`Harness::get`], with a body.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        Answer::to(self.signed(Method::PUT, path).json(&body)).await
    }

    /// As [`Harness::get`], with a body.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        Answer::to(self.signed(Method::PATCH, path).json(&body)).await
    }

    /// Connects the simulated PSA and answers the connection's id.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn connect(&self) -> String {
        let answer = self.post("/v1/connections", connection_body()).await;
        assert_eq!(answer.status, 201, "{}", answer.json);
        answer.json["id"].as_str().expect("an id").to_owned()
    }
}

/// What connects the simulated PSA.
#[must_use]
pub fn connection_body() -> Value {
    serde_json::json!({
        "psa": "autotask",
        "name": "Nordwind",
        "time_zone": "Europe/Berlin",
        "credentials": credentials(),
    })
}

/// The credentials of the simulated PSA's full user.
#[must_use]
pub fn credentials() -> Value {
    <Autotask as Fixture>::credentials()
}

/// The functions' routers, merged; each new one is added here.
fn router(
    table: &Table,
    secrets: Arc<SealedSecrets>,
    psas: Registry,
    usage: usage::Deps,
    clock: &TestClock,
) -> axum::Router {
    let opener = Opener::new(table, secrets.clone(), psas.clone(), Arc::new(clock.clone()));
    let connections = connections::router(connections::Deps {
        connections: Connections::new(table.clone()),
        runs: Runs::new(table.clone()),
        ticket_forms: TicketForms::new(table.clone()),
        remembered: Idempotency::new(table.clone()),
        opener: opener.clone(),
        psas,
        secrets,
        clock: Arc::new(clock.clone()),
    });
    let mappings = mappings::router(mappings::Deps {
        mappings: Mappings::new(table.clone()),
        usage: UsageReader::new(table.clone()),
        lines: Lines::new(table.clone()),
        alerts: Alerts::new(table.clone()),
        ticket_forms: TicketForms::new(table.clone()),
        connections: Connections::new(table.clone()),
        opener,
        clock: Arc::new(clock.clone()),
    });
    let (router, _openapi) = connections.merge(mappings).merge(usage::router(usage)).split_for_parts();
    router
}

fn world(clock: &TestClock) -> simulators::autotask::World {
    let today = clock.time().to_zoned(TimeZone::UTC).date();
    let (world, _) = Provider { companies: 5, seed: 1, today }.build().expect("a provider");
    world
}

async fn serve(router: axum::Router) -> (String, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let serving =
        tokio::spawn(async move { axum::serve(listener, api::names::read(router)).await.expect("it serves") });
    (base, serving)
}
