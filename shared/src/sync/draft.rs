//! What planning a run came to, before anything of it is stored: lines decided at once, and accounts that need a job.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use super::assess::{Assessed, Look};
use super::charges::ChargesDraft;
use super::job::{Job, JobLine};
use super::{SyncError, provision, row};
use crate::domain::charge::ChargeLine;
use crate::domain::finding::{Noticed, Subject};
use crate::domain::ids::AccountId;
use crate::domain::line::{Confirmed, LineHistory, LineKey, LineResult};
use crate::domain::reason::{Code, Reason};
use crate::domain::repricing::Priced;
use crate::psa::JobCost;
use crate::store::connections::Connection;
use crate::store::runs::{Gap, ResultPage, RunMoney};

/// Lines in one company job: its intents fit one transaction, and its page fits one row.
const LINES_A_JOB: usize = 25;
/// Lines on one page of results.
const LINES_A_PAGE: usize = 100;
/// Well below the 400 KB that a row may hold, whatever the number of feeds; fifty of them fit no transaction, ten do.
const BYTES_A_PACK: usize = 200_000;

/// A run on paper.
#[derive(Default)]
pub(super) struct Draft {
    pub rows: Vec<LineResult>,
    /// Lines found right that are not remembered so yet.
    pub right: Vec<Right>,
    pub looks: Vec<Look>,
    /// Lines among the rows that are held, and of whose change the rows in force do not show from when it would count.
    pub undated: Vec<JobLine>,
    /// Lines among the rows whose contract lacks the service.
    pub lacking: Vec<JobLine>,
    /// What the run noticed that no line's row says: of contracts, of usage, and of lines that no mapping reaches.
    pub gaps: Vec<Gap>,
    /// Every line of the connection was looked at: what the run came across nothing of is gone.
    pub whole: bool,
    /// The connection's metered charges.
    pub charges: ChargesDraft,
    /// Fingerprints of the findings that stand on each line or charge.
    pub standing: BTreeMap<Subject, Vec<String>>,
    pub approval_needed: bool,
    /// The partner's day.
    pub today: Date,
    pub reason: Option<Reason>,
    pub psa_requests: u32,
    /// What a job takes of the hour's requests.
    pub job_cost: JobCost,
}

/// A line that was found to carry the right units, and what was known of it before.
pub(super) struct Right {
    pub key: LineKey,
    pub confirmed: Confirmed,
    pub priced: Priced,
    pub history: LineHistory,
}

impl Draft {
    /// Nothing could be decided.
    pub fn failed(reason: Reason) -> Self {
        Self { reason: Some(reason), ..Self::default() }
    }

    /// Whether nothing could be decided.
    pub fn is_failed(&self) -> bool {
        self.reason.is_some() && self.rows.is_empty() && self.looks.is_empty()
    }

    /// The same with what it does not cover, where nothing else was in its way.
    pub fn or_because(self, reason: Option<Reason>) -> Self {
        Self { reason: self.reason.or(reason), ..self }
    }

    pub fn add(&mut self, assessed: Assessed, histories: &BTreeMap<LineKey, LineHistory>) {
        match assessed {
            Assessed::Row(row) => self.rows.push(row),
            Assessed::Look(look) => self.looks.push(*look),
            Assessed::Lacking { row, line } => {
                self.rows.push(row);
                self.lacking.push(*line);
            }
            Assessed::Undated { row, line } => {
                self.rows.push(row);
                self.undated.push(*line);
            }
            Assessed::Right { row, key, confirmed, priced } => {
                let history = histories.get(&key).cloned().unwrap_or_default();
                let priced = priced.unwrap_or(history.priced);
                let units_known = history.confirmed.is_some_and(|known| known.units == confirmed.units);
                if !units_known || !priced.agrees_with(&history.priced) {
                    self.right.push(Right { key, confirmed, priced, history });
                }
                self.rows.push(row);
            }
        }
    }

    /// Puts a row in the place of the one of the same line.
    pub fn put_row(&mut self, row: LineResult) {
        if let Some(known) = self.rows.iter_mut().find(|known| known.line_id == row.line_id) {
            *known = row;
        }
    }

    /// Keeps the accounts whose jobs fit into `room` requests; the lines of the others wait for the next run.
    pub fn keep_within(&mut self, room: u32, connection: &Connection) {
        let mut left = room;
        let mut kept = Vec::new();
        for (_, looks) in by_account(std::mem::take(&mut self.looks)) {
            let making = provision::requests(looks.iter().map(|look| &look.line));
            let cost = self.requests_of_jobs(looks.len()).saturating_add(making);
            if cost <= left {
                left -= cost;
                kept.extend(looks);
            } else {
                let reason = budget_exhausted(connection);
                self.rows
                    .extend(looks.iter().map(|look| row::stopped(&look.line.key, &look.line.label, reason.clone())));
                self.reason = Some(reason);
            }
        }
        self.looks = kept;
    }

    /// Requests that all jobs take at most.
    pub fn requests_of_all_jobs(&self) -> u32 {
        let mut accounts: BTreeMap<&AccountId, usize> = BTreeMap::new();
        for look in &self.looks {
            *accounts.entry(&look.line.label.account).or_default() += 1;
        }
        let making = provision::requests(self.looks.iter().map(|look| &look.line));
        accounts.into_values().fold(making, |sum, lines| sum.saturating_add(self.requests_of_jobs(lines)))
    }

    /// Requests that an account's jobs take at most for so many lines.
    fn requests_of_jobs(&self, lines: usize) -> u32 {
        let whole = u32::try_from(lines / LINES_A_JOB).unwrap_or(u32::MAX);
        let rest = Some(lines % LINES_A_JOB).filter(|rest| *rest > 0);
        let of_whole = self.job_cost.of(LINES_A_JOB).saturating_mul(whole);
        of_whole.saturating_add(rest.map_or(0, |rest| self.job_cost.of(rest)))
    }

    /// Leaves out lines that an earlier planner of the same run has handed to jobs.
    pub fn without(&mut self, handed_on: &BTreeSet<String>) {
        self.rows.retain(|row| !handed_on.contains(&row.line_id));
        self.looks.retain(|look| !handed_on.contains(&look.row.line_id));
        self.charges.without(handed_on);
    }

    /// One page for each company job: its stand-in rows, and what it has to do. A page is named by its account and lines, so
    /// that the same job has the same name whenever it is planned.
    pub fn take_jobs(&mut self) -> Result<Vec<(String, ResultPage)>, SyncError> {
        let mut pages = Vec::new();
        for (account, looks) in by_account(std::mem::take(&mut self.looks)) {
            for looks in packs(looks, LINES_A_JOB, |look| size(&look.line) + size(&look.row)) {
                let findings = looks
                    .iter()
                    .filter_map(|look| self.standing.get(&Subject::Line(look.line.key.clone())))
                    .flatten()
                    .cloned();
                let findings = findings.collect();
                let (lines, rows): (Vec<JobLine>, Vec<LineResult>) =
                    looks.into_iter().map(|look| (look.line, look.row)).unzip();
                let page = format!("{account}.{}", page_of(rows.iter().map(|row| row.line_id.as_str())));
                let cost = self.job_cost.of(lines.len()).saturating_add(provision::requests(&lines));
                let job = Job {
                    account: account.clone(),
                    approval_needed: self.approval_needed,
                    planned_on: self.today,
                    findings,
                    lines,
                    cost,
                };
                let job = serde_json::to_string(&job).map_err(|e| SyncError::Job(e.to_string()))?;
                let RunMoney { planned, .. } = RunMoney::of(&rows);
                pages.push((page, ResultPage { done: false, job: Some(job), planned, ..ResultPage::of_lines(rows) }));
            }
        }
        let standing =
            |line: &ChargeLine| self.standing.get(&Subject::Charge(line.clone())).cloned().unwrap_or_default();
        pages.extend(self.charges.take_jobs(self.approval_needed, standing)?);
        Ok(pages)
    }

    /// Takes down what the run noticed.
    pub fn notice(&mut self, noticed: impl IntoIterator<Item = Noticed>) {
        self.gaps.extend(noticed.into_iter().map(Gap::from));
    }

    /// What the run noticed, in pages that a row of the store can hold.
    pub fn take_gaps(&mut self) -> Vec<Vec<Gap>> {
        packs(std::mem::take(&mut self.gaps), LINES_A_PAGE, size)
    }

    /// The decided lines in pages that a row of the store can hold.
    pub fn take_rows(&mut self) -> Vec<Vec<LineResult>> {
        packs(std::mem::take(&mut self.rows), LINES_A_PAGE, size)
    }
}

/// Cuts `items` into packs of at most `most` items and about [`BYTES_A_PACK`] bytes.
pub(super) fn packs<T>(items: Vec<T>, most: usize, bytes: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut packs: Vec<Vec<T>> = Vec::new();
    let mut filled = 0;
    for item in items {
        let size = bytes(&item);
        match packs.last_mut() {
            Some(pack) if pack.len() < most && filled + size <= BYTES_A_PACK => {
                filled += size;
                pack.push(item);
            }
            _ => {
                filled = size;
                packs.push(vec![item]);
            }
        }
    }
    packs
}

pub(super) fn size(item: &impl serde::Serialize) -> usize {
    serde_json::to_vec(item).map_or(0, |text| text.len())
}

/// Names a page by the ids of its rows.
pub(super) fn page_of<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for id in ids {
        hash.update(id);
        hash.update([0]);
    }
    hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// Accounts with a rise come first: it is what is left unbilled, and a PSA whose way with changes has to be learnt is learnt
/// from one.
fn by_account(looks: Vec<Look>) -> Vec<(AccountId, Vec<Look>)> {
    let mut accounts: BTreeMap<AccountId, Vec<Look>> = BTreeMap::new();
    for look in looks {
        accounts.entry(look.line.label.account.clone()).or_default().push(look);
    }
    let rises = |look: &Look| look.row.target > look.row.before;
    let mut accounts: Vec<_> = accounts.into_iter().collect();
    accounts.sort_by_key(|(_, looks)| !looks.iter().any(rises));
    accounts
}

/// Why a run stops before the PSA's other integrations are starved.
pub(super) fn budget_exhausted(connection: &Connection) -> Reason {
    let percent = connection.policy.budget_percent.get();
    let explanation =
        format!("All integrations together have used, or would use, {percent} % of the PSA's requests of an hour.");
    Reason::new(Code::BudgetExhausted, explanation)
}
