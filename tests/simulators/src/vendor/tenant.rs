//! The state of one running simulator, behind its lock.
//!
//! Owns who may go on (credentials, the limit of each window) and what changes amid a walk. No lock is held across an await, so
//! a hanging request never blocks another.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::answer::Refusal;
use super::ask::Ask;
use super::customers::{Change, Customers};
use super::record::Asked;
use super::settings::{Limits, Switches};
use super::{Answer, Vendor};
use crate::clock::Clock;
use crate::faults::Faults;
use crate::journal::Journal;
use crate::reply::Reply;
use crate::window::Window;

/// One simulated vendor in service.
#[derive(Debug)]
pub(crate) struct Tenant<V: Vendor> {
    pub(crate) clock: Clock,
    state: Mutex<State<V>>,
}

/// What a vendor answers from.
#[derive(Debug)]
pub struct Held<V: Vendor> {
    /// The customers.
    pub customers: Customers<V::Customer>,
    /// How it behaves.
    pub switches: Switches<V::Switches>,
    /// Its numbers.
    pub limits: Limits,
}

/// All that changes.
#[derive(Debug)]
pub(crate) struct State<V: Vendor> {
    api: V,
    pub(crate) held: Held<V>,
    pub(crate) window: Window,
    pub(crate) faults: Faults<V::Route>,
    pub(crate) journal: Journal<Asked<V::Route>>,
    /// Pages of customers that were shown since the start or the last reset.
    pages: usize,
    /// Changes, each with the page after which it happens.
    to_come: Vec<(usize, Change<V::Customer>)>,
}

impl<V: Vendor> Tenant<V> {
    pub(crate) fn new(api: V, held: Held<V>, clock: Clock) -> Self {
        let state = State {
            api,
            held,
            window: Window::default(),
            faults: Faults::default(),
            journal: Journal::default(),
            pages: 0,
            to_come: Vec::new(),
        };
        Self { clock, state: Mutex::new(state) }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State<V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V: Vendor> State<V> {
    pub(crate) fn reset_counts(&mut self) {
        self.journal.reset();
        self.faults.reset_counts();
        self.pages = 0;
    }

    pub(crate) fn requests_to(&self, route: V::Route) -> usize {
        self.journal.all().iter().filter(|asked| asked.route == Some(route)).count()
    }

    pub(crate) fn change_after_page(&mut self, page: usize, change: Change<V::Customer>) {
        self.to_come.push((page, change));
    }

    /// Lets the sender of a request in. Who is not known takes nothing of the limit.
    pub(crate) fn enter(&mut self, route: V::Route, ask: &Ask<'_>) -> Result<V::Caller, Refusal> {
        let caller = self.api.let_in(route, ask)?;
        match self.held.limits.requests.filter(|_| V::is_limited(route)) {
            Some(limit) if !self.window.admit(limit, self.held.limits.window(), ask.now) => Err(Refusal::too_many()),
            _ => Ok(caller),
        }
    }

    /// What is answered to somebody who has been let in.
    pub(crate) fn answer(&mut self, route: V::Route, caller: &V::Caller, ask: &Ask<'_>) -> Reply {
        match self.api.answer(route, caller, ask, &self.held) {
            Ok(Answer { reply, is_page }) => {
                if is_page {
                    self.pages += 1;
                    self.go_on(ask.now);
                }
                reply
            }
            Err(refusal) => self.refused(&refusal),
        }
    }

    pub(crate) fn refused(&self, refusal: &Refusal) -> Reply {
        let mut reply = Reply::json(refusal.status, &V::refusal(refusal));
        if let (429, Some(seconds)) = (refusal.status, self.held.switches.retry_after_s) {
            reply.headers.push(("retry-after".to_owned(), seconds.to_string()));
        }
        reply
    }

    /// Lets what was planned for this page happen.
    fn go_on(&mut self, now: Timestamp) {
        let pages = self.pages;
        for (_, change) in self.to_come.extract_if(.., |(page, _)| *page == pages) {
            if let Err(error) = self.held.customers.apply(change, now) {
                tracing::error!(%error, "a change that was planned can't happen");
            }
        }
    }
}
