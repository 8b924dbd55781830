//! Event: company jobs from the queue, one PSA account each.
//!
//! What a job does stands in `shared::sync`, how a batch is worked off in `shared::queue::batch`. Here the two meet.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

use async_trait::async_trait;
use shared::queue::CompanyJob;
use shared::queue::batch::{Failed, Work};
use shared::sync::{SyncError, Worker};
use tracing::{Span, info_span};

/// Company jobs as messages of a queue.
#[derive(Clone)]
pub struct Jobs(pub Worker);

#[async_trait]
impl Work for Jobs {
    type Task = CompanyJob;

    fn lane(job: &CompanyJob) -> String {
        format!("{}/{}", job.partner, job.connection)
    }

    fn span(job: &CompanyJob) -> Span {
        info_span!("job", partner = %job.partner, connection = %job.connection, run = %job.run, page = job.page)
    }

    async fn work(&self, job: &CompanyJob) -> Result<(), Failed> {
        self.0.work(job).await.map(drop).map_err(failed)
    }

    async fn give_up(&self, job: &CompanyJob) -> Result<(), Failed> {
        self.0.give_up(job).await.map_err(failed)
    }
}

fn failed(error: SyncError) -> Failed {
    Failed { kind: error.kind(), what: error.to_string() }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use shared::queue::batch::Batch;

    use super::*;

    #[test]
    fn the_sample_batch_is_understood() {
        let batch: Batch = serde_json::from_str(include_str!("../../../events/company-sync/sqs-fifo.json")).unwrap();
        let job: CompanyJob = serde_json::from_str(&batch.records[0].body).unwrap();
        assert_eq!(job.page, "29683456.9f86d081884c");
        let sent = batch.records[0].attributes.sent_timestamp.as_ref().unwrap().parse::<i64>().unwrap();
        let now = Timestamp::from_millisecond(sent + 61_500).unwrap();
        assert_eq!(batch.age_s(now), Some(61));
    }
}
