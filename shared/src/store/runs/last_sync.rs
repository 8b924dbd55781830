//! What the newest sync of each company came to, gathered from the runs' own results when somebody asks.
//!
//! Nothing is written for it in a sync. Runs are walked from the newest one back, and a line's word is that of the first
//! finished run that wrote, or would have, and has it: an approval of one line says nothing of a company's others. Previews and
//! runs that go on are passed over. The walk ends with a run of all lines, for whoever has no line there was not looked at;
//! and it is bounded.

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
    /// The newest run that looked at a line of it.
    #[schema(value_type = String)]
    pub run_id: RunId,
    /// When it ended.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The worst that became of a line of the company, each in the newest run that looked at it: `unknown`, `failed`, `held`, `skipped`, `planned`, `updated`,
    /// `unchanged`, in this order.
    pub status: LineStatus,
    /// The company's lines by that status. A line that several companies feed counts for each of them.
    pub lines: Counts,
}

impl Runs {
    /// What the newest sync of each of `companies` came to; nothing for those that no run among the newest looked at.
    ///
    /// Two or three requests to the store where the newest run was a whole one, and one more for each run since the last that
    /// was, and for each megabyte of results.
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
        let (mut read, mut told, mut looked_at) = (0, BTreeSet::new(), BTreeSet::new());
        for (_, Listed { id }) in listed.items {
            let Some((run, at)) = self.finished_apply(partner, &id).await? else { continue };
            let lines = self.seen(&run).await?;
            // A run that failed before it came to any line has looked at nobody.
            let whole = run.is_of_all_lines() && !lines.is_empty();
            for line in lines.into_iter().filter(|line| told.insert(line.line_id.clone())) {
                for company in line.companies().filter(|company| companies.contains(company)) {
                    let nothing = LastSync { run_id: id.clone(), at, status: line.status, lines: Counts::default() };
                    *found.entry(company).or_insert(nothing).lines.of_status(line.status) += 1;
                }
            }
            read += 1;
            // Of the companies that a run is limited to it has looked at every line; an approval or a reversal has not.
            if !run.is_approved() && run.reverses.is_none() {
                looked_at.extend(run.companies);
            }
            if whole || read == RUNS_READ || companies.is_subset(&looked_at) {
                break;
            }
        }
        for last in found.values_mut() {
            last.status = worst(last.lines).unwrap_or(last.status);
        }
        Ok(found)
    }

    async fn finished_apply(&self, partner: &PartnerId, id: &RunId) -> Result<Option<(Run, Timestamp)>, StoreError> {
        let run: Option<Run> = self.get(partner, id).await?;
        let run = run.filter(|run| run.mode == Mode::Apply);
        Ok(run.and_then(|run| run.finished_at.map(|at| (run, at))))
    }

    /// The lines of a run.
    async fn seen(&self, run: &Run) -> Result<Vec<SeenLine>, StoreError> {
        let mut seen = Vec::new();
        let partition = schema::of_run(&run.partner, &run.id);
        let mut after: Option<String> = None;
        loop {
            let page = Page { prefix: "LINES#", after: after.as_deref(), ..Page::default() };
            let rows: Rows<Seen> = self.0.page(&partition, &page, Read::Consistent).await?;
            seen.extend(rows.items.into_iter().flat_map(|(_, page)| page.lines));
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
    #[serde(deserialize_with = "super::text::deserialize")]
    lines: Vec<SeenLine>,
}

#[derive(Deserialize)]
struct SeenLine {
    line_id: String,
    company: CompanyId,
    status: LineStatus,
    feeds: Vec<SeenFeed>,
}

impl SeenLine {
    /// The company that it is named after, and those that feed it.
    fn companies(&self) -> impl Iterator<Item = CompanyId> {
        let fed = self.feeds.iter().map(|feed| feed.company.clone());
        fed.chain([self.company.clone()]).collect::<BTreeSet<_>>().into_iter()
    }
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
