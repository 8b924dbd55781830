//! The pages of a run: what was decided at once, what company jobs are to do and have done, and what was noticed besides.
//!
//! A job's page is made before its message is sent and closed once, in the same transaction that counts the job as done, so that a
//! message that comes twice changes nothing.

use std::collections::BTreeMap;

use super::run::{Effort, Gap, GapPage, HandedOn, ResultPage, Run};
use super::sums::{Counts, RunCharges, RunMoney};
use super::text::AsText;
use super::{Runs, header, raised};
use crate::domain::charge::{self, ChargeResult};
use crate::domain::ids::{PartnerId, RunId};
use crate::domain::line::LineResult;
use crate::domain::money;
use crate::queue::CompanyJob;
use crate::store::connections::Connection;
use crate::store::schema;
use crate::store::{Condition, Key, Page, Read, Rows, StoreError};

impl Runs {
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
            .bind(":lines", AsText(lines))?
            .bind(":none", None::<String>)?;
        self.close_page(run, page, &close, (Counts::of(lines), effort)).await
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

    pub(super) async fn of_jobs(
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

fn job_key(run: &Run, page: &str) -> Key {
    schema::run_lines(&run.partner, &run.id, &format!("J{page}"))
}
