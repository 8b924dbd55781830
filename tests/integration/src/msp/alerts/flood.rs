//! A flood of alerts at many companies: what is sent, and in which order.
//!
//! Most alerts happen once, some again and again, and some of either are over in the end. Each has its key in its title, so
//! that the service desk tells which alert it speaks of. What it has to tell afterwards is `told`'s.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Of ten alerts so many have a key of their own; the others are repeats.
const ONCE: usize = 6;
/// Which of the ten is over as soon as it is reported, and which at the end of the flood.
const OVER_AT_ONCE: usize = 5;
const OVER_IN_THE_END: usize = 9;

/// What is sent in.
#[derive(Debug, Clone, PartialEq)]
pub enum Sent {
    /// Something happened: the body of the request.
    Report(Value),
    /// It is over: the key.
    End(String),
}

/// What is sent in of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// At this company.
    pub company: String,
    /// Its place among the company's keys, by their first reports.
    pub place: usize,
    /// How often it happens.
    pub reports: u64,
    /// It is over in the end.
    pub over: bool,
}

/// A flood.
#[derive(Debug, Clone, Default)]
pub struct Flood {
    /// What each company sends in, in its order. Between companies there is none.
    pub companies: Vec<Vec<Sent>>,
    /// Every key.
    pub keys: BTreeMap<String, Expected>,
}

impl Flood {
    /// So many alerts, spread over `companies`; what is over is said besides.
    #[must_use]
    pub fn of(companies: &[String], alerts: usize) -> Self {
        let mut flood = Self::default();
        for (index, company) in companies.iter().enumerate() {
            let own = alerts / companies.len() + usize::from(index < alerts % companies.len());
            let sent = flood.of_company(company, own);
            flood.companies.push(sent);
        }
        flood
    }

    fn of_company(&mut self, company: &str, alerts: usize) -> Vec<Sent> {
        let mut sent = Vec::new();
        let mut ends = Vec::new();
        for number in 0..alerts {
            let slot = number % 10;
            let key = if slot < ONCE { format!("{company}:once-{number}") } else { format!("{company}:often-{slot}") };
            let over = [OVER_AT_ONCE, OVER_IN_THE_END].contains(&slot);
            let fresh = Expected { company: company.to_owned(), place: number, reports: 0, over };
            let expected = self.keys.entry(key.clone()).or_insert(fresh);
            expected.reports += 1;
            sent.push(Sent::Report(report(&key, company)));
            if slot == OVER_AT_ONCE {
                sent.push(Sent::End(key));
            } else if over && expected.reports == 1 {
                ends.push(Sent::End(key));
            }
        }
        sent.extend(ends);
        sent
    }

    /// How many alerts it has.
    #[must_use]
    pub fn reports(&self) -> u64 {
        self.keys.values().map(|expected| expected.reports).sum()
    }

    /// All of it, the companies in turns.
    #[must_use]
    pub fn in_turns(&self) -> Vec<Sent> {
        let longest = self.companies.iter().map(Vec::len).max().unwrap_or_default();
        (0..longest).flat_map(|turn| self.companies.iter().filter_map(move |sent| sent.get(turn))).cloned().collect()
    }
}

/// The title in which an alert is known again.
#[must_use]
pub fn title(key: &str) -> String {
    format!("Malware ({key})")
}

fn report(key: &str, company: &str) -> Value {
    json!({
        "dedupe_key": key, "company": company, "kind": "malware", "severity": "high",
        "title": title(key), "details": "It was put into quarantine.",
    })
}
