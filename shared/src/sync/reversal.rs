//! The planning of a reversal: which changes a run made, and a look at each of their lines.
//!
//! What was changed is told by the ledger and never by results alone. No mapping and no usage is asked: a company may be
//! unmapped by now, and its change can be taken back all the same. The jobs read the PSA's units and decide.

use std::collections::{BTreeMap, BTreeSet};

use super::assess::Look;
use super::draft::{Draft, budget_exhausted};
use super::drafting::Halt;
use super::job::{JobLine, Label};
use super::parts::PlannerParts as Parts;
use super::{SyncError, Today, row};
use crate::domain::contract::Contract;
use crate::domain::ids::ContractId;
use crate::domain::line::{LineHistory, LineKey, LineResult, LineStatus};
use crate::domain::money::LineMoney;
use crate::domain::reason::{Code, Reason};
use crate::domain::reversal::{Reversal, may_have_changed};
use crate::ledger::{Intent, RESOLVED_BY_PERSON};
use crate::psa::Connector;
use crate::store::connections::Connection;
use crate::store::lines::Tenancy;
use crate::store::runs::Reverses;

/// A change to take back, and whose line it is.
struct Undo {
    key: LineKey,
    label: Label,
    reversal: Reversal,
}

/// Drafts the run that takes back the changes of another: a row for each line of which there is nothing to take back, and a
/// look for each of the others.
pub(super) async fn draft(
    parts: &Parts,
    psa: &dyn Connector,
    connection: &Connection,
    reverses: &Reverses,
) -> Result<Draft, Halt> {
    let today = Today::of(connection, parts.clock.as_ref()).date;
    let mut draft = Draft { today, job_cost: psa.job_cost(false), ..Draft::default() };
    let changes = changes(parts, connection, reverses, &mut draft.rows).await?;
    if changes.is_empty() {
        return Ok(draft);
    }
    let room = psa.allowance().await?.room(connection.policy.budget_percent);
    if room == 0 {
        return Ok(Draft::failed(budget_exhausted(connection)));
    }
    let ids: BTreeSet<ContractId> = changes.iter().map(|undo| undo.key.contract.clone()).collect();
    let contracts: BTreeMap<ContractId, Contract> =
        psa.contracts_by_id(&ids).await?.into_iter().map(|contract| (contract.id.clone(), contract)).collect();
    let keys: Vec<LineKey> = changes.iter().map(|undo| undo.key.clone()).collect();
    let histories = parts.lines.named(&Tenancy::of(connection), &keys).await?;
    for undo in changes {
        match writable(&contracts, &undo, &draft) {
            Err(reason) => draft.rows.push(row::stopped(&undo.key, &undo.label, reason)),
            Ok(contract) => {
                let look = look(undo, contract.clone(), &histories);
                draft.looks.push(look);
            }
        }
    }
    draft.keep_within(room.saturating_sub(psa.requests_made()), connection);
    Ok(draft)
}

/// The changes of the run, each with its intent; a row for each line that it has not changed after all.
async fn changes(
    parts: &Parts,
    connection: &Connection,
    reverses: &Reverses,
    rows: &mut Vec<LineResult>,
) -> Result<Vec<Undo>, SyncError> {
    let of = Tenancy::of(connection);
    let wanted = |line: &LineResult| reverses.lines.is_empty() || reverses.lines.contains(&line.line_id);
    let lines = parts.runs.lines_of_jobs(&connection.partner, &reverses.run).await?;
    let mut changes = Vec::new();
    for line in lines.into_iter().filter(|line| may_have_changed(line) && wanted(line)) {
        let key = LineKey { contract: line.contract_id, service: line.service_id };
        let label = Label {
            account: line.account_id,
            company: line.company,
            company_name: line.company_name,
            product: line.product,
            note: None,
            last: None,
            prices: line.money.map(LineMoney::into_unit_prices),
            billed: None,
        };
        match parts.ledger.intent_of(&of, &key, &reverses.run).await? {
            Some(intent) if intent.is_made() && intent.meaning.delta().get() == 0 => {
                let explanation = format!("Run {} changed prices alone there; prices are not reversed.", reverses.run);
                rows.push(row::stopped(&key, &label, Reason::new(Code::NothingToReverse, explanation)));
            }
            Some(intent) if intent.is_made() => {
                changes.push(Undo { key, label, reversal: reversal_of(intent) });
            }
            other => rows.push(row::stopped(&key, &label, not_made(reverses, other.as_ref()))),
        }
    }
    Ok(changes)
}

fn reversal_of(intent: Intent) -> Reversal {
    let meaning = intent.meaning;
    Reversal {
        of: intent.key,
        run: intent.run,
        effective: meaning.effective,
        before: meaning.before,
        target: meaning.target,
        feeds: meaning.feeds_before.unwrap_or(meaning.feeds),
    }
}

fn not_made(reverses: &Reverses, intent: Option<&Intent>) -> Reason {
    let run = &reverses.run;
    match intent {
        Some(intent) if !intent.state.is_settled() => {
            let explanation = format!("The outcome of what run {run} sent is not known yet; sync first, then reverse.");
            Reason::new(Code::WriteUnsettled, explanation)
        }
        Some(intent) if intent.code.as_deref() == Some(RESOLVED_BY_PERSON) => {
            let explanation = format!(
                "What run {run} sent was given up by a person: whether it was made is not known. Look at the line in the PSA."
            );
            Reason::new(Code::NothingToReverse, explanation)
        }
        Some(Intent { landed: Some(units), .. }) => {
            let explanation = format!("The PSA took what run {run} sent for another change; it came to {units}.");
            Reason::new(Code::NothingToReverse, explanation)
        }
        _ => Reason::new(Code::NothingToReverse, format!("Run {run} made no change on this line.")),
    }
}

fn writable<'c>(
    contracts: &'c BTreeMap<ContractId, Contract>,
    undo: &Undo,
    draft: &Draft,
) -> Result<&'c Contract, Reason> {
    let contract = contracts.get(&undo.key.contract).ok_or_else(|| {
        let explanation = format!("The PSA shows no contract {} any more.", undo.key.contract);
        Reason::new(Code::ContractNotFound, explanation)
    })?;
    if contract.account != undo.label.account {
        let (name, account, ours) = (&contract.name, &contract.account, &undo.label.account);
        let explanation = format!("\"{name}\" bills account {account}, not {ours}.");
        return Err(Reason::new(Code::ContractOfAnotherAccount, explanation));
    }
    contract.writable_on(draft.today).map(|_| contract)
}

/// What the job is to decide. Its row stands in until then.
fn look(undo: Undo, contract: Contract, histories: &BTreeMap<LineKey, LineHistory>) -> Look {
    let Undo { key, label, reversal } = undo;
    let last = histories.get(&key).and_then(|history| history.confirmed);
    let label = Label { last, billed: contract.recurring, ..label };
    let desired = reversal.desired();
    let row = LineResult {
        before: Some(reversal.target),
        target: Some(reversal.before),
        status: LineStatus::Planned,
        explanation: desired.because.clone(),
        ..row::blank(&key, &label)
    };
    let row = row::told(row, &label);
    let revision = histories.get(&key).map_or(0, |history| history.revision);
    let reversal = Some(reversal);
    let line = JobLine {
        key,
        label,
        contract,
        desired,
        approved: None,
        reversal,
        not_before: None,
        opening: None,
        revision,
        costs_visible: false,
        making: None,
    };
    Look { line, row }
}
