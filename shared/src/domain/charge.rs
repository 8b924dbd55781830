//! Metered charges: from what a vendor charged to what stands in the PSA.
//!
//! Records of one meter in one billing period are one [`Item`]: their exact totals are added up and rounded once, half to even,
//! to the currency's digits; the price is the markup on the exact total, rounded likewise. Charges are made of items' rounded
//! amounts only, each by itself or all in one bundle: the bundle is the sum of the others by construction. Which charges are
//! written, and what becomes of one that stands there, is not decided here.

mod before;
mod billing;
mod decide;
mod decimals;
mod meaning;
mod record;
mod reference;
mod result;
mod standing;
mod sums;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rust_decimal::Decimal;

pub use super::reference::{NotOurs, Reference};
pub use before::{ChargeBefore, PieceBefore};
pub use billing::{BillingDay, InvalidBillingDay};
pub use decide::{Act, ChargeApproval, ChargeDecision, Facing, Planned, not_taken};
pub use decimals::{InvalidDecimal, MAX_TOTAL, Quantity, Total, UnitPrice};
pub use meaning::ChargeMeaning;
pub use record::{ChargeRecord, InvalidUsagePeriod, RecordKey, UsagePeriod, Worth};
pub use reference::{ChargeKey, ChargePlace};
pub use result::{ChargeAmounts, ChargeResult};
pub use standing::{
    Amounts, ChargeHistory, ChargeLine, MOST_PIECES, MOST_RECORDS, NoChargeLine, Piece, Records, Shown, Terms, named,
};

pub use sums::{ChargeSum, changes, together};

use super::ids::{Meter, ProductKey};
use super::money::{Currency, Money};
use super::period::Period;
use super::pricing::{Markup, rounded};

/// The longest list of items that a bundle describes, in characters.
const MAX_LIST: usize = 1_000;

/// Why records make no charge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unchargeable {
    /// Amounts of several currencies are never added up.
    #[error("The charges of {what} are in {}: they are not added up.", listed(currencies))]
    SeveralCurrencies {
        /// The product and meter, or the bundle's name.
        what: String,
        /// In the order of their codes.
        currencies: BTreeSet<Currency>,
    },
    /// It is more than any amount believed, or its price has too many digits to be worked out exactly.
    #[error("The charges of {what} come to more than is believed, or to more digits than can be worked out exactly.")]
    TooLarge {
        /// The product and meter, or the bundle's name.
        what: String,
    },
}

fn listed(currencies: &BTreeSet<Currency>) -> String {
    currencies.iter().map(Currency::as_str).collect::<Vec<_>>().join(" and ")
}

/// What one meter comes to in one billing period, with its cost and its price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The product.
    pub product: ProductKey,
    /// What is charged for.
    pub meter: Meter,
    /// That in words, by the record of the latest days.
    pub description: String,
    /// How much was used, where every record says it.
    pub quantity: Option<Decimal>,
    /// Of cost and price.
    pub currency: Currency,
    /// The records' exact totals added up, not rounded.
    pub exact: Decimal,
    /// What it costs the partner: `exact`, rounded once.
    pub cost: Money,
    /// What the customer pays: the markup on `exact`, rounded once.
    pub price: Money,
    /// The records, in order.
    pub of: Vec<RecordKey>,
}

/// The items of `records`, which are of one account and one billing period, by product and meter. No markup: the price is the
/// cost.
///
/// # Errors
/// A meter is charged in several currencies, or comes to more than is believed.
pub fn items(records: &[ChargeRecord], markup: Option<Markup>) -> Result<Vec<Item>, Unchargeable> {
    let mut meters: BTreeMap<(&ProductKey, &Meter), Vec<&ChargeRecord>> = BTreeMap::new();
    for record in records {
        meters.entry((&record.product, &record.meter)).or_default().push(record);
    }
    meters.into_values().filter_map(|of| Item::of(of, markup).transpose()).collect()
}

/// A charge for each item.
#[must_use]
pub fn itemised(items: &[Item], billing: Period) -> Vec<Charge> {
    items.iter().map(|item| item.charge(billing)).collect()
}

/// One charge for all items, in `product`'s name and called `name`; `None` where there is no item. Its cost and price are the
/// sums of what the items' own charges would be.
///
/// # Errors
/// The items are of several currencies, or come to more than is believed.
pub fn bundled(
    items: &[Item],
    product: &ProductKey,
    name: &str,
    billing: Period,
) -> Result<Option<Charge>, Unchargeable> {
    let currencies = items.iter().map(|item| &item.currency);
    let Some(currency) = only(currencies, || name.to_owned())? else { return Ok(None) };
    let sum = |amount: fn(&Item) -> Money| {
        let sum = items.iter().try_fold(Decimal::ZERO, |sum, item| sum.checked_add(amount(item).get()));
        sum.map(Money::new).ok_or_else(|| Unchargeable::TooLarge { what: name.to_owned() })
    };
    Ok(Some(Charge {
        key: ChargeKey { product: product.clone(), meter: None, period_start: billing.start },
        name: name.to_owned(),
        description: format!("{}. {}", names(items), days(billing)),
        date: billing.end,
        cost: sum(|item| item.cost)?,
        price: sum(|item| item.price)?,
        currency,
        of: items.iter().flat_map(|item| item.of.clone()).collect(),
    }))
}

/// What is to stand in the PSA. Its quantity is always one, so that quantity times unit price is exactly its amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// What it is of: with its place it makes its reference.
    pub key: ChargeKey,
    /// A line for the invoice. A PSA may take fewer characters.
    pub name: String,
    /// More of it, for whoever reads the invoice: it never says a cost.
    pub description: String,
    /// The day it stands at: the last of its billing period, also where a record's days go on after it.
    pub date: Date,
    /// What it costs the partner.
    pub cost: Money,
    /// What the customer pays.
    pub price: Money,
    /// Of cost and price.
    pub currency: Currency,
    /// The records that it is made of.
    pub of: Vec<RecordKey>,
}

impl Charge {
    /// How many of it: one, whatever was used.
    pub const QUANTITY: u32 = 1;

    /// Cost and price.
    #[must_use]
    pub fn amounts(&self) -> Amounts {
        Amounts { cost: self.cost, price: self.price }
    }

    /// Whether there is nothing to charge: it is not made. One that stands in the PSA already goes down to this.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.cost.get().is_zero() && self.price.get().is_zero()
    }
}

impl Item {
    /// Of the records of one meter; `None` without any.
    fn of(mut records: Vec<&ChargeRecord>, markup: Option<Markup>) -> Result<Option<Self>, Unchargeable> {
        records.sort_by_cached_key(|record| record.key());
        let Some(newest) = records.iter().max_by_key(|record| (record.period.to(), record.period.from())) else {
            return Ok(None);
        };
        let what = || format!("{} ({})", newest.product, newest.meter);
        let too_large = || Unchargeable::TooLarge { what: what() };
        let Some(currency) = only(records.iter().map(|record| &record.currency), what)? else { return Ok(None) };
        let exact = total(&records).ok_or_else(too_large)?;
        let digits = currency.digits();
        let cost = rounded(exact, digits);
        let price = match markup {
            Some(markup) => markup.on(exact, digits).ok_or_else(too_large)?,
            None => cost,
        };
        Ok(Some(Self {
            product: newest.product.clone(),
            meter: newest.meter.clone(),
            description: newest.description.clone(),
            quantity: quantity(&records),
            currency,
            exact,
            cost: Money::new(cost),
            price: Money::new(price),
            of: records.iter().map(|record| record.key()).collect(),
        }))
    }

    fn charge(&self, billing: Period) -> Charge {
        let used = self.quantity.map(|quantity| format!("{quantity}, ")).unwrap_or_default();
        Charge {
            key: ChargeKey {
                product: self.product.clone(),
                meter: Some(self.meter.clone()),
                period_start: billing.start,
            },
            name: self.description.clone(),
            description: format!("{}: {used}{}", self.meter, days(billing)),
            date: billing.end,
            cost: self.cost,
            price: self.price,
            currency: self.currency.clone(),
            of: self.of.clone(),
        }
    }
}

/// The exact totals added up. Each has at most twelve digits after the point and twelve before it, so that no sum on the way to
/// one that is believed loses any.
fn total(records: &[&ChargeRecord]) -> Option<Decimal> {
    let sum = records.iter().try_fold(Decimal::ZERO, |sum, record| {
        let sum = sum.checked_add(record.worth.exact()?)?;
        (sum.abs() <= Decimal::from(1_000 * MAX_TOTAL)).then_some(sum)
    });
    sum.and_then(decimals::believed)
}

fn quantity(records: &[&ChargeRecord]) -> Option<Decimal> {
    let sum = records.iter().try_fold(Decimal::ZERO, |sum, record| match record.worth {
        Worth::QuantityTimes { quantity, .. } => sum.checked_add(quantity.get()),
        Worth::Amount(_) => None,
    });
    sum.map(|sum| sum.normalize())
}

/// The one currency of `all`; `None` where there is none at all.
fn only<'a>(
    all: impl Iterator<Item = &'a Currency>,
    what: impl Fn() -> String,
) -> Result<Option<Currency>, Unchargeable> {
    let mut currencies: BTreeSet<Currency> = all.cloned().collect();
    if currencies.len() > 1 {
        return Err(Unchargeable::SeveralCurrencies { what: what(), currencies });
    }
    Ok(currencies.pop_first())
}

fn days(billing: Period) -> String {
    format!("{} to {}", billing.start, billing.end)
}

/// What is in a bundle: as many names as there is room for.
fn names(items: &[Item]) -> String {
    let mut list = String::new();
    for (index, item) in items.iter().enumerate() {
        if list.chars().count() + item.description.chars().count() > MAX_LIST {
            return format!("{list} and {} more", items.len() - index);
        }
        let comma = if index == 0 { "" } else { ", " };
        list = format!("{list}{comma}{}", item.description);
    }
    list
}

#[cfg(test)]
#[path = "charge_test.rs"]
mod tests;
