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

/// An amount that we sent to the PSA last, or found right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Last {
    /// The amount.
    pub amount: Money,
    /// From this day on.
    pub from: Date,
    /// The PSA showed it when it was read back, or had it already.
    pub taken: bool,
}

/// What we last set of a line's prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Priced {
    /// The unit cost, where one was ever sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Last>,
    /// The unit price, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Last>,
}

/// What a line's prices should be, and what the PSA shows of them.
#[derive(Debug, Clone, Copy)]
pub struct Prices<'a> {
    /// What they should be, or why that can't be said.
    pub wanted: Result<&'a WantedPrices, &'a Reason>,
    /// What the PSA shows of the line, in one place or in several: each may show that it is right already. Empty where nothing
    /// could be read.
    pub shown: &'a [UnitPrices],
    /// Whether the PSA shows this user any cost at all. Where it shows none, it ignores those that are written.
    pub costs_visible: bool,
    /// What we sent last.
    pub last: Priced,
}

impl WantedPrices {
    /// What is remembered of them where the PSA was found to show them.
    #[must_use]
    pub fn priced(&self, from: Date) -> Priced {
        let last = |amount| Last { amount, from, taken: true };
        Priced { cost: self.cost.map(last), price: self.price.map(last) }
    }
}

impl Priced {
    /// Whether both know the same amounts, from whatever day.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        let known = |last: Option<Last>| last.map(|last| (last.amount, last.taken));
        (known(self.cost), known(self.price)) == (known(other.cost), known(other.price))
    }
}

/// What to do with a line's prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repriced {
    /// They are right.
    Right,
    /// They may be written, but for what is left alone.
    Change(Repricing, Option<LeftAlone>),
    /// They are not what they should be, or nobody can say, and are left alone.
    Left(LeftAlone),
}

/// Prices that are left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftAlone {
    /// Why.
    pub reason: Reason,
    /// What would be written otherwise, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<Repricing>,
}

impl From<Reason> for LeftAlone {
    fn from(reason: Reason) -> Self {
        Self { reason, instead_of: None }
    }
}

impl Prices<'_> {
    /// What to do. `approved`: what a person has approved of them goes past guards and drift.
    #[must_use]
    pub fn decide(&self, policy: &Policy, approved: Option<&Repricing>) -> Repriced {
        let wanted = match self.wanted {
            Ok(wanted) => wanted,
            Err(reason) => return Repriced::Left(reason.clone().into()),
        };
        if self.shown.is_empty() {
            let explanation = format!("The PSA does not show the line's prices; {}.", wanted.because);
            return Repriced::Left(Reason::new(Code::PricesNotShown, explanation).into());
        }
        let hidden =
            wanted.cost.is_some() && self.shown.iter().all(|shown| shown.cost.is_none()) && !self.costs_visible;
        let cost = self.step(wanted.cost, |shown| shown.cost, self.last.cost).filter(|_| !hidden);
        let price = self.step(wanted.price, |shown| shown.price, self.last.price);
        let ignored =
            |step: &Step, last: Option<Last>| last.is_some_and(|last| !last.taken && last.amount == step.target);
        let repricing = Repricing {
            cost: cost.filter(|step| !ignored(step, self.last.cost)),
            price: price.filter(|step| !ignored(step, self.last.price)),
        };
        match repricing.is_nothing() {
            true if cost.is_some() || price.is_some() => {
                let sent = Repricing { cost, price }.in_words();
                let explanation = format!("{sent} was sent before and the PSA did not take it.");
                Repriced::Left(Reason::new(Code::PricesNotTaken, explanation).into())
            }
            true if hidden => Repriced::Left(costs_hidden(wanted).into()),
            true => Repriced::Right,
            false => match self.held(&repricing, policy, approved) {
                Some(reason) => Repriced::Left(LeftAlone { reason, instead_of: Some(repricing) }),
                None => Repriced::Change(repricing, hidden.then(|| costs_hidden(wanted).into())),
            },
        }
    }

    /// What one amount is to be changed from and to; `None` where one place or another shows that it is right. Where they
    /// differ, what we set last is believed if it is among them.
    fn step(&self, wanted: Option<Money>, of: fn(&UnitPrices) -> Option<Money>, last: Option<Last>) -> Option<Step> {
        let target = wanted?;
        let shown = || self.shown.iter().map(of);
        if shown().any(|amount| amount == Some(target)) {
            return None;
        }
        let ours = last.map(|last| last.amount).filter(|ours| shown().any(|amount| amount == Some(*ours)));
        Some(Step { before: ours.or_else(|| of(self.shown.first()?)), target })
    }

    fn held(&self, repricing: &Repricing, policy: &Policy, approved: Option<&Repricing>) -> Option<Reason> {
        if approved == Some(repricing) {
            return None;
        }
        let edited = |step: Option<Step>, last: Option<Last>| {
            let last = last.filter(|last| last.taken);
            step.zip(last).is_some_and(|(step, last)| step.before.is_some_and(|shown| shown != last.amount))
        };
        let drifts = edited(repricing.cost, self.last.cost) || edited(repricing.price, self.last.price);
        if policy.drift == Drift::Hold && drifts {
            let explanation = format!("{}, but the PSA does not show what we last confirmed.", repricing.in_words());
            return Some(Reason::new(Code::PriceDrift, explanation));
        }
        guard::price_held_back(repricing, &policy.guards)
    }
}

impl Repricing {
    /// Whether every amount of it is shown in one place or another.
    #[must_use]
    pub fn is_shown_by(&self, shown: &[UnitPrices]) -> bool {
        let is_there = |step: Option<Step>, of: fn(&UnitPrices) -> Option<Money>| {
            step.is_none_or(|step| shown.iter().any(|shown| of(shown) == Some(step.target)))
        };
        is_there(self.cost, |shown| shown.cost) && is_there(self.price, |shown| shown.price)
    }

    /// Whether every amount is shown as it was before, in one place or another.
    #[must_use]
    pub fn is_before(&self, shown: &[UnitPrices]) -> bool {
        let is_there = |step: Option<Step>, of: fn(&UnitPrices) -> Option<Money>| {
            step.is_none_or(|step| shown.iter().any(|shown| of(shown) == step.before))
        };
        is_there(self.cost, |shown| shown.cost) && is_there(self.price, |shown| shown.price)
    }

    /// What is remembered once it was sent, with what was sent `earlier`. `taken`: the PSA shows all of it.
    #[must_use]
    pub fn remembered(&self, earlier: Priced, from: Date, taken: bool) -> Priced {
        let last = |step: Option<Step>| step.map(|step| Last { amount: step.target, from, taken });
        Priced { cost: last(self.cost).or(earlier.cost), price: last(self.price).or(earlier.price) }
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
}

fn costs_hidden(wanted: &WantedPrices) -> Reason {
    let explanation = format!("The PSA shows no unit cost to this user and would ignore one; {}.", wanted.because);
    Reason::new(Code::CostsHidden, explanation)
}

#[cfg(test)]
#[path = "repricing_test.rs"]
mod tests;
