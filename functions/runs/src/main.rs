//! Wires the function.

use runs::{Deps, router};
use shared::aws::{Cloud, serve};
use shared::history::History;
use shared::store::connections::Connections;
use shared::store::findings::Findings;
use shared::store::idempotency::Idempotency;
use shared::store::mappings::Mappings;
use shared::store::runs::Runs;
use shared::sync::{Resolver, Settings};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    let cloud = Cloud::start().await?;
    let table = cloud.table();
    let deps = Deps {
        connections: Connections::new(table.clone()),
        mappings: Mappings::new(table.clone()),
        runs: Runs::new(table.clone()),
        findings: Findings::new(table.clone()),
        resolver: Resolver::new(&table, cloud.ledger(), cloud.clock.clone(), Settings::default().settle),
        history: History::new(table.clone()),
        remembered: Idempotency::new(table),
        events: cloud.events()?,
        clock: cloud.clock.clone(),
    };
    serve(router(deps).into()).await
}
