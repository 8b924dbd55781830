//! The functions put together over one store, with a wire between them that a test can hold.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use fan_out::{DigestSources, DueAlerts, DueSources, FanOut};
use jiff::SignedDuration;
use local::embedded::Embedded;
use local::sealed_secrets::SealedSecrets;
use local::tokens::{Subject, Tokens};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use shared::api;
use shared::api::auth::Scope;
use shared::clock::Clock;
use shared::desk::DeskParts;
use shared::events::{Event, Publish, PublishError, RunRef};
use shared::faults::Faults;
use shared::history::History;
use shared::http::Outward;
use shared::ledger::{LeaseHolder, Ledger};
use shared::psa::open::Opener;
use shared::psa::registry::Registry;
use shared::queue::{AlertMessage, CompanyJob, PullMessage, QueueError, SendAlerts, SendJobs, SendPulls};
use shared::store::Table;
use shared::store::alerts::Alerts;
use shared::store::connections::Connections;
use shared::store::findings::Findings;
use shared::store::idempotency::Idempotency;
use shared::store::lines::Lines;
use shared::store::mappings::Mappings;
use shared::store::runs::Runs;
use shared::store::sessions::Sessions;
use shared::store::ticket_forms::TicketForms;
use shared::store::usage::UsageReader;
use shared::store::webhooks::Webhooks;
use shared::sync::{Planner, PlannerParts, Resolver, Settings, Worker, WorkerParts};
use shared::webhooks::Sender;
use tempfile::TempDir;
use web_console::{AnotherLink, Api, Functions, SignIn};

use super::Requests;
use crate::registry::sources;
use crate::{Answer, TestClock};

/// The engine checks no signature: one only has to be there.
const UNSIGNED: &str =
    "AWS4-HMAC-SHA256 Credential=t/20261121/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0";

/// The functions, and what they share.
pub struct Parts {
    /// The store.
    pub table: Table,
    /// What the functions ask of the store.
    pub requests: Requests,
    /// The secrets.
    pub secrets: Arc<SealedSecrets>,
    /// Plans runs.
    pub fan_out: FanOut,
    /// Does company jobs.
    pub worker: Worker,
    /// What it is made of, for another worker with something else about it.
    pub worker_parts: WorkerParts,
    /// The same of the planner.
    pub planner_parts: PlannerParts,
    /// What takes alerts to their tickets is made of.
    pub desk_parts: DeskParts,
    /// What they tell each other.
    pub wire: Arc<Wire>,
    /// The HTTP functions' routers, in no frame.
    pub routers: BTreeMap<&'static str, axum::Router>,
    base: String,
    client: reqwest::Client,
    tokens: Tokens,
    _data: TempDir,
    store: Embedded,
    serving: tokio::task::JoinHandle<()>,
}

/// Requests for runs, company jobs, alerts, pulls and notices, as they were sent.
#[derive(Default)]
pub struct Wire {
    runs: Mutex<VecDeque<RunRef>>,
    jobs: Mutex<VecDeque<CompanyJob>>,
    alerts: Mutex<VecDeque<AlertMessage>>,
    pulls: Mutex<VecDeque<PullMessage>>,
    notices: Mutex<Vec<Event>>,
    broken: AtomicBool,
    faults: Faults,
}

impl Drop for Parts {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Parts {
    pub(super) async fn start(psas: Registry, clock: &TestClock, engine: Settings, sole: bool, faults: Faults) -> Self {
        let store = Embedded::in_memory().await.expect("the store starts");
        let data = TempDir::new().expect("a folder");
        let requests = Requests::default();
        let table = Table::new(requests.client(store.address()), "tallyline").with_faults(faults.clone());
        let secrets = Arc::new(SealedSecrets::open(data.path()).expect("a folder for secrets"));
        let opener = Opener::new(&table, secrets.clone(), psas.clone(), Arc::new(clock.clone()));
        let wire = Arc::new(Wire { faults: faults.clone(), ..Wire::default() });
        let holder = LeaseHolder { instance: "first".into(), sole, term: SignedDuration::from_mins(16) };
        let ledger = Ledger::new(table.clone(), holder);
        let now: Arc<dyn Clock> = Arc::new(clock.clone());
        let events: Arc<dyn Publish> = wire.clone();
        let worker_parts =
            WorkerParts::new(&table, ledger.clone(), opener.clone(), events.clone(), now.clone(), engine);
        let to = (wire.clone() as _, events);
        let resolver = Resolver::new(&table, ledger.clone(), now.clone(), engine.settle);
        let planner_parts = PlannerParts::new(&table, ledger, opener.clone(), to, now, engine);
        let planner = Planner::new(planner_parts.clone());
        let desk_parts =
            DeskParts::new(&table, opener.clone(), wire.clone(), wire.clone(), Arc::new(clock.clone()), engine.settle);
        let fan_out = FanOut {
            connections: Connections::new(table.clone()),
            runs: Runs::new(table.clone()),
            planner,
            events: wire.clone(),
            digests: DigestSources::new(&table),
            alerts: DueAlerts::new(&table, wire.clone()),
            sources: DueSources::new(&table, wire.clone()),
            clock: Arc::new(clock.clone()),
        };
        let functions = functions(&table, &secrets, &psas, &opener, &wire, (resolver, engine.settle), clock);
        let routers = routers(&functions);
        let router = routers.values().cloned().fold(axum::Router::new(), axum::Router::merge);
        let tokens = Arc::new(key(data.path(), clock));
        let pages = web_console::router(web_console::Deps {
            api: Api::new(functions),
            sessions: Sessions::new(table.clone()),
            sign_in: SignIn::Link(tokens.clone(), AnotherLink::Printed),
            clock: Arc::new(clock.clone()),
        });
        let (base, serving) = serve(api::framed(router, tokens).merge(pages)).await;
        Self {
            secrets,
            fan_out,
            worker: Worker::new(worker_parts.clone()),
            worker_parts,
            planner_parts,
            desk_parts,
            wire,
            routers,
            base,
            client: reqwest::Client::builder().no_proxy().build().expect("a client"),
            tokens: key(data.path(), clock),
            table,
            requests,
            _data: data,
            store,
            serving,
        }
    }

    /// Every row of the store by its keys, as the engine shows it.
    ///
    /// # Panics
    /// When the store does not answer.
    pub async fn rows(&self) -> BTreeMap<String, Value> {
        let mut rows = BTreeMap::new();
        let mut scan = json!({"TableName": "tallyline"});
        loop {
            // There is no scan in the service, so it is asked for here without the service's client.
            let request = self.client.post(format!("http://{}/", self.store.address()));
            let request = request.header("x-amz-target", "DynamoDB_20120810.Scan").header("authorization", UNSIGNED);
            let request = request.header("x-amz-date", "20261121T120000Z");
            let page =
                Answer::to(request.header("content-type", "application/x-amz-json-1.0").body(scan.to_string())).await;
            assert_eq!(page.status, 200, "{}", page.text);
            for row in page.json["Items"].as_array().expect("items") {
                rows.insert(format!("{} {}", row["pk"]["S"], row["sk"]["S"]), row.clone());
            }
            match &page.json["LastEvaluatedKey"] {
                Value::Null => return rows,
                last => scan["ExclusiveStartKey"] = last.clone(),
            }
        }
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

    /// The address of the service.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The path of a link that signs somebody of `partner` in to the pages.
    ///
    /// # Panics
    /// Never: the key is there.
    #[must_use]
    pub fn link(&self, partner: &str, scopes: &[Scope]) -> String {
        let partner = partner.parse().expect("a partner");
        self.tokens.link(&Subject::default(), &partner, scopes).expect("a link")
    }

    /// A request without a token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// A worker of another process.
    #[must_use]
    pub fn another_worker(&self, sole: bool) -> Worker {
        self.worker_of(self.ledger_of("second", sole))
    }

    /// A fan-out and a worker of the process called `instance`, which shares the store with others.
    #[must_use]
    pub fn process(&self, instance: &str) -> (FanOut, Worker) {
        let ledger = self.ledger_of(instance, false);
        let planner = Planner::new(PlannerParts { ledger: ledger.clone(), ..self.planner_parts.clone() });
        (FanOut { planner, ..self.fan_out.clone() }, self.worker_of(ledger))
    }

    fn worker_of(&self, ledger: Ledger) -> Worker {
        Worker::new(WorkerParts { ledger, ..self.worker_parts.clone() })
    }

    fn ledger_of(&self, instance: &str, sole: bool) -> Ledger {
        let holder = LeaseHolder { instance: instance.into(), sole, term: SignedDuration::from_mins(16) };
        Ledger::new(self.table.clone(), holder)
    }
}

impl Wire {
    /// Runs that wait for their planning; they wait no longer.
    pub fn take_runs(&self) -> VecDeque<RunRef> {
        std::mem::take(&mut self.runs.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes nothing any more, until it is mended.
    pub fn breaks(&self, broken: bool) {
        self.broken.store(broken, Ordering::SeqCst);
    }

    fn is_broken(&self) -> bool {
        self.broken.load(Ordering::SeqCst)
    }

    /// How many runs wait for their planning.
    pub fn asked_for(&self) -> usize {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Jobs that wait; they wait no longer.
    pub fn take_jobs(&self) -> VecDeque<CompanyJob> {
        std::mem::take(&mut self.jobs.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Alerts that wait; they wait no longer.
    pub fn take_alerts(&self) -> VecDeque<AlertMessage> {
        std::mem::take(&mut self.alerts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Pulls that wait; they wait no longer.
    pub fn take_pulls(&self) -> VecDeque<PullMessage> {
        std::mem::take(&mut self.pulls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was told to whoever listens.
    pub fn told(&self) -> Vec<Event> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same by name.
    pub fn notices(&self) -> Vec<String> {
        let notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        notices
            .iter()
            .map(|event| serde_json::json!(event)["detail-type"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

#[async_trait]
impl Publish for Wire {
    async fn publish(&self, events: &[Event]) -> Result<(), PublishError> {
        if self.is_broken() {
            return Err(PublishError("it is broken".to_owned()));
        }
        self.faults.before(|| "events.publish".to_owned())?;
        for event in events {
            match event {
                Event::SyncRequested(run) => {
                    self.runs.lock().unwrap_or_else(PoisonError::into_inner).push_back(run.clone());
                }
                notice => self.notices.lock().unwrap_or_else(PoisonError::into_inner).push(notice.clone()),
            }
        }
        self.faults.after(|| "events.publish".to_owned())?;
        Ok(())
    }
}

#[async_trait]
impl SendJobs for Wire {
    async fn send(&self, jobs: &[CompanyJob]) -> Result<(), QueueError> {
        if self.is_broken() {
            return Err(QueueError("it is broken".to_owned()));
        }
        self.faults.before(|| "queue.send".to_owned())?;
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).extend(jobs.iter().cloned());
        self.faults.after(|| "queue.send".to_owned())?;
        Ok(())
    }
}

#[async_trait]
impl SendAlerts for Wire {
    async fn send_alerts(&self, alerts: &[AlertMessage]) -> Result<(), QueueError> {
        if self.is_broken() {
            return Err(QueueError("it is broken".to_owned()));
        }
        self.faults.before(|| "alerts.send".to_owned())?;
        self.alerts.lock().unwrap_or_else(PoisonError::into_inner).extend(alerts.iter().cloned());
        self.faults.after(|| "alerts.send".to_owned())?;
        Ok(())
    }
}

#[async_trait]
impl SendPulls for Wire {
    async fn send_pulls(&self, pulls: &[PullMessage]) -> Result<(), QueueError> {
        if self.is_broken() {
            return Err(QueueError("it is broken".to_owned()));
        }
        self.faults.before(|| "pulls.send".to_owned())?;
        self.pulls.lock().unwrap_or_else(PoisonError::into_inner).extend(pulls.iter().cloned());
        self.faults.after(|| "pulls.send".to_owned())?;
        Ok(())
    }
}

fn key(data: &Path, clock: &TestClock) -> Tokens {
    Tokens::open(data, Arc::new(clock.clone())).expect("a key")
}

fn functions(
    table: &Table,
    secrets: &Arc<SealedSecrets>,
    psas: &Registry,
    opener: &Opener,
    wire: &Arc<Wire>,
    (resolver, settle): (Resolver, SignedDuration),
    clock: &TestClock,
) -> Functions {
    let connections = connections::Deps {
        connections: Connections::new(table.clone()),
        runs: Runs::new(table.clone()),
        ticket_forms: TicketForms::new(table.clone()),
        remembered: Idempotency::new(table.clone()),
        opener: opener.clone(),
        psas: psas.clone(),
        secrets: secrets.clone(),
        clock: Arc::new(clock.clone()),
    };
    let mappings = mappings::Deps {
        mappings: Mappings::new(table.clone()),
        usage: UsageReader::new(table.clone()),
        lines: Lines::new(table.clone()),
        alerts: Alerts::new(table.clone()),
        ticket_forms: TicketForms::new(table.clone()),
        connections: Connections::new(table.clone()),
        opener: opener.clone(),
        clock: Arc::new(clock.clone()),
    };
    let sources = sources(&[], clock);
    let usage = usage::Deps::new(table, sources, secrets.clone(), wire.clone(), Arc::new(clock.clone()));
    let runs = runs::Deps {
        connections: Connections::new(table.clone()),
        mappings: Mappings::new(table.clone()),
        runs: Runs::new(table.clone()),
        findings: Findings::new(table.clone()),
        resolver,
        history: History::new(table.clone()),
        remembered: Idempotency::new(table.clone()),
        events: wire.clone(),
        clock: Arc::new(clock.clone()),
    };
    let alerts = alerts::Deps {
        alerts: Alerts::new(table.clone()),
        mappings: Mappings::new(table.clone()),
        remembered: Idempotency::new(table.clone()),
        queue: wire.clone(),
        clock: Arc::new(clock.clone()),
        settle,
    };
    let now: Arc<dyn Clock> = Arc::new(clock.clone());
    let outward = Outward::new().expect("a client");
    let webhooks = webhooks::Deps {
        webhooks: Webhooks::new(table.clone()),
        connections: Connections::new(table.clone()),
        sender: Sender::new(outward, secrets.clone(), now.clone()),
        kept: secrets.clone(),
        secrets: secrets.clone(),
        clock: now,
    };
    Functions { connections, mappings, usage, runs, alerts, webhooks }
}

/// Each function's routes by its name.
fn routers(of: &Functions) -> BTreeMap<&'static str, axum::Router> {
    let of = of.clone();
    [
        ("alerts", alerts::router(of.alerts)),
        ("connections", connections::router(of.connections)),
        ("mappings", mappings::router(of.mappings)),
        ("usage", usage::router(of.usage)),
        ("runs", runs::router(of.runs)),
        ("webhooks", webhooks::router(of.webhooks)),
    ]
    .map(|(name, router)| (name, router.into()))
    .into()
}

async fn serve(router: axum::Router) -> (String, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let serving = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
    (base, serving)
}
