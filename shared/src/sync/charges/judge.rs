//! What became of a write of a charge: decided by what the PSA shows under our reference, and by nothing else.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::domain::charge::{Act, Piece, Shown, Terms};
use crate::domain::intent::IntentState;
use crate::ledger::ChargeIntent;
use crate::sync::resolve::ANSWER_LOST;

/// What the PSA says of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It was never sent: it can be given up.
    NeverSent,
    /// It stands: these are the charge's pieces from now on.
    Applied(Vec<Piece>),
    /// It does not stand, and can't come any more.
    NotApplied,
    /// It does not show, and the request may still be on its way.
    Wait,
    /// The PSA called it made and does not show it: a person has to look.
    Unexplained,
}

/// Judges `intent`, whose charge had the pieces `before`, by what the PSA `shows` of it by number, read at `read_at` or later.
pub(super) fn judge(
    intent: &ChargeIntent,
    before: &[Piece],
    shows: &BTreeMap<u32, Shown>,
    read_at: Timestamp,
    settle: SignedDuration,
) -> Judgement {
    let meaning = &intent.meaning;
    if intent.state == IntentState::Intended {
        return Judgement::NeverSent;
    }
    let shown = shows.get(&meaning.number);
    let others = || before.iter().filter(|piece| piece.number != meaning.number).cloned();
    let with = |piece: Piece| {
        let mut pieces: Vec<Piece> = others().chain([piece]).collect();
        pieces.sort_by_key(|piece| piece.number);
        Judgement::Applied(pieces)
    };
    let settled = read_at.as_second().saturating_sub(intent.left_at()) >= settle.as_secs();
    // Only a write whose answer was lost may be called not applied. One that the PSA called made must not be made again
    // because it does not show.
    let not_shown = || match (settled, matches!(intent.code.as_deref(), None | Some(ANSWER_LOST))) {
        (false, _) => Judgement::Wait,
        (true, true) => Judgement::NotApplied,
        (true, false) => Judgement::Unexplained,
    };
    // Where nothing but the cost was to change, an old cost proves nothing, unless the PSA shows none or called it made: a user
    // who may not see costs has them ignored.
    let proved = |to: &Terms, shown: &Shown| {
        let old = before.iter().find(|piece| piece.number == meaning.number).map(|piece| &piece.asked);
        let besides =
            old.is_none_or(|old| (&old.name, old.date, old.amounts.price) != (&to.name, to.date, to.amounts.price));
        let hidden = shown.cost.is_none_or(|cost| cost.get().is_zero());
        besides || hidden || !matches!(intent.code.as_deref(), None | Some(ANSWER_LOST))
    };
    match (&meaning.act, shown) {
        // Under its reference nothing else can stand, whatever somebody made of it since.
        (Act::Create(terms), Some(shown)) => {
            with(Piece { number: meaning.number, asked: terms.clone(), shown: shown.clone() })
        }
        (Act::Change { to, .. }, Some(shown))
            if shown.says(to) || (shown.says_all_but_the_cost(to) && (proved(to, shown))) =>
        {
            with(Piece { number: meaning.number, asked: to.clone(), shown: shown.clone() })
        }
        (Act::Delete { .. }, None) => Judgement::Applied(others().collect()),
        // What is billed is not changed any more: a change that does not show was too late.
        (Act::Change { .. } | Act::Delete { .. }, Some(shown)) if shown.billed => Judgement::NotApplied,
        // Somebody took it away: what was to be changed is not there.
        (Act::Change { .. }, None) if settled => Judgement::NotApplied,
        _ => not_shown(),
    }
}

#[cfg(test)]
#[path = "judge_test.rs"]
mod tests;
