//! Wires the function.

use fan_out::{FanOut, Request};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use shared::aws::Cloud;
use shared::store::connections::Connections;
use shared::store::runs::Runs;
use shared::sync::{Planner, PlannerParts, Settings};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cloud = Cloud::start().await?;
    let (table, events) = (cloud.table(), cloud.events()?);
    let (connections, runs) = (Connections::new(table.clone()), Runs::new(table.clone()));
    let to = (cloud.jobs()? as _, events.clone() as _);
    let parts =
        PlannerParts::new(&table, cloud.ledger(), cloud.opener()?, to, cloud.clock.clone(), Settings::default());
    let planner = Planner::new(parts);
    let fan_out = FanOut { connections, runs, planner, events, clock: cloud.clock.clone() };
    let handle = async |event: LambdaEvent<Request>| Ok::<_, Error>(fan_out.handle(event.payload).await?);
    lambda_runtime::run(service_fn(handle)).await
}
