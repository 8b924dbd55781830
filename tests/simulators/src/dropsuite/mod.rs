//! A simulated Dropsuite (NinjaOne SaaS Backup) as a reseller meets it.
//!
//! Its API document is for partners only: routes, headers and names are those that several public clients agree on. What they
//! differ in, or have never met, is a switch.

mod organization;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use organization::{LogIn, ORGANIZATIONS_TOKEN, Organization};

use crate::vendor::{Answer, Ask, Held, Limits, Lot, Refusal, Simulator, Vendor};

/// A running simulator.
pub type Dropsuite = Simulator<Api>;

/// The reseller token that the simulator opens with unless it is given another.
pub const SAMPLE_RESELLER_TOKEN: &str = "ds_simulated_reseller_1";
/// The authentication token that goes with it.
pub const SAMPLE_ACCESS_TOKEN: &str = "ds_simulated_access_1";

/// An endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// `GET /api/status`
    Status,
    /// `GET /api/users`
    Users,
    /// `GET /api/users/{id}`
    User,
}

/// What is Dropsuite's alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Switches {
    /// What the rows of a page come in.
    pub shape: Shape,
    /// Whether the page behind the last is a 404 in place of an empty list: which of them it is, no client says.
    pub ends_with_404: bool,
    /// Whether rows do not say how many seats there are.
    pub leaves_seats_out: bool,
}

/// The shapes of a page that were seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// `[row, …]`
    #[default]
    Bare,
    /// `{"result_set": [row, …]}`
    ResultSet,
    /// `[{"result_set": [row, …]}]`
    ResultSetInArray,
}

/// The API, for one reseller.
#[derive(Debug)]
pub struct Api {
    reseller_token: SecretString,
    access_token: SecretString,
}

impl Default for Api {
    fn default() -> Self {
        Self::of(SAMPLE_RESELLER_TOKEN, SAMPLE_ACCESS_TOKEN)
    }
}

impl Api {
    /// Opens with these tokens.
    #[must_use]
    pub fn of(reseller_token: impl Into<String>, access_token: impl Into<String>) -> Self {
        Self { reseller_token: reseller_token.into().into(), access_token: access_token.into().into() }
    }
}

impl Vendor for Api {
    const NAME: &'static str = "dropsuite";
    const SAMPLE: &'static [(&'static str, &'static str)] =
        &[("reseller_token", SAMPLE_RESELLER_TOKEN), ("access_token", SAMPLE_ACCESS_TOKEN)];
    /// No limit of requests is published. Nor is the size of a page that nobody chose: ten is what other vendors have.
    const LIMITS: Limits = Limits { requests: None, window_s: 60, default_page: 10, largest_page: 100 };

    type Route = Route;
    type Customer = Organization;
    type Switches = Switches;
    type Caller = ();

    fn route(ask: &Ask<'_>) -> Result<Route, Refusal> {
        let route = match ask.path() {
            ["api", "status"] => Route::Status,
            ["api", "users"] => Route::Users,
            ["api", "users", _] => Route::User,
            _ => return Err(Refusal::not_found()),
        };
        ask.by("GET")?;
        Ok(route)
    }

    fn is_limited(_route: Route) -> bool {
        true
    }

    /// The status is content with the reseller's token alone, so that it says nothing of the right to read.
    fn let_in(&self, route: Route, ask: &Ask<'_>) -> Result<(), Refusal> {
        let is_reseller = ask.header("x-reseller-token") == self.reseller_token.expose_secret();
        let has_access = ask.header("x-access-token") == self.access_token.expose_secret();
        if is_reseller && (has_access || route == Route::Status) { Ok(()) } else { Err(Refusal::unauthenticated()) }
    }

    fn answer(&mut self, route: Route, (): &(), ask: &Ask<'_>, held: &Held<Self>) -> Result<Answer, Refusal> {
        match route {
            Route::Status => Ok(Answer::told(&json!({ "status": "ok" }))),
            Route::Users => Ok(Answer::page(&page(ask, held)?)),
            Route::User => {
                let row = rows(held).find(|(one, log_in)| one.user_id(log_in) == ask.segment(2));
                let (organization, log_in) = row.ok_or_else(Refusal::not_found)?;
                Ok(Answer::told(&organization.detailed(log_in)))
            }
        }
    }

    fn refusal(refusal: &Refusal) -> Value {
        match refusal.status {
            401 => json!({ "error": "not authorized to perform this action" }),
            _ => json!({ "error": refusal.what }),
        }
    }

    fn made_up(lot: &Lot) -> Organization {
        Organization::made_up(lot)
    }
}

/// A page of log-ins, the first being 1. There is no total, and nothing says which page is the last.
fn page(ask: &Ask<'_>, held: &Held<Api>) -> Result<Value, Refusal> {
    let own = held.switches.own;
    let limit = ask.number("per_page")?.unwrap_or(held.limits.default_page).min(held.limits.largest_page);
    let page = if held.switches.repeats_token { 1 } else { ask.number("page")?.unwrap_or(1) };
    let skip = page.saturating_sub(1).saturating_mul(limit);
    let rows: Vec<Value> = rows(held)
        .skip(skip)
        .take(limit)
        .map(|(organization, log_in)| organization.listed(log_in, !own.leaves_seats_out))
        .collect();
    if rows.is_empty() && page > 1 && own.ends_with_404 {
        return Err(Refusal::not_found());
    }
    Ok(match own.shape {
        Shape::Bare => json!(rows),
        Shape::ResultSet => json!({ "result_set": rows }),
        Shape::ResultSetInArray => json!([{ "result_set": rows }]),
    })
}

fn rows(held: &Held<Api>) -> impl Iterator<Item = (&Organization, &LogIn)> {
    held.customers.iter().flat_map(|organization| organization.log_ins.iter().map(move |log_in| (organization, log_in)))
}
