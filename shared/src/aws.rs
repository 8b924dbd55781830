//! What a deployed function is made of: clients made once during init, and the names of its resources from its environment.
//!
//! Each function's `main.rs` takes from here what its role allows; the names of the variables are the template's.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use lambda_http::http::Extensions;
use lambda_http::request::RequestContext;
use url::Url;

use crate::api::{auth, framed, names};
use crate::clock::{Clock, SystemClock, fresh_id};
use crate::events::event_bridge::Bus;
use crate::http::{HttpError, Outward};
use crate::ledger::{LEASE_TERM, LeaseHolder, Ledger};
use crate::pause::RealPause;
use crate::psa::open::Opener;
use crate::psa::registry::{Places, Registry};
use crate::psa::{Psa, PsaError};
use crate::queue::sqs::Queue;
use crate::secrets::Cached;
use crate::secrets::aws::{Named, SecretsManager};
use crate::sources::{self, SourceError, Vendor};
use crate::store::{Key, Read, Table};
use crate::telemetry::{self, Metrics};

/// The AWS side of a function.
pub struct Cloud {
    config: SdkConfig,
    table: Table,
    // Their HTTP clients are the dearest part of a start, and whoever replaces a secret must see it replaced.
    psas: OnceLock<Registry>,
    secrets: OnceLock<Arc<Cached<SecretsManager>>>,
    /// The machine's clock.
    pub clock: Arc<dyn Clock>,
    /// Metrics of the function.
    pub metrics: Metrics,
}

/// The function can't start.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// A variable that the template sets is missing.
    #[error("the environment variable {0} is not set")]
    NotSet(&'static str),
    /// The HTTP client for a PSA can't be made.
    #[error(transparent)]
    Psa(#[from] PsaError),
    /// The HTTP client for a usage source can't be made.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The HTTP client for webhooks can't be made.
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl Cloud {
    /// Reads the environment and makes what every function needs. One read of a row that is not there opens the connection
    /// to the store during init, where time is not billed to a caller.
    ///
    /// # Errors
    /// `TABLE` is not set, or the name that Lambda gives the function.
    pub async fn start() -> Result<Self, CloudError> {
        telemetry::log_as_json();
        let config = aws_config::defaults(BehaviorVersion::latest()).timeout_config(time_outs()).load().await;
        let table = Table::new(aws_sdk_dynamodb::Client::new(&config), variable("TABLE")?);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let metrics = Metrics::embedded(variable("AWS_LAMBDA_FUNCTION_NAME")?, clock.clone());
        let nothing = Key { pk: "WARM".to_owned(), sk: "WARM".to_owned() };
        if let Err(error) = table.get::<serde::de::IgnoredAny>(&nothing, Read::Eventual).await {
            tracing::warn!(%error, "the store did not answer during init");
        }
        Ok(Self { config, table, psas: OnceLock::new(), secrets: OnceLock::new(), clock, metrics })
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> Table {
        self.table.clone()
    }

    /// The secrets of connections, kept in memory for a short time; the same ones to all who ask.
    ///
    /// # Errors
    /// `SECRETS_PREFIX` is not set.
    pub fn secrets(&self) -> Result<Arc<Cached<SecretsManager>>, CloudError> {
        let client = aws_sdk_secretsmanager::Client::new(&self.config);
        let made =
            || Ok(Arc::new(Cached::new(SecretsManager::new(client, variable("SECRETS_PREFIX")?), self.clock.clone())));
        once(&self.secrets, made)
    }

    /// The one secret of this name, as it is whenever it is read.
    #[must_use]
    pub fn secret(&self, name: String) -> Arc<Named> {
        Arc::new(Named::new(aws_sdk_secretsmanager::Client::new(&self.config), name))
    }

    /// The queue of company jobs.
    ///
    /// # Errors
    /// `JOBS_QUEUE_URL` is not set.
    pub fn jobs(&self) -> Result<Arc<Queue>, CloudError> {
        Ok(Arc::new(Queue::new(aws_sdk_sqs::Client::new(&self.config), variable("JOBS_QUEUE_URL")?)))
    }

    /// The queue of runs that wait for their planning.
    ///
    /// # Errors
    /// `PLANNING_QUEUE_URL` is not set.
    pub fn planning(&self) -> Result<Queue, CloudError> {
        Ok(Queue::new(aws_sdk_sqs::Client::new(&self.config), variable("PLANNING_QUEUE_URL")?))
    }

    /// The queue of notices and of their deliveries to webhooks.
    ///
    /// # Errors
    /// `NOTICES_QUEUE_URL` is not set.
    pub fn notices(&self) -> Result<Arc<Queue>, CloudError> {
        Ok(Arc::new(Queue::new(aws_sdk_sqs::Client::new(&self.config), variable("NOTICES_QUEUE_URL")?)))
    }

    /// The queue of alerts on their way to a ticket.
    ///
    /// # Errors
    /// `ALERTS_QUEUE_URL` is not set.
    pub fn alerts(&self) -> Result<Arc<Queue>, CloudError> {
        Ok(Arc::new(Queue::new(aws_sdk_sqs::Client::new(&self.config), variable("ALERTS_QUEUE_URL")?)))
    }

    /// The queue of pulls of usage sources.
    ///
    /// # Errors
    /// `PULLS_QUEUE_URL` is not set.
    pub fn pulls(&self) -> Result<Arc<Queue>, CloudError> {
        Ok(Arc::new(Queue::new(aws_sdk_sqs::Client::new(&self.config), variable("PULLS_QUEUE_URL")?)))
    }

    /// The secrets as they are at this moment: for whoever replaces one.
    ///
    /// # Errors
    /// `SECRETS_PREFIX` is not set.
    pub fn secrets_now(&self) -> Result<Arc<SecretsManager>, CloudError> {
        let client = aws_sdk_secretsmanager::Client::new(&self.config);
        Ok(Arc::new(SecretsManager::new(client, variable("SECRETS_PREFIX")?)))
    }

    /// Calls partners' webhooks.
    ///
    /// # Errors
    /// The HTTP client can't be made.
    pub fn outward(&self) -> Result<Outward, CloudError> {
        Ok(with_receiver(Outward::new()?)?)
    }

    /// Calls an issuer of tokens at the addresses that its own document names.
    ///
    /// # Errors
    /// The HTTP client can't be made.
    pub fn to_issuer(&self, issuer: &str) -> Result<Outward, CloudError> {
        Ok(with_issuer(Outward::new()?, issuer)?)
    }

    /// The event bus.
    ///
    /// # Errors
    /// `EVENT_BUS` is not set.
    pub fn events(&self) -> Result<Arc<Bus>, CloudError> {
        Ok(Arc::new(Bus::new(aws_sdk_eventbridge::Client::new(&self.config), variable("EVENT_BUS")?)))
    }

    /// The PSAs; the same ones to all who ask.
    ///
    /// # Errors
    /// The HTTP client can't be made.
    pub fn psas(&self) -> Result<Registry, CloudError> {
        once(&self.psas, || Ok(Registry::new(&places(), &self.clock)?))
    }

    /// The usage sources that are pulled.
    ///
    /// # Errors
    /// The HTTP client can't be made.
    pub fn sources(&self) -> Result<sources::registry::Registry, CloudError> {
        let (bases, clock, pause) = (simulated_sources(), self.clock.clone(), Arc::new(RealPause));
        let places = sources::registry::Places { bases, allowed_hosts: allowed_hosts(), clock, pause };
        Ok(sources::registry::Registry::new(&places)?)
    }

    /// Opens connections' PSAs with their stored credentials.
    ///
    /// # Errors
    /// As [`Cloud::secrets`] and [`Cloud::psas`].
    pub fn opener(&self) -> Result<Opener, CloudError> {
        Ok(Opener::new(&self.table(), self.secrets()?, self.psas()?, self.clock.clone()))
    }

    /// The ledger, with leases taken as this process.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        Ledger::new(self.table(), LeaseHolder { instance: fresh_id("fn"), sole: false, term: LEASE_TERM })
    }
}

/// Serves an HTTP function behind API Gateway, whose JWT authorizer has verified the token.
///
/// # Errors
/// The runtime ends.
pub async fn serve(router: axum::Router) -> Result<(), lambda_http::Error> {
    lambda_http::run(names::read(behind_gateway(router))).await
}

/// `router` as [`serve`] serves it: in the frame, with the claims that the gateway verified.
pub fn behind_gateway(router: axum::Router) -> axum::Router {
    framed(router, Arc::new(auth::gateway(claims)))
}

fn claims(extensions: &Extensions) -> Option<HashMap<String, String>> {
    let Some(RequestContext::ApiGatewayV2(context)) = extensions.get() else { return None };
    Some(context.authorizer.as_ref()?.jwt.as_ref()?.claims.clone())
}

/// Where PSAs are called: at the vendors' own addresses.
fn places() -> Places {
    Places { bases: simulated(), allowed_hosts: allowed_hosts(), timeouts: None }
}

/// `ALLOWED_HOSTS` adds domains of hosts that users may name, PSAs' and usage sources'.
fn allowed_hosts() -> String {
    std::env::var("ALLOWED_HOSTS").unwrap_or_default()
}

#[cfg(not(feature = "emulated"))]
fn with_receiver(outward: Outward) -> Result<Outward, HttpError> {
    Ok(outward)
}

/// For the deployment's test alone: a receiver of webhooks at `WEBHOOK_BASE`.
#[cfg(feature = "emulated")]
fn with_receiver(outward: Outward) -> Result<Outward, HttpError> {
    match std::env::var("WEBHOOK_BASE").ok().and_then(|base| base.parse().ok()) {
        Some(base) => outward.except(&base, Outward::settings()),
        None => Ok(outward),
    }
}

#[cfg(not(feature = "emulated"))]
fn with_issuer(outward: Outward, _: &str) -> Result<Outward, HttpError> {
    Ok(outward)
}

/// For the deployment's test alone: an issuer on this machine.
#[cfg(feature = "emulated")]
fn with_issuer(outward: Outward, issuer: &str) -> Result<Outward, HttpError> {
    match issuer.parse() {
        Ok(base) => outward.except(&base, Outward::settings()),
        Err(_) => Ok(outward),
    }
}

#[cfg(not(feature = "emulated"))]
fn simulated() -> BTreeMap<Psa, Url> {
    BTreeMap::new()
}

/// For the deployment's test alone: simulated PSAs at `AUTOTASK_BASE` and so on. What is shipped is built without this feature.
#[cfg(feature = "emulated")]
fn simulated() -> BTreeMap<Psa, Url> {
    Psa::ALL.iter().filter_map(|psa| Some((*psa, base(psa.as_str())?))).collect()
}

#[cfg(not(feature = "emulated"))]
fn simulated_sources() -> BTreeMap<Vendor, Url> {
    BTreeMap::new()
}

/// As [`simulated`], for usage sources: `HUNTRESS_BASE` and so on.
#[cfg(feature = "emulated")]
fn simulated_sources() -> BTreeMap<Vendor, Url> {
    Vendor::ALL.iter().filter_map(|vendor| Some((*vendor, base(vendor.as_str())?))).collect()
}

#[cfg(feature = "emulated")]
fn base(name: &str) -> Option<Url> {
    std::env::var(format!("{}_BASE", name.to_uppercase())).ok()?.parse().ok()
}

/// The SDK has none by itself. A call to AWS answers within milliseconds, and a function that waits for one for long is ended.
fn time_outs() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(15))
        .build()
}

/// What the template sets under `name`.
///
/// # Errors
/// It is not set.
pub fn variable(name: &'static str) -> Result<String, CloudError> {
    std::env::var(name).map_err(|_| CloudError::NotSet(name))
}

/// What is in `cell`; made where there is nothing yet.
fn once<T: Clone>(cell: &OnceLock<T>, make: impl FnOnce() -> Result<T, CloudError>) -> Result<T, CloudError> {
    match cell.get() {
        Some(made) => Ok(made.clone()),
        None => make().map(|made| cell.get_or_init(|| made).clone()),
    }
}
