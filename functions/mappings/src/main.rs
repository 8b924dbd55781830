//! Wires the function.

use mappings::{Deps, router};
use shared::aws::{Cloud, serve};
use shared::store::alerts::Alerts;
use shared::store::connections::Connections;
use shared::store::lines::Lines;
use shared::store::mappings::Mappings;
use shared::store::ticket_forms::TicketForms;
use shared::store::usage::UsageReader;

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    let cloud = Cloud::start().await?;
    let table = cloud.table();
    let deps = Deps {
        mappings: Mappings::new(table.clone()),
        usage: UsageReader::new(table.clone()),
        lines: Lines::new(table.clone()),
        alerts: Alerts::new(table.clone()),
        ticket_forms: TicketForms::new(table.clone()),
        connections: Connections::new(table),
        opener: cloud.opener()?,
        clock: cloud.clock.clone(),
    };
    serve(router(deps).into()).await
}
