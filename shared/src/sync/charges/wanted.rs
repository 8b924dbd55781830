//! What charges should stand, by the records of usage and the mappings alone.
//!
//! A record is charged where it was charged first: a company that is mapped to another contract, a product that is bundled
//! from now on or another billing day speak for records that stand nowhere yet. So none is charged twice.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::job::{Label, PutHereBy, Version};
use crate::domain::charge::{
    BillingDay, Charge, ChargeHistory, ChargeKey, ChargeLine, ChargeRecord, MOST_RECORDS, RecordKey, Records, Terms,
    Unchargeable, bundled, itemised, items, named,
};
use crate::domain::ids::{AccountId, CompanyId, Meter, ProductKey};
use crate::domain::money::Currency;
use crate::domain::period::Period;
use crate::domain::policy::Policy;
use crate::domain::pricing::Markup;
use crate::domain::reason::{Code, Reason};
use crate::psa::ChargedIn;
use crate::psa::charges::{LONGEST_CHARGE_DESCRIPTION, LONGEST_CHARGE_NAME};
use crate::store::mappings::{ChargeMapping, ChargeMode, ChargeWhen, CompanyMapping};
use crate::sync::lines::not_understood;

/// A charge that should stand.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub line: ChargeLine,
    pub label: Label,
    pub period: Period,
    /// The partner's name of its billing code.
    pub billing_code: String,
    pub records: Records,
    /// By what they are put here.
    pub put_here_by: PutHereBy,
    /// What it should come to, or why that can't be said or is not written.
    pub terms: Result<Terms, Reason>,
    /// What it is called where nothing can be said of it.
    pub name: String,
    /// The markup in its price.
    pub markup: Option<Markup>,
}

/// Everything that charges are made of.
pub(super) struct Sources<'a> {
    pub mappings: &'a [ChargeMapping],
    pub companies: &'a [CompanyMapping],
    pub known: &'a BTreeMap<ChargeLine, ChargeHistory>,
    /// Companies and products that an older connection to the same tenant charges: what stands nowhere yet is its.
    pub of_others: &'a BTreeSet<(CompanyId, ProductKey)>,
    pub policy: &'a Policy,
    pub today: Date,
    /// The first day of the billing periods that are looked at.
    pub from: Date,
}

/// The records of one charge.
#[derive(Default)]
struct Pile<'a> {
    records: Vec<ChargeRecord>,
    companies: BTreeMap<&'a CompanyId, Version>,
    markups: BTreeSet<Option<String>>,
    markup: Option<Markup>,
    account: Option<AccountId>,
    /// What of the mappings is not understood.
    not_understood: Option<String>,
    /// A company whose charges another connection was made for first.
    of_others: Option<CompanyId>,
    /// That days are charged twice.
    overlapping: Option<String>,
    /// All of it is from before the day from which charges are made.
    early: bool,
}

impl Sources<'_> {
    /// What should stand of `records`, by charge. A record whose company or product is not mapped is not among them.
    pub fn wanted(&self, records: Vec<ChargeRecord>) -> Vec<Wanted> {
        let charged: BTreeMap<&str, &ChargeLine> = self
            .known
            .iter()
            .filter(|(_, history)| history.stands())
            .flat_map(|(line, history)| history.records.digests().map(move |digest| (digest, line)))
            .collect();
        let mappings: BTreeMap<&ProductKey, &ChargeMapping> =
            self.mappings.iter().map(|mapping| (&mapping.product, mapping)).collect();
        let companies: BTreeMap<&CompanyId, &CompanyMapping> =
            self.companies.iter().map(|mapping| (&mapping.company, mapping)).collect();
        let overlapping = overlapping(&records);
        let mut piles: BTreeMap<(ChargeLine, bool), Pile<'_>> = BTreeMap::new();
        for record in records {
            let Some((company, mapping)) = companies.get(&record.company).zip(mappings.get(&record.product)) else {
                continue;
            };
            let stands_at = charged.get(named(&record.key()).as_str()).copied();
            let special = company.overrides.get(&record.product);
            if stands_at.is_none() && special.is_some_and(|special| special.excluded) {
                continue;
            }
            // It stands in a billing period, of another billing day perhaps, that is not looked at any more.
            if stands_at.is_some_and(|line| line.key.period_start < self.from) {
                continue;
            }
            let early = stands_at.is_none() && record.period.from() < mapping.from;
            let Some(line) = stands_at.cloned().or_else(|| self.line(&record, company, mapping)) else { continue };
            let price = special.and_then(|special| special.price.as_ref());
            let own = price.and_then(|price| price.markup_percent).or(mapping.markup_percent);
            let markup = own.or(self.policy.markup.products);
            let kept = self.known.get(&line).and_then(|known| known.kept_markup(self.today));
            let markup = kept.unwrap_or(markup);
            let pile = piles.entry((line, early)).or_insert_with(|| Pile { early, ..Pile::default() });
            pile.markups.insert(markup.as_ref().map(Markup::to_string));
            pile.markup = markup;
            pile.companies.entry(&company.company).or_insert_with(|| Version::of(*company));
            pile.account.get_or_insert_with(|| company.account_id.clone());
            pile.not_understood =
                pile.not_understood.take().or_else(|| not_understood(*company)).or_else(|| not_understood(*mapping));
            if stands_at.is_none() && self.of_others.contains(&(record.company.clone(), record.product.clone())) {
                pile.of_others.get_or_insert_with(|| record.company.clone());
            }
            if pile.overlapping.is_none() {
                pile.overlapping = overlapping.get(&record.key()).cloned();
            }
            pile.records.push(record);
        }
        let wanted = |((line, _), pile): ((ChargeLine, bool), Pile<'_>)| {
            let mapping = mappings.get(&line.key.product)?;
            self.of(line, pile, mapping)
        };
        piles.into_iter().filter_map(wanted).collect()
    }

    /// Where a record is charged that is charged nowhere yet.
    fn line(&self, record: &ChargeRecord, company: &CompanyMapping, mapping: &ChargeMapping) -> Option<ChargeLine> {
        let special = company.overrides.get(&record.product).and_then(|special| special.contract_id.clone());
        let period = self.policy.billing_day.period_of(record.period.from())?;
        let meter = (mapping.mode == ChargeMode::Itemised).then(|| record.meter.clone());
        let key = ChargeKey { product: record.product.clone(), meter, period_start: period.start };
        Some(ChargeLine { contract: special.unwrap_or_else(|| company.contract_id.clone()), key })
    }

    fn of(&self, line: ChargeLine, pile: Pile<'_>, mapping: &ChargeMapping) -> Option<Wanted> {
        let known = self.known.get(&line);
        let begins = self.policy.billing_day.period_of(line.key.period_start)?;
        let end = known.map_or(begins.end, |known| known.period_end);
        let period = Period { start: line.key.period_start, end };
        let first = pile.records.first()?;
        let account = known.map(|known| known.account.clone()).or(pile.account.clone())?;
        let records: Vec<_> = pile.records.iter().map(ChargeRecord::key).collect();
        let made = self.charge(&line, &pile, mapping, period);
        let name = match (&made, &mapping.name) {
            (Ok(charge), _) => charge.name.clone(),
            (Err(_), Some(name)) => name.clone(),
            (Err(_), None) => first.description.clone(),
        };
        let currency = made.as_ref().ok().map(|charge| charge.currency.clone());
        Some(Wanted {
            label: Label {
                account,
                company: first.company.clone(),
                company_name: first.company_name.clone(),
                currency,
            },
            billing_code: mapping.billing_code.clone(),
            records: records.iter().collect(),
            put_here_by: PutHereBy {
                billing_day: self.policy.billing_day,
                charges: (mapping.product.clone(), Version::of(mapping)),
                companies: pile.companies.iter().map(|(id, version)| ((*id).clone(), version.clone())).collect(),
            },
            terms: made.and_then(|charge| self.let_through(&line, &pile, mapping, period, charge)),
            name: clipped(&name, LONGEST_CHARGE_NAME),
            markup: pile.markup,
            line,
            period,
        })
    }

    /// What the records come to.
    fn charge(
        &self,
        line: &ChargeLine,
        pile: &Pile<'_>,
        mapping: &ChargeMapping,
        period: Period,
    ) -> Result<Charge, Reason> {
        if let Some(explanation) = &pile.not_understood {
            return Err(Reason::new(Code::MappingNotUnderstood, explanation.clone()));
        }
        if let Some(company) = &pile.of_others {
            let explanation = format!("An older connection to the same PSA has the charges of {company}.");
            return Err(Reason::new(Code::ChargeOfAnotherConnection, explanation));
        }
        if let Some(explanation) = &pile.overlapping {
            return Err(Reason::new(Code::ChargeUnclear, explanation.clone()));
        }
        if pile.companies.len() > MOST_COMPANIES {
            let explanation =
                format!("{} companies share this charge; {MOST_COMPANIES} are the most.", pile.companies.len());
            return Err(Reason::new(Code::ChargeUnclear, explanation));
        }
        if pile.markups.len() > 1 {
            let told =
                |markup: &Option<String>| markup.clone().map_or_else(|| "none".to_owned(), |it| format!("{it} %"));
            let markups: Vec<String> = pile.markups.iter().map(told).collect();
            let explanation = format!("The companies of this charge have different markups: {}.", markups.join(", "));
            return Err(Reason::new(Code::ChargeMarkupsDiffer, explanation));
        }
        if pile.records.len() > MOST_RECORDS {
            let explanation = format!(
                "It is made of {} records; {MOST_RECORDS} are the most. Send one record a meter and billing period, or \
                 itemise the product.",
                pile.records.len()
            );
            return Err(Reason::new(Code::ChargeUnclear, explanation));
        }
        let unchargeable = |error: Unchargeable| {
            let code = match error {
                Unchargeable::SeveralCurrencies { .. } => Code::CurrencyMismatch,
                Unchargeable::TooLarge { .. } => Code::UsageTooLarge,
            };
            Reason::new(code, error.to_string())
        };
        let of = items(&pile.records, pile.markup).map_err(unchargeable)?;
        let made = match line.key.meter {
            Some(_) => itemised(&of, period).pop(),
            None => {
                let known = self.known.get(line).and_then(|known| known.pieces.last());
                // A product that is itemised by now: its bundle keeps its name.
                let kept = || known.map(|piece| piece.asked.name.clone());
                let name = mapping.name.clone().or_else(kept).unwrap_or_else(|| line.key.product.to_string());
                bundled(&of, &line.key.product, &name, period).map_err(unchargeable)?
            }
        };
        made.ok_or_else(|| Reason::new(Code::ChargeUnclear, "It is made of no records.".to_owned()))
    }

    /// Its terms, where it is to be written at all by now.
    fn let_through(
        &self,
        line: &ChargeLine,
        pile: &Pile<'_>,
        mapping: &ChargeMapping,
        period: Period,
        charge: Charge,
    ) -> Result<Terms, Reason> {
        if pile.early {
            let explanation =
                format!("{} is usage of before {}, from when charges are made.", charge.amounts(), mapping.from);
            return Err(Reason::new(Code::ChargeBeforeStart, explanation));
        }
        let known = self.known.get(line).filter(|known| known.stands());
        if known.is_none() && mapping.when == ChargeWhen::AfterPeriod && period.end >= self.today {
            let explanation = format!("{} by now; it is charged after {}.", charge.amounts(), period.end);
            return Err(Reason::new(Code::ChargeWaits, explanation));
        }
        if let Some(stands_in) = known.and_then(|known| known.currency.as_ref()).filter(|it| **it != charge.currency) {
            let explanation = format!(
                "It stands in {}, and its records are in {} now: amounts are never converted.",
                stands_in.as_str(),
                charge.currency.as_str()
            );
            return Err(Reason::new(Code::CurrencyMismatch, explanation));
        }
        let records: Records = charge.of.iter().collect();
        if known.is_some_and(|known| !known.records.are_among(&records)) {
            let explanation = "Some of its records are of companies or products that are not mapped any more, or are \
                               not on record any more."
                .to_owned();
            return Err(Reason::new(Code::ChargeRecordsMissing, explanation));
        }
        Ok(Terms {
            amounts: charge.amounts(),
            name: clipped(&charge.name, LONGEST_CHARGE_NAME),
            description: clipped(&charge.description, LONGEST_CHARGE_DESCRIPTION),
            date: charge.date,
        })
    }
}

/// The most companies that share a charge: what is known of each is checked in the transaction that stores a write.
const MOST_COMPANIES: usize = 80;

/// Records of one company and meter whose days overlap are no two things: each with what is wrong. One of nothing takes a
/// record back, and stands beside any.
fn overlapping(records: &[ChargeRecord]) -> BTreeMap<RecordKey, String> {
    let mut meters: BTreeMap<(&CompanyId, &ProductKey, &Meter), Vec<&ChargeRecord>> = BTreeMap::new();
    for record in records.iter().filter(|record| record.worth.exact().is_none_or(|exact| !exact.is_zero())) {
        meters.entry((&record.company, &record.product, &record.meter)).or_default().push(record);
    }
    let mut found = BTreeMap::new();
    for mut of in meters.into_values() {
        of.sort_by_key(|record| record.period.from());
        let mut longest: Option<&ChargeRecord> = None;
        for record in of {
            if let Some(before) = longest.filter(|before| before.period.to() >= record.period.from()) {
                let days = |it: &ChargeRecord| format!("{} to {}", it.period.from(), it.period.to());
                let explanation = format!(
                    "{} of {} is charged twice for the same days: {} and {}. Send the one that is wrong again with an amount of 0.",
                    record.meter,
                    record.company,
                    days(before),
                    days(record)
                );
                found.insert(before.key(), explanation.clone());
                found.insert(record.key(), explanation);
            }
            if longest.is_none_or(|longest| longest.period.to() < record.period.to()) {
                longest = Some(record);
            }
        }
    }
    found
}

/// At most so many characters of a text, and no blank at its end.
fn clipped(text: &str, most: usize) -> String {
    let text = text.trim();
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let cut: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}

/// The first day of the billing periods that are looked at: the one that is running on `today`, and six before it.
pub(super) fn looked_at_from(billing_day: BillingDay, today: Date) -> Option<Date> {
    let mut period = billing_day.period_of(today)?;
    for _ in 0..PERIODS_BEFORE {
        period = billing_day.period_of(period.start.yesterday().ok()?)?;
    }
    Some(period.start)
}

/// Billing periods before the running one whose charges still follow their records.
const PERIODS_BEFORE: u32 = 6;

/// The currency of charges of an account, checked against what the PSA says it bills in.
pub(super) fn billed_in(
    currency: &Currency,
    charged: Option<&ChargedIn>,
    stated: Option<&Currency>,
) -> Result<(), Reason> {
    let prices = charged.and_then(|charged| charged.prices.as_ref()).or(stated);
    match (prices, charged.and_then(|charged| charged.costs.as_ref())) {
        (Some(billed), Some(costs)) => {
            let explanation = format!(
                "The customer is invoiced in {} and costs are in {}: a charge in {} can't be both.",
                billed.as_str(),
                costs.as_str(),
                currency.as_str()
            );
            Err(Reason::new(Code::CurrencyMismatch, explanation))
        }
        (Some(billed), None) if billed == currency => Ok(()),
        (Some(billed), None) => {
            let explanation = format!(
                "The usage is charged in {}, and the customer is invoiced in {}.",
                currency.as_str(),
                billed.as_str()
            );
            Err(Reason::new(Code::CurrencyMismatch, explanation))
        }
        (None, _) => {
            let explanation =
                format!("The usage is charged in {}, and the PSA does not say what it bills in.", currency.as_str());
            Err(Reason::new(Code::CurrencyUnknown, explanation))
        }
    }
}
