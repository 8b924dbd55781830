//! The planner's half: what charges should stand is compared with what is known of them and with what the PSA shows, in bulk.
//!
//! A charge that is billed and comes to what it should is not asked about: it costs no request. Where the PSA refuses, each
//! charge that needs it says so, and the lines of the same run go on.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::job::{ChargesJob, JobCharge};
use super::row;
use super::unmapped::{loose, recent};
use super::wanted::{Sources, Wanted, billed_in, looked_at_from};
use super::work::{duplicates, place, shown_by_number, stands_twice};
use crate::domain::charge::{
    Amounts, ChargeDecision, ChargeHistory, ChargeLine, ChargeResult, Facing, Piece, Shown, Terms, changes,
};
use crate::domain::contract::Contract;
use crate::domain::ids::{AccountId, BillingCodeId, CompanyId, ContractId, ProductKey};
use crate::domain::line::LineStatus;
use crate::domain::reason::{Code, Reason};
use crate::psa::{BillingCode, BillingCodeKind, ChargedIn, PsaCharge, PsaError};
use crate::store::StoreError;
use crate::store::charges::ChargeFilter;
use crate::store::connections::{Connection, Status};
use crate::store::lines::Tenancy;
use crate::store::mappings::Everything;
use crate::store::runs::{Mode, ResultPage, RunCharges};
use crate::sync::budget::Budget;
use crate::sync::draft::{budget_exhausted, packs, page_of, size};
use crate::sync::drafting::Drafting;
use crate::sync::findings::Said;
use crate::sync::parts::PlannerParts;
use crate::sync::record::try_again_soon;
use crate::sync::{SyncError, Today, Unmapped, live_among, reason_of};

/// Charges in one job: its intents fit one transaction.
const CHARGES_A_JOB: usize = 25;
/// Charges on one page of results.
const CHARGES_A_PAGE: usize = 100;
/// A billing period is no longer than this.
const LONGEST_PERIOD_DAYS: i64 = 31;
/// Days after today on which a period of usage may begin.
const DAYS_AHEAD: i64 = 62;
/// Requests of a job besides its writes: charges are read before and after them, and their type is asked for.
const REQUESTS_BESIDES: u32 = 3;

/// The charges of a run on paper.
#[derive(Default)]
pub(in crate::sync) struct ChargesDraft {
    rows: Vec<(ChargeLine, ChargeResult)>,
    looks: Vec<Look>,
    /// Charges found right of which something else is remembered.
    right: Vec<(ChargeLine, ChargeHistory, Vec<Piece>)>,
    /// The first day of the billing periods that were looked at.
    from: Option<Date>,
    /// Recent records that no mapping of the connection takes.
    pub loose: Vec<Unmapped>,
}

/// A charge that needs a job, and its row until the job is done.
struct Look {
    charge: JobCharge,
    row: ChargeResult,
}

/// Decides the charges of a run and puts them into `charges`. A reason: not all of them could be decided.
pub(in crate::sync) async fn draft(
    run: &Drafting<'_>,
    mappings: &Everything,
) -> Result<(ChargesDraft, Option<Reason>), SyncError> {
    let mut draft = ChargesDraft::default();
    let parts = run.parts;
    if run.run.approves.is_some() && run.run.approved_charges.is_empty() {
        return Ok((draft, None));
    }
    let today = Today::of(run.connection, parts.clock.as_ref()).date;
    let Some(from) = looked_at_from(run.connection.policy.billing_day, today) else { return Ok((draft, None)) };
    let of = Tenancy::of(run.connection);
    draft.from = Some(from);
    // Under another billing day a charge may have begun earlier and be made of records of these days.
    let earlier = from.saturating_sub(LONGEST_PERIOD_DAYS.days());
    let known = parts.charge_lines.since(&of, earlier).await?;
    let of_others = made_for_first(parts, run.connection, mappings).await?;
    let to = today.saturating_add(DAYS_AHEAD.days());
    let filter = ChargeFilter { company: None, product: None, from, to };
    let records = parts.usage.all_charges(&run.connection.partner, &filter).await?;
    if let Some(days) = recent(run.connection.policy.billing_day, today) {
        draft.loose = loose(&records, days, mappings);
    }
    let sources = Sources {
        mappings: &mappings.charges,
        companies: &mappings.companies,
        known: &known,
        of_others: &of_others,
        policy: &run.connection.policy,
        today,
        from,
    };
    let records = records.into_iter().map(|stored| stored.record).collect();
    let wanted: Vec<Wanted> = sources.wanted(records).into_iter().filter(|wanted| is_asked_for(run, wanted)).collect();
    let live = live_among(&parts.connections, run.connection, known.values().map(|known| &known.writer)).await?;
    let mut open = Vec::new();
    for wanted in wanted {
        let history = known.get(&wanted.line);
        let records = wanted.records.count();
        let blank = row::blank(&wanted.line, &wanted.label, wanted.period, &wanted.name, records);
        let blank = ChargeResult { before: history.map_or(Some(Default::default()), ChargeHistory::amounts), ..blank };
        if history.is_some_and(|history| live.contains(&history.writer)) {
            let explanation = "Another connection writes this charge.".to_owned();
            let row = row::because(blank, Reason::new(Code::ChargeOfAnotherConnection, explanation));
            draft.rows.push((wanted.line, row));
            continue;
        }
        match wanted.terms {
            Ok(terms) => {
                let fresh =
                    || ChargeHistory::new(wanted.label.account.clone(), wanted.period.end, run.connection.id.clone());
                let history = history.cloned().unwrap_or_else(fresh);
                let approved = run.run.approved_charges.iter().find(|it| it.charge_id == wanted.line.to_string());
                let charge = JobCharge {
                    line: wanted.line,
                    label: wanted.label,
                    period: wanted.period,
                    wanted: terms,
                    records: wanted.records,
                    billing_code: None,
                    approved: approved.map(|approved| approved.approval.clone()),
                    put_here_by: wanted.put_here_by,
                    markup: wanted.markup,
                    only_settled: None,
                    revision: history.revision,
                };
                open.push(Candidate { charge, history, code_named: wanted.billing_code });
            }
            Err(reason) => match history.filter(|history| history.open.is_some()) {
                None => draft.rows.push((wanted.line, row::because(blank, reason))),
                Some(_) if only_looks(run) => draft.rows.push((wanted.line, row::because(blank, unsettled()))),
                Some(history) => {
                    let wanted = JobCharge {
                        wanted: Terms {
                            name: wanted.name,
                            description: String::new(),
                            date: wanted.period.end,
                            amounts: Amounts::default(),
                        },
                        line: wanted.line,
                        label: wanted.label,
                        period: wanted.period,
                        records: wanted.records,
                        billing_code: None,
                        approved: None,
                        put_here_by: wanted.put_here_by,
                        markup: wanted.markup,
                        only_settled: Some(reason),
                        revision: history.revision,
                    };
                    draft.looks.push(Look { charge: wanted, row: row::because(blank, unsettled()) });
                }
            },
        }
    }
    let reason = Deciding { run, today }.decide(open, &mut draft).await?;
    Ok((draft, reason))
}

/// Companies and products whose charges another connection to the same tenant maps as well, and was made for first: two
/// connections that plan at once must not both charge what stands nowhere yet.
async fn made_for_first(
    parts: &PlannerParts,
    connection: &Connection,
    mappings: &Everything,
) -> Result<BTreeSet<(CompanyId, ProductKey)>, SyncError> {
    let mut first = BTreeSet::new();
    let of = Tenancy::of(connection);
    for other in parts.connections.all(&connection.partner).await? {
        let older = other.status != Status::Revoked && Tenancy::of(&other) == of && other.id < connection.id;
        if !older {
            continue;
        }
        let theirs = parts.mappings.everything(&other.partner, &other.id).await?;
        let products: BTreeSet<&ProductKey> = theirs.charges.iter().map(|charges| &charges.product).collect();
        let shared: Vec<&ProductKey> =
            mappings.charges.iter().map(|mine| &mine.product).filter(|mine| products.contains(mine)).collect();
        for company in theirs.companies {
            first.extend(shared.iter().map(|product| (company.company.clone(), (*product).clone())));
        }
    }
    Ok(first)
}

/// Whether a run writes nothing.
fn only_looks(run: &Drafting<'_>) -> bool {
    run.run.mode == Mode::Preview || run.connection.policy.shadow
}

/// Whether a run looks at this charge at all: one of some companies, or of what was approved, looks at those alone.
fn is_asked_for(run: &Drafting<'_>, wanted: &Wanted) -> bool {
    let run = run.run;
    if run.approves.is_some() {
        return run.approved_charges.iter().any(|approved| approved.charge_id == wanted.line.to_string());
    }
    run.companies.is_empty() || wanted.put_here_by.companies.iter().any(|(company, _)| run.companies.contains(company))
}

fn unsettled() -> Reason {
    Reason::new(Code::WriteUnsettled, "An earlier write of this charge is not settled yet.".to_owned())
}

/// A charge whose amounts are known, before the PSA is asked.
struct Candidate {
    charge: JobCharge,
    history: ChargeHistory,
    code_named: String,
}

impl Candidate {
    /// Whether the PSA has to be asked: it may have to be written, or somebody may have moved what is not billed.
    fn needs_a_look(&self) -> bool {
        let wanted = self.charge.wanted.amounts;
        self.history.may_move() || self.history.amounts() != Some(wanted)
    }
}

struct Deciding<'a> {
    run: &'a Drafting<'a>,
    today: Date,
}

/// What is read of the PSA for charges that are to be written.
#[derive(Default)]
struct Facts {
    contracts: BTreeMap<ContractId, Contract>,
    charged: BTreeMap<AccountId, ChargedIn>,
    codes: Vec<BillingCode>,
}

impl Deciding<'_> {
    async fn decide(&self, candidates: Vec<Candidate>, draft: &mut ChargesDraft) -> Result<Option<Reason>, SyncError> {
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
            let of = Tenancy::of(connection);
            let references = asked
                .iter()
                .flat_map(|asked| asked.history.references(&asked.charge.line, &place(&of, &asked.charge.line)));
            let references: BTreeSet<String> = references.map(|(_, reference)| reference.to_string()).collect();
            let contracts = asked.iter().map(|asked| asked.charge.line.contract.clone()).collect();
            let shown = psa.charges(&contracts, &references).await?;
            let facts = self.facts(&asked, &shown).await?;
            Ok(Some((budget, shown, facts)))
        };
        let reason = match read.await {
            Ok(Some((budget, shown, facts))) => {
                let of = Tenancy::of(connection);
                let twice = duplicates(&shown);
                for candidate in &asked {
                    let place = place(&of, &candidate.charge.line);
                    let references = candidate.history.references(&candidate.charge.line, &place);
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
        let of = Tenancy::of(self.run.connection);
        let to_write: Vec<&Candidate> = asked
            .iter()
            .filter(|candidate| {
                let references =
                    candidate.history.references(&candidate.charge.line, &place(&of, &candidate.charge.line));
                let shown = shown_by_number(&references, shown);
                let decision = self.facing(candidate, &shown).decide();
                matches!(decision, ChargeDecision::Write(_)) || is_held_for_approval(&decision)
            })
            .collect();
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

    fn facing<'f>(&'f self, candidate: &'f Candidate, shown: &'f BTreeMap<u32, Shown>) -> Facing<'f> {
        let connection = self.run.connection;
        Facing {
            line: &candidate.charge.line,
            history: &candidate.history,
            shown,
            wanted: &candidate.charge.wanted,
            drift: connection.policy.drift,
            guards: &connection.policy.guards,
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
        if matches!(decision, ChargeDecision::Write(_)) || is_held_for_approval(&decision) {
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

fn is_held_for_approval(decision: &ChargeDecision) -> bool {
    matches!(decision, ChargeDecision::Stop(reason) if reason.code == Code::ApprovalNeeded.as_str())
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

impl ChargesDraft {
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.looks.is_empty()
    }

    /// What the rows that were decided at once say to findings.
    pub fn said(&self) -> Said {
        Said::of_charges(self.rows.iter().map(|(line, row)| (line, row)))
    }

    /// Whether the run would have come across `charge` if it was there.
    pub fn covers(&self, charge: &ChargeLine) -> bool {
        self.from.is_some_and(|from| from <= charge.key.period_start)
    }

    pub fn looked_at(&self) -> impl Iterator<Item = ChargeLine> {
        let decided = self.rows.iter().map(|(line, _)| line);
        decided.chain(self.looks.iter().map(|look| &look.charge.line)).cloned()
    }

    fn push(&mut self, candidate: &Candidate, row: ChargeResult) {
        self.rows.push((candidate.charge.line.clone(), row));
    }

    fn stop(&mut self, candidate: &Candidate, reason: Reason) {
        let row = row::of(&candidate.charge, candidate.history.amounts());
        self.push(candidate, row::because(row, reason));
    }

    /// Hands a charge to a job: to be written, or to see what became of an open write.
    fn look(&mut self, candidate: &Candidate, write: Option<(BillingCodeId, ChargeResult)>) {
        let (billing_code, row) = write.unzip();
        let charge = JobCharge { billing_code, ..candidate.charge.clone() };
        let unsettled = || row::because(row::of(&charge, candidate.history.amounts()), unsettled());
        let row = row.unwrap_or_else(unsettled);
        self.looks.push(Look { charge, row });
    }

    /// Leaves out charges that an earlier planner of the same run has handed to jobs.
    pub fn without(&mut self, handed_on: &BTreeSet<String>) {
        self.rows.retain(|(_, row)| !handed_on.contains(&row.charge_id));
        self.looks.retain(|look| !handed_on.contains(&look.row.charge_id));
    }

    /// What they come to before anything is handed on.
    pub fn worth(&self) -> RunCharges {
        let decided: Vec<&ChargeResult> = self.rows.iter().map(|(_, row)| row).collect();
        RunCharges::of(decided).and_planned(changes(self.looks.iter().map(|look| &look.row), LineStatus::Planned))
    }

    /// One page for each job, named by its account and charges.
    pub fn take_jobs(
        &mut self,
        approval_needed: bool,
        standing: impl Fn(&ChargeLine) -> Vec<String>,
    ) -> Result<Vec<(String, ResultPage)>, SyncError> {
        let mut accounts: BTreeMap<AccountId, Vec<Look>> = BTreeMap::new();
        for look in std::mem::take(&mut self.looks) {
            accounts.entry(look.charge.label.account.clone()).or_default().push(look);
        }
        let mut pages = Vec::new();
        for (account, looks) in accounts {
            for looks in packs(looks, CHARGES_A_JOB, |look| size(&look.charge) + size(&look.row)) {
                let findings = looks.iter().flat_map(|look| standing(&look.charge.line)).collect();
                let (charges, rows): (Vec<JobCharge>, Vec<ChargeResult>) =
                    looks.into_iter().map(|look| (look.charge, look.row)).unzip();
                let page = format!("{account}.C{}", page_of(rows.iter().map(|row| row.charge_id.as_str())));
                let cost = REQUESTS_BESIDES.saturating_add(u32::try_from(charges.len()).unwrap_or(u32::MAX));
                let job = ChargesJob { account: account.clone(), approval_needed, charges, cost, findings };
                let job = serde_json::to_string(&job).map_err(|e| SyncError::Job(e.to_string()))?;
                pages.push((page, ResultPage::of_charges_job(rows, job)));
            }
        }
        Ok(pages)
    }

    /// The decided charges in pages that a row of the store can hold.
    pub fn take_rows(&mut self) -> Vec<Vec<ChargeResult>> {
        let rows = std::mem::take(&mut self.rows).into_iter().map(|(_, row)| row).collect();
        packs(rows, CHARGES_A_PAGE, size)
    }

    /// Remembers charges that were found right, so that a later edit by a person shows. One that moved on meanwhile is left
    /// alone: the next run looks at it again.
    pub async fn remember(&mut self, parts: &PlannerParts, of: &Tenancy) -> Result<(), StoreError> {
        for (line, history, pieces) in std::mem::take(&mut self.right) {
            parts.ledger.remember_charge(of, &line, &history, &pieces).await?;
        }
        Ok(())
    }
}
