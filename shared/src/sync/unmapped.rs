//! Usage that no mapping takes: companies and products that are counted and billed nowhere. Metered charges that nothing
//! bills have the same shape; which these are is decided in `charges`.
//!
//! Pure, over what a planner has in hand as well as a function that people ask: the usage book and the mappings. What a
//! person has excluded is taken, by that decision. What is to be done about the rest is decided elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::RangeInclusive;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::ids::{AccountId, CompanyId, ProductKey};
use crate::domain::money::{Currency, Money};
use crate::domain::units::Units;
use crate::store::mappings::{CompanyMapping, ProductMapping};
use crate::store::usage::{FeedUsage, Month, UsageBook};

/// Why a feed adds to no line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Its company is mapped to no account.
    CompanyNotMapped,
    /// Its company is mapped, its product is to no service.
    ProductNotMapped,
    /// No connection maps the metered charges of its product, whether its company is mapped or not.
    ChargesNotMapped,
}

/// A feed that adds to no line, or the metered charges of a company and product that nothing bills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Unmapped {
    /// The company.
    #[schema(value_type = String)]
    pub company: CompanyId,
    /// Its name as last given.
    pub company_name: Option<String>,
    /// The product.
    #[schema(value_type = String)]
    pub product: ProductKey,
    /// Its newest count; 0 for charges.
    #[schema(value_type = u32)]
    pub quantity: Units,
    /// The instant that the count is true for; for charges, that of the newest record.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Timestamp,
    /// Why nothing takes it.
    pub why: Why,
    /// The company's account in the PSA, where its usage names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub account_id: Option<AccountId>,
    /// What the charges come to, before any markup, in the running billing period and the last one, by currency. Only for
    /// charges; a sum of more than is believed is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charges: Option<Vec<Charged>>,
}

/// An amount in its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Charged {
    /// The currency.
    #[schema(value_type = String, example = "EUR")]
    pub currency: Currency,
    /// How much.
    #[schema(value_type = String, example = "84.00")]
    pub amount: Money,
}

impl fmt::Display for Charged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency.as_str())
    }
}

/// The months whose usage is looked at: the one before, this one, and the one that begins within the hour, for a count may be
/// dated that much ahead.
#[must_use]
pub fn recent_months(now: Timestamp) -> RangeInclusive<Month> {
    let first = now.to_zoned(TimeZone::UTC).date().first_of_month();
    let before = first.yesterday().map_or(first, Date::first_of_month);
    let start = before.to_zoned(TimeZone::UTC).map_or(now, |zoned| zoned.timestamp());
    let end = now.saturating_add(SignedDuration::from_hours(1)).unwrap_or(now);
    Month::of(start)..=Month::of(end)
}

/// Every feed of `book` that was counted in `since` or later, above zero at least once, and that adds to no line; by company
/// and product.
#[must_use]
pub fn unmapped(
    book: &UsageBook,
    since: Month,
    products: &[ProductMapping],
    companies: &[CompanyMapping],
) -> Vec<Unmapped> {
    let products: BTreeSet<&ProductKey> = products.iter().map(|mapping| &mapping.product).collect();
    let companies: BTreeMap<&CompanyId, &CompanyMapping> =
        companies.iter().map(|mapping| (&mapping.company, mapping)).collect();
    let why = |company: &CompanyId, product: &ProductKey| match companies.get(company) {
        None => Some(Why::CompanyNotMapped),
        Some(mapping) if mapping.overrides.get(product).is_some_and(|special| special.excluded) => None,
        Some(_) => (!products.contains(product)).then_some(Why::ProductNotMapped),
    };
    let found = book.feeds.iter().filter_map(|(feed, usage)| {
        let why = why(&feed.company, &feed.product)?;
        let (quantity, as_of) = newest(usage, since)?;
        Some(Unmapped {
            company: feed.company.clone(),
            company_name: usage.company_name.clone(),
            product: feed.product.clone(),
            quantity,
            as_of,
            why,
            account_id: usage.account_id.clone(),
            charges: None,
        })
    });
    found.collect()
}

/// The newest count, if one that is not zero falls into `since` or later.
fn newest(usage: &FeedUsage, since: Month) -> Option<(Units, Timestamp)> {
    let counts = || usage.counts.iter().map(|recorded| &recorded.count).filter(|count| Month::of(count.as_of) >= since);
    let used = counts().any(|count| count.units > Units::ZERO);
    let newest = counts().max_by_key(|count| (count.as_of, count.complete))?;
    used.then_some((newest.units, newest.as_of))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::policy::WhenAbsent;
    use crate::domain::rule::Rule;
    use crate::domain::series::Count;
    use crate::store::Newer;
    use crate::store::mappings::Override;
    use crate::store::usage::{Feed, RecordedCount};

    const NOW: &str = "2026-11-20T12:00:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Counts of company, product, day of 2026 and number, in order of time.
    fn book(counts: &[(&str, &str, &str, i64)]) -> UsageBook {
        let mut book = UsageBook::default();
        for (company, product, day, units) in counts {
            let feed = Feed { company: company.parse().unwrap(), product: product.parse().unwrap() };
            let usage = book.feeds.entry(feed).or_default();
            usage.company_name = Some(company.to_uppercase());
            usage.counts.push(RecordedCount {
                count: Count {
                    as_of: at(&format!("2026-{day}T12:00:00Z")),
                    units: (*units).try_into().unwrap(),
                    complete: true,
                    snapshot: "s".parse().unwrap(),
                },
                unit_cost: None,
                currency: None,
            });
        }
        book
    }

    fn product(product: &str) -> ProductMapping {
        ProductMapping {
            product: product.parse().unwrap(),
            service_id: "501".parse().ok(),
            rule: Rule::default(),
            price: None,
            provision: None,
            version: 1,
            updated_at: at(NOW),
            updated_by: "me".into(),
            newer: Newer::default(),
        }
    }

    fn company(company: &str, excluded: &[&str]) -> CompanyMapping {
        let exclude = |product: &&str| (product.parse().unwrap(), Override { excluded: true, ..Override::default() });
        CompanyMapping {
            company: company.parse().unwrap(),
            account_id: "1001".parse().unwrap(),
            contract_id: "2001".parse().unwrap(),
            overrides: excluded.iter().map(exclude).collect(),
            openings: BTreeMap::new(),
            when_absent: WhenAbsent::default(),
            version: 1,
            updated_at: at(NOW),
            updated_by: "me".into(),
            newer: Newer::default(),
        }
    }

    fn found(book: &UsageBook, products: &[ProductMapping], companies: &[CompanyMapping]) -> Vec<String> {
        let since = Month::of(at("2026-10-01T00:00:00Z"));
        let told = |found: Unmapped| format!("{} {} {} {:?}", found.company, found.product, found.quantity, found.why);
        unmapped(book, since, products, companies).into_iter().map(told).collect()
    }

    #[test]
    fn recent_months_are_this_one_and_the_last() {
        let text = |now: &str| {
            let months = recent_months(at(now));
            format!("{} {}", months.start(), months.end())
        };
        assert_eq!(text("2026-11-21T12:00:00Z"), "2026-10 2026-11");
        assert_eq!(text("2027-01-31T23:30:00Z"), "2026-12 2027-02");
    }

    #[test]
    fn what_no_mapping_takes_is_told_with_its_newest_count() {
        let book = book(&[
            ("acme", "edr", "11-01", 3),
            ("acme", "edr", "11-02", 4),
            ("beta", "edr", "11-02", 7),
            ("beta", "m365", "11-02", 9),
        ]);
        assert_eq!(
            found(&book, &[product("edr")], &[company("beta", &[])]),
            ["acme edr 4 CompanyNotMapped", "beta m365 9 ProductNotMapped"]
        );
        assert!(
            found(&book, &[product("edr"), product("m365")], &[company("beta", &[]), company("acme", &[])]).is_empty()
        );
    }

    #[test]
    fn what_is_excluded_or_long_over_or_never_was_is_not_told() {
        let book = book(&[
            ("acme", "m365", "11-02", 5),
            ("gone", "edr", "09-30", 5),
            ("idle", "edr", "11-01", 0),
            ("idle", "edr", "11-02", 0),
            ("left", "edr", "11-01", 6),
            ("left", "edr", "11-02", 0),
        ]);
        assert_eq!(found(&book, &[product("edr")], &[company("acme", &["m365"])]), ["left edr 0 CompanyNotMapped"]);
    }
}
