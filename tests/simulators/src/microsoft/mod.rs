//! A simulated Microsoft as partners of the CSP programme meet it: the log-in, Partner Center and Graph at one address.
//!
//! [`Microsoft`] is the handle; its customers are [`Customer`]s. It offers what tells which licences were bought and which are
//! assigned, and nothing that changes one. Facts come from Microsoft's documentation of Partner Center, Graph and Entra ID; that
//! Partner Center begins its JSON with a byte order mark, from those who stumbled over it (Azure/msrest-for-python, issue 144).
//! The limit is the one that is documented for a customer's subscriptions, here for all of Partner Center; of the other two
//! hosts no number is known.

mod customer;
mod listing;
mod login;
mod made_up;
mod subscription;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use customer::{Customer, Licenses, Sku};
pub use login::{Application, Grant};
pub use subscription::Subscription;

use crate::tokens::Tokens;
use crate::vendor::{Answer, Ask, Held, Limits, Lot, Refusal, Simulator, Vendor};
use login::Host;

/// A running simulator.
pub type Microsoft = Simulator<Api>;

/// The partner's tenant of the default [`Application`].
pub const SAMPLE_TENANT_ID: &str = "00000000-0000-4000-80cf-000000000000";
/// Its id.
pub const SAMPLE_CLIENT_ID: &str = "00000000-0000-4000-80ce-000000000000";
/// Its secret. It opens nothing but a simulator.
pub const SAMPLE_CLIENT_SECRET: &str = "simulated-client-secret";
/// The refresh token with which it acts as a user.
pub const SAMPLE_REFRESH_TOKEN: &str = "simulated-refresh-token";

/// What Partner Center's answers begin with.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// An endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// `POST /{tenant}/oauth2/v2.0/token`
    Token,
    /// `GET /v1/customers`
    Customers,
    /// `GET /v1/customers/{id}/subscriptions`
    Subscriptions,
    /// `GET /v1.0/subscribedSkus`
    SubscribedSkus,
}

/// What nobody has confirmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Switches {
    /// Whether the log-in gives out no token for the tenant of a customer that does not consent. If it does, Graph refuses
    /// what is asked with it.
    pub gives_no_token_without_consent: bool,
}

/// What one application of a partner's can ask.
#[derive(Debug, Default)]
pub struct Api {
    application: Application,
    tokens: Tokens<Grant>,
}

impl Api {
    /// One that this application opens.
    #[must_use]
    pub fn opened_by(application: Application) -> Self {
        Self { application, tokens: Tokens::default() }
    }

    fn subscriptions(id: &str, held: &Held<Self>) -> Result<Value, Refusal> {
        let refused = || Refusal::new(403, "20002: The partner has no commerce relationship with the customer.");
        let customer = held.customers.get(&id.to_owned()).ok_or_else(refused)?;
        Ok(listing::collection(customer.licenses.subscriptions.iter().map(Subscription::listed).collect()))
    }

    /// What is in the tenant of a token. The partner's own has nothing in it.
    fn subscribed_skus(tenant: &str, held: &Held<Self>) -> Result<Value, Refusal> {
        let customer = held.customers.get(&tenant.to_owned());
        if customer.is_some_and(|customer| !customer.consents) {
            let what = "Authorization_RequestDenied: Insufficient privileges to complete the operation.";
            return Err(Refusal::new(403, what));
        }
        let skus = customer.map(Customer::subscribed_skus).unwrap_or_default();
        Ok(json!({ "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#subscribedSkus", "value": skus }))
    }
}

impl Vendor for Api {
    const NAME: &'static str = "microsoft";
    const SAMPLE: &'static [(&'static str, &'static str)] = &[
        ("tenant_id", SAMPLE_TENANT_ID),
        ("client_id", SAMPLE_CLIENT_ID),
        ("client_secret", SAMPLE_CLIENT_SECRET),
        ("refresh_token", SAMPLE_REFRESH_TOKEN),
    ];
    const LIMITS: Limits = Limits { requests: Some(500), window_s: 60, default_page: 500, largest_page: 500 };

    type Route = Route;
    type Customer = Customer;
    type Switches = Switches;
    /// None of whom a token is yet to be given to.
    type Caller = Option<Grant>;

    fn route(ask: &Ask<'_>) -> Result<Route, Refusal> {
        let (route, method) = match ask.path() {
            [_, "oauth2", "v2.0", "token"] => (Route::Token, "POST"),
            ["v1", "customers"] => (Route::Customers, "GET"),
            ["v1", "customers", _, "subscriptions"] => (Route::Subscriptions, "GET"),
            ["v1.0", "subscribedSkus"] => (Route::SubscribedSkus, "GET"),
            _ => return Err(Refusal::not_found()),
        };
        ask.by(method).map(|()| route)
    }

    fn is_limited(route: Route) -> bool {
        matches!(route, Route::Customers | Route::Subscriptions)
    }

    fn let_in(&self, route: Route, ask: &Ask<'_>) -> Result<Option<Grant>, Refusal> {
        if route == Route::Token {
            return self.application.is_asking(ask).map(|()| None);
        }
        let grant = ask.bearer().and_then(|token| self.tokens.grant(token, ask.now));
        let opens = |grant: &&Grant| match grant.host {
            Host::PartnerCenter => route != Route::SubscribedSkus && grant.tenant == self.application.tenant_id,
            Host::Graph => route == Route::SubscribedSkus,
        };
        let refused = || Refusal::new(401, "InvalidAuthenticationToken: The token is missing, wrong or expired.");
        grant.filter(opens).cloned().map(Some).ok_or_else(refused)
    }

    fn answer(
        &mut self,
        route: Route,
        grant: &Option<Grant>,
        ask: &Ask<'_>,
        held: &Held<Self>,
    ) -> Result<Answer, Refusal> {
        let tenant = grant.as_ref().map_or("", |grant| grant.tenant.as_str());
        Ok(match route {
            Route::Token => Answer::told(&self.application.give(&mut self.tokens, ask, held)?),
            Route::Customers => Answer::page(&listing::customers(ask, held)?).behind(BYTE_ORDER_MARK),
            Route::Subscriptions => Answer::told(&Self::subscriptions(ask.segment(2), held)?).behind(BYTE_ORDER_MARK),
            Route::SubscribedSkus => Answer::told(&Self::subscribed_skus(tenant, held)?),
        })
    }

    /// A refusal here begins with what its host calls it, and each host has a form of its own: the log-in that of the standard
    /// with a code of Microsoft's in its sentences, Partner Center one with a number.
    fn refusal(refusal: &Refusal) -> Value {
        let status = refusal.status.to_string();
        let (code, what) = refusal.what.split_once(": ").unwrap_or((&status, &refusal.what));
        if what.starts_with("AADSTS") {
            json!({ "error": code, "error_description": what })
        } else if code.parse::<u32>().is_ok() {
            json!({ "code": code, "description": what, "data": [], "source": "PartnerCenter" })
        } else {
            json!({ "error": { "code": code, "message": what } })
        }
    }

    fn made_up(lot: &Lot) -> Customer {
        made_up::customer(lot)
    }
}
