//! What differs between the client that is shipped, the one for simulators and the one of the tests: which names are
//! allowed, which addresses, and at which place a host is called. All else is the same code.

use std::net::IpAddr;

use url::{Host, Url};

use super::address;
use super::error::{HostFault, HttpError};
use super::host::{AllowList, CheckedHost};

/// Where the calls of a client may go.
#[derive(Debug, Clone)]
pub(super) struct Policy {
    /// The names that are called.
    pub(super) allowed: AllowList,
    /// The addresses that a name may lead to.
    pub(super) permits: fn(IpAddr) -> bool,
    /// Scheme and port, or one base for all.
    pub(super) place: Place,
}

/// At which place a checked host is called.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// At the host itself.
    Named {
        /// `https`; `http` in tests alone.
        scheme: &'static str,
        /// 443; another in tests alone.
        port: u16,
    },
    /// At this base, whatever the host: a simulator.
    Fixed(Url),
}

impl Policy {
    /// https on port 443 of the public internet.
    pub(super) fn guarded(allowed: AllowList) -> Self {
        Self { allowed, permits: address::is_public, place: Place::Named { scheme: "https", port: 443 } }
    }

    /// All calls go to `base`. Names are still checked, so that a simulated vendor refuses what the real one would.
    pub(super) fn fixed(base: &Url, allowed: AllowList) -> Self {
        Self { allowed, permits: |_| true, place: Place::Fixed(base.clone()) }
    }

    /// Whether a request without TLS would be a mistake.
    pub(super) fn https_only(&self) -> bool {
        matches!(self.place, Place::Named { scheme: "https", .. })
    }

    /// The address of `path` at `host`. The host is held against this client's list once more: it may have been checked
    /// for another vendor, whose hosts must not see these credentials.
    pub(super) fn address(&self, host: &CheckedHost, path: &'static str) -> Result<Url, HttpError> {
        if !self.allowed.covers(host) {
            return Err(HostFault::NotTheVendors.into());
        }
        let mut address = match &self.place {
            Place::Named { scheme, port } => {
                let address = Url::parse(&format!("{scheme}://{host}:{port}"));
                let address = address.map_err(|_| HttpError::from(HostFault::NotAName))?;
                // What was checked is what is called, however the address is read.
                if address.host() != Some(Host::Domain(host.as_str())) {
                    return Err(HostFault::NotAName.into());
                }
                address
            }
            Place::Fixed(base) => base.clone(),
        };
        let whole = format!("{}{path}", address.path().trim_end_matches('/'));
        address.set_path(&whole);
        address.set_query(None);
        address.set_fragment(None);
        Ok(address)
    }
}
