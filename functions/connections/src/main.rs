//! Wires the function.

use connections::{Deps, router};
use shared::aws::{Cloud, serve};
use shared::store::connections::Connections;
use shared::store::idempotency::Idempotency;
use shared::store::runs::Runs;
use shared::store::ticket_forms::TicketForms;

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    let cloud = Cloud::start().await?;
    let table = cloud.table();
    let psas = cloud.psas()?;
    let deps = Deps {
        connections: Connections::new(table.clone()),
        runs: Runs::new(table.clone()),
        ticket_forms: TicketForms::new(table.clone()),
        remembered: Idempotency::new(table),
        opener: cloud.opener_of(psas.clone())?,
        psas,
        secrets: cloud.secrets()?,
        clock: cloud.clock.clone(),
    };
    serve(router(deps).into()).await
}
