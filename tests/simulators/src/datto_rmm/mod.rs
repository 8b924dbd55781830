//! A simulated Datto RMM that speaks version 2 of its API.
//!
//! [`DattoRmm`] is the handle; its customers are [`Site`]s. It offers what tells how many devices each has, and nothing that
//! changes one. Facts come from Datto's own OpenAPI description and help pages; the form in which a token is asked for, and
//! what is answered to a wrong key, are those that public clients know. The second by which answers are held back beyond nine
//! tenths of the limit is left out: no test waits.

mod listing;
mod made_up;
mod site;

use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use site::{Devices, Site};

use crate::tokens::Tokens;
use crate::vendor::{Answer, Ask, Held, Limits, Lot, Nothing, Refusal, Simulator, Vendor};

/// A running simulator.
pub type DattoRmm = Simulator<Api>;

/// The "API Key" of the default [`Api`].
pub const SAMPLE_KEY: &str = "simulated-api-key";
/// The "API Secret Key" beside it. It opens nothing but a simulator.
pub const SAMPLE_SECRET: &str = "simulated-api-secret";

/// What every program says that it is when it asks for a token: no secret.
const CLIENT: (&str, &str) = ("public-client", "public");
/// How long a token is good for.
const LIFE: SignedDuration = SignedDuration::from_hours(100);

/// An endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// `POST /auth/oauth/token`
    Token,
    /// `GET /api/v2/account/sites`
    Sites,
    /// `GET /api/v2/site/{siteUid}/devices`
    Devices,
}

/// The API of one account.
#[derive(Debug)]
pub struct Api {
    key: SecretString,
    secret: SecretString,
    tokens: Tokens<()>,
}

impl Api {
    /// One that this key opens.
    #[must_use]
    pub fn opened_by(key: &str, secret: &str) -> Self {
        Self { key: key.into(), secret: secret.into(), tokens: Tokens::default() }
    }

    /// Whether a request for a token comes with the key.
    fn knows(&self, ask: &Ask<'_>) -> Result<(), Refusal> {
        let client = ask.basic();
        if client.as_ref().map(|(name, secret)| (name.as_str(), secret.as_str())) != Some(CLIENT) {
            return Err(Refusal::new(401, "invalid_client: Bad client credentials"));
        }
        if ask.field("grant_type") != "password" {
            return Err(Refusal::invalid("unsupported_grant_type: Unsupported grant type"));
        }
        let is = |name: &str, held: &SecretString| ask.field(name) == held.expose_secret();
        if is("username", &self.key) && is("password", &self.secret) {
            Ok(())
        } else {
            Err(Refusal::invalid("invalid_grant: Bad credentials"))
        }
    }
}

impl Default for Api {
    fn default() -> Self {
        Self::opened_by(SAMPLE_KEY, SAMPLE_SECRET)
    }
}

impl Vendor for Api {
    const NAME: &'static str = "datto_rmm";
    const SAMPLE: &'static [(&'static str, &'static str)] =
        &[("host", "concord-api.centrastage.net"), ("api_key", SAMPLE_KEY), ("api_secret", SAMPLE_SECRET)];
    /// Reads of the whole account, whoever sends them.
    const LIMITS: Limits = Limits { requests: Some(600), window_s: 60, default_page: 250, largest_page: 250 };

    type Route = Route;
    type Customer = Site;
    type Switches = Nothing;
    type Caller = ();

    fn route(ask: &Ask<'_>) -> Result<Route, Refusal> {
        let (route, method) = match ask.path() {
            ["auth", "oauth", "token"] => (Route::Token, "POST"),
            ["api", "v2", "account", "sites"] => (Route::Sites, "GET"),
            ["api", "v2", "site", _, "devices"] => (Route::Devices, "GET"),
            _ => return Err(Refusal::not_found()),
        };
        ask.by(method).map(|()| route)
    }

    fn is_limited(route: Route) -> bool {
        route != Route::Token
    }

    fn let_in(&self, route: Route, ask: &Ask<'_>) -> Result<(), Refusal> {
        if route == Route::Token {
            return self.knows(ask);
        }
        let token = ask.bearer().and_then(|token| self.tokens.grant(token, ask.now));
        token.copied().ok_or_else(|| Refusal::new(401, "invalid_token: The access token is missing, wrong or expired"))
    }

    fn answer(&mut self, route: Route, (): &(), ask: &Ask<'_>, held: &Held<Self>) -> Result<Answer, Refusal> {
        match route {
            Route::Token => {
                let token = self.tokens.give((), LIFE, ask.now);
                Ok(Answer::told(
                    &json!({ "access_token": token, "token_type": "bearer", "expires_in": LIFE.as_secs() }),
                ))
            }
            Route::Sites => {
                let sites: Vec<&Site> = held.customers.iter().collect();
                listing::page("sites", &sites, |site| site.listed(), ask, held).map(|page| Answer::page(&page))
            }
            Route::Devices => {
                let site = held.customers.get(&ask.segment(3).to_owned()).ok_or_else(Refusal::not_found)?;
                let devices = site.listed_devices();
                listing::page("devices", &devices, Value::clone, ask, held).map(|page| Answer::told(&page))
            }
        }
    }

    /// The standard's form (RFC 6749, section 5.2) for all: what the API itself says is not known.
    fn refusal(refusal: &Refusal) -> Value {
        match refusal.what.split_once(": ") {
            Some((error, what)) => json!({ "error": error, "error_description": what }),
            None => json!({ "error": refusal.what }),
        }
    }

    fn made_up(lot: &Lot) -> Site {
        made_up::site(lot)
    }
}
