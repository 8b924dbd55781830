//! The keys of the account.
//!
//! Owns who may come in and what they may read. Secrets stay in `SecretString` and appear in no log, record or `Debug`.

use secrecy::{ExposeSecret as _, SecretString};

/// The public half of [`ApiKey::sample`].
pub const SAMPLE_KEY: &str = "hk_simulated_1";
/// The other half. It opens nothing but a simulator.
pub const SAMPLE_SECRET: &str = "hs_simulated_secret_1";

/// A pair of a key and a secret.
#[derive(Clone, Debug)]
pub struct ApiKey {
    key: String,
    secret: SecretString,
    pub(super) reads_organizations: bool,
}

impl ApiKey {
    /// One that may read all.
    #[must_use]
    pub fn new(key: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { key: key.into(), secret: secret.into().into(), reads_organizations: true }
    }

    /// The one that a simulator has unless it is given others.
    #[must_use]
    pub fn sample() -> Self {
        Self::new(SAMPLE_KEY, SAMPLE_SECRET)
    }

    /// May see the account and none of its organizations.
    #[must_use]
    pub fn without_organizations(mut self) -> Self {
        self.reads_organizations = false;
        self
    }

    pub(super) fn is(&self, key: &str, secret: &str) -> bool {
        self.key == key && self.secret.expose_secret() == secret
    }
}
