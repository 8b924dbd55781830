//! Which of a period's counts stands for it.
//!
//! Each way of counting answers with the quantity, whether complete snapshots back it (only then may it lower a line), and
//! the sentence that explains it.

use jiff::ToSpan as _;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::period::Period;
use super::reason::{Code, Reason};
use super::rule::Counting;
use super::series::{Series, Step};
use super::units::Units;

/// A counted quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// How many; a fraction only for an average.
    pub quantity: Decimal,
    /// Whether complete snapshots alone would allow a count as low as this.
    pub backed: bool,
    /// In words.
    pub because: String,
}

impl Counting {
    /// Counts `series` for the billing `period` that `today` lies in.
    ///
    /// # Errors
    /// A feed was never counted, or the days that matter have no count yet, or the sum is no count.
    pub fn count(self, series: &Series, period: Period, today: Date) -> Result<Counted, Reason> {
        if !series.steps().last().is_some_and(|step| step.all_known) {
            return Err(Reason::new(Code::UsageMissing, "No usage was ever received for it.".into()));
        }
        match self {
            Self::Latest => latest(series, today),
            Self::HighWaterMark => high_water_mark(series, period),
            Self::PeriodClose => period_close(series, today),
            Self::Average => average(series, period, today),
        }
    }
}

fn latest(series: &Series, today: Date) -> Result<Counted, Reason> {
    let step = series.steps().last().ok_or_else(|| not_in("the records"))?;
    Ok(Counted {
        quantity: whole(step)?,
        backed: series.complete_between(Date::MIN, today.max(step.date)),
        because: format!("newest count {} of {}", units(step)?, step.date),
    })
}

fn high_water_mark(series: &Series, period: Period) -> Result<Counted, Reason> {
    let in_period = series.steps().iter().filter(|step| period.contains(step.date));
    let mut mark: Option<(Units, Date)> = None;
    for step in in_period {
        let units = units(step)?;
        // The first day that reached the mark is the one that set it.
        if mark.is_none_or(|(highest, _)| units > highest) {
            mark = Some((units, step.date));
        }
    }
    let (units, day) = mark.ok_or_else(|| not_in(&format!("the billing period from {}", period.start)))?;
    Ok(Counted {
        quantity: decimal(units),
        backed: series.complete_between(period.start, period.end),
        because: format!("highest count {units} of the period from {}, set on {day}", period.start),
    })
}

fn period_close(series: &Series, today: Date) -> Result<Counted, Reason> {
    let close = today.first_of_month().yesterday().map_err(|_| not_in("the calendar"))?;
    let opening = close.first_of_month();
    let step = series
        .at_end_of(close)
        .filter(|step| step.all_known && step.date >= opening)
        .ok_or_else(|| not_in(&format!("the month that ended on {close}")))?;
    let carried = if step.date == close { String::new() } else { format!(" (carried from {})", step.date) };
    Ok(Counted {
        quantity: whole(step)?,
        backed: series.complete_between(opening, close),
        because: format!("count {} at the close of {close}{carried}", units(step)?),
    })
}

fn average(series: &Series, period: Period, today: Date) -> Result<Counted, Reason> {
    let last = today.min(period.end);
    let days: Vec<&Step> = std::iter::successors(Some(period.start), |day| day.checked_add(1.day()).ok())
        .take_while(|day| *day <= last)
        .filter_map(|day| series.at_end_of(day))
        .collect();
    // A day on which a feed was not counted yet is no day with a zero. Complete counts say from when on it was; where there
    // are none, any count does, and the mean lowers nothing.
    let of_complete: Vec<&Step> = days.iter().copied().filter(|step| step.all_complete).collect();
    let known =
        if of_complete.is_empty() { days.into_iter().filter(|step| step.all_known).collect() } else { of_complete };
    if known.is_empty() {
        return Err(not_in(&format!("the billing period from {}", period.start)));
    }
    let sum = known.iter().try_fold(Decimal::ZERO, |sum, step| whole(step).map(|units| sum + units))?;
    let mean = sum / Decimal::from(known.len());
    Ok(Counted {
        quantity: mean,
        backed: series.complete_between(Date::MIN, last),
        because: format!(
            "mean {} over {} days of the period from {}",
            mean.round_dp(4).normalize(),
            known.len(),
            period.start
        ),
    })
}

fn units(step: &Step) -> Result<Units, Reason> {
    step.sum.ok_or_else(|| {
        Reason::new(Code::UsageTooLarge, "The feeds of this line add up to more than any count believed.".into())
    })
}

fn whole(step: &Step) -> Result<Decimal, Reason> {
    units(step).map(decimal)
}

fn decimal(units: Units) -> Decimal {
    Decimal::from(units.get())
}

fn not_in(when: &str) -> Reason {
    Reason::new(Code::UsageNotInPeriod, format!("There is no count yet in {when}."))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    use super::super::series::Count;
    use super::*;

    const PERIOD: Period = Period { start: date(2026, 11, 1), end: date(2026, 11, 30) };
    const TODAY: Date = date(2026, 11, 21);

    fn feed(counts: &[(&str, i64, bool)]) -> Vec<Count> {
        let count = |(day, units, complete): &(&str, i64, bool)| Count {
            as_of: format!("{day}T12:00:00Z").parse().unwrap(),
            units: (*units).try_into().unwrap(),
            complete: *complete,
            snapshot: "s".parse().unwrap(),
        };
        counts.iter().map(count).collect()
    }

    fn count(counting: Counting, feeds: &[Vec<Count>]) -> Result<(String, bool, String), String> {
        let series = Series::of(feeds, &TimeZone::UTC);
        match counting.count(&series, PERIOD, TODAY) {
            Ok(counted) => Ok((counted.quantity.normalize().to_string(), counted.backed, counted.because)),
            Err(reason) => Err(reason.code),
        }
    }

    #[test]
    fn latest_is_the_newest_count() {
        let feeds = [feed(&[("2026-09-01", 60, true), ("2026-11-20", 42, true)])];
        assert_eq!(count(Counting::Latest, &feeds), Ok(("42".into(), true, "newest count 42 of 2026-11-20".into())));
        assert!(!count(Counting::Latest, &[feed(&[("2026-11-20", 42, false)])]).unwrap().1);
        assert_eq!(count(Counting::Latest, &[feed(&[])]), Err("usage_missing".into()));
        assert_eq!(
            count(Counting::Latest, &[feed(&[("2026-11-20", 1, true)]), feed(&[])]),
            Err("usage_missing".into())
        );
    }

    #[test]
    fn the_high_water_mark_is_of_the_billing_period_alone() {
        let feeds = [feed(&[
            ("2026-10-31", 99, true),
            ("2026-11-02", 42, true),
            ("2026-11-09", 47, true),
            ("2026-11-12", 47, true),
            ("2026-11-20", 40, true),
        ])];
        let (quantity, backed, because) = count(Counting::HighWaterMark, &feeds).unwrap();
        assert_eq!((quantity.as_str(), backed), ("47", true));
        assert_eq!(because, "highest count 47 of the period from 2026-11-01, set on 2026-11-09");
        assert_eq!(
            count(Counting::HighWaterMark, &[feed(&[("2026-10-31", 99, true)])]),
            Err("usage_not_in_period".into())
        );
    }

    #[test]
    fn a_mark_that_no_complete_snapshot_of_the_period_backs_may_not_lower() {
        let feeds = [feed(&[("2026-10-31", 42, true), ("2026-11-02", 45, false)])];
        let (quantity, backed, _) = count(Counting::HighWaterMark, &feeds).unwrap();
        assert_eq!((quantity.as_str(), backed), ("45", false));
    }

    #[test]
    fn the_mark_of_summed_feeds_is_the_highest_sum_not_the_sum_of_the_highest() {
        let a = feed(&[("2026-11-02", 10, true), ("2026-11-03", 2, true)]);
        let b = feed(&[("2026-11-02", 1, true), ("2026-11-03", 8, true)]);
        assert_eq!(count(Counting::HighWaterMark, &[a, b]).unwrap().0, "11");
    }

    #[test]
    fn period_close_is_the_last_day_of_the_last_completed_month() {
        let feeds = [feed(&[("2026-10-30", 40, true), ("2026-10-31", 41, true), ("2026-11-01", 50, true)])];
        assert_eq!(count(Counting::PeriodClose, &feeds).unwrap().2, "count 41 at the close of 2026-10-31");
        let early = [feed(&[("2026-10-05", 40, true), ("2026-11-01", 50, true)])];
        assert_eq!(
            count(Counting::PeriodClose, &early).unwrap().2,
            "count 40 at the close of 2026-10-31 (carried from 2026-10-05)"
        );
        let none = [feed(&[("2026-09-30", 40, true), ("2026-11-01", 50, true)])];
        assert_eq!(count(Counting::PeriodClose, &none), Err("usage_not_in_period".into()));
    }

    #[test]
    fn an_average_carries_a_count_over_days_without_one() {
        // 1st to 10th: 10 carried from October; 11th to 21st: 20.
        let feeds = [feed(&[("2026-10-20", 10, true), ("2026-11-11", 20, true)])];
        let (quantity, backed, because) = count(Counting::Average, &feeds).unwrap();
        assert_eq!(quantity.parse::<Decimal>().unwrap().round_dp(4).to_string(), "15.2381");
        assert!(backed);
        assert_eq!(because, "mean 15.2381 over 21 days of the period from 2026-11-01");
    }

    #[test]
    fn an_average_leaves_out_days_on_which_a_feed_was_not_counted_yet() {
        let a = feed(&[("2026-10-20", 10, true)]);
        let b = feed(&[("2026-11-12", 10, true)]);
        assert_eq!(count(Counting::Average, &[a, b]).unwrap().0, "20");
    }

    #[test]
    fn an_average_does_not_invent_days_before_the_first_count() {
        let feeds = [feed(&[("2026-11-20", 7, true)])];
        assert_eq!(count(Counting::Average, &feeds).unwrap().2, "mean 7 over 2 days of the period from 2026-11-01");
    }
}
