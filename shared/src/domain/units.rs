//! Whole units: what usage counts and what a contract line carries.
//!
//! A PSA's line takes a 32-bit integer; we accept no more than ten million, because a larger count is a fault of its
//! source and not a customer. There is no negative count; a difference of two counts is a [`Delta`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// The largest count that is believed.
pub const MAX_UNITS: u32 = 10_000_000;

/// A count of whole units, 0 to [`MAX_UNITS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Units(u32);

/// Why a number can't be a count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number from 0 to {MAX_UNITS}")]
pub struct InvalidUnits;

impl Units {
    /// No units.
    pub const ZERO: Self = Self(0);

    /// The count as a number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }

    /// What has to be added to `self` to reach `target`; negative when `target` is lower.
    #[must_use]
    pub fn delta_to(self, target: Self) -> Delta {
        Delta(i64::from(target.0) - i64::from(self.0))
    }

    /// `self` with `delta` added, or `None` where the sum is no count.
    #[must_use]
    pub fn plus(self, delta: Delta) -> Option<Self> {
        i64::from(self.0).checked_add(delta.0)?.try_into().ok()
    }

    /// The sum, or `None` above [`MAX_UNITS`].
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).filter(|sum| *sum <= MAX_UNITS).map(Self)
    }

    /// The difference, and zero where `other` is larger: exclusions can't make a count negative.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl TryFrom<i64> for Units {
    type Error = InvalidUnits;
    fn try_from(number: i64) -> Result<Self, InvalidUnits> {
        u32::try_from(number).ok().filter(|n| *n <= MAX_UNITS).map(Self).ok_or(InvalidUnits)
    }
}

impl From<Units> for i64 {
    fn from(units: Units) -> Self {
        Self::from(units.0)
    }
}

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A signed difference of two counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Delta(i64);

impl Delta {
    /// The difference as a number.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Delta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(n: i64) -> Units {
        n.try_into().unwrap()
    }

    #[test]
    fn negative_and_absurd_counts_are_refused() {
        for bad in [-1, 10_000_001, i64::MAX, i64::MIN] {
            assert_eq!(Units::try_from(bad), Err(InvalidUnits));
        }
        assert!(serde_json::from_str::<Units>("1.5").is_err());
    }

    #[test]
    fn counts_and_differences_are_plain_numbers_on_the_wire() {
        let told = |from, to| serde_json::to_string(&(units(from), units(from).delta_to(units(to)))).unwrap();
        assert_eq!(told(40, 42), "[40,2]");
        assert_eq!(told(42, 39), "[42,-3]");
        assert_eq!((units(40).delta_to(units(42)).get(), units(42).delta_to(units(39)).get()), (2, -3));
    }

    #[test]
    fn a_delta_leads_from_one_count_to_the_other() {
        for (from, to) in [(0, 42), (42, 0), (7, 7), (0, 10_000_000)] {
            let delta = units(from).delta_to(units(to));
            assert_eq!(units(from).plus(delta), Some(units(to)));
        }
        assert_eq!(units(1).plus(units(5).delta_to(units(0))), None);
        assert_eq!(units(40).delta_to(units(42)).to_string(), "+2");
    }

    #[test]
    fn sums_stop_at_the_largest_count_and_differences_at_zero() {
        assert_eq!(units(9_999_999).checked_add(units(2)), None);
        assert_eq!(units(3).saturating_sub(units(5)), Units::ZERO);
    }
}
