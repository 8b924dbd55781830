//! The application with one connection to a simulated PSA, and all companies mapped in it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use integration::TestClock;
use integration::msp::fixture::{AccountOf, ContractOf, LineOf, Tenant};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use local::app::{App, AppOptions, Place};
use local::serve::serve;
use reqwest::Method;
use serde_json::{Map, Value, json};
use shared::api::auth::Scope;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::Failure;
use crate::client::Client;
use crate::stage::Stage;

/// A service each, of which every company has a line.
pub const PRODUCTS: [&str; 3] = ["edr", "itdr", "sat"];
/// Units of each line in the beginning.
pub const UNITS: i64 = 10;
/// Ids of the first service, account and contract.
const SERVICES: i64 = 501;
const ACCOUNTS: i64 = 1_001;
const CONTRACTS: i64 = 29_680_001;
/// Mappings sent at once: each asks the PSA, which allows three requests of a kind at once.
const MAPPINGS_AT_ONCE: usize = 2;
/// How often the queue is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Everything that runs.
pub struct World<P: Stage> {
    pub psa: P,
    pub client: Client,
    /// The path of the connection.
    pub connection: String,
    app: std::sync::Arc<App>,
    companies: usize,
    _stop: oneshot::Sender<()>,
    _data: TempDir,
}

impl<P: Stage> World<P> {
    /// Starts, connects and maps it.
    pub async fn start(companies: usize, tickets_per_hour: u32) -> Result<Self, Failure> {
        let clock = TestClock::at(&Timestamp::now().to_string());
        let psa = P::start(P::on_time(P::setup(tenant(companies), &clock))).await;
        let data = TempDir::new()?;
        let name = serde_json::from_value(json!(P::NAME))?;
        let options = AppOptions::at(Place::Folder(data.path().to_owned())).psa(name, psa.base().parse()?);
        let app = std::sync::Arc::new(App::open(options).await?);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel();
        let served = app.clone();
        tokio::spawn(async move {
            // A sender that is gone is a stop as well.
            let stopped = async move { drop(stopped.await) };
            if let Err(error) = serve(&served, listener, stopped).await {
                eprintln!("alerts-burst: the service ended: {error}");
            }
        });
        let scopes = [Scope::Read, Scope::Write, Scope::Usage];
        let token = app.tokens().mint(Some(&"nordwind".parse()?), &scopes, SignedDuration::from_hours(12))?;
        let client = Client::new(base, token)?;
        let mut world = Self { psa, client, connection: String::new(), app, companies, _stop: stop, _data: data };
        world.connect().await?;
        world.map(tickets_per_hour).await?;
        Ok(world)
    }

    /// The vendor's ids of the companies.
    pub fn companies(&self) -> Vec<String> {
        (0..self.companies).map(company).collect()
    }

    /// Their accounts in the PSA.
    pub fn accounts(&self) -> BTreeMap<String, i64> {
        self.companies().into_iter().zip(ACCOUNTS..).collect()
    }

    async fn connect(&mut self) -> Result<(), Failure> {
        let body = json!({
            "psa": P::NAME, "name": "Nordwind", "time_zone": "Europe/Berlin", "credentials": P::credentials(),
        });
        let made = self.client.send(Method::POST, "/v1/connections", Some(&body)).await?;
        self.connection = format!("/v1/connections/{}", made["id"].as_str().unwrap_or_default());
        Ok(())
    }

    async fn map(&self, tickets_per_hour: u32) -> Result<(), Failure> {
        let at = |path: String| format!("{}/{path}", self.connection);
        for (product, service) in PRODUCTS.iter().zip(SERVICES..) {
            let body = json!({"service_id": service.to_string(), "rule": {}});
            self.client.send(Method::PUT, &at(format!("products/{product}")), Some(&body)).await?;
        }
        let companies: Vec<(String, i64)> = self.companies().into_iter().zip(0..).collect();
        for some in companies.chunks(MAPPINGS_AT_ONCE) {
            let puts: Vec<_> = some
                .iter()
                .map(|(company, number)| {
                    let (client, path) = (self.client.clone(), at(format!("companies/{company}")));
                    let body = mapping::<P>(*number);
                    tokio::spawn(async move { client.send(Method::PUT, &path, Some(&body)).await })
                })
                .collect();
            for put in puts {
                put.await??;
            }
        }
        let body = json!({"defaults": P::filled(), "tickets_per_hour": tickets_per_hour});
        self.client.send(Method::PUT, &at("ticket-mapping".to_owned()), Some(&body)).await?;
        Ok(())
    }

    /// Waits until no message about an alert is left, but not longer than `until`. Answers how many are left then.
    pub async fn handled(&self, until: Instant) -> Result<usize, Failure> {
        loop {
            let left = self.app.alerts().heads().await?.len();
            if left == 0 || Instant::now() > until {
                return Ok(left);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Every alert by its key, as the API lists it.
    pub async fn alerts(&self) -> Result<BTreeMap<String, Value>, Failure> {
        let alerts = self.client.list("/v1/alerts").await?;
        let keyed = |alert: Value| (alert["dedupe_key"].as_str().unwrap_or_default().to_owned(), alert);
        Ok(alerts.into_iter().map(keyed).collect())
    }

    /// What was given up.
    pub async fn dead_letters(&self) -> Result<Vec<String>, Failure> {
        let mut letters = self.app.alerts().dead_letters().await?;
        letters.extend(self.app.queue().dead_letters().await?);
        Ok(letters.into_iter().map(|dead| format!("{} was given up: {}", dead.letter.message, dead.error)).collect())
    }
}

fn company(number: usize) -> String {
    format!("c{:03}", number + 1)
}

/// A company's account, its contract, and what its lines carry where the PSA does not show that.
fn mapping<P: Stage>(number: i64) -> Value {
    let opening = || PRODUCTS.iter().map(|product| ((*product).to_owned(), json!({"opening_units": UNITS})));
    let overrides: Map<String, Value> = opening().filter(|_| !P::SHOWS_UNITS).collect();
    json!({
        "account_id": (ACCOUNTS + number).to_string(), "contract_id": (CONTRACTS + number).to_string(),
        "overrides": overrides,
    })
}

/// An account for each company, with one contract and a line of each product.
fn tenant<P: Stage>(companies: usize) -> Tenant<P> {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let start = today.first_of_month().saturating_sub(6.months());
    let end = start.saturating_add(2.years()).saturating_sub(1.day());
    let line = |product: &&str| LineOf { product: (*product).to_owned(), units: UNITS, more: None };
    let account = |(number, id): (usize, i64)| AccountOf {
        id: ACCOUNTS + id,
        name: company(number),
        number: None,
        currency: None,
        vendor: false,
        contracts: vec![ContractOf {
            id: Some(CONTRACTS + id),
            contract: P::runs(P::contract(), start, end),
            lines: PRODUCTS.iter().map(line).collect(),
        }],
    };
    Tenant {
        services: PRODUCTS.iter().map(|product| (*product).to_owned()).zip(SERVICES..).collect(),
        accounts: (0..companies).zip(0..).map(account).collect(),
    }
}
