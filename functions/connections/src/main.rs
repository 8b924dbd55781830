//! Wires the function: its clients, its routes, the gateway's claims.

use std::collections::HashMap;
use std::sync::Arc;

use connections::{Deps, router};
use lambda_http::http::Extensions;
use lambda_http::request::RequestContext;
use lambda_http::{Error, run};
use shared::api::{auth, framed};
use shared::clock::SystemClock;
use shared::psa::autotask::{Autotask, Settings};
use shared::psa::open::Opener;
use shared::psa::registry::Registry;
use shared::secrets::{Cached, aws::SecretsManager};
use shared::store::{Table, connections::Connections, idempotency::Idempotency};

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda_http::tracing::init_default_subscriber();
    let aws = aws_config::load_from_env().await;
    let clock = Arc::new(SystemClock);
    let table = Table::new(aws_sdk_dynamodb::Client::new(&aws), std::env::var("TABLE")?);
    let manager = SecretsManager::new(aws_sdk_secretsmanager::Client::new(&aws), std::env::var("SECRETS_PREFIX")?);
    let secrets = Arc::new(Cached::new(manager, clock.clone()));
    let (connections, psas) = (Connections::new(table.clone()), Registry::new(Autotask::new(Settings::default())?));
    let opener = Opener::new(connections.clone(), secrets.clone(), psas.clone());
    let deps = Deps { connections, remembered: Idempotency::new(table), opener, psas, secrets, clock };
    run(framed(router(deps).into(), Arc::new(auth::gateway(claims)))).await
}

fn claims(extensions: &Extensions) -> Option<HashMap<String, String>> {
    let Some(RequestContext::ApiGatewayV2(context)) = extensions.get() else { return None };
    Some(context.authorizer.as_ref()?.jwt.as_ref()?.claims.clone())
}
