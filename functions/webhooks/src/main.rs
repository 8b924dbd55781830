//! Wires the function.

use shared::aws::{Cloud, serve};
use webhooks::{Deps, router};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    serve(router(Deps::on(&Cloud::start().await?)?).into()).await
}
