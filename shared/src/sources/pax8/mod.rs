//! Pax8: subscriptions of a partner's companies, bought in its marketplace. What is known of its API, and what is not
//! confirmed, is in the README beside this.

mod counts;
mod wire;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::oauth::{Bearer, Grant};
use super::{Api, Customer, Limit, Pace, Pulled, Row, Seen, Source, SourceError, Step, Walk, Wanted};
use crate::clock::Clock;
use crate::domain::ids::CompanyId;
use crate::http::{Call, CheckedHost, Client};
use crate::pause::Pause;
use counts::Asked;
use wire::{Company, Paged, Subscription};

/// What it is called, for people.
const VENDOR: &str = "Pax8";
/// Its one host.
const HOST: &str = "api.pax8.com";
/// No number is published, so that a slow one was chosen: a pull is some dozen requests.
const LIMIT: Limit = Limit { requests: 60, within: SignedDuration::from_mins(1) };
/// The most rows of a page; where nobody asks, a page has ten.
const PAGE: &str = "200";

/// An application of a Pax8 partner.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pax8Credentials {
    /// The application.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
}

impl fmt::Debug for Pax8Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pax8Credentials")
    }
}

/// Opens sources. Cheap to clone.
#[derive(Clone)]
pub struct Pax8 {
    http: Client,
    host: CheckedHost,
    clock: Arc<dyn Clock>,
    pause: Arc<dyn Pause>,
}

impl Pax8 {
    /// Calls Pax8, or a simulator at `base`.
    ///
    /// # Errors
    /// No client can be made on this machine.
    pub fn new(base: Option<&Url>, clock: Arc<dyn Clock>, pause: Arc<dyn Pause>) -> Result<Self, SourceError> {
        let http = super::api::client(&[HOST], base).map_err(|error| SourceError::of_http(&error))?;
        let host = http.check(HOST).map_err(|error| SourceError::of_http(&error))?;
        Ok(Self { http, host, clock, pause })
    }

    /// The source of one partner.
    #[must_use]
    pub fn open(&self, credentials: &Pax8Credentials) -> Pax8Source {
        let pace = Pace::new(LIMIT, self.clock.clone(), self.pause.clone());
        let api = Api::new(VENDOR, self.http.clone(), self.host.clone(), pace);
        let Pax8Credentials { client_id, client_secret } = credentials.clone();
        let grant = Grant { client_id, client_secret, refresh_token: None };
        // As JSON, and not as the form that the standard has.
        let bearer = Bearer::new(api.clone(), "/v1/token", self.clock.clone(), move |call| {
            let fields: BTreeMap<&str, &str> = grant.fields(("audience", "https://api.pax8.com")).into_iter().collect();
            call.json(&fields)
        });
        Pax8Source { api, bearer, clock: self.clock.clone() }
    }
}

/// One partner's companies.
pub struct Pax8Source {
    api: Api,
    bearer: Bearer,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl Source for Pax8Source {
    /// By both of the lists that a pull reads.
    async fn test(&self) -> Result<Seen, SourceError> {
        let one = [("page", "0"), ("size", "1")];
        self.page::<Subscription>("/v1/subscriptions", &one).await?;
        let companies = self.page::<Company>("/v1/companies", &one).await?;
        Ok(Seen { customers: Some(companies.page.total_elements) })
    }

    async fn pull(&self, wanted: &Wanted) -> Pulled {
        let mut pulled = Pulled::default();
        let asked = counts::asked(&wanted.metrics);
        match self.read(&asked, &mut pulled).await {
            Ok(rows) => {
                pulled.rows = rows;
                pulled.whole = asked.iter().map(|asked| asked.metric.clone()).collect();
            }
            Err(error) => pulled.stopped = Some(error),
        }
        pulled
    }
}

impl Pax8Source {
    /// Every company, and all of what is asked: a sum over some of the subscriptions would be nobody's count.
    async fn read(&self, asked: &[Asked<'_>], pulled: &mut Pulled) -> Result<Vec<Row>, SourceError> {
        let companies: Vec<Company> = self
            .walk(
                "Pax8's list of companies",
                "/v1/companies",
                "name,asc",
                |company: &Company| &company.id,
                &mut pulled.pages,
            )
            .await?;
        for company in companies.into_iter().filter(|company| !company.is_deleted()) {
            let id: Result<CompanyId, _> = company.id.parse();
            let id = id.map_err(|_| SourceError::unreadable(VENDOR, "a company has no usable id"))?;
            pulled.customers.push(Customer { company: id, name: company.name, account_id: None });
        }
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        // By rising day of creation one that is made meanwhile comes last.
        let (list, path, sort) = ("Pax8's list of subscriptions", "/v1/subscriptions", "createdDate,asc");
        let all: Vec<Subscription> =
            self.walk(list, path, sort, |subscription: &Subscription| &subscription.id, &mut pulled.pages).await?;
        counts::rows(asked, &all, self.clock.now().to_zoned(TimeZone::UTC).date())
    }

    async fn walk<T: DeserializeOwned>(
        &self,
        list: &str,
        path: &'static str,
        sort: &str,
        id: fn(&T) -> &str,
        pages: &mut u32,
    ) -> Result<Vec<T>, SourceError> {
        let mut walk = Walk::of(list);
        let (mut found, mut number) = (Vec::new(), 0_u64);
        loop {
            let asked = number.to_string();
            let page: Paged<T> = self.page(path, &[("page", asked.as_str()), ("size", PAGE), ("sort", sort)]).await?;
            *pages += 1;
            if page.page.number != number {
                return Err(SourceError::unreadable(VENDOR, "it is another page than the one that was asked for"));
            }
            let next = page.page.next().map(|next| next.to_string());
            let step = walk.page(page.content.iter().map(id), Some(page.page.total_elements), next)?;
            found.extend(page.content);
            match step {
                Step::Next(_) => number += 1,
                Step::End => return Ok(found),
            }
        }
    }

    async fn page<T: DeserializeOwned>(
        &self,
        path: &'static str,
        query: &[(&str, &str)],
    ) -> Result<Paged<T>, SourceError> {
        let with = |call: Call| query.iter().fold(call, |call, (name, value)| call.query(name, value));
        self.bearer.get(&self.api, path, with).await
    }
}
