//! What a ticket and its notes say.

use jiff::tz::TimeZone;

use super::digest::told;
use super::{Alert, Entry, Incident, Matter, cut, listed};

/// A title, a text, and how often it has happened by them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// On one line.
    pub title: String,
    /// Our own words, then the vendor's.
    pub text: String,
    /// The number that is told.
    pub count: u32,
}

const DIGEST: &str = "This hour has had as many tickets as the ticket mapping allows. The alerts after them are listed \
    here and in the notes; each is also at GET /v1/alerts.";

impl Story {
    /// What a new ticket says; `room` is what titles and texts may take. `entries`: the alerts of a digest, from the first.
    #[must_use]
    pub fn of_ticket(alert: &Alert, entries: &[Entry], zone: &TimeZone, room: (usize, usize)) -> Self {
        let (title, text, count) = match &alert.matter {
            Matter::Incident(incident) => (incident.title.clone(), of_incident(alert, incident, zone), alert.count),
            Matter::Digest(_) => {
                let list = listed(entries, zone, room.1.saturating_sub(DIGEST.len() + 2));
                let title = format!("Alerts in one ticket, from {}", told(alert.first_at, zone));
                (title, format!("{DIGEST}\n\n{}", list.text), list.count)
            }
        };
        Self { title: cut(&title, room.0), text: cut(&text, room.1), count }
    }

    /// What the next note says. `entries`: the alerts of a digest that its ticket does not list yet.
    #[must_use]
    pub fn of_note(alert: &Alert, entries: &[Entry], zone: &TimeZone, room: (usize, usize)) -> Self {
        let (title, text, count) = match &alert.matter {
            Matter::Incident(_) => {
                let (title, text) = of_repeats(alert, zone);
                (title, text, alert.count)
            }
            Matter::Digest(_) => {
                let list = listed(entries, zone, room.1);
                ("More alerts".to_owned(), list.text, alert.noted.count.saturating_add(list.count))
            }
        };
        Self { title: cut(&title, room.0), text: cut(&text, room.1), count }
    }
}

fn of_incident(alert: &Alert, incident: &Incident, zone: &TimeZone) -> String {
    let Incident { company, kind, severity, details, .. } = incident;
    let mut lines = vec![
        format!("Company: {company}"),
        format!("Kind: {kind}"),
        format!("Severity: {severity}"),
        format!("First at: {}", told(alert.first_at, zone)),
    ];
    if alert.count > 1 {
        lines.push(format!("Happened: {} times, last at {}", alert.count, told(alert.last_at, zone)));
    }
    if !details.is_empty() {
        lines.push(format!("\n{details}"));
    }
    lines.join("\n")
}

fn of_repeats(alert: &Alert, zone: &TimeZone) -> (String, String) {
    let since = alert.ticket.as_ref().map_or(0, |ticket| alert.count.saturating_sub(ticket.told));
    let times = if since == 1 { "once".to_owned() } else { format!("{since} times") };
    let again = alert.count > alert.noted.count;
    let happened = format!("Happened {times} since this ticket was opened, last at {}.", told(alert.last_at, zone));
    match alert.resolved_at {
        Some(at) if again => ("Resolved".to_owned(), format!("{happened}\nResolved at {}.", told(at, zone))),
        Some(at) => ("Resolved".to_owned(), format!("Resolved at {}.", told(at, zone))),
        None => ("Happened again".to_owned(), happened),
    }
}
