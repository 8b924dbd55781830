//! Bulk updates of what a service costs on many contracts, and the background jobs that carry them out.
//!
//! Owns the queue of jobs and when one takes effect. The states are named as in the library that the shape of the status
//! answer (name, reason, data) is known from; that BMS uses it is an inference.
//! A selected line that is gone, or is of another contract or service, is passed over in silence.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::Value;

use super::envelope::Refusal;
use super::switches::Switches;
use super::world::{Change, World};

/// A bulk update on its way.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) id: i64,
    pub(crate) service_id: i64,
    pub(crate) order: BulkOrder,
    pub(crate) by: String,
    /// How often it still says that it is processing.
    pub(crate) polls_left: u32,
    pub(crate) state: JobState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobState {
    Processing,
    Succeeded,
    Failed,
}

/// What a bulk update's body asks for. A value that is none is left as it is.
#[derive(Clone, Debug)]
pub(crate) struct BulkOrder {
    /// Contract and line.
    pub(crate) selected: Vec<(i64, i64)>,
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) unit_price: Option<Decimal>,
    pub(crate) unit_cost: Option<Decimal>,
    pub(crate) effective: Option<Date>,
    /// As it was sent.
    pub(crate) body: Value,
}

impl JobState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Processing => "Processing",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }
}

impl World {
    /// Queues a bulk update; with no polls to wait for, it takes effect at once.
    pub(crate) fn queue(
        &mut self,
        service_id: i64,
        order: BulkOrder,
        by: &str,
        at: Timestamp,
        polls: u32,
        switches: &Switches,
    ) -> Result<(), Refusal> {
        if !self.services.contains_key(&service_id) {
            return Err(Refusal::NoSuch("Service", service_id.to_string()));
        }
        let id = self.jobs.last_key_value().map_or(81_001, |(last, _)| last + 1);
        let job = Job { id, service_id, order, by: by.to_owned(), polls_left: polls, state: JobState::Processing };
        self.jobs.insert(id, job);
        if polls == 0 {
            self.finish(id, at, switches);
        }
        Ok(())
    }

    /// The job of a service that is not done yet, the oldest first.
    pub(crate) fn background_job(&self, service_id: i64) -> Option<i64> {
        let mut open =
            self.jobs.values().filter(|job| job.service_id == service_id && job.state == JobState::Processing);
        open.next().map(|job| job.id)
    }

    /// The state of a job as this poll sees it. The last poll it was to wait for is also the one that lets it take effect.
    pub(crate) fn poll(&mut self, id: i64, at: Timestamp, switches: &Switches) -> Option<JobState> {
        let job = self.jobs.get_mut(&id)?;
        let seen = job.state;
        if seen == JobState::Processing {
            job.polls_left = job.polls_left.saturating_sub(1);
            if job.polls_left == 0 {
                self.finish(id, at, switches);
            }
        }
        Some(seen)
    }

    fn finish(&mut self, id: i64, at: Timestamp, switches: &Switches) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        job.state = if switches.jobs_fail { JobState::Failed } else { JobState::Succeeded };
        if switches.jobs_fail {
            return;
        }
        let job = job.clone();
        for (contract_id, line_id) in job.order.selected {
            let Some(line) = self.lines.get_mut(line_id) else {
                continue;
            };
            let skipped = line.excluded && switches.bulk_updates_skip_excluded;
            if skipped || line.contract_id != contract_id || line.service_id != job.service_id {
                continue;
            }
            line.unit_cost = job.order.unit_cost.unwrap_or(line.unit_cost);
            line.unit_price = job.order.unit_price.unwrap_or(line.unit_price);
            line.effective = job.order.effective.unwrap_or(line.effective);
            if let Some(name) = &job.order.name {
                line.name.clone_from(name);
            }
            if let Some(description) = &job.order.description {
                line.description.clone_from(description);
            }
            self.written(line_id, Change::BulkUpdated, None, &job.by, at, job.order.body.clone());
        }
    }
}
