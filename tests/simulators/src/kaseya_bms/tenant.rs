//! The state of one running simulator, behind its lock.
//!
//! Owns who may go on (token, rights, the hourly limit of each endpoint) and hands out the lock on everything that changes. No
//! lock is held across an await, so a hanging request never blocks another.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::HeaderMap;

use super::envelope::Refusal;
use super::limits::Limits;
use super::logins::Logins;
use super::record::Asked;
use super::routes::Route;
use super::switches::Switches;
use super::users::BmsUser;
use super::world::World;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::journal::Journal;
use crate::window::Window;

/// One simulated tenant in service.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) clock: Clock,
    pub(crate) in_flight: Arc<AtomicUsize>,
    state: Mutex<State>,
}

/// All that changes.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) users: Vec<BmsUser>,
    pub(crate) world: World,
    pub(crate) switches: Switches,
    pub(crate) limits: Limits,
    pub(crate) windows: HashMap<Route, Window>,
    pub(crate) logins: Logins,
    pub(crate) faults: Faults<Route>,
    pub(crate) journal: Journal<Asked>,
    /// Real time every request takes longer.
    pub(crate) delay_ms: u64,
}

/// One request in progress. Dropping it ends it, also when the client goes away first.
pub(crate) struct InProgress(Arc<AtomicUsize>);

impl Tenant {
    pub(crate) fn new(world: World, users: Vec<BmsUser>, clock: Clock, switches: Switches, limits: Limits) -> Self {
        let state = State {
            users,
            world,
            switches,
            limits,
            windows: HashMap::new(),
            logins: Logins::default(),
            faults: Faults::default(),
            journal: Journal::default(),
            delay_ms: 0,
        };
        Self { clock, in_flight: Arc::default(), state: Mutex::new(state) }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin(&self) -> InProgress {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        InProgress(Arc::clone(&self.in_flight))
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl State {
    /// Forgets requests, writes, edits and log-in attempts, and starts fault counts at 1 again. Data, tokens, locks, the
    /// hourly count and planned faults stay.
    pub(crate) fn reset_counts(&mut self) {
        self.journal.reset();
        self.faults.reset_counts();
        self.logins.reset();
        self.world.writes.clear();
        self.world.edits.clear();
    }

    /// Counts a request against its endpoint's hourly limit.
    pub(crate) fn admit(&mut self, route: Route, clock: &Clock) -> Result<(), Refusal> {
        let window = self.windows.entry(route).or_default();
        let admitted = window.admit(self.limits.requests_per_hour, self.limits.hour(), clock.now());
        if admitted { Ok(()) } else { Err(Refusal::Throttled) }
    }

    /// The user of the bearer token, if it is good and the endpoint is one they may use.
    pub(crate) fn authenticate(&self, route: Route, headers: &HeaderMap, clock: &Clock) -> Result<BmsUser, Refusal> {
        let header = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (scheme, token) = header.split_once(' ').unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Refusal::Security);
        }
        let name = self.logins.user_of(token.trim(), clock.now()).ok_or(Refusal::Security)?;
        let user =
            self.users.iter().find(|user| user.username().eq_ignore_ascii_case(name)).ok_or(Refusal::Security)?;
        let may = route.right().is_none_or(|right| user.may(right));
        if may { Ok(user.clone()) } else { Err(Refusal::NotPermitted) }
    }
}
