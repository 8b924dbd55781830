//! The connector for Kaseya BMS (V2 API; also sold as Vorex and Pulseway PSA): how it is opened, and what its values share.
//!
//! `session` and its neighbours (`log_in`, `totp`) hold tokens; `client` makes calls and keeps to the limits (`template`,
//! `budget`); `envelope`, `fields` and `errors` read answers; `pages` walks lists. The calls stand in one file a topic:
//! `catalog`, `contracts`, `service_lines`, `rights`, `cost`, `invoices`. Units, which V2 does not show, are a folder of their
//! own, and so are tickets. What is unconfirmed about BMS, and what is done about it, is in the README.

mod budget;
mod catalog;
mod client;
mod complaint;
mod connector;
mod contracts;
mod cost;
mod credentials;
mod discovery;
mod envelope;
mod errors;
mod fields;
mod invoices;
mod log_in;
mod pages;
mod rights;
mod service_lines;
mod session;
mod sessions;
mod template;
mod tickets;
mod totp;
mod units;
mod wire;
mod without;

use std::fmt;
use std::sync::Arc;

use url::Url;

use crate::clock::Clock;
use crate::http;
pub use crate::pause::{Pause, RealPause};
use crate::psa::notebook::Notebook;
use crate::psa::registry::Places;
use crate::psa::{Endpoint, PsaError};
use client::Client;
pub use connector::KaseyaBmsConnector;
pub use cost::{CostChange, CostOutcome, JobEnd};
pub use credentials::KaseyaBmsCredentials;
pub use invoices::Billed;
pub use service_lines::ServiceLine;
use sessions::Sessions;
pub use template::Template;

/// Opens connectors to tenants of BMS. Cheap to clone: clones share their connections and their log-ins.
#[derive(Clone)]
pub struct KaseyaBms {
    http: http::Client,
    clock: Arc<dyn Clock>,
    pause: Arc<dyn Pause>,
    sessions: Sessions,
}

impl KaseyaBms {
    /// Calls BMS through `http`, whose list of hosts should be [`http::KASEYA_BMS`] and what the operator adds. One value
    /// belongs to a process: the log-ins that BMS refused are remembered in it.
    #[must_use]
    pub fn new(http: http::Client, clock: Arc<dyn Clock>, pause: Arc<dyn Pause>) -> Self {
        Self { http, clock, pause, sessions: Sessions::default() }
    }

    /// Calls the hosts of Kaseya and those below the domains that `places` adds, or a simulated BMS at `base`.
    ///
    /// # Errors
    /// The HTTP client can't be made on this machine, or what `places` adds is no list of domains.
    pub fn from_places(places: &Places, base: Option<&Url>, clock: &Arc<dyn Clock>) -> Result<Self, PsaError> {
        // What is read of an answer, a megabyte, holds 100 rows of the widest list several times.
        let settings = places.timeouts.map_or_else(http::Settings::default, |timeouts| http::Settings {
            connect_timeout: timeouts.connect,
            request_timeout: timeouts.request,
            ..http::Settings::default()
        });
        let allowed = http::AllowList::new(http::KASEYA_BMS).and_then(|own| own.and(&places.allowed_hosts));
        let client = allowed.and_then(|allowed| match base {
            Some(base) => http::Client::at(base, allowed, settings),
            None => http::Client::new(allowed, settings),
        });
        Ok(Self::new(client.map_err(errors::of_http)?, Arc::clone(clock), Arc::new(RealPause)))
    }

    /// Logs in and reads which tenant it is, for a person who has sent these credentials. The endpoint names the API's host, one step below the host that people log
    /// in at.
    ///
    /// # Errors
    /// The host is malformed or none of Kaseya's, or BMS refuses the log-in or does not answer.
    pub async fn discover(&self, credentials: &KaseyaBmsCredentials) -> Result<Endpoint, PsaError> {
        let client = self.client(credentials.clone());
        client.forget_refusal().await;
        discovery::discover(&client).await
    }

    /// A connector for one run. Credentials that can't be sent show as the error of its first call. Connectors with the
    /// same credentials share one log-in. What the units of lines are is remembered in `notebook`.
    #[must_use]
    pub fn open(
        &self,
        _: &Endpoint,
        credentials: KaseyaBmsCredentials,
        notebook: Arc<dyn Notebook>,
    ) -> KaseyaBmsConnector {
        KaseyaBmsConnector::new(self.client(credentials), Arc::clone(&self.pause), notebook)
    }

    fn client(&self, credentials: KaseyaBmsCredentials) -> Client {
        let session = self.sessions.of(&self.http, credentials, self.clock.now());
        Client::new(self.http.clone(), Arc::clone(&self.clock), session)
    }
}

impl fmt::Debug for KaseyaBms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KaseyaBms").field("http", &self.http).finish_non_exhaustive()
    }
}
