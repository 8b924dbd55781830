//! A simulated Huntress that speaks the v1 API.
//!
//! It offers what tells how much each organization has, and nothing that changes an organization. Facts come from Huntress's
//! own OpenAPI description; of its parameters the filters by name and key are left out.

mod keys;
mod listing;
mod organization;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use keys::{ApiKey, SAMPLE_KEY, SAMPLE_SECRET};
pub use organization::{Counts, IdentityTenant, Organization, Provider};

use crate::vendor::{Answer, Ask, Held, Limits, Lot, Refusal, Simulator, Vendor};

/// A running simulator.
pub type Huntress = Simulator<Api>;

/// The account's id.
const ACCOUNT: i64 = 5;

/// An endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// `GET /v1/account`
    Account,
    /// `GET /v1/organizations`
    Organizations,
    /// `GET /v1/organizations/{id}`
    Organization,
}

/// What is Huntress's alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Switches {
    /// Whether `actual_usages` is left out of the answer about an organization. The specification restricts it to no key,
    /// and promises it to none.
    pub leaves_usages_out: bool,
}

/// The API of one account.
#[derive(Debug)]
pub struct Api {
    keys: Vec<ApiKey>,
}

impl Default for Api {
    fn default() -> Self {
        Self::of([ApiKey::sample()])
    }
}

impl Api {
    /// Opens with these keys.
    #[must_use]
    pub fn of(keys: impl IntoIterator<Item = ApiKey>) -> Self {
        Self { keys: keys.into_iter().collect() }
    }
}

impl Vendor for Api {
    const NAME: &'static str = "huntress";
    const SAMPLE: &'static [(&'static str, &'static str)] = &[("key", SAMPLE_KEY), ("secret", SAMPLE_SECRET)];
    /// For the whole account, in a window that slides.
    const LIMITS: Limits = Limits { requests: Some(60), window_s: 60, default_page: 10, largest_page: 500 };

    type Route = Route;
    type Customer = Organization;
    type Switches = Switches;
    /// Whether the key may read organizations.
    type Caller = bool;

    fn route(ask: &Ask<'_>) -> Result<Route, Refusal> {
        let route = match ask.path() {
            ["v1", "account"] => Route::Account,
            ["v1", "organizations"] => Route::Organizations,
            ["v1", "organizations", _] => Route::Organization,
            _ => return Err(Refusal::not_found()),
        };
        ask.by("GET")?;
        Ok(route)
    }

    fn is_limited(_route: Route) -> bool {
        true
    }

    fn let_in(&self, _route: Route, ask: &Ask<'_>) -> Result<bool, Refusal> {
        let (key, secret) = ask.basic().ok_or_else(Refusal::unauthenticated)?;
        let found = self.keys.iter().find(|held| held.is(&key, &secret));
        found.map(|key| key.reads_organizations).ok_or_else(Refusal::unauthenticated)
    }

    fn answer(
        &mut self,
        route: Route,
        reads_organizations: &bool,
        ask: &Ask<'_>,
        held: &Held<Self>,
    ) -> Result<Answer, Refusal> {
        match route {
            Route::Account => {
                let shown =
                    json!({ "id": ACCOUNT, "name": "Nordwind IT", "subdomain": "simulated", "status": "enabled" });
                Ok(Answer::told(&json!({ "account": shown })))
            }
            _ if !reads_organizations => Err(Refusal::not_permitted()),
            Route::Organizations => Ok(Answer::page(&listing::page(ask, held)?)),
            Route::Organization => {
                let id = ask.segment(2).parse().map_err(|_| Refusal::invalid("id is invalid"))?;
                let found = held.customers.get(&id).ok_or_else(Refusal::not_found)?;
                let shown = if held.switches.own.leaves_usages_out { found.listed() } else { found.detailed() };
                Ok(Answer::told(&json!({ "organization": shown })))
            }
        }
    }

    /// The specification leaves its form open.
    fn refusal(refusal: &Refusal) -> Value {
        json!({ "error": refusal.what })
    }

    fn made_up(lot: &Lot) -> Organization {
        Organization::made_up(lot)
    }
}
