//! What follows a contract that has ended, where that is beyond doubt, and which contracts end soon.
//!
//! A PSA may link a contract with its renewal; which of the two carries the link differs or is not known, so a link counts
//! in either direction and the days tell which contract is the later one. Without a link, the only contract that begins
//! where the old one ends is its successor, if it carries the service. Whatever is not clear is explained and not followed.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::contract::Contract;
use super::ids::{ContractId, ServiceId};

/// A contract that ends within so many days is announced.
pub const ANNOUNCED_DAYS: i32 = 30;
/// Without a link, days that may lie between the end of a contract and the begin of the next, or that both may run.
const NEAR_DAYS: i32 = 31;
/// Contracts that may follow one another before the way is called unclear.
const MOST_LINKS: usize = 5;

/// Why a contract is not followed: sentences to add to its explanation, with the contracts that came into question. Empty
/// where there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotFollowed(pub String);

/// A contract that is billed in place of one that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Successor<'a> {
    /// The contract that is billed today.
    pub contract: &'a Contract,
    /// The day after the end of the contract right before it: up to that day another one was billed.
    pub not_before: Date,
}

/// The contracts of one account among which a successor is looked for, and the day.
#[derive(Debug, Clone, Copy)]
pub struct Lifecycle<'a> {
    /// By id. Contracts of other accounts may be among them and are never taken.
    pub contracts: &'a BTreeMap<ContractId, Contract>,
    /// The partner's day.
    pub today: Date,
}

impl<'a> Lifecycle<'a> {
    /// The contract on which what `ended` billed of `service` is billed today: active, recurring in the same periods, of the
    /// same account, and writable today. `carries` says which contracts are known to carry the service; one that the PSA
    /// links is taken without it.
    ///
    /// # Errors
    /// None, or more than one, or one that has not begun or can't be written.
    pub fn successor(
        &self,
        ended: &Contract,
        service: &ServiceId,
        carries: impl Fn(&ContractId) -> bool,
    ) -> Result<Successor<'a>, NotFollowed> {
        let mut way = String::new();
        let mut at = ended;
        for _ in 0..MOST_LINKS {
            let next = self.next(at, service, &carries).map_err(|why| NotFollowed(format!("{way}{why}")))?;
            if next.writable_on(self.today).is_ok() {
                let not_before = at.end.saturating_add(1.day());
                return Ok(Successor { contract: next, not_before });
            }
            // It fits and has begun, so it can only have ended.
            way.push_str(&format!(" {} followed it and ended on {}.", named(next), next.end));
            at = next;
        }
        Err(NotFollowed(format!("{way} So many contracts in a row are not followed.")))
    }

    /// Whole days until `contract` ends, where that is soon and the PSA links no later contract with it that could be
    /// written then.
    #[must_use]
    pub fn expires_in(&self, contract: &Contract) -> Option<i32> {
        contract.writable_on(self.today).ok()?;
        let days = self.today.until(contract.end).ok()?.get_days();
        let renewed = || self.linked(contract).any(|next| unfit(contract, next).is_none());
        (days <= ANNOUNCED_DAYS && !renewed()).then_some(days)
    }

    /// The contract that comes right after `at`, begun today.
    fn next(
        &self,
        at: &Contract,
        service: &ServiceId,
        carries: impl Fn(&ContractId) -> bool,
    ) -> Result<&'a Contract, String> {
        let linked: Vec<&Contract> = self.linked(at).collect();
        if !linked.is_empty() {
            return self.only(&linked, |next| unfit(at, next));
        }
        if let Some(hidden) = at.renewal.as_ref().filter(|id| !self.contracts.contains_key(id)) {
            return Err(format!(" The PSA links it with contract {hidden}, which we are not shown."));
        }
        let near =
            |next: &&Contract| next.account == at.account && next.recurring.is_some() && begins_where_ends(at, next);
        let near: Vec<&Contract> = self.later(at).filter(near).collect();
        if near.len() > 1 {
            // Whatever speaks against one of them today may be gone tomorrow: units that went elsewhere until then stay there.
            return Err(more_than_one(&near));
        }
        self.only(&near, |next| {
            if let Some(why) = unfit(at, next) {
                return Some(why);
            }
            if self.renews_another(next, at) {
                return Some("the PSA links it with another".to_owned());
            }
            // Of one that has not begun we have not seen what it carries.
            (next.start <= self.today && !carries(&next.id)).then(|| format!("it does not carry service {service}"))
        })
    }

    /// The one candidate that has begun and that nothing speaks against. Of those that the PSA links, one that has not begun
    /// competes with none: until then it bills nothing.
    fn only(
        &self,
        candidates: &[&'a Contract],
        against: impl Fn(&Contract) -> Option<String>,
    ) -> Result<&'a Contract, String> {
        let fit: Vec<&Contract> = candidates.iter().copied().filter(|next| against(next).is_none()).collect();
        let begun: Vec<&Contract> = fit.iter().copied().filter(|next| next.start <= self.today).collect();
        match (begun.as_slice(), fit.as_slice()) {
            ([one], _) => Ok(one),
            ([], []) => Err(candidates
                .iter()
                .filter_map(|next| Some(format!(" {} could follow it, but {}.", named(next), against(next)?)))
                .collect()),
            ([], coming) => Err(coming
                .iter()
                .map(|next| format!(" {} could follow it, but begins on {}.", named(next), next.start))
                .collect()),
            (several, _) => Err(more_than_one(several)),
        }
    }

    /// Contracts that begin and end later than `at`.
    fn later<'b>(&self, at: &'b Contract) -> impl Iterator<Item = &'a Contract> + use<'a, 'b> {
        self.contracts.values().filter(move |next| next.start > at.start && next.end > at.end)
    }

    /// Later contracts that the PSA links with `at`, in either direction.
    fn linked<'b>(&self, at: &'b Contract) -> impl Iterator<Item = &'a Contract> + use<'a, 'b> {
        self.later(at).filter(move |next| are_linked(at, next))
    }

    /// Whether the PSA says that `next` renews an earlier contract, and not `at`.
    fn renews_another(&self, next: &Contract, at: &Contract) -> bool {
        let earlier = |other: &Contract| other.start < next.start && other.end < next.end;
        self.contracts.values().any(|other| other.id != at.id && earlier(other) && are_linked(other, next))
    }
}

/// The name and the id: a contract and its renewal often have the same name.
#[must_use]
pub fn named(contract: &Contract) -> String {
    format!("\"{}\" ({})", contract.name, contract.id)
}

fn more_than_one(contracts: &[&Contract]) -> String {
    let names: Vec<String> = contracts.iter().map(|contract| named(contract)).collect();
    format!(" More than one contract could follow it: {}.", names.join(", "))
}

fn are_linked(one: &Contract, other: &Contract) -> bool {
    one.renewal.as_ref() == Some(&other.id) || other.renewal.as_ref() == Some(&one.id)
}

/// Why `next` can't take the place of `at`, whatever the day.
fn unfit(at: &Contract, next: &Contract) -> Option<String> {
    if next.account != at.account {
        return Some(format!("it bills account {}", next.account));
    }
    if next.recurring.is_none() {
        return Some("it is not a recurring service contract".to_owned());
    }
    if next.recurring != at.recurring {
        return Some("it bills by other periods".to_owned());
    }
    (!next.active).then(|| "it is inactive".to_owned())
}

fn begins_where_ends(at: &Contract, next: &Contract) -> bool {
    let from = at.end.saturating_sub(NEAR_DAYS.days());
    let to = at.end.saturating_add(NEAR_DAYS.days());
    (from..=to).contains(&next.start)
}
