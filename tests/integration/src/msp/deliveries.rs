//! Messages as a queue delivers them: in order, again until they are acknowledged, and given up after so many failures.
//!
//! What does the work is one process; when a strike kills it, a new one with nothing in memory takes over once the dead
//! one's leases have ended. Removing a message that was worked is a side effect like others, with its own fault points.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fan_out::{FanOut, Request};
use jiff::SignedDuration;
use shared::events::RunRef;
use shared::faults::Faults;
use shared::queue::CompanyJob;
use shared::sync::Worker;

use super::{Fixture, Msp, Strikes};

/// Longer than the term of any lease.
const TAKEN_OVER: SignedDuration = SignedDuration::from_mins(17);
/// Delay after a first failure; it doubles with each further one.
const FIRST_DELAY_S: i64 = 5;
/// A message is given up after so many deliveries, as on one machine.
const MOST_DELIVERIES: u32 = 10;

/// The system at work on one MSP.
pub struct Deliveries<'m, P: Fixture> {
    msp: &'m Msp<P>,
    strikes: Arc<Strikes>,
    faults: Faults,
    messages: VecDeque<Waiting>,
    processes: u32,
    fan_out: FanOut,
    worker: Worker,
    given_up: Vec<String>,
}

#[derive(Clone)]
struct Waiting {
    message: Message,
    failures: u32,
}

#[derive(Clone)]
enum Message {
    Plan(RunRef),
    Job(CompanyJob),
}

/// How a piece of work ended.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    Well,
    Failed(String),
    Killed,
}

impl<'m, P: Fixture> Deliveries<'m, P> {
    /// The system of `msp`, struck by `strikes`.
    #[must_use]
    pub fn of(msp: &'m Msp<P>, strikes: &Arc<Strikes>) -> Self {
        let (fan_out, worker) = msp.parts.process("process 1");
        let faults = Faults::with(strikes.clone());
        let (messages, given_up) = (VecDeque::new(), Vec::new());
        Self { msp, strikes: strikes.clone(), faults, messages, processes: 1, fan_out, worker, given_up }
    }

    /// Ticks until a tick has gone well, and works off what comes of each.
    ///
    /// # Panics
    /// When ticks go wrong for ever.
    pub async fn tick(&mut self) {
        for _ in 0..5 {
            let fan_out = self.fan_out.clone();
            let ticked = self.attempt(async move { fan_out.tick().await.map(drop).map_err(|error| error.to_string()) });
            let ended = ticked.await;
            self.work_off().await;
            if ended == Ended::Well {
                return;
            }
            self.msp.clock.advance(SignedDuration::from_mins(15));
        }
        panic!("every tick goes wrong");
    }

    /// Delivers messages until none is left.
    pub async fn work_off(&mut self) {
        loop {
            self.take_in();
            let Some(mut head) = self.messages.pop_front() else { return };
            let removed = Arc::new(AtomicBool::new(false));
            let ended = self.deliver(head.message.clone(), removed.clone()).await;
            if !removed.load(Ordering::SeqCst) {
                if let Ended::Failed(why) = ended {
                    head.failures += 1;
                    if head.failures == MOST_DELIVERIES {
                        self.give_up(&head.message, why).await;
                        continue;
                    }
                    self.msp.clock.advance(SignedDuration::from_secs(FIRST_DELAY_S << (head.failures - 1)));
                }
                // The later ones of its connection wait behind it.
                self.messages.push_front(head);
            }
        }
    }

    /// Why messages were given up.
    #[must_use]
    pub fn given_up(&self) -> &[String] {
        &self.given_up
    }

    fn take_in(&mut self) {
        let wire = &self.msp.parts.wire;
        let plans = wire.take_runs().into_iter().map(Message::Plan);
        let jobs = wire.take_jobs().into_iter().map(Message::Job);
        self.messages.extend(plans.chain(jobs).map(|message| Waiting { message, failures: 0 }));
    }

    async fn deliver(&mut self, message: Message, removed: Arc<AtomicBool>) -> Ended {
        let (fan_out, worker, faults) = (self.fan_out.clone(), self.worker.clone(), self.faults.clone());
        let work = async move {
            match message {
                Message::Plan(run) => {
                    fan_out.handle(Request::Sync(run)).await.map_err(|error| error.to_string())?;
                }
                Message::Job(job) => {
                    worker.work(&job).await.map_err(|error| error.to_string())?;
                }
            }
            let effect = || "queue.acknowledge".to_owned();
            faults.before(effect).map_err(|error| error.to_string())?;
            removed.store(true, Ordering::SeqCst);
            faults.after(effect).map_err(|error| error.to_string())
        };
        self.attempt(work).await
    }

    async fn give_up(&mut self, message: &Message, why: String) {
        match message {
            Message::Plan(run) => self.fan_out.give_up(run).await.expect("the store answers"),
            Message::Job(job) => self.worker.give_up(job).await.expect("the store answers"),
        }
        self.given_up.push(why);
    }

    /// Does a piece of work in a task of its own, which a strike may end; a new process follows a dead one.
    async fn attempt(&mut self, work: impl Future<Output = Result<(), String>> + Send + 'static) -> Ended {
        let ended = tokio::spawn(work).await;
        if self.strikes.revive() {
            self.processes += 1;
            (self.fan_out, self.worker) = self.msp.parts.process(&format!("process {}", self.processes));
            self.msp.clock.advance(TAKEN_OVER);
            return Ended::Killed;
        }
        match ended {
            Ok(Ok(())) => Ended::Well,
            Ok(Err(why)) => Ended::Failed(why),
            Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
        }
    }
}
