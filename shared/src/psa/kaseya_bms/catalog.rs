//! The catalogue for people who map: accounts and services. Contracts are `contracts`', their lines `service_lines`'.
//!
//! What is active is sorted out here and not by a filter, whose values are not known for services; so a page may hold fewer
//! rows than it was asked for, or none, and still have a next one.

use std::collections::BTreeSet;

use super::client::Client;
use super::fields::{Row, id};
use super::pages::{self, Listing};
use super::template::Template;
use crate::domain::ids::ServiceId;
use crate::domain::money::{Money, UnitPrices};
use crate::psa::{Account, CatalogPage, CatalogQuery, PsaError, Service};

/// Active accounts of every type: which types are customers is the tenant's own choice.
pub(super) async fn accounts(client: &Client, asked: &CatalogQuery) -> Result<CatalogPage<Account>, PsaError> {
    let listing = Listing::of(Template::AccountsSummary).only("Filter.IsActive", true);
    let page = list(client, &listing, ("Filter.AccountName", "accountname"), asked).await?;
    page.map(|row| {
        Ok(Account {
            id: id(row.id(Template::AccountsSummary)?, Template::AccountsSummary)?,
            name: row.text("accountname").unwrap_or_default(),
            number: row.text("accountcode"),
            active: true,
        })
    })
}

/// Active services.
pub(super) async fn services(client: &Client, asked: &CatalogQuery) -> Result<CatalogPage<Service>, PsaError> {
    let listing = Listing::of(Template::ServicesSearch);
    let page = list(client, &listing, ("Filter.Name", "name"), asked).await?;
    page.map(|row| service(&row))
}

/// The services named, active or not: one request for each 100 services of the catalogue.
pub(super) async fn services_by_id(client: &Client, ids: &BTreeSet<ServiceId>) -> Result<Vec<Service>, PsaError> {
    if ids.is_empty() {
        return Ok(vec![]);
    }
    let all = Listing::of(Template::ServicesSearch).walk(client).await?;
    let services: Vec<Service> = all.values().map(service).collect::<Result<_, _>>()?;
    Ok(services.into_iter().filter(|service| ids.contains(&service.id)).collect())
}

fn service(row: &Row) -> Result<Service, PsaError> {
    let money = |name| row.decimal(name).map(Money::new);
    Ok(Service {
        id: id(row.id(Template::ServicesSearch)?, Template::ServicesSearch)?,
        name: row.text("name").unwrap_or_default(),
        active: row.flag("isactive") != Some(false),
        prices: UnitPrices { price: money("unitprice"), cost: money("unitcost"), currency: None, cost_in: None },
        billed: None,
    })
}

/// Rows that say that they are active. A row that says nothing of it is taken for active: the word is in every row of the
/// specification, and a service or account that is not active does no harm in a list.
async fn list(
    client: &Client,
    listing: &Listing,
    (filter, name): (&'static str, &str),
    asked: &CatalogQuery,
) -> Result<CatalogPage<Row>, PsaError> {
    let mut page = match pages::searched(asked) {
        Some(text) => pages::cut(listing.search(client, filter, name, text).await?, asked)?,
        None => listing.page_for(client, asked).await?,
    };
    page.items.retain(|row| row.flag("isactive") != Some(false));
    Ok(page)
}

impl<T> CatalogPage<T> {
    /// Converts each row.
    pub(super) fn map<U>(self, convert: impl Fn(T) -> Result<U, PsaError>) -> Result<CatalogPage<U>, PsaError> {
        let items = self.items.into_iter().map(convert).collect::<Result<_, _>>()?;
        Ok(CatalogPage { items, next: self.next })
    }
}
