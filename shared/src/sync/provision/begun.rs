//! What a job that is not done had begun to make: a line is not called untouched whose service may be made.

use super::not_made;
use crate::domain::ids::{RunId, ServiceId};
use crate::domain::line::{LineKey, LineResult, LineStatus};
use crate::domain::reason::{Code, Reason};
use crate::ledger::{Ledger, Making, Thing};
use crate::store::lines::Tenancy;
use crate::sync::SyncError;
use crate::sync::job::JobLine;

/// The row of a line for which this `run` had begun to make something, in a job that is not done for this reason, and how many
/// requests that took. `None`: nothing was begun.
pub(in crate::sync) async fn begun(
    ledger: &Ledger,
    of: &Tenancy,
    line: &JobLine,
    run: &RunId,
    why: &Reason,
) -> Result<Option<(LineResult, u32)>, SyncError> {
    let Some(to_make) = &line.making else { return Ok(None) };
    let service = match &to_make.provision {
        Some(provision) => ledger.newest_making(of, &Thing::Service(provision.name.clone())).await?,
        None => None,
    };
    let id: Option<ServiceId> = match &to_make.provision {
        Some(_) => service.as_ref().and_then(|made| made.id.as_ref()?.parse().ok()),
        None => Some(line.key.service.clone()),
    };
    let put = match id.clone() {
        Some(service) => {
            let line = LineKey { contract: line.key.contract.clone(), service };
            ledger.newest_making(of, &Thing::OnContract(line)).await?
        }
        None => None,
    };
    let both = [service.as_ref(), put.as_ref()].into_iter().flatten();
    let of_this_run: Vec<&Making> = both.filter(|making| making.is_work_of(run, &line.label.account)).collect();
    let Some(last) = of_this_run.last() else { return Ok(None) };
    let made = |what: &Thing| match what {
        Thing::Service(name) => format!("The service \"{name}\" was made"),
        Thing::OnContract(line) => format!("Service {} was put on contract {}", line.service, line.contract),
    };
    let row = if of_this_run.iter().any(|making| making.is_open()) {
        let explanation =
            format!("What the line lacks was sent to be made; its outcome is not known yet. {}", why.explanation);
        not_made(line, Reason::new(Code::WriteUnsettled, explanation))
    } else {
        let explanation = format!("{}. {}", made(&last.thing), why.explanation);
        let row = not_made(line, Reason { explanation, ..why.clone() });
        match last.thing {
            Thing::OnContract(_) => LineResult { status: LineStatus::Updated, ..row },
            Thing::Service(_) => row,
        }
    };
    Ok(Some((row, u32::try_from(of_this_run.len()).unwrap_or(u32::MAX))))
}
