//! The day on which the partner makes its invoices in the PSA, and whether syncs come close enough before it.
//!
//! Nothing of an invoice is read or written: the partner states the day, and here is what that means for the schedule.
//! Counts that come after the last sync before an invoice reach the PSA only when it has been made.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::schedule::{Schedule, WeekdayName};

/// So many invoices are looked ahead at: a year of monthly ones, in which every length of a month comes up.
const INVOICES_AHEAD: usize = 12;

/// Longer than any two syncs of a schedule are apart.
const LONGEST_GAP: SignedDuration = SignedDuration::from_hours(24 * 40);

/// When invoices are made: every week or every month, from an hour on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub enum InvoiceDay {
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

/// An invoice to come, and the syncs about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invoice {
    /// From then on it may be made.
    pub at: Timestamp,
    /// The last sync that is scheduled before it.
    pub last_sync: Timestamp,
    /// The first sync that is scheduled at that instant or after it: too late for what was counted since the last one.
    pub next_sync: Timestamp,
    /// Whether the last sync comes within the day before it.
    pub covered: bool,
}

impl InvoiceDay {
    /// The next invoices after `now`, a year of monthly ones, with the syncs of `schedule` about each. Fewer only at the end
    /// of the calendar.
    #[must_use]
    pub fn ahead(&self, schedule: &Schedule, now: Timestamp, zone: &TimeZone) -> Vec<Invoice> {
        let due = Schedule::from(*self);
        let invoices = std::iter::successors(due.next_after(now, zone), |last| due.next_after(*last, zone));
        invoices.take(INVOICES_AHEAD).map_while(|at| self.with_syncs(at, schedule, zone)).collect()
    }

    fn with_syncs(&self, at: Timestamp, schedule: &Schedule, zone: &TimeZone) -> Option<Invoice> {
        let mut last_sync = schedule.next_after(at.checked_sub(LONGEST_GAP).ok()?, zone)?;
        let next_sync = loop {
            let next = schedule.next_after(last_sync, zone)?;
            if next >= at {
                break next;
            }
            last_sync = next;
        };
        // A day by the clock on the wall or 24 hours, whichever is longer where the clocks change: a daily sync is within it.
        let day_before = at.to_zoned(zone.clone()).date().yesterday().ok()?.at(self.hour(), 0, 0, 0);
        let day_before = zone.to_ambiguous_zoned(day_before).compatible().ok()?.timestamp();
        let day_before = day_before.min(at.checked_sub(SignedDuration::from_hours(24)).ok()?);
        Some(Invoice { at, last_sync, next_sync, covered: last_sync >= day_before })
    }

    fn hour(&self) -> i8 {
        match self {
            Self::Weekly { hour, .. } | Self::Monthly { hour, .. } => *hour,
        }
    }
}

impl From<InvoiceDay> for Schedule {
    /// Invoices fall due as syncs do: short months, skipped and repeated hours are the schedule's.
    fn from(day: InvoiceDay) -> Self {
        match day {
            InvoiceDay::Weekly { hour, weekday } => Self::Weekly { hour, weekday },
            InvoiceDay::Monthly { hour, day } => Self::Monthly { hour, day },
        }
    }
}

/// The wire form, in which `weekday` and `day` must fit the frequency.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InvoiceDay)]
pub struct Parts {
    /// How often.
    frequency: Frequency,
    /// Hour of the day in the connection's time zone, 0 to 23, from which on invoices are made; 0 is the start of the day.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 23, default = 0)]
    hour: i8,
    /// Day of weekly invoices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weekday: Option<WeekdayName>,
    /// Day of monthly invoices, 1 to 31; in a shorter month its last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    day: Option<i8>,
}

/// How often invoices are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = InvoiceFrequency)]
pub enum Frequency {
    /// Every week.
    Weekly,
    /// Every month.
    Monthly,
}

impl TryFrom<Parts> for InvoiceDay {
    type Error = &'static str;
    fn try_from(parts: Parts) -> Result<Self, Self::Error> {
        let hour = parts.hour;
        if !(0..=23).contains(&hour) {
            return Err("hour must be from 0 to 23");
        }
        match (parts.frequency, parts.weekday, parts.day) {
            (Frequency::Weekly, Some(weekday), None) => Ok(Self::Weekly { hour, weekday: weekday.into() }),
            (Frequency::Weekly, _, _) => Err("weekly invoices have a weekday and no day"),
            (Frequency::Monthly, None, Some(day @ 1..=31)) => Ok(Self::Monthly { hour, day }),
            (Frequency::Monthly, _, _) => Err("monthly invoices have a day from 1 to 31 and no weekday"),
        }
    }
}

impl From<InvoiceDay> for Parts {
    fn from(day: InvoiceDay) -> Self {
        match day {
            InvoiceDay::Weekly { hour, weekday } => {
                Self { frequency: Frequency::Weekly, hour, weekday: Some(weekday.into()), day: None }
            }
            InvoiceDay::Monthly { hour, day } => {
                Self { frequency: Frequency::Monthly, hour, weekday: None, day: Some(day) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BERLIN: &str = "Europe/Berlin";

    /// Invoices after `now`: `invoice: last sync -> next sync`, with a `!` where it is not covered.
    fn ahead(invoices: &str, syncs: &str, zone: &str, now: &str) -> Vec<String> {
        let day: InvoiceDay = serde_json::from_str(invoices).unwrap();
        let schedule: Schedule = serde_json::from_str(syncs).unwrap();
        let zone = TimeZone::get(zone).unwrap();
        let local = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
        let told = |invoice: Invoice| {
            let Invoice { at, last_sync, next_sync, covered } = invoice;
            let mark = if covered { "" } else { "!" };
            format!("{}{mark}: {} -> {}", local(at), local(last_sync), local(next_sync))
        };
        day.ahead(&schedule, now.parse().unwrap(), &zone).into_iter().map(told).collect()
    }

    #[test]
    fn a_sync_on_the_fifth_is_too_early_for_invoices_on_the_first_and_the_next_one_too_late() {
        let (invoices, syncs) = (r#"{"frequency":"monthly","day":1}"#, r#"{"frequency":"monthly","hour":2,"day":5}"#);
        let ahead = ahead(invoices, syncs, BERLIN, "2026-11-21T12:00:00Z");
        assert_eq!(ahead.len(), INVOICES_AHEAD);
        assert_eq!(ahead[0], "2026-12-01 00:00!: 2026-11-05 02:00 -> 2026-12-05 02:00");
        assert!(ahead.iter().all(|invoice| invoice.contains('!')), "{ahead:?}");
    }

    #[test]
    fn a_weekly_sync_is_close_to_a_first_of_the_month_only_by_chance() {
        let (invoices, syncs) =
            (r#"{"frequency":"monthly","day":1}"#, r#"{"frequency":"weekly","hour":2,"weekday":"friday"}"#);
        let told = ahead(invoices, syncs, BERLIN, "2026-11-21T12:00:00Z");
        assert_eq!(told[0], "2026-12-01 00:00!: 2026-11-27 02:00 -> 2026-12-04 02:00");
        // The first of May 2027 is a Saturday.
        let by_chance: Vec<_> = told.iter().filter(|invoice| !invoice.contains('!')).collect();
        assert_eq!(by_chance, ["2027-05-01 00:00: 2027-04-30 02:00 -> 2027-05-07 02:00"]);
    }

    #[test]
    fn a_daily_sync_is_close_to_every_invoice_also_at_its_own_hour_and_when_the_clocks_change() {
        for hour in [0, 2, 3, 23] {
            for invoice_hour in [0, 2, 3, 23] {
                let syncs = format!(r#"{{"frequency":"daily","hour":{hour}}}"#);
                for invoices in [
                    format!(r#"{{"frequency":"monthly","day":26,"hour":{invoice_hour}}}"#),
                    format!(r#"{{"frequency":"weekly","weekday":"monday","hour":{invoice_hour}}}"#),
                    format!(r#"{{"frequency":"weekly","weekday":"sunday","hour":{invoice_hour}}}"#),
                ] {
                    // The twelve weeks from here on have a change of the clocks in them.
                    for now in ["2026-02-20T00:00:00Z", "2026-09-20T00:00:00Z"] {
                        let told = ahead(&invoices, &syncs, BERLIN, now);
                        assert!(told.iter().all(|invoice| !invoice.contains('!')), "{invoices} {syncs} {told:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_sync_at_the_instant_of_the_invoice_does_not_come_before_it() {
        let daily = r#"{"frequency":"daily","hour":0}"#;
        let told = ahead(r#"{"frequency":"monthly","day":1}"#, daily, "UTC", "2026-11-21T12:00:00Z");
        assert_eq!(told[0], "2026-12-01 00:00: 2026-11-30 00:00 -> 2026-12-01 00:00");
        let monthly = r#"{"frequency":"monthly","hour":0,"day":1}"#;
        let told = ahead(r#"{"frequency":"monthly","day":1}"#, monthly, "UTC", "2026-11-21T12:00:00Z");
        assert_eq!(told[0], "2026-12-01 00:00!: 2026-11-01 00:00 -> 2026-12-01 00:00");
        let told = ahead(r#"{"frequency":"monthly","day":1,"hour":1}"#, monthly, "UTC", "2026-11-21T12:00:00Z");
        assert_eq!(told[0], "2026-12-01 01:00: 2026-12-01 00:00 -> 2027-01-01 00:00");
    }

    #[test]
    fn short_months_are_clamped_for_invoices_as_for_syncs() {
        let last_day = r#"{"frequency":"monthly","day":31,"hour":6}"#;
        let syncs = r#"{"frequency":"monthly","hour":2,"day":31}"#;
        let told = ahead(last_day, syncs, "UTC", "2027-01-31T12:00:00Z");
        assert_eq!(told[0], "2027-02-28 06:00: 2027-02-28 02:00 -> 2027-03-31 02:00");
        assert!(told.iter().all(|invoice| !invoice.contains('!')), "{told:?}");
        // The thirtieth is the last day of some months and not of others.
        let syncs = r#"{"frequency":"monthly","hour":2,"day":30}"#;
        let told = ahead(r#"{"frequency":"monthly","day":1}"#, syncs, "UTC", "2026-11-21T12:00:00Z");
        assert_eq!(told[0], "2026-12-01 00:00: 2026-11-30 02:00 -> 2026-12-30 02:00");
        assert_eq!(told[1], "2027-01-01 00:00!: 2026-12-30 02:00 -> 2027-01-30 02:00");
        assert_eq!(told[2], "2027-02-01 00:00!: 2027-01-30 02:00 -> 2027-02-28 02:00");
        assert_eq!(told[3], "2027-03-01 00:00: 2027-02-28 02:00 -> 2027-03-30 02:00");
    }

    #[test]
    fn weekly_invoices_are_made_in_the_partners_week() {
        let invoices = r#"{"frequency":"weekly","weekday":"monday"}"#;
        let syncs = r#"{"frequency":"weekly","hour":20,"weekday":"sunday"}"#;
        let told = ahead(invoices, syncs, "Pacific/Apia", "2026-11-21T12:00:00Z");
        assert_eq!(told[0], "2026-11-23 00:00: 2026-11-22 20:00 -> 2026-11-29 20:00");
        let told = ahead(invoices, syncs, "Pacific/Apia", "2026-11-22T11:00:00Z");
        assert_eq!(
            told[0], "2026-11-30 00:00: 2026-11-29 20:00 -> 2026-12-06 20:00",
            "the one at this instant is made"
        );
    }

    #[test]
    fn an_invoice_day_is_told_as_it_was_set_and_begins_at_midnight() {
        for (sent, told) in [
            (r#"{"frequency":"monthly","day":1}"#, r#"{"frequency":"monthly","hour":0,"day":1}"#),
            (
                r#"{"frequency":"weekly","hour":23,"weekday":"monday"}"#,
                r#"{"frequency":"weekly","hour":23,"weekday":"monday"}"#,
            ),
        ] {
            let day: InvoiceDay = serde_json::from_str(sent).unwrap();
            assert_eq!(serde_json::to_string(&day).unwrap(), told);
        }
    }

    #[test]
    fn days_that_do_not_fit_the_frequency_are_refused() {
        for bad in [
            r#"{"frequency":"daily"}"#,
            r#"{"frequency":"monthly"}"#,
            r#"{"frequency":"monthly","day":0}"#,
            r#"{"frequency":"monthly","day":32}"#,
            r#"{"frequency":"monthly","day":1,"weekday":"monday"}"#,
            r#"{"frequency":"monthly","day":1,"hour":24}"#,
            r#"{"frequency":"monthly","day":1,"hour":-1}"#,
            r#"{"frequency":"weekly","day":1}"#,
            r#"{"frequency":"weekly","weekday":"someday"}"#,
            r#"{"frequency":"weekly","weekday":"monday","minute":5}"#,
        ] {
            assert!(serde_json::from_str::<InvoiceDay>(bad).is_err(), "{bad}");
        }
    }
}
