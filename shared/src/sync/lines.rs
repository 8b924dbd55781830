//! From mappings and usage to lines: which feeds add to which line, and under which rule.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::job::Label;
use super::succession::{Followed, Succession};
use super::unmapped::recent_months;
use crate::domain::amount::Amount;
use crate::domain::desired::{Absence, Feed};
use crate::domain::ids::{AccountId, CompanyId, ContractId, ProductKey};
use crate::domain::line::{LineHistory, LineKey};
use crate::domain::period::PeriodType;
use crate::domain::policy::Markups;
use crate::domain::pricing::{FeedCost, Pricing};
use crate::domain::reason::{Code, Reason};
use crate::domain::rule::Rule;
use crate::domain::units::Units;
use crate::psa::{Asked, Opening};
use crate::store::mappings::{CompanyMapping, Mapping, Price, ProductMapping};
use crate::store::runs::Run;
use crate::store::usage::{self, Month, UsageBook};

/// A line as the mappings describe it, before any usage is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MappedLine {
    pub key: LineKey,
    pub rule: Rule,
    /// Its feeds, and the account and rule that each one's mapping names.
    pub feeds: Vec<MappedFeed>,
    /// The ended contracts that mappings of its feeds name, in whose place it is billed.
    pub followed: Vec<Followed>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MappedFeed {
    pub company: CompanyMapping,
    pub product: ProductKey,
    /// The line that its mapping names. Where the contract has ended, it may add to another.
    pub named: LineKey,
    rule: Rule,
    price: Option<Price>,
    /// Why its line can't be told, where a newer version has stored what it comes from.
    not_understood: Option<String>,
}

impl MappedLine {
    /// Every line that `feeds` add to and that is `wanted`, in the order of their keys. All feeds of such a line count,
    /// whoever asked for it.
    pub fn all(feeds: Vec<MappedFeed>, succession: &Succession, wanted: &Wanted) -> Vec<Self> {
        let mut lines: BTreeMap<LineKey, (Vec<MappedFeed>, Vec<Followed>)> = BTreeMap::new();
        for feed in feeds {
            let followed = succession.of(&feed);
            let contract = followed.map_or(&feed.named.contract, |followed| &followed.next.id).clone();
            let line = lines.entry(LineKey { contract, service: feed.named.service.clone() }).or_default();
            line.1.extend(followed.filter(|followed| !line.1.contains(followed)).cloned());
            line.0.push(feed);
        }
        lines
            .into_iter()
            .filter(|(key, (feeds, _))| wanted.line(key, feeds))
            .filter_map(|(key, (feeds, followed))| {
                Some(Self { key, rule: feeds.first()?.rule.clone(), feeds, followed })
            })
            .collect()
    }

    /// The line without companies of other sources than the one that counts its product; `None` where that is all of them.
    pub fn counted_by(mut self, book: &UsageBook) -> Option<Self> {
        self.feeds.retain(|feed| !book.is_of_another_source(&feed.named_in_usage()));
        (!self.feeds.is_empty()).then_some(self)
    }

    /// The line with its usage. `None` where no feed was ever counted and the line was never written: the product is not
    /// used there, and there is nothing to say.
    pub fn with_usage(
        &self,
        book: &UsageBook,
        history: Option<&LineHistory>,
        fresh_from: Timestamp,
    ) -> Option<Vec<Feed>> {
        let feeds: Vec<Feed> = self.feeds.iter().map(|feed| feed.with_usage(book, fresh_from)).collect();
        let ours = history.is_some_and(|history| history.confirmed.is_some() || history.open.is_some());
        (ours || feeds.iter().any(|feed| !feed.counts.is_empty())).then_some(feeds)
    }

    /// The account that every feed's mapping names.
    ///
    /// # Errors
    /// A mapping of the line is of a newer version; two of them name different accounts, or different rules.
    pub fn agreed(&self) -> Result<AccountId, Reason> {
        if let Some(explanation) = self.feeds.iter().find_map(|feed| feed.not_understood.clone()) {
            return Err(Reason::new(Code::MappingNotUnderstood, explanation));
        }
        let first = &self.feeds[..1];
        for feed in &self.feeds {
            if first.iter().any(|first| first.company.account_id != feed.company.account_id) {
                let explanation = format!("Its companies are mapped to different accounts: {}.", self.companies());
                return Err(Reason::new(Code::ContractOfAnotherAccount, explanation));
            }
            let differs = |other: &MappedFeed| match (other.stated(&self.key), feed.stated(&self.key)) {
                (Some(one), Some(other)) => one != other,
                _ => false,
            };
            if self.feeds.iter().any(differs) {
                let explanation = format!("{} state different opening units of this line.", self.companies());
                return Err(Reason::new(Code::OpeningUnitsDiffer, explanation));
            }
            if first.iter().any(|first| first.price != feed.price) {
                let explanation = format!("{} share this line and are priced differently.", self.companies());
                return Err(Reason::new(Code::RulesDiffer, explanation));
            }
            if feed.rule != self.rule {
                let explanation = format!("{} share this line under different rules.", self.companies());
                return Err(Reason::new(Code::RulesDiffer, explanation));
            }
        }
        first
            .first()
            .map(|feed| feed.company.account_id.clone())
            .ok_or_else(|| Reason::new(Code::UsageMissing, "Nothing is mapped to this line.".into()))
    }

    /// Whose line it is in the results: the first feed that has usage.
    pub fn label(&self, feeds: &[Feed], history: &LineHistory, billed: Option<PeriodType>) -> Label {
        let index = feeds.iter().position(|feed| !feed.counts.is_empty()).unwrap_or(0);
        let (mapped, feed) = (&self.feeds[index], &feeds[index]);
        Label {
            account: mapped.company.account_id.clone(),
            company: feed.company.clone(),
            company_name: feed.company_name.clone(),
            product: feed.product.clone(),
            note: self.note(),
            last: history.confirmed,
            prices: None,
            billed,
        }
    }

    /// The first day that may be changed: what lies before it was billed on the contracts in whose place it is billed.
    pub fn not_before(&self) -> Option<Date> {
        self.followed.iter().map(|followed| followed.not_before).max()
    }

    /// What people have stated of its units, where the PSA does not show them. What was said of the contract that it follows
    /// says nothing of it.
    pub fn opening(&self) -> Option<Opening> {
        let of_it = self.feeds.iter().filter(|feed| feed.named == self.key);
        let asked: Asked = of_it.map(|feed| (self.key.clone(), feed.opening())).collect();
        asked.opening(&self.key)
    }

    /// How it is priced; `None`: its prices are left alone. Whether all feeds agree on it is for [`Self::agreed`] to say.
    pub fn pricing(&self, markups: &Markups) -> Option<Pricing> {
        self.feeds.first()?.price.as_ref()?.pricing(markups.services)
    }

    /// What the usage of each feed says that a unit costs: the newest that was said.
    pub fn costs(&self, book: &UsageBook) -> Vec<FeedCost> {
        self.feeds.iter().filter_map(|feed| feed.cost(book)).collect()
    }

    /// What is said of the line before anything else.
    fn note(&self) -> Option<String> {
        let told: Vec<String> = self.followed.iter().map(Followed::told).collect();
        (!told.is_empty()).then(|| told.join(" "))
    }

    /// Whether it is billed in place of `named`, a line of a contract that has ended.
    pub fn takes_the_place_of(&self, named: &LineKey) -> bool {
        self.key != *named && self.feeds.iter().any(|feed| feed.named == *named)
    }

    fn companies(&self) -> String {
        self.feeds
            .iter()
            .map(|feed| format!("{} ({})", feed.company.company, feed.product))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// What a run that is limited to `companies` can't reach: those that are not mapped (any more), or that no product is billed
/// for. Whoever named them expects to see them.
pub(super) fn left_out(
    companies: &[CompanyId],
    mapped: &[CompanyMapping],
    (feeds, has_charges): (&[MappedFeed], bool),
) -> Option<Reason> {
    let mapped: BTreeSet<&CompanyId> = mapped.iter().map(|mapping| &mapping.company).collect();
    let fed: BTreeSet<&CompanyId> = feeds.iter().map(|feed| &feed.company.company).collect();
    let unmapped: Vec<CompanyId> = companies.iter().filter(|company| !mapped.contains(company)).cloned().collect();
    if !unmapped.is_empty() {
        return Some(companies_not_mapped(&unmapped));
    }
    let without: Vec<&CompanyId> = companies.iter().filter(|company| !fed.contains(company)).collect();
    let explanation = || format!("No product is mapped for these companies: {}.", several(&without));
    // Its metered charges may be mapped without any product.
    (!without.is_empty() && !has_charges).then(|| Reason::new(Code::CompaniesNotMapped, explanation()))
}

/// Why a run does not cover `companies`, which are not mapped.
#[must_use]
pub fn companies_not_mapped(companies: &[CompanyId]) -> Reason {
    let named: Vec<&CompanyId> = companies.iter().collect();
    Reason::new(Code::CompaniesNotMapped, format!("These companies are not mapped: {}.", several(&named)))
}

/// As many names as anybody would read.
fn several(companies: &[&CompanyId]) -> String {
    const TOLD: usize = 20;
    let told: Vec<&str> = companies.iter().take(TOLD).map(|company| company.as_str()).collect();
    match companies.len().saturating_sub(TOLD) {
        0 => told.join(", "),
        more => format!("{} and {more} more", told.join(", ")),
    }
}

/// The lines that a run is limited to.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    companies: &'a [CompanyId],
    lines: BTreeSet<&'a str>,
}

impl<'a> Wanted<'a> {
    /// Every line.
    pub fn everything() -> Self {
        Self { companies: &[], lines: BTreeSet::new() }
    }

    pub fn of(run: &'a Run) -> Self {
        let lines = run.approved.iter().map(|approved| approved.line_id.as_str()).collect();
        Self { companies: &run.companies, lines }
    }

    fn line(&self, key: &LineKey, feeds: &[MappedFeed]) -> bool {
        let company = |feed: &MappedFeed| self.companies.contains(&feed.company.company);
        (self.companies.is_empty() || feeds.iter().any(company))
            && (self.lines.is_empty() || self.lines.contains(key.to_string().as_str()))
    }

    /// The feeds that can have to do with these lines as long as no contract has ended: those of the accounts in question,
    /// and whatever else names their contracts.
    pub fn feeds(&self, all: &[MappedFeed]) -> Vec<MappedFeed> {
        let named: BTreeSet<String> = all.iter().map(|feed| feed.named.to_string()).collect();
        // A line that no mapping names may be one that a mapping leads to.
        let asked_for = |feed: &&MappedFeed| self.line(&feed.named, std::slice::from_ref(*feed));
        if self.lines.iter().any(|line| !named.contains(*line)) {
            return all.to_vec();
        }
        let accounts: BTreeSet<&AccountId> =
            all.iter().filter(asked_for).map(|feed| &feed.company.account_id).collect();
        let of_accounts = all.iter().filter(|feed| accounts.contains(&feed.company.account_id));
        let contracts: BTreeSet<&ContractId> = of_accounts.map(|feed| &feed.named.contract).collect();
        all.iter().filter(|feed| contracts.contains(&feed.named.contract)).cloned().collect()
    }
}

impl MappedFeed {
    /// Every feed that the mappings name. What a company's mapping says that is not understood may be of any line of its
    /// account, so none of those is.
    pub fn all(products: &[ProductMapping], mapped: &[CompanyMapping]) -> Vec<Self> {
        let of_accounts: BTreeMap<&AccountId, String> =
            mapped.iter().filter_map(|company| Some((&company.account_id, not_understood(company)?))).collect();
        let of_products: BTreeMap<&ProductKey, String> =
            products.iter().filter_map(|product| Some((&product.product, not_understood(product)?))).collect();
        let feed = |company: &CompanyMapping, product: &ProductMapping| {
            let special = company.overrides.get(&product.product);
            if special.is_some_and(|special| special.excluded) {
                return None;
            }
            let contract = special.and_then(|s| s.contract_id.clone()).unwrap_or_else(|| company.contract_id.clone());
            let service = special.and_then(|s| s.service_id.clone()).or_else(|| product.service())?;
            let rule = special.and_then(|s| s.rule.clone()).unwrap_or_else(|| product.rule.clone());
            let price = special.and_then(|s| s.price.clone()).or_else(|| product.price.clone());
            let named = LineKey { contract, service };
            let not_understood =
                of_products.get(&product.product).or_else(|| of_accounts.get(&company.account_id)).cloned();
            Some(Self {
                company: company.clone(),
                product: product.product.clone(),
                named,
                rule,
                price,
                not_understood,
            })
        };
        mapped.iter().flat_map(|company| products.iter().filter_map(|product| feed(company, product))).collect()
    }

    /// Whether its mapping has prices kept.
    pub fn keeps_prices(&self) -> bool {
        self.price.as_ref().is_some_and(|price| price.pricing(None).is_some())
    }

    /// What its mapping states of the units of the line that it names.
    pub fn opening(&self) -> Option<Opening> {
        let stated = self.company.openings.get(&self.product).filter(|stated| stated.line == self.named)?;
        Some(Opening { units: stated.units, stated_at: stated.stated_at })
    }

    /// The units that its mapping states of `line`.
    fn stated(&self, line: &LineKey) -> Option<Units> {
        self.opening().filter(|_| self.named == *line).map(|opening| opening.units)
    }

    /// `None` where the feed was never counted: it adds nothing to the line, and says nothing of what it costs.
    fn cost(&self, book: &UsageBook) -> Option<FeedCost> {
        let (company, product) = (self.company.company.clone(), self.product.clone());
        let usage = book.feeds.get(&usage::Feed { company: company.clone(), product: product.clone() })?;
        let said =
            usage.counts.iter().rev().find_map(|recorded| Some((recorded.unit_cost?, recorded.currency.clone())));
        let (cost, currency) = said.unzip();
        Some(FeedCost { company, product, cost: cost.map(Amount::get), currency: currency.flatten() })
    }

    fn named_in_usage(&self) -> usage::Feed {
        usage::Feed { company: self.company.company.clone(), product: self.product.clone() }
    }

    fn with_usage(&self, book: &UsageBook, fresh_from: Timestamp) -> Feed {
        let key = self.named_in_usage();
        let found = book.feeds.get(&key);
        let counts: Vec<_> =
            found.map(|usage| usage.counts.iter().map(|recorded| recorded.count.clone()).collect()).unwrap_or_default();
        Feed {
            absent_from: self.absence(book, &counts),
            company: key.company,
            company_name: found.and_then(|usage| usage.company_name.clone()).unwrap_or_default(),
            product: key.product,
            counts,
            when_absent: self.company.when_absent,
            stale_since: book.stale_since(&self.product, fresh_from),
        }
    }

    /// The newest complete snapshot of the product, where it does not count this company. Half a count an hour is kept, so
    /// an older complete count of the same instant is no absence.
    fn absence(&self, book: &UsageBook, counts: &[crate::domain::series::Count]) -> Option<Absence> {
        let newest = book.newest_complete.get(&self.product)?;
        if book.since.is_none_or(|since| Month::of(newest.as_of) < since) {
            // Its counts were not read: that this company is not among them says nothing.
            return None;
        }
        let counted = counts.iter().any(|count| count.complete && count.as_of >= newest.as_of);
        let recent = recent_months(newest.as_of);
        let was_asked = counts.iter().any(|count| recent.contains(&Month::of(count.as_of)));
        let speaks = newest.speaks_of(&self.company.company, was_asked);
        (!counted && speaks).then(|| Absence { as_of: newest.as_of, snapshot: newest.snapshot.clone() })
    }
}

/// What of a mapping this version does not understand, in words.
pub(super) fn not_understood<T: Mapping>(mapping: &T) -> Option<String> {
    let parts = mapping.newer().names();
    (!parts.is_empty()).then(|| {
        let (id, parts) = (mapping.id(), parts.join(", "));
        format!(
            "A newer version of Tallyline has stored what this one does not understand in the mapping of {id}: {parts}."
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::series::Count;
    use crate::store::usage::{FeedUsage, Gaps, NewestComplete};

    fn at(day: &str) -> Timestamp {
        format!("{day}T12:00:00Z").parse().unwrap()
    }

    fn mapped(company: &str) -> MappedFeed {
        let mapping = json!({
            "company": company, "account_id": "1", "contract_id": "2", "overrides": {}, "openings": {},
            "when_absent": "zero", "version": 1, "updated_at": at("2026-08-01"), "updated_by": "ann",
        });
        MappedFeed {
            company: serde_json::from_value(mapping).unwrap(),
            product: "edr".parse().unwrap(),
            named: LineKey { contract: "2".parse().unwrap(), service: "3".parse().unwrap() },
            rule: Rule::default(),
            price: None,
            not_understood: None,
        }
    }

    /// Whether a company of a vendor who is asked about each customer is absent from the pull of 20 November, where it was
    /// counted last on `day`.
    fn is_absent(day: &str) -> bool {
        let newest = NewestComplete {
            as_of: at("2026-11-20"),
            snapshot: "pull-huntress-1-1-edr".parse().unwrap(),
            gaps: Gaps { untold: [].into(), only_asked: true },
        };
        let book = UsageBook {
            feeds: BTreeMap::from([(mapped("huntress:7").named_in_usage(), FeedUsage::default())]),
            newest_complete: BTreeMap::from([("edr".parse().unwrap(), newest)]),
            since: Some(Month::of(at("2026-08-01"))),
        };
        let count =
            Count { as_of: at(day), units: 5.try_into().unwrap(), complete: true, snapshot: "old".parse().unwrap() };
        mapped("huntress:7").absence(&book, &[count]).is_some()
    }

    #[test]
    fn who_was_not_counted_for_so_long_that_nobody_asked_is_not_absent() {
        assert!(is_absent("2026-11-03") && is_absent("2026-10-01"));
        assert!(!is_absent("2026-09-30") && !is_absent("2026-08-02"));
    }
}
