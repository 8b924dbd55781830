//! The application with one connection to a simulated Autotask, all companies but a few mapped, and one sync behind it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use local::app::{App, AppOptions, Place};
use local::serve::serve;
use local::tokens::Subject;
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;
use shared::psa::Psa;
use simulators::Clock;
use simulators::autotask::seed::{Provider, Seeded};
use simulators::autotask::{Autotask, SAMPLE_INTEGRATION_CODE, SAMPLE_SECRET, SAMPLE_USERNAME};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::Failure;
use crate::client::{Client, Visitor};

const PRODUCTS: [&str; 3] = ["edr", "itdr", "sat"];
const SCOPES: [Scope; 3] = [Scope::Read, Scope::Write, Scope::Usage];
/// One company in so many is not mapped.
const UNMAPPED: usize = 100;
/// One line in so many has another count than the PSA has units.
const CHANGED: usize = 50;
/// Records of one snapshot.
const MOST_RECORDS: usize = 5_000;
/// How often a run is looked at, and how many times.
const LOOKS: (Duration, usize) = (Duration::from_millis(200), 3_000);

/// Everything that runs.
pub struct World {
    app: Arc<App>,
    base: String,
    client: Client,
    seeded: Seeded,
    connection: String,
    run: String,
    _psa: Autotask,
    _stop: oneshot::Sender<()>,
    _data: TempDir,
}

impl World {
    /// Starts, connects, maps and syncs it.
    pub async fn start(companies: usize, days: i64) -> Result<Self, Failure> {
        let clock = Clock::system();
        let today = clock.now().to_zoned(TimeZone::UTC).date();
        let (world, seeded) = Provider { companies, seed: 1, today }.build()?;
        let psa = Autotask::setup(world).clock(clock).start().await?;
        let data = TempDir::new()?;
        let options = AppOptions::at(Place::Folder(data.path().to_owned())).psa(Psa::Autotask, psa.base().parse()?);
        let app = Arc::new(App::open(options).await?);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel();
        let served = app.clone();
        tokio::spawn(async move {
            // A sender that is gone is a stop as well.
            let stopped = async move { drop(stopped.await) };
            if let Err(error) = serve(&served, listener, stopped).await {
                eprintln!("console-pages: the service ended: {error}");
            }
        });
        let token = app.tokens().mint(Some(&"nordwind".parse()?), &SCOPES, SignedDuration::from_hours(12))?;
        let client = Client::new(base.clone(), token)?;
        let (connection, run) = (String::new(), String::new());
        let mut world = Self { app, base, client, seeded, connection, run, _psa: psa, _stop: stop, _data: data };
        world.connect().await?;
        world.count(days).await?;
        world.map().await?;
        world.run = world.sync("apply").await?;
        world.sync("preview").await?;
        Ok(world)
    }

    /// Somebody who is signed in.
    pub async fn visitor(&self) -> Result<Visitor, Failure> {
        let link = self.app.tokens().link(&Subject::default(), &"nordwind".parse()?, &SCOPES)?;
        Visitor::let_in(self.base.clone(), &link).await
    }

    /// The paths of all pages that can be looked at without asking the PSA.
    pub async fn places(&self) -> Result<Vec<String>, Failure> {
        let of = |end: &str| format!("/console/connections/{}{end}", self.connection);
        let lines = self.client.send(Method::GET, &format!("/v1/runs/{}/lines?limit=1", self.run), None).await?;
        let line = lines["items"][0]["line_id"].as_str().unwrap_or_default().to_owned();
        let company = self.seeded.companies.first().map(|company| company.id).unwrap_or_default();
        Ok(vec![
            "/console".to_owned(),
            "/console/connections".to_owned(),
            "/console/connections/new".to_owned(),
            of(""),
            of("/products"),
            of("/companies"),
            of("/companies?search=land"),
            of("/companies?state=not_mapped"),
            of("/companies?syncs=yes"),
            of("/companies?state=needs_attention&syncs=yes"),
            of(&format!("/companies/{company}")),
            of("/preview"),
            of("/runs"),
            of("/findings"),
            of(&format!("/lines/{line}")),
            of("/tickets"),
            format!("/console/runs/{}", self.run),
            "/console/usage".to_owned(),
            "/console/usage?product=edr".to_owned(),
            format!("/console/runs/{}/approve", self.run),
            format!("/console/runs/{}/reverse", self.run),
            format!("/console/runs/{}?part=reconciliation", self.run),
            "/console/sources".to_owned(),
            "/console/settings".to_owned(),
        ])
    }

    async fn connect(&mut self) -> Result<(), Failure> {
        let body = json!({
            "psa": "autotask", "name": "Nordwind", "time_zone": "Europe/Berlin", "credentials": {
                "username": SAMPLE_USERNAME, "secret": SAMPLE_SECRET, "integration_code": SAMPLE_INTEGRATION_CODE,
            },
        });
        let made = self.client.send(Method::POST, "/v1/connections", Some(&body)).await?;
        self.connection = made["id"].as_str().unwrap_or_default().to_owned();
        Ok(())
    }

    /// Pushes a complete snapshot of each product for each of the last days.
    async fn count(&self, days: i64) -> Result<(), Failure> {
        let now = Timestamp::now();
        for (place, product) in PRODUCTS.iter().enumerate() {
            for ago in (0..days).rev() {
                let as_of = now.checked_sub(SignedDuration::from_hours(24 * ago))?.to_string();
                let records: Vec<Value> = self.records(place, product).collect();
                let path = format!("/v1/usage/snapshots/{product}-{ago}");
                let parts: Vec<&[Value]> = records.chunks(MOST_RECORDS).collect();
                for (part, records) in parts.iter().enumerate() {
                    let body = json!({ "as_of": as_of, "records": records });
                    let part = format!("{path}/parts/{}", part + 1);
                    self.client.send(Method::PUT, &part, Some(&body)).await?;
                }
                let seal = json!({ "parts": parts.len(), "complete": true });
                self.client.send(Method::POST, &format!("{path}/seal"), Some(&seal)).await?;
            }
        }
        Ok(())
    }

    fn records(&self, place: usize, product: &str) -> impl Iterator<Item = Value> {
        self.seeded.companies.iter().enumerate().map(move |(index, company)| {
            let units = company.lines.get(place).map_or(0, |line| line.units);
            let more = i64::from((index * PRODUCTS.len() + place).is_multiple_of(CHANGED));
            json!({
                "company": company.id.to_string(), "company_name": company.name, "product": product,
                "quantity": units + more,
            })
        })
    }

    async fn map(&self) -> Result<(), Failure> {
        let mut file = "type,company,product,account_id,contract_id,service_id,when_absent,excluded,opening_units,counting,exclude,\
                        minimum,commitment_units,commitment_until,maximum,rounding,unit_cost,fixed,markup_percent,unit_price,\
                        decimals,currency\n"
            .to_owned();
        for (product, service) in PRODUCTS.iter().zip(&self.seeded.services) {
            writeln!(file, "product,,{product},,,{},,,,,,,,,,,,,,,,", service.id)?;
        }
        for (index, company) in self.seeded.companies.iter().enumerate() {
            if !index.is_multiple_of(UNMAPPED) {
                writeln!(file, "company,{0},,{0},{1},,,,,,,,,,,,,,,,,", company.id, company.contract_id)?;
            }
        }
        self.client.upload(&format!("/v1/connections/{}/mappings.csv", self.connection), file).await?;
        Ok(())
    }

    /// Runs until it has ended.
    async fn sync(&self, mode: &str) -> Result<String, Failure> {
        let path = format!("/v1/connections/{}/runs", self.connection);
        let started = self.client.send(Method::POST, &path, Some(&json!({ "mode": mode }))).await?;
        let run = started["run_id"].as_str().unwrap_or_default().to_owned();
        for _ in 0..LOOKS.1 {
            let seen = self.client.send(Method::GET, &format!("/v1/runs/{run}"), None).await?;
            if !["queued", "running"].contains(&seen["status"].as_str().unwrap_or_default()) {
                return Ok(run);
            }
            tokio::time::sleep(LOOKS.0).await;
        }
        Err(format!("the {mode} run {run} does not end").into())
    }
}
