//! What units come to in money: prices of a unit, and the monthly effect of a change.
//!
//! Prices are read to be shown beside a change; nothing here decides one. A price is for one unit in one billing period of
//! the contract. What is not known is absent and never zero, and amounts of different currencies are never added up.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::period::PeriodType;
use super::repricing::{Repricing, Step};
use super::units::{Delta, Units};

/// Digits after the point of an effect. What a PSA invoices in the end is rounded by itself.
const EFFECT_SCALE: u32 = 2;

/// An amount that may be negative: decimal text on the wire, `"-12.50"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Money(Decimal);

impl Money {
    /// An amount, without the zeros that it does not need.
    #[must_use]
    pub fn new(amount: Decimal) -> Self {
        Self(amount.normalize())
    }

    /// The amount as a decimal.
    #[must_use]
    pub fn get(self) -> Decimal {
        self.0
    }

    fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// `self` times `units`, spread over `months`. `None` where that is no amount.
    fn monthly(self, units: i64, months: i32) -> Option<Self> {
        let whole = self.0.checked_mul(Decimal::from(units))?.checked_div(Decimal::from(months))?;
        Some(Self(whole.round_dp_with_strategy(EFFECT_SCALE, RoundingStrategy::MidpointAwayFromZero)))
    }
}

impl fmt::Display for Money {
    /// With two digits after the point at least.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0;
        if shown.scale() < EFFECT_SCALE {
            shown.rescale(EFFECT_SCALE);
        }
        shown.fmt(f)
    }
}

impl TryFrom<String> for Money {
    type Error = rust_decimal::Error;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Decimal::from_str_exact(&text).map(Self::new)
    }
}

impl From<Money> for String {
    fn from(money: Money) -> Self {
        money.to_string()
    }
}

/// A currency by its ISO 4217 code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(String);

/// Why a text names no currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be three letters, such as EUR")]
pub struct InvalidCurrency;

/// Currencies whose smallest coin is the whole, and those that have thousandths, by ISO 4217.
const WHOLE: &[&str] = &[
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF",
    "XPF",
];
const THOUSANDTHS: &[&str] = &["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

impl Currency {
    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Digits after the point of an amount that is paid.
    #[must_use]
    pub fn digits(&self) -> u32 {
        match self.0.as_str() {
            code if WHOLE.contains(&code) => 0,
            code if THOUSANDTHS.contains(&code) => 3,
            _ => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Currency {
    type Err = InvalidCurrency;
    fn from_str(text: &str) -> Result<Self, InvalidCurrency> {
        let code = text.trim().to_ascii_uppercase();
        let is_code = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        if is_code { Ok(Self(code)) } else { Err(InvalidCurrency) }
    }
}

impl TryFrom<String> for Currency {
    type Error = InvalidCurrency;
    fn try_from(text: String) -> Result<Self, InvalidCurrency> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.0
    }
}

/// What a unit is sold and bought for in one billing period, as far as the PSA shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitPrices {
    /// The customer's price.
    pub price: Option<Money>,
    /// The partner's cost. A PSA may hide it from the API user.
    pub cost: Option<Money>,
    /// The currency of the price.
    pub currency: Option<Currency>,
    /// The currency of the cost, where it is known, or must be feared, to be another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_in: Option<Currency>,
}

impl UnitPrices {
    /// The cost, where it is in the currency of the price.
    #[must_use]
    pub fn cost_alike(&self) -> Option<Money> {
        self.cost.filter(|_| self.cost_in.is_none())
    }
}

/// What a line's change comes to in money. What the PSA does not show is null.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LineMoney {
    /// ISO 4217.
    #[schema(value_type = Option<String>, example = "EUR")]
    pub currency: Option<Currency>,
    /// What a unit is sold for in one billing period of the contract.
    #[schema(value_type = Option<String>, example = "12.50")]
    pub unit_price: Option<Money>,
    /// What a unit costs in one billing period of the contract.
    #[schema(value_type = Option<String>, example = "8.00")]
    pub unit_cost: Option<Money>,
    /// By how much the customer's invoices change, a month.
    #[schema(value_type = Option<String>, example = "-25.00")]
    pub monthly_price: Option<Money>,
    /// By how much the costs change, a month.
    #[schema(value_type = Option<String>, example = "-16.00")]
    pub monthly_cost: Option<Money>,
}

impl LineMoney {
    /// Of `difference` units more or less, sold by `every` period.
    #[must_use]
    pub fn of(prices: &UnitPrices, every: PeriodType, difference: Option<Delta>) -> Self {
        let monthly = |unit: Option<Money>| unit?.monthly(difference?.get(), every.months());
        Self {
            currency: prices.currency.clone(),
            unit_price: prices.price,
            unit_cost: prices.cost_alike(),
            monthly_price: monthly(prices.price),
            monthly_cost: monthly(prices.cost_alike()),
        }
    }
}

impl LineMoney {
    /// Of a line whose prices change, with its units or alone: what it comes to afterwards less what it came to before. The
    /// unit price and unit cost are the new ones.
    #[must_use]
    pub fn of_repriced(
        prices: &UnitPrices,
        repricing: &Repricing,
        every: PeriodType,
        (before, target): (Units, Units),
    ) -> Self {
        let difference = |step: Option<Step>, shown: Option<Money>| {
            let (was, is) = step.map_or((shown, shown), |step| (step.before, Some(step.target)));
            let was = was?.0.checked_mul(Decimal::from(before.get()))?;
            let is = is?.0.checked_mul(Decimal::from(target.get()))?;
            Money(is.checked_sub(was)?).monthly(1, every.months())
        };
        let unit = |step: Option<Step>, shown: Option<Money>| step.map(|step| step.target).or(shown);
        Self {
            currency: prices.currency.clone(),
            unit_price: unit(repricing.price, prices.price),
            unit_cost: unit(repricing.cost, prices.cost_alike()),
            monthly_price: difference(repricing.price, prices.price),
            monthly_cost: difference(repricing.cost, prices.cost_alike()),
        }
    }

    /// The prices alone.
    #[must_use]
    pub fn into_unit_prices(self) -> UnitPrices {
        UnitPrices { price: self.unit_price, cost: self.unit_cost, currency: self.currency, cost_in: None }
    }
}

/// Changes in one direction, a month.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Side {
    /// By how much customers' invoices change.
    #[schema(value_type = String, example = "145.00")]
    pub monthly_price: Money,
    /// By how much the costs change, of the lines whose cost is shown.
    #[schema(value_type = String, example = "96.00")]
    pub monthly_cost: Money,
    /// Lines that it is the sum of, those without a price included.
    pub lines: u32,
}

impl Side {
    /// A sum that no decimal can hold leaves the amount out.
    fn add(&mut self, other: Self) {
        self.monthly_price = self.monthly_price.plus(other.monthly_price).unwrap_or(self.monthly_price);
        self.monthly_cost = self.monthly_cost.plus(other.monthly_cost).unwrap_or(self.monthly_cost);
        self.lines = self.lines.saturating_add(other.lines);
    }
}

/// What changes come to in one currency, a month: rises and falls together, and each apart. Lines whose price is not known are counted and not added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sum {
    /// ISO 4217; null where the PSA does not say.
    #[schema(value_type = Option<String>, example = "EUR")]
    pub currency: Option<Currency>,
    /// By how much customers' invoices change.
    #[schema(value_type = String, example = "120.00")]
    pub monthly_price: Money,
    /// By how much the costs change, of the lines whose cost is shown.
    #[schema(value_type = String, example = "80.00")]
    pub monthly_cost: Money,
    /// Lines that it is the sum of.
    pub lines: u32,
    /// Lines among them whose price is not shown.
    pub lines_without_price: u32,
    /// Lines among them whose cost is not shown.
    pub lines_without_cost: u32,
    /// Of these the lines that rise.
    #[serde(default)]
    pub rises: Side,
    /// Of these the lines that fall: their amounts are negative.
    #[serde(default)]
    pub falls: Side,
}

/// What several lines of one currency come to together; `None` where they are of several, or where nothing is known.
#[must_use]
pub fn total(lines: impl IntoIterator<Item = LineMoney>) -> Option<LineMoney> {
    let lines: Vec<LineMoney> = lines.into_iter().collect();
    let first = lines.first()?;
    if let [only] = lines.as_slice() {
        return Some(only.clone());
    }
    let add = |of: fn(&LineMoney) -> Option<Money>| lines.iter().map(of).reduce(|sum, next| sum?.plus(next?)).flatten();
    let one_currency = lines.iter().all(|line| line.currency == first.currency);
    one_currency.then(|| LineMoney {
        currency: first.currency.clone(),
        unit_price: None,
        unit_cost: None,
        monthly_price: add(|line| line.monthly_price),
        monthly_cost: add(|line| line.monthly_cost),
    })
}

impl Sum {
    /// That of one change of `difference` units. One of prices alone rises or falls by what the customer pays, or else by what
    /// it costs.
    fn of(difference: Delta, money: LineMoney) -> Self {
        let amount = money.monthly_price.filter(|price| !price.0.is_zero()).or(money.monthly_cost).unwrap_or_default();
        let falls = if difference.get() == 0 { amount < Money::default() } else { difference.get() < 0 };
        let side = Side {
            monthly_price: money.monthly_price.unwrap_or_default(),
            monthly_cost: money.monthly_cost.unwrap_or_default(),
            lines: 1,
        };
        let (rises, falls) = if falls { (Side::default(), side.clone()) } else { (side.clone(), Side::default()) };
        Self {
            currency: money.currency,
            monthly_price: side.monthly_price,
            monthly_cost: side.monthly_cost,
            lines: 1,
            lines_without_price: u32::from(money.monthly_price.is_none()),
            lines_without_cost: u32::from(money.monthly_cost.is_none()),
            rises,
            falls,
        }
    }

    fn add(&mut self, other: Self) {
        self.lines = self.lines.saturating_add(other.lines);
        self.lines_without_price = self.lines_without_price.saturating_add(other.lines_without_price);
        self.lines_without_cost = self.lines_without_cost.saturating_add(other.lines_without_cost);
        // What no decimal can hold is left out, as of a line without a price.
        match self.monthly_price.plus(other.monthly_price) {
            Some(total) => self.monthly_price = total,
            None => self.lines_without_price = self.lines_without_price.saturating_add(other.lines),
        }
        match self.monthly_cost.plus(other.monthly_cost) {
            Some(total) => self.monthly_cost = total,
            None => self.lines_without_cost = self.lines_without_cost.saturating_add(other.lines),
        }
        self.rises.add(other.rises);
        self.falls.add(other.falls);
    }
}

/// Adds up changes by currency, each with the units that it is of.
#[must_use]
pub fn sums(changes: impl IntoIterator<Item = (Delta, LineMoney)>) -> Vec<Sum> {
    together(changes.into_iter().map(|(difference, money)| Sum::of(difference, money)))
}

/// Adds up sums by currency.
#[must_use]
pub fn together(sums: impl IntoIterator<Item = Sum>) -> Vec<Sum> {
    let mut by_currency: BTreeMap<Option<Currency>, Sum> = BTreeMap::new();
    for sum in sums {
        let of_currency = || Sum { currency: sum.currency.clone(), ..Sum::default() };
        by_currency.entry(sum.currency.clone()).or_insert_with(of_currency).add(sum);
    }
    by_currency.into_values().collect()
}

#[cfg(test)]
#[path = "money_test.rs"]
mod tests;
