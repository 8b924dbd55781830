//! Datto RMM: devices by site. What is known of its API, and what is not confirmed, is in the README beside this.

mod counts;
mod credentials;
mod wire;

#[cfg(test)]
mod source_test;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use reqwest::header::AUTHORIZATION;
use secrecy::ExposeSecret as _;
use serde::de::DeserializeOwned;
use url::Url;

use super::oauth::Bearer;
use super::registry::{Offered, Places};
use super::{Api, Customer, Filter, Limit, Metric, Pace, Pulled, Seen, Source, SourceError, Step, Tally, Walk, Wanted};
use crate::clock::Clock;
use crate::domain::ids::CompanyId;
use crate::http::{AllowList, Call, Client};
use crate::pause::Pause;
use crate::psa::Psa;
use credentials::DattoRmmCredentials;
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

/// Opens sources. Cheap to clone.
#[derive(Clone)]
pub struct DattoRmm {
    http: Client,
    clock: Arc<dyn Clock>,
    pause: Arc<dyn Pause>,
}

impl Offered for DattoRmm {
    type Credentials = DattoRmmCredentials;
    const METRICS: &'static [&'static str] = counts::ALL;
    const FILTERS: &'static [Filter] = &[Filter::Suspended];
    const OVERLAPS: &'static [(&'static str, &'static str)] = counts::OVERLAPS;

    fn from_places(places: &Places, base: Option<&Url>) -> Result<Self, SourceError> {
        let allowed = AllowList::new([DOMAIN]).and_then(|own| own.and(&places.allowed_hosts));
        let http = allowed.and_then(|allowed| super::api::client(allowed, base));
        Ok(Self { http: http?, clock: places.clock.clone(), pause: places.pause.clone() })
    }

    fn opened(&self, credentials: &DattoRmmCredentials) -> Result<Arc<dyn Source>, SourceError> {
        let DattoRmmCredentials { host, api_key, api_secret } = credentials.clone();
        let host = self.http.check(&host)?;
        let pace = Pace::new(LIMIT, self.clock.clone(), self.pause.clone());
        let api = Api::new(VENDOR, self.http.clone(), host, pace);
        let bearer = Bearer::new(api.clone(), TOKEN, self.clock.clone(), move |call| {
            let (username, password) = (api_key.expose_secret(), api_secret.expose_secret());
            let form = [("grant_type", "password"), ("username", username), ("password", password)];
            call.header(AUTHORIZATION, CLIENT).form(&form)
        });
        Ok(Arc::new(DattoRmmSource { api, bearer }))
    }
}

/// One account's sites.
struct DattoRmmSource {
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

    fn asks_each(&self, metrics: &BTreeSet<Metric>) -> bool {
        let (_, counted) = counts::split(metrics);
        !counted.is_empty()
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
        let managed = self.sites(listed, pulled).await?;
        if counted.is_empty() {
            return Ok(());
        }
        let suspended = wanted.filters.suspended.unwrap_or_default();
        let mut tally = Tally::of(counted);
        for company in managed.iter().filter(|company| wanted.has(company)) {
            let devices = self.devices(company, &mut pulled.pages).await;
            let counts = devices.and_then(|devices| counts::of_devices(&devices, suspended));
            tally.answer(pulled, company, counts)?;
        }
        tally.end(pulled);
        Ok(())
    }

    /// Every site, and the metrics that the list of them tells. Gives those whose devices are managed.
    async fn sites(&self, listed: Vec<&str>, pulled: &mut Pulled) -> Result<Vec<CompanyId>, SourceError> {
        let mut walk = Walk::of("Datto RMM's list of sites");
        let (mut tally, mut managed, mut number) = (Tally::of(listed), Vec::new(), None::<String>);
        loop {
            let page: Page<Site> = self.page(SITES, number.as_deref(), |call| call).await?;
            pulled.pages += 1;
            pulled.total = page.page_details.total_count;
            let step = next(&mut walk, &page)?;
            for site in &page.rows {
                let company = company(site)?;
                let account = site.account_id().map(|account| (Psa::Autotask, account));
                pulled.customers.push(Customer { company: company.clone(), name: site.name.clone(), account });
                tally.answer(pulled, &company, counts::of_site(site).map(|count| [count]))?;
                if !site.is_on_demand() {
                    managed.push(company);
                }
            }
            match step {
                Step::Next(next) => number = Some(next),
                Step::End => break,
            }
        }
        tally.end(pulled);
        Ok(managed)
    }

    /// All devices of a site.
    async fn devices(&self, company: &CompanyId, pages: &mut u32) -> Result<Vec<Device>, SourceError> {
        let site = company.as_str();
        let mut walk = Walk::of("Datto RMM's list of a site's devices");
        let (mut devices, mut number) = (Vec::new(), None::<String>);
        loop {
            let of_site = |call: Call| call.segment(site).segment("devices");
            let page: Page<Device> = self.page("/api/v2/site", number.as_deref(), of_site).await?;
            *pages += 1;
            let step = next(&mut walk, &page)?;
            if page.rows.iter().any(|device| device.site_uid.as_deref().is_some_and(|uid| uid != site)) {
                return Err(SourceError::unreadable(VENDOR, "it is about another site"));
            }
            devices.extend(page.rows);
            match step {
                Step::Next(next) => number = Some(next),
                Step::End => return Ok(devices),
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

fn next<R: Listed>(walk: &mut Walk, page: &Page<R>) -> Result<Step, SourceError> {
    let number = page.page_details.next()?;
    walk.page(page.rows.iter().map(Listed::uid), page.page_details.total_count, number)
}

fn company(site: &Site) -> Result<CompanyId, SourceError> {
    site.uid().parse().map_err(|_| SourceError::unreadable(VENDOR, "a site has no usable id"))
}
