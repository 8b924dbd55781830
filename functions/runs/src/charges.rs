//! `GET /v1/runs/{run}/charges`: what became of metered charges, as JSON by page or as one CSV file.

use async_trait::async_trait;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use shared::api::auth::Reader;
use shared::api::paging::{Limit, List, Listing};
use shared::api::sheet::{self, Chunk, Column, Records, Sheet, Wants, cell, word};
use shared::api::{Json, Path, Problem, ProblemBody, Query};
use shared::domain::charge::{Amounts, ChargeResult};
use shared::domain::ids::RunId;
use shared::domain::line::LineStatus;
use shared::domain::money::Money;
use shared::store::runs::Run;
use shared::store::{Rows, StoreError};
use utoipa::{IntoParams, ToSchema};

use crate::packs::Packs;
use crate::read::of_caller;
use crate::{Deps, packs};

/// Pages of results read from the store at once.
const PAGES_AT_ONCE: i32 = 4;

/// Which charges.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Only charges that ended so.
    status: Option<LineStatus>,
    /// Items on a page.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 50)]
    limit: Limit,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A charge as callers see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Charge)]
pub(crate) struct ChargeView {
    #[serde(flatten)]
    charge: ChargeResult,
    /// Whether it waits for nothing but a person's word: `POST /v1/runs/{run}/approve` makes it.
    approvable: bool,
}

impl ChargeView {
    /// A charge of a run that has ended, or not: only then it can be approved.
    fn of(charge: ChargeResult, ended: bool) -> Self {
        Self { approvable: ended && charge.approval().is_some(), charge }
    }
}

/// The metered charges of a run: JSON by page, or as one file with `Accept: text/csv`. A file that is too large for one answer
/// says so in its last row and in `Link`, with the cursor to go on after; `limit` is not looked at for it.
#[utoipa::path(
    get,
    path = "/v1/runs/{run}/charges",
    tag = "runs",
    params(("run" = String, Path), Which),
    responses(
        (status = 200, content((Listing<ChargeView> = "application/json"), (String = "text/csv"))),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn charges(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(run): Path<RunId>,
    Query(which): Query<Which>,
    wants: Wants,
) -> Result<Response, Problem> {
    let run = of_caller(&deps, &caller, &run).await?;
    let status = which.status.map(|status| format!("{status:?}")).unwrap_or_default();
    let list = List::named(&["charges", run.id.as_str(), &status]);
    let from = list.position(which.cursor.as_deref())?;
    let of_run = Charges { deps: &deps, run: &run };
    if wants.csv() {
        let records = ChargeRecords { charges: of_run, status: which.status };
        return sheet::answer(run.id.as_str(), &list, &records, (&wants, from)).await;
    }
    let limit = usize::from(which.limit.get());
    let wanted = |charge: &ChargeResult| which.status.is_none_or(|status| charge.status == status);
    let (items, next) = packs::page(&of_run, wanted, limit, from.as_deref()).await?;
    let items = items.into_iter().map(|charge| ChargeView::of(charge, run.finished_at.is_some())).collect();
    Ok(Json(list.page(items, next.as_deref())).into_response())
}

/// Every charge of a run.
pub(crate) async fn all(deps: &Deps, run: &Run) -> Result<Vec<ChargeResult>, Problem> {
    packs::all(&Charges { deps, run }, |_| true).await
}

/// The charges of a run in the store.
struct Charges<'a> {
    deps: &'a Deps,
    run: &'a Run,
}

#[async_trait]
impl Packs for Charges<'_> {
    type Row = ChargeResult;

    async fn read(&self, after: Option<&str>) -> Result<Rows<Vec<ChargeResult>>, StoreError> {
        let rows = self.deps.runs.lines(&self.run.partner, &self.run.id, after, PAGES_AT_ONCE).await?;
        let items = rows.items.into_iter().map(|(sk, page)| (sk, page.charges)).collect();
        Ok(Rows { items, next: rows.next })
    }
}

/// The same as rows of a file.
struct ChargeRecords<'a> {
    charges: Charges<'a>,
    status: Option<LineStatus>,
}

#[async_trait]
impl Records for ChargeRecords<'_> {
    fn header(&self) -> Vec<&'static str> {
        ChargeView::header()
    }

    async fn read(&self, from: Option<&str>, limit: usize) -> Result<Chunk, Problem> {
        let wanted = |charge: &ChargeResult| self.status.is_none_or(|status| charge.status == status);
        let (charges, next) = packs::page(&self.charges, wanted, limit, from).await?;
        let ended = self.charges.run.finished_at.is_some();
        Ok(Chunk { records: charges.into_iter().map(|it| ChargeView::of(it, ended).record()).collect(), next })
    }
}

impl Sheet for ChargeView {
    const COLUMNS: &'static [Column<Self>] = &[
        ("charge_id", |view| view.charge.charge_id.clone()),
        ("company", |view| view.charge.company.to_string()),
        ("company_name", |view| view.charge.company_name.clone()),
        ("product", |view| view.charge.product.to_string()),
        ("meter", |view| cell(view.charge.meter.as_ref())),
        ("name", |view| view.charge.name.clone()),
        ("account_id", |view| view.charge.account_id.to_string()),
        ("contract_id", |view| view.charge.contract_id.to_string()),
        ("period_start", |view| view.charge.period_start.to_string()),
        ("period_end", |view| view.charge.period_end.to_string()),
        ("currency", |view| cell(view.charge.currency.clone().map(String::from))),
        ("cost_before", |view| amount(view.charge.before, |amounts| amounts.cost)),
        ("cost_target", |view| amount(view.charge.target, |amounts| amounts.cost)),
        ("cost_after", |view| amount(view.charge.after, |amounts| amounts.cost)),
        ("price_before", |view| amount(view.charge.before, |amounts| amounts.price)),
        ("price_target", |view| amount(view.charge.target, |amounts| amounts.price)),
        ("price_after", |view| amount(view.charge.after, |amounts| amounts.price)),
        ("records", |view| view.charge.records.to_string()),
        ("reference", |view| cell(view.charge.reference.as_ref())),
        ("status", |view| word(&view.charge.status)),
        ("code", |view| view.charge.code.clone()),
        ("explanation", |view| view.charge.explanation.clone()),
        ("fix", |view| view.charge.fix.clone()),
        ("approvable", |view| view.approvable.to_string()),
    ];
}

fn amount(of: Option<Amounts>, which: fn(Amounts) -> Money) -> String {
    cell(of.map(which))
}
