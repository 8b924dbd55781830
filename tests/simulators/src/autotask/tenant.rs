//! The state of one running simulator, behind its lock.
//!
//! Owns who may get in (credentials, thresholds, threads) and hands out the lock on everything that changes. No lock is held
//! across an await, so a hanging request never blocks another.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::HeaderMap;

use super::entity::Entity;
use super::errors::Refusal;
use super::limits::{Gauge, Limits};
use super::record::Asked;
use super::switches::Switches;
use super::users::ApiUser;
use super::world::World;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::journal::Journal;
use crate::window::Window;

/// One simulated tenant in service.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) users: Vec<ApiUser>,
    pub(crate) clock: Clock,
    pub(crate) gauge: Gauge,
    state: Mutex<State>,
}

/// All that changes.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) switches: Switches,
    pub(crate) limits: Limits,
    pub(crate) window: Window,
    pub(crate) faults: Faults<Entity>,
    pub(crate) journal: Journal<Asked>,
    /// Real time every request takes longer.
    pub(crate) delay_ms: u64,
}

impl Tenant {
    pub(crate) fn new(world: World, users: Vec<ApiUser>, clock: Clock, switches: Switches, limits: Limits) -> Self {
        let state = State {
            world,
            switches,
            limits,
            window: Window::default(),
            faults: Faults::default(),
            journal: Journal::default(),
            delay_ms: 0,
        };
        Self { users, clock, gauge: Gauge::default(), state: Mutex::new(state) }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who is asking. The code is looked at first, then the user, then the secret.
    pub(crate) fn authenticate(&self, headers: &HeaderMap) -> Result<&ApiUser, Refusal> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let code = header("apiintegrationcode");
        if !self.users.iter().any(|user| user.integration_code() == code) {
            return Err(Refusal::WrongIntegrationCode);
        }
        let user = self.user(header("username")).ok_or(Refusal::UnknownUser)?;
        if user.integration_code() != code {
            return Err(Refusal::WrongIntegrationCode);
        }
        if user.secret() != header("secret") {
            return Err(Refusal::WrongSecret);
        }
        if !user.active {
            return Err(Refusal::InactiveUser);
        }
        Ok(user)
    }

    /// A user by name, without regard to case.
    pub(crate) fn user(&self, name: &str) -> Option<&ApiUser> {
        self.users.iter().find(|user| user.username().eq_ignore_ascii_case(name))
    }
}

impl State {
    /// Forgets requests, writes and edits, and starts fault counts at 1 again. Data, units and planned faults stay.
    pub(crate) fn reset_counts(&mut self) {
        self.journal.reset();
        self.faults.reset_counts();
        self.world.writes.clear();
        self.world.edits.clear();
        self.world.row_writes.clear();
    }

    /// Counts a request against the hourly threshold.
    pub(crate) fn admit(&mut self, clock: &Clock) -> Result<(), Refusal> {
        if self.window.admit(self.limits.requests, self.limits.window(), clock.now()) {
            Ok(())
        } else {
            Err(Refusal::OverThreshold(self.limits.requests))
        }
    }

    /// The refusal for one thread too many.
    pub(crate) fn too_many_threads(&self, entity: Entity) -> Refusal {
        tracing::debug!(%entity, "thread limit reached");
        Refusal::OverThreads(u32::try_from(self.limits.threads).unwrap_or(u32::MAX))
    }
}
