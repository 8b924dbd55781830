//! A simulator, and connectors to it as a run opens them: through the registry, with a notebook in the store.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use integration::{BEGINNING, TestClock};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use local::embedded::Embedded;
use serde_json::Value;
use shared::domain::ids::{AccountId, ContractId};
use shared::domain::line::LineKey;
use shared::domain::units::Units;
use shared::psa::registry::Registry;
use shared::psa::{
    Asked, CatalogPage, Connector, Credentials, Endpoint, Observation, Opening, Psa, PsaError, UnitsChange, Window,
};
use shared::store::Table;
use shared::store::lines::Tenancy;
use shared::store::notes::Notes;

use crate::bench::Bench;
use crate::settings::Setting;
use crate::world::{TODAY, World};

/// A simulator in service, a store, and a process that calls it.
pub struct House<P: Bench> {
    psa: Arc<P>,
    clock: TestClock,
    registry: Registry,
    endpoint: Endpoint,
    table: Table,
    fresh: Arc<AtomicI64>,
    _store: Embedded,
}

/// The same, under one setting.
pub struct Office<P: Bench> {
    pub psa: Arc<P>,
    pub clock: TestClock,
    pub registry: Registry,
    pub endpoint: Endpoint,
    pub setting: Setting<P>,
    table: Table,
    fresh: Arc<AtomicI64>,
}

impl<P: Bench> House<P> {
    /// A simulator of `world`, whose answers are awaited only so long.
    pub async fn open(world: &World, patience: Option<Duration>) -> Self {
        Self::open_as(world, patience, &P::Switches::default()).await
    }

    /// As [`House::open`], set so from the beginning.
    pub async fn open_as(world: &World, patience: Option<Duration>, switches: &P::Switches) -> Self {
        let store = Embedded::in_memory().await.expect("the store starts");
        let clock = TestClock::at(BEGINNING);
        let psa = Arc::new(P::open(world, switches, &clock).await);
        let registry = integration::registry::registry(P::NAME, &psa.base(), patience, &clock);
        let endpoint = registry.discover(&user::<P>(P::credentials())).await.expect("a tenant");
        let (table, fresh) = (store.table(), Arc::default());
        Self { psa, clock, registry, endpoint, table, fresh, _store: store }
    }

    /// Sets the simulator so, with nothing planned, and an hour later: each setting has the hour's allowance to itself.
    pub fn office(&self, setting: Setting<P>) -> Office<P> {
        self.psa.turn(&setting.switches);
        let office = Office {
            psa: Arc::clone(&self.psa),
            clock: self.clock.clone(),
            registry: self.registry.clone(),
            endpoint: self.endpoint.clone(),
            table: self.table.clone(),
            fresh: Arc::clone(&self.fresh),
            setting,
        };
        self.clock.advance(SignedDuration::from_mins(61));
        office.begin();
        office
    }
}

impl<P: Bench> Office<P> {
    /// Forgets what was planned and asked, a little later: no allowance runs out over a table of cases.
    pub fn begin(&self) {
        self.psa.heal();
        self.psa.forget();
        self.clock.advance(SignedDuration::from_mins(5));
    }

    /// A line of `World::cases` that nobody has touched yet.
    pub fn fresh_line(&self) -> LineKey {
        let (contract, service) = World::case(self.fresh.fetch_add(1, Ordering::Relaxed));
        line(contract, service)
    }

    /// A connector of the full user, who writes in the notebook of the partner named.
    pub fn connector(&self, partner: &str) -> Arc<dyn Connector> {
        self.connector_of(P::credentials(), partner)
    }

    /// As [`Office::connector`], of another user.
    pub fn connector_of(&self, credentials: Value, partner: &str) -> Arc<dyn Connector> {
        let credentials = user::<P>(credentials);
        let tenancy = Tenancy {
            partner: format!("{partner}-{}", self.setting.number).parse().expect("a partner"),
            psa: credentials.psa(),
            tenant: self.endpoint.tenant.clone(),
        };
        let notebook = Arc::new(Notes::new(self.table.clone()).of(&tenancy));
        self.registry.open(&self.endpoint, credentials, notebook)
    }

    /// What the simulator holds.
    pub fn held(&self, line: &LineKey, day: Date) -> Option<i64> {
        self.psa.units(number(&line.contract), number(&line.service), day)
    }

    /// Holds what is told of a line on some days against what the PSA holds: it is the same, or it is not told.
    pub fn assert_honest(&self, told: &Observation, line: &LineKey, days: &[Date], when: &str) {
        let Some(seen) = told.lines.get(&pair(line)) else { return };
        for day in days {
            let shown = seen.timeline.at(*day).map(|units| i64::from(units.get()));
            let held = self.held(line, *day);
            assert!(shown.is_none() || shown == held, "{when}: {line} on {day}: {shown:?} are told, {held:?} are held");
        }
    }
}

/// The number in an id.
pub fn number(id: &impl ToString) -> i64 {
    id.to_string().parse().expect("a number")
}

/// A set of credentials of the PSA.
pub fn user<P: Bench>(credentials: Value) -> Credentials {
    let psa = Psa::named(P::NAME).expect("a PSA");
    Credentials::parse(psa, "", credentials).unwrap_or_else(|faults| panic!("credentials: {faults:?}"))
}

pub fn line(contract: i64, service: i64) -> LineKey {
    LineKey {
        contract: contract.to_string().parse().expect("an id"),
        service: service.to_string().parse().expect("an id"),
    }
}

pub fn pair(line: &LineKey) -> (ContractId, shared::domain::ids::ServiceId) {
    (line.contract.clone(), line.service.clone())
}

pub fn contract_ids(ids: impl IntoIterator<Item = i64>) -> BTreeSet<ContractId> {
    ids.into_iter().map(|id| id.to_string().parse().expect("an id")).collect()
}

pub fn account_ids(ids: impl IntoIterator<Item = i64>) -> BTreeSet<AccountId> {
    ids.into_iter().map(|id| id.to_string().parse().expect("an id")).collect()
}

/// From today to the end of each contract.
pub fn window() -> Window {
    Window { from: TODAY, to: None }
}

/// From before every change that tests make to the end of each contract.
pub fn long_window() -> Window {
    Window { from: crate::world::START, to: None }
}

pub fn units(count: i64) -> Units {
    count.try_into().expect("units")
}

/// Asks about lines, each with the units that a person has stated for it once, before the test began.
pub fn stated(lines: impl IntoIterator<Item = (i64, i64, i64)>) -> Asked {
    let stated_at: Timestamp = "2026-11-01T08:00:00Z".parse().expect("a time");
    lines
        .into_iter()
        .map(|(contract, service, count)| (line(contract, service), Some(Opening { units: units(count), stated_at })))
        .collect()
}

/// A change of a line as it was observed.
///
/// # Panics
/// When its units are not known then.
pub fn change(told: &Observation, of: &LineKey, effective: Date, target: i64) -> UnitsChange {
    let seen = told.lines.get(&pair(of)).unwrap_or_else(|| panic!("{of} is not told of: {told:?}"));
    let before = seen.timeline.at(effective).unwrap_or_else(|| panic!("{of} has no units on {effective}: {seen:?}"));
    UnitsChange {
        contract: of.contract.clone(),
        service: of.service.clone(),
        contract_service: seen.contract_service.clone(),
        effective,
        before,
        target: units(target),
        delta: before.delta_to(units(target)),
        prices: None,
    }
}

/// All rows of a list, read page by page.
///
/// # Panics
/// When a page is longer than was asked for, or the list does not end.
pub async fn pages<T, F>(limit: u16, read: impl Fn(Option<String>) -> F) -> Result<Vec<T>, PsaError>
where
    F: Future<Output = Result<CatalogPage<T>, PsaError>>,
{
    let (mut all, mut after) = (vec![], None);
    for _ in 0..1_000 {
        let page = read(after).await?;
        assert!(page.items.len() <= usize::from(limit), "{} rows where {limit} were asked for", page.items.len());
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
    panic!("the list does not end");
}

/// Each of them once.
pub fn once<T: Ord + Clone + Debug>(rows: &[T]) -> BTreeSet<T> {
    let set: BTreeSet<T> = rows.iter().cloned().collect();
    assert_eq!(set.len(), rows.len(), "no row twice: {rows:?}");
    set
}
