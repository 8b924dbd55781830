//! A whole MSP for sync tests: customers in a simulated PSA, connected and mapped over HTTP, and its syncs.
//!
//! Which PSA is a type: Autotask where nothing is said, or any other [`Fixture`].
//! [`Setup`] says what there is; [`Setup::start`] connects and maps it; [`Msp`] pushes usage, runs syncs and tells what
//! came of them. Runs and company jobs are handed on here one by one, so that a test can hold a message back, deliver it
//! twice, or end a worker in the middle of its work. What they do is what ships.

pub mod alerts;
pub mod charges;
pub mod deliveries;
pub mod fixture;
pub mod ledger;
pub mod mishap;
pub mod office;
pub mod on;
pub mod parts;
pub mod people;
pub mod pulls;
pub mod requests;
pub mod run;
pub mod setup;
pub mod sheet;
pub mod strikes;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use fan_out::Request;
use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use reqwest::Method;
use serde_json::{Value, json};
use shared::api::auth::Scope;
use shared::queue::CompanyJob;
use shared::store::lines::Tenancy;
use shared::sync::{Done, SyncError};
use simulators::autotask::Autotask;

use crate::{Answer, PARTNER, TestClock};
pub use alerts::{Lane, ServiceDesk};
pub use deliveries::Deliveries;
pub use fixture::{Arriving, Fixture, Written};
pub use mishap::{Effect, Mishap};
pub use office::Office;
pub use on::On;
pub use parts::Parts;
pub use pulls::Pulls;
pub use requests::{Requests, by_operation};
pub use run::Run;
pub use setup::{Customer, Setup};
pub use strikes::{Strike, Strikes};

/// The running whole, with one connection made and everything mapped.
pub struct Msp<P: Fixture = Autotask> {
    /// The simulated PSA.
    pub psa: P,
    /// The time, for the service and the PSA alike.
    pub clock: TestClock,
    /// The functions, put together.
    pub parts: Parts,
    /// The connection's id.
    pub connection: String,
    tenancy: Option<Tenancy>,
    customers: BTreeMap<String, setup::Place>,
    services: BTreeMap<String, i64>,
    pushed: Mutex<u32>,
}

impl<P: Fixture> Msp<P> {
    /// Sends a request of [`PARTNER`] and reads the answer.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.call_as(PARTNER, method, path, body).await
    }

    /// Sends a request of some partner and reads the answer.
    pub async fn call_as(&self, partner: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
        let token = self.parts.token(partner, &[Scope::Read, Scope::Write, Scope::Usage]);
        let request = self.parts.request(method, path).bearer_auth(token);
        Answer::to(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    /// As [`Msp::call`], for what must succeed.
    ///
    /// # Panics
    /// When it does not.
    pub async fn done(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let answer = self.call(method.clone(), path, body).await;
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text);
        answer.json
    }

    /// Changes the connection.
    pub async fn patch(&self, change: Value) {
        self.done(Method::PATCH, &format!("/v1/connections/{}", self.connection), Some(change)).await;
    }

    /// Changes the connection's policy.
    pub async fn policy(&self, policy: Value) {
        self.patch(json!({ "policy": policy })).await;
    }

    /// Pushes a complete snapshot of (company, product, quantity), as of now.
    pub async fn push(&self, records: &[(&str, &str, u32)]) {
        self.snapshot(records, true).await;
    }

    /// Pushes an incomplete snapshot, as of now.
    pub async fn push_incomplete(&self, records: &[(&str, &str, u32)]) {
        self.snapshot(records, false).await;
    }

    /// Pushes a complete snapshot of (company, product, quantity, unit cost), as of now.
    pub async fn push_priced(&self, records: &[(&str, &str, u32, &str)]) {
        let priced = |(company, product, quantity, cost): &(&str, &str, u32, &str)| {
            let mut record = record(&(*company, *product, *quantity));
            record["unit_cost"] = json!(cost);
            record
        };
        self.push_records(records.iter().map(priced).collect(), true).await;
    }

    async fn snapshot(&self, records: &[(&str, &str, u32)], complete: bool) {
        self.push_records(records.iter().map(record).collect(), complete).await;
    }

    /// Pushes a snapshot of records as they are, as of now.
    pub async fn push_records(&self, records: Vec<Value>, complete: bool) {
        // No two snapshots of a test are of one instant: which of them is the newer would be chance.
        self.clock.advance(SignedDuration::from_secs(1));
        let number = {
            let mut pushed = self.pushed.lock().expect("no test panicked in here");
            *pushed += 1;
            *pushed
        };
        let body = json!({
            "as_of": self.clock.time().to_string(),
            "complete": complete,
            "records": records,
        });
        self.done(Method::PUT, &format!("/v1/usage/snapshots/snap-{number:03}"), Some(body)).await;
    }

    /// Asks for a run and answers its id; nothing of it is done yet.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn ask(&self, mode: &str) -> String {
        let path = format!("/v1/connections/{}/runs", self.connection);
        let started = self.done(Method::POST, &path, Some(json!({ "mode": mode }))).await;
        started["run_id"].as_str().expect("an id").to_owned()
    }

    /// Syncs, `apply` or `preview`, and answers what came of it.
    pub async fn run(&self, mode: &str) -> Run {
        let id = self.ask(mode).await;
        self.drain().await;
        self.see(&id).await
    }

    /// Approves lines of a run (all that wait, for `None`), syncs them, and answers what came of it.
    pub async fn approve(&self, run: &Run, lines: Option<&[&str]>) -> Run {
        let body = lines.map_or(json!({}), |lines| json!({ "lines": lines }));
        let started = self.done(Method::POST, &format!("/v1/runs/{}/approve", run.id), Some(body)).await;
        self.drain().await;
        self.see(started["run_id"].as_str().expect("an id")).await
    }

    /// A run as it stands.
    pub async fn see(&self, id: &str) -> Run {
        Run::read(self, id).await
    }

    /// Works off what was asked for until nothing is left.
    ///
    /// # Panics
    /// When planning or a job fails.
    pub async fn drain(&self) {
        loop {
            self.plan().await;
            let jobs = self.jobs();
            if jobs.is_empty() && self.parts.wire.asked_for() == 0 {
                return;
            }
            for job in jobs {
                self.work(&job).await.expect("the job is done");
            }
        }
    }

    /// Plans every run that was asked for; its jobs wait.
    ///
    /// # Panics
    /// When planning fails.
    pub async fn plan(&self) {
        for run in self.parts.wire.take_runs() {
            self.parts.fan_out.handle(Request::Sync(run)).await.expect("the run is planned");
        }
    }

    /// The jobs that wait; they wait no longer.
    pub fn jobs(&self) -> VecDeque<CompanyJob> {
        self.parts.wire.take_jobs()
    }

    /// Does one job.
    ///
    /// # Errors
    /// As the worker says.
    pub async fn work(&self, job: &CompanyJob) -> Result<Done, SyncError> {
        self.parts.worker.work(job).await
    }

    /// The partner's day, in the zone of the simulated PSA.
    #[must_use]
    pub fn today(&self) -> Date {
        self.clock.time().to_zoned(TimeZone::UTC).date()
    }

    /// Units that the PSA holds today for a company's product.
    ///
    /// # Panics
    /// When it holds none.
    #[must_use]
    pub fn units(&self, company: &str, product: &str) -> i64 {
        self.units_on(company, product, self.today())
    }

    /// As [`Msp::units`], on a day.
    ///
    /// # Panics
    /// When it holds none.
    #[must_use]
    pub fn units_on(&self, company: &str, product: &str, day: Date) -> i64 {
        self.psa.units(self.contract(company), self.service(product), day).expect("a line")
    }

    /// A person sets units in the PSA's web pages.
    ///
    /// # Panics
    /// When the PSA refuses.
    pub fn edit(&self, company: &str, product: &str, day: Date, units: i64) {
        self.psa.edit(self.contract(company), self.service(product), day, units);
    }

    /// A write of a company's product that was on its way for long takes effect now, of a connection that has made a change before.
    ///
    /// # Panics
    /// When there is no such line.
    pub fn arrives(&self, company: &str, product: &str, change: Arriving) {
        self.psa.arrives(self.contract(company), self.service(product), change);
    }

    /// A company's contract.
    #[must_use]
    pub fn contract(&self, company: &str) -> i64 {
        self.customers[company].contract
    }

    /// A company's account.
    #[must_use]
    pub fn account(&self, company: &str) -> i64 {
        self.customers[company].account
    }

    /// A product's service.
    #[must_use]
    pub fn service(&self, product: &str) -> i64 {
        self.services[product]
    }

    /// The line of a company's product, as results name it.
    #[must_use]
    pub fn line_id(&self, company: &str, product: &str) -> String {
        format!("{}:{}", self.contract(company), self.service(product))
    }

    /// Requests to change units that reached the PSA since the last reset, taken or not.
    #[must_use]
    pub fn write_requests(&self) -> usize {
        self.psa.write_requests()
    }

    /// Units that each write left on the line of a company's product since the last reset, write by write.
    #[must_use]
    pub fn written(&self, company: &str, product: &str) -> Vec<i64> {
        let (contract, service) = (self.contract(company), self.service(product));
        let written = self.psa.written().into_iter();
        written
            .filter(|write| (write.contract, write.service) == (contract, service))
            .map(|write| write.units)
            .collect()
    }
}

impl Msp {
    /// Adjustments that took effect since the last reset, as (effective date, change).
    #[must_use]
    pub fn changes(&self) -> Vec<(String, i64)> {
        self.psa.writes().iter().map(|write| (write.effective_date.to_string(), write.unit_change)).collect()
    }
}

fn record((company, product, quantity): &(&str, &str, u32)) -> Value {
    json!({"company": company, "company_name": name_of(company), "product": product, "quantity": quantity})
}

/// What usage calls a company: the id with a capital letter.
#[must_use]
pub fn name_of(company: &str) -> String {
    let mut letters = company.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
