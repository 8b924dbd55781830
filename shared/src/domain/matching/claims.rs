//! Which account goes to which company, where several want one.
//!
//! One account for one company where that is possible. Two that are equally likely make neither sure, and so does an account
//! that is another company's already.

use std::collections::{BTreeMap, BTreeSet};

use super::candidate::{Candidate, Evidence, EvidenceKind, Match};
use super::suggest::{ALTERNATIVES, CompanyToMatch, Found, Hit, MAPPED_ELSEWHERE, MARGIN, SAME_NAME, SURE, Suggestion};
use crate::domain::ids::{AccountId, CompanyId};

/// Gives each account to the company that is likeliest to be it. A company that loses one takes its next best, where that is
/// as good as sure; otherwise it stays with what it has lost.
pub(super) fn settle(found: &mut [Found], mapped: &BTreeMap<AccountId, BTreeSet<CompanyId>>) {
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
pub(super) struct Claims<'a> {
    /// By account, each company to which it is to be suggested, and for how much.
    wanted: BTreeMap<AccountId, Vec<(u32, &'a CompanyToMatch)>>,
    mapped: &'a BTreeMap<AccountId, BTreeSet<CompanyId>>,
}

impl<'a> Claims<'a> {
    pub fn of(
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

    pub fn suggestion(&self, company: &CompanyToMatch, found: Found) -> Suggestion {
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
        suggestion.sure = tie.is_none()
            && best.is_good()
            && (taken.is_none() || best.is_stated() && !self.is_mapped(company, &best.candidate));
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
            Match::Name => others >= score,
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
