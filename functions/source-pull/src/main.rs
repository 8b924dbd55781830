//! Wires the function.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use shared::aws::Cloud;
use shared::pulling::{Puller, PullerParts};
use shared::queue::batch::{Batch, work_off};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cloud = Cloud::start().await?;
    let queue = cloud.pulls()?;
    // Read once a step: kept ones would only be old.
    let (sources, secrets) = (cloud.sources()?, cloud.secrets_now()?);
    let parts = PullerParts::new(&cloud.table(), sources, secrets, queue.clone(), cloud.clock.clone());
    let puller = Puller::new(parts);
    let handle = async |event: LambdaEvent<Batch>| {
        cloud.metrics.queue_age(event.payload.age_s(cloud.clock.now()));
        let failures = work_off(&puller, queue.as_ref(), event.payload).await;
        cloud.metrics.deliveries_failed(failures.batch_item_failures.len());
        Ok::<_, Error>(failures)
    };
    lambda_runtime::run(service_fn(handle)).await
}
