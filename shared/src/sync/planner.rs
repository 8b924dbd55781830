//! The fan-out's half of a sync: one connection's lines, observed in bulk, decided, recorded, and handed on.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::assess::{Desk, bulk_window, full_window, months};
use super::contracts::Contracts;
use super::draft::{Draft, budget_exhausted};
use super::findings::stranded;
use super::lines::{MappedFeed, MappedLine, Wanted, left_out};
use super::parts::PlannerParts as Parts;
use super::pricing::{list_prices, price};
use super::record::{come_again_soon, finish, note_accepted, note_rejected, record, try_again_soon};
use super::unfed::Unfed;
use super::unmapped::{Why, recent_months, unmapped};
use super::{SyncError, Today, gaps, live_writers, open, reason_of, reversal};
use crate::clock::Clock;
use crate::domain::ids::{PartnerId, RunId};
use crate::domain::line::LineHistory;
use crate::domain::policy::Approval as ApprovalPolicy;
use crate::domain::reason::{Code, Reason};
use crate::psa::{Allowance, Asked, Connector, Kind, Observation, PsaError};
use crate::store::Read;
use crate::store::budgets::Found;
use crate::store::connections::{Bookkeeping, Connection, Status};
use crate::store::lines::Tenancy;
use crate::store::mappings::Everything;
use crate::store::runs::{Gap, Mode, Planned, Run, RunState};
use crate::store::usage::UsageBook;

/// Plans runs.
#[derive(Clone)]
pub struct Planner {
    parts: Parts,
}

/// What ends the drafting of a run: a fault of ours, after which it may be planned again, or the PSA's word.
pub(super) enum Halt {
    Ours(SyncError),
    Psa(PsaError),
}

impl<E: Into<SyncError>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Ours(error.into())
    }
}

impl From<PsaError> for Halt {
    fn from(error: PsaError) -> Self {
        Self::Psa(error)
    }
}

impl Planner {
    /// A planner from its parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self { parts }
    }

    /// Plans a queued run, or takes up one whose planner died. A run that is planned already, or that has ended, is left as
    /// it is. `None`: there is no such run.
    ///
    /// # Errors
    /// The store, the secrets or the queue is unavailable, or another planner is at it: the same run may be planned again.
    pub async fn plan(&self, partner: &PartnerId, run: &RunId) -> Result<Option<Run>, SyncError> {
        let Parts { runs, ledger, clock, .. } = &self.parts;
        let Some(run) = runs.get(partner, run).await? else { return Ok(None) };
        let resumed = run.state == RunState::Running;
        let Some(run) = runs.begin(&run, ledger.holder(), clock.now()).await? else {
            return self.planned_before(&run).await.map(Some);
        };
        if let Err(error) = self.carry_out(&run, resumed).await {
            if let Err(error) = runs.leave(&run, ledger.holder()).await {
                tracing::warn!(%error, run = %run.id, "the run stays with this planner until its time is over");
            }
            return Err(error);
        }
        Ok(self.finish(&run).await?.or(Some(run)))
    }

    /// Ends a run whose planning failed at every try. Jobs that it has handed on are still done.
    ///
    /// # Errors
    /// The store is unavailable: the run stays as it is.
    pub async fn give_up(&self, partner: &PartnerId, run: &RunId) -> Result<(), SyncError> {
        let Parts { runs, ledger, clock, .. } = &self.parts;
        let Some(run) = runs.get(partner, run).await? else { return Ok(()) };
        // A run that was never begun can't end.
        runs.begin(&run, ledger.holder(), clock.now()).await?;
        if let Some(connection) = self.parts.connections.get(&run.partner, &run.connection, Read::Consistent).await? {
            try_again_soon(&self.parts.connections, clock.as_ref(), &connection, &run).await?;
        }
        let reason = Reason::new(Code::GivenUp, "The run could not be planned at any try.".into());
        let nothing = Planned { reason: Some(reason), ..Planned::default() };
        runs.planned(&run, &nothing).await?;
        self.finish(&run).await?;
        Ok(())
    }

    async fn planned_before(&self, run: &Run) -> Result<Run, SyncError> {
        let now = self.finish(run).await?.unwrap_or_else(|| run.clone());
        if now.planned { Ok(now) } else { Err(SyncError::Busy) }
    }

    async fn carry_out(&self, run: &Run, resumed: bool) -> Result<(), SyncError> {
        let connection = self.parts.connections.get(&run.partner, &run.connection, Read::Consistent).await?;
        let draft = match connection.as_ref().filter(|connection| usable(connection, run.mode)) {
            None => {
                Draft::failed(Reason::new(Code::ConnectionOff, "The connection is switched off or revoked.".into()))
            }
            Some(connection) => {
                let older = self.note_newest(connection, run).await?;
                let draft = self.draft(connection, run).await?;
                if let Some(older) = older.filter(|_| draft.is_failed()) {
                    self.leave_to(&older, connection, run).await?;
                }
                draft
            }
        };
        record(&self.parts, connection.as_ref(), run, draft, resumed).await
    }

    /// A run of all lines takes over from the ones before it: what is left of their jobs is not done any more. Noted
    /// before anything is read, so that no job of an older one writes behind what this one has seen. Gives the run that it
    /// takes over from.
    async fn note_newest(&self, connection: &Connection, run: &Run) -> Result<Option<RunId>, SyncError> {
        if run.mode != Mode::Apply || !run.is_of_all_lines() {
            return Ok(None);
        }
        let mut older = None;
        let note = |found: &mut Bookkeeping| {
            let newer = found.current_run.as_ref().is_none_or(|newest| *newest < run.id);
            // Set anew each time: where others write as well, this is asked again.
            older = if newer { found.current_run.replace(run.id.clone()) } else { None };
            newer
        };
        self.parts.connections.note(&connection.partner, &connection.id, note).await?;
        Ok(older)
    }

    /// A run that came to nothing takes over nothing: what is left of the `older` one's jobs is done, and for those that
    /// were not done meanwhile, a scheduled run follows soon.
    async fn leave_to(&self, older: &RunId, connection: &Connection, run: &Run) -> Result<(), SyncError> {
        let Parts { connections, runs, clock, .. } = &self.parts;
        let is_over = |older: Run| older.finished_at.is_some();
        if runs.get(&run.partner, older).await?.is_none_or(is_over) {
            return Ok(());
        }
        let leave = |found: &mut Bookkeeping| {
            let mine = found.current_run.as_ref() == Some(&run.id);
            if mine {
                found.current_run = Some(older.clone());
            }
            mine
        };
        connections.note(&connection.partner, &connection.id, leave).await?;
        Ok(come_again_soon(connections, clock.as_ref(), connection).await?)
    }

    async fn finish(&self, run: &Run) -> Result<Option<Run>, SyncError> {
        finish(&self.parts.runs, (self.parts.events.as_ref(), &self.parts.metrics), self.parts.clock.as_ref(), run)
            .await
    }

    async fn draft(&self, connection: &Connection, run: &Run) -> Result<Draft, SyncError> {
        let psa = match open(&self.parts.opener, connection).await? {
            Ok(psa) => psa,
            Err(error) => return self.refused(connection, run, &error, 0).await,
        };
        match self.draft_with(psa.as_ref(), connection, run).await {
            Ok(draft) => {
                let psa_requests = psa.requests_made();
                if psa_requests > 0 {
                    note_accepted(&self.parts.connections, self.parts.clock.as_ref(), connection).await?;
                }
                Ok(Draft { psa_requests, ..draft })
            }
            Err(Halt::Psa(error)) => self.refused(connection, run, &error, psa.requests_made()).await,
            Err(Halt::Ours(error)) => Err(error),
        }
    }

    /// Usage of the last months that no mapping takes, with what is at stake by list prices. It costs a request to the PSA
    /// where there is some of a mapped product.
    async fn unmapped(
        &self,
        psa: &dyn Connector,
        connection: &Connection,
        (mappings, book): (&Everything, &UsageBook),
        priced: bool,
    ) -> Result<Vec<Gap>, SyncError> {
        let Parts { connections, clock, .. } = &self.parts;
        let Everything { products, companies } = mappings;
        let since = *recent_months(clock.now()).start();
        let loose = unmapped(book, since, products, companies);
        if loose.is_empty() {
            return Ok(Vec::new());
        }
        let mut elsewhere = BTreeSet::new();
        for other in connections.all(&connection.partner).await? {
            if other.id != connection.id && other.status != Status::Revoked {
                let of_other = self.parts.mappings.companies_as_they_stand(&other.partner, &other.id).await?;
                elsewhere.extend(of_other.into_iter().map(|mapping| mapping.company));
            }
        }
        let counted: BTreeSet<_> =
            loose.iter().filter(|feed| feed.why == Why::CompanyNotMapped).map(|feed| &feed.product).collect();
        let mapped = products.iter().filter(|mapping| counted.contains(&mapping.product));
        let services =
            list_prices(psa, mapped.filter(|_| priced).map(|mapping| mapping.service_id.clone()).collect()).await;
        Ok(gaps::unmapped(&loose, &elsewhere, products, &services))
    }

    /// Reads what the lines depend on, in bulk, and decides each.
    async fn draft_with(&self, psa: &dyn Connector, connection: &Connection, run: &Run) -> Result<Draft, Halt> {
        if let Some(reverses) = run.reverses.as_ref().filter(|_| run.mode == Mode::Apply) {
            return reversal::draft(&self.parts, psa, connection, reverses).await;
        }
        let Parts { usage, lines, clock, .. } = &self.parts;
        let mappings = self.parts.mappings.everything(&connection.partner, &connection.id).await?;
        let feeds = MappedFeed::all(&mappings.products, &mappings.companies);
        let wanted = Wanted::of(run);
        let asked_for = wanted.feeds(&feeds);
        let whole = run.is_of_all_lines();
        let left_out = left_out(&run.companies, &mappings.companies, &feeds);
        if asked_for.is_empty() && !whole {
            return Ok(Draft { reason: left_out, ..Draft::default() });
        }
        let tenancy = Tenancy::of(connection);
        let histories = lines.all(&tenancy).await?;
        let unfed = if whole { Unfed::among(&histories, &connection.id, &feeds) } else { Unfed::default() };
        if asked_for.is_empty() && unfed.is_empty() {
            let mut draft = Draft { whole: true, ..Draft::default() };
            draft.notice(stranded((lines, &self.parts.ledger), connection, &draft, &histories).await?);
            let book = usage.load(&run.partner, recent_months(clock.now())).await?;
            draft.gaps.extend(self.unmapped(psa, connection, (&mappings, &book), false).await?);
            return Ok(draft);
        }
        let allowance = psa.allowance().await?;
        if allowance.room(connection.policy.budget_percent) == 0 {
            try_again_soon(&self.parts.connections, clock.as_ref(), connection, run).await?;
            return Ok(Draft::failed(budget_exhausted(connection)));
        }
        let today = Today::of(connection, clock.as_ref());
        let (contracts, feeds) = Contracts::read(psa, asked_for, feeds, &unfed.contracts(), today.date).await?;
        let writable = contracts.writable();
        let relevant = histories.iter().filter(|(line, _)| writable.contains_key(&line.contract));
        let relevant = relevant.map(|(_, history)| history);
        let window = bulk_window(today.date, &connection.policy, writable.values().copied(), relevant);
        let live = live_writers(&self.parts.connections, connection, histories.values()).await?;
        let of_others = |history: &LineHistory| history.writer.as_ref().is_some_and(|writer| live.contains(writer));
        let others = histories.iter().filter(|(_, history)| of_others(history)).map(|(line, _)| line).collect();
        let asked = contracts.asked(&feeds, &others);
        let only_looks = run.mode == Mode::Preview || connection.policy.shadow;
        let asked = if only_looks { asked.in_passing() } else { asked };
        let observed = psa.observe(&asked, window).await?;
        let succession = contracts.succession(&feeds, &observed, &histories);
        let mapped = MappedLine::all(feeds.clone(), &succession, &wanted);
        let book = usage.load(&run.partner, months(&today, clock.now(), &mapped, &contracts.by_id)).await?;
        let fresh_from = connection.policy.stale_after_hours.fresh_from(clock.now());
        let desk = Desk {
            today: &today,
            connection: &connection.id,
            policy: &connection.policy,
            contracts: &contracts.by_id,
            succession: &succession,
            histories: &histories,
            live: &live,
            book: &book,
            fresh_from,
            observed: &observed,
            approval_needed: approval_needed(connection),
            approved: &run.approved.iter().map(|a| (a.line_id.clone(), a.approval)).collect(),
        };
        let (approval_needed, job_cost) = (desk.approval_needed, psa.job_cost());
        let mut draft = Draft { approval_needed, today: today.date, job_cost, ..Draft::default() };
        for assessed in mapped.iter().filter_map(|line| desk.assess(line)) {
            draft.add(assessed, &histories);
        }
        draft.notice(contracts.notices(&mapped, &draft));
        if whole {
            draft.whole = true;
            draft.notice(unfed.notices(&mapped, &contracts, today.date));
            draft.notice(gaps::stale(&feeds, &book, fresh_from));
            draft.notice(gaps::without_usage(&mapped, &draft, &desk));
            draft.notice(stranded((lines, &self.parts.ledger), connection, &draft, &histories).await?);
        }
        // Prices are told, and decide nothing: they are read while a tenth of the hour's requests is left besides the jobs'.
        let percent = connection.policy.budget_percent;
        let left = allowance.room(percent).saturating_sub(psa.requests_made());
        let roomy = left.saturating_sub(draft.requests_of_all_jobs()) > allowance.cap(percent) / 10;
        if whole {
            draft.gaps.extend(self.unmapped(psa, connection, (&mappings, &book), roomy).await?);
        }
        if roomy {
            price(psa, &mut draft, &contracts.by_id, &observed).await;
        }
        if run.mode == Mode::Preview || connection.policy.shadow {
            let shadow = connection.policy.shadow && run.mode == Mode::Apply;
            return Ok(look_closer(psa, draft, &desk, shadow).await?.or_because(left_out));
        }
        let room = self.set_budget(connection, &allowance, psa.requests_made()).await?;
        draft.keep_within(room, connection);
        if draft.reason.is_some() {
            try_again_soon(&self.parts.connections, clock.as_ref(), connection, run).await?;
        }
        Ok(draft.or_because(left_out))
    }

    /// Sets what the connection's jobs may take, those of earlier runs included, now that planning has `made` its reads.
    async fn set_budget(&self, connection: &Connection, allowance: &Allowance, made: u32) -> Result<u32, SyncError> {
        let percent = connection.policy.budget_percent;
        let found = Found {
            cap: allowance.cap(percent),
            left: allowance.room(percent).saturating_sub(made),
            window: SignedDuration::from_mins(allowance.window_minutes.into()),
            made,
        };
        let Parts { budgets, clock, .. } = &self.parts;
        let left = budgets.set(&connection.partner, &connection.id, found, clock.now()).await?;
        self.parts.metrics.budget_left(&connection.partner, &connection.id, left);
        Ok(left)
    }

    /// The PSA refused or failed: the run ends here, and the partner is told why.
    async fn refused(
        &self,
        connection: &Connection,
        run: &Run,
        error: &PsaError,
        psa_requests: u32,
    ) -> Result<Draft, SyncError> {
        if matches!(error.kind, Kind::Unavailable | Kind::RateLimited) {
            let Parts { connections, clock, .. } = &self.parts;
            try_again_soon(connections, clock.as_ref(), connection, run).await?;
        }
        if error.kind == Kind::Auth {
            let to = (self.parts.events.as_ref(), self.parts.clock.as_ref());
            note_rejected(&self.parts.connections, to, connection, &run.id, reason_of(error)).await?;
        }
        Ok(Draft { psa_requests, ..Draft::failed(reason_of(error)) })
    }
}

/// A preview writes nothing, so it may look at whole timelines at once: the plan is the one that the jobs would make.
async fn look_closer(psa: &dyn Connector, mut draft: Draft, desk: &Desk<'_>, shadow: bool) -> Result<Draft, PsaError> {
    let looks = std::mem::take(&mut draft.looks);
    let window = full_window(desk.today.date, looks.iter().map(|look| &look.line));
    let asked: Asked = looks.iter().map(|look| (look.line.key.clone(), look.line.opening)).collect();
    let asked = asked.in_passing();
    let observed = if asked.is_empty() { Observation::default() } else { psa.observe(&asked, window).await? };
    for look in looks {
        draft.rows.push(desk.closer(look, &observed, shadow));
    }
    Ok(draft)
}

fn usable(connection: &Connection, mode: Mode) -> bool {
    connection.status != Status::Revoked && (connection.enabled || mode == Mode::Preview)
}

/// Whether the connection's policy has changes approved first. `first_run` ends when all of a run was approved.
fn approval_needed(connection: &Connection) -> bool {
    match connection.policy.approval {
        ApprovalPolicy::None => false,
        ApprovalPolicy::Always => true,
        ApprovalPolicy::FirstRun => !connection.first_run_approved,
    }
}
