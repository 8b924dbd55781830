//! Microsoft for partners of the CSP programme: licences that were bought, by Partner Center, and licences that are assigned,
//! by Graph in each customer's tenant. What is known of both, and what is not confirmed, is in the README beside this.

pub(super) mod commitments;
mod counts;
mod wire;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use reqwest::header::HeaderName;
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::oauth::{Bearer, Grant};
use super::{Api, Customer, Limit, Pace, Pulled, Row, Seen, Source, SourceError, Step, Walk, Wanted};
use crate::clock::Clock;
use crate::domain::ids::CompanyId;
use crate::domain::units::Units;
use crate::http::{Call, CheckedHost, Client};
use crate::pause::Pause;
use crate::psa::Kind;
use counts::Asked;
use wire::{Collection, SubscribedSkus, Subscription};

/// What it is called, for people.
const VENDOR: &str = "Microsoft";
/// Where tokens are given out.
const LOGIN: &str = "login.microsoftonline.com";
const PARTNER_CENTER: &str = "api.partnercenter.microsoft.com";
const GRAPH: &str = "graph.microsoft.com";
/// By Partner Center's documentation of subscriptions, for each tenant identifier; here for all that is read at one host. Of
/// Graph and the log-in no number is known that holds for these reads.
const LIMIT: Limit = Limit { requests: 500, within: SignedDuration::from_mins(1) };
/// The most customers of a page (unconfirmed).
const PAGE: &str = "500";

/// An application that is registered in the partner's tenant.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MicrosoftCredentials {
    /// The partner's tenant.
    pub tenant_id: String,
    /// The application.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// Of the user that the application acts for, as in the Secure Application Model; without it, it acts for itself.
    #[serde(default)]
    pub refresh_token: Option<SecretString>,
}

impl fmt::Debug for MicrosoftCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MicrosoftCredentials")
    }
}

/// Opens sources. Cheap to clone.
#[derive(Clone)]
pub struct Microsoft {
    http: Client,
    login: CheckedHost,
    partner_center: CheckedHost,
    graph: CheckedHost,
    clock: Arc<dyn Clock>,
    pause: Arc<dyn Pause>,
}

impl Microsoft {
    /// Calls Microsoft, or a simulator at `base`.
    ///
    /// # Errors
    /// No client can be made on this machine.
    pub fn new(base: Option<&Url>, clock: Arc<dyn Clock>, pause: Arc<dyn Pause>) -> Result<Self, SourceError> {
        let http = super::api::client(&[LOGIN, PARTNER_CENTER, GRAPH], base);
        let http = http.map_err(|error| SourceError::of_http(&error))?;
        let host = |name| http.check(name).map_err(|error| SourceError::of_http(&error));
        let (login, partner_center, graph) = (host(LOGIN)?, host(PARTNER_CENTER)?, host(GRAPH)?);
        Ok(Self { http, login, partner_center, graph, clock, pause })
    }

    /// The source of one partner.
    #[must_use]
    pub fn open(&self, credentials: &MicrosoftCredentials) -> MicrosoftSource {
        let api = |host: &CheckedHost| {
            let pace = Pace::new(LIMIT, self.clock.clone(), self.pause.clone());
            Api::new(VENDOR, self.http.clone(), host.clone(), pace)
        };
        let MicrosoftCredentials { tenant_id, client_id, client_secret, refresh_token } = credentials.clone();
        let application = Application {
            login: api(&self.login),
            grant: Grant { client_id, client_secret, refresh_token },
            clock: self.clock.clone(),
        };
        let partner = application.bearer(&tenant_id, "https://api.partnercenter.microsoft.com/.default");
        MicrosoftSource { application, partner, partner_center: api(&self.partner_center), graph: api(&self.graph) }
    }
}

/// The application, which has a token of its own for each tenant and host.
struct Application {
    login: Api,
    grant: Grant,
    clock: Arc<dyn Clock>,
}

impl Application {
    fn bearer(&self, tenant: &str, scope: &'static str) -> Bearer {
        let (grant, tenant) = (self.grant.clone(), tenant.to_owned());
        Bearer::new(self.login.clone(), "/", self.clock.clone(), move |call| {
            let call = call.segment(&tenant).segment("oauth2").segment("v2.0").segment("token");
            call.form(&grant.fields(("scope", scope)))
        })
    }
}

/// One partner's customers.
pub struct MicrosoftSource {
    application: Application,
    /// The right to read at Partner Center.
    partner: Bearer,
    partner_center: Api,
    graph: Api,
}

/// What is read of one customer.
#[derive(Debug, Clone, Copy)]
enum Detail {
    Subscriptions,
    Skus,
}

#[async_trait]
impl Source for MicrosoftSource {
    /// By the subscriptions of a customer, the first that is listed: a list of customers is shown to more applications.
    async fn test(&self) -> Result<Seen, SourceError> {
        let query = |call: Call| call.query("size", "1");
        let page: Collection<wire::Customer> = self.partner.get(&self.partner_center, "/v1/customers", query).await?;
        if let Some(customer) = page.items.first() {
            self.subscriptions(&company(customer)?, &mut 0).await?;
        }
        Ok(Seen { customers: None })
    }

    async fn pull(&self, wanted: &Wanted) -> Pulled {
        let mut pulled = Pulled::default();
        if let Err(error) = self.customers(&mut pulled).await {
            return Pulled { stopped: Some(error), ..pulled };
        }
        let (of_subscriptions, of_skus) = counts::split(&wanted.metrics);
        for (detail, asked) in [(Detail::Subscriptions, of_subscriptions), (Detail::Skus, of_skus)] {
            match self.details(detail, &asked, wanted, &mut pulled).await {
                Err(error) => pulled.stopped = pulled.stopped.or(Some(error)),
                Ok(()) if wanted.companies.is_none() => {
                    pulled.whole.extend(asked.iter().map(|asked| asked.metric.clone()));
                }
                Ok(()) => {}
            }
        }
        pulled
    }
}

impl MicrosoftSource {
    async fn customers(&self, pulled: &mut Pulled) -> Result<(), SourceError> {
        let with = |call: Call| call.query("size", PAGE);
        let list = "Microsoft's list of customers";
        for customer in self.walk(list, |customer: &wire::Customer| &customer.id, &mut pulled.pages, with).await? {
            let (company, name) = (company(&customer)?, customer.name().to_owned());
            pulled.customers.push(Customer { company, name, account_id: None });
        }
        Ok(())
    }

    /// What is `asked` of each wanted customer. One that can't be read, because it gave no consent or left meanwhile, keeps
    /// nobody from reading the others: the first such failure is told in the end.
    async fn details(
        &self,
        detail: Detail,
        asked: &[Asked<'_>],
        wanted: &Wanted,
        pulled: &mut Pulled,
    ) -> Result<(), SourceError> {
        if asked.is_empty() {
            return Ok(());
        }
        let mut companies: Vec<CompanyId> = pulled.customers.iter().map(|customer| customer.company.clone()).collect();
        companies.retain(|company| wanted.companies.as_ref().is_none_or(|wanted| wanted.contains(company)));
        let mut unread = None;
        for company in &companies {
            match self.rows(detail, company, asked, &mut pulled.pages).await {
                // Where all were asked, `whole` says who has none. Of those that were picked out only a zero can.
                Ok(rows) => {
                    let says = |row: &Row| wanted.companies.is_some() || row.quantity > Units::ZERO;
                    pulled.rows.extend(rows.into_iter().filter(says));
                }
                Err(error) if matches!(error.kind, Kind::Auth | Kind::NotFound) => {
                    unread.get_or_insert_with(|| of_customer(company, error));
                }
                Err(error) => return Err(error),
            }
        }
        unread.map_or(Ok(()), Err)
    }

    async fn rows(
        &self,
        detail: Detail,
        company: &CompanyId,
        asked: &[Asked<'_>],
        pages: &mut u32,
    ) -> Result<Vec<Row>, SourceError> {
        match detail {
            Detail::Subscriptions => {
                let all = self.subscriptions(company, pages).await?;
                let today = self.application.clock.now().to_zoned(TimeZone::UTC).date();
                counts::of_subscriptions(company, asked, &all, today)
            }
            Detail::Skus => counts::of_skus(company, asked, &self.skus(company, pages).await?.value),
        }
    }

    async fn subscriptions(&self, company: &CompanyId, pages: &mut u32) -> Result<Vec<Subscription>, SourceError> {
        let with = |call: Call| call.segment(company.as_str()).segment("subscriptions");
        let list = "A customer's list of subscriptions at Microsoft";
        self.walk(list, |subscription: &Subscription| &subscription.id, pages, with).await
    }

    /// All of a Partner Center collection below the customers.
    async fn walk<T: DeserializeOwned>(
        &self,
        list: &str,
        id: fn(&T) -> &str,
        pages: &mut u32,
        with: impl Fn(Call) -> Call + Send + Sync,
    ) -> Result<Vec<T>, SourceError> {
        let mut walk = Walk::of(list);
        let (mut found, mut token) = (Vec::new(), None::<String>);
        loop {
            let further = |call: Call| match &token {
                Some(token) => {
                    let call = call.query("seekOperation", "Next");
                    call.header(HeaderName::from_static(wire::CONTINUATION), token)
                }
                None => call,
            };
            let page: Collection<T> =
                self.partner.get(&self.partner_center, "/v1/customers", |call| further(with(call))).await?;
            *pages += 1;
            let next = page.continuation()?;
            // Of a list with several pages, Microsoft's examples tell the rows of the page and not those of the list.
            let total = page.total_count.filter(|_| token.is_none() && next.is_none());
            let step = walk.page(page.items.iter().map(id), total, next)?;
            found.extend(page.items);
            match step {
                Step::Next(next) => token = Some(next),
                Step::End => return Ok(found),
            }
        }
    }

    /// Of the customer's own tenant, with a token of that tenant.
    async fn skus(&self, company: &CompanyId, pages: &mut u32) -> Result<SubscribedSkus, SourceError> {
        let customer = self.application.bearer(company.as_str(), "https://graph.microsoft.com/.default");
        let skus: SubscribedSkus = customer.get(&self.graph, "/v1.0/subscribedSkus", |call| call).await?;
        *pages += 1;
        let mut walk = Walk::of("A tenant's list of licences at Microsoft");
        let ids = skus.value.iter().map(|sku| sku.sku_id.as_str());
        match walk.page(ids, None, skus.next.clone())? {
            Step::End => Ok(skus),
            Step::Next(_) => Err(SourceError::unreadable(VENDOR, "it has more pages than are documented")),
        }
    }
}

fn company(customer: &wire::Customer) -> Result<CompanyId, SourceError> {
    customer.id.parse().map_err(|_| SourceError::unreadable(VENDOR, "a customer has no usable id"))
}

/// Says whom a failure is about: the others were read.
fn of_customer(company: &CompanyId, error: SourceError) -> SourceError {
    SourceError { explanation: format!("{} It was asked about the customer {company}.", error.explanation), ..error }
}
