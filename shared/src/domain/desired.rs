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
        let last = match self.counts.iter().filter(|count| count.complete).max_by_key(|count| count.as_of) {
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

/// The newest complete count, raised by what incomplete snapshots have said since; `None` without a complete one.
fn last_known(counts: &[Count]) -> Option<Units> {
    counts.iter().fold(None, |known, count| match (known, count.complete) {
        (_, true) => Some(count.units),
        (Some(units), false) => Some(units.max(count.units)),
        (None, false) => None,
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn feed(when_absent: WhenAbsent, counts: &[(&str, i64)]) -> Feed {
        let count = |(at, units): &(&str, i64)| Count {
            as_of: at.parse().unwrap(),
            units: (*units).try_into().unwrap(),
            complete: true,
            snapshot: "earlier".parse().unwrap(),
        };
        Feed {
            company: "acme".parse().unwrap(),
            company_name: "Acme Inc.".into(),
            product: "edr".parse().unwrap(),
            counts: counts.iter().map(count).collect(),
            absent_from: Some(Absence {
                as_of: "2026-11-20T00:00:00Z".parse().unwrap(),
                snapshot: "newest".parse().unwrap(),
            }),
            when_absent,
            stale_since: None,
        }
    }

    fn ask(feeds: &[Feed]) -> Result<Desired, Reason> {
        let period = Period { start: date(2026, 11, 1), end: date(2026, 11, 30) };
        desired(feeds, &Rule::default(), period, date(2026, 11, 21), &TimeZone::UTC)
    }

    #[test]
    fn a_feed_tells_the_count_that_stands_and_not_one_that_says_nothing() {
        let mut feed = feed(WhenAbsent::Keep, &[("2026-11-10T00:00:00Z", 32)]);
        feed.absent_from = None;
        let quantity = |feed: &Feed| ask(std::slice::from_ref(feed)).unwrap().feeds[0].quantity.get();
        for (at, units, stands) in
            [("2026-11-11T00:00:00Z", 28, 32), ("2026-11-12T00:00:00Z", 40, 40), ("2026-11-13T00:00:00Z", 22, 40)]
        {
            let count = Count {
                as_of: at.parse().unwrap(),
                units: units.try_into().unwrap(),
                complete: false,
                snapshot: "part".parse().unwrap(),
            };
            feed.counts.push(count);
            assert_eq!(quantity(&feed), stands, "{at}");
        }
    }

    #[test]
    fn an_absent_company_keeps_its_last_count_unless_its_mapping_says_otherwise() {
        let counts = [("2026-11-10T00:00:00Z", 42)];
        let keep = ask(&[feed(WhenAbsent::Keep, &counts)]).unwrap();
        assert_eq!((keep.units.get(), keep.may_lower), (42, true));
        let zero = ask(&[feed(WhenAbsent::Zero, &counts)]).unwrap();
        assert_eq!((zero.units.get(), zero.may_lower, zero.feeds[0].snapshot.as_str()), (0, true, "newest"));
        assert_eq!(ask(&[feed(WhenAbsent::Hold, &counts)]).unwrap_err().code, "company_absent");
    }

    #[test]
    fn an_absence_is_told_as_one_and_not_as_a_count() {
        let counts = [("2026-11-10T00:00:00Z", 42)];
        let absent = "\"Acme Inc.\" is absent from the complete snapshot of edr of 2026-11-20";
        let told = |when, counts: &[(&str, i64)]| ask(&[feed(when, counts)]).unwrap().because;
        assert_eq!(
            told(WhenAbsent::Zero, &counts),
            format!("{absent} and its mapping takes that as zero (when_absent)")
        );
        assert_eq!(
            told(WhenAbsent::Keep, &counts),
            format!("{absent} and its mapping keeps the count before (when_absent), newest count 42 of 2026-11-20")
        );
        let waits = |counts: &[(&str, i64)]| ask(&[feed(WhenAbsent::Hold, counts)]).unwrap_err().explanation;
        let way_out = "Its mapping says to wait (when_absent: hold), so there is no target to approve.";
        let absent = "\"Acme Inc.\" is not in the newest complete snapshot of edr";
        assert_eq!(waits(&counts), format!("{absent}; its last count was 42 on 2026-11-10. {way_out}"));
        assert_eq!(waits(&[]), format!("{absent}; it was never counted before. {way_out}"));
        let many: Vec<Feed> = std::iter::repeat_with(|| feed(WhenAbsent::Zero, &counts)).take(5).collect();
        assert!(ask(&many).unwrap().because.ends_with("2 more companies of the line are absent"));
    }

    #[test]
    fn of_several_stale_products_the_oldest_is_told() {
        let since = |feed: Feed, product: &str, since: Option<&str>| Feed {
            product: product.parse().unwrap(),
            stale_since: since.map(|since| since.parse().unwrap()),
            ..feed
        };
        let counted = || feed(WhenAbsent::Keep, &[("2026-11-10T00:00:00Z", 42)]);
        let feeds = [
            since(counted(), "edr", Some("2026-11-11T00:00:00Z")),
            since(counted(), "m365", Some("2026-11-10T00:00:00Z")),
            since(counted(), "sat", None),
        ];
        assert_eq!(ask(&feeds).unwrap().stale.unwrap().product.as_str(), "m365");
        assert_eq!(ask(&feeds[2..]).unwrap().stale, None);
    }

    #[test]
    fn a_company_that_was_never_counted_is_unknown_and_not_zero() {
        let reason = ask(&[feed(WhenAbsent::Keep, &[])]).unwrap_err();
        assert_eq!(reason.code, "usage_missing");
        assert_eq!(reason.explanation, "No usage of edr was ever received for \"Acme Inc.\".");
    }

    #[test]
    fn an_incomplete_count_of_the_last_period_is_not_the_mark_of_this_one() {
        let mut feed = feed(WhenAbsent::Keep, &[("2026-10-20T12:00:00Z", 40), ("2026-11-03T12:00:00Z", 41)]);
        feed.absent_from = None;
        for (at, units) in [("2026-10-25T12:00:00Z", 60), ("2026-11-02T12:00:00Z", 30)] {
            let count = Count {
                as_of: at.parse().unwrap(),
                units: units.try_into().unwrap(),
                complete: false,
                snapshot: "part".parse().unwrap(),
            };
            feed.counts.push(count);
        }
        feed.counts.sort_by_key(|count| count.as_of);
        let period = Period { start: date(2026, 11, 1), end: date(2026, 11, 30) };
        let rule = Rule { counting: Counting::HighWaterMark, ..Rule::default() };
        let desired = desired(&[feed], &rule, period, date(2026, 11, 5), &TimeZone::UTC).unwrap();
        assert_eq!(desired.units.get(), 41);
    }

    fn mark(feeds: &[Feed]) -> Desired {
        let period = Period { start: date(2026, 11, 1), end: date(2026, 11, 30) };
        let rule = Rule { counting: Counting::HighWaterMark, ..Rule::default() };
        desired(feeds, &rule, period, date(2026, 11, 5), &TimeZone::UTC).unwrap()
    }

    #[test]
    fn a_mark_is_not_the_sum_of_one_feeds_new_count_and_anothers_old_one() {
        let fell = |at: &str| {
            let mut feed = feed(WhenAbsent::Keep, &[("2026-10-31T12:00:00Z", 50), (at, 10)]);
            feed.absent_from = None;
            feed
        };
        let feeds = [fell("2026-11-01T00:10:00Z"), fell("2026-11-01T00:25:00Z")];
        assert_eq!((mark(&feeds).units.get(), mark(&feeds).may_lower), (20, true));
    }

    #[test]
    fn an_absence_does_not_carry_what_an_incomplete_count_raised_into_the_next_period() {
        let mut feed = feed(WhenAbsent::Keep, &[("2026-10-20T12:00:00Z", 40)]);
        let raised =
            Count { as_of: "2026-10-25T12:00:00Z".parse().unwrap(), complete: false, ..feed.counts[0].clone() };
        feed.counts.push(Count { units: 60.try_into().unwrap(), ..raised });
        feed.absent_from =
            Some(Absence { as_of: "2026-11-02T00:00:00Z".parse().unwrap(), snapshot: "newest".parse().unwrap() });
        assert_eq!(mark(&[feed]).units.get(), 40);
    }

    #[test]
    fn one_absent_feed_does_not_take_its_units_off_the_sum() {
        let absent = feed(WhenAbsent::Keep, &[("2026-11-10T00:00:00Z", 10)]);
        let mut present = feed(WhenAbsent::Keep, &[("2026-11-10T00:00:00Z", 20), ("2026-11-20T00:00:00Z", 15)]);
        present.absent_from = None;
        assert_eq!(ask(&[absent, present]).unwrap().units.get(), 25);
    }
}
