//! The client: two pools of connections, limits, and nothing followed or repeated.
//!
//! No proxy is taken from the environment: it would look names up itself, past the filter. Redirects are answers like
//! any other: following one would carry credentials to a host that nobody checked.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, redirect, retry};
use url::Url;

use super::call::Call;
use super::error::HttpError;
use super::host::{AllowList, CheckedHost};
use super::policy::Policy;
use super::resolver::{Filtered, Lookup, SystemLookup};

/// How long an idle connection is kept. Well below what servers keep, so that we rarely meet one that has just closed.
const IDLE: Duration = Duration::from_secs(15);

/// What a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Until the connection stands, look-up and TLS included.
    pub connect_timeout: Duration,
    /// Until the whole answer is read.
    pub request_timeout: Duration,
    /// The most of an answer's body that is read, in bytes.
    pub longest_answer: usize,
}

impl Default for Settings {
    fn default() -> Self {
        let (connect_timeout, request_timeout) = (Duration::from_secs(8), Duration::from_secs(20));
        Self { connect_timeout, request_timeout, longest_answer: 1024 * 1024 }
    }
}

/// Calls hosts that were checked. Cheap to clone: clones share their connections.
#[derive(Clone)]
pub struct Client {
    reads: reqwest::Client,
    /// Never uses a connection twice. On a kept connection that the server is closing, nobody can tell whether a write
    /// was taken; on a fresh one a failure to connect is surely "not sent".
    writes: reqwest::Client,
    policy: Arc<Policy>,
    settings: Settings,
}

impl Client {
    /// Calls the hosts of `allowed` themselves, over https.
    ///
    /// # Errors
    /// [`HttpError::ClientFailed`]: this machine has no root certificates, for one.
    pub fn new(allowed: AllowList, settings: Settings) -> Result<Self, HttpError> {
        Self::with(Policy::guarded(allowed), Arc::new(SystemLookup), settings)
    }

    /// Sends every call to `base`, whatever the host and over whatever scheme: for a simulated vendor on one machine.
    /// Hosts are checked all the same. The deployed functions have no way to reach this, and no user names a base.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn at(base: &Url, allowed: AllowList, settings: Settings) -> Result<Self, HttpError> {
        Self::with(Policy::fixed(base, allowed), Arc::new(SystemLookup), settings)
    }

    /// From its parts.
    pub(super) fn with(policy: Policy, lookup: Arc<dyn Lookup>, settings: Settings) -> Result<Self, HttpError> {
        let builder = || {
            reqwest::Client::builder()
                .user_agent(concat!("Tallyline/", env!("CARGO_PKG_VERSION")))
                .dns_resolver(Filtered { lookup: Arc::clone(&lookup), permits: policy.permits })
                .https_only(policy.https_only())
                .no_proxy()
                .redirect(redirect::Policy::none())
                .retry(retry::never())
                .referer(false)
                .http1_only()
                .connect_timeout(settings.connect_timeout)
                .timeout(settings.request_timeout)
                .pool_idle_timeout(IDLE)
        };
        let failed = |_| HttpError::ClientFailed;
        Ok(Self {
            reads: builder().build().map_err(failed)?,
            writes: builder().pool_max_idle_per_host(0).build().map_err(failed)?,
            policy: Arc::new(policy),
            settings,
        })
    }

    /// Checks what somebody typed against this client's list: see [`AllowList::check`].
    ///
    /// # Errors
    /// [`HttpError::Host`].
    pub fn check(&self, typed: &str) -> Result<CheckedHost, HttpError> {
        self.policy.allowed.check(typed)
    }

    /// A call that changes nothing at the vendor, whatever its method. `path` begins with a slash and is the
    /// connector's own; ids go into [`Call::segment`].
    pub fn read(&self, method: Method, host: &CheckedHost, path: &'static str) -> Call {
        self.call(&self.reads, method, host, path)
    }

    /// A call that changes something: on a connection of its own.
    pub fn write(&self, method: Method, host: &CheckedHost, path: &'static str) -> Call {
        self.call(&self.writes, method, host, path)
    }

    /// As [`Client::write`], at a whole address that `outward` has checked.
    pub(super) fn write_to(&self, method: Method, address: Url) -> Call {
        Call::new(
            self.writes.clone(),
            method,
            Ok(address),
            "an address that a user named",
            self.settings.longest_answer,
        )
    }

    fn call(&self, http: &reqwest::Client, method: Method, host: &CheckedHost, path: &'static str) -> Call {
        let address = self.policy.address(host, path);
        Call::new(http.clone(), method, address, path, self.settings.longest_answer)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("policy", &self.policy).field("settings", &self.settings).finish_non_exhaustive()
    }
}
