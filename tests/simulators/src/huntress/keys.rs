//! The keys of the account.
//!
//! Owns who may come in and what they may read. Secrets stay in `SecretString` and appear in no log, record or `Debug`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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
    pub(crate) reads_organizations: bool,
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

    /// Whether an `Authorization` header holds this pair.
    pub(crate) fn is_in(&self, header: &str) -> bool {
        let (scheme, pair) = header.split_once(' ').unwrap_or_default();
        let pair = STANDARD.decode(pair.trim()).unwrap_or_default();
        let held = format!("{}:{}", self.key, self.secret.expose_secret());
        scheme.eq_ignore_ascii_case("basic") && pair == held.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_with_its_own_secret_alone() {
        let key = ApiKey::new("Aladdin", "open sesame");
        // The example of RFC 7617.
        assert!(key.is_in("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
        for header in ["", "Basic", "Basic !", "Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Basic QWxhZGRpbjpvcGVu"] {
            assert!(!key.is_in(header), "{header}");
        }
        assert!(!format!("{key:?}").contains("sesame"));
    }
}
