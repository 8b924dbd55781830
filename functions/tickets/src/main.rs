//! Wires the function.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use shared::aws::Cloud;
use shared::desk::{Desk, DeskParts};
use shared::queue::batch::{Batch, work_off};
use shared::sync::Settings;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cloud = Cloud::start().await?;
    let queue = cloud.alerts()?;
    let (events, settle) = (cloud.events()?, Settings::default().settle);
    let parts = DeskParts::new(&cloud.table(), cloud.opener()?, queue.clone(), events, cloud.clock.clone(), settle);
    let desk = Desk::new(parts);
    let handle = async |event: LambdaEvent<Batch>| {
        cloud.metrics.queue_age(event.payload.age_s(cloud.clock.now()));
        let failures = work_off(&desk, queue.as_ref(), event.payload).await;
        cloud.metrics.deliveries_failed(failures.batch_item_failures.len());
        Ok::<_, Error>(failures)
    };
    lambda_runtime::run(service_fn(handle)).await
}
