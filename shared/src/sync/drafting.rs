//! The drafting of a run: what its lines depend on is read in bulk, and each line is decided.
//!
//! Nothing is written here but what is left of the hour's requests. What a run notices besides its lines is `besides`'s, and
//! what may be asked of the PSA `budget`'s.

use std::collections::{BTreeMap, BTreeSet};

use super::assess::{Desk, bulk_window, full_window, months};
use super::besides::Besides;
use super::budget::Budget;
use super::charges::UnmappedCharges;
use super::contracts::Contracts;
use super::draft::{Draft, budget_exhausted};
use super::lines::{MappedFeed, MappedLine, Wanted, left_out};
use super::parts::PlannerParts as Parts;
use super::pricing::{listed, price};
use super::provision::{self, Catalogue, NamedSince};
use super::record::try_again_soon;
use super::unfed::Unfed;
use super::{SyncError, Today, charges, live_writers, reversal};
use crate::clock::Clock;
use crate::domain::effective::Dated;
use crate::domain::ids::{CompanyId, ConnectionId};
use crate::domain::line::{LineHistory, LineKey};
use crate::domain::policy::Approval as ApprovalPolicy;
use crate::domain::reason::Code;
use crate::psa::{Asked, Connector, Observation, PsaError};
use crate::store::connections::Connection;
use crate::store::lines::Tenancy;
use crate::store::mappings::Everything;
use crate::store::runs::{Gap, Mode, Run};

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

/// One run, about to be drafted.
pub(super) struct Drafting<'a> {
    pub parts: &'a Parts,
    pub psa: &'a dyn Connector,
    pub connection: &'a Connection,
    pub run: &'a Run,
}

impl Drafting<'_> {
    /// Reads what the lines depend on, in bulk, and decides each.
    pub async fn draft(&self) -> Result<Draft, Halt> {
        let Self { parts, psa, connection, run } = *self;
        if let Some(reverses) = run.reverses.as_ref().filter(|_| run.mode == Mode::Apply) {
            return reversal::draft(parts, psa, connection, reverses).await;
        }
        let mut mappings = parts.mappings.everything(&connection.partner, &connection.id).await?;
        let named_since = provision::as_approved(&mut mappings.products, run);
        let mut draft = self.draft_lines(&mappings, &named_since).await?;
        let of_companies = draft.reason.as_ref().is_some_and(|it| it.code == Code::CompaniesNotMapped.as_str());
        if draft.is_failed() && !of_companies {
            return Ok(draft);
        }
        let mut reason = None;
        if !mappings.charges.is_empty() {
            (draft.charges, reason) = charges::draft(self, &mappings).await?;
            draft.approval_needed = self.approval_needed();
        }
        if draft.whole {
            self.unmapped_charges(&mappings, &mut draft).await?;
        }
        Ok(draft.or_because(reason))
    }

    /// Metered charges that nothing bills. Where charges were drafted, their records were read already.
    async fn unmapped_charges(&self, mappings: &Everything, draft: &mut Draft) -> Result<(), SyncError> {
        let Parts { connections, mappings: kept, usage, clock, .. } = self.parts;
        let found = UnmappedCharges { connections, mappings: kept, usage, clock: clock.as_ref() };
        let loose = if mappings.charges.is_empty() {
            found.of(self.connection, mappings).await?
        } else {
            let loose = std::mem::take(&mut draft.charges.loose);
            found.billed_nowhere(self.connection, mappings, loose).await?
        };
        draft.notice(charges::notices(&loose, &companies_told(&draft.gaps)));
        Ok(())
    }

    /// The lines alone. An approval of charges is none of lines.
    async fn draft_lines(&self, mappings: &Everything, named_since: &NamedSince) -> Result<Draft, Halt> {
        let Self { parts, psa, connection, run } = *self;
        if run.approves.is_some() && run.approved.is_empty() {
            return Ok(Draft::default());
        }
        let feeds = MappedFeed::all(&mappings.products, &mappings.companies);
        let wanted = Wanted::of(run);
        let asked_for = wanted.feeds(&feeds);
        let whole = run.is_of_all_lines();
        let has_charges = !mappings.charges.is_empty();
        let left_out = left_out(&run.companies, &mappings.companies, (&feeds, has_charges));
        if asked_for.is_empty() && !whole {
            return Ok(Draft { reason: left_out, ..Draft::default() });
        }
        let histories = parts.lines.all(&Tenancy::of(connection)).await?;
        let unfed = if whole { Unfed::among(&histories, &connection.id, &feeds) } else { Unfed::default() };
        let besides = Besides { parts, psa, connection, mappings, histories: &histories };
        if asked_for.is_empty() && unfed.is_empty() {
            return Ok(besides.lines().await?);
        }
        let budget = Budget::of(psa, connection).await?;
        if budget.is_used_up() {
            self.try_again_soon().await?;
            return Ok(Draft::failed(budget_exhausted(connection)));
        }
        let today = Today::of(connection, parts.clock.as_ref());
        let (contracts, mut feeds) = Contracts::read(psa, asked_for, feeds, &unfed.contracts(), today.date).await?;
        let mut catalogue = Catalogue::look(self, (&mappings.products, named_since), &mut feeds).await?;
        let live = live_writers(&parts.connections, connection, histories.values()).await?;
        let observed = self.observe(&today, (&contracts, &feeds), (&histories, &live)).await?;
        catalogue.settle_shown(self, &observed).await?;
        let succession = contracts.succession(&feeds, &observed, &histories);
        let mapped = MappedLine::all(feeds.clone(), &succession, &wanted);
        let now = parts.clock.now();
        let book = parts.usage.load(&run.partner, months(&today, now, &mapped, &contracts.by_id)).await?;
        let mapped: Vec<MappedLine> = mapped.into_iter().filter_map(|line| line.counted_by(&book)).collect();
        let listed = listed(psa, &mapped, &contracts.by_id, &observed, &connection.policy.markup).await;
        let desk = Desk {
            listed: &listed,
            today: &today,
            connection: &connection.id,
            policy: &connection.policy,
            contracts: &contracts.by_id,
            succession: &succession,
            histories: &histories,
            live: &live,
            book: &book,
            fresh_from: connection.policy.stale_after_hours.fresh_from(now),
            observed: &observed,
            approval_needed: self.approval_needed(),
            approved: &run.approved.iter().map(|a| (a.line_id.clone(), a.approval)).collect(),
        };
        let (approval_needed, job_cost) = (desk.approval_needed, psa.job_cost(keeps_prices(&feeds)));
        let mut draft = Draft { approval_needed, today: today.date, job_cost, ..Draft::default() };
        for assessed in mapped.iter().filter_map(|line| desk.assess(line)) {
            draft.add(assessed, &histories);
        }
        draft.notice(contracts.notices(&mapped, &draft));
        if whole {
            besides.of_lines(&mut draft, (&feeds, &mapped), (&unfed, &contracts), &desk).await?;
        }
        let roomy = budget.has_room_for_prices(&draft);
        if whole {
            besides.unmapped(&mut draft, &book, roomy).await?;
        }
        if roomy {
            price(psa, &mut draft, &contracts.by_id, &observed, &listed).await;
        }
        // Asked anew: prices have taken their requests.
        if budget.has_room_for_prices(&draft) {
            date_held(psa, &mut draft, &desk).await;
        }
        catalogue.decide(self, &mut draft, &histories).await?;
        if self.only_looks() {
            let shadow = connection.policy.shadow && run.mode == Mode::Apply;
            return Ok(look_closer(psa, draft, &desk, shadow).await?.or_because(left_out));
        }
        draft.keep_within(budget.set(parts).await?, connection);
        if draft.reason.is_some() {
            self.try_again_soon().await?;
        }
        Ok(draft.or_because(left_out))
    }

    /// Whether the connection's policy has changes approved first. `first_run` ends when all of a run was approved.
    pub fn approval_needed(&self) -> bool {
        match self.connection.policy.approval {
            ApprovalPolicy::None => false,
            ApprovalPolicy::Always => true,
            ApprovalPolicy::FirstRun => !self.connection.first_run_approved,
        }
    }

    fn only_looks(&self) -> bool {
        self.run.mode == Mode::Preview || self.connection.policy.shadow
    }

    /// Reads the lines' units in bulk, as far as they have to be known to be judged.
    async fn observe(
        &self,
        today: &Today,
        (contracts, feeds): (&Contracts, &[MappedFeed]),
        (histories, live): (&BTreeMap<LineKey, LineHistory>, &BTreeSet<ConnectionId>),
    ) -> Result<Observation, PsaError> {
        let writable = contracts.writable();
        let relevant = histories.iter().filter(|(line, _)| writable.contains_key(&line.contract));
        let relevant = relevant.map(|(_, history)| history);
        let window = bulk_window(today.date, &self.connection.policy, writable.values().copied(), relevant);
        let of_others = |history: &LineHistory| history.writer.as_ref().is_some_and(|writer| live.contains(writer));
        let others = histories.iter().filter(|(_, history)| of_others(history)).map(|(line, _)| line).collect();
        let asked = contracts.asked(feeds, &others);
        let asked = if keeps_prices(feeds) { asked.and_prices() } else { asked };
        let asked = if self.only_looks() { asked.in_passing() } else { asked };
        self.psa.observe(&asked, window).await
    }

    async fn try_again_soon(&self) -> Result<(), SyncError> {
        try_again_soon(&self.parts.connections, self.parts.clock.as_ref(), self.connection, self.run).await
    }
}

/// Companies of which it is noticed that they are mapped nowhere.
fn companies_told(gaps: &[Gap]) -> BTreeSet<CompanyId> {
    let told = gaps.iter().filter(|gap| gap.noticed.reason.code == Code::CompanyNotMapped.as_str());
    told.filter_map(|gap| gap.noticed.company.clone()).collect()
}

/// Whether the prices of some line are kept, so that they are read with its units.
fn keeps_prices(feeds: &[MappedFeed]) -> bool {
    feeds.iter().any(MappedFeed::keeps_prices)
}

/// Held lines of a run of which so much is read: their contracts are read to the end.
const MOST_DATED: usize = 100;

/// Reads from when the changes of held lines would count, where the rows in force do not show it. As prices, days are told
/// and decide nothing here: where they can't be read, the lines are told without.
async fn date_held(psa: &dyn Connector, draft: &mut Draft, desk: &Desk<'_>) {
    let mut undated = std::mem::take(&mut draft.undated);
    undated.truncate(MOST_DATED);
    if undated.is_empty() {
        return;
    }
    let asked: Asked = undated.iter().map(|line| (line.key.clone(), line.opening)).collect();
    let observed = match psa.observe(&asked.only_told(), full_window(desk.today.date, undated.iter())).await {
        Ok(observed) => observed,
        Err(error) => {
            tracing::warn!(%error, "held lines are told without the day from which they would count");
            return;
        }
    };
    let dated = undated.iter().filter_map(|line| Some((&line.key, desk.would_count(line, &observed)?)));
    let dated: BTreeMap<&LineKey, Dated> = dated.collect();
    for row in &mut draft.rows {
        if let Some(would) = dated.get(&row.key()) {
            (row.effective_date, row.prorated) = (Some(would.date), would.prorated);
        }
    }
}

/// A preview writes nothing, so it may look at whole timelines at once: the plan is the one that the jobs would make.
async fn look_closer(psa: &dyn Connector, mut draft: Draft, desk: &Desk<'_>, shadow: bool) -> Result<Draft, PsaError> {
    let looks = std::mem::take(&mut draft.looks);
    let window = full_window(desk.today.date, looks.iter().map(|look| &look.line));
    let asked: Asked = looks.iter().map(|look| (look.line.key.clone(), look.line.opening)).collect();
    let asked = asked.in_passing();
    let priced = looks.iter().any(|look| look.line.desired.prices.is_some());
    let asked = if priced { asked.and_prices() } else { asked };
    let observed = if asked.is_empty() { Observation::default() } else { psa.observe(&asked, window).await? };
    for look in looks {
        draft.rows.push(desk.closer(look, &observed, shadow));
    }
    Ok(draft)
}
