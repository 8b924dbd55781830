//! `GET /v1/runs/{run}/reconciliation`: what usage says, what the PSA says and what we last wrote, side by side.
//!
//! What the run noticed besides its lines comes first (usage that is billed nowhere, lines without usage, contracts that end),
//! then every line. It is kept with the run and shows things as they were when the run read them.

use async_trait::async_trait;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use serde::Serialize;
use shared::api::auth::Reader;
use shared::api::paging::{List, Listing, Paging};
use shared::api::sheet::{self, Chunk, Records, Sheet as _, Wants};
use shared::api::{Json, Path, Problem, ProblemBody, Query};
use shared::domain::ids::RunId;
use shared::domain::line::{LineResult, LineStatus};
use shared::domain::money::LineMoney;
use shared::domain::reason::Code;
use shared::domain::units::Units;
use shared::store::runs::{Gap, Run};
use shared::store::{Rows, StoreError};
use utoipa::ToSchema;

use crate::packs::Packs;
use crate::results::Results;
use crate::{Deps, packs, read};

/// Pages of gaps read from the store at once.
const PAGES_AT_ONCE: i32 = 4;

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EntryKind {
    /// Something that no line's row says.
    Gap,
    /// A line.
    Line,
}

/// One comparison.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ReconciliationEntry)]
pub(crate) struct Entry {
    /// What it is about.
    pub kind: EntryKind,
    /// What the line ended as; null for a gap.
    pub status: Option<LineStatus>,
    /// Stable name of what is to be known; empty for a line that is well.
    pub code: String,
    /// `contract:service`, where it is about a line.
    pub line_id: Option<String>,
    /// The company.
    pub company: Option<String>,
    /// Its name.
    pub company_name: Option<String>,
    /// The product.
    pub product: Option<String>,
    /// The PSA account.
    pub account_id: Option<String>,
    /// The contract.
    pub contract_id: Option<String>,
    /// The service.
    pub service_id: Option<String>,
    /// What usage says: the newest counts, added up.
    pub counted: Option<u64>,
    /// What the line should carry by its rule.
    #[schema(value_type = Option<u32>)]
    pub target: Option<Units>,
    /// What the PSA says.
    #[schema(value_type = Option<u32>)]
    pub before: Option<Units>,
    /// What we last wrote or found right.
    #[schema(value_type = Option<u32>)]
    pub last_confirmed: Option<Units>,
    /// The day from which that counted.
    #[schema(value_type = Option<String>, format = Date)]
    pub last_confirmed_from: Option<Date>,
    /// `target` less `before`.
    pub difference: Option<i64>,
    /// The PSA does not say what we last wrote: somebody else has changed the line.
    pub drift: bool,
    /// The day from which the change in question counts.
    #[schema(value_type = Option<String>, format = Date)]
    pub effective_date: Option<Date>,
    /// What is at stake: positive what is not billed yet, negative what is billed too much.
    pub money: Option<LineMoney>,
    /// In words.
    pub explanation: String,
    /// What to do about it; empty where nothing has to be done.
    pub fix: String,
}

impl From<LineResult> for Entry {
    fn from(line: LineResult) -> Self {
        Self {
            kind: EntryKind::Line,
            status: Some(line.status),
            difference: line.difference().map(|difference| difference.get()),
            counted: line.counted(),
            drift: has_drifted(&line),
            code: line.code,
            line_id: Some(line.line_id),
            company: Some(line.company.to_string()),
            company_name: Some(line.company_name).filter(|name| !name.is_empty()),
            product: Some(line.product.to_string()),
            account_id: Some(line.account_id.to_string()),
            contract_id: Some(line.contract_id.to_string()),
            service_id: Some(line.service_id.to_string()),
            target: line.target,
            before: line.before,
            last_confirmed: line.last_confirmed,
            last_confirmed_from: line.last_confirmed_from,
            effective_date: line.effective_date,
            money: line.money,
            explanation: line.explanation,
            fix: line.fix,
        }
    }
}

/// A line whose write is open shows what became of that; and what we wrote for a later day says nothing of an earlier one,
/// unless the line is held for the very drift: then its day is the one from which the change would count.
fn has_drifted(line: &LineResult) -> bool {
    let differs = line.before.zip(line.last_confirmed).is_some_and(|(psa, ours)| psa != ours);
    let told = line.code == Code::Drift.as_str();
    let judged = told || line.effective_date.zip(line.last_confirmed_from).is_none_or(|(day, from)| from <= day);
    differs && judged && line.status != LineStatus::Unknown
}

impl From<Gap> for Entry {
    fn from(Gap { noticed, money }: Gap) -> Self {
        let line = noticed.subject.line();
        Self {
            kind: EntryKind::Gap,
            status: None,
            line_id: line.map(ToString::to_string),
            contract_id: noticed.subject.contract().map(ToString::to_string),
            service_id: line.map(|line| line.service.to_string()),
            counted: noticed.target.map(|units| u64::from(units.get())),
            difference: noticed.before.zip(noticed.target).map(|(before, target)| before.delta_to(target).get()),
            code: noticed.reason.code,
            company: noticed.company.map(String::from),
            company_name: Some(noticed.company_name).filter(|name| !name.is_empty()),
            product: noticed.product.map(String::from),
            account_id: noticed.account.map(String::from),
            target: noticed.target,
            before: noticed.before,
            last_confirmed: None,
            last_confirmed_from: None,
            drift: false,
            effective_date: noticed.effective_date,
            money,
            explanation: noticed.reason.explanation,
            fix: noticed.reason.fix,
        }
    }
}

/// What a run found, compared: JSON by page, or as one file with `Accept: text/csv`. A file that is too large for one answer
/// says so in its last row and in `Link`, with the cursor to go on after; `limit` is not looked at for it.
#[utoipa::path(
    get,
    path = "/v1/runs/{run}/reconciliation",
    tag = "runs",
    params(("run" = String, Path), Paging),
    responses(
        (status = 200, content((Listing<Entry> = "application/json"), (String = "text/csv"))),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn reconciliation(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(run): Path<RunId>,
    Query(paging): Query<Paging>,
    wants: Wants,
) -> Result<Response, Problem> {
    let run = read::of_caller(&deps, &caller, &run).await?;
    let list = List::named(&["reconciliation", run.id.as_str()]);
    let from = list.position(paging.cursor.as_deref())?;
    if wants.csv() {
        let records = Reconciled { deps: &deps, run: &run };
        return sheet::answer(&format!("reconciliation-{}", run.id), &list, &records, (&wants, from)).await;
    }
    let (entries, next) = page(&deps, &run, usize::from(paging.limit.get()), from.as_deref()).await?;
    Ok(Json(list.page(entries, next.as_deref())).into_response())
}

/// What a run found, as rows of a file.
struct Reconciled<'a> {
    deps: &'a Deps,
    run: &'a Run,
}

#[async_trait]
impl Records for Reconciled<'_> {
    fn header(&self) -> Vec<&'static str> {
        Entry::header()
    }

    async fn read(&self, from: Option<&str>, limit: usize) -> Result<Chunk, Problem> {
        let (entries, next) = page(self.deps, self.run, limit, from).await?;
        Ok(Chunk { records: entries.iter().map(|entry| entry.record()).collect(), next })
    }
}

/// A position is that of the gaps after `G`, or that of the lines after `L`.
async fn page(
    deps: &Deps,
    run: &Run,
    limit: usize,
    from: Option<&str>,
) -> Result<(Vec<Entry>, Option<String>), Problem> {
    let mut entries = Vec::new();
    let lines_from = from.and_then(|from| from.strip_prefix('L'));
    if lines_from.is_none() {
        let from = from.and_then(|from| from.strip_prefix('G'));
        let (found, next) = packs::page(&Gaps { deps, run }, |_| true, limit, from).await?;
        entries.extend(found.into_iter().map(Entry::from));
        if let Some(next) = next {
            return Ok((entries, Some(format!("G{next}"))));
        }
    }
    let room = limit - entries.len();
    let (found, next) = packs::page(&Results::<LineResult>::of(deps, run), |_| true, room, lines_from).await?;
    entries.extend(found.into_iter().map(Entry::from));
    Ok((entries, next.map(|next| format!("L{next}"))))
}

/// What a run noticed, in the store.
struct Gaps<'a> {
    deps: &'a Deps,
    run: &'a Run,
}

#[async_trait]
impl Packs for Gaps<'_> {
    type Row = Gap;

    async fn read(&self, after: Option<&str>) -> Result<Rows<Vec<Gap>>, StoreError> {
        let rows = self.deps.runs.gaps(&self.run.partner, &self.run.id, after, PAGES_AT_ONCE).await?;
        let items = rows.items.into_iter().map(|(sk, page)| (sk, page.gaps)).collect();
        Ok(Rows { items, next: rows.next })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Of a line with `before` units in the PSA for a change from `day` on, of which we confirmed 42 from `from` on.
    fn drifts(before: u32, day: &str, from: &str, status: &str) -> bool {
        let line: LineResult = serde_json::from_value(json!({
            "line_id": "1:2", "company": "acme", "company_name": "", "product": "edr", "account_id": "3",
            "contract_id": "1", "service_id": "2", "before": before, "target": 43, "after": null, "effective_date": day,
            "status": status, "code": "", "explanation": "", "fix": "", "feeds": [],
            "last_confirmed": 42, "last_confirmed_from": from,
        }))
        .unwrap();
        Entry::from(line).drift
    }

    #[test]
    fn drift_is_what_the_psa_says_of_a_day_that_we_have_confirmed() {
        let (day, later) = ("2026-11-21", "2026-12-01");
        assert!(drifts(40, day, day, "held"));
        assert!(drifts(40, later, day, "held"));
        assert!(!drifts(42, day, day, "held"));
        assert!(!drifts(40, day, later, "held"), "what was written for a later day says nothing of this one");
        assert!(!drifts(40, day, day, "unknown"), "a write is open");
    }
}
