//! A change of a line's unit cost and unit price: from what the PSA shows to what the line should carry. Pure.
//!
//! It travels with a change of units or alone. Where it may not be made, the units of the line are changed all the same, and the
//! reason is told with them.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::guard;
use super::money::{Money, UnitPrices};
use super::policy::{Drift, Policy};
use super::pricing::WantedPrices;
use super::reason::{Code, Reason};

/// One amount and what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What the PSA shows; `None` where it shows nothing.
    pub before: Option<Money>,
    /// What the line should carry.
    pub target: Money,
}

/// What is written of a line's prices: one of them at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repricing {
    /// What a unit costs the partner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Step>,
    /// What the customer pays for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Step>,
}

/// Prices that we sent to the PSA last, and whether it showed them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Priced {
    /// The unit cost, where one was sent.
    #[serde(default)]
    pub cost: Option<Money>,
    /// The unit price, where one was sent.
    #[serde(default)]
    pub price: Option<Money>,
    /// From this day on.
    pub from: Date,
    /// The PSA showed them when they were read back, or had them already.
    pub taken: bool,
}

/// What a line's prices should be, and what the PSA shows of them.
#[derive(Debug, Clone, Copy)]
pub struct Prices<'a> {
    /// What they should be, or why that can't be said.
    pub wanted: Result<&'a WantedPrices, &'a Reason>,
    /// What the PSA shows; `None` where it could not be read.
    pub shown: Option<&'a UnitPrices>,
    /// Whether the PSA shows this user any cost at all. Where it shows none, it ignores those that are written.
    pub costs_visible: bool,
    /// What we sent last.
    pub last: Option<&'a Priced>,
}

/// What to do with a line's prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repriced {
    /// They are right.
    Right,
    /// They may be written.
    Change(Repricing),
    /// They are not what they should be, or nobody can say, and are left alone for this reason.
    Left(Reason),
}

impl Prices<'_> {
    /// What to do. `approved`: what a person has approved of them goes past guards and drift.
    #[must_use]
    pub fn decide(&self, policy: &Policy, approved: Option<&Repricing>) -> Repriced {
        let wanted = match self.wanted {
            Ok(wanted) => wanted,
            Err(reason) => return Repriced::Left(reason.clone()),
        };
        let Some(shown) = self.shown else {
            let explanation = format!("The PSA does not show the line's prices; {}.", wanted.because);
            return Repriced::Left(Reason::new(Code::PricesNotShown, explanation));
        };
        let hidden = shown.cost.is_none() && !self.costs_visible;
        let repricing = Repricing {
            cost: step(shown.cost, Some(wanted.cost)).filter(|_| !hidden),
            price: step(shown.price, wanted.price),
        };
        match repricing.is_nothing() {
            true if hidden => Repriced::Left(costs_hidden(wanted)),
            true => Repriced::Right,
            false => match self.held(&repricing, policy, approved) {
                Some(reason) => Repriced::Left(reason),
                None => Repriced::Change(repricing),
            },
        }
    }

    fn held(&self, repricing: &Repricing, policy: &Policy, approved: Option<&Repricing>) -> Option<Reason> {
        if let Some(last) = self.last.filter(|last| !last.taken && repricing.repeats(last)) {
            let explanation = format!("{} was sent before and the PSA did not take it.", repricing.in_words());
            return Some(Reason::new(
                Code::PricesNotTaken,
                format!("{explanation} It was to count from {}.", last.from),
            ));
        }
        if approved == Some(repricing) {
            return None;
        }
        if let Some(last) = self.last.filter(|last| last.taken && policy.drift == Drift::Hold) {
            let edited = |step: Option<Step>, last: Option<Money>| {
                step.zip(last).is_some_and(|(step, last)| step.before.is_some_and(|shown| shown != last))
            };
            if edited(repricing.cost, last.cost) || edited(repricing.price, last.price) {
                let explanation =
                    format!("{}, but the PSA does not show what we last confirmed.", repricing.in_words());
                return Some(Reason::new(Code::PriceDrift, explanation));
            }
        }
        guard::price_held_back(repricing, &policy.guards)
    }
}

impl Repricing {
    /// Whether `shown` carries every amount of it.
    #[must_use]
    pub fn is_shown_by(&self, shown: &UnitPrices) -> bool {
        self.cost.is_none_or(|step| shown.cost == Some(step.target))
            && self.price.is_none_or(|step| shown.price == Some(step.target))
    }

    /// Whether `shown` carries every amount as it was before.
    #[must_use]
    pub fn is_before(&self, shown: &UnitPrices) -> bool {
        self.cost.is_none_or(|step| shown.cost == step.before)
            && self.price.is_none_or(|step| shown.price == step.before)
    }

    /// What is remembered of it once it was sent.
    #[must_use]
    pub fn priced(&self, from: Date, taken: bool) -> Priced {
        Priced { cost: self.cost.map(|step| step.target), price: self.price.map(|step| step.target), from, taken }
    }

    /// In words: `unit cost 4.00 to 5.00, unit price 5.00 to 6.25`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let told = |name: &str, step: Option<Step>| {
            let Step { before, target } = step?;
            Some(match before {
                Some(before) => format!("unit {name} {before} to {target}"),
                None => format!("unit {name} {target}"),
            })
        };
        [told("cost", self.cost), told("price", self.price)].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    fn is_nothing(&self) -> bool {
        self.cost.is_none() && self.price.is_none()
    }

    fn repeats(&self, last: &Priced) -> bool {
        let same = |step: Option<Step>, last: Option<Money>| step.is_none_or(|step| last == Some(step.target));
        same(self.cost, last.cost) && same(self.price, last.price)
    }
}

fn step(shown: Option<Money>, wanted: Option<Money>) -> Option<Step> {
    let target = wanted?;
    (shown != Some(target)).then_some(Step { before: shown, target })
}

fn costs_hidden(wanted: &WantedPrices) -> Reason {
    let explanation = format!("The PSA shows no unit cost to this user and would ignore one; {}.", wanted.because);
    Reason::new(Code::CostsHidden, explanation)
}

#[cfg(test)]
#[path = "repricing_test.rs"]
mod tests;
