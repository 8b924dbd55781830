//! The queue and the bus between the two halves of the engine: what was sent waits until a story delivers it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use shared::events::{Event, Publish, PublishError};
use shared::faults::Faults;
use shared::queue::{CompanyJob, QueueError, SendJobs};

/// Jobs that were sent and not delivered yet.
pub struct Wire {
    jobs: Mutex<VecDeque<CompanyJob>>,
    faults: Faults,
}

impl Wire {
    /// An empty one, with fault points.
    pub fn new(faults: Faults) -> Self {
        Self { jobs: Mutex::default(), faults }
    }

    /// What was sent since the last call.
    pub fn take(&self) -> VecDeque<CompanyJob> {
        std::mem::take(&mut self.jobs.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl SendJobs for Wire {
    async fn send(&self, jobs: &[CompanyJob]) -> Result<(), QueueError> {
        self.faults.before(|| "queue.send".to_owned())?;
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).extend(jobs.iter().cloned());
        self.faults.after(|| "queue.send".to_owned())?;
        Ok(())
    }
}

#[async_trait]
impl Publish for Wire {
    async fn publish(&self, _: &[Event]) -> Result<(), PublishError> {
        self.faults.before(|| "events.publish".to_owned())?;
        self.faults.after(|| "events.publish".to_owned())?;
        Ok(())
    }
}
