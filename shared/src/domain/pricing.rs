//! From what a unit costs to what a line should carry: its unit cost and its unit price, with the sentence that explains both.
//!
//! Everything is exact decimals. A unit price is computed from the whole cost and rounded once, at the end: half to even, to the
//! digits of the currency or to those that the mapping names. Nothing here decides whether a price is written: that is the plan.

use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

use super::ids::{CompanyId, ProductKey};
use super::money::{Currency, Money};
use super::reason::{Code, Reason};

/// Digits after the point that a PSA keeps of a unit cost: Autotask shows four.
const COST_DIGITS: u32 = 4;

/// Digits after the point that a markup may carry.
const MARKUP_DIGITS: u32 = 4;

/// What is added to a unit cost, in percent: `"25"`, `"12.5"`, `"-10"`. From -100 to 10000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Markup(Decimal);

/// Why a text is no markup.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a percentage as decimal text such as \"25\" or \"-12.5\": from -100 to 10000, at most 4 digits after the point"
)]
pub struct InvalidMarkup;

impl FromStr for Markup {
    type Err = InvalidMarkup;
    fn from_str(text: &str) -> Result<Self, InvalidMarkup> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let percent = Decimal::from_str_exact(text).map_err(|_| InvalidMarkup)?;
        let range = Decimal::from(-100)..=Decimal::from(10_000);
        let believable = plain && range.contains(&percent) && percent.scale() <= MARKUP_DIGITS;
        if believable { Ok(Self(percent.normalize())) } else { Err(InvalidMarkup) }
    }
}

impl TryFrom<String> for Markup {
    type Error = InvalidMarkup;
    fn try_from(text: String) -> Result<Self, InvalidMarkup> {
        text.parse()
    }
}

impl From<Markup> for String {
    fn from(markup: Markup) -> Self {
        markup.to_string()
    }
}

impl fmt::Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Markup {
    /// An amount with the markup on it, rounded half to even to so many digits. `None` where no decimal can hold it exactly.
    #[must_use]
    pub fn on(self, amount: Decimal, digits: u32) -> Option<Decimal> {
        let hundredths = self.0.checked_add(Decimal::ONE_HUNDRED)?;
        let (amount, hundredths) = (amount.normalize(), hundredths.normalize());
        let whole = amount.checked_mul(hundredths)?;
        // A product that has no room gives up digits after the point; it would be rounded twice.
        let exact = whole.is_zero() || whole.scale() == amount.scale().checked_add(hundredths.scale())?;
        exact.then(|| whole.checked_mul(Decimal::new(1, 2))).flatten().map(|whole| rounded(whole, digits))
    }

    /// In words: `+ 25 %`.
    #[must_use]
    pub fn in_words(self) -> String {
        let sign = if self.0.is_sign_negative() { '-' } else { '+' };
        format!("{sign} {} %", self.0.abs())
    }
}

/// Half to even, to so many digits after the point.
#[must_use]
pub fn rounded(amount: Decimal, digits: u32) -> Decimal {
    amount.round_dp_with_strategy(digits, RoundingStrategy::MidpointNearestEven)
}

/// How a line is priced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pricing {
    /// What a unit costs; `None`: what the usage says.
    pub fixed: Option<Decimal>,
    /// What is added to it to make the unit price; `None`: the unit price is left alone.
    pub markup: Option<Markup>,
    /// Digits after the point of the unit price; `None`: those of the currency.
    pub digits: Option<u32>,
    /// The currency that the mapping's own amounts are meant in; `None`: that of the contract, whichever it is.
    pub currency: Option<Currency>,
}

/// What the usage of one feed says that a unit costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedCost {
    /// The company.
    pub company: CompanyId,
    /// The product.
    pub product: ProductKey,
    /// The newest cost that came with its counts.
    pub cost: Option<Decimal>,
    /// The currency that came with it; `None`: that of the contract, whichever it is.
    pub currency: Option<Currency>,
}

/// What a unit of a line should cost and be sold for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedPrices {
    /// What it costs the partner; `None`: left alone, because the PSA keeps costs in another currency.
    pub cost: Option<Money>,
    /// What the customer pays; `None`: left alone.
    pub price: Option<Money>,
    /// How it came about: `cost 4.00 + 25 % is 5.00`.
    pub because: String,
}

/// Why a line's prices can't be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unpriced {
    /// Money of two currencies meets: nothing of the line is written.
    RefusesLine(Reason),
    /// The prices are left alone, and the units are written all the same.
    LeavesPrices(Reason),
}

impl Pricing {
    /// The prices of a line of `feeds` on a contract that is invoiced in `currency`, where that is known, and of which the PSA
    /// keeps costs in the other currency `cost_in`, where it does.
    ///
    /// # Errors
    /// The usage says no cost, says several, or says it in another currency than the contract's.
    pub fn wanted(
        &self,
        feeds: &[FeedCost],
        (currency, cost_in): (Option<&Currency>, Option<&Currency>),
    ) -> Result<WantedPrices, Unpriced> {
        let cost = match self.fixed {
            Some(fixed) => {
                same_currency(self.currency.as_ref(), currency, "The mapping's unit cost")?;
                fixed
            }
            None => from_usage(feeds, currency)?,
        };
        let too_large = || {
            let explanation = format!("{cost} with its markup is more than any price believed.");
            Unpriced::LeavesPrices(Reason::new(Code::CostMissing, explanation))
        };
        let written = Money::new(rounded(cost, COST_DIGITS));
        let mut because = format!("unit cost {}", if self.markup.is_some() { Money::new(cost) } else { written });
        let price = match self.markup {
            Some(markup) => {
                let digits = self.digits.or(currency.map(Currency::digits)).ok_or_else(no_digits)?;
                let price = Money::new(markup.on(cost, digits).ok_or_else(too_large)?);
                let marked = markup.in_words();
                because = format!("{because} {marked} is a unit price of {price} (half-even, {digits} digits)");
                Some(price)
            }
            None => None,
        };
        if let Some(other) = cost_in {
            because = format!("{because}; the PSA keeps costs in {other}, so the unit cost is left alone");
        }
        Ok(WantedPrices { cost: Some(written).filter(|_| cost_in.is_none()), price, because })
    }
}

/// How many digits a price has is the currency's to say: a wrong guess would be written.
fn no_digits() -> Unpriced {
    let explanation =
        "The PSA does not say which currency the contract is in, so how its prices are rounded is not known.";
    Unpriced::LeavesPrices(Reason::new(Code::CurrencyUnknown, explanation.to_owned()))
}

/// The one cost that all feeds of a line say.
fn from_usage(feeds: &[FeedCost], currency: Option<&Currency>) -> Result<Decimal, Unpriced> {
    let leaves = |code, explanation| Unpriced::LeavesPrices(Reason::new(code, explanation));
    for feed in feeds.iter().filter(|feed| feed.cost.is_some()) {
        same_currency(feed.currency.as_ref(), currency, &format!("The usage of {} ({})", feed.company, feed.product))?;
    }
    let mut stated = feeds.iter().filter_map(|feed| Some((feed, feed.cost?)));
    let Some((first, cost)) = stated.next() else {
        let named = feeds.first().map(|feed| format!(" of {} ({})", feed.company, feed.product)).unwrap_or_default();
        return Err(leaves(Code::CostMissing, format!("No usage{named} says what a unit costs.")));
    };
    if let Some((other, differs)) = stated.find(|(_, other)| *other != cost) {
        let explanation = format!(
            "A unit costs {cost} by the usage of {} ({}), and {differs} by that of {} ({}).",
            first.company, first.product, other.company, other.product
        );
        return Err(leaves(Code::CostsDiffer, explanation));
    }
    if let Some(silent) = feeds.iter().find(|feed| feed.cost.is_none()) {
        let explanation = format!("No usage of {} ({}) says what a unit costs.", silent.company, silent.product);
        return Err(leaves(Code::CostMissing, explanation));
    }
    Ok(cost)
}

fn same_currency(stated: Option<&Currency>, contract: Option<&Currency>, what: &str) -> Result<(), Unpriced> {
    match (stated, contract) {
        (None, _) => Ok(()),
        (Some(stated), Some(contract)) if stated == contract => Ok(()),
        (Some(stated), Some(contract)) => {
            let explanation = format!("{what} is in {stated}, the contract in {contract}.");
            Err(Unpriced::RefusesLine(Reason::new(Code::CurrencyMismatch, explanation)))
        }
        (Some(stated), None) => {
            let explanation = format!("{what} is in {stated}; the PSA does not say which currency the contract is in.");
            Err(Unpriced::LeavesPrices(Reason::new(Code::CurrencyUnknown, explanation)))
        }
    }
}

#[cfg(test)]
#[path = "pricing_test.rs"]
mod tests;
