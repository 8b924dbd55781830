//! Runs and their results.
//!
//! A run's results are kept in pages: packed ones for what the fan-out decided at once, and one page for each company job.
//! A job's page is made before its message is sent and closed once, in the same transaction that counts the job as done,
//! so a message that comes twice changes nothing.

mod last_sync;
mod run;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::connections::Connection;
use super::journal::Act;
use super::schema;
use super::{Condition, Key, Page, Read, Rows, StoreError, Table};
use crate::clock::fresh_id;
use crate::domain::charge::{self, ChargeResult};
use crate::domain::ids::{ConnectionId, PartnerId, RunId};
use crate::domain::line::LineResult;
use crate::domain::money;
use crate::domain::reason::Reason;
use crate::ledger::LeaseHolder;
use crate::queue::CompanyJob;
pub use last_sync::LastSync;
pub use run::{
    Approved, ApprovedCharge, Counts, Effort, Gap, GapPage, HandedOn, Mode, Planned, ResultPage, Reverses, Run,
    RunCharges, RunMoney, RunState, Trigger,
};

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

    /// Stores a page of what was decided at once. Planning the same run again writes the same page again, so this
    /// put replaces: nothing else writes these pages, and only one planner is at work.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn put_decided(&self, run: &Run, number: usize, page: &ResultPage) -> Result<(), StoreError> {
        let key = schema::run_lines(&run.partner, &run.id, &decided_page(number));
        let ours = Condition::new("attribute_not_exists(#pk) OR #done = :yes").bind(":yes", true)?;
        self.0.put(&key, page, &ours).await.map(|_| ())
    }

    /// Stores what a run noticed besides its lines, in pages. Planning the same run again puts the same pages again; one that a
    /// planner before had more of is taken away.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn put_gaps(&self, run: &Run, pages: Vec<Vec<Gap>>, resumed: bool) -> Result<(), StoreError> {
        let count = pages.len();
        for (number, gaps) in pages.into_iter().enumerate() {
            let key = schema::run_gaps(&run.partner, &run.id, number);
            self.0.put(&key, &GapPage { gaps }, &Condition::none()).await?;
        }
        if resumed {
            let first = schema::run_gaps(&run.partner, &run.id, count);
            let stored = self.0.all::<GapPage>(&first.pk, GAP_PAGES, Read::Consistent).await?;
            for (sk, _) in stored.into_iter().filter(|(sk, _)| *sk >= first.sk) {
                self.0.delete(&Key { pk: first.pk.clone(), sk }, &Condition::present()).await?;
            }
        }
        Ok(())
    }

    /// A page of what a run noticed besides its lines, and where the next begins.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn gaps(
        &self,
        partner: &PartnerId,
        run: &RunId,
        after: Option<&str>,
        pages: i32,
    ) -> Result<Rows<GapPage>, StoreError> {
        let page = Page { prefix: GAP_PAGES, after, limit: Some(pages), backwards: false };
        self.0.page(&schema::of_run(partner, run), &page, Read::Consistent).await
    }

    /// Stores the pages of company jobs, each counted once however often it is stored.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn put_jobs(&self, run: &Run, jobs: &[(String, ResultPage)]) -> Result<(), StoreError> {
        for chunk in jobs.chunks(JOBS_A_TRANSACTION) {
            if !self.put_jobs_at_once(run, chunk).await? {
                // Some are there from a planner that died: the others one by one.
                for job in chunk {
                    self.put_jobs_at_once(run, std::slice::from_ref(job)).await?;
                }
            }
        }
        Ok(())
    }

    async fn put_jobs_at_once(&self, run: &Run, jobs: &[(String, ResultPage)]) -> Result<bool, StoreError> {
        let mut writes = Vec::with_capacity(jobs.len() + 1);
        for (page, result) in jobs {
            writes.push(self.0.write_put(&job_key(run, page), result, &Condition::absent())?);
        }
        let count = Condition::new("ADD #jobs_left :count, #jobs :count").bind(":count", jobs.len())?;
        writes.push(self.0.write_update(&header(run), &count, &Condition::present())?);
        self.0.transact(writes).await
    }

    /// What a company job begins with, as every write before this call left it.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn job(&self, message: &CompanyJob) -> Result<JobRows, StoreError> {
        let CompanyJob { partner, connection, run, page } = message;
        let page = schema::run_lines(partner, run, &format!("J{page}"));
        let (run, connection) = (schema::run(partner, run), schema::connection(partner, connection));
        let mut found = self.0.get_several(&[page.clone(), run.clone(), connection.clone()]).await?;
        Ok(JobRows { page: found.take(&page)?, run: found.take(&run)?, connection: found.take(&connection)? })
    }

    /// As [`Self::close_job`], of a job that has to do with charges. They are counted when the run ends.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn close_charges_job(
        &self,
        run: &Run,
        page: &str,
        charges: &[ChargeResult],
        effort: Effort,
    ) -> Result<bool, StoreError> {
        let close = Condition::new("SET #done = :yes, #charges = :charges, #job = :none")
            .bind(":yes", true)?
            .bind(":charges", charges)?
            .bind(":none", None::<String>)?;
        self.close_page(run, page, &close, (Counts::default(), effort)).await
    }

    /// Closes a company job's page with what became of its lines, and counts the job as done. `false`: it was closed before.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn close_job(
        &self,
        run: &Run,
        page: &str,
        lines: &[LineResult],
        effort: Effort,
    ) -> Result<bool, StoreError> {
        let close = Condition::new("SET #done = :yes, #lines = :lines, #job = :none")
            .bind(":yes", true)?
            .bind(":lines", lines)?
            .bind(":none", None::<String>)?;
        self.close_page(run, page, &close, (Counts::of(lines), effort)).await
    }

    async fn close_page(
        &self,
        run: &Run,
        page: &str,
        close: &Condition,
        (counts, effort): (Counts, Effort),
    ) -> Result<bool, StoreError> {
        let open = Condition::new("#done = :no").bind(":no", false)?;
        let (raise, more) = raised(counts, effort);
        let count = Condition::new(format!("SET {raise}, #jobs_left = #jobs_left - :one")).bind(":one", 1)?;
        let count = more.into_iter().try_fold(count, |count, (name, value)| count.bind(&name, value))?;
        let writes = vec![
            self.0.write_update(&job_key(run, page), close, &open)?,
            self.0.write_update(&header(run), &count, &Condition::present())?,
        ];
        self.0.transact(writes).await
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

    /// Removes decided pages from `number` on: a planner that died had come to more of them.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn drop_decided(&self, run: &Run, number: usize) -> Result<(), StoreError> {
        let partition = schema::of_run(&run.partner, &run.id);
        let first = decided_page(number);
        for (sk, _) in self.0.all::<ResultPage>(&partition, DECIDED_PAGES, Read::Consistent).await? {
            if sk.strip_prefix("LINES#").is_some_and(|page| page >= first.as_str()) {
                self.0.delete(&Key { pk: partition.clone(), sk }, &Condition::present()).await?;
            }
        }
        Ok(())
    }

    /// What stands on pages of company jobs.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn handed_on(&self, run: &Run) -> Result<HandedOn, StoreError> {
        let partition = schema::of_run(&run.partner, &run.id);
        let pages = self.0.all::<ResultPage>(&partition, JOB_PAGES, Read::Consistent).await?;
        let mut handed_on = HandedOn::default();
        for (_, page) in pages {
            handed_on.lines.extend(page.lines.into_iter().map(|line| line.line_id));
            handed_on.lines.extend(page.charges.into_iter().map(|charge| charge.charge_id));
            handed_on.planned.extend(page.planned);
            handed_on.planned_charges.extend(page.planned_charges);
        }
        let planned_charges = charge::together(handed_on.planned_charges);
        Ok(HandedOn { planned: money::together(handed_on.planned), planned_charges, ..handed_on })
    }

    /// What planners that came to no end have stored: the lines that they decided at once, and what their changes come to.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn planned_in_part(&self, run: &Run) -> Result<(Counts, RunMoney, RunCharges), StoreError> {
        let partition = schema::of_run(&run.partner, &run.id);
        let decided = self.0.all::<ResultPage>(&partition, DECIDED_PAGES, Read::Consistent).await?;
        // Pages of two planners may stand side by side, where the second died before it dropped the first one's.
        let (mut lines, mut charges) = (BTreeMap::new(), BTreeMap::new());
        for (_, page) in decided {
            lines.extend(page.lines.into_iter().map(|line| (line.line_id.clone(), line)));
            charges.extend(page.charges.into_iter().map(|charge| (charge.charge_id.clone(), charge)));
        }
        let lines: Vec<LineResult> = lines.into_values().collect();
        let money = RunMoney::of(&lines);
        let HandedOn { planned, planned_charges, .. } = self.handed_on(run).await?;
        Ok((
            Counts::of(&lines),
            RunMoney { planned: money::together(money.planned.into_iter().chain(planned)), ..money },
            RunCharges::of(charges.values()).and_planned(planned_charges),
        ))
    }

    /// The lines of company jobs: only those can have been written.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn lines_of_jobs(&self, partner: &PartnerId, run: &RunId) -> Result<Vec<LineResult>, StoreError> {
        Ok(self.of_jobs(partner, run).await?.0)
    }

    async fn of_jobs(
        &self,
        partner: &PartnerId,
        run: &RunId,
    ) -> Result<(Vec<LineResult>, Vec<ChargeResult>), StoreError> {
        let partition = schema::of_run(partner, run);
        let pages = self.0.all::<ResultPage>(&partition, JOB_PAGES, Read::Consistent).await?;
        let (mut lines, mut charges) = (Vec::new(), Vec::new());
        for (_, page) in pages {
            lines.extend(page.lines);
            charges.extend(page.charges);
        }
        Ok((lines, charges))
    }

    /// The pages of company jobs that were not closed yet.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn jobs_to_do(&self, run: &Run) -> Result<Vec<String>, StoreError> {
        let partition = schema::of_run(&run.partner, &run.id);
        let pages = self.0.all::<ResultPage>(&partition, JOB_PAGES, Read::Consistent).await?;
        let open = pages.into_iter().filter(|(_, page)| !page.done);
        Ok(open.filter_map(|(sk, _)| sk.strip_prefix(JOB_PAGES).map(str::to_owned)).collect())
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

    /// A page of results, and where the next begins.
    ///
    /// # Errors
    /// The store is unavailable.
    pub async fn lines(
        &self,
        partner: &PartnerId,
        run: &RunId,
        after: Option<&str>,
        pages: i32,
    ) -> Result<Rows<ResultPage>, StoreError> {
        let page = Page { prefix: "LINES#", after, limit: Some(pages), backwards: false };
        self.0.page(&schema::of_run(partner, run), &page, Read::Consistent).await
    }
}

/// Sort keys of the pages of decided lines begin so.
const DECIDED_PAGES: &str = "LINES#B";

fn decided_page(number: usize) -> String {
    format!("B{number:06}")
}

/// Sort keys of the pages of company jobs begin so.
const JOB_PAGES: &str = "LINES#J";

/// Sort keys of the pages of what a run noticed begin so.
const GAP_PAGES: &str = "GAPS#";

/// A transaction holds at most 4 MB, and a page may have 200 KB twice over.
const JOBS_A_TRANSACTION: usize = 10;

/// The rows that a company job begins with.
#[derive(Debug)]
pub struct JobRows {
    /// Its page.
    pub page: Option<ResultPage>,
    /// Its run.
    pub run: Option<Run>,
    /// Its connection.
    pub connection: Option<Connection>,
}

#[derive(Serialize, Deserialize)]
struct Listed {
    id: RunId,
}

fn header(run: &Run) -> Key {
    schema::run(&run.partner, &run.id)
}

fn job_key(run: &Run, page: &str) -> Key {
    schema::run_lines(&run.partner, &run.id, &format!("J{page}"))
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
