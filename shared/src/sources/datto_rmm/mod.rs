//! Datto RMM: devices by site. What is known of its API, and what is not confirmed, is in the README beside this.

mod counts;
mod wire;

#[cfg(test)]
mod source_test;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use reqwest::header::AUTHORIZATION;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::oauth::Bearer;
use super::{Api, Customer, Limit, Metric, Pace, Pulled, Seen, Source, SourceError, Step, Walk, Wanted};
use crate::clock::Clock;
use crate::domain::ids::CompanyId;
use crate::http::{Call, Client};
use crate::pause::Pause;
use counts::Told;
use wire::{Device, Listed, Page, Site};

/// What it is called, for people.
const VENDOR: &str = "Datto RMM";
/// The name below which the hosts of all its platforms lie: `concord-api.centrastage.net`.
const DOMAIN: &str = "centrastage.net";
/// Nine tenths of the 600 that its documentation allows to all programs of an account together: beyond them answers are held
/// back for a second each.
const LIMIT: Limit = Limit { requests: 540, within: SignedDuration::from_mins(1) };
/// The most rows of a page.
const PAGE: &str = "250";
/// The list of sites.
const SITES: &str = "/api/v2/account/sites";
/// Where tokens are given out, on the same host.
const TOKEN: &str = "/auth/oauth/token";
/// The client that every program says it is, `public-client:public`: no secret.
const CLIENT: &str = "Basic cHVibGljLWNsaWVudDpwdWJsaWM=";

/// An API key of a Datto RMM user.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DattoRmmCredentials {
    /// The host of the account's platform: `concord-api.centrastage.net`.
    pub host: String,
    /// The "API Key".
    pub api_key: SecretString,
    /// The "API Secret Key".
    pub api_secret: SecretString,
}

impl fmt::Debug for DattoRmmCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DattoRmmCredentials")
    }
}

/// Opens sources. Cheap to clone.
#[derive(Clone)]
pub struct DattoRmm {
    http: Client,
    clock: Arc<dyn Clock>,
    pause: Arc<dyn Pause>,
}

impl DattoRmm {
    /// Calls Datto RMM, or a simulator at `base`.
    ///
    /// # Errors
    /// No client can be made on this machine.
    pub fn new(base: Option<&Url>, clock: Arc<dyn Clock>, pause: Arc<dyn Pause>) -> Result<Self, SourceError> {
        let http = super::api::client(&[DOMAIN], base).map_err(|error| SourceError::of_http(&error))?;
        Ok(Self { http, clock, pause })
    }

    /// The source of one account.
    ///
    /// # Errors
    /// The host is malformed or none of Datto RMM's.
    pub fn open(&self, credentials: &DattoRmmCredentials) -> Result<DattoRmmSource, SourceError> {
        let DattoRmmCredentials { host, api_key, api_secret } = credentials.clone();
        let host = self.http.check(&host).map_err(|error| SourceError::of_http(&error))?;
        let pace = Pace::new(LIMIT, self.clock.clone(), self.pause.clone());
        let api = Api::new(VENDOR, self.http.clone(), host, pace);
        let bearer = Bearer::new(api.clone(), TOKEN, self.clock.clone(), move |call| {
            let (username, password) = (api_key.expose_secret(), api_secret.expose_secret());
            let form = [("grant_type", "password"), ("username", username), ("password", password)];
            call.header(AUTHORIZATION, CLIENT).form(&form)
        });
        Ok(DattoRmmSource { api, bearer })
    }

    /// Every metric that it tells.
    #[must_use]
    pub fn metrics() -> BTreeSet<Metric> {
        counts::all()
    }
}

/// One account's sites.
pub struct DattoRmmSource {
    api: Api,
    bearer: Bearer,
}

#[async_trait]
impl Source for DattoRmmSource {
    /// By the list that counts come from, which tells how many sites there are.
    async fn test(&self) -> Result<Seen, SourceError> {
        let page: Page<Site> = self.bearer.get(&self.api, SITES, |call| call.query("max", "1")).await?;
        Ok(Seen { customers: page.page_details.total_count })
    }

    async fn pull(&self, wanted: &Wanted) -> Pulled {
        let mut pulled = Pulled::default();
        let ended = self.read(wanted, &mut pulled).await;
        pulled.stopped = ended.err();
        pulled.rows.retain(|row| wanted.metrics.contains(&row.metric));
        pulled
    }
}

impl DattoRmmSource {
    async fn read(&self, wanted: &Wanted, pulled: &mut Pulled) -> Result<(), SourceError> {
        let (listed, counted) = counts::split(&wanted.metrics);
        let sites = self.sites(pulled).await?;
        if sites.all_told {
            pulled.whole.extend(listed);
        }
        if counted.is_empty() {
            return Ok(());
        }
        let is_wanted = |company: &CompanyId| wanted.companies.as_ref().is_none_or(|wanted| wanted.contains(company));
        let mut all_told = wanted.companies.is_none();
        for company in sites.managed.iter().filter(|company| is_wanted(company)) {
            let Told { rows, is_all } = self.devices(company, pulled).await?;
            pulled.rows.extend(rows);
            all_told &= is_all;
        }
        if all_told {
            pulled.whole.extend(counted);
        }
        Ok(())
    }

    /// Every site.
    async fn sites(&self, pulled: &mut Pulled) -> Result<Sites, SourceError> {
        let mut walk = Walk::of("Datto RMM's list of sites");
        let (mut sites, mut number) = (Sites { managed: Vec::new(), all_told: true }, None::<String>);
        loop {
            let page: Page<Site> = self.page(SITES, number.as_deref(), |call| call).await?;
            pulled.pages += 1;
            for site in &page.rows {
                let company = company(site)?;
                let Told { rows, is_all } = counts::of_site(&company, site)?;
                pulled.rows.extend(rows);
                sites.all_told &= is_all;
                if !site.is_on_demand() {
                    sites.managed.push(company.clone());
                }
                pulled.customers.push(Customer { company, name: site.name.clone(), account_id: site.account_id() });
            }
            match next(&mut walk, &page)? {
                Step::Next(next) => number = Some(next),
                Step::End => return Ok(sites),
            }
        }
    }

    /// What all devices of a site are.
    async fn devices(&self, company: &CompanyId, pulled: &mut Pulled) -> Result<Told, SourceError> {
        let site = company.as_str();
        let mut walk = Walk::of("Datto RMM's list of a site's devices");
        let (mut devices, mut number) = (Vec::new(), None::<String>);
        loop {
            let of_site = |call: Call| call.segment(site).segment("devices");
            let page: Page<Device> = self.page("/api/v2/site", number.as_deref(), of_site).await?;
            pulled.pages += 1;
            let step = next(&mut walk, &page)?;
            if page.rows.iter().any(|device| device.site_uid.as_deref().is_some_and(|uid| uid != site)) {
                return Err(SourceError::unreadable(VENDOR, "it is about another site"));
            }
            devices.extend(page.rows);
            match step {
                Step::Next(next) => number = Some(next),
                Step::End => return counts::of_devices(company, &devices),
            }
        }
    }

    /// The page with this number of the list at `path`; the first one without.
    async fn page<R: DeserializeOwned>(
        &self,
        path: &'static str,
        number: Option<&str>,
        with: impl Fn(Call) -> Call + Send + Sync,
    ) -> Result<Page<R>, SourceError> {
        let asked = |call: Call| {
            let call = with(call).query("max", PAGE);
            match number {
                Some(number) => call.query("page", number),
                None => call,
            }
        };
        self.bearer.get(&self.api, path, asked).await
    }
}

/// The sites of an account.
struct Sites {
    /// Those whose devices are managed.
    managed: Vec<CompanyId>,
    /// Whether each says how many devices it has.
    all_told: bool,
}

fn next<R: Listed>(walk: &mut Walk, page: &Page<R>) -> Result<Step, SourceError> {
    let number = page.page_details.next()?;
    walk.page(page.rows.iter().map(Listed::uid), page.page_details.total_count, number)
}

fn company(site: &Site) -> Result<CompanyId, SourceError> {
    site.uid().parse().map_err(|_| SourceError::unreadable(VENDOR, "a site has no usable id"))
}
