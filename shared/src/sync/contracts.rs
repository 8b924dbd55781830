//! The contracts of a run's lines: read in bulk, and where one has ended, what is billed in its place.
//!
//! Which contract follows another is `domain::lifecycle`'s to say; here it is asked for every line that needs it, and what
//! came of it is told. While no mapped contract has ended or ends soon, nothing is read but the mapped contracts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::draft::Draft;
use super::lines::{MappedFeed, MappedLine};
use super::succession::{Followed, Succession};
use crate::domain::contract::Contract;
use crate::domain::finding::{Noticed, Subject};
use crate::domain::ids::{AccountId, ContractId};
use crate::domain::lifecycle::{Lifecycle, named};
use crate::domain::line::{LineHistory, LineKey, LineResult};
use crate::domain::reason::{Code, Reason};
use crate::psa::{Asked, Connector, Observation, PsaError};

/// What is known of contracts before any units are read.
pub(super) struct Contracts {
    /// The mapped ones that the PSA shows, and those that may follow them.
    pub by_id: BTreeMap<ContractId, Contract>,
    mapped: BTreeSet<ContractId>,
    /// Those that were asked for besides: nothing is written to them, and none of them follows another.
    besides: BTreeMap<ContractId, Contract>,
    today: Date,
}

impl Contracts {
    /// Reads the contracts of `wanted`, and what may follow those that have ended or end soon. Answers with the feeds as
    /// well: where a contract of `wanted` has ended they are `all`, for any mapping may name the contract that follows.
    /// `besides`: contracts that are to be known and that no mapping names.
    pub async fn read(
        psa: &dyn Connector,
        wanted: Vec<MappedFeed>,
        all: Vec<MappedFeed>,
        besides: &BTreeSet<ContractId>,
        today: Date,
    ) -> Result<(Self, Vec<MappedFeed>), PsaError> {
        let mut found = Self::mapped(psa, &wanted, besides, today).await?;
        let mut feeds = wanted;
        if feeds.len() < all.len() && found.ended().next().is_some() {
            found = Self::mapped(psa, &all, besides, today).await?;
            feeds = all;
        }
        found.read_followers(psa).await?;
        Ok((found, feeds))
    }

    async fn mapped(
        psa: &dyn Connector,
        feeds: &[MappedFeed],
        besides: &BTreeSet<ContractId>,
        today: Date,
    ) -> Result<Self, PsaError> {
        let mapped: BTreeSet<ContractId> = feeds.iter().map(|feed| feed.named.contract.clone()).collect();
        let found = keyed(psa.contracts_by_id(&mapped.union(besides).cloned().collect()).await?);
        let (by_id, besides) = found.partition(|(id, _)| mapped.contains(id));
        Ok(Self { by_id, mapped, besides, today })
    }

    /// A contract that was read, whatever for.
    pub fn shown(&self, id: &ContractId) -> Option<&Contract> {
        self.by_id.get(id).or_else(|| self.besides.get(id))
    }

    /// One query for all accounts in question, and one for contracts that they are linked with and that it does not show.
    async fn read_followers(&mut self, psa: &dyn Connector) -> Result<(), PsaError> {
        let over: Vec<&Contract> = self.of_mappings().filter(|contract| self.is_over_soon(contract)).collect();
        let Some(from) = over.iter().map(|contract| contract.end).min() else { return Ok(()) };
        let accounts: BTreeSet<AccountId> = over.iter().map(|contract| contract.account.clone()).collect();
        self.by_id.extend(keyed(psa.contracts_of(&accounts, from).await?));
        let in_question = |contract: &&Contract| {
            let ours = self.mapped.contains(&contract.id) || has_ended(contract, self.today);
            ours && accounts.contains(&contract.account) && self.is_over_soon(contract)
        };
        let links = self.by_id.values().filter(in_question).filter_map(|contract| contract.renewal.clone());
        let hidden: BTreeSet<ContractId> = links.filter(|id| !self.by_id.contains_key(id)).collect();
        if !hidden.is_empty() {
            let shown: Vec<_> = keyed(psa.contracts_by_id(&hidden).await?).collect();
            self.by_id.extend(shown);
        }
        Ok(())
    }

    /// Whether it has ended, or ends soon with nothing known to follow it.
    fn is_over_soon(&self, contract: &Contract) -> bool {
        has_ended(contract, self.today) || self.expires_in(contract).is_some()
    }

    /// Whole days until a contract ends, where that is soon and nothing is known to follow it.
    pub fn expires_in(&self, contract: &Contract) -> Option<i32> {
        self.lifecycle().expires_in(contract)
    }

    fn lifecycle(&self) -> Lifecycle<'_> {
        Lifecycle { contracts: &self.by_id, today: self.today }
    }

    /// Mapped contracts that have ended.
    fn ended(&self) -> impl Iterator<Item = &Contract> {
        self.of_mappings().filter(|contract| has_ended(contract, self.today))
    }

    fn of_mappings(&self) -> impl Iterator<Item = &Contract> {
        self.mapped.iter().filter_map(|id| self.by_id.get(id))
    }

    /// The contracts that may be written today: mapped, or of an account where a mapped one has ended.
    pub fn writable(&self) -> BTreeMap<&ContractId, &Contract> {
        let accounts: BTreeSet<&AccountId> = self.ended().map(|contract| &contract.account).collect();
        let relevant =
            |contract: &&Contract| self.mapped.contains(&contract.id) || accounts.contains(&contract.account);
        let writable = |contract: &&Contract| contract.writable_on(self.today).is_ok();
        self.by_id.values().filter(relevant).filter(writable).map(|contract| (&contract.id, contract)).collect()
    }

    /// What is asked of the PSA about the lines of writable contracts: those that `feeds` name, and those that feeds of the
    /// same account may lead to where a contract has ended.
    /// `others`: lines that another connection writes; what is stated of them here counts for nothing.
    pub fn asked(&self, feeds: &[MappedFeed], others: &BTreeSet<&LineKey>) -> Asked {
        let writable = self.writable();
        let mut asked = Asked::default();
        for feed in feeds.iter().filter(|feed| !feed.named.service.is_unmade()) {
            let own = writable.contains_key(&feed.named.contract);
            if own {
                asked.add(feed.named.clone(), feed.opening().filter(|_| !others.contains(&feed.named)));
            }
            let ended = self.by_id.get(&feed.named.contract).is_some_and(|contract| has_ended(contract, self.today));
            let successors = writable.values().filter(|contract| ended && contract.account == feed.company.account_id);
            for contract in successors {
                let line = LineKey { contract: contract.id.clone(), service: feed.named.service.clone() };
                asked.add(line, None);
            }
        }
        asked
    }

    /// What becomes of the lines of ended contracts.
    pub fn succession(
        &self,
        feeds: &[MappedFeed],
        observed: &Observation,
        histories: &BTreeMap<LineKey, LineHistory>,
    ) -> Succession {
        let mut lines = BTreeMap::new();
        for key in feeds.iter().map(|feed| &feed.named) {
            let contract = self.by_id.get(&key.contract).filter(|contract| has_ended(contract, self.today));
            let Some(ended) = contract.filter(|_| !lines.contains_key(key)) else { continue };
            // Of one that has ended too no units were read: there it counts that we have seen some.
            let carries = |contract: &ContractId| {
                let line = LineKey { contract: contract.clone(), service: key.service.clone() };
                let over = self.by_id.get(contract).is_some_and(|contract| has_ended(contract, self.today));
                let ours = || histories.get(&line).is_some_and(|history| history.confirmed.is_some());
                if over { ours() } else { observed.shows(&line) }
            };
            let next = self.lifecycle().successor(ended, &key.service, carries);
            let followed = next.map(|next| {
                let (next, not_before) = (next.contract.clone(), next.not_before);
                Followed { ended: ended.clone(), next, not_before }
            });
            lines.insert(key.clone(), followed);
        }
        Succession { lines }
    }

    /// What a run notices of contracts on whose lines it has something to say: which end soon, and which have ended and are
    /// billed on another. One notice a contract and code.
    pub fn notices(&self, mapped: &[MappedLine], draft: &Draft) -> Vec<Noticed> {
        let rows = draft.rows.iter().chain(draft.looks.iter().map(|look| &look.row));
        let rows: BTreeMap<LineKey, &LineResult> = rows.map(|row| (row.key(), row)).collect();
        let mut ending: BTreeMap<&ContractId, Noticed> = BTreeMap::new();
        let mut renewed: BTreeMap<&ContractId, (&MappedLine, &LineResult, Vec<&Followed>)> = BTreeMap::new();
        for line in mapped {
            let Some(row) = rows.get(&line.key) else { continue };
            let contract = self.by_id.get(&line.key.contract).filter(|contract| contract.account == row.account_id);
            if let Some((contract, days)) = contract.and_then(|c| Some((c, self.expires_in(c)?))) {
                ending.entry(&contract.id).or_insert_with(|| expires(contract, days, line, row));
            }
            for followed in &line.followed {
                let (_, _, ways) = renewed.entry(&followed.ended.id).or_insert_with(|| (line, row, Vec::new()));
                if !ways.contains(&followed) {
                    ways.push(followed);
                }
            }
        }
        let renewed = renewed.into_values().filter_map(|(line, row, ways)| is_renewed(&ways, line, row));
        ending.into_values().chain(renewed).collect()
    }
}

fn expires(contract: &Contract, days: i32, line: &MappedLine, row: &LineResult) -> Noticed {
    let when = match days {
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        days => format!("in {days} days"),
    };
    let explanation =
        format!("{} ends on {}, {when}, and the PSA links no contract that follows it.", named(contract), contract.end);
    let reason = Reason::new(Code::ContractExpiring, explanation);
    Noticed { about: Some(contract.end.to_string()), ..of(contract, line, row, reason) }
}

/// `followed`: every line of one ended contract that is billed elsewhere, by the contract that it is billed on.
fn is_renewed(followed: &[&Followed], line: &MappedLine, row: &LineResult) -> Option<Noticed> {
    let ended = &followed.first()?.ended;
    let told: Vec<String> = followed.iter().map(|followed| followed.told()).collect();
    let next: Vec<&str> = followed.iter().map(|followed| followed.next.id.as_str()).collect();
    let reason = Reason::new(Code::ContractRenewed, told.join(" "));
    Some(Noticed { about: Some(next.join(", ")), ..of(ended, line, row, reason) })
}

/// A notice of a contract, with the company whose mapping names it.
fn of(contract: &Contract, line: &MappedLine, row: &LineResult, reason: Reason) -> Noticed {
    let feed = line.feeds.iter().find(|feed| feed.named.contract == contract.id);
    let company = feed.map(|feed| feed.company.company.clone());
    let known = company.as_ref() == Some(&row.company);
    Noticed {
        account: Some(contract.account.clone()),
        company_name: if known { row.company_name.clone() } else { String::new() },
        company,
        ..Noticed::of(Subject::Contract(contract.id.clone()), reason)
    }
}

fn keyed(contracts: Vec<Contract>) -> impl Iterator<Item = (ContractId, Contract)> {
    contracts.into_iter().map(|contract| (contract.id.clone(), contract))
}

/// Whether it is a recurring contract that is over. What became of its flag after that does not matter.
fn has_ended(contract: &Contract, today: Date) -> bool {
    contract.recurring.is_some() && contract.end < today
}
