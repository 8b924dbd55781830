//! Reading an account: the list of its organizations, and where a metric needs it each organization by itself.

use std::collections::BTreeSet;

use async_trait::async_trait;
use reqwest::header::AUTHORIZATION;
use secrecy::SecretString;

use super::VENDOR;
use super::counts::{self, Counted};
use super::own::Own;
use super::wire::{AccountOfKey, One, Organization, Organizations};
use crate::domain::ids::CompanyId;
use crate::domain::units::Units;
use crate::http::Call;
use crate::psa::Kind;
use crate::sources::{Api, Customer, Metric, Pulled, Seen, Source, SourceError, Step, Tally, Walk, Wanted};

/// The most rows of a page; where nobody asks, a page has ten.
const PAGE: &str = "500";

/// One account's organizations.
pub struct HuntressSource {
    pub(super) api: Api,
    pub(super) basic: SecretString,
}

#[async_trait]
impl Source for HuntressSource {
    /// By the list that counts come from: `/v1/account` is open to keys that may not read it.
    async fn test(&self) -> Result<Seen, SourceError> {
        self.api.get::<Organizations>("/v1/organizations", |call| self.signed(call).query("limit", "1")).await?;
        Ok(Seen { customers: None })
    }

    fn asks_each(&self, metrics: &BTreeSet<Metric>) -> bool {
        !counts::detailed(metrics).is_empty()
    }

    async fn pull(&self, wanted: &Wanted) -> Pulled {
        let mut pulled = Pulled::default();
        let stopped = self.read(wanted, &mut pulled).await.err();
        Pulled { stopped, ..pulled }
    }
}

impl HuntressSource {
    fn signed(&self, call: Call) -> Call {
        call.credential(AUTHORIZATION, &self.basic)
    }

    async fn read(&self, wanted: &Wanted, pulled: &mut Pulled) -> Result<(), SourceError> {
        // First of all: no count of the partner's own may be told with the seats that come off it.
        let own = self.own(wanted, pulled).await?;
        self.listed(wanted, &own, pulled).await?;
        if let Some(company) = &wanted.filters.nfr_company
            && pulled.customers.iter().all(|customer| customer.company != *company)
        {
            return Err(not_listed(company));
        }
        self.detailed(wanted, &own, pulled).await
    }

    /// The organization that is the partner itself, where there is one of which something is wanted.
    async fn own(&self, wanted: &Wanted, pulled: &mut Pulled) -> Result<Own, SourceError> {
        let counted = counts::wanted(&wanted.metrics);
        let Some(company) = wanted.filters.nfr_company.as_ref().filter(|_| !counted.is_empty()) else {
            return Ok(Own::nobody());
        };
        let account = self.api.get::<AccountOfKey>("/v1/account", |call| self.signed(call)).await;
        pulled.pages += u32::from(account.is_ok());
        Own::of(company, &counted, account)
    }

    /// Every organization and what the list tells of it, by rising id: one that is made meanwhile comes last.
    async fn listed(&self, wanted: &Wanted, own: &Own, pulled: &mut Pulled) -> Result<(), SourceError> {
        let counted = counts::listed(&wanted.metrics);
        let mut tally = Tally::of(counted.iter().map(|counted| counted.metric));
        let mut walk = Walk::of("Huntress's list of organizations");
        let mut token = None::<String>;
        loop {
            let page = self.page(token.as_deref()).await?;
            pulled.pages += 1;
            for organization in &page.organizations {
                let company = company(organization)?;
                tally.answer(pulled, &company, own.told(&counted, &company, organization))?;
                pulled.customers.push(Customer { company, name: organization.name.clone(), account: None });
            }
            let ids: Vec<String> = page.organizations.iter().map(|organization| organization.id.to_string()).collect();
            let next = page.pagination.next_page_token.filter(|token| !token.is_empty());
            match walk.page(ids.iter().map(String::as_str), None, next)? {
                Step::Next(next) => token = Some(next),
                Step::End => {
                    tally.end(pulled);
                    return Ok(());
                }
            }
        }
    }

    async fn page(&self, token: Option<&str>) -> Result<Organizations, SourceError> {
        self.api
            .get("/v1/organizations", |call| {
                let call = self.signed(call).query("limit", PAGE).query("sort_field", "id");
                let call = call.query("sort_direction", "asc");
                match token {
                    Some(token) => call.query("page_token", token),
                    None => call,
                }
            })
            .await
    }

    /// What only the answers about single organizations tell.
    async fn detailed(&self, wanted: &Wanted, own: &Own, pulled: &mut Pulled) -> Result<(), SourceError> {
        let counted = counts::detailed(&wanted.metrics);
        if counted.is_empty() {
            return Ok(());
        }
        let mut tally = Tally::of(counted.iter().map(|counted| counted.metric));
        let listed = pulled.customers.iter().map(|customer| customer.company.clone());
        let companies: Vec<CompanyId> = listed.filter(|company| wanted.has(company)).collect();
        for company in companies {
            let told = self.one(&company, &counted, own, &mut pulled.pages).await;
            tally.answer(pulled, &company, told)?;
        }
        tally.end(pulled);
        Ok(())
    }

    async fn one(
        &self,
        company: &CompanyId,
        counted: &[&Counted],
        own: &Own,
        pages: &mut u32,
    ) -> Result<Vec<(&'static str, Option<Units>)>, SourceError> {
        own.seats_of(company)?;
        let One { organization } =
            self.api.get("/v1/organizations", |call| self.signed(call).segment(company.as_str())).await?;
        *pages += 1;
        if organization.id.to_string() != company.as_str() {
            return Err(SourceError::unreadable(VENDOR, "it is about another organization"));
        }
        own.told(counted, company, &organization)
    }
}

/// Without it the partner's own seats would be charged to whoever it really is.
fn not_listed(company: &CompanyId) -> SourceError {
    SourceError::new(
        Kind::Validation,
        "source_own_organization_unknown",
        format!("Huntress lists no organization {company}, which nfr_company names."),
        "Send the id of your own organization as filters.nfr_company with PUT /v1/sources/huntress, or leave the filter out.",
    )
}

fn company(organization: &Organization) -> Result<CompanyId, SourceError> {
    let id = organization.id.to_string();
    id.parse().map_err(|_| SourceError::unreadable(VENDOR, "an organization has no usable id"))
}
