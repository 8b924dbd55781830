//! What a write of a charge was decided on: kept with it, so that it can be told later what it changed. What the charge comes
//! to by now is in `standing`.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::standing::{Amounts, ChargeHistory, Terms};
use crate::domain::ids::AccountId;

/// A charge as it stood before a write of one of its pieces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeBefore {
    /// The account that its contract bills.
    pub account: AccountId,
    /// The last day of its billing period.
    pub period_end: Date,
    /// The piece that is written; `None` where it is made.
    pub piece: Option<PieceBefore>,
    /// What its other pieces came to; `None` where it had none.
    pub beside: Option<Amounts>,
}

/// A piece before it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PieceBefore {
    /// What it was made to be called.
    pub name: String,
    /// Cost and price of it, as the PSA showed them.
    #[serde(flatten)]
    pub amounts: Amounts,
}

impl ChargeBefore {
    /// Of the charge `history`, before its piece `number` is written.
    #[must_use]
    pub fn of(history: &ChargeHistory, number: u32) -> Self {
        let (own, others): (Vec<_>, Vec<_>) = history.pieces.iter().cloned().partition(|piece| piece.number == number);
        let piece = |piece: &super::Piece| PieceBefore { name: piece.asked.name.clone(), amounts: piece.amounts() };
        Self {
            account: history.account.clone(),
            period_end: history.period_end,
            piece: own.first().map(piece),
            beside: if others.is_empty() { None } else { Amounts::of(&others) },
        }
    }

    /// What all of it came to; `None` where nothing stood, or more than any amount.
    #[must_use]
    pub fn whole(&self) -> Option<Amounts> {
        self.with(self.piece.as_ref().map(|piece| piece.amounts))
    }

    /// What all of it comes to once the piece is written; `None` where nothing is left, or more than any amount.
    #[must_use]
    pub fn whole_with(&self, terms: Option<&Terms>) -> Option<Amounts> {
        self.with(terms.map(|terms| terms.amounts))
    }

    fn with(&self, piece: Option<Amounts>) -> Option<Amounts> {
        match (self.beside, piece) {
            (Some(beside), Some(piece)) => beside.plus(piece),
            (one, other) => one.or(other),
        }
    }
}
