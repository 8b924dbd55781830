//! When a connection is due: daily, weekly or monthly at an hour of the partner's time zone.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

/// Every day, every week or every month, at an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub enum Schedule {
    /// Every day at `hour`.
    Daily {
        /// 0 to 23.
        hour: i8,
    },
    /// Once a week.
    Weekly {
        /// 0 to 23.
        hour: i8,
        /// The day.
        weekday: Weekday,
    },
    /// Once a month; a day that a month lacks is its last day.
    Monthly {
        /// 0 to 23.
        hour: i8,
        /// 1 to 31.
        day: i8,
    },
}

impl Default for Schedule {
    fn default() -> Self {
        Self::Daily { hour: 2 }
    }
}

impl Schedule {
    /// The first due instant after `now`. An hour that the clocks skip is due at the instant they skip to; an hour that
    /// they repeat is due once, at its first pass. `None` only at the end of the calendar.
    #[must_use]
    pub fn next_after(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let today = now.to_zoned(zone.clone()).date();
        let mut day = self.first_day_from(today)?;
        loop {
            let due = zone.to_ambiguous_zoned(day.at(self.hour(), 0, 0, 0)).compatible().ok()?.timestamp();
            if due > now {
                return Some(due);
            }
            day = self.first_day_from(day.tomorrow().ok()?)?;
        }
    }

    fn hour(&self) -> i8 {
        match self {
            Self::Daily { hour } | Self::Weekly { hour, .. } | Self::Monthly { hour, .. } => *hour,
        }
    }

    fn first_day_from(&self, from: Date) -> Option<Date> {
        match self {
            Self::Daily { .. } => Some(from),
            Self::Weekly { weekday, .. } => from.checked_add(i64::from(from.weekday().until(*weekday)).days()).ok(),
            Self::Monthly { day, .. } => {
                let clamped = |month: Date| month.with().day((*day).min(month.days_in_month())).build().ok();
                let here = clamped(from)?;
                if here >= from { Some(here) } else { clamped(from.first_of_month().checked_add(1.month()).ok()?) }
            }
        }
    }
}

/// The wire form, in which `weekday` and `day` must fit the frequency.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Schedule)]
pub struct Parts {
    /// How often.
    frequency: Frequency,
    /// Hour of the day in the connection's time zone, 0 to 23.
    hour: i8,
    /// Day of a weekly schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weekday: Option<WeekdayName>,
    /// Day of a monthly schedule, 1 to 31; in a shorter month its last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    day: Option<i8>,
}

/// How often a connection is synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Frequency {
    /// Every day.
    Daily,
    /// Once a week.
    Weekly,
    /// Once a month.
    Monthly,
}

macro_rules! weekday_names {
    ($($name:ident)*) => {
        /// A day of the week.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum WeekdayName {
            $(#[doc = stringify!($name)] $name),*
        }

        impl From<WeekdayName> for Weekday {
            fn from(name: WeekdayName) -> Self {
                match name { $(WeekdayName::$name => Self::$name),* }
            }
        }

        impl From<Weekday> for WeekdayName {
            fn from(day: Weekday) -> Self {
                match day { $(Weekday::$name => Self::$name),* }
            }
        }
    };
}

weekday_names! { Monday Tuesday Wednesday Thursday Friday Saturday Sunday }

impl TryFrom<Parts> for Schedule {
    type Error = &'static str;
    fn try_from(parts: Parts) -> Result<Self, Self::Error> {
        let hour = parts.hour;
        if !(0..=23).contains(&hour) {
            return Err("hour must be from 0 to 23");
        }
        match (parts.frequency, parts.weekday, parts.day) {
            (Frequency::Daily, None, None) => Ok(Self::Daily { hour }),
            (Frequency::Daily, _, _) => Err("a daily schedule has neither weekday nor day"),
            (Frequency::Weekly, Some(weekday), None) => Ok(Self::Weekly { hour, weekday: weekday.into() }),
            (Frequency::Weekly, _, _) => Err("a weekly schedule has a weekday and no day"),
            (Frequency::Monthly, None, Some(day @ 1..=31)) => Ok(Self::Monthly { hour, day }),
            (Frequency::Monthly, _, _) => Err("a monthly schedule has a day from 1 to 31 and no weekday"),
        }
    }
}

impl From<Schedule> for Parts {
    fn from(schedule: Schedule) -> Self {
        let parts = |frequency, hour| Self { frequency, hour, weekday: None, day: None };
        match schedule {
            Schedule::Daily { hour } => parts(Frequency::Daily, hour),
            Schedule::Weekly { hour, weekday } => {
                Self { weekday: Some(weekday.into()), ..parts(Frequency::Weekly, hour) }
            }
            Schedule::Monthly { hour, day } => Self { day: Some(day), ..parts(Frequency::Monthly, hour) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &str, zone: &str, now: &str) -> String {
        let schedule: Schedule = serde_json::from_str(schedule).unwrap();
        let zone = TimeZone::get(zone).unwrap();
        schedule.next_after(now.parse().unwrap(), &zone).unwrap().to_zoned(zone).to_string()
    }

    #[test]
    fn a_daily_hour_is_the_partners_hour() {
        let daily = r#"{"frequency":"daily","hour":2}"#;
        assert_eq!(next(daily, "Europe/Berlin", "2026-11-21T00:59:59Z"), "2026-11-21T02:00:00+01:00[Europe/Berlin]");
        assert_eq!(next(daily, "Europe/Berlin", "2026-11-21T01:00:00Z"), "2026-11-22T02:00:00+01:00[Europe/Berlin]");
        assert_eq!(next(daily, "Pacific/Apia", "2026-11-21T13:00:00Z"), "2026-11-23T02:00:00+13:00[Pacific/Apia]");
    }

    #[test]
    fn a_skipped_hour_is_due_after_the_gap_and_a_repeated_one_once() {
        let daily = r#"{"frequency":"daily","hour":2}"#;
        assert_eq!(next(daily, "Europe/Berlin", "2026-03-28T12:00:00Z"), "2026-03-29T03:00:00+02:00[Europe/Berlin]");
        assert_eq!(next(daily, "Europe/Berlin", "2026-10-24T12:00:00Z"), "2026-10-25T02:00:00+02:00[Europe/Berlin]");
        assert_eq!(next(daily, "Europe/Berlin", "2026-10-25T00:00:00Z"), "2026-10-26T02:00:00+01:00[Europe/Berlin]");
    }

    #[test]
    fn clocks_that_change_at_midnight_neither_skip_nor_repeat_a_day() {
        // Cairo skips midnight in April; Havana's midnight comes twice in November.
        let daily = r#"{"frequency":"daily","hour":0}"#;
        assert_eq!(next(daily, "Africa/Cairo", "2026-04-23T12:00:00Z"), "2026-04-24T01:00:00+03:00[Africa/Cairo]");
        assert_eq!(next(daily, "Africa/Cairo", "2026-04-23T22:00:00Z"), "2026-04-25T00:00:00+03:00[Africa/Cairo]");
        assert_eq!(next(daily, "America/Havana", "2026-10-31T12:00:00Z"), "2026-11-01T00:00:00-04:00[America/Havana]");
        assert_eq!(next(daily, "America/Havana", "2026-11-01T04:00:00Z"), "2026-11-02T00:00:00-05:00[America/Havana]");
        assert_eq!(next(daily, "America/Havana", "2026-11-01T05:00:00Z"), "2026-11-02T00:00:00-05:00[America/Havana]");
    }

    #[test]
    fn weeks_and_months_keep_their_hour_when_clocks_change() {
        let weekly = r#"{"frequency":"weekly","hour":2,"weekday":"sunday"}"#;
        let new_york = "America/New_York";
        assert_eq!(next(weekly, new_york, "2026-03-07T12:00:00Z"), "2026-03-08T03:00:00-04:00[America/New_York]");
        assert_eq!(next(weekly, new_york, "2026-03-08T07:00:00Z"), "2026-03-15T02:00:00-04:00[America/New_York]");
        let weekly = r#"{"frequency":"weekly","hour":1,"weekday":"sunday"}"#;
        assert_eq!(next(weekly, new_york, "2026-10-31T12:00:00Z"), "2026-11-01T01:00:00-04:00[America/New_York]");
        assert_eq!(next(weekly, new_york, "2026-11-01T05:00:00Z"), "2026-11-08T01:00:00-05:00[America/New_York]");
        let monthly = r#"{"frequency":"monthly","hour":2,"day":29}"#;
        assert_eq!(next(monthly, "Europe/Berlin", "2026-03-01T00:00:00Z"), "2026-03-29T03:00:00+02:00[Europe/Berlin]");
        let monthly = r#"{"frequency":"monthly","hour":2,"day":25}"#;
        assert_eq!(next(monthly, "Europe/Berlin", "2026-10-25T00:00:00Z"), "2026-11-25T02:00:00+01:00[Europe/Berlin]");
    }

    #[test]
    fn far_zones_have_weekdays_and_month_ends_of_their_own() {
        // 11:00 on Monday in UTC is midnight on Tuesday in Apia and midnight on Monday in Pago Pago.
        let weekly = r#"{"frequency":"weekly","hour":0,"weekday":"tuesday"}"#;
        let monthly = r#"{"frequency":"monthly","hour":23,"day":31}"#;
        for (schedule, zone, now, due) in [
            (weekly, "Pacific/Apia", "2026-11-30T10:59:59Z", "2026-12-01T00:00:00+13:00"),
            (weekly, "Pacific/Apia", "2026-11-30T11:00:00Z", "2026-12-08T00:00:00+13:00"),
            (weekly, "Pacific/Pago_Pago", "2026-11-30T11:00:00Z", "2026-12-01T00:00:00-11:00"),
            (weekly, "Pacific/Pago_Pago", "2026-12-01T11:00:00Z", "2026-12-08T00:00:00-11:00"),
            (monthly, "Pacific/Apia", "2028-02-28T12:00:00Z", "2028-02-29T23:00:00+13:00"),
            (monthly, "Pacific/Apia", "2028-02-29T10:00:00Z", "2028-03-31T23:00:00+13:00"),
            (monthly, "Pacific/Pago_Pago", "2026-12-01T09:59:59Z", "2026-11-30T23:00:00-11:00"),
            (monthly, "Pacific/Pago_Pago", "2026-12-01T10:00:00Z", "2026-12-31T23:00:00-11:00"),
        ] {
            assert_eq!(next(schedule, zone, now), format!("{due}[{zone}]"), "{schedule} after {now}");
        }
    }

    #[test]
    fn weekly_and_monthly_find_their_day() {
        let weekly = r#"{"frequency":"weekly","hour":0,"weekday":"monday"}"#;
        assert_eq!(next(weekly, "UTC", "2026-11-21T10:00:00Z"), "2026-11-23T00:00:00+00:00[UTC]");
        assert_eq!(next(weekly, "UTC", "2026-11-23T00:00:00Z"), "2026-11-30T00:00:00+00:00[UTC]");
        let monthly = r#"{"frequency":"monthly","hour":6,"day":31}"#;
        assert_eq!(next(monthly, "UTC", "2026-02-01T00:00:00Z"), "2026-02-28T06:00:00+00:00[UTC]");
        assert_eq!(next(monthly, "UTC", "2028-02-01T00:00:00Z"), "2028-02-29T06:00:00+00:00[UTC]");
        assert_eq!(next(monthly, "UTC", "2026-02-28T06:00:00Z"), "2026-03-31T06:00:00+00:00[UTC]");
    }

    #[test]
    fn a_schedule_is_told_as_it_was_set() {
        for text in [
            r#"{"frequency":"daily","hour":0}"#,
            r#"{"frequency":"weekly","hour":23,"weekday":"sunday"}"#,
            r#"{"frequency":"monthly","hour":6,"day":31}"#,
        ] {
            let schedule: Schedule = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&schedule).unwrap(), text);
        }
    }

    #[test]
    fn days_that_do_not_fit_the_frequency_are_refused() {
        for bad in [
            r#"{"frequency":"daily","hour":24}"#,
            r#"{"frequency":"daily","hour":2,"day":1}"#,
            r#"{"frequency":"weekly","hour":2}"#,
            r#"{"frequency":"monthly","hour":2,"day":32}"#,
            r#"{"frequency":"monthly","hour":2,"day":0}"#,
        ] {
            assert!(serde_json::from_str::<Schedule>(bad).is_err(), "{bad}");
        }
    }
}
