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
        let (rises, falls) =
            if falls { (Side::default(), side.clone()) } else { (side.clone(), Side::default()) };
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
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        Money::try_from(text.to_owned()).unwrap()
    }

    fn prices(price: Option<&str>, cost: Option<&str>, currency: &str) -> UnitPrices {
        UnitPrices { price: price.map(money), cost: cost.map(money), currency: currency.parse().ok(), cost_in: None }
    }

    fn by(units: i64) -> Delta {
        let number = |number: i64| Units::try_from(number).unwrap();
        number((-units).max(0)).delta_to(number(units.max(0)))
    }

    fn change(prices: &UnitPrices, every: PeriodType, before: i64, target: i64) -> LineMoney {
        let units = |number: i64| Units::try_from(number).unwrap();
        LineMoney::of(prices, every, Some(units(before).delta_to(units(target))))
    }

    #[test]
    fn a_change_comes_to_its_units_times_the_price_a_month() {
        let prices = prices(Some("12.5"), Some("8"), "eur");
        let rise = change(&prices, PeriodType::Monthly, 40, 42);
        assert_eq!((rise.monthly_price, rise.monthly_cost), (Some(money("25.00")), Some(money("16"))));
        let fall = change(&prices, PeriodType::Quarterly, 42, 40);
        assert_eq!(fall.monthly_price.unwrap().to_string(), "-8.33");
        let yearly = change(&prices, PeriodType::Yearly, 0, 1);
        assert_eq!(serde_json::to_value(&yearly).unwrap()["monthly_price"], "1.04");
        assert_eq!(serde_json::to_value(&yearly).unwrap()["currency"], "EUR");
    }

    #[test]
    fn a_change_of_prices_is_worth_what_the_line_comes_to_after_it_less_what_it_came_to_before() {
        let step = |before: &str, target: &str| Some(Step { before: Some(money(before)), target: money(target) });
        let shown = prices(Some("12.50"), Some("8"), "EUR");
        let both = Repricing { cost: step("8", "9"), price: step("12.50", "11.25") };
        let units = |before: i64, target: i64| (before.try_into().unwrap(), target.try_into().unwrap());
        let alone = LineMoney::of_repriced(&shown, &both, PeriodType::Monthly, units(40, 40));
        assert_eq!((alone.monthly_price, alone.monthly_cost), (Some(money("-50")), Some(money("40"))));
        assert_eq!((alone.unit_price, alone.unit_cost), (Some(money("11.25")), Some(money("9"))));
        let cost_alone = Repricing { price: None, ..both };
        let with_units = LineMoney::of_repriced(&shown, &cost_alone, PeriodType::Yearly, units(10, 12));
        assert_eq!((with_units.monthly_price, with_units.monthly_cost), (Some(money("2.08")), Some(money("2.33"))));
        let unknown = Repricing { cost: Some(Step { before: None, target: money("9") }), price: None };
        let told = LineMoney::of_repriced(&shown, &unknown, PeriodType::Monthly, units(40, 40));
        assert_eq!((told.monthly_cost, told.unit_cost), (None, Some(money("9"))));
    }

    #[test]
    fn half_a_cent_is_rounded_away_from_zero_and_less_is_not() {
        for (price, units, told) in
            [("0.125", 1, "0.13"), ("0.135", 1, "0.14"), ("0.126", 1, "0.13"), ("0.124", 1, "0.12")]
        {
            let prices = prices(Some(price), Some(price), "EUR");
            let (rise, fall) =
                (change(&prices, PeriodType::Monthly, 0, units), change(&prices, PeriodType::Monthly, units, 0));
            assert_eq!(rise.monthly_price.unwrap().to_string(), told, "{price}");
            assert_eq!(fall.monthly_cost.unwrap().to_string(), format!("-{told}"), "{price}");
        }
    }

    #[test]
    fn a_total_is_of_one_currency_and_of_what_is_known_of_every_line() {
        let of = |price, cost, currency| change(&prices(price, cost, currency), PeriodType::Monthly, 0, 2);
        let (edr, m365) = (of(Some("1.50"), Some("1"), "EUR"), of(Some("2"), None, "EUR"));
        let both = total([edr.clone(), m365.clone()]).unwrap();
        assert_eq!((both.monthly_price, both.unit_price), (Some(money("7")), None));
        assert_eq!(both.monthly_cost, None, "a cost that is hidden is not nothing");
        assert_eq!(total([edr.clone(), edr.clone()]).unwrap().monthly_cost, Some(money("4")));
        assert_eq!(total([edr.clone(), of(Some("2"), None, "CHF")]), None);
        assert_eq!(total([m365.clone()]), Some(m365));
        assert_eq!(total([]), None);
    }

    #[test]
    fn what_the_psa_does_not_show_is_null_and_not_zero() {
        let blind = change(&prices(Some("12.50"), None, ""), PeriodType::Monthly, 1, 2);
        let shown = serde_json::to_value(&blind).unwrap();
        assert_eq!((&shown["unit_price"], &shown["unit_cost"]), (&"12.50".into(), &serde_json::Value::Null));
        assert_eq!((&shown["monthly_cost"], &shown["currency"]), (&serde_json::Value::Null, &serde_json::Value::Null));
        let unknown = LineMoney::of(&prices(Some("1"), None, "EUR"), PeriodType::Monthly, None);
        assert_eq!(unknown.monthly_price, None);
    }

    #[test]
    fn sums_keep_currencies_apart_and_count_what_they_lack() {
        let euro = |price| (by(3), change(&prices(price, None, "EUR"), PeriodType::Monthly, 0, 3));
        let dollar = (by(-5), change(&prices(Some("2"), Some("1"), "USD"), PeriodType::Monthly, 5, 0));
        let lines = [euro(Some("1.10")), euro(Some("2")), euro(None), dollar];
        let mut sums = sums(lines);
        for sum in &mut sums {
            (sum.rises, sum.falls) = Default::default();
        }
        let empty = r#"{"monthly_price":"0.00","monthly_cost":"0.00","lines":0}"#;
        let apart = format!(r#","rises":{empty},"falls":{empty}}}"#);
        let told: Vec<String> = sums.iter().map(|sum| serde_json::to_string(sum).unwrap()).collect();
        assert_eq!(
            told,
            [
                r#"{"currency":"EUR","monthly_price":"9.30","monthly_cost":"0.00","lines":3,"lines_without_price":1,"lines_without_cost":3"#,
                r#"{"currency":"USD","monthly_price":"-10.00","monthly_cost":"-5.00","lines":1,"lines_without_price":0,"lines_without_cost":0"#,
            ]
            .map(|sum| format!("{sum}{apart}"))
        );
    }

    #[test]
    fn rises_and_falls_are_told_apart_and_together_however_they_were_added_up() {
        let prices = prices(Some("5"), Some("3"), "EUR");
        let of = |before, target| (by(target - before), change(&prices, PeriodType::Monthly, before, target));
        let changes = [of(10, 14), of(9, 2), of(0, 1)];
        let told = |sums: &[Sum]| {
            let [sum] = sums else { panic!("{sums:?}") };
            let side = |side: &Side| format!("{} of {}", side.monthly_price, side.lines);
            assert_eq!(sum.lines, 3);
            [sum.monthly_price.to_string(), side(&sum.rises), side(&sum.falls)]
        };
        let expected = ["-10.00", "25.00 of 2", "-35.00 of 1"].map(str::to_owned);
        assert_eq!(told(&sums(changes.clone())), expected);
        let one_by_one = changes.into_iter().flat_map(|change| sums([change]));
        assert_eq!(told(&together(one_by_one)), expected);
        // A change of prices alone rises or falls by what it comes to.
        let priced = |price: &str, cost: &str| {
            let amounts = LineMoney { monthly_price: Some(money(price)), monthly_cost: Some(money(cost)), ..of(1, 1).1 };
            let sum = &sums([(by(0), amounts)])[0];
            (sum.rises.lines, sum.falls.lines)
        };
        assert_eq!([priced("5", "-1"), priced("-5", "1"), priced("0", "-1"), priced("0", "1")], [(1, 0), (0, 1), (0, 1), (1, 0)]);
        // A free unit still rises or falls.
        let free = LineMoney { monthly_price: None, ..of(3, 1).1 };
        assert_eq!(sums([(by(-2), free)])[0].falls.lines, 1);
    }

    #[test]
    fn an_amount_keeps_the_digits_that_it_needs() {
        for (given, shown) in [("12.5", "12.50"), ("-0.125", "-0.125"), ("1000", "1000.00"), ("3.4000", "3.40")] {
            assert_eq!(money(given).to_string(), shown);
        }
        for bad in ["", "12,50", "1e3", "EUR 1"] {
            assert!(Money::try_from(bad.to_owned()).is_err(), "{bad}");
        }
        assert!("EURO".parse::<Currency>().is_err() && "E1R".parse::<Currency>().is_err());
    }
}
