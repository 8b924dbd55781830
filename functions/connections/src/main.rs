//! Wires the function.

use connections::{Deps, router};
use shared::aws::{Cloud, serve};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    serve(router(Deps::on(&Cloud::start().await?)?).into()).await
}
