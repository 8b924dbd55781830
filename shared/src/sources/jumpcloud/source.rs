//! Reading a provider: the list of its organizations, and each of them by itself.

use std::collections::BTreeSet;

use async_trait::async_trait;
use reqwest::Method;
use reqwest::header::HeaderName;
use secrecy::SecretString;

use super::VENDOR;
use super::counts::{self, Counted, USERS};
use super::wire::{Listed, Organization, Organizations};
use crate::domain::ids::CompanyId;
use crate::domain::units::Units;
use crate::http::Call;
use crate::sources::{Api, Customer, Metric, Pulled, Seen, Source, SourceError, Step, Tally, Walk, Wanted};

/// The most rows of a page; where nobody asks, a page has ten.
const PAGE: &str = "100";

/// The key of one administrator.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// Which organization is meant. Administrators of several must say so.
const ORG_ID: HeaderName = HeaderName::from_static("x-org-id");

/// One provider's organizations.
pub struct JumpCloudSource {
    pub(super) api: Api,
    pub(super) api_key: SecretString,
    pub(super) provider_id: String,
}

#[async_trait]
impl Source for JumpCloudSource {
    /// By the users of the first organization: a key may list organizations and not be let into any.
    async fn test(&self) -> Result<Seen, SourceError> {
        let first = self.page("1", "0").await?;
        if let Some(organization) = first.results.first() {
            self.count(&USERS, &company(organization)?).await?;
        }
        Ok(Seen { customers: Some(first.total_count) })
    }

    /// All of them do.
    fn asks_each(&self, metrics: &BTreeSet<Metric>) -> bool {
        counts::METRICS.into_iter().any(|metric| metrics.contains(&metric.into()))
    }

    async fn pull(&self, wanted: &Wanted) -> Pulled {
        let mut pulled = Pulled::default();
        let stopped = self.read(wanted, &mut pulled).await.err();
        Pulled { stopped, ..pulled }
    }
}

impl JumpCloudSource {
    fn signed(&self, call: Call) -> Call {
        call.credential(API_KEY, &self.api_key)
    }

    async fn read(&self, wanted: &Wanted, pulled: &mut Pulled) -> Result<(), SourceError> {
        self.organizations(pulled).await?;
        self.counts(wanted, pulled).await
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
            pulled.total = Some(page.total_count);
            for organization in &page.results {
                let company = company(organization)?;
                let name = organization.name.clone().unwrap_or_else(|| organization.id.clone());
                pulled.customers.push(Customer { company, name, account: None });
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
        let counted = counts::wanted(wanted);
        let mut tally = Tally::of(counted.iter().map(|counted| counted.metric));
        let listed = pulled.customers.iter().map(|customer| customer.company.clone());
        let companies: Vec<CompanyId> = listed.filter(|company| wanted.has(company)).collect();
        for company in &companies {
            for counted in &counted {
                let told = self.count(counted, company).await;
                pulled.pages += u32::from(told.is_ok());
                tally.answer(pulled, company, told.map(|count| [(counted.metric, count)]))?;
            }
        }
        tally.end(pulled);
        Ok(())
    }

    /// The total of the list, of which one row at most is asked for.
    async fn count(&self, counted: &Counted, company: &CompanyId) -> Result<Option<Units>, SourceError> {
        let organization = |call| self.signed(call).header(ORG_ID, company.as_str());
        let listed: Listed = match counted.search() {
            None => self.api.get(counted.path, |call| organization(call).query("limit", "1")).await?,
            Some(search) => self.api.read(Method::POST, counted.path, |call| organization(call).json(&search)).await?,
        };
        counted.of(company, &listed)
    }
}

fn company(organization: &Organization) -> Result<CompanyId, SourceError> {
    organization.id.parse().map_err(|_| SourceError::unreadable(VENDOR, "an organization has no usable id"))
}
