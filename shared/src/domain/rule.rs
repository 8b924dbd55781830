//! How a counted quantity becomes a line's target: exclusions, floor, commitment, ceiling and rounding, in that order.

use jiff::civil::Date;
use rust_decimal::prelude::ToPrimitive as _;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::units::Units;

/// One line's rule. Feeds that share a line must share its rule.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rule {
    /// Which of the counts of a period stands for it.
    pub counting: Counting,
    /// Units that are not billed (internal or not-for-resale seats), taken off the sum.
    #[schema(value_type = u32)]
    pub exclude: Units,
    /// Never fewer than this.
    #[schema(value_type = u32)]
    pub minimum: Units,
    /// A floor until a date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commitment: Option<Commitment>,
    /// Never more than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>)]
    pub maximum: Option<Units>,
    /// How an average becomes a whole number.
    pub rounding: Rounding,
}

/// Which of a period's counts stands for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    /// The newest count.
    #[default]
    Latest,
    /// The highest count of the line's current billing period.
    HighWaterMark,
    /// The count of the last day of the last completed month.
    PeriodClose,
    /// The mean over the days of the line's current billing period.
    Average,
}

/// Units that are committed through a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Commitment {
    /// The floor.
    #[schema(value_type = u32)]
    pub units: Units,
    /// The last day on which it holds.
    #[schema(value_type = String, format = Date, example = "2027-06-30")]
    pub until: Date,
}

/// How an average becomes whole units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the next whole unit.
    #[default]
    Up,
    /// To the nearest; halves go to the even neighbour.
    Nearest,
    /// Fractions are dropped.
    Down,
}

/// A rule's result, with each part that changed the number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruled {
    /// The units to bill.
    pub units: Units,
    /// In words: `excluding 2`, `at least 10`.
    pub because: Vec<String>,
}

impl Rule {
    /// The units to bill for a counted `quantity` on `date`; `None` where the quantity is no count at all.
    #[must_use]
    pub fn apply(&self, quantity: Decimal, date: Date) -> Option<Ruled> {
        let counted = self.rounding.apply(quantity)?;
        let mut units = counted;
        let mut because = Vec::new();
        if !quantity.is_integer() {
            because.push(format!("{} rounded {}", quantity.round_dp(4).normalize(), self.rounding.in_words()));
        }
        let mut step = |changed: Units, words: String| {
            if changed != units {
                units = changed;
                because.push(words);
            }
            changed
        };
        let mut rest = step(counted.saturating_sub(self.exclude), format!("excluding {}", self.exclude));
        rest = step(rest.max(self.minimum), format!("at least {}", self.minimum));
        if let Some(commitment) = self.commitment.filter(|c| date <= c.until) {
            rest = step(
                rest.max(commitment.units),
                format!("committed to {} until {}", commitment.units, commitment.until),
            );
        }
        if let Some(maximum) = self.maximum {
            step(rest.min(maximum), format!("at most {maximum}"));
        }
        Some(Ruled { units, because })
    }

    /// What contradicts itself in the rule, by field.
    #[must_use]
    pub fn contradictions(&self) -> Vec<(&'static str, &'static str)> {
        let mut found = Vec::new();
        if let Some(maximum) = self.maximum {
            if maximum < self.minimum {
                found.push(("maximum", "must not be below the minimum"));
            }
            if self.commitment.is_some_and(|commitment| maximum < commitment.units) {
                found.push(("maximum", "must not be below the commitment"));
            }
        }
        found
    }
}

impl Rounding {
    fn apply(self, quantity: Decimal) -> Option<Units> {
        let strategy = match self {
            Self::Up => RoundingStrategy::ToPositiveInfinity,
            Self::Nearest => RoundingStrategy::MidpointNearestEven,
            Self::Down => RoundingStrategy::ToZero,
        };
        quantity.round_dp_with_strategy(0, strategy).to_i64()?.try_into().ok()
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Nearest => "to the nearest",
            Self::Down => "down",
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn units(n: i64) -> Units {
        n.try_into().unwrap()
    }

    fn apply(rule: &Rule, quantity: &str, day: Date) -> (u32, String) {
        let ruled = rule.apply(quantity.parse().unwrap(), day).unwrap();
        (ruled.units.get(), ruled.because.join(", "))
    }

    #[test]
    fn exclusions_come_before_floors_and_the_ceiling_comes_last() {
        let rule = Rule {
            exclude: units(2),
            minimum: units(5),
            commitment: Some(Commitment { units: units(10), until: date(2026, 12, 31) }),
            maximum: Some(units(50)),
            ..Rule::default()
        };
        let before = date(2026, 12, 31);
        let after = date(2027, 1, 1);
        assert_eq!(apply(&rule, "42", before), (40, "excluding 2".into()));
        assert_eq!(apply(&rule, "6", before), (10, "excluding 2, at least 5, committed to 10 until 2026-12-31".into()));
        assert_eq!(apply(&rule, "6", after), (5, "excluding 2, at least 5".into()));
        assert_eq!(apply(&rule, "60", after), (50, "excluding 2, at most 50".into()));
        assert_eq!(apply(&rule, "0", after), (5, "at least 5".into()));
    }

    #[test]
    fn an_average_is_rounded_as_the_rule_says() {
        for (rounding, quantity, expected) in [
            (Rounding::Up, "41.01", 42),
            (Rounding::Down, "41.99", 41),
            (Rounding::Nearest, "41.5", 42),
            (Rounding::Nearest, "42.5", 42),
            (Rounding::Nearest, "42.51", 43),
            (Rounding::Up, "42", 42),
        ] {
            let rule = Rule { rounding, ..Rule::default() };
            assert_eq!(apply(&rule, quantity, date(2026, 11, 1)).0, expected, "{rounding:?} {quantity}");
        }
    }

    #[test]
    fn a_rounded_average_says_so() {
        for (rounding, words) in [
            (Rounding::Up, "41.2346 rounded up"),
            (Rounding::Nearest, "41.2346 rounded to the nearest"),
            (Rounding::Down, "41.2346 rounded down"),
        ] {
            let rule = Rule { rounding, ..Rule::default() };
            assert_eq!(apply(&rule, "41.23456", date(2026, 11, 1)).1, words);
        }
        assert_eq!(apply(&Rule::default(), "41.00", date(2026, 11, 1)).1, "");
    }

    #[test]
    fn a_ceiling_below_a_floor_is_a_contradiction() {
        let mut rule = Rule { minimum: units(5), maximum: Some(units(4)), ..Rule::default() };
        assert_eq!(rule.contradictions().len(), 1);
        rule.commitment = Some(Commitment { units: units(9), until: date(2026, 1, 1) });
        assert_eq!(rule.contradictions().len(), 2);
        rule.maximum = Some(units(5));
        assert_eq!(
            rule.contradictions(),
            [("maximum", "must not be below the commitment")],
            "a fixed number is a rule"
        );
        rule.maximum = Some(units(9));
        assert_eq!(rule.contradictions(), []);
    }
}
