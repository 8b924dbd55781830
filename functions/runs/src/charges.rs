//! `GET /v1/runs/{run}/charges`: what became of each metered charge.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use shared::api::auth::Reader;
use shared::api::paging::Listing;
use shared::api::sheet::{Column, Sheet, Wants, cell, word};
use shared::api::{Path, Problem, ProblemBody, Query};
use shared::domain::charge::{Amounts, ChargeResult};
use shared::domain::ids::RunId;
use shared::domain::line::LineStatus;
use shared::domain::money::Money;
use shared::store::runs::ResultPage;
use utoipa::ToSchema;

use crate::Deps;
use crate::read::of_caller;
use crate::results::{self, Kept, Viewed, Which};

/// A charge as callers see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Charge)]
pub(crate) struct ChargeView {
    #[serde(flatten)]
    charge: ChargeResult,
    /// Whether it waits for nothing but a person's word: `POST /v1/runs/{run}/approve` makes it.
    approvable: bool,
}

impl Kept for ChargeResult {
    const LIST: &'static str = "charges";

    fn on(page: ResultPage) -> Vec<Self> {
        page.charges
    }

    fn status(&self) -> LineStatus {
        self.status
    }
}

impl Viewed for ChargeView {
    type Kept = ChargeResult;

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
    results::answer::<ChargeView>(&deps, &run, &which, &wants).await
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
