//! Wires the function.

use fan_out::{FanOut, Request};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use shared::aws::Cloud;
use shared::store::connections::Connections;
use shared::store::lines::Lines;
use shared::store::mappings::Mappings;
use shared::store::runs::Runs;
use shared::store::usage::UsageReader;
use shared::sync::{Planner, PlannerParts, Settings};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cloud = Cloud::start().await?;
    let (table, events) = (cloud.table(), cloud.events()?);
    let (connections, runs) = (Connections::new(table.clone()), Runs::new(table.clone()));
    let planner = Planner::new(PlannerParts {
        connections: connections.clone(),
        mappings: Mappings::new(table.clone()),
        usage: UsageReader::new(table.clone()),
        lines: Lines::new(table),
        ledger: cloud.ledger(),
        runs: runs.clone(),
        opener: cloud.opener()?,
        jobs: cloud.jobs()?,
        events: events.clone(),
        clock: cloud.clock.clone(),
        settings: Settings::default(),
    });
    let fan_out = FanOut { connections, runs, planner, events, clock: cloud.clock.clone() };
    let handle = async |event: LambdaEvent<Request>| Ok::<_, Error>(fan_out.handle(event.payload).await?);
    lambda_runtime::run(service_fn(handle)).await
}
