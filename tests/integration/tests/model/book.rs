//! What the usage that arrived means: the model's own reckoning, from the words of the documentation.
//!
//! A complete count says what is so, an incomplete one says "at least". Of one quarter of an hour the newest complete count
//! is kept, and the highest incomplete one. A company that the newest complete snapshot does not name was absent.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shared::domain::policy::WhenAbsent;

use super::story::{COMPANIES, Counts};

/// A quarter's newest complete count and its highest incomplete one, each with the instant it is true for.
type Quarter = (Option<(Timestamp, i64)>, Option<(Timestamp, i64)>);

/// What arrived, by company and line.
#[derive(Default)]
pub struct Book {
    quarters: [[BTreeMap<i64, Quarter>; 2]; 2],
    newest_complete: Option<Timestamp>,
}

/// What a line should carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Desired {
    pub units: i64,
    /// Complete snapshots back it, so that it may lower the line.
    pub may_lower: bool,
}

impl Book {
    /// A snapshot came in.
    pub fn push(&mut self, as_of: Timestamp, complete: bool, counts: &Counts) {
        for (company, counts) in counts.iter().enumerate() {
            for (line, units) in counts.iter().enumerate() {
                let Some(units) = *units else { continue };
                let quarter = as_of.as_second().div_euclid(15 * 60);
                let quarter = self.quarters[company][line].entry(quarter).or_default();
                if complete {
                    quarter.0 = Some(quarter.0.filter(|(then, _)| *then > as_of).unwrap_or((as_of, units)));
                } else {
                    quarter.1 = Some(quarter.1.filter(|(_, most)| *most >= units).unwrap_or((as_of, units)));
                }
            }
        }
        if complete {
            self.newest_complete = self.newest_complete.max(Some(as_of));
        }
    }

    /// What a line should carry: the newest count of each company, added up. `None` where that is not known, or held.
    pub fn desired(&self, line: usize, companies: usize, when_absent: WhenAbsent) -> Option<Desired> {
        let feeds = (0..companies).map(|company| self.feed(company, line, when_absent));
        let known: Option<Vec<Desired>> = feeds.collect();
        let known = known?;
        let units = known.iter().map(|feed| feed.units).sum();
        Some(Desired { units, may_lower: known.iter().all(|feed| feed.may_lower) })
    }

    fn feed(&self, company: usize, line: usize, when_absent: WhenAbsent) -> Option<Desired> {
        debug_assert!(company < COMPANIES.len());
        let mut counts: Vec<(Timestamp, bool, i64)> = Vec::new();
        for (complete, incomplete) in self.quarters[company][line].values() {
            counts.extend(complete.map(|(at, units)| (at, true, units)));
            counts.extend(incomplete.map(|(at, units)| (at, false, units)));
        }
        counts.sort_by_key(|(at, complete, _)| (*at, !complete));
        let seen = counts.iter().filter(|(_, complete, _)| *complete).map(|(at, ..)| *at).max();
        if let Some(absent) = self.newest_complete.filter(|newest| seen.is_none_or(|seen| seen < *newest)) {
            let place = counts.partition_point(|(at, ..)| *at <= absent);
            let stands = match when_absent {
                WhenAbsent::Hold => return None,
                WhenAbsent::Zero => Some(0),
                WhenAbsent::Keep if seen.is_none() => None,
                WhenAbsent::Keep => fold(&counts[..place]).map(|feed| feed.units),
            };
            if let Some(units) = stands {
                counts.insert(place, (absent, true, units));
            }
        }
        fold(&counts)
    }
}

fn fold(counts: &[(Timestamp, bool, i64)]) -> Option<Desired> {
    counts.iter().fold(None, |known: Option<Desired>, (_, complete, units)| {
        Some(match known {
            None => Desired { units: *units, may_lower: *complete },
            Some(_) if *complete => Desired { units: *units, may_lower: true },
            Some(known) => Desired { units: known.units.max(*units), ..known },
        })
    })
}
