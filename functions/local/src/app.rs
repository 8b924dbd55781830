//! All functions in one process: what each is given on AWS by its own `main.rs`, here put together once.
//!
//! Owns the wiring and nothing else: the same routers, fan-out and worker as in the deployed functions, on the embedded
//! store, sealed files, the local queue and the injected clock. `background` runs it, `serve` puts it behind a port.

mod options;

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use fan_out::{DigestSources, DueAlerts, DueSources, FanOut, FanOutError, Ticked};
use notify::Notify;
use shared::api;
use shared::clock::{Clock, fresh_id};
use shared::desk::{Desk, DeskParts};
use shared::history::History;
use shared::http::{HttpError, Outward};
use shared::ledger::{LEASE_TERM, LeaseHolder, Ledger};
use shared::pause::RealPause;
use shared::psa::PsaError;
use shared::psa::open::Opener;
use shared::psa::registry::Registry;
use shared::pulling::{Puller, PullerParts};
use shared::sources::{self, SourceError};
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
use shared::store::{StoreError, Table};
use shared::sync::{Planner, PlannerParts, Resolver, Worker, WorkerParts};
use shared::webhooks::Sender;
use web_console::{AnotherLink, Api, Functions, SignIn};

use crate::bus::Bus;
use crate::data_folder::{DataFolder, DataFolderError};
use crate::embedded::{Embedded, EmbeddedError};
use crate::handlers::{Herald, Pulls, Syncs, Tickets};
use crate::queue::{Drained, Handle, Queue, drain};
use crate::sealed_secrets::SealedSecrets;
use crate::tokens::Tokens;
use crate::{openapi, queue};
pub use options::{AppOptions, Place};

/// Why an app does not open.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] DataFolderError),
    /// The store.
    #[error(transparent)]
    Store(#[from] EmbeddedError),
    /// The keys or secrets in the data folder.
    #[error("the keys in the data folder can't be used: {0}")]
    Keys(std::io::Error),
    /// The HTTP client for a PSA.
    #[error("{} {}", .0.explanation, .0.fix)]
    Psa(PsaError),
    /// The HTTP client for a usage source.
    #[error("{} {}", .0.explanation, .0.fix)]
    Source(SourceError),
    /// The HTTP client for webhooks.
    #[error("{} {}", .0.explanation(), .0.fix())]
    Http(HttpError),
}

/// Everything, ready to serve and to work.
pub struct App {
    fan_out: FanOut,
    handler: Arc<dyn Handle>,
    queue: Queue,
    notices: Queue,
    herald: Arc<dyn Handle>,
    alerts: Queue,
    tickets: Arc<dyn Handle>,
    pulls: Queue,
    puller: Arc<dyn Handle>,
    bus: Bus,
    tokens: Arc<Tokens>,
    functions: Functions,
    sign_in: SignIn,
    clock: Arc<dyn Clock>,
    store: Arc<Embedded>,
    // Last, so that the folder is free only when nothing uses it any more.
    folder: DataFolder,
}

impl App {
    /// Opens it. Nothing runs yet but the store's engine.
    ///
    /// # Errors
    /// The data folder is another process's, its files can't be used, or this machine can't make connections.
    pub async fn open(options: AppOptions) -> Result<Self, AppError> {
        let AppOptions { place, places, source_bases, settings, clock, receiver, sign_in } = options;
        let (folder, store, another) = match place {
            Place::Folder(path) => {
                let folder = DataFolder::open(&path)?;
                let store = Embedded::open(folder.path()).await?;
                (folder, store, AnotherLink::Printed)
            }
            Place::Memory => (DataFolder::temporary()?, Embedded::in_memory().await?, AnotherLink::Restarted),
        };
        let secrets = Arc::new(SealedSecrets::open(folder.path()).map_err(AppError::Keys)?);
        let tokens = Arc::new(Tokens::open(folder.path(), clock.clone()).map_err(AppError::Keys)?);
        let registry = Registry::new(&places, &clock).map_err(AppError::Psa)?;
        let sources = sources::registry::Places {
            bases: source_bases,
            allowed_hosts: places.allowed_hosts,
            clock: clock.clone(),
            pause: Arc::new(RealPause),
        };
        let sources = sources::registry::Registry::new(&sources).map_err(AppError::Source)?;
        let outward = Outward::new().and_then(|outward| match &receiver {
            Some((base, settings)) => outward.except(base, *settings),
            None => Ok(outward),
        });
        let outward = outward.map_err(AppError::Http)?;

        let table = store.table();
        let queue = Queue::new(table.clone(), clock.clone());
        let notices = Queue::of_notices(table.clone(), clock.clone());
        let alerts = Queue::of_alerts(table.clone(), clock.clone());
        let pulls = Queue::of_pulls(table.clone(), clock.clone());
        let bus = Bus::new(queue.clone(), notices.clone());
        let webhooks = Webhooks::new(table.clone());
        let sender = Sender::new(outward, secrets.clone(), clock.clone());
        let notify = Notify {
            webhooks: webhooks.clone(),
            sender: sender.clone(),
            onward: Arc::new(notices.clone()),
            clock: clock.clone(),
        };
        let events = Arc::new(bus.clone());
        let holder = LeaseHolder { instance: fresh_id("proc"), sole: true, term: LEASE_TERM };
        let ledger = Ledger::new(table.clone(), holder);
        let connections = Connections::new(table.clone());
        let mappings = Mappings::new(table.clone());
        let usage = UsageReader::new(table.clone());
        let runs = Runs::new(table.clone());
        let remembered = Idempotency::new(table.clone());
        let ticket_forms = TicketForms::new(table.clone());
        let opener = Opener::new(&table, secrets.clone(), registry.clone(), clock.clone());

        let to = (Arc::new(queue.clone()) as _, events.clone() as _);
        let (clocked, opened) = (clock.clone(), opener.clone());
        let resolver = Resolver::new(&table, ledger.clone(), clock.clone(), settings.settle);
        let planner = PlannerParts::new(&table, ledger.clone(), opened.clone(), to, clocked.clone(), settings);
        let planner = Planner::new(planner);
        let desk = Arc::new(alerts.clone()) as _;
        let desk = DeskParts::new(&table, opened.clone(), desk, events.clone(), clocked.clone(), settings.settle);
        let desk = Desk::new(desk);
        let worker = Worker::new(WorkerParts::new(&table, ledger, opened, events.clone(), clocked, settings));
        let puller = Arc::new(pulls.clone()) as _;
        let puller = PullerParts::new(&table, sources.clone(), secrets.clone(), puller, clock.clone());
        let fan_out = FanOut {
            connections: connections.clone(),
            runs: runs.clone(),
            planner,
            events: events.clone(),
            digests: DigestSources::new(&table),
            alerts: DueAlerts::new(&table, Arc::new(alerts.clone())),
            sources: DueSources::new(&table, Arc::new(pulls.clone())),
            clock: clock.clone(),
        };
        let functions = Functions {
            connections: connections::Deps {
                connections: connections.clone(),
                runs: runs.clone(),
                ticket_forms: ticket_forms.clone(),
                remembered: remembered.clone(),
                opener: opener.clone(),
                psas: registry,
                secrets: secrets.clone(),
                clock: clock.clone(),
            },
            alerts: alerts::Deps {
                alerts: Alerts::new(table.clone()),
                mappings: mappings.clone(),
                remembered: remembered.clone(),
                queue: Arc::new(alerts.clone()),
                clock: clock.clone(),
                settle: settings.settle,
            },
            webhooks: webhooks::Deps {
                webhooks,
                connections: connections.clone(),
                sender,
                kept: secrets.clone(),
                secrets: secrets.clone(),
                clock: clock.clone(),
            },
            mappings: mappings::Deps {
                mappings: mappings.clone(),
                usage,
                lines: Lines::new(table.clone()),
                alerts: Alerts::new(table.clone()),
                ticket_forms,
                connections: connections.clone(),
                opener,
                clock: clock.clone(),
            },
            usage: usage::Deps::new(&table, sources, secrets, Arc::new(pulls.clone()), clock.clone()),
            runs: runs::Deps {
                connections,
                mappings,
                runs: runs.clone(),
                findings: Findings::new(table.clone()),
                resolver,
                history: History::new(table),
                remembered,
                events,
                clock: clock.clone(),
            },
        };
        let handler = Arc::new(Syncs { fan_out: fan_out.clone(), worker });
        let (herald, tickets) = (Arc::new(Herald { notify }), Arc::new(Tickets { desk }));
        let puller = Arc::new(Pulls { puller: Puller::new(puller) });
        let store = Arc::new(store);
        Ok(Self {
            fan_out,
            handler,
            queue,
            notices,
            herald,
            alerts,
            tickets,
            pulls,
            puller,
            bus,
            sign_in: sign_in.unwrap_or_else(|| SignIn::Link(tokens.clone(), another)),
            tokens,
            functions,
            clock,
            store,
            folder,
        })
    }

    /// The whole HTTP service: every function's routes behind tokens, `/openapi.json` and `/healthz`; and the console.
    pub fn router(&self) -> Router {
        let console = web_console::Deps {
            api: Api::new(self.functions.clone()),
            sessions: Sessions::new(self.table()),
            sign_in: self.sign_in.clone(),
            clock: self.clock.clone(),
        };
        let functions = api::framed(openapi::merged(self.functions.clone()), self.tokens.clone());
        api::names::read(functions.merge(web_console::router(console)))
    }

    /// Asks for a pull of every source that is due, and for a run of every connection that is.
    ///
    /// # Errors
    /// The store is unavailable; the next tick finds what this one did not.
    pub async fn tick(&self) -> Result<Ticked, FanOutError> {
        self.fan_out.tick().await
    }

    /// Works off what waits, one message after the other, until nothing is left but what has been put off.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn drain(&self) -> Result<Drained, StoreError> {
        drain(&self.queue, &self.handler).await
    }

    /// Works the queue off until `stop` is ready, then lets what is being worked on end.
    pub fn work_until<S: Future<Output = ()>>(&self, stop: S) -> impl Future<Output = ()> + use<S> {
        queue::work_until(self.queue.clone(), self.handler.clone(), stop)
    }

    /// As [`App::drain`], for the notices that webhooks wait for.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn notify(&self) -> Result<Drained, StoreError> {
        drain(&self.notices, &self.herald).await
    }

    /// As [`App::work_until`], for notices. Beside the other, so that no run waits for a receiver.
    pub fn notify_until<S: Future<Output = ()>>(&self, stop: S) -> impl Future<Output = ()> + use<S> {
        queue::work_until(self.notices.clone(), self.herald.clone(), stop)
    }

    /// As [`App::drain`], for the alerts that wait for their tickets.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn ticket(&self) -> Result<Drained, StoreError> {
        drain(&self.alerts, &self.tickets).await
    }

    /// As [`App::work_until`], for alerts. Beside the others, so that no run waits for a flood of them.
    pub fn ticket_until<S: Future<Output = ()>>(&self, stop: S) -> impl Future<Output = ()> + use<S> {
        queue::work_until(self.alerts.clone(), self.tickets.clone(), stop)
    }

    /// As [`App::drain`], for the sources that are to be pulled.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn pull(&self) -> Result<Drained, StoreError> {
        drain(&self.pulls, &self.puller).await
    }

    /// As [`App::work_until`], for pulls. Beside the others, so that no run waits for a vendor that takes long.
    pub fn pull_until<S: Future<Output = ()>>(&self, stop: S) -> impl Future<Output = ()> + use<S> {
        queue::work_until(self.pulls.clone(), self.puller.clone(), stop)
    }

    /// Signs and checks tokens.
    #[must_use]
    pub fn tokens(&self) -> &Arc<Tokens> {
        &self.tokens
    }

    /// The queue.
    #[must_use]
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// The queue of alerts.
    #[must_use]
    pub fn alerts(&self) -> &Queue {
        &self.alerts
    }

    /// The bus.
    #[must_use]
    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// Ticks and direct invocations.
    #[must_use]
    pub fn fan_out(&self) -> &FanOut {
        &self.fan_out
    }

    /// The store's table.
    #[must_use]
    pub fn table(&self) -> Table {
        self.store.table()
    }

    /// The store's engine.
    #[must_use]
    pub fn store(&self) -> &Arc<Embedded> {
        &self.store
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }
}
