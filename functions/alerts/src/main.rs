//! Wires the function.

use alerts::{Deps, router};
use shared::aws::{Cloud, serve};
use shared::store::alerts::Alerts;
use shared::store::idempotency::Idempotency;
use shared::store::mappings::Mappings;
use shared::sync::Settings;

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    let cloud = Cloud::start().await?;
    let table = cloud.table();
    let deps = Deps {
        alerts: Alerts::new(table.clone()),
        mappings: Mappings::new(table.clone()),
        remembered: Idempotency::new(table),
        queue: cloud.alerts()?,
        clock: cloud.clock.clone(),
        settle: Settings::default().settle,
    };
    serve(router(deps).into()).await
}
