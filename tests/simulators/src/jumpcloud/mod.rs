//! A simulated JumpCloud as a provider of several organizations meets it.
//!
//! Facts come from JumpCloud's own OpenAPI descriptions (v2 for the provider's list, v1 for users and systems). A count is the
//! total of an organization's list; the list itself is made up from it. Of the parameters of lists, `fields`, `filter` and
//! `search` are left out.

mod organization;

use axum::http::StatusCode;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use organization::{Counts, Organization};

use crate::vendor::{Answer, Ask, Held, Limits, Lot, Refusal, Simulator, Vendor};

/// A running simulator.
pub type JumpCloud = Simulator<Api>;

/// The key that the simulator opens with unless it is given another.
pub const SAMPLE_API_KEY: &str = "jca_simulated_key_1";
/// The provider whose organizations it has.
pub const SAMPLE_PROVIDER: &str = "5e0a1f2b3c4d5e6f70819201";

/// An endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// `GET /api/v2/providers/{provider_id}/organizations`
    Organizations,
    /// `GET /api/systemusers`
    Users,
    /// `GET /api/systems`
    Systems,
}

/// What is JumpCloud's alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Switches {
    /// Whether the lists of an organization have no `totalCount`. The specification shows it and makes it nobody's duty.
    pub leaves_totals_out: bool,
}

/// The API, for one administrator of one provider.
#[derive(Debug)]
pub struct Api {
    api_key: SecretString,
    provider: String,
}

impl Default for Api {
    fn default() -> Self {
        Self::of(SAMPLE_API_KEY, SAMPLE_PROVIDER)
    }
}

impl Api {
    /// Opens with this key, which is an administrator's of this provider.
    #[must_use]
    pub fn of(api_key: impl Into<String>, provider: impl Into<String>) -> Self {
        Self { api_key: api_key.into().into(), provider: provider.into() }
    }
}

impl Vendor for Api {
    const NAME: &'static str = "jumpcloud";
    const SAMPLE: &'static [(&'static str, &'static str)] =
        &[("api_key", SAMPLE_API_KEY), ("provider_id", SAMPLE_PROVIDER)];
    /// No limit of requests is published.
    const LIMITS: Limits = Limits { requests: None, window_s: 60, default_page: 10, largest_page: 100 };

    type Route = Route;
    type Customer = Organization;
    type Switches = Switches;
    type Caller = ();

    fn route(ask: &Ask<'_>) -> Result<Route, Refusal> {
        let route = match ask.path() {
            ["api", "v2", "providers", _, "organizations"] => Route::Organizations,
            ["api", "systemusers"] => Route::Users,
            ["api", "systems"] => Route::Systems,
            _ => return Err(Refusal::not_found()),
        };
        ask.by("GET")?;
        Ok(route)
    }

    fn is_limited(_route: Route) -> bool {
        true
    }

    fn let_in(&self, _route: Route, ask: &Ask<'_>) -> Result<(), Refusal> {
        let is_known = ask.header("x-api-key") == self.api_key.expose_secret();
        if is_known { Ok(()) } else { Err(Refusal::unauthenticated()) }
    }

    fn answer(&mut self, route: Route, (): &(), ask: &Ask<'_>, held: &Held<Self>) -> Result<Answer, Refusal> {
        let span = Span::read(ask, &held.limits)?;
        match route {
            Route::Organizations if ask.segment(3) != self.provider => Err(Refusal::not_found()),
            Route::Organizations => Ok(Answer::page(&organizations(span, ask, held)?)),
            Route::Users => Ok(Answer::told(&listed(Organization::users(meant(ask, held)?, span), held))),
            Route::Systems => Ok(Answer::told(&listed(Organization::systems(meant(ask, held)?, span), held))),
        }
    }

    fn refusal(refusal: &Refusal) -> Value {
        let status = StatusCode::from_u16(refusal.status).ok().and_then(|status| status.canonical_reason());
        json!({ "code": refusal.status, "message": refusal.what, "status": status })
    }

    fn made_up(lot: &Lot) -> Organization {
        Organization::made_up(lot)
    }
}

/// Which rows of a list are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    skip: usize,
    limit: usize,
}

impl Span {
    /// "Limited to 100": more are cut and not refused, which nobody has confirmed.
    fn read(ask: &Ask<'_>, limits: &Limits) -> Result<Self, Refusal> {
        let skip = ask.number("skip")?.unwrap_or_default();
        let limit = ask.number("limit")?.unwrap_or(limits.default_page).min(limits.largest_page);
        Ok(Self { skip, limit })
    }

    fn of<T>(self, rows: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
        rows.into_iter().skip(self.skip).take(self.limit)
    }
}

/// A page of the provider's list. By an offset a row is skipped when one before it is deleted meanwhile.
fn organizations(span: Span, ask: &Ask<'_>, held: &Held<Api>) -> Result<Value, Refusal> {
    let mut rows: Vec<&Organization> = held.customers.iter().collect();
    match ask.sent("sort").unwrap_or_default() {
        "" => {}
        "name" => rows.sort_by(|one, other| one.name.cmp(&other.name)),
        "-name" => rows.sort_by(|one, other| other.name.cmp(&one.name)),
        _ => return Err(Refusal::invalid("sort does not have a valid value")),
    }
    let total = rows.len();
    let span = if held.switches.repeats_token { Span { skip: 0, ..span } } else { span };
    let shown: Vec<Value> = span.of(rows).map(Organization::listed).collect();
    Ok(json!({ "results": shown, "totalCount": total }))
}

/// The organization that a request is about. Its header is every administrator's duty who has several.
fn meant<'h>(ask: &Ask<'_>, held: &'h Held<Api>) -> Result<&'h Organization, Refusal> {
    let id = ask.header("x-org-id");
    if id.is_empty() {
        return Err(Refusal::new(401, "x-org-id is missing."));
    }
    if id.len() != 24 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Refusal::invalid("x-org-id is malformed."));
    }
    held.customers.get(&id.to_owned()).ok_or_else(Refusal::not_found)
}

fn listed((rows, total): (Vec<Value>, u32), held: &Held<Api>) -> Value {
    if held.switches.own.leaves_totals_out {
        json!({ "results": rows })
    } else {
        json!({ "results": rows, "totalCount": total })
    }
}
