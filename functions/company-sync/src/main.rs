//! Wires the function.

use company_sync::{Batch, work_off};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use shared::aws::Cloud;
use shared::sync::{Settings, Worker, WorkerParts};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cloud = Cloud::start().await?;
    let (ledger, opener) = (cloud.ledger(), cloud.opener()?);
    let parts =
        WorkerParts::new(&cloud.table(), ledger, opener, cloud.events()?, cloud.clock.clone(), Settings::default());
    let worker = Worker::new(parts);
    let handle = async |event: LambdaEvent<Batch>| Ok::<_, Error>(work_off(&worker, event.payload).await);
    lambda_runtime::run(service_fn(handle)).await
}
