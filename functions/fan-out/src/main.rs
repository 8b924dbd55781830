//! Wires the function.

use fan_out::{DigestSources, DueAlerts, DueSources, FanOut, Invoked};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde_json::json;
use shared::aws::Cloud;
use shared::queue::batch::work_off;
use shared::store::connections::Connections;
use shared::store::runs::Runs;
use shared::sync::{Planner, PlannerParts, Settings};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let cloud = Cloud::start().await?;
    let (table, events, queue) = (cloud.table(), cloud.events()?, cloud.planning()?);
    let (connections, runs) = (Connections::new(table.clone()), Runs::new(table.clone()));
    let to = (cloud.jobs()? as _, events.clone() as _);
    let mut parts =
        PlannerParts::new(&table, cloud.ledger(), cloud.opener()?, to, cloud.clock.clone(), Settings::default());
    parts.metrics = cloud.metrics.clone();
    let planner = Planner::new(parts);
    let (digests, clock) = (DigestSources::new(&table), cloud.clock.clone());
    let alerts = DueAlerts::new(&table, cloud.alerts()?);
    let sources = DueSources::new(&table, cloud.pulls()?);
    let fan_out = FanOut { connections, runs, planner, events, digests, alerts, sources, clock };
    let handle = async |event: LambdaEvent<Invoked>| match event.payload {
        Invoked::Messages(batch) => {
            cloud.metrics.queue_age(batch.age_s(cloud.clock.now()));
            let failures = work_off(&fan_out, &queue, batch).await;
            cloud.metrics.deliveries_failed(failures.batch_item_failures.len());
            Ok(json!(failures))
        }
        Invoked::Request(request) => {
            fan_out.handle(request).await.map(|handled| json!(handled)).map_err(Diagnostic::from)
        }
    };
    lambda_runtime::run(service_fn(handle)).await
}
