//! What planning a run came to, before anything of it is stored: lines decided at once, and accounts that need a job.

use std::collections::BTreeMap;

use super::SyncError;
use super::assess::{Assessed, Look};
use super::job::Job;
use super::row;
use crate::domain::ids::AccountId;
use crate::domain::line::{LineHistory, LineKey, LineResult};
use crate::domain::reason::{Code, Reason};
use crate::domain::units::Units;
use crate::store::connections::Connection;
use crate::store::runs::ResultPage;

/// Lines in one company job: its intents fit one transaction, and its page fits one row.
const LINES_A_JOB: usize = 50;
/// A job reads its account once, and once more after its writes.
const READS_A_JOB: u32 = 2;

/// A run on paper.
#[derive(Default)]
pub(super) struct Draft {
    pub rows: Vec<LineResult>,
    /// Lines found right that are not remembered so yet.
    pub right: Vec<Right>,
    pub looks: Vec<Look>,
    pub approval_needed: bool,
    pub reason: Option<Reason>,
    pub psa_requests: u32,
}

/// A line that was found to carry the right units, and what was known of it before.
pub(super) struct Right {
    pub key: LineKey,
    pub units: Units,
    pub history: LineHistory,
}

impl Draft {
    /// Nothing could be decided.
    pub fn failed(reason: Reason) -> Self {
        Self { reason: Some(reason), ..Self::default() }
    }

    pub fn add(&mut self, assessed: Assessed, histories: &BTreeMap<LineKey, LineHistory>) {
        match assessed {
            Assessed::Row(row) => self.rows.push(row),
            Assessed::Look(look) => self.looks.push(*look),
            Assessed::Right { row, key, units } => {
                let history = histories.get(&key).cloned().unwrap_or_default();
                if history.confirmed.is_none_or(|confirmed| confirmed.units != units) {
                    self.right.push(Right { key, units, history });
                }
                self.rows.push(row);
            }
        }
    }

    /// Keeps the accounts whose jobs fit into `room` requests; the lines of the others wait for the next run.
    pub fn keep_within(&mut self, room: u32, connection: &Connection) {
        let mut left = room;
        let mut kept = Vec::new();
        for (_, looks) in by_account(std::mem::take(&mut self.looks)) {
            let cost = u32::try_from(looks.len()).unwrap_or(u32::MAX).saturating_add(READS_A_JOB);
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

    /// One page for each company job: its stand-in rows, and what it has to do.
    pub fn take_jobs(&mut self) -> Result<Vec<(String, ResultPage)>, SyncError> {
        let mut pages = Vec::new();
        for (account, looks) in by_account(std::mem::take(&mut self.looks)) {
            let mut looks = looks.into_iter().peekable();
            let mut number = 0;
            while looks.peek().is_some() {
                let (lines, rows) = looks.by_ref().take(LINES_A_JOB).map(|look| (look.line, look.row)).unzip();
                let job = Job { account: account.clone(), approval_needed: self.approval_needed, lines };
                let job = serde_json::to_string(&job).map_err(|e| SyncError::Job(e.to_string()))?;
                pages.push((format!("{account}.{number:03}"), ResultPage { done: false, lines: rows, job: Some(job) }));
                number += 1;
            }
        }
        Ok(pages)
    }
}

fn by_account(looks: Vec<Look>) -> BTreeMap<AccountId, Vec<Look>> {
    let mut accounts: BTreeMap<AccountId, Vec<Look>> = BTreeMap::new();
    for look in looks {
        accounts.entry(look.line.label.account.clone()).or_default().push(look);
    }
    accounts
}

/// Why a run stops before the PSA's other integrations are starved.
pub(super) fn budget_exhausted(connection: &Connection) -> Reason {
    let percent = connection.policy.budget_percent.get();
    let explanation =
        format!("All integrations together have used, or would use, {percent} % of the PSA's requests of an hour.");
    Reason::new(Code::BudgetExhausted, explanation)
}
