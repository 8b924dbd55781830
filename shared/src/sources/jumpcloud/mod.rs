//! JumpCloud for providers: users and devices by organization. What is known of its API, and what is not confirmed, is in the
//! README beside this.

mod counts;
mod wire;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use reqwest::header::HeaderName;
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use super::{Api, Customer, Limit, Pace, Pulled, Seen, Source, SourceError, Step, Walk, Wanted};
use crate::clock::Clock;
use crate::domain::ids::CompanyId;
use crate::http::{Call, CheckedHost, Client};
use crate::pause::Pause;
use counts::{Counted, USERS};
use wire::{Listed, Organization, Organizations};

/// What it is called, for people.
const VENDOR: &str = "JumpCloud";
/// The host of tenants whose data are in the United States.
const US: &str = "console.jumpcloud.com";
/// The host of those whose data are in the European Union.
const EU: &str = "console.eu.jumpcloud.com";
/// Ours: JumpCloud publishes none and asks for patience after a 429.
const LIMIT: Limit = Limit { requests: 5, within: SignedDuration::from_secs(1) };
/// The most rows of a page; where nobody asks, a page has ten.
const PAGE: &str = "100";

/// The key of one administrator.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// Which organization is meant. Administrators of several must say so.
const ORG_ID: HeaderName = HeaderName::from_static("x-org-id");

/// An API key of an administrator of a provider (MTP).
#[derive(Clone, Deserialize)]
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

impl fmt::Debug for JumpCloudCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JumpCloudCredentials")
    }
}

/// A region of JumpCloud's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Region {
    /// The United States.
    #[default]
    Us,
    /// The European Union.
    Eu,
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

impl JumpCloud {
    /// Calls JumpCloud, or a simulator at `base`.
    ///
    /// # Errors
    /// No client can be made on this machine.
    pub fn new(base: Option<&Url>, clock: Arc<dyn Clock>, pause: Arc<dyn Pause>) -> Result<Self, SourceError> {
        let http = super::api::client(&[US, EU], base).map_err(|error| SourceError::of_http(&error))?;
        let us = http.check(US).map_err(|error| SourceError::of_http(&error))?;
        let eu = http.check(EU).map_err(|error| SourceError::of_http(&error))?;
        Ok(Self { http, us, eu, clock, pause })
    }

    /// The source of one provider.
    #[must_use]
    pub fn open(&self, credentials: &JumpCloudCredentials) -> JumpCloudSource {
        let pace = Pace::new(LIMIT, self.clock.clone(), self.pause.clone());
        let JumpCloudCredentials { api_key, provider_id, region } = credentials.clone();
        let api = Api::new(VENDOR, self.http.clone(), self.host(region).clone(), pace);
        JumpCloudSource { api, api_key, provider_id }
    }

    fn host(&self, region: Region) -> &CheckedHost {
        match region {
            Region::Us => &self.us,
            Region::Eu => &self.eu,
        }
    }
}

/// One provider's organizations.
pub struct JumpCloudSource {
    api: Api,
    api_key: SecretString,
    provider_id: String,
}

#[async_trait]
impl Source for JumpCloudSource {
    /// By the users of the first organization: a key may list organizations and not be let into any.
    async fn test(&self) -> Result<Seen, SourceError> {
        let first = self.page("1", "0").await?;
        if let Some(organization) = first.results.first() {
            let company = company(organization)?;
            USERS.row(&company, &self.listed(&USERS, &company).await?)?;
        }
        Ok(Seen { customers: Some(first.total_count) })
    }

    async fn pull(&self, wanted: &Wanted) -> Pulled {
        let mut pulled = Pulled::default();
        let read = match self.organizations(&mut pulled).await {
            Ok(()) => self.counts(wanted, &mut pulled).await,
            Err(error) => Err(error),
        };
        pulled.stopped = read.err();
        pulled
    }
}

impl JumpCloudSource {
    fn signed(&self, call: Call) -> Call {
        call.credential(API_KEY, &self.api_key)
    }

    /// `limit` organizations at most, without the first `skip`.
    async fn page(&self, limit: &str, skip: &str) -> Result<Organizations, SourceError> {
        self.api
            .get("/api/v2/providers", |call| {
                let call = self.signed(call).segment(&self.provider_id).segment("organizations");
                call.query("limit", limit).query("skip", skip).query("sort", "name")
            })
            .await
    }

    /// Every organization. By offsets one is skipped when another before it is deleted meanwhile: the totals, which the walk
    /// holds against one another, show it.
    async fn organizations(&self, pulled: &mut Pulled) -> Result<(), SourceError> {
        let mut walk = Walk::of("JumpCloud's list of organizations");
        let mut skip = "0".to_owned();
        loop {
            let page = self.page(PAGE, &skip).await?;
            pulled.pages += 1;
            for organization in &page.results {
                let company = company(organization)?;
                let name = organization.name.clone().unwrap_or_else(|| organization.id.clone());
                pulled.customers.push(Customer { company, name, account_id: None });
            }
            let next = page.next(pulled.customers.len());
            let ids = page.results.iter().map(|organization| organization.id.as_str());
            match walk.page(ids, Some(page.total_count), next)? {
                Step::Next(next) => skip = next,
                Step::End => return Ok(()),
            }
        }
    }

    /// What each organization has: a request for each and each metric.
    async fn counts(&self, wanted: &Wanted, pulled: &mut Pulled) -> Result<(), SourceError> {
        let is_wanted = |company: &CompanyId| wanted.companies.as_ref().is_none_or(|wanted| wanted.contains(company));
        let listed = pulled.customers.iter().map(|customer| customer.company.clone());
        let companies: Vec<CompanyId> = listed.filter(is_wanted).collect();
        for counted in counts::wanted(&wanted.metrics) {
            // An organization without a number is one more of which nothing is said.
            let mut is_whole = wanted.companies.is_none();
            for company in &companies {
                let listed = self.listed(&counted, company).await?;
                pulled.pages += 1;
                match counted.row(company, &listed)? {
                    Some(row) => pulled.rows.push(row),
                    None => is_whole = false,
                }
            }
            if is_whole {
                pulled.whole.insert(counted.metric());
            }
        }
        Ok(())
    }

    /// The list that tells how many `company` has, of which one row at most is asked for.
    async fn listed(&self, counted: &Counted, company: &CompanyId) -> Result<Listed, SourceError> {
        self.api.get(counted.path, |call| self.signed(call).header(ORG_ID, company.as_str()).query("limit", "1")).await
    }
}

fn company(organization: &Organization) -> Result<CompanyId, SourceError> {
    organization.id.parse().map_err(|_| SourceError::unreadable(VENDOR, "an organization has no usable id"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::pause::RealPause;

    fn credentials(json: &str) -> serde_json::Result<JumpCloudCredentials> {
        serde_json::from_str(json)
    }

    #[test]
    fn a_provider_is_read_where_its_data_are() {
        let vendor = JumpCloud::new(None, Arc::new(SystemClock), Arc::new(RealPause)).unwrap();
        for (given, host) in [("", US), (r#", "region": "us""#, US), (r#", "region": "eu""#, EU)] {
            let given = format!(r#"{{"api_key": "k", "provider_id": "p"{given}}}"#);
            assert_eq!(vendor.host(credentials(&given).unwrap().region).as_str(), host, "{given}");
        }
        assert!(credentials(r#"{"api_key": "k", "provider_id": "p", "region": "moon"}"#).is_err());
    }

    #[test]
    fn credentials_show_nothing_of_themselves() {
        let shown = format!("{:?}", credentials(r#"{"api_key": "canary", "provider_id": "kiwi"}"#).unwrap());
        assert_eq!(shown, "JumpCloudCredentials");
    }
}
