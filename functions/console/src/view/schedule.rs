//! Schedules and invoice days, in words.

use jiff::civil::Weekday;
use shared::domain::invoicing::InvoiceDay;
use shared::domain::schedule::Schedule;

/// `every Monday at 02:00`.
pub(crate) fn words(schedule: Schedule) -> String {
    match schedule {
        Schedule::Daily { hour } => format!("every day at {}", clock(hour)),
        Schedule::Weekly { hour, weekday } => format!("every {} at {}", weekday_name(weekday), clock(hour)),
        Schedule::Monthly { hour, day } => format!("on day {day} of every month at {}", clock(hour)),
    }
}

/// `every Monday from 00:00`.
pub(crate) fn invoices(day: InvoiceDay) -> String {
    match day {
        InvoiceDay::Weekly { hour, weekday } => format!("every {} from {}", weekday_name(weekday), clock(hour)),
        InvoiceDay::Monthly { hour, day } => format!("on day {day} of every month from {}", clock(hour)),
    }
}

/// `02:00`.
pub(crate) fn clock(hour: i8) -> String {
    format!("{hour:02}:00")
}

fn weekday_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}
