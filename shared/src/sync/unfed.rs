//! Lines that carry units of ours and that no feed reaches any more.
//!
//! A company that is unmapped or moved leaves its units where they are, and so does a contract that is followed no longer.
//! Nothing lowers them: that nobody counts them does not mean that nobody uses them. They are billed on, and perhaps billed
//! twice, until a person takes them off; so that is told. Lines whose last write is not settled are left to `findings`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::contracts::Contracts;
use super::lines::{MappedFeed, MappedLine};
use crate::domain::contract::Contract;
use crate::domain::finding::{Noticed, Subject};
use crate::domain::ids::{ConnectionId, ContractId};
use crate::domain::lifecycle::named;
use crate::domain::line::{Confirmed, LineHistory, LineKey};
use crate::domain::reason::{Code, Reason};

/// Lines of one connection that no mapping names. One that is billed in place of an ended contract may be among them.
#[derive(Debug, Default)]
pub(super) struct Unfed {
    lines: BTreeMap<LineKey, Confirmed>,
}

impl Unfed {
    pub fn among(histories: &BTreeMap<LineKey, LineHistory>, connection: &ConnectionId, feeds: &[MappedFeed]) -> Self {
        let named: BTreeSet<&LineKey> = feeds.iter().map(|feed| &feed.named).collect();
        let ours = |history: &LineHistory| history.open.is_none() && history.writer.as_ref() == Some(connection);
        let lines = histories.iter().filter(|(line, history)| ours(history) && !named.contains(line));
        // Of units that a person has looked at and had forgotten, some may still be there.
        let known = lines.filter_map(|(line, history)| Some((line.clone(), history.confirmed.or(history.forgotten)?)));
        Self { lines: known.filter(|(_, known)| known.units.get() > 0).collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The contracts that they are on.
    pub fn contracts(&self) -> BTreeSet<ContractId> {
        self.lines.keys().map(|line| line.contract.clone()).collect()
    }

    /// What is noticed of those that none of the `mapped` lines is either. A contract that has ended, or that the PSA shows no
    /// more, bills nothing.
    pub fn notices(&self, mapped: &[MappedLine], contracts: &Contracts, today: Date) -> Vec<Noticed> {
        let reached: BTreeSet<&LineKey> = mapped.iter().map(|line| &line.key).collect();
        let left = self.lines.iter().filter(|(line, _)| !reached.contains(line));
        left.filter_map(|(line, known)| {
            let contract = contracts.shown(&line.contract).filter(|contract| contract.end >= today)?;
            Some(without_feed(line, known, contract))
        })
        .collect()
    }
}

fn without_feed(line: &LineKey, known: &Confirmed, contract: &Contract) -> Noticed {
    let explanation = format!(
        "By what we last knew, {} bills {} of service {}, and no company is mapped to that line any more. The same usage may \
         be billed elsewhere too.",
        named(contract),
        known.units,
        line.service
    );
    Noticed {
        about: Some(known.units.to_string()),
        account: Some(contract.account.clone()),
        before: Some(known.units),
        ..Noticed::of(Subject::Line(line.clone()), Reason::new(Code::LineWithoutFeed, explanation))
    }
}
