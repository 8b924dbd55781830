//! A simulated Pax8 that speaks version 1 of its partner API.
//!
//! [`Pax8`] is the handle; its customers are [`Company`]s. It offers what tells how much was bought for each, and nothing that
//! buys. Facts come from Pax8's own OpenAPI description and developer pages. Not confirmed, and made up here: which status
//! refuses a wrong secret or audience, and how many requests are allowed; 429 is documented without a number.

mod company;
mod listing;
mod made_up;
mod subscription;

use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use company::{Company, Status};
pub use subscription::{Commitment, Product, Subscription};

use crate::tokens::Tokens;
use crate::vendor::{Answer, Ask, Held, Limits, Lot, Nothing, Refusal, Simulator, Vendor};

/// A running simulator.
pub type Pax8 = Simulator<Api>;

/// The client of the default [`Api`].
pub const SAMPLE_CLIENT_ID: &str = "simulated-pax8-client";
/// Its secret. It opens nothing but a simulator.
pub const SAMPLE_CLIENT_SECRET: &str = "simulated-pax8-secret";

/// What a token has to be asked for.
const AUDIENCE: &str = "https://api.pax8.com";
/// How long a token is good for.
const LIFE: SignedDuration = SignedDuration::from_secs(86_400);

/// An endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// `POST /v1/token`
    Token,
    /// `GET /v1/companies`
    Companies,
    /// `GET /v1/subscriptions`
    Subscriptions,
}

/// The API of one partner.
#[derive(Debug)]
pub struct Api {
    client_id: String,
    client_secret: SecretString,
    tokens: Tokens<()>,
}

/// What a request for a token says.
#[derive(Deserialize)]
struct TokenRequest {
    client_id: String,
    client_secret: SecretString,
    audience: String,
    grant_type: String,
}

impl Api {
    /// One that this client opens.
    #[must_use]
    pub fn opened_by(client_id: &str, client_secret: &str) -> Self {
        Self { client_id: client_id.to_owned(), client_secret: client_secret.into(), tokens: Tokens::default() }
    }

    /// Whether a request for a token comes from the client.
    fn knows(&self, ask: &Ask<'_>) -> Result<(), Refusal> {
        let request: Result<TokenRequest, _> = serde_json::from_slice(ask.body());
        let request = request.map_err(|_| Refusal::invalid("The body is no request for a token."))?;
        if request.grant_type != "client_credentials" {
            return Err(Refusal::invalid("The grant type is not supported."));
        }
        let is_secret = request.client_secret.expose_secret() == self.client_secret.expose_secret();
        if request.client_id != self.client_id || !is_secret {
            return Err(Refusal::unauthenticated());
        }
        if request.audience == AUDIENCE { Ok(()) } else { Err(Refusal::not_permitted()) }
    }
}

impl Default for Api {
    fn default() -> Self {
        Self::opened_by(SAMPLE_CLIENT_ID, SAMPLE_CLIENT_SECRET)
    }
}

impl Vendor for Api {
    const NAME: &'static str = "pax8";
    const SAMPLE: &'static [(&'static str, &'static str)] =
        &[("client_id", SAMPLE_CLIENT_ID), ("client_secret", SAMPLE_CLIENT_SECRET)];
    const LIMITS: Limits = Limits { requests: Some(1_000), window_s: 60, default_page: 10, largest_page: 200 };

    type Route = Route;
    type Customer = Company;
    type Switches = Nothing;
    type Caller = ();

    fn route(ask: &Ask<'_>) -> Result<Route, Refusal> {
        let (route, method) = match ask.path() {
            ["v1", "token"] => (Route::Token, "POST"),
            ["v1", "companies"] => (Route::Companies, "GET"),
            ["v1", "subscriptions"] => (Route::Subscriptions, "GET"),
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
        token.copied().ok_or_else(Refusal::unauthenticated)
    }

    fn answer(&mut self, route: Route, (): &(), ask: &Ask<'_>, held: &Held<Self>) -> Result<Answer, Refusal> {
        match route {
            Route::Token => {
                let token = self.tokens.give((), LIFE, ask.now);
                let token = json!({ "access_token": token, "expires_in": LIFE.as_secs(), "token_type": "Bearer" });
                Ok(Answer::told(&token))
            }
            Route::Companies => listing::companies(ask, held).map(|page| Answer::page(&page)),
            Route::Subscriptions => listing::subscriptions(ask, held).map(|page| Answer::told(&page)),
        }
    }

    fn refusal(refusal: &Refusal) -> Value {
        json!({ "type": "HTTP_ERROR", "message": refusal.what, "status": refusal.status, "details": [] })
    }

    fn made_up(lot: &Lot) -> Company {
        made_up::company(lot)
    }
}
