//! The Autotask connector against small responders and against the simulated Autotask, over real sockets on loopback.

mod catalog;
mod charges;
mod discovery;
#[path = "../heard/mod.rs"]
mod heard;
mod observe;
mod provision;
mod responder;
mod rights;
mod secrets;
mod simulated;
mod tickets;
mod writes;

use std::sync::Arc;
use std::time::Duration;

use shared::psa::Endpoint;
use shared::psa::autotask::{Autotask, AutotaskConnector, Settings};
use shared::psa::credentials::AutotaskCredentials;
use shared::psa::notebook::NoNotebook;
use url::Url;

/// Long enough for any answer of this machine, short enough for a test that waits for none.
const QUICK: Settings =
    Settings { connect_timeout: Duration::from_secs(5), request_timeout: Duration::from_millis(40) };

fn user() -> AutotaskCredentials {
    heard::listen();
    AutotaskCredentials {
        username: "api-user@example.com".to_owned(),
        secret: "canary-secret".into(),
        integration_code: "CANARYCODE".into(),
    }
}

fn endpoint(base: &str) -> Endpoint {
    Endpoint { tenant: "4711".parse().unwrap(), base_url: base.to_owned() }
}

fn open(base: &str) -> AutotaskConnector {
    open_with(base, Settings::default())
}

fn open_with(base: &str, settings: Settings) -> AutotaskConnector {
    Autotask::at(&Url::parse("http://127.0.0.1:1").unwrap(), settings).unwrap().open(
        &endpoint(base),
        user(),
        Arc::new(NoNotebook),
    )
}
