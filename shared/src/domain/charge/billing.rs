//! How time is cut into the periods that charges are billed by.
//!
//! A period begins on the billing day of every month, or on the last day of a month that lacks it. Each is cut from its own
//! month and never from the period before it, so that a day 31 comes back after every short month.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::record::ChargeRecord;
use crate::domain::period::Period;
use crate::domain::policy::Within;

/// The day of the month on which a billing period begins: 1 to 31, in a shorter month its last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(into = "i8")]
#[schema(value_type = u32, minimum = 1, maximum = 31, default = 1)]
pub struct BillingDay(i8);

/// Why a number is no billing day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a day from 1 to 31")]
pub struct InvalidBillingDay;

impl Default for BillingDay {
    fn default() -> Self {
        Self(1)
    }
}

impl TryFrom<i8> for BillingDay {
    type Error = InvalidBillingDay;
    fn try_from(day: i8) -> Result<Self, InvalidBillingDay> {
        if (1..=31).contains(&day) { Ok(Self(day)) } else { Err(InvalidBillingDay) }
    }
}

impl<'de> Deserialize<'de> for BillingDay {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let within = || Within { least: 1, most: 31 };
        let day = from.deserialize_u32(within())?;
        let fits = i8::try_from(day).ok().and_then(|day| Self::try_from(day).ok());
        fits.ok_or_else(|| D::Error::invalid_value(Unexpected::Unsigned(day.into()), &within()))
    }
}

impl From<BillingDay> for i8 {
    fn from(day: BillingDay) -> Self {
        day.0
    }
}

impl BillingDay {
    /// The day.
    #[must_use]
    pub fn get(self) -> i8 {
        self.0
    }

    /// The billing period that `date` lies in. `None` only at the ends of the calendar.
    #[must_use]
    pub fn period_of(self, date: Date) -> Option<Period> {
        let here = self.in_month_of(date)?;
        let start =
            if here <= date { here } else { self.in_month_of(date.first_of_month().checked_sub(1.month()).ok()?)? };
        let next = self.in_month_of(start.first_of_month().checked_add(1.month()).ok()?)?;
        Some(Period { start, end: next.yesterday().ok()? })
    }

    /// `records` by the billing period that they belong to: the one that their first day lies in.
    #[must_use]
    pub fn cut(self, records: Vec<ChargeRecord>) -> Vec<(Period, Vec<ChargeRecord>)> {
        let mut periods: BTreeMap<Date, (Period, Vec<ChargeRecord>)> = BTreeMap::new();
        for record in records {
            let Some(period) = self.period_of(record.period.from()) else { continue };
            periods.entry(period.start).or_insert_with(|| (period, Vec::new())).1.push(record);
        }
        periods.into_values().collect()
    }

    fn in_month_of(self, month: Date) -> Option<Date> {
        month.with().day(self.0.min(month.days_in_month())).build().ok()
    }
}
