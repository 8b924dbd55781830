//! Wires the function.

use company_sync::{Batch, work_off};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use shared::aws::Cloud;
use shared::store::connections::Connections;
use shared::store::lines::Lines;
use shared::store::runs::Runs;
use shared::sync::{Settings, Worker, WorkerParts};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cloud = Cloud::start().await?;
    let table = cloud.table();
    let worker = Worker::new(WorkerParts {
        connections: Connections::new(table.clone()),
        lines: Lines::new(table.clone()),
        ledger: cloud.ledger(),
        runs: Runs::new(table),
        opener: cloud.opener()?,
        events: cloud.events()?,
        clock: cloud.clock.clone(),
        settings: Settings::default(),
    });
    let handle = async |event: LambdaEvent<Batch>| Ok::<_, Error>(work_off(&worker, event.payload).await);
    lambda_runtime::run(service_fn(handle)).await
}
