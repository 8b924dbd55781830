//! Huntress: endpoint agents, identities, learners and log sources by organization. What is known of its API, and what is not
//! confirmed, is in the README beside this.

mod counts;
mod wire;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use reqwest::header::AUTHORIZATION;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

use super::{Api, Customer, Limit, Metric, Pace, Pulled, Row, Seen, Source, SourceError, Step, Walk, Wanted};
use crate::clock::Clock;
use crate::domain::ids::CompanyId;
use crate::http::{Call, CheckedHost, Client};
use crate::pause::Pause;
use wire::{One, Organization, Organizations};

/// What it is called, for people.
const VENDOR: &str = "Huntress";
/// Its one host.
const HOST: &str = "api.huntress.io";
/// By its documentation, for each account, in a window that slides.
const LIMIT: Limit = Limit { requests: 60, within: SignedDuration::from_mins(1) };
/// The most rows of a page; where nobody asks, a page has ten.
const PAGE: &str = "500";

/// An API key of a Huntress account.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HuntressCredentials {
    /// The public half.
    pub key: SecretString,
    /// The half that is shown once.
    pub secret: SecretString,
}

impl fmt::Debug for HuntressCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HuntressCredentials")
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

impl Huntress {
    /// Calls Huntress, or a simulator at `base`.
    ///
    /// # Errors
    /// No client can be made on this machine.
    pub fn new(base: Option<&Url>, clock: Arc<dyn Clock>, pause: Arc<dyn Pause>) -> Result<Self, SourceError> {
        let http = super::api::client(&[HOST], base).map_err(|error| SourceError::of_http(&error))?;
        let host = http.check(HOST).map_err(|error| SourceError::of_http(&error))?;
        Ok(Self { http, host, clock, pause })
    }

    /// The source of one account.
    #[must_use]
    pub fn open(&self, credentials: &HuntressCredentials) -> HuntressSource {
        let pace = Pace::new(LIMIT, self.clock.clone(), self.pause.clone());
        let HuntressCredentials { key, secret } = credentials;
        let basic = STANDARD.encode(format!("{}:{}", key.expose_secret(), secret.expose_secret()));
        let basic = SecretString::from(format!("Basic {basic}"));
        HuntressSource { api: Api::new(VENDOR, self.http.clone(), self.host.clone(), pace), basic }
    }
}

/// One account's organizations.
pub struct HuntressSource {
    api: Api,
    basic: SecretString,
}

#[async_trait]
impl Source for HuntressSource {
    /// By the list that counts come from: `/v1/account` is open to keys that may not read it.
    async fn test(&self) -> Result<Seen, SourceError> {
        self.api.get::<Organizations>("/v1/organizations", |call| self.signed(call).query("limit", "1")).await?;
        Ok(Seen { customers: None })
    }

    async fn pull(&self, wanted: &Wanted) -> Pulled {
        let mut pulled = Pulled::default();
        let organizations = match self.organizations(&mut pulled).await {
            Ok(organizations) => organizations,
            Err(error) => return Pulled { stopped: Some(error), ..pulled },
        };
        let (listed, detailed) = counts::split(&wanted.metrics);
        pulled.whole.extend(listed);
        if let Err(error) = self.details(wanted, &detailed, &organizations, &mut pulled).await {
            pulled.stopped = Some(error);
        } else if wanted.companies.is_none() {
            pulled.whole.extend(detailed);
        }
        pulled.rows.retain(|row| wanted.metrics.contains(&row.metric));
        pulled
    }
}

impl HuntressSource {
    fn signed(&self, call: Call) -> Call {
        call.credential(AUTHORIZATION, &self.basic)
    }

    /// Every organization, by rising id: one that is made meanwhile comes last.
    async fn organizations(&self, pulled: &mut Pulled) -> Result<Vec<(CompanyId, u64)>, SourceError> {
        let mut walk = Walk::of("Huntress's list of organizations");
        let (mut found, mut token) = (Vec::new(), None::<String>);
        loop {
            let page: Organizations = self
                .api
                .get("/v1/organizations", |call| {
                    let call = self.signed(call).query("limit", PAGE).query("sort_field", "id");
                    let call = call.query("sort_direction", "asc");
                    match &token {
                        Some(token) => call.query("page_token", token),
                        None => call,
                    }
                })
                .await?;
            pulled.pages += 1;
            for organization in &page.organizations {
                let company = company(organization)?;
                pulled.rows.extend(counts::of_list(&company, organization)?);
                found.push((company.clone(), organization.id));
                pulled.customers.push(Customer { company, name: organization.name.clone(), account_id: None });
            }
            let ids: Vec<String> = page.organizations.iter().map(|organization| organization.id.to_string()).collect();
            let next = page.pagination.next_page_token.filter(|token| !token.is_empty());
            match walk.page(ids.iter().map(String::as_str), None, next)? {
                Step::Next(next) => token = Some(next),
                Step::End => return Ok(found),
            }
        }
    }

    /// What only the answer about a single organization tells.
    async fn details(
        &self,
        wanted: &Wanted,
        metrics: &BTreeSet<Metric>,
        organizations: &[(CompanyId, u64)],
        pulled: &mut Pulled,
    ) -> Result<(), SourceError> {
        if metrics.is_empty() {
            return Ok(());
        }
        let is_wanted = |company: &CompanyId| wanted.companies.as_ref().is_none_or(|wanted| wanted.contains(company));
        for (company, id) in organizations.iter().filter(|(company, _)| is_wanted(company)) {
            let id = id.to_string();
            let One { organization } = self.api.get("/v1/organizations", |call| self.signed(call).segment(&id)).await?;
            pulled.pages += 1;
            if organization.id.to_string() != id {
                return Err(SourceError::unreadable(VENDOR, "it is about another organization"));
            }
            let rows: Vec<Row> = counts::of_details(company, &organization)?;
            pulled.rows.extend(rows);
        }
        Ok(())
    }
}

fn company(organization: &Organization) -> Result<CompanyId, SourceError> {
    let id = organization.id.to_string();
    id.parse().map_err(|_| SourceError::unreadable(VENDOR, "an organization has no usable id"))
}
