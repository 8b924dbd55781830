//! Wires the function.

use shared::aws::{Cloud, serve};
use shared::store::connections::Connections;
use shared::store::webhooks::Webhooks;
use shared::webhooks::Sender;
use webhooks::{Deps, router};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    let cloud = Cloud::start().await?;
    let (table, secrets) = (cloud.table(), cloud.secrets_now()?);
    let deps = Deps {
        webhooks: Webhooks::new(table.clone()),
        connections: Connections::new(table),
        sender: Sender::new(cloud.outward()?, secrets.clone(), cloud.clock.clone()),
        kept: secrets.clone(),
        secrets,
        clock: cloud.clock.clone(),
    };
    serve(router(deps).into()).await
}
