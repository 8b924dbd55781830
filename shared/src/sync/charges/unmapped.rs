//! Metered charges that no mapping takes: products that are charged for nowhere, and companies that are mapped nowhere.
//!
//! What counts are to `sync::unmapped` and `sync::gaps`, charge records are here: which of them nothing bills, and what a run
//! of all lines notices of it. Only the running billing period and the last one are looked at, and nothing is asked of the
//! PSA. What the records that are mapped come to is `wanted`'s.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::clock::Clock;
use crate::domain::charge::BillingDay;
use crate::domain::finding::{Noticed, Subject};
use crate::domain::ids::{CompanyId, ProductKey};
use crate::domain::money::{Currency, Money};
use crate::domain::pricing::rounded;
use crate::domain::reason::{Code, Reason};
use crate::domain::units::Units;
use crate::store::StoreError;
use crate::store::charges::{ChargeFilter, StoredCharge};
use crate::store::connections::{Connection, Connections, Status};
use crate::store::mappings::{ChargeMapping, CompanyMapping, Everything, Mappings};
use crate::store::usage::UsageReader;
use crate::sync::Today;
use crate::sync::draft::page_of;
use crate::sync::gaps::{some, titled};
use crate::sync::unmapped::{Charged, Unmapped, Why};

/// The days whose records are looked at: from the first of the billing period before the one that is running on `today`.
pub(in crate::sync) fn recent(billing_day: BillingDay, today: Date) -> Option<(Date, Date)> {
    let running = billing_day.period_of(today)?;
    let last = billing_day.period_of(running.start.yesterday().ok()?)?;
    Some((last.start, today))
}

/// What a partner's other connections take.
#[derive(Default)]
struct Elsewhere {
    companies: BTreeSet<CompanyId>,
    products: BTreeSet<ProductKey>,
    /// What one of them charges: it maps both.
    charged: BTreeSet<(CompanyId, ProductKey)>,
}

/// Charges that no mapping takes, for whoever lists them and for the planner.
pub struct UnmappedCharges<'a> {
    /// Whose connections there are.
    pub connections: &'a Connections,
    /// What they have mapped.
    pub mappings: &'a Mappings,
    /// The records.
    pub usage: &'a UsageReader,
    /// Tells the time.
    pub clock: &'a dyn Clock,
}

impl UnmappedCharges<'_> {
    /// Of a connection with these mappings, by company and product: a query a calendar month that the two periods touch, and
    /// a few more where something is found. A record that can't be read is logged and left out.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn of(&self, connection: &Connection, mappings: &Everything) -> Result<Vec<Unmapped>, StoreError> {
        let today = Today::of(connection, self.clock).date;
        let Some((from, to)) = recent(connection.policy.billing_day, today) else { return Ok(Vec::new()) };
        let filter = ChargeFilter { company: None, product: None, from, to };
        let (records, unreadable) = self.usage.readable_charges(&connection.partner, &filter).await?;
        for row in unreadable {
            tracing::warn!(partner = %connection.partner, %row, "a charge record can't be read: whether it is billed is not looked at");
        }
        self.billed_nowhere(connection, mappings, loose(&records, (from, to), mappings)).await
    }

    /// Those of `loose` that no other connection of the partner takes, or will tell of.
    pub(in crate::sync) async fn billed_nowhere(
        &self,
        connection: &Connection,
        mappings: &Everything,
        mut loose: Vec<Unmapped>,
    ) -> Result<Vec<Unmapped>, StoreError> {
        if loose.is_empty() {
            return Ok(loose);
        }
        let elsewhere = self.elsewhere(connection).await?;
        let here: BTreeSet<&CompanyId> = mappings.companies.iter().map(|mapping| &mapping.company).collect();
        loose.retain(|found| {
            let charged_there = elsewhere.charged.contains(&(found.company.clone(), found.product.clone()));
            // The connection that has the company tells of it; of one that none has, the connection that charges the product.
            let told_there = elsewhere.companies.contains(&found.company)
                || (found.why == Why::ChargesNotMapped && elsewhere.products.contains(&found.product));
            !charged_there && (here.contains(&found.company) || !told_there)
        });
        Ok(loose)
    }

    async fn elsewhere(&self, connection: &Connection) -> Result<Elsewhere, StoreError> {
        let mut elsewhere = Elsewhere::default();
        for other in self.connections.all(&connection.partner).await? {
            if other.id != connection.id && other.status != Status::Revoked {
                let companies = self.mappings.companies_as_they_stand(&other.partner, &other.id).await?;
                let charges = self.mappings.charges_as_they_stand(&other.partner, &other.id).await?;
                for company in &companies {
                    let pair = |mapping: &ChargeMapping| (company.company.clone(), mapping.product.clone());
                    elsewhere.charged.extend(charges.iter().map(pair));
                }
                elsewhere.companies.extend(companies.into_iter().map(|mapping| mapping.company));
                elsewhere.products.extend(charges.into_iter().map(|mapping| mapping.product));
            }
        }
        Ok(elsewhere)
    }
}

/// What is known of the records of one company and product.
struct Pile<'a> {
    name: &'a str,
    as_of: Timestamp,
    why: Why,
    /// Exact. `None`: more than can be added up.
    sums: BTreeMap<&'a Currency, Option<Decimal>>,
}

/// Records of these days, both included, that no mapping of the connection takes, by company and product. What comes to
/// nothing is not told, nor what a mapping excludes or leaves out as too early.
pub(super) fn loose(records: &[StoredCharge], (from, to): (Date, Date), mappings: &Everything) -> Vec<Unmapped> {
    let charges: BTreeMap<&ProductKey, &ChargeMapping> =
        mappings.charges.iter().map(|mapping| (&mapping.product, mapping)).collect();
    let companies: BTreeMap<&CompanyId, &CompanyMapping> =
        mappings.companies.iter().map(|mapping| (&mapping.company, mapping)).collect();
    let mut piles: BTreeMap<(&CompanyId, &ProductKey), Pile<'_>> = BTreeMap::new();
    for StoredCharge { record, as_of, .. } in records {
        let begins = record.period.from();
        let why = match (charges.get(&record.product), companies.get(&record.company)) {
            (Some(_), Some(_)) => continue,
            (Some(mapping), None) if begins < mapping.from => continue,
            (Some(_), None) => Why::CompanyNotMapped,
            (None, Some(mapping)) if mapping.overrides.get(&record.product).is_some_and(|it| it.excluded) => continue,
            (None, _) => Why::ChargesNotMapped,
        };
        if !(from..=to).contains(&begins) {
            continue;
        }
        let pile = piles.entry((&record.company, &record.product)).or_insert_with(|| Pile {
            name: &record.company_name,
            as_of: *as_of,
            why,
            sums: BTreeMap::new(),
        });
        if *as_of > pile.as_of {
            (pile.name, pile.as_of) = (&record.company_name, *as_of);
        }
        let sum = pile.sums.entry(&record.currency).or_insert(Some(Decimal::ZERO));
        *sum = sum.and_then(|sum| sum.checked_add(record.worth.exact()?));
    }
    piles.into_iter().filter_map(|((company, product), pile)| pile.told(company, product)).collect()
}

impl Pile<'_> {
    fn told(self, company: &CompanyId, product: &ProductKey) -> Option<Unmapped> {
        let shown = |(currency, sum): (&Currency, Option<Decimal>)| {
            let amount = Money::new(rounded(sum?, currency.digits()));
            (!amount.get().is_zero()).then(|| Charged { currency: currency.clone(), amount })
        };
        let untold = self.sums.values().any(Option::is_none);
        let charges: Vec<Charged> = self.sums.into_iter().filter_map(shown).collect();
        (untold || !charges.is_empty()).then(|| Unmapped {
            company: company.clone(),
            company_name: Some(self.name.to_owned()).filter(|name| !name.is_empty()),
            product: product.clone(),
            quantity: Units::ZERO,
            as_of: self.as_of,
            why: self.why,
            account_id: None,
            charges: Some(charges),
        })
    }
}

/// What a run of all lines notices of them: each product that is charged for nowhere, and each company that is mapped nowhere
/// and not among `told`, of which its counts say so already.
pub(in crate::sync) fn notices(loose: &[Unmapped], told: &BTreeSet<CompanyId>) -> Vec<Noticed> {
    let mut products: BTreeMap<&ProductKey, Vec<&Unmapped>> = BTreeMap::new();
    let mut companies: BTreeMap<&CompanyId, Vec<&Unmapped>> = BTreeMap::new();
    for found in loose {
        match found.why {
            Why::ChargesNotMapped => products.entry(&found.product).or_default().push(found),
            _ if told.contains(&found.company) => {}
            _ => companies.entry(&found.company).or_default().push(found),
        }
    }
    let of_products = products.into_iter().map(|(product, found)| of_product(product, &found));
    of_products.chain(companies.into_iter().map(|(company, found)| of_company(company, &found))).collect()
}

/// What a person who resolves it has seen are the companies: amounts grow with every day. It is of no company, also where
/// there is one: a finding keeps the company that it had.
fn of_product(product: &ProductKey, found: &[&Unmapped]) -> Noticed {
    let companies = match found.first().filter(|_| found.len() == 1) {
        Some(only) => format!("\"{}\"", titled(&only.company, only.company_name.as_deref().unwrap_or_default())),
        None => format!("{} companies", found.len()),
    };
    let explanation = format!(
        "The charges of {product} for {companies} come to {} in the running billing period and the last one, and no \
         connection charges them.",
        sums(found)
    );
    Noticed {
        about: Some(page_of(found.iter().map(|found| found.company.as_str()))),
        product: Some(product.clone()),
        ..Noticed::of(Subject::Product(product.clone()), Reason::new(Code::ChargesNotMapped, explanation))
    }
}

fn of_company(company: &CompanyId, found: &[&Unmapped]) -> Noticed {
    let name = found.iter().find_map(|found| found.company_name.clone()).unwrap_or_default();
    let products = some(found.iter().map(|found| found.product.to_string()));
    let explanation = format!(
        "The charges of {products} for \"{}\" come to {} in the running billing period and the last one, and no account \
         is billed for them.",
        titled(company, &name),
        sums(found)
    );
    Noticed {
        about: Some(products),
        company: Some(company.clone()),
        company_name: name,
        product: found.first().filter(|_| found.len() == 1).map(|found| found.product.clone()),
        ..Noticed::of(Subject::Company(company.clone()), Reason::new(Code::CompanyNotMapped, explanation))
    }
}

/// What they come to, by currency.
fn sums(found: &[&Unmapped]) -> String {
    let mut sums: BTreeMap<&Currency, Option<Decimal>> = BTreeMap::new();
    for charged in found.iter().flat_map(|found| found.charges.iter().flatten()) {
        let sum = sums.entry(&charged.currency).or_insert(Some(Decimal::ZERO));
        *sum = sum.and_then(|sum| sum.checked_add(charged.amount.get()));
    }
    let told = |(currency, sum): (&Currency, Option<Decimal>)| {
        Some(Charged { currency: currency.clone(), amount: Money::new(sum?) }.to_string())
    };
    let told: Vec<String> = sums.into_iter().filter_map(told).collect();
    if told.is_empty() { "more than can be told".to_owned() } else { told.join(" and ") }
}
