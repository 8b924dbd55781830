//! Wires the function.

use shared::aws::{Cloud, serve};
use usage::{Deps, router};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    let cloud = Cloud::start().await?;
    let (registry, secrets, pulls) = (cloud.sources()?, cloud.secrets_now()?, cloud.pulls()?);
    let deps = Deps::new(&cloud.table(), registry, secrets, pulls, cloud.clock.clone());
    serve(router(deps).into()).await
}
