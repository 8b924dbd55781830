//! What the newest sync of each company came to, gathered from the runs' own results when somebody asks.
//!
//! Nothing is written for it in a sync. Runs are walked from the newest one back, and a company's word is that of the first
//! finished run that wrote, or would have, and has a line of it. Previews and runs that go on are passed over. The walk
//! ends with a run of all lines, for whoever has no line there was not looked at; and it is bounded.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Counts, Listed, Mode, Run, Runs};
use crate::domain::ids::{CompanyId, ConnectionId, PartnerId, RunId};
use crate::domain::line::LineStatus;
use crate::store::{Page, Read, Rows, StoreError, schema};

/// The most runs whose lines are read.
const RUNS_READ: usize = 10;
/// The most runs that are looked at, previews included: each costs one small read.
const RUNS_SEEN: i32 = 30;

/// What a company's newest sync came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LastSync {
    /// The run.
    #[schema(value_type = String)]
    pub run_id: RunId,
    /// When it ended.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The worst that became of a line of the company there: `unknown`, `failed`, `held`, `skipped`, `planned`, `updated`,
    /// `unchanged`, in this order.
    pub status: LineStatus,
    /// The company's lines in that run by status. A line that several companies feed counts for each of them.
    pub lines: Counts,
}

impl Runs {
    /// What the newest sync of each of `companies` came to; nothing for those that no run among the newest looked at.
    ///
    /// Two or three requests to the store where the newest run was a whole one, and one more for each run before it and for
    /// each megabyte of results.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn last_syncs(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
        companies: &BTreeSet<CompanyId>,
    ) -> Result<BTreeMap<CompanyId, LastSync>, StoreError> {
        let mut found = BTreeMap::new();
        if companies.is_empty() {
            return Ok(found);
        }
        let page = Page { prefix: "RUN#", limit: Some(RUNS_SEEN), backwards: true, ..Page::default() };
        // Who has waited for a run's end is to see that run, and each of its pages was closed before it.
        let listed: Rows<Listed> =
            self.0.page(&schema::of_connection(partner, connection), &page, Read::Consistent).await?;
        let mut read = 0;
        for (_, Listed { id }) in listed.items {
            let Some((run, at)) = self.finished_apply(partner, &id).await? else { continue };
            let seen = self.by_company(&run).await?;
            let decided = !seen.is_empty();
            for (company, lines) in seen {
                if companies.contains(&company)
                    && let Some(status) = worst(lines)
                {
                    found.entry(company).or_insert(LastSync { run_id: id.clone(), at, status, lines });
                }
            }
            read += 1;
            // A run that failed before it came to any line has looked at nobody.
            let whole = run.is_of_all_lines() && decided;
            if whole || read == RUNS_READ || found.len() == companies.len() {
                break;
            }
        }
        Ok(found)
    }

    async fn finished_apply(&self, partner: &PartnerId, id: &RunId) -> Result<Option<(Run, Timestamp)>, StoreError> {
        let run: Option<Run> = self.get(partner, id).await?;
        let run = run.filter(|run| run.mode == Mode::Apply);
        Ok(run.and_then(|run| run.finished_at.map(|at| (run, at))))
    }

    /// The lines of a run by status, for each company that feeds them.
    async fn by_company(&self, run: &Run) -> Result<BTreeMap<CompanyId, Counts>, StoreError> {
        let mut seen: BTreeMap<CompanyId, Counts> = BTreeMap::new();
        let partition = schema::of_run(&run.partner, &run.id);
        let mut after: Option<String> = None;
        loop {
            let page = Page { prefix: "LINES#", after: after.as_deref(), ..Page::default() };
            let rows: Rows<Seen> = self.0.page(&partition, &page, Read::Consistent).await?;
            for line in rows.items.into_iter().flat_map(|(_, page)| page.lines) {
                let fed = line.feeds.into_iter().map(|feed| feed.company);
                for company in fed.chain([line.company]).collect::<BTreeSet<_>>() {
                    *seen.entry(company).or_default().of_status(line.status) += 1;
                }
            }
            match rows.next {
                Some(next) => after = Some(next),
                None => return Ok(seen),
            }
        }
    }
}

/// Of a page of results, what matters here.
#[derive(Deserialize)]
struct Seen {
    lines: Vec<SeenLine>,
}

#[derive(Deserialize)]
struct SeenLine {
    company: CompanyId,
    status: LineStatus,
    feeds: Vec<SeenFeed>,
}

#[derive(Deserialize)]
struct SeenFeed {
    company: CompanyId,
}

fn worst(lines: Counts) -> Option<LineStatus> {
    let Counts { updated, unchanged, planned, held, skipped, failed, unknown } = lines;
    let from_the_worst = [
        (LineStatus::Unknown, unknown),
        (LineStatus::Failed, failed),
        (LineStatus::Held, held),
        (LineStatus::Skipped, skipped),
        (LineStatus::Planned, planned),
        (LineStatus::Updated, updated),
        (LineStatus::Unchanged, unchanged),
    ];
    from_the_worst.into_iter().find(|(_, count)| *count > 0).map(|(status, _)| status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_line_is_what_a_company_is_judged_by() {
        let mut lines = Counts { unchanged: 9, ..Counts::default() };
        let mut seen = vec![worst(lines)];
        for raise in [
            |lines: &mut Counts| lines.updated += 1,
            |lines: &mut Counts| lines.planned += 1,
            |lines: &mut Counts| lines.skipped += 1,
            |lines: &mut Counts| lines.held += 1,
            |lines: &mut Counts| lines.failed += 1,
            |lines: &mut Counts| lines.unknown += 1,
        ] {
            raise(&mut lines);
            seen.push(worst(lines));
        }
        use LineStatus::*;
        assert_eq!(seen, [Unchanged, Updated, Planned, Skipped, Held, Failed, Unknown].map(Some));
        assert_eq!(worst(Counts::default()), None);
    }
}
