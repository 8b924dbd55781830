//! A connection's policy: from when a change counts, which changes wait for a person, and what drift means.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::charge::BillingDay;
use super::money::Currency;
use super::pricing::Markup;

/// Everything a partner may set about how changes are made. Each part may be sent alone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// From when a change counts, rises and falls apart.
    pub effective_date: EffectiveDates,
    /// Changes beyond these are held for approval.
    pub guards: Guards,
    /// What to do where the PSA's units are not what we last confirmed.
    pub drift: Drift,
    /// Which runs wait for approval as a whole.
    pub approval: Approval,
    /// Runs on schedule, never writes.
    pub shadow: bool,
    /// The share of the PSA's hourly requests at which a run stops, 1 to 100.
    pub budget_percent: BudgetPercent,
    /// Hours after which usage counts as stale without a new complete snapshot, 1 to 8784: falls wait then. The default is 72,
    /// so that a source that counts by the day may miss a weekend.
    pub stale_after_hours: StaleAfterHours,
    /// Whether services that the catalogue or a contract lacks are made: each once, when a person has approved it.
    pub provision_services: bool,
    /// What is added to unit costs to make prices, where a mapping does not say it.
    pub markup: Markups,
    /// The currency of the PSA's amounts, ISO 4217, where the PSA does not say it itself (Kaseya BMS).
    #[schema(value_type = Option<String>, example = "EUR")]
    pub currency: Option<Currency>,
    /// The day of the month on which billing periods of metered charges begin, 1 to 31; in a shorter month its last day.
    pub billing_day: BillingDay,
}

/// Markups of a connection, in percent as decimal text. One that is null adds nothing: prices are then left alone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Markups {
    /// On what is billed by units of recurring services.
    #[schema(value_type = Option<String>, example = "25")]
    pub services: Option<Markup>,
    /// On what is billed as metered charges.
    #[schema(value_type = Option<String>, example = "15")]
    pub products: Option<Markup>,
}

/// From when a change counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EffectiveDate {
    /// The first day of the billing period that is running.
    #[default]
    PeriodStart,
    /// The day of the run.
    Today,
    /// The first day of the next billing period.
    NextPeriodStart,
}

/// From when rises and falls count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EffectiveDates {
    /// For a change to more units.
    pub rises: EffectiveDate,
    /// For a change to fewer units.
    pub falls: EffectiveDate,
}

/// A change is held when it passes both the percentage and the number of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Guards {
    /// Percent of the units in force that a fall may pass.
    pub fall_percent: u32,
    /// Units that a fall may pass.
    pub fall_units: u32,
    /// Percent of the units in force that a rise may pass.
    pub rise_percent: u32,
    /// Units that a rise may pass.
    pub rise_units: u32,
    /// Percent of a unit cost or unit price that its change may pass, up or down. What costs nothing yet is not guarded.
    pub price_percent: u32,
    /// Percent of what stands of a metered charge that its change may pass, and ...
    pub charge_percent: u32,
    /// ... the amount, in whole units of its currency. Both are passed where a change waits. What is used of a running billing
    /// period adds up by itself: there only falls are guarded.
    pub charge_amount: u32,
}

impl Default for Guards {
    fn default() -> Self {
        Self {
            fall_percent: 30,
            fall_units: 5,
            rise_percent: 200,
            rise_units: 20,
            price_percent: 50,
            charge_percent: 50,
            charge_amount: 500,
        }
    }
}

/// What to do where someone edited the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Drift {
    /// Wait for a person.
    #[default]
    Hold,
    /// Write the target all the same.
    Overwrite,
}

/// Which runs wait for approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// None: changes within the guards are written.
    #[default]
    None,
    /// Every change until all of one run was approved.
    FirstRun,
    /// Every run.
    Always,
}

/// Reads a whole number within bounds, and says what it must be where it is something else.
pub(super) struct Within {
    pub least: u32,
    pub most: u32,
}

impl Visitor<'_> for Within {
    type Value = u32;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a whole number from {} to {}", self.least, self.most)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<u32, E> {
        let fits = u32::try_from(number).ok().filter(|number| (self.least..=self.most).contains(number));
        fits.ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }
}

/// 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(into = "u32")]
#[schema(value_type = u32, minimum = 1, maximum = 100)]
pub struct BudgetPercent(u32);

impl BudgetPercent {
    /// The share in percent.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}

impl Default for BudgetPercent {
    fn default() -> Self {
        Self(80)
    }
}

impl TryFrom<u32> for BudgetPercent {
    type Error = &'static str;
    fn try_from(percent: u32) -> Result<Self, Self::Error> {
        if (1..=100).contains(&percent) { Ok(Self(percent)) } else { Err("must be from 1 to 100") }
    }
}

impl<'de> Deserialize<'de> for BudgetPercent {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_u32(Within { least: 1, most: 100 }).map(Self)
    }
}

impl From<BudgetPercent> for u32 {
    fn from(percent: BudgetPercent) -> Self {
        percent.0
    }
}

/// 1 to 8784, a leap year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(into = "u32")]
#[schema(value_type = u32, minimum = 1, maximum = 8784)]
pub struct StaleAfterHours(u32);

impl StaleAfterHours {
    /// How long that is.
    #[must_use]
    pub fn duration(self) -> SignedDuration {
        SignedDuration::from_hours(self.0.into())
    }

    /// The newest complete snapshot must be of this instant or a later one.
    #[must_use]
    pub fn fresh_from(self, now: Timestamp) -> Timestamp {
        now.saturating_sub(self.duration()).unwrap_or(Timestamp::MIN)
    }
}

impl Default for StaleAfterHours {
    fn default() -> Self {
        Self(72)
    }
}

impl TryFrom<u32> for StaleAfterHours {
    type Error = &'static str;
    fn try_from(hours: u32) -> Result<Self, Self::Error> {
        if (1..=8784).contains(&hours) { Ok(Self(hours)) } else { Err("must be from 1 to 8784") }
    }
}

impl<'de> Deserialize<'de> for StaleAfterHours {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_u32(Within { least: 1, most: 8784 }).map(Self)
    }
}

impl From<StaleAfterHours> for u32 {
    fn from(hours: StaleAfterHours) -> Self {
        hours.0
    }
}

/// What a company's absence from a complete snapshot means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenAbsent {
    /// The last known count stands.
    #[default]
    Keep,
    /// It has none left.
    Zero,
    /// A person decides.
    Hold,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_may_be_sent_in_parts_and_the_rest_is_as_documented() {
        let policy: Policy = serde_json::from_str(r#"{"budget_percent":35,"guards":{"fall_units":9}}"#).unwrap();
        assert_eq!(policy.budget_percent.get(), 35);
        assert_eq!(policy.guards, Guards { fall_units: 9, ..Guards::default() });
        assert_eq!(policy.drift, Drift::Hold);
        assert_eq!(Policy::default().budget_percent.get(), 80);
        assert!(serde_json::from_str::<Policy>(r#"{"budget":35}"#).is_err());
    }

    #[test]
    fn usage_is_stale_after_a_weekend_unless_said_otherwise() {
        let now = "2026-11-23T08:00:00Z".parse().unwrap();
        assert_eq!(StaleAfterHours::default().fresh_from(now), "2026-11-20T08:00:00Z".parse().unwrap());
        assert!([0, 8785].into_iter().all(|hours| StaleAfterHours::try_from(hours).is_err()));
        assert_eq!(StaleAfterHours::try_from(1).map(u32::from), Ok(1));
    }

    #[test]
    fn a_number_that_is_none_or_out_of_bounds_is_told_what_it_must_be() {
        for (field, bounds) in
            [("stale_after_hours", "1 to 8784"), ("budget_percent", "1 to 100"), ("billing_day", "1 to 31")]
        {
            for bad in ["\"3\"", "0", "8785", "-1", "1.5", "4294967297", "true"] {
                let refused = serde_json::from_str::<Policy>(&format!(r#"{{"{field}":{bad}}}"#)).unwrap_err();
                let told = refused.to_string();
                assert!(told.contains(&format!("expected a whole number from {bounds}")), "{field} {bad}: {told}");
            }
        }
    }

    #[test]
    fn a_budget_is_from_1_to_100_percent() {
        for percent in [1, 80, 100] {
            assert_eq!(u32::from(BudgetPercent::try_from(percent).unwrap()), percent);
        }
        for bad in [0, 101] {
            assert!(BudgetPercent::try_from(bad).is_err(), "{bad}");
        }
    }
}
