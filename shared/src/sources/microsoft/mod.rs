//! Microsoft for partners of the CSP programme: licences that were bought, by Partner Center, and licences that are assigned,
//! by Graph in each customer's tenant. What is known of both, and what is not confirmed, is in the README beside this.

mod counts;
mod credentials;
mod wire;

#[cfg(test)]
mod source_test;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use reqwest::header::HeaderName;
use serde::de::DeserializeOwned;
use url::Url;

use super::oauth::{Bearer, Grant};
use super::registry::{Offered, Places};
use super::{Api, Customer, Filter, Limit, Metric, Pace, Pulled, Row, Seen, Source, SourceError, Step, Walk, Wanted};
use crate::clock::Clock;
use crate::domain::ids::CompanyId;
use crate::http::{AllowList, Call, CheckedHost, Client};
use crate::pause::Pause;
use crate::psa::Kind;
use counts::Asked;
use credentials::MicrosoftCredentials;
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

impl Offered for Microsoft {
    type Credentials = MicrosoftCredentials;
    const METRICS: &'static [&'static str] = &["licenses:{offer}", "assigned:{sku}", "total:{sku}"];
    const FILTERS: &'static [Filter] = &[Filter::Trials, Filter::Suspended];
    const OVERLAPS: &'static [(&'static str, &'static str)] =
        &[("licenses:", "assigned:"), ("licenses:", "total:"), ("assigned:", "total:")];

    fn from_places(places: &Places, base: Option<&Url>) -> Result<Self, SourceError> {
        let http = super::api::client(AllowList::new([LOGIN, PARTNER_CENTER, GRAPH])?, base)?;
        let (login, partner_center, graph) = (http.check(LOGIN)?, http.check(PARTNER_CENTER)?, http.check(GRAPH)?);
        Ok(Self { http, login, partner_center, graph, clock: places.clock.clone(), pause: places.pause.clone() })
    }

    fn opened(&self, credentials: &MicrosoftCredentials) -> Result<Arc<dyn Source>, SourceError> {
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
        let (partner_center, graph) = (api(&self.partner_center), api(&self.graph));
        Ok(Arc::new(MicrosoftSource { application, partner, partner_center, graph }))
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
struct MicrosoftSource {
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

    fn asks_each(&self, metrics: &BTreeSet<Metric>) -> bool {
        let (of_subscriptions, of_skus) = counts::split(metrics);
        !of_subscriptions.is_empty() || !of_skus.is_empty()
    }

    async fn pull(&self, wanted: &Wanted) -> Pulled {
        let mut pulled = Pulled::default();
        let stopped = self.read(wanted, &mut pulled).await.err();
        Pulled { stopped, ..pulled }
    }
}

impl MicrosoftSource {
    async fn read(&self, wanted: &Wanted, pulled: &mut Pulled) -> Result<(), SourceError> {
        self.customers(pulled).await?;
        let (of_subscriptions, of_skus) = counts::split(&wanted.metrics);
        self.details(Detail::Subscriptions, &of_subscriptions, wanted, pulled).await?;
        self.details(Detail::Skus, &of_skus, wanted, pulled).await
    }

    async fn customers(&self, pulled: &mut Pulled) -> Result<(), SourceError> {
        let with = |call: Call| call.query("size", PAGE);
        let list = "Microsoft's list of customers";
        let all = self.walk(list, |customer: &wire::Customer| &customer.id, &mut pulled.pages, with).await?;
        pulled.total = all.total;
        for customer in all.rows {
            let (company, name) = (company(&customer)?, customer.name().to_owned());
            pulled.customers.push(Customer { company, name, account: None });
        }
        Ok(())
    }

    /// What is `asked` of each wanted customer.
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
        companies.retain(|company| wanted.has(company));
        let mut all_told = true;
        for company in &companies {
            match self.rows(detail, company, asked, wanted, &mut pulled.pages).await {
                Ok(rows) => pulled.rows.extend(rows),
                Err(error) => {
                    pulled.leave_out(company, error)?;
                    all_told = false;
                }
            }
        }
        if all_told {
            pulled.whole.extend(asked.iter().map(|asked| asked.metric.clone()));
        }
        Ok(())
    }

    async fn rows(
        &self,
        detail: Detail,
        company: &CompanyId,
        asked: &[Asked<'_>],
        wanted: &Wanted,
        pages: &mut u32,
    ) -> Result<Vec<Row>, SourceError> {
        match detail {
            Detail::Subscriptions => {
                let all = self.subscriptions(company, pages).await?;
                let today = self.application.clock.now().to_zoned(TimeZone::UTC).date();
                counts::of_subscriptions(company, asked, &all, &wanted.filters, today)
            }
            Detail::Skus => counts::of_skus(company, asked, &self.skus(company, pages).await?.value),
        }
    }

    async fn subscriptions(&self, company: &CompanyId, pages: &mut u32) -> Result<Vec<Subscription>, SourceError> {
        let with = |call: Call| call.segment(company.as_str()).segment("subscriptions");
        let list = "A customer's list of subscriptions at Microsoft";
        let all = self.walk(list, |subscription: &Subscription| &subscription.id, pages, with).await?;
        Ok(all.rows)
    }

    /// All of a Partner Center collection below the customers.
    async fn walk<T: DeserializeOwned>(
        &self,
        list: &str,
        id: fn(&T) -> &str,
        pages: &mut u32,
        with: impl Fn(Call) -> Call + Send + Sync,
    ) -> Result<All<T>, SourceError> {
        let mut walk = Walk::of(list);
        let (mut rows, mut token) = (Vec::new(), None::<String>);
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
            rows.extend(page.items);
            match step {
                Step::Next(next) => token = Some(next),
                Step::End => return Ok(All { rows, total }),
            }
        }
    }

    /// Of the customer's own tenant, with a token of that tenant.
    async fn skus(&self, company: &CompanyId, pages: &mut u32) -> Result<SubscribedSkus, SourceError> {
        let customer = self.application.bearer(company.as_str(), "https://graph.microsoft.com/.default");
        let skus: Result<SubscribedSkus, _> = customer.get(&self.graph, "/v1.0/subscribedSkus", |call| call).await;
        let skus = skus.map_err(of_tenant)?;
        *pages += 1;
        let mut walk = Walk::of("A tenant's list of licences at Microsoft");
        let ids = skus.value.iter().map(|sku| sku.sku_id.as_str());
        match walk.page(ids, None, skus.next.clone())? {
            Step::End => Ok(skus),
            Step::Next(_) => Err(SourceError::unreadable(VENDOR, "it has more pages than are documented")),
        }
    }
}

/// A list that was read to its end.
struct All<T> {
    rows: Vec<T>,
    /// How many there are by Microsoft's own count, where it tells one.
    total: Option<u64>,
}

/// Whatever a tenant refuses, a token or its licences, is that customer's: the partner's own tenant has let us in before.
fn of_tenant(error: SourceError) -> SourceError {
    if error.kind != Kind::Auth {
        return error;
    }
    SourceError::new(
        Kind::Auth,
        super::error::PERMISSION_MISSING,
        "Microsoft does not let this application read the licences of the customer's tenant.",
        "Let the customer consent to it with Organization.Read.All, or give its user a GDAP role there, then pull again.",
    )
}

fn company(customer: &wire::Customer) -> Result<CompanyId, SourceError> {
    customer.id.parse().map_err(|_| SourceError::unreadable(VENDOR, "a customer has no usable id"))
}
