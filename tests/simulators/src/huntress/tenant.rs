//! The state of one running simulator, behind its lock.
//!
//! Owns who may go on (key, right, the limit of each minute), what each endpoint answers, and what changes amid a walk. No lock
//! is held across an await, so a hanging request never blocks another.

use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::HeaderMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::account::{Account, Change};
use super::keys::ApiKey;
use super::limits::{A_MINUTE, Limits};
use super::listing;
use super::record::Asked;
use super::refusal::Refusal;
use super::routes::{Found, Route};
use super::switches::Switches;
use crate::clock::Clock;
use crate::faults::Faults;
use crate::journal::Journal;
use crate::window::Window;

/// One simulated account in service.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) clock: Clock,
    state: Mutex<State>,
}

/// All that changes.
#[derive(Debug)]
pub(crate) struct State {
    keys: Vec<ApiKey>,
    pub(crate) account: Account,
    pub(crate) switches: Switches,
    pub(crate) limits: Limits,
    pub(crate) window: Window,
    pub(crate) faults: Faults<Route>,
    pub(crate) journal: Journal<Asked>,
    /// Pages of organizations that were shown since the start or the last reset.
    pages: usize,
    pub(crate) to_come: Vec<Planned>,
}

/// A change, and the page after which it happens.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Planned {
    pub(crate) after_page: usize,
    pub(crate) change: Change,
}

impl Tenant {
    pub(crate) fn new(account: Account, keys: Vec<ApiKey>, clock: Clock, switches: Switches, limits: Limits) -> Self {
        let state = State {
            keys,
            account,
            switches,
            limits,
            window: Window::default(),
            faults: Faults::default(),
            journal: Journal::default(),
            pages: 0,
            to_come: Vec::new(),
        };
        Self { clock, state: Mutex::new(state) }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(crate) fn reset_counts(&mut self) {
        self.journal.reset();
        self.faults.reset_counts();
        self.pages = 0;
    }

    /// Lets the holder of a key in: the limit is the account's, so that a wrong key takes nothing of it.
    pub(crate) fn enter(&mut self, route: Route, headers: &HeaderMap, now: Timestamp) -> Result<(), Refusal> {
        let header = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let key = self.keys.iter().find(|key| key.is_in(header)).ok_or(Refusal::Unauthenticated)?;
        if !self.window.admit(self.limits.requests_per_minute, A_MINUTE, now) {
            return Err(Refusal::TooMany);
        }
        if route.is_of_organizations() && !key.reads_organizations { Err(Refusal::NotPermitted) } else { Ok(()) }
    }

    /// What an endpoint answers to somebody who has been let in.
    pub(crate) fn answer(
        &mut self,
        found: Found,
        parameters: &[(String, String)],
        now: Timestamp,
    ) -> Result<Value, Refusal> {
        match found {
            Found::Account => Ok(json!({ "account": self.account.shown() })),
            Found::Organizations => {
                let page = listing::page(&self.account, parameters, &self.limits, &self.switches)?;
                self.pages += 1;
                self.go_on(now);
                Ok(page)
            }
            Found::Organization(id) => {
                let organization = self.account.organization(id).ok_or(Refusal::NotFound)?;
                let account_id = self.account.id;
                let shown = if self.switches.leaves_usages_out {
                    organization.listed(account_id)
                } else {
                    organization.detailed(account_id)
                };
                Ok(json!({ "organization": shown }))
            }
        }
    }

    /// Lets what was planned for this page happen.
    fn go_on(&mut self, now: Timestamp) {
        let pages = self.pages;
        for planned in self.to_come.extract_if(.., |planned| planned.after_page == pages) {
            if let Err(error) = self.account.apply(planned.change, now) {
                tracing::error!(%error, "a change that was planned can't happen");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::huntress::Organization;

    #[test]
    fn what_is_planned_for_a_page_happens_once_that_page_was_shown() {
        let account = Account::of("Nordwind IT", (1..=3).map(|id| Organization::new(id, format!("Customer {id}"))));
        let (keys, clock) = (vec![ApiKey::sample()], Clock::stopped(Timestamp::UNIX_EPOCH));
        let tenant = Tenant::new(account, keys, clock, Switches::default(), Limits::default());
        let mut state = tenant.state();
        state.to_come.push(Planned { after_page: 2, change: Change::Delete(3) });
        let shown: Vec<_> = (0..3)
            .map(|_| {
                let page = state.answer(Found::Organizations, &[], Timestamp::UNIX_EPOCH).unwrap();
                page["organizations"].as_array().unwrap().len()
            })
            .collect();
        assert_eq!(shown, [3, 3, 2]);
        let gone = state.answer(Found::Organization(3), &[], Timestamp::UNIX_EPOCH);
        assert_eq!(gone, Err(Refusal::NotFound));
    }
}
