//! Lines, which V2 shows from the side of the service alone and without their units.
//!
//! `POST …/services/{serviceId}/relatedservices/search` is the one place that names line, contract and account together. The
//! lines of one contract therefore take a request for each service of the catalogue.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::client::{Ask, Client};
use super::contracts::look_up;
use super::errors;
use super::fields::{Row, id};
use super::pages::{self, Listing};
use super::template::Template;
use crate::domain::ids::{AccountId, ContractId, ContractServiceId, ServiceId};
use crate::domain::money::{Money, UnitPrices};
use crate::psa::{CatalogPage, CatalogQuery, ContractLine, PsaError};

/// Services that one page of a contract's lines asks about.
const SERVICES_A_PAGE: usize = 25;

/// A service on a contract, as BMS shows it: without units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceLine {
    /// The line's id. One contract may have several lines of one service.
    pub line: ContractServiceId,
    /// The catalogue service.
    pub service: ServiceId,
    /// The contract.
    pub contract: ContractId,
    /// The account that the contract bills.
    pub account: AccountId,
    /// What the service is called there.
    pub name: Option<String>,
    /// What the contract is called.
    pub contract_name: Option<String>,
    /// The contract's first day.
    pub contract_start: Option<Date>,
    /// The contract's last day.
    pub contract_end: Option<Date>,
    /// The one date that BMS shows of a line.
    pub effective: Option<Date>,
    /// What a unit costs the partner, in the tenant's currency.
    pub unit_cost: Option<Decimal>,
    /// What a unit costs the customer.
    pub unit_price: Option<Decimal>,
    /// Bulk updates are said to pass it over.
    pub excluded: bool,
}

impl ServiceLine {
    /// What a unit is sold and bought for. BMS does not name a currency with it.
    pub(super) fn prices(&self) -> UnitPrices {
        UnitPrices {
            price: self.unit_price.map(Money::new),
            cost: self.unit_cost.map(Money::new),
            currency: None,
            cost_in: None,
        }
    }

    /// Its id as a number: later lines have higher ones.
    pub(super) fn number(&self) -> i64 {
        self.line.as_str().parse().unwrap_or_default()
    }
}

/// All lines of a service, by their numbers: one request for each 100 of them.
pub(super) async fn lines_of_service(client: &Client, service: &ServiceId) -> Result<Vec<ServiceLine>, PsaError> {
    let Ok(number) = service.as_str().parse() else { return Ok(vec![]) };
    Ok(lines_among(number, Listing::about(Template::RelatedServices, number).walk(client).await?))
}

/// The lines of a service on contracts of this name. Whether BMS knows the name as it is spelt here is not known: an answer
/// that lacks a line says nothing of it.
pub(super) async fn lines_on(
    client: &Client,
    service: &ServiceId,
    contract: &str,
) -> Result<Vec<ServiceLine>, PsaError> {
    let Ok(number) = service.as_str().parse() else { return Ok(vec![]) };
    let listing = Listing::about(Template::RelatedServices, number).only("Filter.ContractName", contract);
    Ok(lines_among(number, listing.walk(client).await?))
}

/// One odd row must not hide all others. The line that it is of lacks it then, and nothing is written where that shows.
fn lines_among(service: i64, rows: BTreeMap<i64, Row>) -> Vec<ServiceLine> {
    let read = |(id, row): (i64, Row)| {
        line(service, &row)
            .inspect_err(|error| tracing::warn!(id, service, %error, "a row of a service can't be read"))
            .ok()
    };
    rows.into_iter().filter_map(read).collect()
}

/// The lines of one contract, a few services at a time. A page costs one request for each service it looks at, up to 25, one
/// for the contract's name, and one for each 100 services of the catalogue; it may hold no line and still have a next one.
pub(super) async fn lines(client: &Client, asked: &CatalogQuery) -> Result<CatalogPage<ContractLine>, PsaError> {
    let contract = asked.contract.as_ref().ok_or_else(errors::no_contract)?;
    let nothing = CatalogPage { items: vec![], next: None };
    let Ok(number) = contract.as_str().parse::<i64>() else { return Ok(nothing) };
    let rows = look_up(client, &Ask::of(Template::ContractsLookup).query("Ids", number)).await?;
    let Some(row) = rows.iter().find(|row| row.whole("id") == Some(number)) else { return Ok(nothing) };
    let name = row.text("name");
    let services: BTreeMap<i64, i64> =
        Listing::of(Template::ServicesSearch).walk(client).await?.into_keys().map(|id| (id, id)).collect();
    let few = u16::try_from(SERVICES_A_PAGE).unwrap_or(u16::MAX).min(asked.limit);
    let page = pages::cut(services, &CatalogQuery { limit: few, ..asked.clone() })?;
    let mut items = vec![];
    for service in page.items {
        let all = Listing::about(Template::RelatedServices, service);
        // Fewer rows to read. Were the name shown otherwise here, people would miss lines in a list, and no sync would.
        let listing = name.iter().fold(all, |all, name| all.only("Filter.ContractName", name.as_str()));
        for row in listing.walk(client).await?.values() {
            let line = line(service, row)?;
            if line.contract == *contract {
                items.push(ContractLine {
                    contract: line.contract,
                    service: line.service,
                    contract_service: line.line,
                });
            }
        }
    }
    Ok(CatalogPage { items, next: page.next })
}

fn line(service: i64, row: &Row) -> Result<ServiceLine, PsaError> {
    let template = Template::RelatedServices;
    if row.whole("serviceid").is_some_and(|named| named != service) {
        return Err(errors::unreadable(template, "came with lines of another service"));
    }
    Ok(ServiceLine {
        line: row.reference("id", template)?,
        service: id(service, template)?,
        contract: row.reference("contractid", template)?,
        account: row.reference("accountid", template)?,
        name: row.text("servicename"),
        contract_name: row.text("contractname"),
        contract_start: row.day("contractstartdate"),
        contract_end: row.day("contractenddate"),
        effective: row.day("effectivedate"),
        unit_cost: row.decimal("unitcost"),
        unit_price: row.decimal("unitprice"),
        excluded: row.flag("excludefromcontractbulkupdates").unwrap_or(false),
    })
}
