//! The credentials of each PSA: secret from the HTTP edge to the header, stored only as one secret a connection.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::Psa;

/// What a partner gives to connect its PSA. It has no `Debug` that shows a secret and is no part of any answer.
#[derive(Clone, Deserialize)]
#[serde(tag = "psa", rename_all = "snake_case", deny_unknown_fields)]
pub enum Credentials {
    /// An Autotask API user.
    Autotask(AutotaskCredentials),
}

/// An Autotask API user (security level "API User") and the tracking identifier of the integration.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutotaskCredentials {
    /// The user's generated user name; it also tells the zone.
    pub username: String,
    /// The user's generated secret.
    pub secret: SecretString,
    /// The tracking identifier.
    pub integration_code: SecretString,
}

impl Credentials {
    /// Which PSA they are for.
    #[must_use]
    pub fn psa(&self) -> Psa {
        match self {
            Self::Autotask(_) => Psa::Autotask,
        }
    }

    /// The text that a secret store keeps.
    #[must_use]
    pub fn to_secret(&self) -> SecretString {
        #[derive(Serialize)]
        #[serde(tag = "psa", rename_all = "snake_case")]
        enum Stored<'a> {
            Autotask { username: &'a str, secret: &'a str, integration_code: &'a str },
        }
        let stored = match self {
            Self::Autotask(c) => Stored::Autotask {
                username: &c.username,
                secret: c.secret.expose_secret(),
                integration_code: c.integration_code.expose_secret(),
            },
        };
        serde_json::json!(stored).to_string().into()
    }

    /// Reads back what [`Credentials::to_secret`] made.
    ///
    /// # Errors
    /// The text is something else. The error names no part of it.
    pub fn from_secret(secret: &SecretString) -> Result<Self, InvalidSecret> {
        serde_json::from_str(secret.expose_secret()).map_err(|_| InvalidSecret)
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({})", self.psa().as_str())
    }
}

/// A stored secret that is not what we stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored credentials can't be read; send them again")]
pub struct InvalidSecret;
