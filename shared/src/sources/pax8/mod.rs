//! Pax8: subscriptions of a partner's companies, bought in its marketplace. What is known of its API, and what is not
//! confirmed, is in the README beside this.

mod counts;
mod credentials;
mod wire;

#[cfg(test)]
mod source_test;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use url::Url;

use super::oauth::{Bearer, Grant};
use super::registry::{Offered, Places};
use super::{Api, Customer, Filter, Limit, Metric, Pace, Pulled, Seen, Source, SourceError, Step, Walk, Wanted};
use crate::clock::Clock;
use crate::http::{AllowList, Call, CheckedHost, Client};
use crate::pause::Pause;
use credentials::Pax8Credentials;
use wire::{Company, Listed, Paged, Subscription};

/// What it is called, for people.
const VENDOR: &str = "Pax8";
/// Its one host.
const HOST: &str = "api.pax8.com";
/// No number is published, so that a slow one was chosen: a pull is some dozen requests.
const LIMIT: Limit = Limit { requests: 60, within: SignedDuration::from_mins(1) };
/// The most rows of a page; where nobody asks, a page has ten.
const PAGE: &str = "200";

/// Opens sources. Cheap to clone.
#[derive(Clone)]
pub struct Pax8 {
    http: Client,
    host: CheckedHost,
    clock: Arc<dyn Clock>,
    pause: Arc<dyn Pause>,
}

impl Offered for Pax8 {
    type Credentials = Pax8Credentials;
    const METRICS: &'static [&'static str] = &["quantity:{product}"];
    const FILTERS: &'static [Filter] = &[Filter::Trials];
    const OVERLAPS: &'static [(&'static str, &'static str)] = &[];

    fn from_places(places: &Places, base: Option<&Url>) -> Result<Self, SourceError> {
        let http = super::api::client(AllowList::new([HOST])?, base)?;
        let host = http.check(HOST)?;
        Ok(Self { http, host, clock: places.clock.clone(), pause: places.pause.clone() })
    }

    fn opened(&self, credentials: &Pax8Credentials) -> Result<Arc<dyn Source>, SourceError> {
        let pace = Pace::new(LIMIT, self.clock.clone(), self.pause.clone());
        let api = Api::new(VENDOR, self.http.clone(), self.host.clone(), pace);
        let Pax8Credentials { client_id, client_secret } = credentials.clone();
        let grant = Grant { client_id, client_secret, refresh_token: None };
        // As JSON, and not as the form that the standard has.
        let bearer = Bearer::new(api.clone(), "/v1/token", self.clock.clone(), move |call| {
            let fields: BTreeMap<&str, &str> = grant.fields(("audience", "https://api.pax8.com")).into_iter().collect();
            call.json(&fields)
        });
        Ok(Arc::new(Pax8Source { api, bearer, clock: self.clock.clone() }))
    }
}

/// One partner's companies.
struct Pax8Source {
    api: Api,
    bearer: Bearer,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl Source for Pax8Source {
    /// By both of the lists that a pull reads.
    async fn test(&self) -> Result<Seen, SourceError> {
        let one = [("page", "0"), ("size", "1")];
        self.page::<Subscription>(&one).await?;
        let companies = self.page::<Company>(&one).await?;
        Ok(Seen { customers: Some(companies.page.total_elements) })
    }

    /// Never: all subscriptions are one list.
    fn asks_each(&self, _: &BTreeSet<Metric>) -> bool {
        false
    }

    async fn pull(&self, wanted: &Wanted) -> Pulled {
        let mut pulled = Pulled::default();
        let stopped = self.read(wanted, &mut pulled).await.err();
        Pulled { stopped, ..pulled }
    }
}

impl Pax8Source {
    /// Every company, and then all subscriptions: a sum over some of them would be nobody's count.
    async fn read(&self, wanted: &Wanted, pulled: &mut Pulled) -> Result<(), SourceError> {
        let companies: Vec<Company> = self.walk(&mut pulled.pages).await?;
        pulled.total = u64::try_from(companies.len()).ok();
        let left = companies.into_iter().filter(|company| !company.is_deleted());
        pulled.customers.extend(left.map(|company| Customer {
            company: company.id,
            name: company.name,
            account: None,
        }));
        let asked = counts::asked(&wanted.metrics);
        if asked.is_empty() {
            return Ok(());
        }
        let all: Vec<Subscription> = self.walk(&mut pulled.pages).await?;
        let today = self.clock.now().to_zoned(TimeZone::UTC).date();
        counts::count(&asked, &all, &wanted.filters, today, pulled)
    }

    async fn walk<T: Listed + DeserializeOwned>(&self, pages: &mut u32) -> Result<Vec<T>, SourceError> {
        let mut walk = Walk::of(T::LIST);
        let (mut found, mut number) = (Vec::new(), 0_u64);
        loop {
            let asked = number.to_string();
            let page: Paged<T> = self.page(&[("page", asked.as_str()), ("size", PAGE), ("sort", T::SORT)]).await?;
            *pages += 1;
            if page.page.number != number {
                return Err(SourceError::unreadable(VENDOR, "it is another page than the one that was asked for"));
            }
            let next = page.page.next().map(|next| next.to_string());
            let step = walk.page(page.content.iter().map(Listed::id), Some(page.page.total_elements), next)?;
            found.extend(page.content);
            match step {
                Step::Next(_) => number += 1,
                Step::End => return Ok(found),
            }
        }
    }

    async fn page<T: Listed + DeserializeOwned>(&self, query: &[(&str, &str)]) -> Result<Paged<T>, SourceError> {
        let with = |call: Call| query.iter().fold(call, |call, (name, value)| call.query(name, value));
        self.bearer.get(&self.api, T::PATH, with).await
    }
}
