//! Chooses, for each company, the account that it most likely is; one account for one company where that is possible.
//!
//! What is sure may be applied by a caller who trusts it; what is not is for a person to look at. Two that are equally
//! likely make neither sure, and so does an account that is another company's already.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::index::Index;
use super::likeness::{Likeness, Rarity};
use super::name::Name;
use crate::domain::ids::{AccountId, CompanyId};

/// From this score on, a name that is merely similar is taken for sure, where nothing else is like it.
pub const SURE: u32 = 780;
/// Below this score nothing is suggested.
const WORTH_TELLING: u32 = 420;
/// By how much the next best has to be less like it.
const MARGIN: u32 = 80;
/// Accounts that are told beside the one that is suggested.
const ALTERNATIVES: usize = 3;

/// Scores of what is more than similar.
const STATED: u32 = 1_000;
const MAPPED_ELSEWHERE: u32 = 995;
const NUMBER: u32 = 990;
const MAPPED_BEFORE: u32 = 970;
const SAME_NAME: u32 = 960;

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

/// What an account is suggested for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// Its id is on record for the company.
    AccountId,
    /// Its number is the company's id.
    AccountNumber,
    /// The names are one but for legal form, case, spaces, punctuation and diacritics.
    Name,
    /// The names are alike.
    Similar,
}

/// Something that speaks for an account, or against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Evidence {
    /// What kind of thing.
    pub kind: EvidenceKind,
    /// In words.
    pub detail: String,
}

/// Kinds of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// The usage names the account.
    StatedByUsage,
    /// Another connection to the same PSA tenant maps the company to it.
    MappedOnAnotherConnection,
    /// The company was mapped to it here before.
    MappedBefore,
    /// The account's number is the company's id.
    SameNumber,
    /// The names are one.
    SameName,
    /// Words of both names.
    SharedWords,
    /// One name is made of the other's first letters.
    Initials,
    /// Telling words of one name alone.
    OtherWords,
    /// Both names have numbers, and others.
    OtherNumbers,
    /// The ids agree and the names have nothing in common.
    NamesDiffer,
    /// Another company is mapped to the account.
    AlreadyMapped,
    /// Another company is more like the account, or as like.
    ClaimedByAnother,
    /// Another account is as likely.
    Tie,
}

/// An account, and why it may be the company's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Candidate {
    /// The PSA's id.
    #[schema(value_type = String)]
    pub account_id: AccountId,
    /// Its name.
    pub account_name: String,
    /// What it is suggested for.
    pub r#match: Match,
    /// 0 to 1000; from 950 on more than a likeness of names.
    pub score: u32,
    /// What speaks for it and against it.
    pub evidence: Vec<Evidence>,
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
struct Found {
    /// Best first.
    candidates: Vec<Hit>,
    /// The place of the one that is suggested.
    chosen: usize,
}

struct Hit {
    /// Whether the names are one, or as alike as names have to be.
    named_alike: bool,
    /// Whether the names have next to nothing in common.
    named_otherwise: bool,
    candidate: Candidate,
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
            reasons.push((Match::Name, SAME_NAME, Evidence { kind: EvidenceKind::SameName, detail }));
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

/// What a likeness comes from, in words; what speaks for it first.
fn told(alike: &Likeness) -> Vec<Evidence> {
    let list = |words: &[String]| words.join(", ");
    let mut told = Vec::new();
    let mut add = |kind, detail| told.push(Evidence { kind, detail });
    let shared: Vec<String> = alike
        .shared
        .iter()
        .map(|(one, other)| if one == other { one.clone() } else { format!("{one} = {other}") })
        .collect();
    if !shared.is_empty() {
        add(EvidenceKind::SharedWords, format!("In both names: {}.", list(&shared)));
    }
    if alike.initials {
        add(EvidenceKind::Initials, "One name is made of the other's first letters.".to_owned());
    }
    if !alike.only_one.is_empty() {
        add(EvidenceKind::OtherWords, format!("Only in the company's name: {}.", list(&alike.only_one)));
    }
    if !alike.only_other.is_empty() {
        add(EvidenceKind::OtherWords, format!("Only in the account's name: {}.", list(&alike.only_other)));
    }
    if alike.other_numbers {
        add(EvidenceKind::OtherNumbers, "The names have different numbers.".to_owned());
    }
    told
}

impl Hit {
    /// Whether the account is on record for the company, by somebody who knows.
    fn is_stated(&self) -> bool {
        self.candidate.score >= MAPPED_ELSEWHERE
    }

    /// Whether it is good enough by itself. An id that agrees by chance comes with another name; a mapping that was removed
    /// may have been wrong.
    fn is_good(&self) -> bool {
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

/// Gives each account to the company that is likeliest to be it. A company that loses one takes its next best, where that is
/// as good as sure; otherwise it stays with what it has lost.
fn settle(found: &mut [Found], mapped: &BTreeMap<AccountId, BTreeSet<CompanyId>>) {
    // By account: the score that it was given away for.
    let mut given: BTreeMap<AccountId, u32> = mapped.keys().map(|account| (account.clone(), u32::MAX)).collect();
    let mut order: Vec<(u32, usize)> = Vec::new();
    for (at, found) in found.iter().enumerate() {
        order.extend(found.candidates.first().map(|hit| (hit.candidate.score, at)));
    }
    order.sort_by_key(|(score, at)| (std::cmp::Reverse(*score), *at));
    for (_, at) in order {
        let Some(found) = found.get_mut(at) else { continue };
        let free = |hit: &Hit| {
            let score = hit.candidate.score;
            score >= SURE && given.get(&hit.candidate.account_id).is_none_or(|taken| *taken <= score)
        };
        found.chosen = found.candidates.iter().position(free).unwrap_or(0);
        if let Some(hit) = found.candidates.get(found.chosen) {
            let score = given.entry(hit.candidate.account_id.clone()).or_default();
            *score = hit.candidate.score.max(*score);
        }
    }
}

/// Who wants which account.
struct Claims<'a> {
    /// By account, each company to which it is to be suggested, and for how much.
    wanted: BTreeMap<AccountId, Vec<(u32, &'a CompanyToMatch)>>,
    mapped: &'a BTreeMap<AccountId, BTreeSet<CompanyId>>,
}

impl<'a> Claims<'a> {
    fn of(
        companies: &'a [CompanyToMatch],
        found: &[Found],
        mapped: &'a BTreeMap<AccountId, BTreeSet<CompanyId>>,
    ) -> Self {
        let mut wanted: BTreeMap<AccountId, Vec<(u32, &CompanyToMatch)>> = BTreeMap::new();
        for (company, found) in companies.iter().zip(found) {
            if let Some(Hit { candidate, .. }) = found.candidates.get(found.chosen) {
                wanted.entry(candidate.account_id.clone()).or_default().push((candidate.score, company));
            }
        }
        Self { wanted, mapped }
    }

    fn suggestion(&self, company: &CompanyToMatch, found: Found) -> Suggestion {
        let Found { mut candidates, chosen } = found;
        let mut suggestion = Suggestion {
            company: company.company.clone(),
            company_name: company.name.clone(),
            best: None,
            sure: false,
            alternatives: Vec::new(),
        };
        if chosen >= candidates.len() {
            return suggestion;
        }
        let mut best = candidates.remove(chosen);
        let ties: Vec<&str> = candidates
            .iter()
            .filter(|other| self.is_tie(company, &best, other))
            .map(|other| other.candidate.account_name.as_str())
            .collect();
        let tie = (!ties.is_empty()).then(|| Evidence {
            kind: EvidenceKind::Tie,
            detail: format!("As likely, or nearly: \"{}\".", ties.join("\", \"")),
        });
        let taken = self.taken(company, &best.candidate);
        suggestion.sure = tie.is_none() && best.is_good() && (taken.is_none() || best.is_stated());
        best.candidate.evidence.extend(tie.into_iter().chain(taken));
        suggestion.best = Some(best.candidate);
        candidates.truncate(ALTERNATIVES);
        for Hit { mut candidate, .. } in candidates {
            candidate.evidence.extend(self.taken(company, &candidate));
            suggestion.alternatives.push(candidate);
        }
        suggestion
    }

    /// Whether `other` may be the company's as well as `best`. An account that is surely another company's is no rival.
    fn is_tie(&self, company: &CompanyToMatch, best: &Hit, other: &Hit) -> bool {
        let (score, others) = (best.candidate.score, other.candidate.score);
        let close = match best.candidate.r#match {
            Match::AccountId if best.is_stated() => others >= MAPPED_ELSEWHERE,
            Match::AccountId | Match::AccountNumber => others >= SAME_NAME,
            Match::Name => others >= SAME_NAME,
            Match::Similar => others + MARGIN > score,
        };
        close && !self.is_surely_anothers(company, &other.candidate)
    }

    fn is_surely_anothers(&self, company: &CompanyToMatch, candidate: &Candidate) -> bool {
        let wanted = self.wanted.get(&candidate.account_id).into_iter().flatten();
        let surely = |(score, other): &(u32, &CompanyToMatch)| {
            other.company != company.company && *score >= SAME_NAME && *score > candidate.score
        };
        wanted.into_iter().any(surely) || self.is_mapped(company, candidate)
    }

    fn is_mapped(&self, company: &CompanyToMatch, candidate: &Candidate) -> bool {
        let companies = self.mapped.get(&candidate.account_id).into_iter().flatten();
        companies.into_iter().any(|other| *other != company.company)
    }

    /// Who else has the account, or is as like it.
    fn taken(&self, company: &CompanyToMatch, candidate: &Candidate) -> Option<Evidence> {
        if self.is_mapped(company, candidate) {
            let companies: Vec<&str> =
                self.mapped.get(&candidate.account_id).into_iter().flatten().map(CompanyId::as_str).collect();
            let detail = format!("The account is mapped already: {}.", companies.join(", "));
            return Some(Evidence { kind: EvidenceKind::AlreadyMapped, detail });
        }
        let wanted = self.wanted.get(&candidate.account_id).into_iter().flatten();
        let better =
            |(score, other): &&(u32, &CompanyToMatch)| other.company != company.company && *score >= candidate.score;
        let names: Vec<String> = wanted.filter(better).map(|(_, other)| other.called()).collect();
        (!names.is_empty()).then(|| Evidence {
            kind: EvidenceKind::ClaimedByAnother,
            detail: format!("At least as like the account: {}.", names.join(", ")),
        })
    }
}

impl CompanyToMatch {
    fn called(&self) -> String {
        match &self.name {
            Some(name) => format!("\"{name}\" ({})", self.company),
            None => self.company.to_string(),
        }
    }
}
