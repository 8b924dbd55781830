//! Wires the function.

use company_sync::Jobs;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use shared::aws::Cloud;
use shared::queue::batch::{Batch, work_off};
use shared::sync::{Settings, Worker, WorkerParts};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cloud = Cloud::start().await?;
    let (ledger, opener, queue) = (cloud.ledger(), cloud.opener()?, cloud.jobs()?);
    let mut parts =
        WorkerParts::new(&cloud.table(), ledger, opener, cloud.events()?, cloud.clock.clone(), Settings::default());
    parts.metrics = cloud.metrics.clone();
    let jobs = Jobs(Worker::new(parts));
    let handle = async |event: LambdaEvent<Batch>| {
        cloud.metrics.queue_age(event.payload.age_s(cloud.clock.now()));
        let failures = work_off(&jobs, queue.as_ref(), event.payload).await;
        cloud.metrics.deliveries_failed(failures.batch_item_failures.len());
        Ok::<_, Error>(failures)
    };
    lambda_runtime::run(service_fn(handle)).await
}
