//! Deciding charges as a planner: what the PSA shows is read in bulk, and what writes depend on (contracts, currencies, billing
//! codes) only where there is one to be made.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::draft::{ChargesDraft, only_looks};
use super::job::JobCharge;
use super::row;
use super::shown::{duplicates, place, shown_by_number, stands_twice};
use super::wanted::billed_in;
use crate::domain::charge::{ChargeDecision, ChargeHistory, Facing, Reference, Shown};
use crate::domain::contract::Contract;
use crate::domain::ids::{AccountId, BillingCodeId, ContractId};
use crate::domain::line::LineStatus;
use crate::domain::reason::{Code, Reason};
use crate::psa::{BillingCode, BillingCodeKind, ChargedIn, PsaCharge, PsaError};
use crate::store::lines::Tenancy;
use crate::store::runs::Mode;
use crate::sync::budget::Budget;
use crate::sync::draft::budget_exhausted;
use crate::sync::drafting::Drafting;
use crate::sync::record::try_again_soon;
use crate::sync::{SyncError, reason_of};

/// A charge whose amounts are known, before the PSA is asked.
pub(super) struct Candidate {
    pub charge: JobCharge,
    pub history: ChargeHistory,
    pub code_named: String,
}

impl Candidate {
    /// Whether the PSA has to be asked: it may have to be written, or somebody may have moved what is not billed.
    fn needs_a_look(&self) -> bool {
        let wanted = self.charge.wanted.amounts;
        self.history.may_move() || self.history.amounts() != Some(wanted)
    }
}

pub(super) struct Deciding<'a> {
    pub run: &'a Drafting<'a>,
    pub today: Date,
}

/// What is read of the PSA for charges that are to be written.
#[derive(Default)]
struct Facts {
    contracts: BTreeMap<ContractId, Contract>,
    charged: BTreeMap<AccountId, ChargedIn>,
    codes: Vec<BillingCode>,
}

impl Deciding<'_> {
    pub(super) async fn decide(
        &self,
        candidates: Vec<Candidate>,
        draft: &mut ChargesDraft,
    ) -> Result<Option<Reason>, SyncError> {
        let Drafting { parts, psa, connection, run } = *self.run;
        let (asked, as_known): (Vec<_>, Vec<_>) = candidates.into_iter().partition(Candidate::needs_a_look);
        for candidate in &as_known {
            let shown = candidate.history.pieces.iter().map(|piece| (piece.number, piece.shown.clone())).collect();
            self.take(candidate, &shown, None, draft);
        }
        if asked.is_empty() {
            return Ok(None);
        }
        let read = async {
            let budget = Budget::of(psa, connection).await?;
            if budget.is_used_up() {
                return Ok(None);
            }
            let references = asked.iter().flat_map(|asked| self.references(asked));
            let references: BTreeSet<String> = references.map(|(_, reference)| reference.to_string()).collect();
            let contracts = asked.iter().map(|asked| asked.charge.line.contract.clone()).collect();
            let shown = psa.charges(&contracts, &references).await?;
            let facts = self.facts(&asked, &shown).await?;
            Ok(Some((budget, shown, facts)))
        };
        let reason = match read.await {
            Ok(Some((budget, shown, facts))) => {
                let twice = duplicates(&shown);
                for candidate in &asked {
                    let references = self.references(candidate);
                    if let Some(twice) = references.iter().find(|(_, reference)| twice.contains(reference.as_str())) {
                        draft.stop(candidate, stands_twice(&twice.1));
                        continue;
                    }
                    self.take(candidate, &shown_by_number(&references, &shown), Some(&facts), draft);
                }
                if !self.only_looks() {
                    budget.set(parts).await?;
                }
                return Ok(None);
            }
            Ok(None) => budget_exhausted(connection),
            Err(error) => reason_of(&error),
        };
        for candidate in &asked {
            // What is still open is looked at by its job, which says what became of it.
            if candidate.history.open.is_some() && !self.only_looks() {
                draft.look(candidate, None);
            } else {
                draft.stop(candidate, reason.clone());
            }
        }
        if reason.code == Code::BudgetExhausted.as_str() {
            try_again_soon(&parts.connections, parts.clock.as_ref(), connection, run).await?;
        }
        Ok(Some(reason))
    }

    /// What writes depend on, read only where there is one.
    async fn facts(&self, asked: &[Candidate], shown: &[PsaCharge]) -> Result<Facts, PsaError> {
        let psa = self.run.psa;
        let may_write = |candidate: &&Candidate| {
            let shown = shown_by_number(&self.references(candidate), shown);
            wants_a_write(&self.facing(candidate, &shown).decide())
        };
        let to_write: Vec<&Candidate> = asked.iter().filter(may_write).collect();
        if to_write.is_empty() {
            return Ok(Facts::default());
        }
        let contracts: BTreeSet<ContractId> = to_write.iter().map(|it| it.charge.line.contract.clone()).collect();
        let accounts: BTreeSet<AccountId> = to_write.iter().map(|it| it.charge.label.account.clone()).collect();
        let contracts = psa.contracts_by_id(&contracts).await?;
        Ok(Facts {
            contracts: contracts.into_iter().map(|contract| (contract.id.clone(), contract)).collect(),
            charged: psa.charged_in(&accounts).await?,
            codes: psa.billing_codes(BillingCodeKind::Material).await?,
        })
    }

    fn only_looks(&self) -> bool {
        only_looks(self.run)
    }

    /// Under which references the PSA may show pieces of a charge, by number.
    fn references(&self, of: &Candidate) -> Vec<(u32, Reference)> {
        let line = &of.charge.line;
        of.history.references(line, &place(&Tenancy::of(self.run.connection), line))
    }

    fn facing<'f>(&'f self, candidate: &'f Candidate, shown: &'f BTreeMap<u32, Shown>) -> Facing<'f> {
        let connection = self.run.connection;
        Facing {
            line: &candidate.charge.line,
            history: &candidate.history,
            shown,
            wanted: &candidate.charge.wanted,
            drift: connection.policy.drift,
            guards: &connection.policy.guards,
            markup: candidate.charge.markup,
            approval_needed: self.run.approval_needed(),
            approved: candidate.charge.approved.as_ref(),
            today: self.today,
        }
    }

    /// Decides one charge by what is shown of it.
    fn take(
        &self,
        candidate: &Candidate,
        shown: &BTreeMap<u32, Shown>,
        facts: Option<&Facts>,
        draft: &mut ChargesDraft,
    ) {
        let facing = self.facing(candidate, shown);
        let before = facing.before();
        let row = row::of(&candidate.charge, before);
        if candidate.history.open.is_some() {
            match self.only_looks() {
                true => draft.push(candidate, row::because(row, unsettled())),
                false => draft.look(candidate, None),
            }
            return;
        }
        let decision = facing.decide();
        if wants_a_write(&decision) {
            match facts.map_or_else(|| Err(unread()), |facts| facts.may_be_written(candidate, self)) {
                Err(reason) => {
                    draft.push(candidate, row::because(row, reason));
                    return;
                }
                Ok(code) if matches!(decision, ChargeDecision::Write(_)) && !self.only_looks() => {
                    draft.look(candidate, Some((code, row::decided(row, &decision))));
                    return;
                }
                Ok(_) => {}
            }
        }
        if let ChargeDecision::Unchanged { pieces, .. } = &decision
            && (*pieces != candidate.history.pieces || candidate.history.forgotten)
        {
            draft.right.push((candidate.charge.line.clone(), candidate.history.clone(), pieces.clone()));
        }
        let row = row::decided(row, &decision);
        let shadow = self.run.connection.policy.shadow && self.run.run.mode == Mode::Apply;
        let row = match shadow && row.status == LineStatus::Planned {
            true => {
                let explanation = format!("{} Not written in shadow mode.", row.explanation);
                row::because(row, Reason::new(Code::Shadow, explanation))
            }
            false => row,
        };
        draft.push(candidate, row);
    }
}

/// Whether a write is made now, or once a person agrees.
fn wants_a_write(decision: &ChargeDecision) -> bool {
    match decision {
        ChargeDecision::Write(_) => true,
        ChargeDecision::Stop(reason) => reason.code == Code::ApprovalNeeded.as_str(),
        ChargeDecision::Unchanged { .. } => false,
    }
}

fn unread() -> Reason {
    Reason::new(Code::ChargeUnclear, "What it depends on in the PSA was not read.".to_owned())
}

impl Facts {
    /// How a charge is accounted for, or why it may not be written.
    fn may_be_written(&self, candidate: &Candidate, of: &Deciding<'_>) -> Result<BillingCodeId, Reason> {
        let JobCharge { line, label, .. } = &candidate.charge;
        let contract = self.contracts.get(&line.contract).ok_or_else(|| {
            Reason::new(Code::ContractNotFound, format!("The PSA shows no contract {}.", line.contract))
        })?;
        if contract.account != label.account {
            let explanation =
                format!("\"{}\" bills account {}, not {}.", contract.name, contract.account, label.account);
            return Err(Reason::new(Code::ContractOfAnotherAccount, explanation));
        }
        // What was used while it ran is charged on a contract that has ended since.
        contract.writable_on(of.today.min(contract.end)).map(drop)?;
        if contract.end < candidate.charge.period.start {
            let explanation = format!("\"{}\" ended on {}.", contract.name, contract.end);
            return Err(Reason::new(Code::ContractEnded, explanation));
        }
        if let Some(currency) = &label.currency {
            let stated = of.run.connection.policy.currency.as_ref();
            billed_in(currency, self.charged.get(&label.account), stated)?;
        }
        let code = BillingCode::named(&self.codes, &candidate.code_named).map_err(|error| reason_of(&error))?;
        Ok(code.id.clone())
    }
}

pub(super) fn unsettled() -> Reason {
    Reason::new(Code::WriteUnsettled, "An earlier write of this charge is not settled yet.".to_owned())
}
