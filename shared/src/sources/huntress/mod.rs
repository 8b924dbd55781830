//! Huntress: endpoint agents, identities, learners and log sources by organization. What is known of its API, and what is not
//! confirmed, is in the README beside this.

mod counts;
mod own;
mod source;
mod wire;

#[cfg(test)]
mod source_test;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::registry::{Offered, Places};
use super::{Api, Filter, Limit, Pace, Source, SourceError, api};
use crate::clock::Clock;
use crate::http::{AllowList, CheckedHost, Client};
use crate::pause::Pause;
use crate::psa::credentials::Exposed;
use source::HuntressSource;

/// What it is called, for people.
const VENDOR: &str = "Huntress";
/// Its one host.
const HOST: &str = "api.huntress.io";
/// By its documentation, for each account, in a window that slides.
const LIMIT: Limit = Limit { requests: 60, within: SignedDuration::from_mins(1) };

/// An API key of a Huntress account.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HuntressCredentials {
    /// The public half.
    pub key: SecretString,
    /// The half that is shown once.
    pub secret: SecretString,
}

impl Exposed for HuntressCredentials {
    fn exposed(&self) -> Value {
        json!({ "key": self.key.expose_secret(), "secret": self.secret.expose_secret() })
    }
}

/// Opens sources. Cheap to clone.
#[derive(Clone)]
pub struct Huntress {
    http: Client,
    host: CheckedHost,
    clock: Arc<dyn Clock>,
    pause: Arc<dyn Pause>,
}

impl Offered for Huntress {
    type Credentials = HuntressCredentials;
    const METRICS: &'static [&'static str] = &counts::METRICS;
    const FILTERS: &'static [Filter] = &[Filter::NfrCompany];
    const OVERLAPS: &'static [(&'static str, &'static str)] = &[("agents", "billable_agents")];

    fn from_places(places: &Places, base: Option<&Url>) -> Result<Self, SourceError> {
        let http = api::client(AllowList::new([HOST])?, base)?;
        let host = http.check(HOST)?;
        Ok(Self { http, host, clock: places.clock.clone(), pause: places.pause.clone() })
    }

    fn opened(&self, credentials: &HuntressCredentials) -> Result<Arc<dyn Source>, SourceError> {
        let HuntressCredentials { key, secret } = credentials;
        let basic = STANDARD.encode(format!("{}:{}", key.expose_secret(), secret.expose_secret()));
        let basic = SecretString::from(format!("Basic {basic}"));
        let pace = Pace::new(LIMIT, self.clock.clone(), self.pause.clone());
        Ok(Arc::new(HuntressSource { api: Api::new(VENDOR, self.http.clone(), self.host.clone(), pace), basic }))
    }
}
