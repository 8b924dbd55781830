//! Writes of charges as entries. One says what the charge came to before and after: that with whatever is billed of it; which
//! of its pieces was written stands in the summary.

use serde_json::json;

use super::entry::{Entry, Kind, State};
use super::tell::Told;
use crate::domain::charge::{Act, Amounts, ChargeLine, Terms};
use crate::domain::difference::{Difference, Fields};
use crate::domain::intent::IntentState;
use crate::ledger::{ChargeIntent, RESOLVED_BY_PERSON};
use crate::store::runs::{ApprovedCharge, Run};

/// The entry of a write, by `actor`; `None` where nothing was sent.
pub(super) fn change(intent: &ChargeIntent, actor: &str) -> Option<Told> {
    let meaning = &intent.meaning;
    // One that was never sent changed nothing, whoever gave it up.
    intent.sent_at?;
    let state = match (intent.state, intent.code.as_deref()) {
        (IntentState::Applied, _) => State::Applied,
        (IntentState::Sent | IntentState::Unknown, _) => State::Unknown,
        (IntentState::Rejected, Some(RESOLVED_BY_PERSON)) => State::GivenUp,
        (IntentState::Rejected, _) => State::Rejected,
        (IntentState::Intended, _) => return None,
    };
    let kind = match meaning.act {
        Act::Create(_) => Kind::ChargeMade,
        Act::Change { .. } => Kind::ChargeChanged,
        Act::Delete { .. } => Kind::ChargeRemoved,
    };
    let became = match state {
        State::Applied => "was made".to_owned(),
        State::Unknown => "was sent; what became of it is not known yet".to_owned(),
        State::GivenUp => "was sent; nobody could tell what became of it, and it was given up".to_owned(),
        State::Rejected => format!("was sent and not made: {}", intent.code.as_deref().unwrap_or_default()),
    };
    let summary = format!("{} {became}.", said(intent));
    let Difference { before, after } = difference(intent);
    let known = intent.before.as_ref();
    let piece = known.and_then(|known| known.piece.as_ref());
    let name = meaning.terms().map(|terms| &terms.name).or(piece.map(|piece| &piece.name));
    let entry = Entry::new(kind, intent.intended, actor, summary).of_charge(&meaning.line);
    let entry = Entry {
        name: name.cloned(),
        reference: Some(meaning.reference().to_string()),
        company: meaning.company.clone(),
        account_id: known.map(|known| known.account.clone()),
        period_end: known.map(|known| known.period_end),
        currency: meaning.currency.clone(),
        run_id: Some(intent.run.clone()),
        state: Some(state),
        code: intent.code.clone(),
        ..entry.changing(before, after)
    };
    Some(of(&meaning.line, entry))
}

/// The entry of a charge that was approved with `run`.
pub(super) fn approval(run: &Run, approved: &ApprovedCharge) -> Option<Told> {
    let line: ChargeLine = approved.charge_id.parse().ok()?;
    let (before, target) = (approved.approval.before, approved.approval.target);
    let summary =
        format!("The change of the charge \"{}\" from {before} to {target} was approved.", approved.approval.name);
    let entry = Entry::new(Kind::Approval, run.created_at, &run.actor, summary).of_charge(&line);
    let entry = Entry {
        name: Some(approved.approval.name.clone()),
        run_id: Some(run.id.clone()),
        of_run_id: run.approves.clone(),
        ..entry.changing(amounts(before), amounts(target))
    };
    Some(of(&line, entry))
}

fn of(line: &ChargeLine, entry: Entry) -> Told {
    Told {
        lines: Vec::new(),
        charges: vec![line.clone()],
        companies: entry.company.iter().cloned().collect(),
        products: vec![line.key.product.clone()],
        entry,
    }
}

/// What was sent, in words.
fn said(intent: &ChargeIntent) -> String {
    let known = intent.before.as_ref();
    let piece = known.and_then(|known| known.piece.as_ref());
    let beside = known.and_then(|known| known.beside);
    let beside = beside.map(|beside| format!(", beside {beside} that stays,")).unwrap_or_default();
    match (&intent.meaning.act, piece) {
        (Act::Create(Terms { name, amounts, .. }), _) => format!("The charge \"{name}\" ({amounts}){beside}"),
        (Act::Change { to: Terms { name, amounts, .. }, .. }, Some(piece)) => {
            let renamed = if piece.name == *name { String::new() } else { format!(" to \"{name}\" and") };
            let (was, from) = (&piece.name, piece.amounts);
            format!("A change of the charge \"{was}\"{renamed} from {from} to {amounts}{beside}")
        }
        (Act::Change { to: Terms { name, amounts, .. }, .. }, None) => {
            format!("A change of the charge \"{name}\" to {amounts}")
        }
        (Act::Delete { .. }, Some(piece)) => {
            format!("The removal of the charge \"{}\" ({}){beside}", piece.name, piece.amounts)
        }
        (Act::Delete { id }, None) => format!("The removal of charge {id}"),
    }
}

/// What the whole charge came to, and is to come to, with its name where that changes.
fn difference(intent: &ChargeIntent) -> Difference {
    let (known, terms) = (intent.before.as_ref(), intent.meaning.terms());
    let mut before = known.and_then(|known| known.whole()).map(amounts).unwrap_or_default();
    let whole = match known {
        Some(known) => known.whole_with(terms),
        // A first piece that is written stands alone.
        None => terms.filter(|_| intent.meaning.number == 0).map(|terms| terms.amounts),
    };
    let mut after = whole.map(amounts).unwrap_or_default();
    if let (Act::Change { to, .. }, Some(piece)) = (&intent.meaning.act, known.and_then(|known| known.piece.as_ref())) {
        before.insert("name".to_owned(), json!(piece.name));
        after.insert("name".to_owned(), json!(to.name));
    }
    Difference::between(&before, &after)
}

fn amounts(amounts: Amounts) -> Fields {
    Fields::from_iter([("cost".to_owned(), json!(amounts.cost)), ("price".to_owned(), json!(amounts.price))])
}
