//! The lane of a partner's alerts: messages one after the other, each again until it is done, as their queue delivers them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::SignedDuration;
use shared::desk::Desk;
use shared::faults::Faults;
use shared::queue::batch::Work as _;
use shared::queue::{AlertMessage, pause_after};

use super::super::{Fixture, Msp, Strikes};

/// After so long a message comes again whose worker died.
const TAKEN_OVER: SignedDuration = SignedDuration::from_mins(2);

/// The desk at work on one MSP.
pub struct Lane<'m, P: Fixture> {
    msp: &'m Msp<P>,
    strikes: Arc<Strikes>,
    faults: Faults,
    desk: Desk,
    waiting: VecDeque<(AlertMessage, u32)>,
    worked: Vec<String>,
    given_up: Vec<String>,
}

impl<'m, P: Fixture> Lane<'m, P> {
    /// The desk of `msp`.
    #[must_use]
    pub fn of(msp: &'m Msp<P>) -> Self {
        Self::struck(msp, &Strikes::none())
    }

    /// The same, struck by `strikes`.
    #[must_use]
    pub fn struck(msp: &'m Msp<P>, strikes: &Arc<Strikes>) -> Self {
        Self {
            msp,
            strikes: strikes.clone(),
            faults: Faults::with(strikes.clone()),
            desk: Desk::new(msp.parts.desk_parts.clone()),
            waiting: VecDeque::new(),
            worked: Vec::new(),
            given_up: Vec::new(),
        }
    }

    /// Delivers messages until none is left. A pause moves the clock on.
    pub async fn work_off(&mut self) {
        while self.deliver().await {}
    }

    /// Delivers at most so many messages.
    pub async fn work(&mut self, messages: usize) {
        for _ in 0..messages {
            if !self.deliver().await {
                return;
            }
        }
    }

    /// Delivers until none is left, or so much time has passed by the clock.
    pub async fn work_for(&mut self, time: SignedDuration) {
        let until = self.msp.clock.time() + time;
        while self.msp.clock.time() < until && self.deliver().await {}
    }

    /// The keys of messages that were done, in that order.
    #[must_use]
    pub fn worked(&self) -> &[String] {
        &self.worked
    }

    /// The keys of messages that were given up.
    #[must_use]
    pub fn given_up(&self) -> &[String] {
        &self.given_up
    }

    /// How many messages wait.
    #[must_use]
    pub fn waiting(&mut self) -> usize {
        self.take_in();
        self.waiting.len()
    }

    fn take_in(&mut self) {
        let sent = self.msp.parts.wire.take_alerts();
        self.waiting.extend(sent.into_iter().map(|message| (message, 0)));
    }

    /// One delivery of the message at the head. `false`: there is none.
    async fn deliver(&mut self) -> bool {
        self.take_in();
        let Some((message, deliveries)) = self.waiting.pop_front() else { return false };
        if deliveries >= Desk::MOST_DELIVERIES {
            self.desk.give_up(&message).await.expect("the store answers");
            self.given_up.push(message.key);
            return true;
        }
        let removed = Arc::new(AtomicBool::new(false));
        let ended =
            tokio::spawn(worked(self.desk.clone(), message.clone(), self.faults.clone(), removed.clone())).await;
        if removed.load(Ordering::SeqCst) {
            self.worked.push(message.key.clone());
        } else {
            self.waiting.push_front((message, deliveries + 1));
        }
        if self.strikes.revive() {
            self.desk = Desk::new(self.msp.parts.desk_parts.clone());
            self.msp.clock.advance(TAKEN_OVER);
            return true;
        }
        match ended {
            Ok(true) => {}
            Ok(false) => self.msp.clock.advance(pause_after(deliveries + 1)),
            Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
        }
        true
    }
}

/// Whether a message was done, and removed.
async fn worked(desk: Desk, message: AlertMessage, faults: Faults, removed: Arc<AtomicBool>) -> bool {
    if desk.work(&message).await.is_err() {
        return false;
    }
    let effect = || "queue.acknowledge".to_owned();
    if faults.before(effect).is_err() {
        return false;
    }
    removed.store(true, Ordering::SeqCst);
    faults.after(effect).is_ok()
}
