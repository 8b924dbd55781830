//! What many stories share: one store engine, one simulated Autotask, one clock. Each story is another partner's.
//!
//! A world is started for some dozens of stories and then thrown away, so that no table grows large. Connections, mappings
//! and runs are rows made through the store's own types; usage comes in as the usage function takes it in.

use std::sync::Arc;

use async_trait::async_trait;
use integration::TestClock;
use integration::registry::registry;
use jiff::SignedDuration;
use local::embedded::Embedded;
use secrecy::SecretString;
use shared::clock::Clock;
use shared::events::Publish;
use shared::faults::Faults;
use shared::ledger::{LeaseHolder, Ledger};
use shared::psa::open::Opener;
use shared::secrets::{ReadSecrets, SecretName, SecretsError};
use shared::store::Table;
use shared::sync::{Planner, PlannerParts, Resolver, Settings, Worker, WorkerParts};
use simulators::autotask::{
    Autotask, CompanySpec, ContractSpec, Limits, LineSpec, SAMPLE_INTEGRATION_CODE, SAMPLE_SECRET, SAMPLE_USERNAME,
    ServiceKey, ServiceSpec, World as Tenant,
};

use super::fate::Fate;
use super::wire::Wire;

/// Id of the first account; the others follow.
pub const ACCOUNTS: i64 = 1_001;
/// Id of the first contract; the others follow.
pub const CONTRACTS: i64 = 29_680_001;
/// The two services, and the products that are billed as them.
pub const SERVICES: [(i64, &str); 2] = [(501, "edr"), (502, "m365")];
/// When each story begins: a Saturday in the middle of a billing period.
pub const BEGINNING: &str = "2026-11-21T12:00:00Z";
/// Units of every line when a story begins.
pub const UNITS: i64 = 40;
/// For how long a lease holds.
pub const TERM: SignedDuration = SignedDuration::from_mins(16);

/// One running world.
pub struct World {
    pub psa: Autotask,
    pub clock: TestClock,
    /// The store without fault points, for what the model itself reads and writes.
    pub table: Table,
    pub fate: Arc<Fate>,
    pub wire: Arc<Wire>,
    opener: Opener,
    faulty: Table,
    _store: Embedded,
}

/// One process: a planner, a worker and a resolver that take leases under one name.
pub struct Process {
    pub planner: Planner,
    pub worker: Worker,
    pub resolver: Resolver,
}

impl World {
    /// Starts one with room for `stories`.
    pub async fn start(stories: i64) -> Self {
        let clock = TestClock::at(BEGINNING);
        let mut world = Tenant::builder();
        for (id, product) in SERVICES {
            world = world.service(ServiceSpec::named(product).id(id));
        }
        for number in 0..stories {
            let contract = ContractSpec::recurring("Managed Security").id(CONTRACTS + number);
            let runs = ("2026-09-01".parse().unwrap(), "2027-08-31".parse().unwrap());
            world = world.company(CompanySpec::named(format!("Customer {number}")).id(ACCOUNTS + number));
            world = world.contract(contract.runs(runs.0, runs.1));
            for (service, _) in SERVICES {
                world = world.line(LineSpec::of(ServiceKey::Id(service)).units(UNITS));
            }
        }
        // The hour's limit is of the whole tenant, and each story begins anew at the same time.
        let limits = Limits { requests: u32::MAX, threads: 99, ..Limits::default() };
        let setup = Autotask::setup(world.build().unwrap()).clock(clock.simulated()).limits(limits);
        let psa = setup.start().await.unwrap();
        let store = Embedded::in_memory().await.unwrap();
        let fate = Arc::new(Fate::default());
        let faults = Faults::with(fate.clone());
        let faulty = store.table().with_faults(faults.clone());
        let registry = registry("autotask", &psa.base(), None, &clock);
        let opener = Opener::new(&faulty, Arc::new(OneSecret), registry, Arc::new(clock.clone()));
        let wire = Arc::new(Wire::new(faults));
        Self { psa, clock, table: store.table(), fate, wire, opener, faulty, _store: store }
    }

    /// A process that has just started.
    pub fn process(&self, instance: &str, sole: bool) -> Process {
        let holder = LeaseHolder { instance: instance.to_owned(), sole, term: TERM };
        let ledger = Ledger::new(self.faulty.clone(), holder);
        let now: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let events: Arc<dyn Publish> = self.wire.clone();
        let (opener, settings) = (self.opener.clone(), Settings::default());
        let worker =
            WorkerParts::new(&self.faulty, ledger.clone(), opener.clone(), events.clone(), now.clone(), settings);
        let to = (self.wire.clone() as _, events);
        let resolver = Resolver::new(&self.faulty, ledger.clone(), now.clone(), settings.settle);
        let planner = PlannerParts::new(&self.faulty, ledger, opener, to, now, settings);
        Process { planner: Planner::new(planner), worker: Worker::new(worker), resolver }
    }
}

/// The same credentials for every connection: those of the simulator's user.
struct OneSecret;

#[async_trait]
impl ReadSecrets for OneSecret {
    async fn read(&self, _: &SecretName) -> Result<Option<SecretString>, SecretsError> {
        let stored = serde_json::json!({
            "psa": "autotask",
            "username": SAMPLE_USERNAME,
            "secret": SAMPLE_SECRET,
            "integration_code": SAMPLE_INTEGRATION_CODE,
        });
        Ok(Some(stored.to_string().into()))
    }
}
