//! Storing what planning came to, in an order in which a crash at any point loses and repeats nothing that counts.

use std::sync::Arc;

use jiff::SignedDuration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::SyncError;
use super::draft::{Draft, Right};
use super::findings::PlannersWord;
use super::parts::PlannerParts as Parts;
use super::pricing::worth;
use crate::clock::Clock;
use crate::domain::ids::RunId;
use crate::domain::reason::Reason;
use crate::events::{CredentialsRefused, Event, Publish, RunEnded, tell};
use crate::queue::CompanyJob;
use crate::store::StoreError;
use crate::store::connections::{Bookkeeping, Connection, Connections, Status};
use crate::store::journal::By;
use crate::store::lines::Tenancy;
use crate::store::runs::{Counts, Effort, HandedOn, Mode, Planned, ResultPage, Run, RunState, Runs, Trigger};
use crate::telemetry::Metrics;

/// How soon a scheduled run that met a PSA out of reach is tried again.
const TRY_AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// Rows written at once.
const WRITES_AT_ONCE: usize = 16;

/// Stores the lines that were decided and the jobs to do, sends the jobs, and says that planning is over.
pub(super) async fn record(
    parts: &Parts,
    connection: Option<&Connection>,
    run: &Run,
    mut draft: Draft,
    resumed: bool,
) -> Result<(), SyncError> {
    let runs = &parts.runs;
    let writes = run.mode == Mode::Apply && connection.is_some_and(|connection| !connection.policy.shadow);
    if let Some(connection) = connection.filter(|_| writes) {
        adopt(parts, connection, std::mem::take(&mut draft.right)).await?;
        draft.charges.remember(parts, &Tenancy::of(connection)).await?;
    }
    // A preview shows; only a run that was meant speaks to findings.
    let word = match connection.filter(|_| run.mode == Mode::Apply) {
        Some(connection) => PlannersWord::of(&parts.findings, connection, &mut draft).await?,
        None => PlannersWord::default(),
    };
    let HandedOn { lines: handed_on, planned, planned_charges } =
        if resumed { runs.handed_on(run).await? } else { HandedOn::default() };
    draft.without(&handed_on);
    // What a planner before has handed on may be written by now: it counts as it was planned then.
    let worth = worth(&draft, planned);
    let counts = Counts::of(&draft.rows);
    let charges = draft.charges.worth().and_planned(planned_charges);
    let pages = draft.take_jobs()?;
    let lines = draft.take_rows().into_iter().map(ResultPage::of_lines);
    let decided: Vec<ResultPage> =
        lines.chain(draft.charges.take_rows().into_iter().map(ResultPage::of_charges)).collect();
    for (number, page) in decided.iter().enumerate() {
        runs.put_decided(run, number, page).await?;
    }
    if resumed {
        runs.drop_decided(run, decided.len()).await?;
    }
    runs.put_jobs(run, &pages).await?;
    // A planner that died may have stored jobs without sending them: those are sent now, whatever this one decided.
    let to_send: Vec<String> =
        if resumed { runs.jobs_to_do(run).await? } else { pages.into_iter().map(|(page, _)| page).collect() };
    parts.jobs.send(&to_send.into_iter().map(|page| message(run, page)).collect::<Vec<_>>()).await?;
    runs.put_gaps(run, draft.take_gaps(), resumed).await?;
    if let Some(connection) = connection {
        word.store(parts, connection, run, &handed_on).await?;
    }
    let effort = Effort { psa_requests: draft.psa_requests, writes: 0 };
    runs.planned(run, &Planned { effort, counts, worth, charges, reason: draft.reason }).await?;
    Ok(())
}

fn message(run: &Run, page: String) -> CompanyJob {
    CompanyJob { partner: run.partner.clone(), connection: run.connection.clone(), run: run.id.clone(), page }
}

/// Remembers lines that were found right, so that a later edit by a person shows as drift. A line that moved on meanwhile is
/// left alone: the next run looks at it again.
async fn adopt(parts: &Parts, connection: &Connection, right: Vec<Right>) -> Result<(), SyncError> {
    let of = Tenancy::of(connection);
    let room = Arc::new(Semaphore::new(WRITES_AT_ONCE));
    let mut writes = JoinSet::new();
    for Right { key, confirmed, priced, history } in right {
        let (ledger, of, connection, room) = (parts.ledger.clone(), of.clone(), connection.id.clone(), room.clone());
        writes.spawn(async move {
            let _permit = room.acquire().await;
            ledger.adopt(&of, &connection, &key, &history, (confirmed, priced)).await
        });
    }
    while let Some(written) = writes.join_next().await {
        written.map_err(|e| StoreError::Unavailable(e.to_string()))??;
    }
    Ok(())
}

/// Ends a run that has nothing left to do, and says so to whoever listens.
pub(super) async fn finish(
    runs: &Runs,
    (events, metrics): (&dyn Publish, &Metrics),
    clock: &dyn Clock,
    run: &Run,
) -> Result<Option<Run>, SyncError> {
    let Some((ended, now_ended)) = runs.finish(&run.partner, &run.id, clock.now()).await? else { return Ok(None) };
    if now_ended {
        metrics.run_ended(&ended);
        let detail = Box::new(RunEnded::of(&ended, ended.finished_at.unwrap_or_else(|| clock.now())));
        let event = match ended.state {
            RunState::Failed => Event::RunFailed(detail),
            RunState::Partial => Event::RunPartial(detail),
            RunState::Succeeded | RunState::Running | RunState::Queued => Event::RunSucceeded(detail),
        };
        tell(events, &[event]).await;
    }
    Ok(Some(ended))
}

/// A scheduled run that met a PSA out of reach, or without room, is not lost until the next day, week or month.
pub(super) async fn try_again_soon(
    connections: &Connections,
    clock: &dyn Clock,
    connection: &Connection,
    run: &Run,
) -> Result<(), SyncError> {
    if run.trigger == Trigger::Schedule {
        come_again_soon(connections, clock, connection).await?;
    }
    Ok(())
}

/// Has the connection synced within the hour.
pub(super) async fn come_again_soon(
    connections: &Connections,
    clock: &dyn Clock,
    connection: &Connection,
) -> Result<(), StoreError> {
    let soon = clock.now().saturating_add(TRY_AGAIN).ok();
    let note = |found: &mut Bookkeeping| {
        let earlier = found.next_due_at.is_some_and(|due| soon.is_some_and(|soon| soon < due));
        if earlier {
            found.next_due_at = soon;
        }
        earlier
    };
    connections.note(&connection.partner, &connection.id, note).await?;
    Ok(())
}

/// Marks a connection whose credentials the PSA refused, so that no log-in is hammered before someone repairs it.
pub(super) async fn note_rejected(
    connections: &Connections,
    (events, clock): (&dyn Publish, &dyn Clock),
    connection: &Connection,
    run: &RunId,
    reason: Reason,
) -> Result<(), SyncError> {
    let mark = |found: &mut Connection| {
        let changed = found.status == Status::Active;
        if changed {
            found.status = Status::CredentialsRejected;
        }
        changed
    };
    connections.edit(&connection.partner, &connection.id, &By::system(clock.now()), mark).await?;
    let (partner, connection) = (connection.partner.clone(), connection.id.clone());
    let refused = CredentialsRefused { partner, connection, run: run.clone(), reason };
    tell(events, &[Event::CredentialsRejected(Box::new(refused))]).await;
    Ok(())
}

/// Marks a connection as usable again that the PSA lets in once more: rights are also repaired over there.
pub(super) async fn note_accepted(
    connections: &Connections,
    clock: &dyn Clock,
    connection: &Connection,
) -> Result<(), SyncError> {
    if connection.status != Status::CredentialsRejected {
        return Ok(());
    }
    let mark = |found: &mut Connection| {
        let changed = found.status == Status::CredentialsRejected;
        if changed {
            found.status = Status::Active;
        }
        changed
    };
    connections.edit(&connection.partner, &connection.id, &By::system(clock.now()), mark).await?;
    Ok(())
}
