//! Wires the function.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use notify::Notify;
use shared::aws::Cloud;
use shared::queue::batch::{Batch, work_off};
use shared::store::webhooks::Webhooks;
use shared::webhooks::Sender;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cloud = Cloud::start().await?;
    let queue = cloud.notices()?;
    let notify = Notify {
        webhooks: Webhooks::new(cloud.table()),
        sender: Sender::new(cloud.outward()?, cloud.secrets()?, cloud.clock.clone()),
        onward: queue.clone(),
        clock: cloud.clock.clone(),
    };
    let handle = async |event: LambdaEvent<Batch>| {
        cloud.metrics.queue_age(event.payload.age_s(cloud.clock.now()));
        Ok::<_, Error>(work_off(&notify, queue.as_ref(), event.payload).await)
    };
    lambda_runtime::run(service_fn(handle)).await
}
