//! `GET /v1/runs/{run}/choices`: what a person can still do with a run, and what that comes to: asked before it is done.

use axum::extract::State;
use serde::Serialize;
use shared::api::auth::Reader;
use shared::api::{Json, Path, Problem, ProblemBody};
use shared::domain::charge::{ChargeResult, ChargeSum, changes};
use shared::domain::ids::RunId;
use shared::domain::line::{LineResult, LineStatus};
use shared::domain::money::{Sum, sums};
use shared::domain::reversal::may_have_changed;
use utoipa::ToSchema;

use crate::Deps;
use crate::approve::approval;
use crate::read::of_caller;

/// Pages of results read from the store at once.
const PAGES_AT_ONCE: i32 = 8;

/// What can be done with a run that has ended; nothing can be with another.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = RunChoices)]
pub(crate) struct Choices {
    /// What `POST /v1/runs/{run}/approve` with `{}` agrees to.
    approvable: Changes,
    /// What `POST /v1/runs/{run}/reverse` with `{}` takes back, as the run made it.
    reversible: Changes,
}

/// Changes added up.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = ChangesTogether)]
pub(crate) struct Changes {
    /// Lines that gain units.
    rises: Units,
    /// Lines that lose units.
    falls: Units,
    /// Lines of which only prices change.
    repriced: u32,
    /// What they come to, a month: one sum a currency. Lines without a price are counted in it.
    money: Vec<Sum>,
    /// Lines of which nothing is known in money.
    lines_without_money: u32,
    /// Metered charges.
    charges: u32,
    /// What those come to, once.
    charge_money: Vec<ChargeSum>,
}

/// Lines that change in one direction.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = UnitsTogether)]
struct Units {
    lines: u32,
    /// By how many units, all of them together.
    units: u64,
}

/// What approving and reversing a run would come to.
///
/// The numbers are those of the run; what is approved is decided afresh by the run that makes it.
#[utoipa::path(
    get,
    path = "/v1/runs/{run}/choices",
    tag = "runs",
    params(("run" = String, Path)),
    responses(
        (status = 200, body = Choices),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/read"]))
)]
pub(crate) async fn choices(
    Reader(caller): Reader,
    State(deps): State<Deps>,
    Path(run): Path<RunId>,
) -> Result<Json<Choices>, Problem> {
    let run = of_caller(&deps, &caller, &run).await?;
    if run.finished_at.is_none() {
        return Ok(Json(Choices::default()));
    }
    let (mut approvable, mut reversible, mut charges) = (Vec::new(), Vec::new(), Vec::new());
    // Lines and charges stand on the same pages: they are read once, and only what is looked at is kept.
    let mut after: Option<String> = None;
    loop {
        let read = deps.runs.lines(&run.partner, &run.id, after.as_deref(), PAGES_AT_ONCE).await?;
        for (_, page) in read.items {
            charges.extend(page.charges.into_iter().filter(|charge| charge.approval().is_some()));
            for line in page.lines {
                match &line {
                    waits if approval(waits).is_some() => approvable.push(line),
                    written if may_have_changed(written) => reversible.push(line),
                    _ => {}
                }
            }
        }
        match read.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    Ok(Json(Choices { approvable: Changes::of(&approvable).with(&charges), reversible: Changes::of(&reversible) }))
}

impl Changes {
    fn of<'a>(lines: impl IntoIterator<Item = &'a LineResult>) -> Self {
        let (mut all, mut money) = (Self::default(), Vec::new());
        for line in lines {
            let Some(difference) = line.difference() else { continue };
            match difference.get() {
                0 => all.repriced += 1,
                1.. => all.rises.add(difference.get()),
                _ => all.falls.add(difference.get()),
            }
            match &line.money {
                Some(of) => money.push((difference, of.clone())),
                None => all.lines_without_money += 1,
            }
        }
        Self { money: sums(money), ..all }
    }

    fn with(self, charges: &[ChargeResult]) -> Self {
        let of = |status| changes(charges, status);
        let money = [LineStatus::Planned, LineStatus::Held].into_iter().flat_map(of);
        Self {
            charges: u32::try_from(charges.len()).unwrap_or(u32::MAX),
            charge_money: shared::domain::charge::together(money),
            ..self
        }
    }
}

impl Units {
    fn add(&mut self, difference: i64) {
        self.lines += 1;
        self.units += difference.unsigned_abs();
    }
}
