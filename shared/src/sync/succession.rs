//! What the lines of ended contracts become: lines of the contract that follows, or lines that say why none does.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::lines::MappedFeed;
use crate::domain::contract::Contract;
use crate::domain::lifecycle::{NotFollowed, named};
use crate::domain::line::LineKey;
use crate::domain::reason::Reason;

/// An ended contract, and the one that is billed in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Followed {
    pub ended: Contract,
    pub next: Contract,
    /// The day after the last of the contracts before `next`.
    pub not_before: Date,
}

impl Followed {
    /// In words, as a sentence.
    pub fn told(&self) -> String {
        let Self { ended, next, .. } = self;
        format!("{} ended on {}; its successor {} is billed.", named(ended), ended.end, named(next))
    }
}

/// For each line on an ended contract: what is billed in its place, or why nothing is.
#[derive(Debug)]
pub(super) struct Succession {
    pub(super) lines: BTreeMap<LineKey, Result<Followed, NotFollowed>>,
}

impl Succession {
    /// The line that `feed` adds to today, if that is not the one that its mapping names. A mapping with the wrong account
    /// is followed nowhere: it fails where it is, and not the line of others.
    pub fn of(&self, feed: &MappedFeed) -> Option<&Followed> {
        let followed = self.lines.get(&feed.named)?.as_ref().ok()?;
        (feed.company.account_id == followed.ended.account).then_some(followed)
    }

    /// Why a line on an ended contract can't be written, with what was found about its successors.
    pub fn explain(&self, line: &LineKey, reason: Reason) -> Reason {
        match self.lines.get(line) {
            Some(Err(NotFollowed(why))) => Reason { explanation: format!("{}{why}", reason.explanation), ..reason },
            _ => reason,
        }
    }
}
