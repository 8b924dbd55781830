//! A PSA contract as the plan needs to see it, and whether it may be written at all.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::ids::{AccountId, ContractId};
use super::period::{PeriodType, Periods};
use super::reason::{Code, Reason};

/// A contract of the PSA.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// The PSA's id.
    pub id: ContractId,
    /// The account that it bills.
    pub account: AccountId,
    /// What people call it.
    pub name: String,
    /// `None` for every other kind of contract: fixed price, time and material, block hours.
    pub recurring: Option<PeriodType>,
    /// As the PSA flags it. Inactivating a contract does not stop its billing in Autotask; we still don't write to it.
    pub active: bool,
    /// First day.
    pub start: Date,
    /// Last day, which still belongs to it.
    pub end: Date,
    /// The contract that the PSA itself links with this one as its renewal. Which of the two renews the other is not known
    /// of every PSA: `lifecycle` tells by their days.
    #[serde(default)]
    pub renewal: Option<ContractId>,
}

impl Contract {
    /// The billing periods, or why nothing may be written on `today`.
    ///
    /// # Errors
    /// The contract is not a recurring service contract, is inactive, has ended, or has not begun.
    pub fn writable_on(&self, today: Date) -> Result<Periods, Reason> {
        let Some(every) = self.recurring else {
            return Err(Reason::new(
                Code::ContractNotRecurring,
                format!("\"{}\" is not a recurring service contract.", self.name),
            ));
        };
        if !self.active {
            return Err(Reason::new(Code::ContractInactive, format!("\"{}\" is inactive.", self.name)));
        }
        if self.end < today {
            return Err(Reason::new(Code::ContractEnded, format!("\"{}\" ended on {}.", self.name, self.end)));
        }
        if today < self.start {
            return Err(Reason::new(Code::ContractNotStarted, format!("\"{}\" begins on {}.", self.name, self.start)));
        }
        Ok(Periods::new(self.start, every))
    }
}
