//! Requests to the store, counted where they leave: by the client's own interceptor, each attempt once.
//!
//! A request is called after its operation and the kinds of rows that it names: `BatchGetItem LINE`,
//! `TransactWriteItems INTENT+LINE`, or of the partition that it reads whole. What it costs in capacity units is not looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, ConfigBag, Credentials, Intercept, Region, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use serde_json::Value;

/// The requests that a client made, in order. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Requests(Arc<Mutex<Vec<String>>>);

impl Requests {
    /// A client of the engine at `address` that notes each of its requests here.
    #[must_use]
    pub fn client(&self, address: SocketAddr) -> Client {
        // Later behaviour versions take a proxy from the environment, which must not get between us and loopback.
        #[expect(deprecated, reason = "the last behaviour version that reads no proxy from the environment")]
        let behaviour = BehaviorVersion::v2025_01_17();
        let config = Config::builder()
            .behavior_version(behaviour)
            .endpoint_url(format!("http://{address}"))
            .region(Region::from_static("local"))
            .credentials_provider(Credentials::new("local", "local", None, None, "test"))
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .interceptor(self.clone());
        Client::from_conf(config.build())
    }

    /// The requests since the last call, which are then forgotten.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.all())
    }

    fn all(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How often each operation stands among `requests`.
#[must_use]
pub fn by_operation(requests: &[String]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for request in requests {
        *counts.entry(request.split(' ').next().unwrap_or_default()).or_default() += 1;
    }
    counts
}

impl Intercept for Requests {
    fn name(&self) -> &'static str {
        "Requests"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        let mut kinds = BTreeSet::new();
        if let Some(body) = request.body().bytes() {
            let body = serde_json::from_slice(body)?;
            kinds_in(&body, &mut kinds);
            if kinds.is_empty() {
                kinds.extend(partition_in(&body));
            }
        }
        self.all().push(format!("{operation} {}", kinds.into_iter().collect::<Vec<_>>().join("+")));
        Ok(())
    }
}

/// The heads of all sort keys, and of the prefix that a query asks for.
fn kinds_in(value: &Value, kinds: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member["S"].as_str().filter(|_| ["sk", ":prefix"].contains(&name.as_str())) {
                    Some(key) => kinds.extend(key.split('#').next().map(str::to_owned)),
                    None => kinds_in(member, kinds),
                }
            }
        }
        Value::Array(members) => members.iter().for_each(|member| kinds_in(member, kinds)),
        _ => {}
    }
}

/// What a whole partition holds: what stands after the partner in its key, `U` of `P#nordwind#U#2026-11`.
fn partition_in(query: &Value) -> Option<String> {
    let partition = query["ExpressionAttributeValues"][":pk"]["S"].as_str()?;
    partition.split('#').nth(2).map(str::to_owned)
}
