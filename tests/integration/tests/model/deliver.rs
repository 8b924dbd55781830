//! Messages and who takes them: a run's to the planner, a company job's to a worker, with whatever befalls these meanwhile.
//!
//! A message that is done may come again; one whose taker failed or died waits as before.

use std::pin::Pin;
use std::task::Poll;

use jiff::{SignedDuration, Timestamp};
use shared::domain::ids::RunId;
use shared::queue::CompanyJob;
use shared::store::runs::RunState;
use simulators::autotask::When;

use super::fate::{Blow, Died};
use super::play::Play;
use super::story::{Trouble, Which};
use super::totals::Totals;
use super::watch::Verdict;

/// The longest that a worker lives, as on AWS.
const LIFE: SignedDuration = SignedDuration::from_mins(15);

/// A worker that stands still.
pub struct Stalled {
    since: Timestamp,
    job: CompanyJob,
    work: Pin<Box<dyn Future<Output = bool> + Send>>,
}

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Done,
    Failed,
    Died,
}

impl Play<'_> {
    /// Delivers a run's message.
    pub async fn plan(&mut self, run: &RunId, trouble: &Trouble) -> Verdict {
        self.totals.count("plannings");
        let desired = (0..self.watch.lines.len()).map(|line| self.desired(line)).collect();
        if let Some(asked) = self.runs.get_mut(run) {
            asked.plannings.push(desired);
        }
        let (planner, partner, id) = (self.process.planner.clone(), self.connection.partner.clone(), run.clone());
        let ended = self.deliver(trouble, async move { planner.plan(&partner, &id).await.is_ok() }).await;
        self.waiting_jobs.extend(self.world.wire.take());
        if ended == Ended::Done {
            self.waiting_runs.retain(|waiting| waiting != run);
            self.done_runs.push(run.clone());
        }
        self.check().await?;
        let full = self.runs.get(run).is_some_and(|asked| asked.approved.is_empty() && asked.reverses.is_none());
        // One that came to nothing takes over from none.
        let planned = super::play::run(self.world, &self.connection.partner, run).await;
        let full = full && planned.state != RunState::Failed;
        if ended == Ended::Done && full && self.newest_planned.as_ref().is_none_or(|newest| newest < run) {
            self.newest_planned = Some(run.clone());
        }
        Ok(())
    }

    /// Delivers a company job's message, to one worker or to two at once.
    pub async fn work(&mut self, job: &CompanyJob, trouble: &Trouble, twice: bool) -> Verdict {
        self.totals.count("jobs");
        let ended = if twice {
            self.totals.count("duplicates");
            // One that has the store to itself is one process: it would die as a whole.
            let trouble =
                if self.story.plot.sole { Trouble { blow: None, ..trouble.clone() } } else { trouble.clone() };
            let own = format!("process-{}", self.processes);
            let other = if self.story.plot.sole { own.as_str() } else { "another" };
            let (first, second) = (self.process.worker.clone(), self.world.process(other, self.story.plot.sole).worker);
            let (one, two) = (job.clone(), job.clone());
            let both = async move {
                let second = tokio::spawn(async move { second.work(&two).await.is_ok() });
                let first = tokio::spawn(async move { first.work(&one).await.is_ok() });
                // Either may have died; then neither counts as done.
                matches!((first.await, second.await), (Ok(true), Ok(true)))
            };
            self.deliver(&trouble, both).await
        } else {
            let (worker, job) = (self.process.worker.clone(), job.clone());
            self.deliver(trouble, async move { worker.work(&job).await.is_ok() }).await
        };
        self.settle_job(job, ended);
        self.check().await
    }

    /// Delivers a job's message to a worker that stands still at its nth fault point.
    pub async fn stall(&mut self, job: CompanyJob, nth: usize) -> Verdict {
        self.watch.begin(self.world, self.today());
        let (worker, own) = (self.process.worker.clone(), job.clone());
        let mut work: Pin<Box<dyn Future<Output = bool> + Send>> =
            Box::pin(async move { worker.work(&own).await.is_ok() });
        self.world.fate.deal(nth, Blow::Stall);
        let fate = &self.world.fate;
        let done = std::future::poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if fate.has_struck() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        });
        let done = done.await;
        self.world.fate.lift();
        match done {
            Some(done) => self.settle_job(&job, if done { Ended::Done } else { Ended::Failed }),
            None => {
                self.totals.count("stalled workers");
                self.watch.loose = true;
                self.stalled = Some(Stalled { since: self.world.clock.time(), job, work });
            }
        }
        self.check().await
    }

    pub async fn resume(&mut self) -> Verdict {
        let Some(Stalled { job, work, .. }) = self.stalled.take() else { return Ok(()) };
        self.watch.begin(self.world, self.today());
        let ended = if work.await { Ended::Done } else { Ended::Failed };
        self.settle_job(&job, ended);
        self.check().await
    }

    /// A worker lives shorter than its lease holds, and dies with its process.
    pub fn end_stalled(&mut self, also_young: bool) {
        let now = self.world.clock.time();
        self.stalled.take_if(|stalled| also_young || now.duration_since(stalled.since) > LIFE);
    }

    pub async fn give_up(&mut self, job: bool) -> Verdict {
        let (planner, worker) = (self.process.planner.clone(), self.process.worker.clone());
        if let Some(job) = self.waiting_jobs.pop_front().filter(|_| job) {
            self.totals.count("messages given up");
            self.done_jobs.push(job.clone());
            self.deliver(&Trouble::default(), async move { worker.give_up(&job).await.is_ok() }).await;
        } else if let Some(run) = self.waiting_runs.pop_front() {
            self.totals.count("messages given up");
            self.done_runs.push(run.clone());
            let partner = self.connection.partner.clone();
            self.deliver(&Trouble::default(), async move { planner.give_up(&partner, &run).await.is_ok() }).await;
        } else {
            return Ok(());
        }
        self.check().await
    }

    /// Delivers every message that still waits, the oldest first.
    pub async fn deliver_what_waits(&mut self) -> Verdict {
        for run in self.waiting_runs.clone() {
            self.plan(&run, &Trouble::default()).await?;
        }
        for job in self.waiting_jobs.clone() {
            self.work(&job, &Trouble::default(), false).await?;
        }
        Ok(())
    }

    /// Asks for a run and plans it, where no job waits.
    pub async fn have_a_job(&mut self) -> Verdict {
        if self.waiting_jobs.is_empty() {
            let run = self.ask(Vec::new(), None).await;
            self.plan(&run, &Trouble::default()).await?;
        }
        Ok(())
    }

    pub fn settle_job(&mut self, job: &CompanyJob, ended: Ended) {
        if ended == Ended::Done {
            self.waiting_jobs.retain(|waiting| waiting != job);
            self.done_jobs.push(job.clone());
        }
    }

    /// Runs one delivery in trouble. `true` is a success.
    pub async fn deliver(&mut self, trouble: &Trouble, delivery: impl Future<Output = bool> + Send + 'static) -> Ended {
        self.watch.begin(self.world, self.today());
        if let Some((nth, blow)) = trouble.blow {
            self.world.fate.deal(nth, blow);
        }
        if let Some((entity, nth, fault)) = &trouble.psa {
            self.world.psa.plan_fault(When::Request(*entity, *nth), fault.clone());
        }
        let ended = match tokio::spawn(delivery).await {
            Ok(true) => Ended::Done,
            Ok(false) => Ended::Failed,
            Err(stopped) => match stopped.try_into_panic() {
                Ok(payload) if payload.is::<Died>() => Ended::Died,
                Ok(payload) => std::panic::resume_unwind(payload),
                Err(cancelled) => panic!("{cancelled}"),
            },
        };
        if self.world.fate.lift().is_some() {
            let death = matches!(trouble.blow, Some((_, Blow::Death)));
            self.totals.count(if death { "crashes" } else { "failed side effects" });
        }
        if let Some((entity, nth, _)) = &trouble.psa {
            let asked = self.world.psa.requests().iter().filter(|asked| asked.entity == Some(*entity)).count();
            self.totals.add("lost answers", usize::from(asked >= *nth));
            self.world.psa.clear_faults();
        }
        if ended == Ended::Died {
            self.processes += 1;
            self.end_stalled(self.story.plot.sole);
            self.process = self.world.process(&format!("process-{}", self.processes), self.story.plot.sole);
        }
        ended
    }

    pub fn choose_run(&mut self, which: Which) -> Option<RunId> {
        let (waiting, done) = (self.waiting_runs.make_contiguous(), &self.done_runs);
        choose(which, waiting, done, &mut self.totals)
    }

    pub fn choose_job(&mut self, which: Which) -> Option<CompanyJob> {
        let (waiting, done) = (self.waiting_jobs.make_contiguous(), &self.done_jobs);
        choose(which, waiting, done, &mut self.totals)
    }

    /// Every message that there ever was, those first that still wait.
    pub fn leftovers(&self) -> (Vec<RunId>, Vec<CompanyJob>) {
        let runs = self.waiting_runs.iter().chain(&self.done_runs).cloned().collect();
        let jobs = self.waiting_jobs.iter().chain(&self.done_jobs).cloned().collect();
        (runs, jobs)
    }

    /// The jobs of a run that wait.
    pub fn jobs_of(&self, run: &RunId) -> Vec<CompanyJob> {
        self.waiting_jobs.iter().filter(|job| job.run == *run).cloned().collect()
    }
}

fn choose<T: Clone>(which: Which, waiting: &[T], done: &[T], totals: &mut Totals) -> Option<T> {
    let again = |number: usize, totals: &mut Totals| {
        let found = done.get(number % done.len().max(1)).cloned();
        totals.add("duplicates", usize::from(found.is_some()));
        found
    };
    match which {
        Which::Done(number) if !done.is_empty() => again(number, totals),
        _ if waiting.is_empty() => again(0, totals),
        Which::Any(number) if waiting.len() > 1 => {
            let place = number % waiting.len();
            totals.add("reorders", usize::from(place > 0));
            waiting.get(place).cloned()
        }
        _ => waiting.first().cloned(),
    }
}
