//! The checks of a mapped feed: those that a run makes before it writes, and those that a run can't make because it would be
//! too late: that costs are shown, that a customer is invoiced in the currency of the others, that the product is counted at
//! all. Each check is a function of what was read; a new one is one more of them in [`CHECKS`].

use super::read::Seen;
use super::{Check, Preflight, Verdict};
use crate::domain::contract::Contract;
use crate::domain::ids::ConnectionId;
use crate::domain::money::UnitPrices;
use crate::domain::reason::{Code, Reason};
use crate::store::usage::{self, RecordedCount};
use crate::sync::lines::MappedFeed;
use crate::sync::reason_of;

/// Every check, in the order in which they are told.
const CHECKS: [fn(&Subject<'_>) -> Check; 7] = [contract, service, writer, sharing, usage, prices, currency];

/// What the checks look at: one feed.
pub(super) struct Subject<'a> {
    pub feed: &'a MappedFeed,
    pub connection: &'a ConnectionId,
    pub seen: &'a Seen,
}

impl Subject<'_> {
    /// All checks of the feed.
    pub fn checked(&self) -> Preflight {
        let checks: Vec<Check> = CHECKS.iter().map(|check| check(self)).collect();
        Preflight {
            company: self.feed.company.company.to_string(),
            product: self.feed.product.to_string(),
            line_id: self.feed.named.to_string(),
            status: checks.iter().map(|check| check.status).max().unwrap_or(Verdict::Ok),
            checks,
        }
    }

    /// The newest count of a feed.
    fn newest_of(&self, feed: &MappedFeed) -> Option<&RecordedCount> {
        let key = usage::Feed { company: feed.company.company.clone(), product: feed.product.clone() };
        self.seen.book.feeds.get(&key)?.counts.last()
    }

    fn contract(&self) -> Option<&Contract> {
        self.seen.contracts.by_id.get(&self.feed.named.contract)
    }
}

impl Check {
    fn ok(check: &'static str, explanation: impl Into<String>) -> Self {
        let (code, fix) = (String::new(), String::new());
        Self { check, status: Verdict::Ok, code, explanation: explanation.into(), fix }
    }

    fn told(check: &'static str, status: Verdict, reason: Reason) -> Self {
        let Reason { code, explanation, fix } = reason;
        Self { check, status, code, explanation, fix }
    }

    fn failed(check: &'static str, reason: Reason) -> Self {
        Self::told(check, Verdict::Failed, reason)
    }

    fn warning(check: &'static str, code: Code, explanation: String) -> Self {
        Self::told(check, Verdict::Warning, Reason::new(code, explanation))
    }
}

/// Active, recurring, in date, and of the account.
fn contract(subject: &Subject<'_>) -> Check {
    const CHECK: &str = "contract";
    let named = &subject.feed.named.contract;
    let Some(contract) = subject.contract() else {
        let explanation = format!("The PSA shows no contract {named}.");
        return Check::failed(CHECK, Reason::new(Code::ContractNotFound, explanation));
    };
    let account = &subject.feed.company.account_id;
    if contract.account != *account {
        let explanation = format!("\"{}\" bills account {}, not {account}.", contract.name, contract.account);
        return Check::failed(CHECK, Reason::new(Code::ContractOfAnotherAccount, explanation));
    }
    if let Err(reason) = contract.writable_on(subject.seen.today) {
        return match subject.seen.mapped.values().find(|line| line.takes_the_place_of(&subject.feed.named)) {
            Some(line) => {
                let explanation = format!("{} It is billed on contract {}.", reason.explanation, line.key.contract);
                Check::warning(CHECK, Code::ContractRenewed, explanation)
            }
            None if reason.code == Code::ContractNotStarted.as_str() => Check::told(CHECK, Verdict::Warning, reason),
            None => Check::failed(CHECK, reason),
        };
    }
    match subject.seen.contracts.expires_in(contract) {
        Some(_) => {
            let explanation =
                format!("\"{}\" ends on {}, and nothing is known to follow it.", contract.name, contract.end);
            Check::warning(CHECK, Code::ContractExpiring, explanation)
        }
        None => Check::ok(CHECK, format!("\"{}\" is active until {}.", contract.name, contract.end)),
    }
}

/// On the contract, once, with units that can be read.
fn service(subject: &Subject<'_>) -> Check {
    const CHECK: &str = "service";
    let (line, observed) = (&subject.feed.named, &subject.seen.observed);
    let pair = (line.contract.clone(), line.service.clone());
    let Some(contract) = subject.contract().filter(|contract| contract.writable_on(subject.seen.today).is_ok()) else {
        return Check::ok(CHECK, "Not looked at: the contract can't be written.");
    };
    if observed.ambiguous.contains(&pair) {
        let explanation = format!("\"{}\" carries service {} more than once.", contract.name, line.service);
        return Check::failed(CHECK, Reason::new(Code::ServiceTwiceOnContract, explanation));
    }
    if let Some(reason) = observed.unreadable.get(&pair) {
        return Check::failed(CHECK, reason.clone());
    }
    match observed.lines.get(&pair) {
        Some(found) => match found.timeline.at(subject.seen.today) {
            Some(units) => Check::ok(CHECK, format!("The contract carries {units} of service {}.", line.service)),
            None => {
                let explanation = format!("The PSA shows no units for {}.", subject.seen.today);
                Check::failed(CHECK, Reason::new(Code::NoUnitsOnDate, explanation))
            }
        },
        None if line.service.is_unmade() => {
            let explanation = format!("The service of {} is not on record as made.", subject.feed.product);
            Check::failed(CHECK, Reason::new(Code::ServiceNotInCatalogue, explanation))
        }
        None => {
            let explanation = format!("\"{}\" does not carry service {}.", contract.name, line.service);
            Check::failed(CHECK, Reason::new(Code::ServiceNotOnContract, explanation))
        }
    }
}

/// One line has one writer, among the connections of the partner. Those of other partners are nobody's to see here, and other
/// tools leave no name.
fn writer(subject: &Subject<'_>) -> Check {
    const CHECK: &str = "writer";
    let writer = subject.seen.histories.get(&subject.feed.named).and_then(|history| history.writer.as_ref());
    match writer.filter(|writer| *writer != subject.connection && subject.seen.live.contains(*writer)) {
        Some(writer) => {
            let reason = Reason::new(Code::LineOfAnotherConnection, format!("Connection {writer} writes this line."));
            Check::failed(CHECK, reason)
        }
        None => Check::ok(
            CHECK,
            "None of your other connections to this PSA writes this line. What another partner or another tool writes there can't be known beforehand: it is seen as drift, when the units are not those that were confirmed last.",
        ),
    }
}

/// What shares the line agrees with it.
fn sharing(subject: &Subject<'_>) -> Check {
    const CHECK: &str = "sharing";
    match subject.seen.mapped.get(&subject.feed.named) {
        Some(line) => match line.agreed() {
            Ok(_) if line.feeds.len() == 1 => Check::ok(CHECK, "Nothing else adds to this line."),
            Ok(_) => match line.feeds.iter().find(|feed| subject.newest_of(feed).is_none()) {
                // A line is the sum of all of its feeds, and none is taken for zero.
                Some(feed) => {
                    let explanation = format!(
                        "{} feeds are added up on this line, and nothing is written until {} of company {} is counted.",
                        line.feeds.len(),
                        feed.product,
                        feed.company.company
                    );
                    Check::warning(CHECK, Code::UsageMissing, explanation)
                }
                None => Check::ok(CHECK, format!("{} feeds are added up on this line.", line.feeds.len())),
            },
            Err(reason) => Check::failed(CHECK, reason),
        },
        None => Check::ok(CHECK, "Nothing else adds to this line."),
    }
}

/// Counted at all.
fn usage(subject: &Subject<'_>) -> Check {
    const CHECK: &str = "usage";
    let feed = subject.feed;
    if let Some(since) = subject.seen.book.stale_since(&feed.product, subject.seen.fresh_from) {
        let explanation = format!("No complete snapshot of {} has come since the one of {since}.", feed.product);
        return Check::warning(CHECK, Code::UsageStale, explanation);
    }
    match subject.newest_of(feed) {
        Some(newest) => {
            Check::ok(CHECK, format!("{} were counted last, on {}.", newest.count.units, newest.count.as_of))
        }
        None => {
            let explanation =
                format!("No usage of {} was counted lately for company {}.", feed.product, feed.company.company);
            Check::warning(CHECK, Code::UsageMissing, explanation)
        }
    }
}

/// Prices and costs are shown to the API user. A cost that is hidden would also be silently left as it is when it is written.
fn prices(subject: &Subject<'_>) -> Check {
    const CHECK: &str = "prices";
    let found = match &subject.seen.prices {
        Ok(prices) => prices.get(&subject.feed.named),
        Err(error) => {
            let Reason { explanation, fix, code } = reason_of(error);
            return Check::told(CHECK, Verdict::Warning, Reason { code, explanation, fix });
        }
    };
    match found {
        Some(UnitPrices { price: Some(price), cost: Some(cost), .. }) => {
            Check::ok(CHECK, format!("A unit is sold for {price} and costs {cost}."))
        }
        Some(UnitPrices { price: Some(price), cost: None, .. }) => {
            let explanation = format!("A unit is sold for {price}; the PSA shows this user no cost.");
            Check::warning(CHECK, Code::CostsHidden, explanation)
        }
        _ => Check::ok(CHECK, "The PSA tells no price of this line."),
    }
}

/// Invoiced in the same currency as the others: amounts of different currencies are never added up or taken for each other.
fn currency(subject: &Subject<'_>) -> Check {
    const CHECK: &str = "currency";
    let prices = subject.seen.prices.as_ref().ok();
    let currency = prices.and_then(|prices| prices.get(&subject.feed.named)?.currency.as_ref());
    match (currency, &subject.seen.usual_currency) {
        (Some(currency), Some(usual)) if currency != usual => {
            let (currency, usual) = (String::from(currency.clone()), String::from(usual.clone()));
            let explanation = format!("The account is invoiced in {currency}, most others in {usual}.");
            Check::warning(CHECK, Code::CurrencyDiffers, explanation)
        }
        (Some(currency), _) => {
            Check::ok(CHECK, format!("The account is invoiced in {}.", String::from(currency.clone())))
        }
        (None, _) => Check::ok(CHECK, "The PSA tells no currency of this account."),
    }
}
