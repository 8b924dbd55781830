//! Reads the labelled names, and says how good the suggestions for one half of them are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use shared::domain::matching::{AccountToMatch, CompanyToMatch, Suggestion, suggest};

/// A half of the names: companies with their account or none, and the PSA's accounts.
#[derive(Default)]
pub struct Half {
    /// Name, and the name of the right account.
    companies: Vec<(String, Option<String>)>,
    accounts: BTreeSet<String>,
}

/// How good suggestions are, from some score on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Measure {
    pub suggested: u32,
    pub right: u32,
    pub to_find: u32,
}

impl Measure {
    /// Of those that are suggested, how many are right; per mille.
    pub fn precision(self) -> u32 {
        (self.right * 1_000).checked_div(self.suggested).unwrap_or(1_000)
    }

    /// Of those that have an account, how many get it; per mille.
    pub fn recall(self) -> u32 {
        (self.right * 1_000).checked_div(self.to_find).unwrap_or(1_000)
    }
}

/// Both halves. A family of names goes to one of them by its first line's hash: nobody chose.
pub fn halves() -> [Half; 2] {
    let mut halves = [Half::default(), Half::default()];
    for family in include_str!("names.txt").split("\n\n") {
        let mut lines = family.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).peekable();
        let Some(first) = lines.peek() else { continue };
        // The accounts that nobody asks for are one paragraph and go line by line.
        let by_line = first.starts_with('+');
        let half = side(first);
        for line in lines {
            halves[if by_line { side(line) } else { half }].add(line);
        }
    }
    halves
}

fn side(line: &str) -> usize {
    usize::from(Sha256::digest(line)[0] % 2)
}

impl Half {
    /// Both halves in one.
    pub fn whole([one, other]: [Self; 2]) -> Self {
        let companies = one.companies.into_iter().chain(other.companies).collect();
        Self { companies, accounts: one.accounts.into_iter().chain(other.accounts).collect() }
    }

    fn add(&mut self, line: &str) {
        let (label, names) = line.split_at(2);
        if label == "+ " {
            self.accounts.insert(names.to_owned());
            return;
        }
        let (company, account) = names.split_once(" | ").expect("two names");
        self.accounts.insert(account.to_owned());
        let right = match label {
            "= " => Some(account.to_owned()),
            "! " => None,
            other => panic!("no label: {other:?}"),
        };
        self.companies.push((company.to_owned(), right));
    }

    pub fn pairs(&self) -> usize {
        self.companies.len()
    }

    pub fn without_account(&self) -> usize {
        self.companies.iter().filter(|(_, right)| right.is_none()).count()
    }

    fn suggestions(&self) -> Vec<Suggestion> {
        let account = |(number, name): (usize, &String)| AccountToMatch {
            id: format!("{}", 1_000 + number).parse().unwrap(),
            name: name.clone(),
            number: None,
        };
        let accounts: Vec<_> = self.accounts.iter().enumerate().map(account).collect();
        let company = |(number, (name, _)): (usize, &(String, Option<String>))| CompanyToMatch {
            company: format!("c{number:04}").parse().unwrap(),
            name: Some(name.clone()),
            known: Vec::new(),
        };
        let companies: Vec<_> = self.companies.iter().enumerate().map(company).collect();
        suggest(&companies, &accounts, &BTreeMap::new())
    }

    /// What comes of it: all that is called sure, and all that is suggested from each of `thresholds` on.
    pub fn measure(&self, thresholds: &[u32]) -> (Measure, Vec<(u32, Measure)>) {
        let suggestions = self.suggestions();
        let to_find = u32::try_from(self.pairs() - self.without_account()).unwrap();
        let of = |wanted: &dyn Fn(&Suggestion) -> bool| {
            let mut measure = Measure { to_find, ..Measure::default() };
            for ((_, right), suggestion) in self.companies.iter().zip(&suggestions) {
                if let Some(best) = suggestion.best.as_ref().filter(|_| wanted(suggestion)) {
                    measure.suggested += 1;
                    measure.right += u32::from(Some(&best.account_name) == right.as_ref());
                }
            }
            measure
        };
        let from = |threshold: u32| {
            of(&move |suggestion| suggestion.best.as_ref().is_some_and(|best| best.score >= threshold))
        };
        (of(&|suggestion| suggestion.sure), thresholds.iter().map(|threshold| (*threshold, from(*threshold))).collect())
    }

    /// Every company that is suggested a wrong account, or not the right one, in words.
    pub fn misses(&self) -> String {
        let mut told = String::new();
        for ((company, right), suggestion) in self.companies.iter().zip(self.suggestions()) {
            let best = suggestion.best.as_ref().map(|best| best.account_name.clone());
            let what = match (suggestion.sure, best == *right) {
                (true, true) => continue,
                (true, false) => "WRONG",
                (false, _) if right.is_none() => continue,
                (false, true) => "not sure",
                (false, false) => "not found",
            };
            let score = suggestion.best.as_ref().map_or(0, |best| best.score);
            let _ = writeln!(told, "  {what}: {company} -> {best:?} ({score}); right: {right:?}");
        }
        told
    }
}
