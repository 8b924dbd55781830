//! Finds, for each company, the accounts that it may be, best first: by ids on record, by number, by name.
//!
//! What is sure may be applied by a caller who trusts it; what is not is for a person to look at. Which company gets an
//! account that several want is decided in `claims`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::candidate::{Candidate, Evidence, EvidenceKind, Match, told};
use super::claims::{Claims, settle};
use super::index::Index;
use super::likeness::{Likeness, Rarity};
use super::name::Name;
use crate::domain::ids::{AccountId, CompanyId};

/// From this score on, a name that is merely similar is taken for sure, where nothing else is like it.
pub const SURE: u32 = 780;
/// Below this score nothing is suggested.
const WORTH_TELLING: u32 = 420;
/// By how much the next best has to be less like it.
pub(super) const MARGIN: u32 = 80;
/// Accounts that are told beside the one that is suggested.
pub(super) const ALTERNATIVES: usize = 3;

/// Scores of what is more than similar.
const STATED: u32 = 1_000;
pub(super) const MAPPED_ELSEWHERE: u32 = 995;
const NUMBER: u32 = 990;
const MAPPED_BEFORE: u32 = 970;
const SAME_TEXT: u32 = 965;
pub(super) const SAME_NAME: u32 = 960;

/// A company that looks for its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyToMatch {
    /// Its id.
    pub company: CompanyId,
    /// Its name, where one was ever given.
    pub name: Option<String>,
    /// What is known of its account otherwise.
    pub known: Vec<KnownAccount>,
}

/// Where an account's id is known from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownAccount {
    /// The usage names it.
    Stated(AccountId),
    /// The company is mapped to it on another connection to the same PSA tenant: the connection's name.
    OnAnotherConnection(AccountId, String),
    /// The company was mapped to it here, until a person removed that.
    Removed(AccountId),
}

/// An active account of the PSA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountToMatch {
    /// The PSA's id.
    pub id: AccountId,
    /// Its name.
    pub name: String,
    /// The number that people gave it.
    pub number: Option<String>,
}

/// What is suggested for a company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The company.
    pub company: CompanyId,
    /// Its name, where one was ever given.
    pub company_name: Option<String>,
    /// The likeliest account. `None`: no active account is like it.
    pub best: Option<Candidate>,
    /// Whether a caller may take it without looking.
    pub sure: bool,
    /// The next best, best first.
    pub alternatives: Vec<Candidate>,
}

/// What is suggested for each of `companies`, in their order. `mapped`: accounts that other companies are mapped to.
#[must_use]
pub fn suggest(
    companies: &[CompanyToMatch],
    accounts: &[AccountToMatch],
    mapped: &BTreeMap<AccountId, BTreeSet<CompanyId>>,
) -> Vec<Suggestion> {
    let desk = Desk::of(accounts);
    let mut found: Vec<Found> = companies.iter().map(|company| desk.candidates(company)).collect();
    settle(&mut found, mapped);
    let claims = Claims::of(companies, &found, mapped);
    companies.iter().zip(found).map(|(company, found)| claims.suggestion(company, found)).collect()
}

/// The accounts, as they are looked through.
struct Desk<'a> {
    accounts: &'a [AccountToMatch],
    names: Vec<Vec<Name>>,
    rarity: Rarity,
    index: Index,
    by_id: HashMap<&'a AccountId, usize>,
    by_number: HashMap<String, Vec<usize>>,
}

/// What was found for one company.
pub(super) struct Found {
    /// Best first.
    pub candidates: Vec<Hit>,
    /// The place of the one that is suggested.
    pub chosen: usize,
}

pub(super) struct Hit {
    /// Whether the names are one, or as alike as names have to be.
    named_alike: bool,
    /// Whether the names have next to nothing in common.
    named_otherwise: bool,
    pub candidate: Candidate,
}

impl<'a> Desk<'a> {
    fn of(accounts: &'a [AccountToMatch]) -> Self {
        let names: Vec<Vec<Name>> = accounts.iter().map(|account| Name::all(&account.name)).collect();
        let rarity = Rarity::among(names.iter().flatten());
        let numbered = names.iter().enumerate().flat_map(|(at, names)| names.iter().map(move |name| (at, name)));
        let index = Index::of(numbered);
        let by_id = accounts.iter().enumerate().map(|(at, account)| (&account.id, at)).collect();
        let mut by_number: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, account) in accounts.iter().enumerate() {
            if let Some(number) = account.number.as_deref().map(str::trim).filter(|number| !number.is_empty()) {
                by_number.entry(number.to_lowercase()).or_default().push(at);
            }
        }
        Self { accounts, names, rarity, index, by_id, by_number }
    }

    /// Every account that is worth telling of for a company.
    fn candidates(&self, company: &CompanyToMatch) -> Found {
        let names = company.name.as_deref().map(Name::all).unwrap_or_default();
        let mut reasons: BTreeMap<usize, Vec<(Match, u32, Evidence)>> = BTreeMap::new();
        for known in &company.known {
            if let Some((at, reason)) = self.known(known) {
                reasons.entry(at).or_default().push(reason);
            }
        }
        for at in self.by_number.get(&company.company.as_str().to_lowercase()).into_iter().flatten() {
            let detail = format!("The account's number is {}, the company's id.", company.company);
            let evidence = Evidence { kind: EvidenceKind::SameNumber, detail };
            reasons.entry(*at).or_default().push((Match::AccountNumber, NUMBER, evidence));
        }
        for name in &names {
            for at in self.index.near(name) {
                reasons.entry(at).or_default();
            }
        }
        let hits = reasons.into_iter().filter_map(|(at, reasons)| self.hit(at, company, &names, reasons));
        let mut candidates: Vec<Hit> = hits.filter(|hit| hit.candidate.score >= WORTH_TELLING).collect();
        candidates.sort_by(|one, other| one.rank().cmp(&other.rank()));
        Found { candidates, chosen: 0 }
    }

    fn known(&self, known: &KnownAccount) -> Option<(usize, (Match, u32, Evidence))> {
        let (id, score, kind, detail) = match known {
            KnownAccount::Stated(id) => {
                (id, STATED, EvidenceKind::StatedByUsage, "The usage names this account.".to_owned())
            }
            KnownAccount::OnAnotherConnection(id, name) => (
                id,
                MAPPED_ELSEWHERE,
                EvidenceKind::MappedOnAnotherConnection,
                format!("The connection \"{name}\" to the same PSA maps the company to this account."),
            ),
            KnownAccount::Removed(id) => (
                id,
                MAPPED_BEFORE,
                EvidenceKind::MappedBefore,
                "The company was mapped to this account here, until that was removed.".to_owned(),
            ),
        };
        self.by_id.get(id).map(|at| (*at, (Match::AccountId, score, Evidence { kind, detail })))
    }

    fn hit(
        &self,
        at: usize,
        company: &CompanyToMatch,
        names: &[Name],
        mut reasons: Vec<(Match, u32, Evidence)>,
    ) -> Option<Hit> {
        let (account, of_account) = (self.accounts.get(at)?, self.names.get(at)?);
        let pairs = || names.iter().flat_map(|name| of_account.iter().map(move |other| (name, other)));
        let is_one = pairs().any(|(name, other)| name.is(other));
        let alike = pairs().map(|(name, other)| Likeness::between(name, other, &self.rarity));
        let alike = alike.max_by_key(|likeness| likeness.score);
        let likeness = alike.as_ref().map_or(0, |likeness| likeness.score);
        let named_alike = is_one || likeness >= SURE;
        let named_otherwise = !names.is_empty() && !is_one && likeness < WORTH_TELLING;
        let given = company.name.as_deref().unwrap_or_default();
        if is_one {
            let detail = if given == account.name {
                format!("Both are called \"{given}\".")
            } else {
                format!("\"{given}\" and \"{}\" are one name.", account.name)
            };
            // Of "Weber GmbH" and "Weber AG", the one that is spelt as the company is.
            let same_text = given.trim().to_lowercase() == account.name.trim().to_lowercase();
            let score = if same_text { SAME_TEXT } else { SAME_NAME };
            reasons.push((Match::Name, score, Evidence { kind: EvidenceKind::SameName, detail }));
        } else if reasons.is_empty() {
            let mut told = told(&alike?).into_iter();
            reasons.push((Match::Similar, likeness, told.next()?));
            reasons.extend(told.map(|evidence| (Match::Similar, 0, evidence)));
        } else if named_otherwise {
            let detail = format!("\"{given}\" and \"{}\" are different names.", account.name);
            reasons.push((Match::Similar, 0, Evidence { kind: EvidenceKind::NamesDiffer, detail }));
        } else if let Some(alike) = &alike {
            reasons.extend(told(alike).into_iter().map(|evidence| (Match::Similar, 0, evidence)));
        }
        // More than one reason is better than one, and never as good as a better one.
        let r#match = reasons.iter().map(|(found, ..)| *found).min()?;
        let score = reasons.iter().map(|(_, score, _)| *score).max()?;
        let evidence = reasons.into_iter().map(|(.., evidence)| evidence).collect();
        let (account_id, account_name) = (account.id.clone(), account.name.clone());
        let candidate = Candidate { account_id, account_name, r#match, score, evidence };
        Some(Hit { named_alike, named_otherwise, candidate })
    }
}

impl Hit {
    /// Whether the account is on record for the company, by somebody who knows.
    pub fn is_stated(&self) -> bool {
        self.candidate.score >= MAPPED_ELSEWHERE
    }

    /// Whether it is good enough by itself. An id that agrees by chance comes with another name; a mapping that was removed
    /// may have been wrong.
    pub fn is_good(&self) -> bool {
        match self.candidate.r#match {
            Match::AccountId => self.is_stated() || self.named_alike,
            Match::AccountNumber => !self.named_otherwise,
            Match::Name => true,
            Match::Similar => self.candidate.score >= SURE,
        }
    }

    /// Sorts the better first, and equals by account.
    fn rank(&self) -> (std::cmp::Reverse<u32>, Match, &AccountId) {
        (std::cmp::Reverse(self.candidate.score), self.candidate.r#match, &self.candidate.account_id)
    }
}

impl CompanyToMatch {
    pub(super) fn called(&self) -> String {
        match &self.name {
            Some(name) => format!("\"{name}\" ({})", self.company),
            None => self.company.to_string(),
        }
    }
}
