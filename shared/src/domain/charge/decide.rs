//! What becomes of a charge: made, changed, taken away, corrected, or left alone with a reason.
//!
//! What is billed counts as it stands; the piece that is not billed yet carries the rest. A piece that somebody edited or
//! took away is drift, as units are: it waits for a person, or is set anew where the policy says so.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::standing::{Amounts, ChargeHistory, ChargeLine, MOST_PIECES, Piece, Shown, Terms};
use crate::domain::ids::ChargeId;
use crate::domain::money::Money;
use crate::domain::policy::{Drift, Guards};
use crate::domain::pricing::Markup;
use crate::domain::reason::{Code, Reason};

/// The change of a charge that a person approved: from what stood to what was wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeApproval {
    /// What stood in the PSA.
    pub before: Amounts,
    /// What is to stand there.
    pub target: Amounts,
    /// Under this name.
    pub name: String,
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Makes a piece.
    Create(Terms),
    /// Brings the piece that is not billed to other terms.
    Change {
        /// The PSA's id.
        id: ChargeId,
        /// What it is to say.
        to: Terms,
    },
    /// Takes the piece that is not billed away.
    Delete {
        /// The PSA's id.
        id: ChargeId,
    },
}

/// A write, and what is known of the charge before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The piece.
    pub number: u32,
    /// What is done with it.
    pub act: Act,
    /// The pieces that stand, as the PSA shows them.
    pub pieces: Vec<Piece>,
    /// In words.
    pub explanation: String,
}

/// What becomes of a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChargeDecision {
    /// It is as it should be. `reason`: but for this.
    Unchanged {
        /// The pieces that stand, as the PSA shows them.
        pieces: Vec<Piece>,
        /// What somebody should know of it.
        reason: Option<Reason>,
    },
    /// A write.
    Write(Box<Planned>),
    /// Nothing is written.
    Stop(Reason),
}

/// A charge, what it should come to, and what the PSA shows.
#[derive(Debug, Clone, Copy)]
pub struct Facing<'a> {
    /// Which.
    pub line: &'a ChargeLine,
    /// What is known of it.
    pub history: &'a ChargeHistory,
    /// What the PSA shows under its references, by number.
    pub shown: &'a BTreeMap<u32, Shown>,
    /// What should stand; its day is that of the first piece.
    pub wanted: &'a Terms,
    /// What an edit by somebody else means.
    pub drift: Drift,
    /// Changes beyond these wait for a person.
    pub guards: &'a Guards,
    /// The markup in what is wanted.
    pub markup: Option<Markup>,
    /// Changes wait for a person.
    pub approval_needed: bool,
    /// What a person agreed to.
    pub approved: Option<&'a ChargeApproval>,
    /// The partner's day.
    pub today: Date,
}

impl Facing<'_> {
    /// What stands in the PSA, added up; `None` where it is more than any amount believed.
    #[must_use]
    pub fn before(&self) -> Option<Amounts> {
        Amounts::of(&self.pieces())
    }

    /// What becomes of it. No write of it may be open.
    #[must_use]
    pub fn decide(&self) -> ChargeDecision {
        let pieces = self.pieces();
        let Some(before) = Amounts::of(&pieces) else { return ChargeDecision::Stop(beyond_belief()) };
        let agreed = self.approved.is_some_and(|approved| {
            (approved.before, approved.target) == (before, self.wanted.amounts) && approved.name == self.wanted.name
        });
        let edits = self.edits();
        // What is not found is not proved to be gone: it is never made again without a person's word.
        let overwritten = self.drift == Drift::Overwrite && self.all_are_shown();
        if !edits.is_empty() && !overwritten && !agreed {
            let explanation = format!("Somebody has edited the charge in the PSA: {}.", edits.join("; "));
            return ChargeDecision::Stop(Reason::new(Code::ChargeDrift, explanation));
        }
        if self.is_newly_billed() && self.markup != self.history.markup {
            let explanation = "It was billed in the PSA, with another markup than the one that applies now.".to_owned();
            let reason = Some(Reason::new(Code::ChargeBilledMeanwhile, explanation));
            return ChargeDecision::Unchanged { pieces, reason };
        }
        let (number, act, because) = match self.act(&pieces) {
            Ok(Some(act)) => act,
            Ok(None) => {
                let reason = self.remark(&pieces);
                return ChargeDecision::Unchanged { pieces, reason };
            }
            Err(reason) => return ChargeDecision::Stop(reason),
        };
        if number > MOST_PIECES {
            let explanation = format!("It was corrected {MOST_PIECES} times after it was billed.");
            return ChargeDecision::Stop(Reason::new(Code::ChargeUnclear, explanation));
        }
        if let Some(reason) = self.guarded(before).filter(|_| !agreed) {
            return ChargeDecision::Stop(reason);
        }
        let edited = if edits.is_empty() { String::new() } else { format!(" ({}).", edits.join("; ")) };
        let explanation = format!("{because}{edited}");
        if self.approval_needed && !agreed {
            return ChargeDecision::Stop(Reason::new(Code::ApprovalNeeded, explanation));
        }
        ChargeDecision::Write(Box::new(Planned { number, act, pieces, explanation }))
    }

    /// The pieces that the PSA shows, with what they were last made to say. One that we do not know, at the number of the
    /// next, is a write of ours that came in late.
    fn pieces(&self) -> Vec<Piece> {
        let known = |number: u32| self.history.pieces.iter().find(|piece| piece.number == number);
        let piece = |(number, shown): (&u32, &Shown)| match known(*number) {
            // Where somebody edited it, or says that it is to be set anew, what we asked for is not what it says any more.
            Some(piece) if !self.history.forgotten && piece.edited(Some(shown)).is_none() => {
                Piece { shown: shown.clone(), ..piece.clone() }
            }
            Some(piece) if shown.billed => piece.billed_as(shown.clone()),
            _ => Piece::found(*number, shown.clone()),
        };
        self.shown.iter().map(piece).collect()
    }

    /// Whether the PSA has billed a piece since it was looked at last.
    fn is_newly_billed(&self) -> bool {
        let billed = |piece: &Piece| self.shown.get(&piece.number).is_some_and(|shown| shown.billed);
        self.history.pieces.iter().any(|piece| !piece.shown.billed && billed(piece))
    }

    /// Whether the PSA shows each piece that we know.
    fn all_are_shown(&self) -> bool {
        self.history.pieces.iter().all(|piece| self.shown.contains_key(&piece.number))
    }

    /// Why a change of what stands is too large to be made without a person: by more than a percentage and an amount. What
    /// is used of a running period adds up by itself.
    fn guarded(&self, before: Amounts) -> Option<Reason> {
        let Guards { charge_percent, charge_amount, .. } = *self.guards;
        let running = self.history.period_end >= self.today;
        let beyond = |before: Money, target: Money| {
            let change = target.get().checked_sub(before.get())?;
            if before.get().is_zero() || (running && change.is_sign_positive()) {
                return Some(false);
            }
            let percent = change.abs().checked_mul(Decimal::ONE_HUNDRED)?;
            let allowed = before.get().abs().checked_mul(Decimal::from(charge_percent))?;
            Some(percent > allowed && change.abs() > Decimal::from(charge_amount))
        };
        let Amounts { cost, price } = self.wanted.amounts;
        let beyond = beyond(before.cost, cost).unwrap_or(true) || beyond(before.price, price).unwrap_or(true);
        let explanation = || {
            format!(
                "It would go from {before} to {}: by more than {charge_percent} % and {charge_amount}.",
                self.wanted.amounts
            )
        };
        beyond.then(|| Reason::new(Code::ChargeGuard, explanation()))
    }

    /// What somebody else did to it, in words.
    fn edits(&self) -> Vec<String> {
        if self.history.forgotten {
            return Vec::new();
        }
        let known = &self.history.pieces;
        let edited = known.iter().filter_map(|piece| piece.edited(self.shown.get(&piece.number)));
        let is_back = |number: &u32| *number < self.history.next && known.iter().all(|piece| piece.number != *number);
        let back = self.shown.iter().filter(|(number, _)| is_back(number));
        edited.chain(back.map(|(_, shown)| format!("\"{}\" stands there again", shown.name))).collect()
    }

    /// The write that brings what stands to what is wanted, of which piece and why; `None` where nothing has to be written.
    fn act(&self, pieces: &[Piece]) -> Result<Option<(u32, Act, String)>, Reason> {
        let open = pieces.last().filter(|piece| !piece.shown.billed && piece.shown.contract == self.line.contract);
        let fixed = pieces.iter().filter(|piece| open.is_none_or(|open| open.number != piece.number));
        let fixed_amounts = fixed.clone().try_fold(Amounts::default(), |sum, piece| sum.plus(piece.amounts()));
        let rest = fixed_amounts.and_then(|fixed| self.wanted.amounts.less(fixed));
        let Some((fixed_amounts, rest)) = fixed_amounts.zip(rest) else { return Err(beyond_belief()) };
        let is_billed = fixed.clone().next().is_some();
        let of = if is_billed { format!(" beside {fixed_amounts} that stays as it is") } else { String::new() };
        Ok(match open {
            Some(piece) if rest.is_zero() => {
                let because = format!("\"{}\" is taken away: nothing is left to charge{of}.", piece.shown.name);
                Some((piece.number, Act::Delete { id: piece.shown.id.clone() }, because))
            }
            Some(piece) => {
                let to = Terms { amounts: rest, date: piece.asked.date, ..self.wanted.clone() };
                let is_right = (&piece.asked.name, piece.asked.amounts) == (&to.name, to.amounts);
                if is_right {
                    return Ok(None);
                }
                let because = format!("{}{of}.", moved(piece, &to));
                Some((piece.number, Act::Change { id: piece.shown.id.clone(), to }, because))
            }
            None if rest.is_zero() => None,
            None => {
                let number = pieces.last().map_or(0, |piece| piece.number.saturating_add(1)).max(self.history.next);
                // What corrects a bill belongs to the next one.
                let date = if is_billed { self.wanted.date.max(self.today) } else { self.wanted.date };
                let because = if is_billed {
                    format!(
                        "{fixed_amounts} stays as it is; a charge of {rest} corrects it to {}.",
                        self.wanted.amounts
                    )
                } else {
                    format!("\"{}\" is charged: {rest}.", self.wanted.name)
                };
                Some((number, Act::Create(Terms { amounts: rest, date, ..self.wanted.clone() }), because))
            }
        })
    }

    /// What somebody should know of a charge that is as it should be.
    fn remark(&self, pieces: &[Piece]) -> Option<Reason> {
        if let Some(piece) = pieces.iter().find(|piece| !piece.shown.billed && piece.is_not_taken()) {
            return Some(not_taken(piece));
        }
        let newest = pieces.last().filter(|piece| piece.shown.billed && piece.asked.name != self.wanted.name)?;
        let explanation = format!(
            "It is billed as \"{}\"; the new name \"{}\" is that of the next charge.",
            newest.asked.name, self.wanted.name
        );
        Some(Reason::new(Code::ChargeNameBilled, explanation))
    }
}

fn beyond_belief() -> Reason {
    let explanation = "What stands in the PSA comes to more than any amount believed.";
    Reason::new(Code::UsageTooLarge, explanation.to_owned())
}

/// What becomes of a piece that is brought to other terms, in words.
fn moved(piece: &Piece, to: &Terms) -> String {
    let (name, from) = (&piece.asked.name, piece.amounts());
    match (*name == to.name, from == to.amounts) {
        (true, true) => format!("\"{name}\"; it stays at {from}"),
        (true, false) => format!("\"{name}\" goes from {from} to {}", to.amounts),
        (false, true) => format!("\"{name}\" is called \"{}\" now; it stays at {from}", to.name),
        (false, false) => format!("\"{name}\" is called \"{}\" now and goes from {from} to {}", to.name, to.amounts),
    }
}

/// The PSA took a charge and does not show the amounts that were written.
#[must_use]
pub fn not_taken(piece: &Piece) -> Reason {
    let told = |amount: Option<Money>| amount.map_or_else(|| "none".to_owned(), |it| it.to_string());
    let explanation = format!(
        "{} was written, and the PSA shows cost {} and price {}.",
        piece.asked.amounts,
        told(piece.shown.cost),
        told(piece.shown.price)
    );
    Reason::new(Code::ChargeNotTaken, explanation)
}

#[cfg(test)]
#[path = "decide_test.rs"]
mod tests;
