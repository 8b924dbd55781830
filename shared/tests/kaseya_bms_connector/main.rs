//! The Kaseya BMS connector against the simulated Kaseya BMS, over real sockets on loopback.

mod accounts;
mod answers;
mod contracts;
mod cost;
#[path = "../heard/mod.rs"]
mod heard;
mod invoices;
mod limits;
mod lines;
mod lock_out;
mod rights;
mod secrets;
mod tickets;
mod tokens;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use shared::clock::Clock;
use shared::http::{AllowList, Client, KASEYA_BMS, Settings};
use shared::psa::kaseya_bms::{KaseyaBms, KaseyaBmsConnector, KaseyaBmsCredentials, Pause};
use shared::psa::notebook::NoNotebook;
use shared::psa::{CatalogQuery, Endpoint};
use simulators::clock::{Clock as SimulatedClock, ClockHand};
use simulators::kaseya_bms::{
    AccountSpec, BmsUser, ContractSpec, KaseyaBms as Simulator, Limits, LineSpec, ServiceSpec, Switches, World,
    WorldBuilder,
};
use url::Url;

const TODAY: Date = date(2026, 11, 20);

/// One company with one contract of 2026 that carries one service, with 40 units.
fn one_line() -> WorldBuilder {
    World::builder()
        .service(ServiceSpec::named("EDR").id(701).cost("2.10"))
        .account(AccountSpec::named("Müller GmbH").id(2_001).code("C-1"))
        .contract(ContractSpec::recurring("Managed care").id(29))
        .line(LineSpec::of(701).id(60_001).units(40))
}

/// A simulated tenant, a connector's factory for it, and the one clock of both.
struct Stage {
    simulator: Simulator,
    bms: KaseyaBms,
    hand: ClockHand,
    pauses: Arc<Pauses>,
}

/// The simulator's clock, for the connector.
struct Shared(SimulatedClock);

impl Clock for Shared {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

/// Returns at once, and remembers how long it should have been.
#[derive(Default)]
struct Pauses {
    lengths: Mutex<Vec<Duration>>,
    count: AtomicUsize,
}

#[async_trait]
impl Pause for Pauses {
    async fn pause(&self, length: Duration) {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.lengths.lock().unwrap().push(length);
    }
}

impl Stage {
    async fn of(world: WorldBuilder) -> Self {
        Self::with(world, Switches::default(), Limits::default()).await
    }

    async fn with(world: WorldBuilder, switches: Switches, limits: Limits) -> Self {
        Self::with_users(world, switches, limits, vec![]).await
    }

    async fn with_users(world: WorldBuilder, switches: Switches, limits: Limits, users: Vec<BmsUser>) -> Self {
        heard::listen();
        let noon = TODAY.at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
        let (clock, hand) = SimulatedClock::by_hand(noon);
        let setup = Simulator::setup(world.build().unwrap()).clock(clock.clone()).switches(switches).limits(limits);
        let setup = users.into_iter().fold(setup, simulators::kaseya_bms::Setup::user);
        let simulator = setup.start().await.unwrap();
        let pauses = Arc::new(Pauses::default());
        let bms = factory(&simulator.base(), Arc::new(Shared(clock)), pauses.clone(), 1024 * 1024);
        Self { simulator, bms, hand, pauses }
    }

    /// What the API Employee would type.
    fn credentials(&self) -> KaseyaBmsCredentials {
        credentials_of(&self.simulator, &self.simulator.users()[0])
    }

    fn open(&self) -> KaseyaBmsConnector {
        self.open_as(self.credentials())
    }

    /// What these tests are about needs no notebook.
    fn open_as(&self, credentials: KaseyaBmsCredentials) -> KaseyaBmsConnector {
        let endpoint = Endpoint { tenant: "any".parse().unwrap(), base_url: String::new() };
        self.bms.open(&endpoint, credentials, Arc::new(NoNotebook))
    }

    fn later(&self, by: SignedDuration) {
        self.hand.advance(by);
    }

    /// `METHOD PATH` of every request, without queries.
    fn asked(&self) -> Vec<String> {
        let path = |uri: &str| uri.split('?').next().unwrap_or_default().to_owned();
        self.simulator.requests().iter().map(|asked| format!("{} {}", asked.method, path(&asked.uri))).collect()
    }
}

fn factory(base: &str, clock: Arc<dyn Clock>, pause: Arc<dyn Pause>, longest_answer: usize) -> KaseyaBms {
    let settings = Settings { request_timeout: Duration::from_secs(5), longest_answer, ..Settings::default() };
    let allowed = AllowList::new(KASEYA_BMS).unwrap();
    KaseyaBms::new(Client::at(&Url::parse(base).unwrap(), allowed, settings).unwrap(), clock, pause)
}

fn credentials_of(simulator: &Simulator, user: &BmsUser) -> KaseyaBmsCredentials {
    KaseyaBmsCredentials {
        hostname: "bms.kaseya.com".into(),
        username: user.username().into(),
        password: user.password().into(),
        company_name: simulator.company_name(),
        totp_secret: user.totp_secret().map(Into::into),
    }
}

/// The first page of everything.
fn all() -> CatalogQuery {
    CatalogQuery { limit: 100, ..CatalogQuery::default() }
}

fn ids<T: std::str::FromStr + Ord>(numbers: impl IntoIterator<Item = i64>) -> std::collections::BTreeSet<T>
where
    T::Err: std::fmt::Debug,
{
    numbers.into_iter().map(|number| number.to_string().parse().unwrap()).collect()
}
