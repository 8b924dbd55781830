//! What is asked about lines, and what a PSA is found to hold for them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{ContractId, ContractServiceId, ServiceId};
use crate::domain::line::LineKey;
use crate::domain::money::UnitPrices;
use crate::domain::reason::Reason;
use crate::domain::timeline::Timeline;
use crate::domain::units::Units;

/// The lines that are asked about, and what a person has stated of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    lines: BTreeMap<LineKey, Stated>,
    in_passing: bool,
    prices: bool,
    only_told: bool,
}

/// What is stated of a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Stated {
    #[default]
    Nothing,
    Units(Opening),
    /// Different numbers, of which nobody can say which is the line's.
    Different,
}

/// Units that a person has stated for a line whose units the PSA does not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// How many it carried then.
    pub units: Units,
    /// When that was said. A newer statement takes the place of an older one.
    pub stated_at: Timestamp,
}

impl Asked {
    /// The same, for somebody who only looks: what is stated counts for this answer and is not remembered.
    #[must_use]
    pub fn in_passing(self) -> Self {
        Self { in_passing: true, ..self }
    }

    /// The same, and what their units are sold and bought for besides.
    #[must_use]
    pub fn and_prices(self) -> Self {
        Self { prices: true, ..self }
    }

    /// Whether prices are asked for.
    #[must_use]
    pub fn wants_prices(&self) -> bool {
        self.prices
    }

    /// Whether somebody only looks.
    #[must_use]
    pub fn is_in_passing(&self) -> bool {
        self.in_passing
    }

    /// The same, for what is only told and decides nothing: where there is no room for it, nobody waits because of it.
    #[must_use]
    pub fn only_told(self) -> Self {
        Self { in_passing: true, only_told: true, ..self }
    }

    /// Whether it is only told.
    #[must_use]
    pub fn is_only_told(&self) -> bool {
        self.only_told
    }

    /// Asks about a line as well. Of two statements of the same units the newer one stays; where they state different units
    /// nothing is stated.
    pub fn add(&mut self, line: LineKey, opening: Option<Opening>) {
        let known = self.lines.entry(line).or_default();
        *known = match (*known, opening) {
            (known, None) => known,
            (Stated::Nothing, Some(opening)) => Stated::Units(opening),
            (Stated::Units(known), Some(opening)) if known.units == opening.units => {
                Stated::Units(if known.stated_at < opening.stated_at { opening } else { known })
            }
            (Stated::Units(_) | Stated::Different, Some(_)) => Stated::Different,
        };
    }

    /// The lines.
    pub fn lines(&self) -> impl Iterator<Item = &LineKey> {
        self.lines.keys()
    }

    /// What was stated of one of them.
    #[must_use]
    pub fn opening(&self, line: &LineKey) -> Option<Opening> {
        match self.lines.get(line) {
            Some(Stated::Units(opening)) => Some(*opening),
            _ => None,
        }
    }

    /// The contracts that they are on.
    #[must_use]
    pub fn contracts(&self) -> BTreeSet<ContractId> {
        self.lines.keys().map(|line| line.contract.clone()).collect()
    }

    /// Whether nothing is asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl FromIterator<(LineKey, Option<Opening>)> for Asked {
    fn from_iter<T: IntoIterator<Item = (LineKey, Option<Opening>)>>(lines: T) -> Self {
        let mut asked = Self::default();
        lines.into_iter().for_each(|(line, opening)| asked.add(line, opening));
        asked
    }
}

/// How much of each line's timeline an observation reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Rows that end on or after this day.
    pub from: Date,
    /// Rows that begin on or before this day; `None` reads on to the contract's end.
    pub to: Option<Date>,
}

/// What a PSA holds for a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedLine {
    /// The PSA's own id of the service on the contract: what a write names, so that none is made by accident.
    pub contract_service: ContractServiceId,
    /// Units over time, at least within the window asked for.
    pub timeline: Timeline,
    /// The newest change of ours, where the PSA was seen to take it for another than it was meant as.
    pub otherwise: Option<TakenOtherwise>,
}

/// A change that the PSA has taken, and that came to other units than those that it was to come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenOtherwise {
    /// The day from which it counts.
    pub effective: Date,
    /// Units before it.
    pub before: Units,
    /// Units that it was to lead to.
    pub target: Units,
    /// Units that it led to.
    pub units: Units,
}

/// The lines that an observation found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observation {
    /// By contract and service. Where one contract carries one service twice the pair is in `ambiguous` instead.
    pub lines: BTreeMap<(ContractId, ServiceId), ObservedLine>,
    /// Pairs that a contract carries more than once: nobody can say which of them to write.
    pub ambiguous: BTreeSet<(ContractId, ServiceId)>,
    /// Pairs of which the units are not known, and why: nothing is written there.
    pub unreadable: BTreeMap<(ContractId, ServiceId), Reason>,
    /// What a unit of a line is sold and bought for, where the PSA tells that with its units or was asked for it.
    pub prices: BTreeMap<LineKey, UnitPrices>,
    /// The same by another place in which the PSA shows it: what the newest row of units comes to, a unit.
    pub prices_of_rows: BTreeMap<LineKey, UnitPrices>,
}

impl Observation {
    /// What the PSA shows of a line's prices, wherever it does.
    #[must_use]
    pub fn prices_shown(&self, line: &LineKey) -> Vec<UnitPrices> {
        [self.prices.get(line), self.prices_of_rows.get(line)].into_iter().flatten().cloned().collect()
    }

    /// Whether the PSA shows the cost of any line.
    #[must_use]
    pub fn shows_costs(&self) -> bool {
        self.prices.values().chain(self.prices_of_rows.values()).any(|prices| prices.cost.is_some())
    }

    /// Whether the PSA shows anything of a line, readable or not.
    #[must_use]
    pub fn shows(&self, line: &LineKey) -> bool {
        let pair = (line.contract.clone(), line.service.clone());
        self.lines.contains_key(&pair) || self.ambiguous.contains(&pair) || self.unreadable.contains_key(&pair)
    }
}
