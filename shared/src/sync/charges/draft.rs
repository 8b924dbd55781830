//! The planner's half: what charges should stand is compared with what is known of them and with what the PSA shows, in bulk.
//!
//! A charge that is billed and comes to what it should is not asked about: it costs no request. Where the PSA refuses, each
//! charge that needs it says so, and the lines of the same run go on.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::deciding::{Candidate, Deciding, unsettled};
use super::job::{ChargesJob, JobCharge};
use super::row;
use super::unmapped::{loose, recent};
use super::wanted::{Sources, Wanted, looked_at_from};
use crate::domain::charge::{Amounts, ChargeHistory, ChargeLine, ChargeResult, Piece, Terms, changes};
use crate::domain::ids::{AccountId, BillingCodeId, CompanyId, ProductKey};
use crate::domain::line::LineStatus;
use crate::domain::reason::{Code, Reason};
use crate::store::StoreError;
use crate::store::charges::ChargeFilter;
use crate::store::connections::{Connection, Status};
use crate::store::lines::Tenancy;
use crate::store::mappings::Everything;
use crate::store::runs::{Mode, ResultPage, RunCharges};
use crate::sync::draft::{packs, page_of, size};
use crate::sync::drafting::Drafting;
use crate::sync::findings::Said;
use crate::sync::parts::PlannerParts;
use crate::sync::{SyncError, Today, Unmapped, live_among};

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
    pub(super) right: Vec<(ChargeLine, ChargeHistory, Vec<Piece>)>,
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
    let records = match parts.usage.all_charges(&run.connection.partner, &filter).await {
        // Nothing is charged then: it might be less than it should. The lines of the run go on.
        Err(StoreError::Unreadable(row)) => {
            tracing::error!(connection = %run.connection.id, %row, "a charge record can't be read");
            let explanation = format!("A charge record can't be read, so none is charged: {row}.");
            return Ok((draft, Some(Reason::new(Code::MappingNotUnderstood, explanation))));
        }
        records => records?,
    };
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
        let is_of_another = history.is_some_and(|history| live.contains(&history.writer));
        open.extend(draft.sort_out(run, wanted, history, is_of_another));
    }
    let reason = Deciding { run, today }.decide(open, &mut draft).await?;
    Ok((draft, reason))
}

/// What a job is told of a charge. One of which nothing can be said is only looked at: what became of its open write.
fn job_charge(run: &Drafting<'_>, wanted: Wanted, history: &ChargeHistory) -> JobCharge {
    let Wanted { line, label, period, records, put_here_by, terms, name, markup, .. } = wanted;
    let approved = run.run.approved_charges.iter().find(|it| it.charge_id == line.to_string());
    let (wanted, only_settled) = match terms {
        Ok(terms) => (terms, None),
        Err(reason) => {
            let nothing = Terms { name, description: String::new(), date: period.end, amounts: Amounts::default() };
            (nothing, Some(reason))
        }
    };
    JobCharge {
        approved: approved.filter(|_| only_settled.is_none()).map(|approved| approved.approval.clone()),
        line,
        label,
        period,
        wanted,
        records,
        billing_code: None,
        put_here_by,
        markup,
        only_settled,
        revision: history.revision,
    }
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
        let writes = other.status != Status::Revoked && other.enabled && !other.policy.shadow;
        let older = writes && Tenancy::of(&other) == of && other.id < connection.id;
        if !older {
            continue;
        }
        let theirs = parts.mappings.everything(&other.partner, &other.id).await?;
        let products: BTreeSet<&ProductKey> = theirs.charges.iter().map(|charges| &charges.product).collect();
        let shared: Vec<&ProductKey> =
            mappings.charges.iter().map(|mine| &mine.product).filter(|mine| products.contains(mine)).collect();
        for company in theirs.companies {
            let is_excluded = |product: &&&ProductKey| company.overrides.get(**product).is_some_and(|it| it.excluded);
            let charged = shared.iter().filter(|product| !is_excluded(product));
            first.extend(charged.map(|product| (company.company.clone(), (*product).clone())));
        }
    }
    Ok(first)
}

/// Whether a run writes nothing.
pub(super) fn only_looks(run: &Drafting<'_>) -> bool {
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

    /// Puts a charge that needs no decision where it belongs; what is left is to be decided by what the PSA shows.
    fn sort_out(
        &mut self,
        run: &Drafting<'_>,
        wanted: Wanted,
        history: Option<&ChargeHistory>,
        is_of_another: bool,
    ) -> Option<Candidate> {
        let records = wanted.records.count();
        let blank = row::blank(&wanted.line, &wanted.label, wanted.period, &wanted.name, records);
        let blank = ChargeResult { before: history.map_or(Some(Default::default()), ChargeHistory::amounts), ..blank };
        if is_of_another {
            let explanation = "Another connection writes this charge.".to_owned();
            let row = row::because(blank, Reason::new(Code::ChargeOfAnotherConnection, explanation));
            self.rows.push((wanted.line, row));
            return None;
        }
        let Err(reason) = &wanted.terms else {
            let fresh =
                || ChargeHistory::new(wanted.label.account.clone(), wanted.period.end, run.connection.id.clone());
            let history = history.cloned().unwrap_or_else(fresh);
            let code_named = wanted.billing_code.clone();
            return Some(Candidate { charge: job_charge(run, wanted, &history), history, code_named });
        };
        // What is too early is a charge of its own beside the one that may stand there.
        let is_early = reason.code == Code::ChargeBeforeStart.as_str();
        match history.filter(|history| history.open.is_some() && !is_early) {
            None => self.rows.push((wanted.line, row::because(blank, reason.clone()))),
            Some(_) if only_looks(run) => self.rows.push((wanted.line, row::because(blank, unsettled()))),
            Some(history) => {
                let charge = job_charge(run, wanted, history);
                self.looks.push(Look { charge, row: row::because(blank, unsettled()) });
            }
        }
        None
    }

    pub(super) fn push(&mut self, candidate: &Candidate, row: ChargeResult) {
        self.rows.push((candidate.charge.line.clone(), row));
    }

    pub(super) fn stop(&mut self, candidate: &Candidate, reason: Reason) {
        let row = row::of(&candidate.charge, candidate.history.amounts());
        self.push(candidate, row::because(row, reason));
    }

    /// Hands a charge to a job: to be written, or to see what became of an open write.
    pub(super) fn look(&mut self, candidate: &Candidate, write: Option<(BillingCodeId, ChargeResult)>) {
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
