//! Wires the function.

use shared::aws::{Cloud, serve};
use shared::store::usage::{Snapshots, UsageReader};
use usage::{Deps, router};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    let cloud = Cloud::start().await?;
    let table = cloud.table();
    let deps =
        Deps { snapshots: Snapshots::new(table.clone()), usage: UsageReader::new(table), clock: cloud.clock.clone() };
    serve(router(deps).into()).await
}
