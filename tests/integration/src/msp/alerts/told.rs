//! What a service desk tells of a flood, held against what was sent in: each alert once, in its order, where it belongs.

use std::collections::BTreeMap;

use serde_json::Value;

use super::DeskTicket;
use super::flood::{Expected, Flood, title};

/// How the titles of tickets begin in which several alerts are told.
const DIGEST: &str = "Alerts in one ticket";

/// What a service desk tells of a flood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Alerts with a ticket of their own.
    pub own: usize,
    /// Tickets in which several are told.
    pub digests: usize,
    /// Alerts in those.
    pub listed: usize,
    /// Notes on all of them.
    pub notes: usize,
    /// Alerts that have happened more often than their tickets tell so far.
    pub behind: usize,
    /// What must not be.
    pub wrong: Vec<String>,
}

/// Where an alert is told.
#[derive(Default)]
struct Places<'t> {
    own: Vec<&'t DeskTicket>,
    listed: Vec<&'t DeskTicket>,
}

impl Told {
    /// What `tickets` tell of `flood`, of which the API says `alerts` by their keys. `accounts`: those of the companies.
    #[must_use]
    pub fn of(
        flood: &Flood,
        tickets: &[DeskTicket],
        alerts: &BTreeMap<String, Value>,
        accounts: &BTreeMap<String, i64>,
    ) -> Self {
        let mut told = Self { notes: tickets.iter().map(|ticket| ticket.notes.len()).sum(), ..Self::default() };
        let mut places: BTreeMap<&str, Places<'_>> = BTreeMap::new();
        let by_title: BTreeMap<String, &str> = flood.keys.keys().map(|key| (title(key), key.as_str())).collect();
        for ticket in tickets {
            if ticket.title.starts_with(DIGEST) {
                told.digests += 1;
                let listed = told.entries(flood, ticket, accounts);
                for key in listed {
                    places.entry(key).or_default().listed.push(ticket);
                }
            } else if let Some(key) = by_title.get(&ticket.title) {
                places.entry(key).or_default().own.push(ticket);
            } else {
                told.wrong.push(format!("nobody knows what ticket {} is about: {}", ticket.number, ticket.title));
            }
        }
        for (key, expected) in &flood.keys {
            let places = places.remove(key.as_str()).unwrap_or_default();
            told.alert((key, expected), &places, alerts.get(key), accounts);
        }
        told
    }

    /// The keys that a digest lists, which are to be one account's, in the order of their company.
    fn entries<'f>(&mut self, flood: &'f Flood, ticket: &DeskTicket, accounts: &BTreeMap<String, i64>) -> Vec<&'f str> {
        let texts = std::iter::once(&ticket.text).chain(&ticket.notes);
        let marked = texts.flat_map(|text| text.split('(').filter_map(|rest| Some(rest.split_once(')')?.0)));
        let known: Vec<_> = marked.filter_map(|key| flood.keys.get_key_value(key)).collect();
        let mut last: BTreeMap<&str, usize> = BTreeMap::new();
        for (key, Expected { company, place, .. }) in &known {
            if accounts.get(company) != Some(&ticket.account) {
                self.wrong.push(format!("{key} is told on account {}", ticket.account));
            }
            if last.insert(company, *place).is_some_and(|last| last >= *place) {
                self.wrong.push(format!("{key} comes too late in ticket {}", ticket.number));
            }
        }
        known.into_iter().map(|(key, _)| key.as_str()).collect()
    }

    fn alert(
        &mut self,
        (key, expected): (&str, &Expected),
        places: &Places<'_>,
        alert: Option<&Value>,
        accounts: &BTreeMap<String, i64>,
    ) {
        let Some(alert) = alert else {
            return self.wrong.push(format!("{key} is not there"));
        };
        let mut faults = Vec::new();
        let (status, ticket) = (alert["status"].as_str().unwrap_or_default(), &alert["ticket"]);
        let is_over = !alert["resolved_at"].is_null();
        if (alert["count"].as_u64(), is_over) != (Some(expected.reports), expected.over) {
            faults.push(format!("happened {} times, over: {is_over}", alert["count"]));
        }
        let told_in = match (&places.own[..], &places.listed[..]) {
            ([own], []) => {
                self.own += 1;
                self.behind += usize::from(notes(own, expected, &mut faults));
                if accounts.get(&expected.company) != Some(&own.account) {
                    faults.push(format!("is on account {}", own.account));
                }
                Some((own, if expected.over { "resolved" } else { "open" }))
            }
            ([], [digest]) => {
                self.listed += 1;
                Some((digest, "digested"))
            }
            (own, listed) => {
                faults.push(format!("has {} tickets and stands in {} places of digests", own.len(), listed.len()));
                None
            }
        };
        if let Some((told_in, as_what)) = told_in
            && (status, ticket["number"].as_str()) != (as_what, Some(&told_in.number))
        {
            faults.push(format!("is {status} with {ticket}, and told in {} as {as_what}", told_in.number));
        }
        self.wrong.extend(faults.into_iter().map(|fault| format!("{key} {fault}")));
    }
}

/// Looks at the notes on an alert's own ticket: numbers that rise, the end behind all of them, no more than there was. Answers
/// whether something is not told yet.
fn notes(ticket: &DeskTicket, expected: &Expected, faults: &mut Vec<String>) -> bool {
    let opened_with = number_after(&ticket.text, "Happened: ").unwrap_or(1);
    let counts: Vec<u64> = ticket.notes.iter().filter_map(|note| number_after(note, "Happened ")).collect();
    let is_rising = counts.windows(2).all(|two| two[0] < two[1]);
    let told = opened_with + counts.last().copied().unwrap_or_default();
    let ends: Vec<usize> = (0..ticket.notes.len()).filter(|&at| ticket.notes[at].contains("Resolved at")).collect();
    let is_last = ends.iter().all(|&at| at + 1 == ticket.notes.len()) && (expected.over || ends.is_empty());
    if !is_rising || !is_last || told > expected.reports {
        faults.push(format!("happened {} times and is told so: {:?}", expected.reports, ticket.notes));
    }
    told < expected.reports || (expected.over && ends.is_empty())
}

/// The number that stands in `text` right after `words`; 1 where that is `once`.
fn number_after(text: &str, words: &str) -> Option<u64> {
    let (_, rest) = text.split_once(words)?;
    let word = rest.split_whitespace().next()?;
    if word == "once" { Some(1) } else { word.parse().ok() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ticket(number: &str, title: String, text: &str, notes: &[&str]) -> DeskTicket {
        let (number, text) = (number.to_owned(), text.to_owned());
        let notes = notes.iter().map(|note| (*note).to_owned()).collect();
        DeskTicket { id: 1, number, account: 7, title, text, completed: false, notes }
    }

    fn alert(status: &str, count: u64, over: bool, number: &str) -> Value {
        let resolved_at = over.then_some("2026-11-21T12:00:00Z");
        json!({"status": status, "count": count, "resolved_at": resolved_at, "ticket": {"number": number}})
    }

    /// Ten alerts at one company: five have tickets of their own and five share one.
    fn told(change: impl FnOnce(&mut Vec<DeskTicket>, &mut BTreeMap<String, Value>)) -> Told {
        let flood = Flood::of(&["acme".to_owned()], 20);
        let (mut tickets, mut alerts, mut list) = (Vec::new(), BTreeMap::new(), Vec::new());
        let mut keys: Vec<_> = flood.keys.iter().collect();
        keys.sort_by_key(|(_, expected)| expected.place);
        for (index, (key, Expected { reports, over, .. })) in keys.into_iter().enumerate() {
            if index < 10 {
                let again = "Happened once since this ticket was opened, last at 13:00 CET.";
                let end =
                    if *reports > 1 { format!("{again}\nResolved at 13:00 CET.") } else { "Resolved at 13:00".into() };
                let notes: Vec<&str> = match (reports, over) {
                    (_, true) => vec![&end],
                    (2, false) => vec![again],
                    _ => vec![],
                };
                let number = format!("T{index}");
                tickets.push(ticket(&number, title(key), "Severity: high", &notes));
                alerts.insert(key.clone(), alert(if *over { "resolved" } else { "open" }, *reports, *over, &number));
            } else {
                list.push(format!("13:00 acme [high] {}", title(key)));
                alerts.insert(key.clone(), alert("digested", *reports, *over, "D1"));
            }
        }
        let (first, second) = list.split_at(2);
        tickets.push(ticket("D1", format!("{DIGEST}, from 13:00"), &first.join("\n"), &[&second.join("\n")]));
        change(&mut tickets, &mut alerts);
        Told::of(&flood, &tickets, &alerts, &BTreeMap::from([("acme".to_owned(), 7)]))
    }

    #[test]
    fn a_flood_that_is_told_whole_is_counted() {
        let told = told(|_, _| {});
        assert_eq!(told, Told { own: 10, digests: 1, listed: 6, notes: 6, ..Told::default() });
    }

    #[test]
    fn whatever_is_lost_double_or_out_of_order_is_wrong() {
        type Change = fn(&mut Vec<DeskTicket>, &mut BTreeMap<String, Value>);
        let changes: [(&str, Change); 10] = [
            ("a lost ticket", |tickets, _| drop(tickets.remove(0))),
            ("a second ticket", |tickets, _| tickets.push(tickets[0].clone())),
            ("a ticket about nothing", |tickets, _| tickets[0].title = "else".to_owned()),
            ("another account", |tickets, _| tickets[0].account = 8),
            ("another account's digest", |tickets, _| tickets[10].account = 8),
            ("a lost entry", |tickets, _| tickets[10].notes.clear()),
            ("a second entry", |tickets, _| {
                let again = tickets[10].text.clone();
                tickets[10].notes.push(again);
            }),
            ("entries in another order", |tickets, _| {
                let DeskTicket { text, notes, .. } = &mut tickets[10];
                std::mem::swap(text, &mut notes[0]);
            }),
            ("a note after the end", |tickets, _| tickets[5].notes.push("Happened 2 times since".to_owned())),
            ("an alert that does not know its ticket", |_, alerts| {
                alerts.values_mut().for_each(|alert| alert["ticket"] = json!(null));
            }),
        ];
        for (what, change) in changes {
            assert!(!told(change).wrong.is_empty(), "{what} is not noticed");
        }
    }

    #[test]
    fn what_a_ticket_does_not_tell_yet_is_counted() {
        assert_eq!(told(|tickets, _| tickets[6].notes.clear()).behind, 1);
    }
}
