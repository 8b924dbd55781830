//! Runs and their results.
//!
//! A run is asked for, planned, done by company jobs, and ended once nothing of it is left. What became of its lines and charges
//! stands on its `pages`, what they come to in `sums`.

mod last_sync;
mod pages;
mod run;
mod sums;
mod text;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::journal::Act;
use super::schema;
use super::{Condition, Key, Page, Read, Rows, StoreError, Table};
use crate::clock::fresh_id;
use crate::domain::ids::{ConnectionId, PartnerId, RunId};
use crate::domain::money;
use crate::domain::reason::Reason;
use crate::ledger::LeaseHolder;
pub use last_sync::LastSync;
pub use pages::JobRows;
pub use run::{
    Approved, ApprovedCharge, Effort, Gap, GapPage, HandedOn, Mode, Planned, ResultPage, Reverses, Run, RunState,
    Trigger,
};
pub use sums::{Counts, RunCharges, RunMoney};

/// Reads and writes runs.
#[derive(Debug, Clone)]
pub struct Runs(Table);

impl Runs {
    /// Runs in `table`.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self(table)
    }

    /// Stores a new run. `false`: one with this id is there already, and stays as it is.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn create(&self, run: &Run) -> Result<bool, StoreError> {
        let listed = schema::run_in_list(&run.partner, &run.connection, &run.id);
        let writes = vec![
            self.0.write_put(&header(run), run, &Condition::absent())?,
            self.0.write_put(&listed, &Listed { id: run.id.clone() }, &Condition::absent())?,
            self.0.write_act(&run.partner, &run.connection, &Act::of_run(run))?,
        ];
        self.0.transact(writes).await
    }

    /// A run of the partner.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn get(&self, partner: &PartnerId, run: &RunId) -> Result<Option<Run>, StoreError> {
        self.0.get(&schema::run(partner, run), Read::Consistent).await
    }

    /// Those of `runs` that have not ended.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn open_among(&self, partner: &PartnerId, runs: &BTreeSet<RunId>) -> Result<BTreeSet<RunId>, StoreError> {
        let keys: Vec<Key> = runs.iter().map(|run| schema::run(partner, run)).collect();
        let found: Vec<Run> = self.0.get_each(&keys).await?;
        Ok(found.into_iter().filter(|run| run.finished_at.is_none()).map(|run| run.id).collect())
    }

    /// A connection's runs, newest first, and where the next page begins.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn of_connection(
        &self,
        partner: &PartnerId,
        connection: &ConnectionId,
        after: Option<&str>,
        limit: i32,
    ) -> Result<(Vec<Run>, Option<String>), StoreError> {
        let partition = schema::of_connection(partner, connection);
        let page = Page { prefix: "RUN#", after, limit: Some(limit), backwards: true };
        let listed: Rows<Listed> = self.0.page(&partition, &page, Read::Consistent).await?;
        let keys: Vec<Key> = listed.items.iter().map(|(_, row)| schema::run(partner, &row.id)).collect();
        let mut runs: Vec<Run> = self.0.get_each(&keys).await?;
        runs.sort_by(|a, b| b.id.cmp(&a.id));
        Ok((runs, listed.next))
    }

    /// Begins the planning of a run, or takes up one whose planner died. `None`: it is planned, or another is at it.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn begin(&self, run: &Run, by: &LeaseHolder, now: Timestamp) -> Result<Option<Run>, StoreError> {
        let until = now.saturating_add(by.term).unwrap_or(now);
        // The client may repeat this request when the first answer is lost: it must know its own write again.
        let call = fresh_id("plan");
        let begin = Condition::new(
            "SET #state = :running, #planning_until = :until, #planning_by = :by, #planning_call = :call",
        )
        .bind(":running", RunState::Running)?
        .bind(":until", until.as_second())?
        .bind(":by", &by.instance)?
        .bind(":call", call)?;
        // Where the store belongs to one process, a planner of another process is dead.
        let dead = if by.sole { "#planning_until < :now OR #planning_by <> :by" } else { "#planning_until < :now" };
        let free = format!(
            "#state = :queued OR (#state = :running AND #planned = :no AND (#planning_call = :call OR {dead}))"
        );
        let free = Condition::new(free)
            .bind(":queued", RunState::Queued)?
            .bind(":no", false)?
            .bind(":now", now.as_second())?;
        self.0.update(&header(run), &begin, &free).await
    }

    /// Lets another planner take the run up at once, after this one failed.
    ///
    /// # Errors
    /// The store is unavailable; the run is then free when the planner's time is over.
    pub async fn leave(&self, run: &Run, by: &LeaseHolder) -> Result<(), StoreError> {
        let leave = Condition::new("SET #planning_until = :zero").bind(":zero", 0)?;
        let mine =
            Condition::new("#planning_by = :by AND #planned = :no").bind(":by", &by.instance)?.bind(":no", false)?;
        self.0.update::<Run>(&header(run), &leave, &mine).await.map(|_| ())
    }

    /// Stores that planning is over.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn planned(&self, run: &Run, planned: &Planned) -> Result<(), StoreError> {
        let (raise, more) = raised(planned.counts, planned.effort);
        let update = match &planned.reason {
            Some(reason) => Condition::new(format!(
                "SET #planned = :yes, #money = :money, #charges = :charges, #reason = :reason, {raise}"
            ))
            .bind(":reason", reason)?,
            // A job that is done already may have noted one.
            None => Condition::new(format!("SET #planned = :yes, #money = :money, #charges = :charges, {raise}")),
        };
        let update = update.bind(":yes", true)?.bind(":money", &planned.worth)?.bind(":charges", &planned.charges)?;
        let update = more.into_iter().try_fold(update, |update, (name, value)| update.bind(&name, value))?;
        let unplanned = Condition::new("#planned = :no").bind(":no", false)?;
        self.0.update::<Run>(&header(run), &update, &unplanned).await.map(|_| ())
    }

    /// Notes why a job of the run was not done, where nothing is noted yet.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn cut_short(&self, run: &Run, reason: &Reason) -> Result<(), StoreError> {
        let note = Condition::new("SET #reason = :reason").bind(":reason", reason)?;
        let unsaid = Condition::new("attribute_exists(#pk) AND attribute_not_exists(#reason.#code)");
        self.0.amend(&header(run), &note, &unsaid).await.map(|_| ())
    }

    /// Ends a run if it is planned and no job is left. Gives the run as it is, and whether this call ended it.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn finish(
        &self,
        partner: &PartnerId,
        run: &RunId,
        now: Timestamp,
    ) -> Result<Option<(Run, bool)>, StoreError> {
        let Some(run) = self.get(partner, run).await? else { return Ok(None) };
        if !run.planned || run.jobs_left > 0 || run.finished_at.is_some() {
            return Ok(Some((run, false)));
        }
        let (money, charges) = self.in_the_end(&run).await?;
        let run = Run { charges, ..run };
        let end = Condition::new("SET #state = :state, #finished_at = :now, #money = :money, #charges = :charges")
            .bind(":state", run.outcome())?
            .bind(":now", now)?
            .bind(":money", money)?
            .bind(":charges", &run.charges)?;
        let running = Condition::new("#state = :running AND #planned = :yes AND #jobs_left <= :none")
            .bind(":running", RunState::Running)?
            .bind(":yes", true)?
            .bind(":none", 0)?;
        match self.0.update(&header(&run), &end, &running).await? {
            Some(ended) => Ok(Some((ended, true))),
            None => Ok(self.get(partner, &run.id).await?.map(|run| (run, false))),
        }
    }

    /// What planning came to in money, with what its company jobs have written and held. All of their pages are closed by
    /// now, so whoever ends the run comes to the same.
    async fn in_the_end(&self, run: &Run) -> Result<(RunMoney, RunCharges), StoreError> {
        if run.jobs == 0 {
            return Ok((run.money.clone(), run.charges.clone()));
        }
        let (lines, charges) = self.of_jobs(&run.partner, &run.id).await?;
        let RunMoney { written, held, .. } = RunMoney::of(&lines);
        let held = money::together(run.money.held.iter().cloned().chain(held));
        let charges = run.charges.clone().and_done(RunCharges::of(&charges));
        Ok((RunMoney { planned: run.money.planned.clone(), written, held }, charges))
    }
}

#[derive(Serialize, Deserialize)]
struct Listed {
    id: RunId,
}

fn header(run: &Run) -> Key {
    schema::run(&run.partner, &run.id)
}

/// `#x = #x + :x` for each number of the header that `counts` and `effort` raise, and the values. The numbers are there from
/// the run's first day; `ADD` would not reach into the map of counts.
fn raised(counts: Counts, effort: Effort) -> (String, Vec<(String, u32)>) {
    let effort = [("psa_requests", effort.psa_requests), ("writes", effort.writes)];
    let counts = counts.named().into_iter().map(|(name, count)| (format!("#counts.#{name}"), name, count));
    let all: Vec<_> = effort.into_iter().map(|(name, count)| (format!("#{name}"), name, count)).chain(counts).collect();
    let set: Vec<String> = all.iter().map(|(path, name, _)| format!("{path} = {path} + :add_{name}")).collect();
    (set.join(", "), all.into_iter().map(|(_, name, count)| (format!(":add_{name}"), count)).collect())
}
