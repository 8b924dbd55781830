//! From a line's feeds to the units it should carry.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::ids::{CompanyId, ProductKey, SnapshotId};
use super::line::FeedQuantity;
use super::period::Period;
use super::policy::WhenAbsent;
use super::pricing::WantedPrices;
use super::reason::{Code, Reason};
use super::rule::{Counting, Rule};
use super::series::{Count, Series};
use super::units::Units;

/// A (company, product) pair whose usage adds to a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// The company.
    pub company: CompanyId,
    /// Its name as the vendor knows it; empty where no usage named it.
    pub company_name: String,
    /// The product.
    pub product: ProductKey,
    /// Its counts.
    pub counts: Vec<Count>,
    /// The newest complete snapshot of the product, where it is newer than any complete count of this feed.
    pub absent_from: Option<Absence>,
    /// What that absence means.
    pub when_absent: WhenAbsent,
    /// The instant of the product's newest complete snapshot, where that is too long ago.
    pub stale_since: Option<Timestamp>,
}

/// A complete snapshot that does not name the company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    /// The instant it is true for.
    pub as_of: Timestamp,
    /// Its id.
    pub snapshot: SnapshotId,
}

/// The units that a line should carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    /// How many.
    pub units: Units,
    /// Whether complete snapshots back a fall to it.
    pub may_lower: bool,
    /// How it came about.
    pub because: String,
    /// What each feed brought.
    pub feeds: Vec<FeedQuantity>,
    /// The product of which no complete snapshot has come for too long, where there is one.
    #[serde(default)]
    pub stale: Option<Stale>,
    /// What its units should cost and be sold for, where its mapping has them kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<WantedPrices>,
    /// Why that can't be said, where it can't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unpriced: Option<Reason>,
}

/// A product whose newest complete snapshot is too old for a fall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stale {
    /// The product.
    pub product: ProductKey,
    /// The instant that its newest complete snapshot is true for.
    pub since: Timestamp,
}

impl Desired {
    /// How many feeds were added up.
    #[must_use]
    pub fn feed_count(&self) -> u32 {
        u32::try_from(self.feeds.len()).unwrap_or(u32::MAX)
    }
}

/// Absent companies of a line that are told one by one.
const ABSENCES_TOLD: usize = 3;

/// The units that the line of `feeds` should carry in `period` under `rule`.
///
/// # Errors
/// A count is missing, a company is absent and its mapping says to wait, or the sum is no count.
pub fn desired(feeds: &[Feed], rule: &Rule, period: Period, today: Date, zone: &TimeZone) -> Result<Desired, Reason> {
    if let Some(feed) = feeds.iter().find(|feed| feed.absent_from.is_some() && feed.when_absent == WhenAbsent::Hold) {
        return Err(Reason::new(Code::CompanyAbsent, feed.held_for_absence(zone)));
    }
    let before = Before { start: period.start, zone, ends_marks: rule.counting == Counting::HighWaterMark };
    let of_feed = |feed: &Feed| feed.with_absence(before.within(before.without_raised(feed.counts.clone())));
    let counts: Vec<Vec<Count>> = feeds.iter().map(of_feed).collect();
    let uncounted = feeds.iter().zip(&counts).filter(|(_, counts)| counts.is_empty()).map(|(feed, _)| feed);
    // Of several the first by name is told, whatever order they came in.
    if let Some(feed) = uncounted.min_by_key(|feed| (&feed.company, &feed.product)) {
        return Err(feed.uncounted(period));
    }
    let counted = rule.counting.count(&Series::of(&counts, zone), period, today)?;
    let too_large = || Reason::new(Code::UsageTooLarge, format!("{} is no count.", counted.quantity));
    let ruled = rule.apply(counted.quantity, today).ok_or_else(too_large)?;
    // A newest count that is nothing but absences was counted by nobody.
    let uncounted = rule.counting == Counting::Latest && feeds.iter().all(Feed::is_zeroed);
    let counting = Some(counted.because.clone()).filter(|_| !uncounted);
    let because: Vec<String> = absences(feeds, zone).chain(counting).chain(ruled.because).collect();
    Ok(Desired {
        units: ruled.units,
        may_lower: counted.backed,
        because: because.join(", "),
        feeds: feeds.iter().zip(&counts).filter_map(|(feed, counts)| feed.quantity(counts)).collect(),
        prices: None,
        unpriced: None,
        stale: feeds.iter().filter_map(Feed::stale).min_by_key(|stale| (stale.since, stale.product.clone())),
    })
}

/// What absences were taken for, in words.
fn absences(feeds: &[Feed], zone: &TimeZone) -> impl Iterator<Item = String> {
    let told: Vec<String> = feeds.iter().filter_map(|feed| feed.taken_for(zone)).collect();
    let more = told.len().saturating_sub(ABSENCES_TOLD);
    let more = (more > 0).then(|| format!("{more} more companies of the line are absent"));
    told.into_iter().take(ABSENCES_TOLD).chain(more)
}

/// What the counts before a period mean for a high-water mark of it: they must not come back as the mark of a period in
/// which nobody counted them. Every other way of counting carries them on.
struct Before<'a> {
    start: Date,
    zone: &'a TimeZone,
    ends_marks: bool,
}

impl Before<'_> {
    fn is_inside(&self, count: &Count) -> bool {
        count.as_of.to_zoned(self.zone.clone()).date() >= self.start
    }

    /// Without the incomplete counts of earlier periods: what those raised ends with its period.
    fn without_raised(&self, mut counts: Vec<Count>) -> Vec<Count> {
        counts.retain(|count| !self.ends_marks || count.complete || self.is_inside(count));
        counts
    }

    /// Where the period has a complete count, its counts alone: until the first of them the feed stands at that one, so
    /// that a sum is not made of one feed's new count and another's old one.
    fn within(&self, mut counts: Vec<Count>) -> Vec<Count> {
        if self.ends_marks && counts.iter().any(|count| count.complete && self.is_inside(count)) {
            counts.retain(|count| self.is_inside(count));
        }
        counts
    }
}

impl Feed {
    fn named(&self) -> &str {
        if self.company_name.is_empty() { self.company.as_str() } else { &self.company_name }
    }

    /// The counts in order of time, with what an absence says put in its place: under `keep` the count known by then
    /// stands, under `zero` none is left. A company that was never counted stays unknown under `keep`, and is no zero.
    fn with_absence(&self, mut counts: Vec<Count>) -> Vec<Count> {
        counts.sort_by_key(|count| (count.as_of, !count.complete, count.units));
        let Some(absence) = &self.absent_from else {
            return counts;
        };
        let place = counts.partition_point(|count| count.as_of <= absence.as_of);
        let stands = match self.when_absent {
            // What was counted after the absence says nothing about the days before it.
            WhenAbsent::Keep | WhenAbsent::Hold => last_known(&counts[..place]),
            WhenAbsent::Zero => Some(Units::ZERO),
        };
        if let Some(units) = stands {
            let carried = Count { as_of: absence.as_of, units, complete: true, snapshot: absence.snapshot.clone() };
            counts.insert(place, carried);
        }
        counts
    }

    /// Whether the company's absence is taken as zero, and nothing was counted for it since.
    fn is_zeroed(&self) -> bool {
        let absence = self.absent_from.as_ref().filter(|_| self.when_absent == WhenAbsent::Zero);
        absence.is_some_and(|absence| self.counts.iter().all(|count| count.as_of <= absence.as_of))
    }

    /// `"Acme Inc." is absent from the complete snapshot of edr of 2026-11-20`.
    fn absence(&self, zone: &TimeZone) -> Option<String> {
        let day = self.absent_from.as_ref()?.as_of.to_zoned(zone.clone()).date();
        Some(format!("\"{}\" is absent from the complete snapshot of {} of {day}", self.named(), self.product))
    }

    /// What its mapping takes the company's absence for, where there is one.
    fn taken_for(&self, zone: &TimeZone) -> Option<String> {
        let meaning = match self.when_absent {
            WhenAbsent::Zero => "its mapping takes that as zero (when_absent)",
            WhenAbsent::Keep | WhenAbsent::Hold => "its mapping keeps the count before (when_absent)",
        };
        Some(format!("{} and {meaning}", self.absence(zone)?))
    }

    /// Why nothing is decided while it is absent, with the count that was known before.
    fn held_for_absence(&self, zone: &TimeZone) -> String {
        // Not of which day: while it lasts, every day's snapshot would make new words of the same thing.
        let absence = format!("\"{}\" is not in the newest complete snapshot of {}", self.named(), self.product);
        let last =
            match self.counts.iter().filter(|count| count.complete).max_by_key(|count| (count.as_of, count.units)) {
                Some(Count { as_of, units, .. }) => {
                    format!("its last count was {units} on {}", as_of.to_zoned(zone.clone()).date())
                }
                None => "it was never counted before".to_owned(),
            };
        format!("{absence}; {last}. Its mapping says to wait (when_absent: hold), so there is no target to approve.")
    }

    fn stale(&self) -> Option<Stale> {
        Some(Stale { product: self.product.clone(), since: self.stale_since? })
    }

    fn uncounted(&self, period: Period) -> Reason {
        let (product, company) = (&self.product, self.named());
        if self.counts.is_empty() {
            return Reason::new(
                Code::UsageMissing,
                format!("No usage of {product} was ever received for \"{company}\"."),
            );
        }
        let explanation =
            format!("There is no count of {product} for \"{company}\" in the billing period from {}.", period.start);
        Reason::new(Code::UsageNotInPeriod, explanation)
    }

    fn quantity(&self, counts: &[Count]) -> Option<FeedQuantity> {
        let standing = standing(counts)?;
        Some(FeedQuantity {
            company: self.company.clone(),
            product: self.product.clone(),
            quantity: standing.units,
            snapshot: standing.snapshot.clone(),
        })
    }
}

/// The count that stands: the newest complete one, or the incomplete one that has raised it since. An incomplete count that
/// says fewer says nothing.
fn standing(counts: &[Count]) -> Option<&Count> {
    counts.iter().reduce(|standing, next| if next.complete || next.units > standing.units { next } else { standing })
}

/// The units that stand where a complete count speaks for them; `None` without one.
fn last_known(counts: &[Count]) -> Option<Units> {
    counts.iter().any(|count| count.complete).then(|| standing(counts).map(|count| count.units)).flatten()
}

#[cfg(test)]
#[path = "desired_test.rs"]
mod tests;
