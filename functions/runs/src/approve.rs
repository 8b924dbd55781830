//! `POST /v1/runs/{run}/approve`: a person agrees to changes and charges that were held, or that a preview planned.
//!
//! What is approved is a change from one number to another. The new run decides afresh; where it comes to other numbers by
//! then, the line is held again.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use shared::api::auth::Writer;
use shared::api::idempotent::{Creation, once};
use shared::api::{Fault, Path, Problem, ProblemBody};
use shared::domain::charge::ChargeResult;
use shared::domain::ids::RunId;
use shared::domain::line::{LineResult, LineStatus};
use shared::domain::plan::Approval;
use shared::domain::reason::Code;
use shared::store::connections::Bookkeeping;
use shared::store::runs::{Approved, ApprovedCharge, Mode, RunState};
use shared::sync::NewRun;
use utoipa::ToSchema;

use crate::results::Results;
use crate::view::Started;
use crate::{Deps, read, start};

/// A run's row holds the approvals of the next one, so they are bounded.
const MOST_LINES: usize = 2_000;
/// Of all approvals: well below the 400 KB of a row.
const MOST_BYTES: usize = 350_000;
/// The same of charges, each of which may have a long name.
const MOST_CHARGES: usize = 500;
/// The most that companies and products take of the 400 KB of that row.
const BYTES_OF_NAMES: usize = 100_000;

/// What to approve: everything that is held for approval or planned where neither is named.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApproveBody {
    /// Ids of lines.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 2000)]
    lines: Option<Vec<String>>,
    /// Ids of metered charges.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 500)]
    charges: Option<Vec<String>>,
}

/// Approve held or planned changes.
///
/// On a connection in shadow mode nothing can be approved: 409 `shadow`.
#[utoipa::path(
    post,
    path = "/v1/runs/{run}/approve",
    tag = "runs",
    request_body = ApproveBody,
    params(
        ("run" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body make one run"),
    ),
    responses(
        (status = 202, description = "A run of the approved lines is queued", body = Started),
        (status = "4XX", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("bearer" = ["tallyline/write"]))
)]
pub(crate) async fn approve(
    Writer(caller): Writer,
    State(deps): State<Deps>,
    Path(run): Path<RunId>,
    request: Creation<ApproveBody>,
) -> Result<Response, Problem> {
    once(&deps.remembered, &*deps.clock, &caller, request, "run", async |id, body| {
        let run = read::of_caller(&deps, &caller, &run).await?;
        if matches!(run.state, RunState::Queued | RunState::Running) {
            return Err(
                Problem::conflict("run_not_ended", "The run has not ended yet.").fix("Wait until it has ended.")
            );
        }
        let connection = start::writable(&deps, &caller, &run.connection).await?;
        let lines = Results::<LineResult>::of(&deps, &run).all().await?;
        let charges = Results::<ChargeResult>::of(&deps, &run).all().await?;
        let waiting = lines.iter().filter(|line| approval(line).is_some()).count();
        let charges_waiting = charges.iter().filter(|charge| charge.approval().is_some()).count();
        let everything = body.lines.is_none() && body.charges.is_none();
        let approved =
            if everything || body.lines.is_some() { chosen(lines, body.lines.as_deref())? } else { Vec::new() };
        let approved_charges = match everything || body.charges.is_some() {
            true => chosen_charges(charges, body.charges.as_deref())?,
            false => Vec::new(),
        };
        if approved.is_empty() && approved_charges.is_empty() {
            return Err(Problem::conflict(
                "nothing_to_approve",
                "No line and no charge of this run waits for approval.",
            )
            .fix("See the run's lines and charges: those that are held or planned can be approved."));
        }
        fits_a_run(&approved, &approved_charges)?;
        if (approved.len(), approved_charges.len()) == (waiting, charges_waiting) {
            // Nothing of the run waits any more: the policy `first_run` has had its run.
            let note = |found: &mut Bookkeeping| found.pass_first_run(deps.clock.now());
            deps.connections.note(&caller.partner, &connection.id, note).await?;
        }
        let approves = Some(run.id);
        start::make(
            &deps,
            &connection,
            id,
            NewRun { approved, approved_charges, approves, ..start::by(&caller, Mode::Apply) },
        )
        .await
    })
    .await
}

fn chosen(lines: Vec<LineResult>, named: Option<&[String]>) -> Result<Vec<Approved>, Problem> {
    let approvable: Vec<Approved> = lines.iter().filter_map(approval).collect();
    let chosen: Vec<Approved> = match named {
        None => approvable,
        Some([]) => {
            let detail = "names no line: name at least one, or send {} to approve all that wait";
            return Err(Problem::invalid(vec![Fault::new("/lines", detail)]));
        }
        Some(named) => {
            let may: BTreeSet<&str> = approvable.iter().map(|approved| approved.line_id.as_str()).collect();
            let faults: Vec<Fault> = named
                .iter()
                .enumerate()
                .filter(|(_, id)| !may.contains(id.as_str()))
                .map(|(index, _)| {
                    Fault::new(format!("/lines/{index}"), "is no line of this run that waits for approval")
                })
                .collect();
            if !faults.is_empty() {
                return Err(Problem::invalid(faults));
            }
            let named: BTreeSet<&str> = named.iter().map(String::as_str).collect();
            approvable.iter().filter(|approved| named.contains(approved.line_id.as_str())).cloned().collect()
        }
    };
    match chosen.len() {
        ..=MOST_LINES => Ok(fitting(chosen)),
        _ => Err(Problem::invalid(vec![Fault::new("/lines", "must name at most 2000 lines")])),
    }
}

/// Refuses what the row of a run can't hold beside everything else.
fn fits_a_run(lines: &[Approved], charges: &[ApprovedCharge]) -> Result<(), Problem> {
    let bytes = serde_json::to_vec(&(lines, charges)).map_err(Problem::internal)?.len();
    if bytes <= MOST_BYTES {
        return Ok(());
    }
    let detail = "name more than one approval can hold: approve a part of the lines and charges, then the rest";
    Err(Problem::invalid(vec![Fault::new("/charges", detail)]))
}

fn chosen_charges(charges: Vec<ChargeResult>, named: Option<&[String]>) -> Result<Vec<ApprovedCharge>, Problem> {
    let approved = |charge: &ChargeResult| {
        let approval = charge.approval()?;
        Some(ApprovedCharge { charge_id: charge.charge_id.clone(), approval })
    };
    let mut approvable: Vec<ApprovedCharge> = charges.iter().filter_map(approved).collect();
    if let Some(named) = named {
        if named.is_empty() {
            return Err(Problem::invalid(vec![Fault::new("/charges", "names no charge: name at least one")]));
        }
        let waits = |id: &String| approvable.iter().any(|approved| approved.charge_id == *id);
        let unknown = named.iter().enumerate().filter(|(_, id)| !waits(id));
        let faults: Vec<Fault> = unknown
            .map(|(index, _)| {
                Fault::new(format!("/charges/{index}"), "is no charge of this run that waits for approval")
            })
            .collect();
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        approvable.retain(|approved| named.contains(&approved.charge_id));
    }
    if approvable.len() > MOST_CHARGES {
        let detail = "must name at most 500 charges: name those to begin with, and approve the rest after that";
        return Err(Problem::invalid(vec![Fault::new("/charges", detail)]));
    }
    Ok(approvable)
}

/// With the names that a run's row has room for: where they are too long, lines are found by their ids alone.
fn fitting(mut approved: Vec<Approved>) -> Vec<Approved> {
    let of = |approved: &Approved| {
        let company = approved.company.as_ref().map_or(0, |company| company.as_str().len());
        company + approved.product.as_ref().map_or(0, |product| product.as_str().len())
    };
    if approved.iter().map(of).sum::<usize>() > BYTES_OF_NAMES {
        for approved in &mut approved {
            (approved.company, approved.product) = (None, None);
        }
    }
    approved
}

/// What approving `line` would agree to; `None` where it waits for no approval.
pub(crate) fn approval(line: &LineResult) -> Option<Approved> {
    let waits = match line.status {
        LineStatus::Planned => true,
        LineStatus::Held => Code::named(&line.code).is_some_and(Code::approvable),
        _ => false,
    };
    let prices = line.prices.map(|prices| prices.repricing());
    let approval = Approval { before: line.before?, target: line.target?, prices };
    waits.then(|| Approved {
        line_id: line.line_id.clone(),
        approval,
        company: Some(line.company.clone()),
        product: Some(line.product.clone()),
    })
}
