//! Tokens: for whom, for which tenant and for which host.
//!
//! A token opens one host in one tenant: Partner Center in the partner's own, Graph in whichever it was asked for. A refresh
//! token stays good after it was used, as Microsoft's do, and is not seen to end.

use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::{Api, SAMPLE_CLIENT_ID, SAMPLE_CLIENT_SECRET, SAMPLE_REFRESH_TOKEN, SAMPLE_TENANT_ID};
use crate::tokens::Tokens;
use crate::vendor::{Ask, Held, Refusal};

/// A second less than an hour.
const LIFE: SignedDuration = SignedDuration::from_secs(3_599);

/// An application of the partner's, and the user for whom it acts.
#[derive(Debug)]
pub struct Application {
    /// The partner's tenant.
    pub tenant_id: String,
    /// The application.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// For what it acts as a user.
    pub refresh_token: SecretString,
}

/// A host that has tokens of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    PartnerCenter,
    Graph,
}

/// What a token was given for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub(crate) host: Host,
    pub(crate) tenant: String,
}

impl Default for Application {
    fn default() -> Self {
        Self {
            tenant_id: SAMPLE_TENANT_ID.to_owned(),
            client_id: SAMPLE_CLIENT_ID.to_owned(),
            client_secret: SAMPLE_CLIENT_SECRET.into(),
            refresh_token: SAMPLE_REFRESH_TOKEN.into(),
        }
    }
}

impl Host {
    /// The host that a scope is about.
    fn of_scope(scope: &str) -> Option<Self> {
        match scope {
            "https://api.partnercenter.microsoft.com/.default" => Some(Self::PartnerCenter),
            "https://graph.microsoft.com/.default" => Some(Self::Graph),
            _ => None,
        }
    }
}

impl Application {
    /// Whether a request for a token comes from it.
    pub(crate) fn is_asking(&self, ask: &Ask<'_>) -> Result<(), Refusal> {
        if ask.field("client_id") != self.client_id {
            return Err(Refusal::invalid("unauthorized_client: AADSTS700016: The application was not found."));
        }
        if ask.field("client_secret") != self.client_secret.expose_secret() {
            return Err(Refusal::new(401, "invalid_client: AADSTS7000215: Invalid client secret provided."));
        }
        let is_user = || ask.field("refresh_token") == self.refresh_token.expose_secret();
        match ask.field("grant_type").as_str() {
            "client_credentials" => Ok(()),
            "refresh_token" if is_user() => Ok(()),
            "refresh_token" => Err(Refusal::invalid("invalid_grant: AADSTS9002313: The refresh token is malformed.")),
            _ => Err(Refusal::invalid("unsupported_grant_type: AADSTS70003: The grant type is not supported.")),
        }
    }

    /// Gives out the token that was asked for.
    pub(crate) fn give(&self, tokens: &mut Tokens<Grant>, ask: &Ask<'_>, held: &Held<Api>) -> Result<Value, Refusal> {
        let tenant = ask.segment(0).to_owned();
        let customer = held.customers.get(&tenant);
        if tenant != self.tenant_id && customer.is_none() {
            return Err(Refusal::invalid("invalid_request: AADSTS90002: The tenant was not found."));
        }
        if held.switches.own.gives_no_token_without_consent && customer.is_some_and(|customer| !customer.consents) {
            return Err(Refusal::invalid("unauthorized_client: AADSTS700016: The application was not found."));
        }
        let host = Host::of_scope(&ask.field("scope"));
        let host = host.ok_or_else(|| Refusal::invalid("invalid_scope: AADSTS70011: The scope is not valid."))?;
        let token = tokens.give(Grant { host, tenant }, LIFE, ask.now);
        let mut given = json!({ "token_type": "Bearer", "access_token": token, "expires_in": LIFE.as_secs() });
        if ask.field("grant_type") == "refresh_token" {
            given["refresh_token"] = self.refresh_token.expose_secret().into();
        }
        Ok(given)
    }
}
