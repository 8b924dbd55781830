//! What a run of all lines notices besides them: usage that is billed nowhere or out of date, lines that are billed without
//! any, costs that are hidden.
//!
//! Nothing here changes a line. That a product is not counted for a company does not mean that it is not used there, so the
//! units stay and a person is told, with what is at stake. Lines that no mapping names are `unfed`'s.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::assess::Desk;
use super::draft::Draft;
use super::elsewhere::MappedElsewhere;
use super::lines::{MappedFeed, MappedLine};
use super::pricing::ListPrice;
use super::unmapped::{Unmapped, Why};
use crate::domain::finding::{Noticed, Subject};
use crate::domain::ids::{CompanyId, ProductKey, ServiceId};
use crate::domain::lifecycle::named;
use crate::domain::line::LineKey;
use crate::domain::money::{self, LineMoney, UnitPrices};
use crate::domain::reason::{Code, Reason};
use crate::domain::units::Units;
use crate::store::mappings::ProductMapping;
use crate::store::runs::Gap;
use crate::store::usage::UsageBook;

/// Products of a company that are named one by one.
const MOST_NAMED: usize = 10;

/// Mapped products of which no complete snapshot has come since `fresh_from`.
pub(super) fn stale(feeds: &[MappedFeed], book: &UsageBook, fresh_from: Timestamp) -> Vec<Noticed> {
    let products: BTreeSet<_> = feeds.iter().map(|feed| &feed.product).collect();
    let stale = products.into_iter().filter_map(|product| Some((product, book.stale_since(product, fresh_from)?)));
    stale
        .map(|(product, since)| {
            let explanation = format!(
                "No complete snapshot of {product} has come since the one of {since}. Falls wait for one; rises are written."
            );
            let reason = Reason::new(Code::UsageStale, explanation);
            Noticed {
                about: Some(since.to_string()),
                product: Some(product.clone()),
                ..Noticed::of(Subject::Product(product.clone()), reason)
            }
        })
        .collect()
}

/// Mapped lines that carry units in the PSA, and for which nothing was counted in the months that were read, though the
/// product's source is heard of: before that, nothing can be said of anybody.
pub(super) fn without_usage(mapped: &[MappedLine], draft: &Draft, desk: &Desk<'_>) -> Vec<Noticed> {
    let told: BTreeSet<LineKey> =
        draft.rows.iter().map(|row| row.key()).chain(draft.looks.iter().map(|look| look.line.key.clone())).collect();
    let silent = mapped.iter().filter(|line| !told.contains(&line.key));
    silent.filter_map(|line| billed_without_usage(line, desk)).collect()
}

fn billed_without_usage(line: &MappedLine, desk: &Desk<'_>) -> Option<Noticed> {
    let (contract, feed) = (desk.contracts.get(&line.key.contract)?, line.feeds.first()?);
    let heard = desk.book.newest_complete.get(&feed.product)?.as_of >= desk.fresh_from;
    let since = desk.book.since.filter(|_| heard)?;
    let found = desk.observed.lines.get(&(line.key.contract.clone(), line.key.service.clone()))?;
    let units = found.timeline.at(desk.today.date).filter(|units| units.get() > 0)?;
    let explanation = format!(
        "{} bills {units} of service {}, and no usage of {} was counted for company {} since {since}.",
        named(contract),
        line.key.service,
        feed.product,
        feed.company.company,
    );
    Some(Noticed {
        about: Some(units.to_string()),
        account: Some(contract.account.clone()),
        company: Some(feed.company.company.clone()),
        product: Some(feed.product.clone()),
        before: Some(units),
        ..Noticed::of(Subject::Line(line.key.clone()), Reason::new(Code::LineWithoutUsage, explanation))
    })
}

/// Usage that no mapping takes: one gap a company that is not mapped, one a product that is not. `elsewhere` are the companies
/// that another connection of the partner bills.
pub(super) fn unmapped(
    loose: &[Unmapped],
    elsewhere: &MappedElsewhere,
    products: &[ProductMapping],
    prices: &BTreeMap<ServiceId, ListPrice>,
) -> Vec<Gap> {
    let mut companies: BTreeMap<&CompanyId, Vec<&Unmapped>> = BTreeMap::new();
    let mut unknown: BTreeMap<&ProductKey, Vec<&Unmapped>> = BTreeMap::new();
    let billed_nowhere =
        |feed: &&Unmapped| feed.quantity > Units::ZERO && elsewhere.connection_of(&feed.company).is_none();
    for feed in loose.iter().filter(billed_nowhere) {
        match feed.why {
            Why::CompanyNotMapped => companies.entry(&feed.company).or_default().push(feed),
            Why::ProductNotMapped => unknown.entry(&feed.product).or_default().push(feed),
            // Of charges, which are told by themselves.
            Why::ChargesNotMapped => {}
        }
    }
    let services: BTreeMap<&ProductKey, &ServiceId> =
        products.iter().filter_map(|mapping| Some((&mapping.product, mapping.service_id.as_ref()?))).collect();
    let worth = |feed: &Unmapped| {
        let (prices, billed) = prices.get(*services.get(&feed.product)?)?;
        Some(LineMoney::of(prices, (*billed)?, Some(Units::ZERO.delta_to(feed.quantity))))
    };
    let of_companies = companies.into_iter().map(|(company, feeds)| of_company(company, &feeds, worth));
    of_companies.chain(unknown.into_iter().map(|(product, feeds)| of_product(product, &feeds))).collect()
}

/// List prices tell what is at stake: what the company's own contract will say is not known.
fn of_company(company: &CompanyId, feeds: &[&Unmapped], worth: impl Fn(&Unmapped) -> Option<LineMoney>) -> Gap {
    let name = feeds.iter().find_map(|feed| feed.company_name.clone()).unwrap_or_default();
    let counted = some(feeds.iter().map(|feed| format!("{} of {}", feed.quantity, feed.product)));
    let explanation =
        format!("{counted} are counted for \"{}\", and no account is billed for them.", titled(company, &name));
    let noticed = Noticed {
        about: Some(some(feeds.iter().map(|feed| feed.product.to_string()))),
        account: feeds.iter().find_map(|feed| feed.account_id.clone()),
        company: Some(company.clone()),
        company_name: name,
        product: feeds.first().filter(|_| feeds.len() == 1).map(|feed| feed.product.clone()),
        target: total(feeds),
        ..Noticed::of(Subject::Company(company.clone()), Reason::new(Code::CompanyNotMapped, explanation))
    };
    Gap { noticed, money: feeds.iter().map(|feed| worth(feed)).collect::<Option<Vec<_>>>().and_then(money::total) }
}

fn of_product(product: &ProductKey, feeds: &[&Unmapped]) -> Gap {
    let companies = match feeds.len() {
        1 => "one mapped company".to_owned(),
        count => format!("{count} mapped companies"),
    };
    let counted = total(feeds).map_or_else(|| "Units".to_owned(), |units| units.to_string());
    let explanation = format!("{counted} of {product} are counted for {companies}, and no service bills the product.");
    Gap::from(Noticed {
        about: Some(product.to_string()),
        product: Some(product.clone()),
        target: total(feeds),
        ..Noticed::of(Subject::Product(product.clone()), Reason::new(Code::ProductNotMapped, explanation))
    })
}

/// The first few, and how many more: what a source calls a product may be anything, and any number of them.
pub(super) fn some(all: impl ExactSizeIterator<Item = String>) -> String {
    let more = all.len().saturating_sub(MOST_NAMED);
    let named: Vec<String> = all.take(MOST_NAMED).collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", named.join(", "))
}

/// What a company is called in an explanation.
pub(super) fn titled<'a>(company: &'a CompanyId, name: &'a str) -> &'a str {
    if name.is_empty() { company.as_str() } else { name }
}

fn total(feeds: &[&Unmapped]) -> Option<Units> {
    feeds.iter().try_fold(Units::ZERO, |sum, feed| sum.checked_add(feed.quantity))
}

/// That the PSA shows prices and not one cost.
pub(super) fn costs_hidden(prices: &BTreeMap<LineKey, UnitPrices>) -> Option<Noticed> {
    let sold = prices.values().filter(|prices| prices.price.is_some()).count();
    let hidden = sold > 0 && prices.values().all(|prices| prices.cost.is_none());
    hidden.then(|| {
        let explanation = format!("The PSA shows this API user the price of {sold} lines and the cost of none.");
        let reason = Reason::new(Code::CostsHidden, explanation);
        Noticed { about: Some("costs".to_owned()), ..Noticed::of(Subject::Connection, reason) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Money;
    use crate::domain::period::PeriodType;
    use crate::domain::rule::Rule;
    use crate::store::Newer;

    fn prices(price: &str, cost: Option<&str>, currency: &str) -> UnitPrices {
        let money = |text: &str| Money::try_from(text.to_owned()).unwrap();
        UnitPrices { price: Some(money(price)), cost: cost.map(money), currency: currency.parse().ok(), cost_in: None }
    }

    fn mapped(product: &str, service: &str) -> ProductMapping {
        ProductMapping {
            product: product.parse().unwrap(),
            service_id: service.parse().ok(),
            rule: Rule::default(),
            price: None,
            provision: None,
            version: 1,
            updated_at: Timestamp::UNIX_EPOCH,
            updated_by: "me".into(),
            newer: Newer::default(),
        }
    }

    fn counted(product: &str, quantity: i64) -> Unmapped {
        Unmapped {
            company: "acme".parse().unwrap(),
            company_name: None,
            product: product.parse().unwrap(),
            quantity: quantity.try_into().unwrap(),
            as_of: Timestamp::UNIX_EPOCH,
            why: Why::CompanyNotMapped,
            account_id: None,
            charges: None,
        }
    }

    /// What is at stake, a month, for a company with these counts: edr is sold by the year, m365 in another currency, sat has
    /// no price and nobody knows for how long bdr is sold.
    fn at_stake(counts: &[(&str, i64)]) -> Option<String> {
        let products =
            [mapped("edr", "1"), mapped("itdr", "2"), mapped("m365", "3"), mapped("sat", "4"), mapped("bdr", "5")];
        let list = [
            ("1", (prices("60", None, "EUR"), Some(PeriodType::Yearly))),
            ("2", (prices("3", None, "EUR"), Some(PeriodType::Monthly))),
            ("3", (prices("3", None, "CHF"), Some(PeriodType::Monthly))),
            ("5", (prices("3", None, "EUR"), None)),
        ];
        let list = list.into_iter().map(|(service, price)| (service.parse().unwrap(), price)).collect();
        let loose: Vec<Unmapped> = counts.iter().map(|(product, units)| counted(product, *units)).collect();
        let gaps = unmapped(&loose, &MappedElsewhere::default(), &products, &list);
        let [gap] = gaps.as_slice() else { panic!("one company: {gaps:?}") };
        gap.money.as_ref().and_then(|money| money.monthly_price).map(|price| price.to_string())
    }

    #[test]
    fn usage_that_is_billed_nowhere_is_worth_its_list_prices_a_month_or_nothing_that_is_known() {
        assert_eq!(at_stake(&[("edr", 7)]).as_deref(), Some("35.00"));
        assert_eq!(at_stake(&[("edr", 7), ("itdr", 2)]).as_deref(), Some("41.00"));
        for unknown in ["m365", "sat", "bdr"] {
            assert_eq!(at_stake(&[("edr", 7), (unknown, 2)]), None, "{unknown}");
        }
    }

    #[test]
    fn costs_are_called_hidden_where_prices_are_shown_and_no_cost_at_all() {
        let told = |costs: &[Option<&str>]| {
            let line = |number: usize| LineKey {
                contract: number.to_string().parse().unwrap(),
                service: "1".parse().unwrap(),
            };
            let all = costs.iter().enumerate().map(|(number, cost)| (line(number), prices("5", *cost, "EUR")));
            costs_hidden(&all.collect()).map(|noticed| noticed.reason.code)
        };
        assert_eq!(told(&[None, None]).as_deref(), Some("costs_hidden"));
        assert_eq!(told(&[None, Some("2")]), None, "one service without a cost hides none");
        assert_eq!(told(&[Some("0")]), None);
        assert_eq!(told(&[]), None);
    }
}
