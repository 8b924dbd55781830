//! Wires the function. No authorizer stands before it: its door is its own.

use shared::api::names;
use shared::aws::Cloud;
use web_console::{Deps, router};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    lambda_http::run(names::read(router(Deps::on(&Cloud::start().await?)?))).await
}
