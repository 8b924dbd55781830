//! JumpCloud for providers: users and devices by organization. What is known of its API, and what is not confirmed, is in the
//! README beside this.

mod counts;
mod source;
mod wire;

#[cfg(test)]
mod source_test;

use std::sync::Arc;

use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::registry::{Offered, Places};
use super::{Api, Filter, Limit, Pace, Source, SourceError, api};
use crate::clock::Clock;
use crate::http::{AllowList, CheckedHost, Client};
use crate::pause::Pause;
use crate::psa::credentials::Exposed;
use source::JumpCloudSource;

/// What it is called, for people.
const VENDOR: &str = "JumpCloud";
/// The host of tenants whose data are in the United States.
const US: &str = "console.jumpcloud.com";
/// The host of those whose data are in the European Union.
const EU: &str = "console.eu.jumpcloud.com";
/// Ours: JumpCloud publishes none and asks for patience after a 429.
const LIMIT: Limit = Limit { requests: 5, within: SignedDuration::from_secs(1) };

/// An API key of an administrator of a provider (MTP).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JumpCloudCredentials {
    /// The key. A new one for the same administrator makes it worthless.
    pub api_key: SecretString,
    /// The provider whose organizations are read.
    pub provider_id: String,
    /// Where the provider's data are.
    #[serde(default)]
    pub region: Region,
}

/// A region of JumpCloud's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Region {
    /// The United States.
    #[default]
    Us,
    /// The European Union.
    Eu,
}

impl Exposed for JumpCloudCredentials {
    fn exposed(&self) -> Value {
        let Self { api_key, provider_id, region } = self;
        json!({ "api_key": api_key.expose_secret(), "provider_id": provider_id, "region": region })
    }
}

/// Opens sources. Cheap to clone.
#[derive(Clone)]
pub struct JumpCloud {
    http: Client,
    us: CheckedHost,
    eu: CheckedHost,
    clock: Arc<dyn Clock>,
    pause: Arc<dyn Pause>,
}

impl Offered for JumpCloud {
    type Credentials = JumpCloudCredentials;
    const METRICS: &'static [&'static str] = &counts::METRICS;
    const FILTERS: &'static [Filter] = &[Filter::Suspended];
    const OVERLAPS: &'static [(&'static str, &'static str)] = &[];

    fn from_places(places: &Places, base: Option<&Url>) -> Result<Self, SourceError> {
        let http = api::client(AllowList::new([US, EU])?, base)?;
        let (us, eu) = (http.check(US)?, http.check(EU)?);
        Ok(Self { http, us, eu, clock: places.clock.clone(), pause: places.pause.clone() })
    }

    fn opened(&self, credentials: &JumpCloudCredentials) -> Result<Arc<dyn Source>, SourceError> {
        let JumpCloudCredentials { api_key, provider_id, region } = credentials;
        let pace = Pace::new(LIMIT, self.clock.clone(), self.pause.clone());
        let api = Api::new(VENDOR, self.http.clone(), self.host(*region).clone(), pace);
        Ok(Arc::new(JumpCloudSource { api, api_key: api_key.clone(), provider_id: provider_id.clone() }))
    }
}

impl JumpCloud {
    fn host(&self, region: Region) -> &CheckedHost {
        match region {
            Region::Us => &self.us,
            Region::Eu => &self.eu,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_host;
    use super::*;

    fn credentials(json: &str) -> serde_json::Result<JumpCloudCredentials> {
        serde_json::from_str(json)
    }

    #[test]
    fn a_provider_is_read_where_its_data_are() {
        let jumpcloud: JumpCloud = test_host::at("http://127.0.0.1:1");
        for (given, host) in [("", US), (r#", "region": "us""#, US), (r#", "region": "eu""#, EU)] {
            let given = credentials(&format!(r#"{{"api_key": "k", "provider_id": "p"{given}}}"#)).unwrap();
            assert_eq!(jumpcloud.host(given.region).as_str(), host);
            let stored = credentials(&given.exposed().to_string()).unwrap();
            assert_eq!(stored.region, given.region, "it is kept with the key");
        }
        assert!(credentials(r#"{"api_key": "k", "provider_id": "p", "region": "moon"}"#).is_err());
    }
}
