//! The connector for Autotask PSA (REST v1.0): how its tenant is found, and how a connector to it is opened.
//!
//! `client` speaks HTTP and keeps to the limits; `query` builds filters and walks pages; `wire` holds the shapes; `errors`
//! and `dictionary` turn Autotask's words into ours. The calls stand in one file a topic: `discovery`, `rights`,
//! `catalog`, `observe`, `adjust`, `charges`, `provision`; `settle` says what a write came to. Nothing here decides whether a change should be made or made again.
//!
//! Version 1.0 is pinned: an address of version 2.0 is listed by Autotask but does not answer for zones.

mod adjust;
mod amounts;
mod catalog;
mod charges;
mod client;
mod connector;
mod dictionary;
mod discovery;
mod errors;
mod observe;
mod picklist;
mod prices;
mod provision;
mod query;
mod rights;
mod settle;
mod tickets;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::credentials::AutotaskCredentials;
use super::notebook::Notebook;
use super::registry::Places;
use super::{Endpoint, PsaError};
use crate::clock::Clock;
use client::Http;
pub use connector::AutotaskConnector;

/// Where zones are asked for. It answers for every tenant, whatever zone it lives in.
const DISCOVERY_BASE: &str = "https://webservices.autotask.net";

/// How long a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Until the connection stands, TLS included.
    pub connect_timeout: Duration,
    /// Until the whole answer is read. Autotask itself works on a request for up to five minutes.
    pub request_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { connect_timeout: Duration::from_secs(10), request_timeout: Duration::from_secs(60) }
    }
}

/// Finds tenants of Autotask and opens connectors to them. Cheap to clone: clones share their connections.
#[derive(Clone)]
pub struct Autotask {
    http: Http,
    discovery_base: String,
    trust: Trust,
}

/// Which hosts may be sent a partner's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// `https` on a host below `autotask.net`.
    AutotaskOnly,
    /// Whatever the discovery address names: a simulator on this machine.
    Anywhere,
}

impl Autotask {
    /// Calls Autotask itself.
    ///
    /// # Errors
    /// The HTTP client can't be made on this machine: it has no root certificates, for one.
    pub fn new(settings: Settings) -> Result<Self, PsaError> {
        let http = Http::new(settings, true)?;
        Ok(Self { http, discovery_base: DISCOVERY_BASE.to_owned(), trust: Trust::AutotaskOnly })
    }

    /// Asks `discovery_base` for zones, and calls whatever address it answers, over whatever scheme: for a simulated
    /// Autotask on one machine. The deployed functions have no way to reach this.
    ///
    /// # Errors
    /// As [`Autotask::new`].
    pub fn at(discovery_base: &Url, settings: Settings) -> Result<Self, PsaError> {
        let http = Http::new(settings, false)?;
        let discovery_base = discovery_base.as_str().trim_end_matches('/').to_owned();
        Ok(Self { http, discovery_base, trust: Trust::Anywhere })
    }

    /// Finds the zone and the database of the user's tenant. Sends the user name and no secret.
    ///
    /// # Errors
    /// Autotask does not know the user, does not answer, or names an address that is not its own.
    pub async fn discover(&self, user: &AutotaskCredentials) -> Result<Endpoint, PsaError> {
        discovery::discover(&self.http, &self.discovery_base, self.trust, user).await
    }

    /// As [`Autotask::at`] where a `base` is given, else as [`Autotask::new`].
    ///
    /// # Errors
    /// As [`Autotask::new`].
    pub fn from_places(places: &Places, base: Option<&Url>, _: &Arc<dyn Clock>) -> Result<Self, PsaError> {
        let settings = places.timeouts.map_or_else(Settings::default, |timeouts| Settings {
            connect_timeout: timeouts.connect,
            request_timeout: timeouts.request,
        });
        match base {
            Some(base) => Self::at(base, settings),
            None => Self::new(settings),
        }
    }

    /// A connector for one run. Credentials that can't be sent, and an endpoint that may not be sent any, show as the
    /// error of its first call. Autotask tells all that there is to know: nothing is remembered in the notebook.
    #[must_use]
    pub fn open(&self, endpoint: &Endpoint, user: AutotaskCredentials, _: Arc<dyn Notebook>) -> AutotaskConnector {
        let base = discovery::trusted_base(&endpoint.base_url, self.trust);
        AutotaskConnector::new(client::Client::new(self.http.clone(), base, &user))
    }
}

impl fmt::Debug for Autotask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Autotask").field("discovery_base", &self.discovery_base).finish_non_exhaustive()
    }
}
