//! Dropsuite, which is NinjaOne's SaaS Backup: seats by organization and plan. What is known of its API, and what is not
//! confirmed, is in the README beside this.

mod counts;
mod source;
mod wire;

#[cfg(test)]
mod source_test;

use std::sync::Arc;

use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::registry::{Offered, Places};
use super::{Api, Filter, Limit, Pace, Source, SourceError, api};
use crate::clock::Clock;
use crate::http::{AllowList, CheckedHost, Client, HttpError};
use crate::pause::Pause;
use crate::psa::credentials::Exposed;
use source::DropsuiteSource;

/// What it is called, for people.
const VENDOR: &str = "Dropsuite";
/// The names below which its hosts lie: those that public clients call. An operator adds those of other regions.
const DOMAINS: [&str; 2] = ["dropsuite.us", "dropsuite.uk"];
/// Ours, as other clients keep it: Dropsuite publishes none.
const LIMIT: Limit = Limit { requests: 5, within: SignedDuration::from_secs(1) };

/// What the partner portal shows as "API Information".
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropsuiteCredentials {
    /// The API's host: `dropsuite.us`.
    pub host: String,
    /// The "Reseller Token".
    pub reseller_token: SecretString,
    /// The "Authentication Token". The "Secret Token" beside it is of no use here.
    pub access_token: SecretString,
}

impl Exposed for DropsuiteCredentials {
    fn exposed(&self) -> Value {
        let (reseller, access) = (self.reseller_token.expose_secret(), self.access_token.expose_secret());
        json!({ "host": self.host, "reseller_token": reseller, "access_token": access })
    }
}

/// Opens sources. Cheap to clone.
#[derive(Clone)]
pub struct Dropsuite {
    http: Client,
    clock: Arc<dyn Clock>,
    pause: Arc<dyn Pause>,
}

impl Offered for Dropsuite {
    type Credentials = DropsuiteCredentials;
    const METRICS: &'static [&'static str] = &counts::METRICS;
    const FILTERS: &'static [Filter] = &[];
    const OVERLAPS: &'static [(&'static str, &'static str)] =
        &[("seats_used", "active_seats"), ("seats_used", "seats_used:"), ("active_seats", "seats_used:")];

    fn from_places(places: &Places, base: Option<&Url>) -> Result<Self, SourceError> {
        let allowed = AllowList::new(DOMAINS)?.and(&places.allowed_hosts)?;
        let http = api::client(allowed, base)?;
        Ok(Self { http, clock: places.clock.clone(), pause: places.pause.clone() })
    }

    fn opened(&self, credentials: &DropsuiteCredentials) -> Result<Arc<dyn Source>, SourceError> {
        let DropsuiteCredentials { host, reseller_token, access_token } = credentials;
        let pace = Pace::new(LIMIT, self.clock.clone(), self.pause.clone());
        let api = Api::new(VENDOR, self.http.clone(), self.host(host)?, pace);
        let (reseller_token, access_token) = (reseller_token.clone(), access_token.clone());
        Ok(Arc::new(DropsuiteSource { api, reseller_token, access_token }))
    }
}

impl Dropsuite {
    /// The portal shows the host with the API's path, so that it is typed with it.
    fn host(&self, typed: &str) -> Result<CheckedHost, HttpError> {
        let typed = typed.trim().trim_end_matches('/');
        self.http.check(typed.strip_suffix("/api").unwrap_or(typed))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::clock::SystemClock;
    use crate::pause::RealPause;

    fn opened(allowed_hosts: &str, host: &str) -> Result<(), String> {
        let (clock, pause) = (Arc::new(SystemClock), Arc::new(RealPause));
        let places = Places { bases: BTreeMap::new(), allowed_hosts: allowed_hosts.to_owned(), clock, pause };
        let dropsuite = Dropsuite::from_places(&places, None).unwrap();
        let credentials = DropsuiteCredentials {
            host: host.to_owned(),
            reseller_token: "canary".into(),
            access_token: "canary".into(),
        };
        dropsuite.opened(&credentials).map(|_| ()).map_err(|error| error.code)
    }

    #[test]
    fn only_hosts_of_the_vendor_and_of_the_operators_choice_hear_the_tokens() {
        for host in ["dropsuite.us", "https://dropsuite.us/api/", " dropsuite.uk/api ", "emea.dropsuite.uk"] {
            assert_eq!(opened("", host), Ok(()), "{host}");
        }
        for host in ["dropsuite.us.evil.example", "evildropsuite.us", "backup.vendor.com", "127.0.0.1"] {
            assert_eq!(opened("", host), Err("source_host_not_allowed".to_owned()), "{host}");
        }
        assert_eq!(opened("vendor.com, dropsuite.ca", "backup.vendor.com"), Ok(()));
        assert_eq!(opened("", "dropsuite.us/api/users"), Err("source_host_malformed".to_owned()));
    }
}
